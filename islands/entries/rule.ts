/** Entry of the bundle of one rule's page. */
import { boot } from "../boot.ts";
import { RuleMain } from "../RuleMain.tsx";

boot(RuleMain);
