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

  /** The same again. */
  copy(): CustomOperatorState {
    const copy = new CustomOperatorState(this.call);
    for (let i = 0; i < this.call.operator.slots; i++) copy.#slots.set(i, this.#slots.get(i));
    copy.#last = this.#last;
    return copy;
  }

  /** The result at a sample; null for a condition that is unknown. */
  result(brought: boolean, t: number, args: readonly number[]): number | boolean | null {
    const { operator, result } = this.call;
    if (brought) {
      const now = CUSTOM_FUNCTIONS[operator.index](this.#slots, t, ...args);
      this.#last = Number.isFinite(now) ? now : NaN;
    } else if (result === "event") return false;
    return this.stands();
  }

  /** The last result. */
  stands(): number | boolean | null {
    if (this.call.result === "number") return this.#last;
    return this.#last === 1 ? true : this.#last === 0 ? false : null;
  }
}
