/** Random rule files for the differential test: every construct, in every place it may stand. */
import type { Seeded } from "../../testing/seeded.ts";

/** Numeric signals of the shipped catalog that random rules speak of, with a middling limit. */
const NUMBERS = [
  { name: "speed", unit: "km/h", other: "mph", limit: 60 },
  { name: "rpm", unit: "rpm", other: "rpm", limit: 2000 },
  { name: "coolant", unit: "degC", other: "degF", limit: 90 },
  { name: "fuel", unit: "%", other: "%", limit: 50 },
  { name: "battery", unit: "V", other: "V", limit: 12 },
] as const;

/** Zones whose clocks change in the time of random logs, by an hour or half of one, and others. */
const TIME_ZONES = [
  ...["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kolkata", "UTC"],
] as const;

/** Lateness above 0, seconds: some shorter than the steps of random logs, one longer than a log. */
const LATENESS_S = [0.2, 1, 3, 10, 30, 120, 3600];

/** Ids of the zones that the rules being made may ask about. */
let zoneIds: readonly string[] = [];

/** A random `rules.yaml` in parts. */
export interface RuleFile {
  /** Rows of the settings, without their braces. */
  readonly settings: readonly string[];
  /** The text of each rule. */
  readonly rules: readonly string[];
}

/**
 * The text of a random `rules.yaml` of 1 to 8 rules.
 *
 * @param zones ids of zones that they ask about; without any they ask about no position
 */
export function randomRules(random: Seeded, zones: readonly string[] = []): string {
  return ruleFileText(randomRuleFile(random, zones));
}

/** The text of a file of rules. */
export function ruleFileText({ settings, rules }: RuleFile): string {
  const head = settings.length === 0 ? "" : `settings: { ${settings.join(", ")} }\n`;
  return `version: 1\n${head}rules:\n${rules.join("")}`;
}

/** A random file of 1 to 8 rules; `zones` as in `randomRules`, and for those made afterwards. */
export function randomRuleFile(random: Seeded, zones: readonly string[] = zoneIds): RuleFile {
  zoneIds = zones;
  const rules = Array.from({ length: 1 + random.below(8) }, (_, i) => randomRule(random, i));
  const lateness = random.chance(0.5) ? 0 : random.pick(LATENESS_S);
  const forgetAfter = random.pick([120, 600, 366 * 86_400]);
  const settings = [
    lateness > 0 ? `lateness: ${lateness} s` : "",
    lateness > 0 && random.chance(0.3) ? `max_waiting: ${random.pick([1, 4, 30])}` : "",
    random.chance(0.5)
      ? `max_gap: ${random.pick(["1 s", "2 s", "5 s", "30 s", "1 min", "90 d"])}`
      : "",
    random.chance(0.3) ? `unknown_after: ${random.pick(["30 s", "5 min"])}` : "",
    random.chance(0.3) && lateness <= forgetAfter ? `forget_after: ${forgetAfter} s` : "",
    random.chance(0.3) ? `clock_reset_after: ${random.pick(["20 s", "2 min"])}` : "",
    random.chance(0.2) ? `max_clock_ahead: ${random.pick(["5 s", "5 min"])}` : "",
    random.chance(0.1) ? "max_vehicles: 3" : "",
    random.chance(0.5) ? `zone: ${random.pick(TIME_ZONES)}` : "",
  ].filter((row) => row !== "");
  return { settings, rules };
}

/**
 * The text of a random rule.
 *
 * @param given its `when`; by default any
 */
export function randomRule(random: Seeded, i: number, given?: string): string {
  const absent = given?.includes("absent(") ?? random.chance(0.2);
  const once = random.chance(0.2);
  const rows = [`  - id: rule-${i}`];
  const when = given ?? (absent ? absentCondition(random) : condition(random, 3));
  rows.push(`    when: ${quote(when)}`);
  if (random.chance(0.5) && !absent) rows.push(`    for: ${random.pick(["2 s", "5 s", "20 s"])}`);
  if (!once) {
    const clear = random.chance(0.4);
    if (clear) rows.push(`    clear: ${quote(condition(random, 1))}`);
    if (random.chance(0.3) && !absent) {
      rows.push(`    clear_for: ${random.pick(["1 s", "4 s", "15 s"])}`);
    }
  } else rows.push("    once: true");
  if (random.chance(0.4)) rows.push(`    cooldown: ${random.pick(["3 s", "30 s", "2 min"])}`);
  if (random.chance(0.3)) rows.push(`    max_gap: ${random.pick(["3 s", "10 s", "1 min"])}`);
  if (random.chance(0.4)) {
    const levels = random.shuffled(["info", "warning", "critical"]).slice(0, 1 + random.below(3));
    rows.push("    severity:");
    for (const level of levels) rows.push(`      ${level}: ${quote(condition(random, 1))}`);
  } else if (random.chance(0.5)) {
    rows.push(`    severity: ${random.pick(["info", "warning", "critical"])}`);
  }
  if (random.chance(0.2)) {
    rows.push(`    vehicles: ${random.pick(['"V-1"', '"V-*"', '[V-2, "*-3"]'])}`);
  }
  if (random.chance(0.6)) {
    const shown = random.chance(0.3)
      ? time(random)
      : random.chance(0.2)
      ? place(random)
      : value(random, 1).text;
    rows.push(`    message: ${JSON.stringify(`{vehicle}: {${shown}} and {speed} {{x}}`)}`);
  }
  return `${rows.join("\n")}\n`;
}

