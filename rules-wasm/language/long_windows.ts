/** Durations that reach further back than the log does. */
import { FUNCTIONS } from "./functions.ts";
import { type PlacedCondition, type PlacedRule, spanOf } from "./rule_places.ts";
import { showDuration } from "./show_values.ts";
import type { Syntax } from "./syntax.ts";
import { parseUnit, toMilliseconds } from "./units.ts";
import type { Warn } from "./warnings.ts";

/** Warns of `for`, `clear_for` and windows longer than the log is kept. */
export function longWindows(placed: PlacedRule, retentionMs: number, warn: Warn): void {
  const { rule } = placed;
  const kept = `the log keeps ${showDuration(retentionMs)}`;
  const lost = "after a restart and in a back-test it begins without what is gone";
  const conditions: (PlacedCondition | null)[] = [placed.when, placed.clear, ...placed.levels];
  for (const condition of conditions) {
    if (condition === null) continue;
    eachCall(condition.syntax, (call) => {
      const ms = durationOf(call);
      if (!(ms > retentionMs)) return;
      const text = `${call.name} looks back ${showDuration(ms)}, ${kept}`;
      warn(rule.id, "retention", spanOf(condition, call), text, lost);
    });
  }
  for (const [key, ms] of [["for", rule.forMs], ["clear_for", rule.clearForMs]] as const) {
    if (ms <= retentionMs) continue;
    const text = `${key} asks for ${showDuration(ms)}, ${kept}`;
    warn(rule.id, "retention", placed.span(key), text, lost);
  }
}

type CallSyntax = Extract<Syntax, { kind: "call" }>;

function eachCall(syntax: Syntax, visit: (call: CallSyntax) => void): void {
  switch (syntax.kind) {
    case "call":
      visit(syntax);
      for (const arg of syntax.args) eachCall(arg, visit);
      return;
    case "negate":
    case "not":
      return eachCall(syntax.of, visit);
    case "arithmetic":
    case "compare":
    case "and":
    case "or":
      eachCall(syntax.left, visit);
      eachCall(syntax.right, visit);
      return;
    default:
      return;
  }
}

/** The duration that a call ends with, milliseconds; NaN if it has none. */
function durationOf(call: CallSyntax): number {
  const last = call.args.at(-1);
  const signature = FUNCTIONS.get(call.name)?.signature ?? "";
  if (!/(duration|tau)\)$/.test(signature) || last?.kind !== "number") return NaN;
  const unit = parseUnit(last.unit?.text ?? "");
  return unit.ok ? toMilliseconds(last.value, unit.unit) ?? NaN : NaN;
}
