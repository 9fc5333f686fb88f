/** Entry of the anomalies page's bundle. */
import { AnomaliesMain } from "../AnomaliesMain.tsx";
import { boot } from "../boot.ts";

boot(AnomaliesMain);
