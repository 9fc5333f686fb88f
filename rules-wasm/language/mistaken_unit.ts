/** Limits that make no sense in the unit they are in, and would in another of its dimension. */
import type { Possibility } from "./possible.ts";
import type { PlacedTerm } from "./rule_places.ts";
import type { Syntax } from "./syntax.ts";
import { convertConstant, isComparable, isTemperature, parseUnit, sameUnit } from "./units.ts";
import type { Warn } from "./warnings.ts";

/** Units that people mean, most likely first. */
const USUAL = [
  ...["km/h", "mph", "m/s", "kn", "degC", "degF", "K", "kPa", "bar", "psi", "hPa", "Pa", "MPa"],
  ...["km", "mi", "m", "ft", "cm", "mm", "V", "mV", "kV", "kW", "hp", "W", "A", "mA", "rpm"],
  ...["deg/s", "Hz", "kHz", "%", "1", "L", "gal", "mL", "kg", "lb", "gram", "t", "s", "min", "h"],
  ...["ms", "d", "m/s2", "g", "km/h/s", "L/h", "gal/h", "Nm", "deg", "rad", "kWh", "Wh", "Ah"],
];

/** Share of a range above which a limit is as good as outside it. */
const EDGE = 0.9;
/** Shares of a range between which a limit makes sense. */
const SENSIBLE = [0.05, 0.8] as const;

/**
 * Warns of a comparison whose limit lies outside the range of the other side, or at its very top,
 * while the same number in another unit lies well within.
 */
export function mistakenUnit(
  term: PlacedTerm,
  rule: string,
  possible: Possibility,
  warn: Warn,
): void {
  const { condition, syntax } = term;
  if (condition.kind !== "compare" || syntax.kind !== "compare") return;
  const { left, right } = condition;
  if (condition.term.names !== undefined || left.kind === "number" || right.kind !== "number") {
    return;
  }
  const range = possible.ranges.ever(left);
  const written = numberOf(syntax.right);
  const unit = parseUnit(condition.term.unit === "" ? "1" : condition.term.unit);
  if (range === null || written === null || !unit.ok) return;
  const size = range.high - range.low;
  if (!(size > 0) || !Number.isFinite(size)) return;
  const share = (right.value - range.low) / size;
  const outside = share < 0 || share > 1;
  const atTheTop = share > EDGE && (condition.op === ">" || condition.op === ">=");
  if (!outside && !atTheTop) return;
  const given = written.unit === null ? unit.unit : unitOf(written.unit);
  if (given === null) return;
  for (const name of USUAL) {
    const other = unitOf(name);
    if (other === null || !isComparable(other, unit.unit) || sameUnit(other, given)) continue;
    const point = isTemperature(unit.unit) && condition.term.unit !== "K";
    const limit = convertConstant(written.value, other, unit.unit, point);
    const at = (limit - range.low) / size;
    if (at < SENSIBLE[0] || at > SENSIBLE[1]) continue;
    const own = condition.term.unit === "" ? "" : ` ${condition.term.unit}`;
    const meant = `${written.value}${name === "1" ? "" : ` ${name}`}`;
    warn(
      rule,
      "unit",
      term.span,
      `The limit ${round(right.value)}${own} lies ${outside ? "outside" : "at the end of"} ` +
        `what the catalog allows, ${range.low} to ${range.high}${own}`,
      `did you mean ${meant}${sameUnit(other, unit.unit) ? "" : ` (${round(limit)}${own})`}?`,
    );
    return;
  }
}

function unitOf(text: string) {
  const read = parseUnit(text);
  return read.ok ? read.unit : null;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function numberOf(syntax: Syntax): { value: number; unit: string | null } | null {
  if (syntax.kind === "number") return { value: syntax.value, unit: syntax.unit?.text ?? null };
  if (syntax.kind !== "negate") return null;
  const of = numberOf(syntax.of);
  return of === null ? null : { ...of, value: -of.value };
}
