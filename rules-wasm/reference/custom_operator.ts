/** A custom operator of one vehicle in the reference: the author's own file, run as TypeScript. */
import { Slots } from "../assembly/slots.ts";
import type { CustomCall } from "../language/ast.ts";
import { CUSTOM_FUNCTIONS } from "./custom_functions.ts";

/** The function of an operator: its state, T in milliseconds, then its arguments. */
export type CustomFunction = (state: Slots, t: number, ...values: number[]) => number;

/** State and last result of one call of an operator. */
export class CustomOperatorState {
  readonly #slots: Slots;
  #last = NaN;

  constructor(readonly call: CustomCall<"number" | "condition" | "event">) {
    this.#slots = new Slots(call.operator.slots);
  }

  /** The result at a sample; null for a condition that is unknown. */
  result(brought: boolean, t: number, args: readonly number[]): number | boolean | null {
    const { operator, result } = this.call;
    if (brought) {
      const now = CUSTOM_FUNCTIONS[operator.index](this.#slots, t, ...args);
      this.#last = Number.isFinite(now) ? now : NaN;
    } else if (result === "event") return false;
    if (result === "number") return this.#last;
    return this.#last === 1 ? true : this.#last === 0 ? false : null;
  }
}
