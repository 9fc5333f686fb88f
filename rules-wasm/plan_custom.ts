/** Instructions of custom operators. */
import * as K from "./assembly/plan_layout.ts";
import type { Condition, CustomCall } from "./language/ast.ts";
import type { Expression } from "./language/brings.ts";
import { numbersAt, type PlanCode } from "./plan_code.ts";

/** The register of an operator's result: its number, 0 or 1 for a condition. */
export function customCode(
  code: PlanCode,
  expr: Expression & CustomCall<"number" | "condition" | "event">,
): number {
  const { operator, args } = expr;
  // Its state is the last result, then the slots.
  const bytes = 8 * (1 + operator.slots);
  return code.stateful(
    `custom ${code.structure(expr)}`,
    bytes,
    1,
    numbersAt(0, bytes),
    (dst, state) => {
      // All registers first: what an argument computes may be a custom operator too.
      const registers = args.map((arg) => code.value(arg));
      registers.forEach((a, c) => code.emit({ op: K.OP_CUSTOM_ARGUMENT, a, c, dst: -1 }));
      return {
        op: K.OP_CUSTOM,
        dst,
        a: operator.index,
        b: args.length,
        c: expr.result === "event" ? 1 : 0,
        state,
        brings: code.bringing(expr),
        k0: operator.slots,
      };
    },
  );
}

/** The register of 1 or 0 for a condition that is true or false. */
export function truthCode(code: PlanCode, of: Condition): number {
  return code.emitValue({ op: K.OP_TRUTH, a: code.condition(of) });
}
