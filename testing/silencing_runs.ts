/** Which anomalies are checked: some of a simulated day, and those of the rules' own tests. */
import type { Transition } from "../contract/anomaly.ts";
import { caseRecords } from "../rules-wasm/cases/run_case.ts";
import { loadCases, type RuleCase } from "../rules-wasm/cases/case_file.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { formatFaults } from "../rules-wasm/language/format_fault.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import type { LogRecord } from "../rules-wasm/reference/random_log.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import { COOKBOOK, readCookbook } from "./cookbook.ts";
import { Seeded } from "./seeded.ts";
import { emptySilencing, type Silencing, SilencingCheck, transitionsOf } from "./silencing.ts";
import { type FleetTime, readVehicleLog, writeVehicleLogs } from "./vehicle_logs.ts";

/** The shipped rules and those of the cookbook, with their tests. */
export interface AllRules {
  /** Both in one set, their ids headed by where they come from. */
  readonly together: RuleSet;
  readonly parts: readonly { readonly rules: RuleSet; readonly cases: readonly RuleCase[] }[];
}

/** Reads them. */
export async function readAllRules(): Promise<AllRules> {
  const cookbook = await readCookbook(await Deno.readTextFile(COOKBOOK));
  const { catalog } = cookbook.rules;
  const read = (name: string) =>
    Deno.readTextFile(new URL(`../rules-wasm/${name}.yaml`, import.meta.url));
  const text = await read("rules");
  const shipped = loadRules(text, { file: "rules.yaml", catalog, hash: hashVersion });
  if (!shipped.ok) throw new Error(formatFaults(shipped.faults, text));
  const testsText = await read("rules_test");
  const tests = loadCases(testsText, { file: "rules_test.yaml", rules: shipped.rules });
  if (!tests.ok) throw new Error(formatFaults(tests.faults, testsText));
  const named = (from: string, { rules }: RuleSet) =>
    rules.map((rule) => ({ ...rule, id: `${from}.${rule.id}` }));
  return {
    together: {
      ...cookbook.rules,
      rules: [...named("shipped", shipped.rules), ...named("cookbook", cookbook.rules)],
    },
    parts: [{ rules: shipped.rules, cases: tests.cases }, cookbook],
  };
}

/** Checks the first opening of every rule in its own tests; tells the rules that have none. */
export async function checkCases({ parts }: AllRules): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { rules, cases } of parts) {
    const left = new Set(rules.rules.map(({ id }) => id));
    for (const each of cases) {
      const log = recordsOf(each, rules);
      const all = transitionsOf(rules, log);
      const openings = all.filter(({ kind, rule }) => kind === "opened" && left.delete(rule));
      if (openings.length === 0) continue;
      const counted = emptySilencing();
      await new SilencingCheck(rules, log, all, () => counted).check(openings);
      faults.push(...counted.faults.map((fault) => `${each.name}: ${fault}`));
    }
    faults.push(...[...left].map((rule) => `no test opens ${rule}`));
  }
  return faults;
}

/** A test's samples as a log. */
export function recordsOf(each: RuleCase, rules: RuleSet): readonly LogRecord[] {
  const { count, values, valueEnds, appendTimes } = caseRecords(each, rules);
  return Array.from({ length: count }, (_, i) => ({
    value: values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]),
    append: appendTimes[i],
  }));
}

/** What is checked of simulated time. */
export interface DayOptions extends FleetTime {
  /** Anomalies in all, chosen in turn from every rule that found any. */
  readonly anomalies: number;
  /** Checks only every `of`-th of the chosen anomalies, from `part` (0 to `of` - 1) on. */
  readonly part?: { readonly part: number; readonly of: number };
  /** Folder for the vehicles' logs. */
  readonly dir: string;
  /** Told after each vehicle what was counted so far. */
  readonly onVehicle?: (
    done: number,
    vehicles: number,
    counts: ReadonlyMap<string, Silencing>,
  ) => void;
}

/** Checks anomalies of simulated time; one count for each rule. */
export async function checkDay(
  ruleSet: RuleSet,
  options: DayOptions,
): Promise<ReadonlyMap<string, Silencing>> {
  const paths = await writeVehicleLogs(options, options.dir);
  const found: { readonly path: string; readonly opening: Transition }[] = [];
  for (const path of paths) {
    for (const opening of transitionsOf(ruleSet, await readVehicleLog(path))) {
      if (opening.kind === "opened") found.push({ path, opening });
    }
  }
  const { part, of } = options.part ?? { part: 0, of: 1 };
  const chosen = inTurn(found, ({ opening }) => opening.rule, options)
    .filter((_, i) => i % of === part);
  const byPath = Map.groupBy(chosen, ({ path }) => path);
  const counts = new Map<string, Silencing>();
  let done = 0;
  for (const [path, own] of byPath) {
    const log = await readVehicleLog(path);
    const all = transitionsOf(ruleSet, log);
    const countsOf = (rule: string) => {
      const counted = counts.get(rule) ?? emptySilencing();
      counts.set(rule, counted);
      return counted;
    };
    await new SilencingCheck(ruleSet, log, all, countsOf).check(own.map(({ opening }) => opening));
    options.onVehicle?.(++done, byPath.size, counts);
  }
  return counts;
}

/** Of each kind as many are chosen first. */
const OF_EACH_KIND = 4;

/** Some of each kind, one after the other, then any, until there are enough. */
function inTurn<T>(
  all: readonly T[],
  kindOf: (each: T) => string,
  { seed, anomalies }: DayOptions,
): T[] {
  const shuffled = new Seeded(seed).shuffled(all);
  const kinds = [...Map.groupBy(shuffled, kindOf).values()];
  const first = Array.from(
    { length: OF_EACH_KIND },
    (_, i) => kinds.flatMap((kind) => i < kind.length ? [kind[i]] : []),
  ).flat();
  return [...new Set([...first, ...shuffled])].slice(0, anomalies);
}
