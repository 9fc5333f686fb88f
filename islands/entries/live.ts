/** Entry of the live page's bundle. */
import { boot } from "../boot.ts";
import { LiveMain } from "../LiveMain.tsx";

boot(LiveMain);
