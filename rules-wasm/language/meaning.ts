/** All that bears on what a rule set means, as one text: what its version is the hash of. */
import type { Signal } from "../../contract/catalog.ts";
import type { MessagePart, Rule, RuleSet } from "./ast.ts";
import { structure } from "./structure.ts";

/** Raised when the engines come to compute something else from the same rules. */
export const KERNEL_MEANING = 1;

/**
 * The text that is hashed into the version: equal for rule sets whose output is equal over every
 * log. Comments, spelling and order of keys, runbooks and descriptions are left out; labels are
 * in, so that every version has one set of them.
 */
export function meaningOf(rules: Omit<RuleSet, "version">): string {
  const { catalog } = rules;
  // A zone is what its offsets are, whatever it is called.
  const { zone: _zone, zoneOffsets, ...settings } = rules.settings;
  return canonical({
    kernel: KERNEL_MEANING,
    signals: catalog.signals.map(signalMeaning),
    vehicleKeys: [...catalog.vehicleKeys].sort(),
    timeKeys: [...catalog.timeKeys].sort(),
    settings: {
      ...settings,
      zoneOffsets: zoneOffsets.map(({ fromMs, offsetMs }) => [fromMs, offsetMs]),
    },
    zones: rules.zones.map(({ id, digest }) => [id, digest]),
    rules: rules.rules.map(ruleMeaning),
  });
}

function signalMeaning(signal: Signal): unknown {
  const { name, type, unit, min, max, staleAfterMs, names, keys, vss } = signal;
  return { name, type, unit, min, max, staleAfterMs, names, keys: [...keys].sort(), vss };
}

function ruleMeaning(rule: Rule): unknown {
  const { when, clear, levels, message, terms, source: _source, runbook: _runbook, ...plain } =
    rule;
  return {
    ...plain,
    when: structure(when),
    clear: clear === null ? null : structure(clear),
    levels: levels.map((level) => [level.severity, structure(level.when)]),
    message: message.map(partMeaning),
    terms: terms.map((term) =>
      term.kind === "compare"
        ? [structure(term.left), structure(term.right), { ...term.term }]
        : [structure(term.of), term.text]
    ),
  };
}

function partMeaning(part: MessagePart): unknown {
  return part.kind === "value" ? { ...part, of: structure(part.of) } : part;
}

/** JSON with the keys of objects in order and every number as `String(x)`. */
function canonical(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
    return `{${entries.map(([key, of]) => `${JSON.stringify(key)}:${canonical(of)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
