/** Whether vehicles' state lies in the same places for two plans. */
import type { Plan } from "./plan.ts";

/** Whether a kernel that runs one plan may run the other over the state as it lies. */
export function sameLayout(a: Plan, b: Plan): boolean {
  return layoutOf(a) === layoutOf(b) && catalogOf(a) === catalogOf(b);
}

/** All that decides where state lies, what it means there, and what the scan was told. */
function layoutOf(plan: Plan): string {
  const { signals, absents, states, kept, stride, signalsAt, activeAt, activeWords } = plan;
  const { latenessMs, maxClockAheadMs } = plan.ruleSet.settings;
  const operators = kept.map(({ key, target }) => {
    if (target % 2 === 0) return key;
    const { op, b, c, state, flags, k0 } = plan.code[target >> 1];
    return [key, op, b, c, state, flags, k0];
  });
  return text([
    signals,
    absents,
    states,
    operators,
    [stride, signalsAt, activeAt, activeWords, plan.filterAt, plan.filterWords],
    [latenessMs, plan.vehiclesMax, maxClockAheadMs],
  ]);
}

function catalogOf({ ruleSet: { catalog } }: Plan): string {
  return text(catalog);
}

/** JSON that tells infinities apart. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, item) => typeof item === "number" ? String(item) : item);
}
