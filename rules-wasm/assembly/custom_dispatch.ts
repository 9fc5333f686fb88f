/** Calls custom operators by their number. Written by build_kernel.ts; do not edit. */
import { argument, Slots } from "./slots_kernel";
import { cusum as custom0 } from "./custom/cusum";

export function callCustom(operator: i32, slots: Slots, t: f64): f64 {
  switch (operator) {
    case 0:
      return custom0(slots, t, argument(0), argument(1), argument(2), argument(3));
    default:
      return NaN;
  }
}
