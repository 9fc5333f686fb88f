/** Instructions of values: arithmetic and the functions that give a number. */
import * as K from "./assembly/plan_layout.ts";
import type { Value } from "./language/ast.ts";
import { numbersAt, type PlanCode } from "./plan_code.ts";
import { customCode, truthCode } from "./plan_custom.ts";
import { movedCode, positionCode } from "./plan_geo.ts";
import { slotsCode, weightedCode, windowCode } from "./plan_rings.ts";
import { ageCode, clockCode } from "./plan_time.ts";

const ARITHMETIC = { "+": K.OP_ADD, "-": K.OP_SUB, "*": K.OP_MUL, "/": K.OP_DIV } as const;

/** The register of a value. */
export function valueCode(code: PlanCode, expr: Value): number {
  switch (expr.kind) {
    case "number":
    case "name":
      return code.constant(expr.value);
    case "signal":
      return code.position(expr.signal);
    case "arithmetic":
      return code.emitValue({
        op: ARITHMETIC[expr.op],
        a: code.value(expr.left),
        b: code.value(expr.right),
      });
    case "negate":
      return code.emitValue({ op: K.OP_NEGATE, a: code.value(expr.of) });
    case "convert":
      return code.emitValue({
        op: K.OP_CONVERT,
        a: code.value(expr.of),
        k0: expr.factor,
        k1: expr.offset,
      });
    case "truth":
      return truthCode(code, expr.of);
    case "call":
      switch (expr.fn) {
        case "custom":
          return customCode(code, expr);
        case "abs":
          return code.emitValue({ op: K.OP_ABS, a: code.value(expr.args[0]) });
        case "sqrt":
          return code.emitValue({ op: K.OP_SQRT, a: code.value(expr.args[0]) });
        case "min":
        case "max": {
          const op = expr.fn === "min" ? K.OP_MIN : K.OP_MAX;
          return expr.args.map((arg) => code.value(arg))
            .reduce((a, b) => code.emitValue({ op, a, b }));
        }
        case "clamp": {
          const [x, low, high] = expr.args.map((arg) => code.value(arg));
          const raised = code.emitValue({ op: K.OP_MAX, a: x, b: low });
          return code.emitValue({ op: K.OP_MIN, a: raised, b: high });
        }
        case "prev":
          return previousCode(code, expr.args[0]);
        case "delta":
        case "rate": {
          const reference = slotsCode(code, expr.args[0], expr.durationMs);
          return code.emitValue({
            op: expr.fn === "delta" ? K.OP_DELTA : K.OP_RATE,
            a: code.value(expr.args[0]),
            b: reference,
            c: reference + 1,
            k0: expr.durationMs + code.maxGapMs,
          });
        }
        case "age":
          return ageCode(code, expr.args[0]);
        case "hour":
        case "weekday":
          return clockCode(code, expr.fn);
        case "latitude":
        case "longitude":
          return positionCode(code, expr);
        case "moved":
          return movedCode(code, expr.args, expr.durationMs);
        case "ewma":
        case "zscore":
          return weightedCode(code, expr.fn, expr.args[0], expr.durationMs);
        case "avg":
          return windowCode(code, expr) + 1;
        case "sum":
        case "lowest":
        case "highest":
        case "stddev":
        case "count":
          return windowCode(code, expr);
      }
  }
}

/** The register of the last known value before the row. */
export function previousCode(code: PlanCode, x: Value): number {
  return code.stateful(`prev ${code.structure(x)}`, 16, 1, numbersAt(0, 16), (dst, state) => ({
    op: K.OP_PREV,
    dst,
    a: code.value(x),
    state,
    brings: code.bringing(x),
  }));
}
