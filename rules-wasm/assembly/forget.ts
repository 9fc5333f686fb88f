/** Forgetting vehicles before their time: rules that come into force have no room for them. */
import { clearMasks } from "./ops_admit";
import { lateness } from "./plan";
import {
  E_FORGOTTEN,
  MODE_LIVE,
  REASON_FORGOTTEN,
  ROW_CLEAR,
  V_FIRED,
  V_LAST_T,
} from "./plan_layout";
import { clearRow, freshen, standFor } from "./run";
import { releaseVehicle } from "./run_late";
import { vehicleAt } from "./state";
import { unlist } from "./timers";

/**
 * Forgets a vehicle at A: what waits of it is evaluated, what it has open clears as at its last T.
 * The host gives its slot free.
 */
export function forgetVehicle(slot: u32, a: f64): void {
  const base = vehicleAt(slot);
  if (lateness > 0) releaseVehicle(slot, a, MODE_LIVE);
  clearMasks();
  standFor(0, ROW_CLEAR, load<u8>(base, V_FIRED), slot, load<f64>(base, V_LAST_T), a);
  clearRow(0, REASON_FORGOTTEN);
  unlist(base, slot);
  freshen(base);
  store<f64>(E_FORGOTTEN, load<f64>(E_FORGOTTEN) + 1);
}
