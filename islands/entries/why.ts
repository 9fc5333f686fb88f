/** Entry of the bundle of the page that says why. */
import { boot } from "../boot.ts";
import { WhyMain } from "../WhyMain.tsx";

boot(WhyMain);
