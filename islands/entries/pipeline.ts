/** Entry of the pipeline page's bundle. */
import { boot } from "../boot.ts";
import { PipelineMain } from "../PipelineMain.tsx";

boot(PipelineMain);
