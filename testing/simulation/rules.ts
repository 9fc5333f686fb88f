/** The rule sets that simulations run, compiled once. */
import { encodeRuleRecord } from "../../contract/rule_versions.ts";
import { type CompiledTexts, compileTexts, type RuleTexts } from "../../rules-wasm/rule_source.ts";
import type { RuleSet } from "../../rules-wasm/language/ast.ts";
import { EPOCH_MS } from "./world.ts";

const CATALOG = `version: 1
vehicle: [vehicle]
time: [ts]
signals:
  speed: { unit: km/h, range: [0, 400] }
  coolant: { unit: degC, range: [-50, 200] }
`;

/** Small, and with all kinds of state: runs, timers, windows, waiting samples, point events. */
const RULES = [
  `version: 1
settings: { max_vehicles: 50 }
rules:
  - { id: fast, when: speed > 100, for: 1 s, clear: speed < 90, clear_for: 500 ms }
  - { id: hot, when: coolant > 110 }
  - { id: jump, when: "speed - prev(speed) > 60", once: true }
`,
  `version: 1
settings: { max_vehicles: 50 }
rules:
  - { id: fast, when: speed > 100, for: 500 ms }
  - { id: hot, when: coolant > 100, clear: coolant < 90 }
  - { id: mute, when: "absent(1 s)" }
`,
  `version: 1
settings: { max_vehicles: 50, lateness: 400 ms }
rules:
  - { id: fast, when: speed > 100, for: 1 s, clear: speed < 90, clear_for: 500 ms }
  - { id: busy, when: "avg(speed, 2 s) > 90", message: "{vehicle}" }
`,
  `version: 1
settings: { max_vehicles: 50 }
rules:
  - { id: fast, when: speed > 90, cooldown: 1 s }
  - { id: mute, when: "absent(1 s)" }
  - { id: jump, when: "speed - prev(speed) > 20", once: true }
`,
];

const compiled = new Map<string, CompiledTexts>();

/** Compiles a text once in this process. */
export function compileOnce(texts: RuleTexts, file?: string): CompiledTexts {
  const known = compiled.get(texts.rules);
  if (known !== undefined) return known;
  const result = compileTexts(texts, file);
  compiled.set(texts.rules, result);
  return result;
}

/** A rule set by its number. */
export function ruleSet(number: number): RuleSet {
  const result = compileOnce(textsOf(number));
  if (!result.ok) throw new SyntaxError(result.report);
  return result.ruleSet;
}

/** The rule set of a version. */
export function ruleSetOf(version: string): RuleSet {
  const found = RULES.map((_, number) => ruleSet(number)).find((each) => each.version === version);
  if (found === undefined) throw new RangeError(`No rules of version ${version}`);
  return found;
}

/** A record of the topic of rules that brings a version into force. */
export function versionRecord(number: number, base: string, atMs: number): Uint8Array {
  return encodeRuleRecord({
    ...{ kind: "version", format: 1, version: ruleSet(number).version, base },
    ...{ time: EPOCH_MS + atMs, author: "simulation", message: "", source: "api" },
    ...textsOf(number),
  });
}

function textsOf(number: number): RuleTexts {
  return { rules: RULES[number], catalog: CATALOG, zones: "" };
}