function absentCondition(random: Seeded): string {
  const absent = `absent(${random.pick(["3 s", "10 s", "30 s"])})`;
  switch (random.below(4)) {
    case 0:
      return absent;
    case 1:
      return `${absent} and ${condition(random, 1)}`;
    case 2:
      return `${absent} or ${condition(random, 1)}`;
    default:
      return `${absent} or absent(60 s) and not (${condition(random, 1)})`;
  }
}

function condition(random: Seeded, depth: number): string {
  if (depth > 0 && random.chance(0.5)) {
    const inner = () => condition(random, depth - 1);
    return random.pick([
      () => `(${inner()}) and (${inner()})`,
      () => `(${inner()}) or (${inner()})`,
      () => `not (${inner()})`,
    ])();
  }
  return random.pick([
    comparison,
    comparison,
    comparison,
    () => "ignition",
    () => `changed(${value(random, 1).text})`,
    () => `rose(${comparison(random)})`,
    () => `fell(${comparison(random)})`,
    () => "rose(ignition)",
    run,
    zoned,
    () => random.pick(["true", "false"]),
  ])(random);
}

const WINDOWS = ["1 s", "2500 ms", "10 s", "33333 ms", "1 min", "4 min", "3 h", "60 d"];

function comparison(random: Seeded): string {
  const op = random.pick(["<", "<=", ">", ">=", "==", "!="]);
  if (random.chance(0.1)) return timeComparison(random, op);
  if (random.chance(0.15)) return windowComparison(random, op);
  if (random.chance(0.08)) return customComparison(random, op);
  if (random.chance(0.2)) {
    const { name } = random.pick(NUMBERS);
    const ms = random.pick(["20 ms", "1 s", "5 s", "30 s", "2 min", "3 h", "40 d", "70 d"]);
    return random.chance(0.5)
      ? `delta(${name}, ${ms}) ${op} ${random.below(9) - 4}`
      : `rate(${name}, ${ms}) ${op} ${random.below(9) - 4}`;
  }
  const left = value(random, 2);
  const right = random.chance(0.3)
    ? `${left.limit} ${left.same ? random.pick([left.unit, left.other]) : left.unit}`
    : random.chance(0.2)
    ? value(random, 1, left.name).text
    : String(left.limit);
  return `${left.text} ${op} ${right}`;
}

/** Conditions of positions. */
function zoned(random: Seeded): string {
  if (zoneIds.length === 0) return comparison(random);
  const zone = () => JSON.stringify(random.pick(zoneIds));
  const op = random.pick(["<", "<=", ">", ">=", "==", "!="]);
  return random.pick([
    () => `inside(${zone()})`,
    () => `inside(${zone()})`,
    () => `not inside(${zone()})`,
    () => `entered(${zone()})`,
    () => `left(${zone()})`,
    () => `held(inside(${zone()}), ${random.pick(["1 s", "4 s", "15 s"])})`,
    () => `seq(left(${zone()}), entered(${zone()}), 1 min)`,
    () => `count(inside(${zone()}), ${random.pick(WINDOWS)}) ${op} ${random.below(10)}`,
    () => `${place(random)} ${op} ${random.pick(["0 m", "100 m", "0.3 km", "1 mi"])}`,
    () => `highest(${place(random)}, 10 s) ${op} 500 m`,
    () => `changed(${place(random)})`,
  ])();
}

/** A value of positions; one of time where there are no zones. */
function place(random: Seeded): string {
  if (zoneIds.length === 0) return time(random);
  return `moved(${random.pick(["10 ms", "1 s", "5 s", "30 s", "2 min"])})`;
}

/** `held` and `seq`, around conditions of every kind. */
function run(random: Seeded): string {
  const inner = () => random.chance(0.2) ? "ignition" : condition(random, random.below(2));
  const named = () => `(${inner()}) and ${random.pick(NUMBERS).name} >= 0`;
  const d = random.pick(["10 ms", "1 s", "4 s", "15 s", "1 min", "2 h", "50 d"]);
  if (random.chance(0.5)) return `held(${random.chance(0.5) ? comparison(random) : named()}, ${d})`;
  // What is seldom true finds the limits of d, and two parts at one T.
  const { name, limit } = random.pick(NUMBERS);
  const seldom = random.pick([`changed(${name})`, "changed(ignition)", `rose(${name} > ${limit})`]);
  const first = random.pick([() => seldom, () => comparison(random), named])();
  const second = random.pick(["ignition", "not ignition", comparison(random)]);
  return `seq(${first}, ${second}, ${random.pick([d, "1 s", "2 s"])})`;
}

