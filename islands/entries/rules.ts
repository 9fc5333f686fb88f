/** Entry of the bundle of the page of rules. */
import { boot } from "../boot.ts";
import { RulesMain } from "../RulesMain.tsx";

boot(RulesMain);
