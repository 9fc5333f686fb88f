/** What a custom operator keeps and is given, in the kernel's memory; `slots.ts` is its twin. */

/** Most arguments of an operator. */
const ARGUMENTS_MAX: i32 = 8;

/** f64 each: the arguments of the call that is made next. */
export const ARGUMENTS: usize = memory.data(ARGUMENTS_MAX << 3);

/** Slots of the operator that runs. */
let slotCount: f64 = 0;

export function setSlotCount(count: f64): void {
  slotCount = count;
}

@inline
export function argument(i: usize): f64 {
  return load<f64>(ARGUMENTS + (i << 3));
}

/** Numbers that lie one behind the other; its address is the object. */
@unmanaged
export class Slots {
  @inline
  get(i: f64): f64 {
    return i >= 0 && i < slotCount ? load<f64>(changetype<usize>(this) + (<usize>i << 3)) : NaN;
  }

  @inline
  set(i: f64, value: f64): void {
    if (i >= 0 && i < slotCount) store<f64>(changetype<usize>(this) + (<usize>i << 3), value);
  }
}