/** A value of time. */
function time(random: Seeded): string {
  return random.pick([
    () => `age(${random.chance(0.3) ? "ignition" : value(random, 1).text})`,
    () => `prev(age(${random.pick(NUMBERS).name}))`,
    () => "hour()",
    () => "weekday()",
  ])();
}

function timeComparison(random: Seeded, op: string): string {
  const { name } = random.pick(NUMBERS);
  const seconds = random.pick(["1 s", "2500 ms", "10 s", "2"]);
  return random.pick([
    () => `age(${random.chance(0.3) ? "ignition" : value(random, 1).text}) ${op} ${seconds}`,
    () => `age(${name}) ${op} age(${random.pick(NUMBERS).name})`,
    () => `delta(age(${name}), 1 s) ${op} 0`,
    () => `hour() ${op} ${7 + random.below(4)}`,
    () => `weekday() ${op} ${3 + random.below(3)}`,
    () => `prev(hour()) ${op} hour()`,
  ])();
}

/** Functions over windows whose results are of another unit, or far from the signal's own values. */
function windowComparison(random: Seeded, op: string): string {
  const { name, limit } = random.pick(NUMBERS);
  const d = random.pick(WINDOWS);
  const inner = value(random, 1, name).text;
  return random.pick([
    () => `count(${comparison(random)}, ${d}) ${op} ${random.below(20)}`,
    () => `count((${condition(random, 1)}) and ignition, ${d}) ${op} ${random.below(20)}`,
    () => `count(${comparison(random)}, ${d}) / count(${name} >= 0, ${d}) ${op} 0.5`,
    () => `stddev(${inner}, ${d}) ${op} ${random.below(12)}`,
    () =>
      name === "coolant"
        ? `sum(delta(${name}, 1 s), ${d}) ${op} ${random.below(40) - 20}`
        : `sum(${inner}, ${d}) ${op} ${limit * random.below(20)}`,
    () => `zscore(${inner}, ${random.pick(["500 ms", d])}) ${op} ${random.below(5) - 2}`,
    () => `abs(zscore(${name}, ${d})) ${op} ${random.pick(["0.5", "1", "2"])}`,
    () => `highest(${name}, ${d}) - lowest(${name}, ${d}) ${op} ${random.below(40)}`,
  ])();
}

/** The shipped custom operator, of values and limits that drift about its target. */
function customComparison(random: Seeded, op: string): string {
  const { name, limit } = random.pick(NUMBERS);
  const target = random.pick([() => `${limit}`, () => `ewma(${name}, 10 s)`])();
  const slack = random.pick(["0", "0.5", "2"]);
  const x = value(random, 1, name).text;
  const sum = `cusum(${x}, ${target}, ${slack}, ${10 + random.below(90)})`;
  return random.pick([
    () => `${sum} ${op} ${random.below(40) - 20}`,
    () => `abs(${sum}) > prev(${sum})`,
    () => `cusum(${sum}, 0, 1, 50) ${op} 10`,
  ])();
}

interface RandomValue {
  readonly text: string;
  readonly name: string;
  readonly unit: string;
  readonly other: string;
  readonly limit: number;
  /** Whether the value is a signal's own, so that a unit of another scale may stand beside it. */
  readonly same: boolean;
}

function value(random: Seeded, depth: number, only?: string): RandomValue {
  const signal = NUMBERS.find((each) => each.name === only) ?? random.pick(NUMBERS);
  const { name, unit, other, limit } = signal;
  const near = Math.round(limit * random.between(0.7, 1.3) * 10) / 10;
  const as = (text: string, same = false) => ({ text, name, unit, other, limit: near, same });
  if (depth === 0 || random.chance(0.5)) return as(name, true);
  const inner = value(random, depth - 1, name).text;
  // A point on a temperature scale takes no part in most arithmetic.
  if (random.chance(0.35)) {
    const fn = random.pick(["avg", "avg", "lowest", "highest", "ewma", "ewma"]);
    return as(`${fn}(${inner}, ${random.pick(WINDOWS)})`);
  }
  if (name === "coolant") return random.pick([as(`prev(${inner})`), as(`max(${inner}, ${inner})`)]);
  return random.pick([
    () => as(`prev(${inner})`),
    () => as(`abs(${inner})`),
    () => as(`min(${inner}, ${near})`),
    () => as(`max(${inner}, ${inner})`),
    () => as(`clamp(${inner}, 10, ${near + 20})`),
    () => as(`(${inner} + ${name})`),
    () => as(`(${inner} - ${name} / 2)`),
    () => as(`(${inner} * 1.5)`),
    () => as(`-(${inner})`),
    () => as(`(${inner} / (${name} / ${name}))`),
  ])();
}

function quote(text: string): string {
  return JSON.stringify(text);
}
