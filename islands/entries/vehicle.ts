/** Entry of the vehicle page's bundle. */
import { boot } from "../boot.ts";
import { VehicleMain } from "../VehicleMain.tsx";

boot(VehicleMain);
