/** Whether two conditions are true at once somewhere, shown by values for which they are. */
import type { Condition } from "./ast.ts";
import { walk } from "./brings.ts";
import { only } from "./intervals.ts";
import type { Possibility } from "./possible.ts";
import { keyOf, Moment } from "./value_range.ts";

/**
 * An example of two conditions true at once, for people (`speed 125 km/h`); null: none was found.
 *
 * Only conditions of signals and arithmetic are looked at: what functions with memory can be
 * together, intervals do not know. An example that is given is sound.
 */
export function overlap(a: Condition, b: Condition, possible: Possibility): string | null {
  const goals = [{ condition: a, is: true }, { condition: b, is: true }];
  const signals = plainSignals(a, b);
  const room = signals === null ? null : possible.together(goals);
  if (signals === null || room === null) return null;
  for (const share of [0.5, 0, 1, 0.25, 0.75]) {
    const moment = new Moment();
    const shown: string[] = [];
    for (const [key, number] of signals) {
      const signal = possible.catalog.signals[number];
      if (signal === undefined) return null;
      const full = possible.ranges.ever({ kind: "signal", signal: number, type: signal.type });
      const { low, high } = room.range(key);
      const from = Math.max(low, full?.low ?? low);
      const to = Math.min(high, full?.high ?? high);
      const middle = from + (to - from) * share;
      const value = nicest(signal.type === "number" ? middle : Math.round(middle), from, to);
      if (!moment.narrow(key, only(value))) return null;
      const unit = signal.unit === "" ? "" : ` ${signal.unit}`;
      const text = signal.type === "number"
        ? `${value}${unit}`
        : signal.names[value] ?? String(value === 1);
      shown.push(`${signal.name} ${text}`);
    }
    const holds = possible.together(goals, moment) !== null &&
      goals.every(({ condition }) =>
        possible.together([{ condition, is: false }], moment) === null
      );
    if (holds) return shown.join(", ");
  }
  return null;
}

/** The number with the fewest digits near a value, within bounds. */
function nicest(value: number, from: number, to: number): number {
  for (let digits = 1; digits < 17; digits++) {
    const short = Number(value.toPrecision(digits));
    if (short >= from && short <= to) return short;
  }
  return value;
}

/** Signals by the key of their value; null if anything but signals and arithmetic is there. */
function plainSignals(...conditions: readonly Condition[]): ReadonlyMap<string, number> | null {
  const signals = new Map<string, number>();
  const pure: readonly string[] = ["abs", "sqrt", "min", "max", "clamp"];
  let plain = true;
  for (const condition of conditions) {
    walk(condition, (node) => {
      if (node.kind === "call" && !pure.includes(node.fn)) plain = false;
      if (node.kind === "signal") signals.set(keyOf(node), node.signal);
      if (node.kind === "flag") {
        const { signal } = node;
        signals.set(keyOf({ kind: "signal", signal, type: "boolean" }), signal);
      }
    });
  }
  return plain ? signals : null;
}
