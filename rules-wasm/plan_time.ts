/** Instructions of the functions of time: `age`, `hour`, `weekday`, `held`, `seq`. */
import * as K from "./assembly/plan_layout.ts";
import type { Condition, Value } from "./language/ast.ts";
import type { PlanCode } from "./plan_code.ts";

/** The register of the seconds since a value last came. */
export function ageCode(code: PlanCode, x: Value): number {
  return code.operator(
    { op: K.OP_AGE, a: code.value(x), brings: code.bringing(x) },
    { key: `age ${code.structure(x)}`, bytes: 8 },
  );
}

/** The register of the hour of the day, or of the day of the week; 1970-01-01 was a Thursday. */
export function clockCode(code: PlanCode, fn: "hour" | "weekday"): number {
  const local = localCode(code);
  return fn === "hour"
    ? code.operator({ op: K.OP_CLOCK, c: local, k0: 3_600_000, k1: 24 })
    : code.operator({ op: K.OP_CLOCK, a: 3, b: 1, c: local, k0: 86_400_000, k1: 7 });
}

/** 1 more than the register of T by the clocks of the zone, 0 for T itself. */
function localCode(code: PlanCode): number {
  const { zoneOffsets } = code;
  if (zoneOffsets.every(({ offsetMs }) => offsetMs === 0)) return 0;
  const at = code.place(
    "zone offsets",
    () => zoneOffsets.flatMap(({ fromMs, offsetMs }) => [fromMs, offsetMs]),
  );
  return 1 + code.emitValue({ op: K.OP_LOCAL, a: at, b: zoneOffsets.length });
}

/** The register of whether a condition has held. */
export function heldCode(code: PlanCode, of: Condition, durationMs: number): number {
  return code.operator(
    {
      op: K.OP_HELD,
      a: code.condition(of),
      brings: code.bringing(of),
      k0: durationMs,
      k1: code.maxGapMs,
    },
    { key: `held ${durationMs} ${code.structure(of)}`, bytes: 24 },
  );
}

/** The register of whether `b` turned true, `a` having been true shortly before. */
export function seqCode(code: PlanCode, a: Condition, b: Condition, durationMs: number): number {
  const recent = code.operator(
    { op: K.OP_RECENT, a: code.condition(a), brings: code.bringing(a), k0: durationMs },
    { key: `recent ${durationMs} ${code.structure(a)}`, bytes: 16 },
  );
  const turned = code.condition({ kind: "call", fn: "rose", args: [b] });
  return code.operator({ op: K.OP_AND, a: turned, b: recent });
}
