/** Checks of the functions of positions: `inside`, `entered`, `left`, `moved`. */
import type { Condition, PositionPart } from "./ast.ts";
import type { CallContext, CallSyntax } from "./functions.ts";
import type { Syntax } from "./syntax.ts";
import { quantity, type Typed } from "./typed.ts";
import { NO_UNIT, parseUnit } from "./units.ts";

/** Latitude and longitude of the vehicle, as nodes of the tree. */
export type PositionParts = readonly [PositionPart, PositionPart];

const METRES = parseUnit("m");

function inside(call: CallSyntax, context: CallContext): Condition | null {
  const [arg] = call.args;
  const args = context.position(call);
  const zone = arg === undefined ? null : context.zone(arg);
  return args === null || zone === null ? null : { kind: "call", fn: "inside", zone, args };
}

/** Checks `inside(zone)`. */
export function checkInside(call: CallSyntax, context: CallContext): Typed | null {
  const condition = inside(call, context);
  return condition === null ? null : { kind: "condition", condition };
}

/** Checks `entered(zone)` and `left(zone)`: the vehicle being inside rose, or fell. */
export function checkCrossing(
  fn: "rose" | "fell",
): (call: CallSyntax, context: CallContext) => Typed | null {
  return (call, context) => {
    const of = inside(call, context);
    if (of === null) return null;
    return { kind: "condition", condition: { kind: "call", fn, args: [of] } };
  };
}

/** Checks `moved(duration)`; `duration` reads its argument. */
export function checkMoved(
  duration: (context: CallContext, arg: Syntax) => number | null,
): (call: CallSyntax, context: CallContext) => Typed | null {
  return (call, context) => {
    const [time] = call.args;
    const args = context.position(call);
    const durationMs = time === undefined ? null : duration(context, time);
    if (args === null || durationMs === null) return null;
    const unit = METRES.ok ? METRES.unit : NO_UNIT;
    return quantity({ kind: "call", fn: "moved", args, durationMs }, unit, "difference");
  };
}
