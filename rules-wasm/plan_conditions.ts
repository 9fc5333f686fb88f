/** Instructions of conditions: comparisons, logic and the functions that are true or not. */
import * as K from "./assembly/plan_layout.ts";
import type { Condition, Value } from "./language/ast.ts";
import type { Expression } from "./language/brings.ts";
import type { PlanCode } from "./plan_code.ts";
import { customCode } from "./plan_custom.ts";
import { insideCode } from "./plan_geo.ts";
import { heldCode, seqCode } from "./plan_time.ts";
import { previousCode } from "./plan_values.ts";

const COMPARE = {
  "<": K.CMP_LT,
  "<=": K.CMP_LE,
  ">": K.CMP_GT,
  ">=": K.CMP_GE,
  "==": K.CMP_EQ,
  "!=": K.CMP_NE,
} as const;
/** The comparison with its sides changed about. */
const MIRRORED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" } as const;

/** The register of a condition. */
export function conditionCode(code: PlanCode, expr: Condition): number {
  switch (expr.kind) {
    case "boolean":
      return code.emitCondition({ op: K.OP_CONSTANT, c: expr.value ? 1 : 0 });
    case "flag":
      return code.emitCondition({ op: K.OP_FLAG, a: code.position(expr.signal) });
    case "compare":
      return compareCode(code, expr);
    case "and":
    case "or":
      return code.emitCondition({
        op: expr.kind === "and" ? K.OP_AND : K.OP_OR,
        a: code.condition(expr.left),
        b: code.condition(expr.right),
      });
    case "not":
      return notCode(code, code.condition(expr.of));
    case "call":
      switch (expr.fn) {
        case "absent":
          return code.emitCondition({
            op: K.OP_ABSENT,
            c: code.absents.indexOf(expr.durationMs),
          });
        case "changed": {
          const x = code.value(expr.args[0]);
          const before = previousCode(code, expr.args[0]);
          const differs = code.emitCondition({ op: K.OP_COMPARE, a: x, b: before, c: K.CMP_NE });
          const known = code.emitCondition({ op: K.OP_COMPARE, a: x, b: x, c: K.CMP_EQ });
          return edgeCode(code, expr, differs, known);
        }
        case "rose":
        case "fell": {
          const now = code.condition(expr.args[0]);
          const before = previousConditionCode(code, expr.args[0], now);
          const [is, was] = expr.fn === "rose"
            ? [now, notCode(code, before)]
            : [notCode(code, now), before];
          return edgeCode(code, expr, code.emitCondition({ op: K.OP_AND, a: is, b: was }), now);
        }
        case "custom":
          return code.emitCondition({ op: K.OP_FLAG, a: customCode(code, expr) });
        case "held":
          return heldCode(code, expr.args[0], expr.durationMs);
        case "inside":
          return insideCode(code, expr.zone, expr.args);
        case "seq":
          return seqCode(code, expr.args[0], expr.args[1], expr.durationMs);
      }
  }
}

function compareCode(code: PlanCode, expr: Condition & { readonly kind: "compare" }): number {
  const { left, right } = expr;
  if (isConstant(right)) {
    return code.emitCondition({
      op: K.OP_COMPARE_CONSTANT,
      a: code.value(left),
      c: COMPARE[expr.op],
      k0: right.value,
    });
  }
  if (isConstant(left)) {
    return code.emitCondition({
      op: K.OP_COMPARE_CONSTANT,
      a: code.value(right),
      c: COMPARE[MIRRORED[expr.op]],
      k0: left.value,
    });
  }
  return code.emitCondition({
    op: K.OP_COMPARE,
    a: code.value(left),
    b: code.value(right),
    c: COMPARE[expr.op],
  });
}

function notCode(code: PlanCode, a: number): number {
  return code.emitCondition({ op: K.OP_NOT, a });
}

function edgeCode(code: PlanCode, expr: Expression, a: number, b: number): number {
  return code.emitCondition({ op: K.OP_EDGE, a, b, brings: code.bringing(expr) });
}

function previousConditionCode(code: PlanCode, expr: Condition, now: number): number {
  return code.operator(
    { op: K.OP_PREV_CONDITION, a: now, brings: code.bringing(expr) },
    { key: `last ${code.structure(expr)}`, bytes: 1, unknown: false },
  );
}

function isConstant(expr: Value): expr is Value & { kind: "number" | "name" } {
  return expr.kind === "number" || expr.kind === "name";
}
