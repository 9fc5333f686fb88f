import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Catalog } from "../../contract/catalog.ts";
import { Seeded } from "../../testing/seeded.ts";
import { hashVersion } from "../version.ts";
import { loadCatalog } from "./catalog_file.ts";
import { formatFaults } from "./format_fault.ts";
import { loadRules } from "./rules_file.ts";
import { type Warning, type WarningOptions, warningsOf } from "./warnings.ts";

const RULES_TEXT = await Deno.readTextFile(new URL("../rules.yaml", import.meta.url));
const CATALOG_TEXT = await Deno.readTextFile(new URL("../signals.yaml", import.meta.url));

function catalogOf(text: string): Catalog {
  const result = loadCatalog(text, { file: "signals.yaml" });
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return result.catalog;
}

const SHIPPED = catalogOf(CATALOG_TEXT);

function warnings(
  text: string,
  options: Partial<WarningOptions> = {},
  catalog = SHIPPED,
): readonly Warning[] {
  const file = "rules.yaml";
  const result = loadRules(text, { file, catalog, hash: hashVersion });
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return warningsOf(text, result.rules, { file, ...options });
}

/** A file of one rule, of these lines. */
function rule(...lines: string[]): string {
  return `version: 1\nrules:\n  - id: a\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

/** Code, place and marked text of each warning. */
function shown(text: string, found: readonly Warning[]): string[] {
  return found.map(({ code, span }) =>
    `${code} ${span.line}:${span.column} ${text.slice(span.offset, span.offset + span.length)}`
  );
}

Deno.test("warnings: the shipped rules have none", () => {
  assertEquals(warnings(RULES_TEXT, { retentionMs: 7 * 86_400_000 }), []);
});

Deno.test("warnings: a rule that can never fire is marked where that shows", () => {
  const cases: readonly [string, string, string][] = [
    ["speed > 500 km/h", "speed > 500 km/h", "speed is from -100 to 400 km/h"],
    ["speed > 400 km/h", "speed > 400 km/h", "speed is from -100 to 400 km/h"],
    ["rpm > 900 and 700 < speed", "700 < speed", "speed is from -100 to 400 km/h"],
    ["coolant > 95 degC and coolant < 80 degC", "coolant < 80 degC", "never true together"],
    ["speed > 5 and rpm > 100 and speed <= 5", "speed <= 5", "speed > 5 and speed <= 5"],
    ['gear_selector == "R" and gear_selector == "D"', 'gear_selector == "D"', "together"],
    ["ignition and not ignition", "not ignition", "together"],
    ["hour() > 4 and hour() < 5", "hour() < 5", "together"],
    ["hour() == 24", "hour() == 24", "hour() is from 0 to 23"],
    ["weekday() < 1", "weekday() < 1", "weekday() is from 1 to 7"],
    ["delta(fuel, 60 s) < -101 %", "delta(fuel, 60 s) < -101 %", "from -100 to 100 %"],
    ["delta(fuel, 60 s) > 60 % and fuel < 50 %", "fuel < 50 %", "together"],
    ["rate(speed, 2 s) > 300 km/h/s", "rate(speed, 2 s) > 300 km/h/s", "from -250 to 250"],
    ["abs(speed) < 0 km/h", "abs(speed) < 0 km/h", "abs(speed) is from 0 to 400 km/h"],
    ["highest(speed, 5 min) > 401 km/h", "highest(speed, 5 min) > 401 km/h", ""],
    ["avg(fuel, 5 min) > 120 %", "avg(fuel, 5 min) > 120 %", ""],
    ["stddev(fuel, 5 min) > 51 %", "stddev(fuel, 5 min) > 51 %", ""],
    ["count(speed > 900 km/h, 1 min) > 0", "count(speed > 900 km/h, 1 min) > 0", "always 0"],
    ["age(speed) < 0 s", "age(speed) < 0 s", "at least 0 s"],
    ["speed / 0 > 3", "speed / 0 > 3", "speed / 0 is never known"],
    ["sqrt(gear - 40) > 1 and ignition", "sqrt(gear - 40) > 1", "sqrt(gear - 40) is never known"],
    ["ignition and not (speed < 500)", "not (speed < 500)", "never true"],
    ["speed > speed", "speed > speed", "never true"],
    ["rose(speed > 900 km/h)", "rose(speed > 900 km/h)", "never true"],
    ["rose(speed > 50) and speed < 40", "speed < 40", "together"],
    ["fell(speed > 50) and speed > 60", "speed > 60", "together"],
    ["held(speed > 50, 5 s) and speed < 40", "speed < 40", "together"],
    ["held(rose(ignition), 5 s)", "held(rose(ignition), 5 s)", "never true"],
    ["seq(speed > 900 km/h, ignition, 5 s)", "seq(speed > 900 km/h, ignition, 5 s)", ""],
    ["absent(30 s) and rose(ignition)", "rose(ignition)", "together"],
    ["absent(30 s) and changed(gear)", "changed(gear)", "together"],
    ["false", "false", "always false"],
    ["(speed > 5 or rpm > 9) and speed < 3 and rpm < 4", "", "contradict one another"],
    ["min(fuel, 50 %) > 60 %", "min(fuel, 50 %) > 60 %", ""],
    ["speed - gps_speed > 600 km/h", "speed - gps_speed > 600 km/h", "from -500 to 400 km/h"],
  ];
  for (const [when, mark, message] of cases) {
    const text = rule(`when: ${when}`);
    const found = warnings(text).filter(({ code }) => code === "never-fires");
    assertEquals(found.length, 1, when);
    const [{ span, message: said }] = found;
    assertEquals(text.slice(span.offset, span.offset + span.length), mark || when, when);
    assertStringIncludes(said, "This rule can never fire: ", when);
    assertStringIncludes(said, message, when);
  }
});

Deno.test("warnings: what can fire is not said to be unable to", () => {
  const cases = [
    ...["speed >= 400 km/h", "speed > 399.9", "speed < 3 or speed > 5", "not (speed < 400)"],
    ...["speed > 5 and prev(speed) < 3", "delta(fuel, 1 min) < -60 % and fuel < 30 %"],
    ...["held(speed > 50, 5 s) and rpm < 40", "rose(speed > 50) and prev(speed) < 40"],
    ...["absent(30 s) and speed > 50", "absent(30 s) or rose(ignition)", "speed == 400"],
    ...["avg(fuel, 5 min) >= 100 %", "hour() >= 22 or hour() < 5", "hour() > 4 and hour() < 6"],
    ...['gear_selector != "P" and gear_selector != "D"', "changed(ignition)", "true"],
    ...["abs(zscore(battery, 5 min)) > 40", "sum(delta(coolant, 1 s), 5 min) > 4000 K"],
    ...["coolant > ambient + 20 K", "battery * battery_current > 500 W", "speed != 400"],
    ...["rpm / (rpm - 3) > 3", "sqrt(speed * speed) > 399", "coolant == -60 degC"],
    ...["absent(30 s) and held(changed(speed), 5 s)", "rose(speed > 5 or rose(ignition))"],
  ];
  for (const when of cases) {
    const text = rule(`when: ${JSON.stringify(when)}`);
    const codes = warnings(text).map(({ code, message }) => `${code} ${message}`);
    assertEquals(codes.filter((code) => !code.startsWith("unit")), [], when);
  }
});

Deno.test("warnings: an edge is on one sample, so that no run of it lasts", () => {
  const text = rule("when: rose(ignition) and speed < 5", "for: 5 s");
  const [found, ...rest] = warnings(text);
  assertEquals(rest, []);
  assertEquals(shown(text, [found]), ["never-fires 5:10 5 s"]);
  assertStringIncludes(found.message, "rose(ignition) is true on single samples");
  assertEquals(warnings(rule("when: changed(gear) and speed < 5", "for: 5 s")), []);
  assertEquals(warnings(rule("when: rose(ignition) or speed < 5", "for: 5 s")), []);
});

Deno.test("warnings: what never clears, and what clears while it fires", () => {
  const of = (...lines: string[]) => {
    const text = rule(...lines);
    return shown(text, warnings(text));
  };
  assertEquals(of("when: speed > 130", "clear: speed < -200"), ["never-clears 5:12 speed < -200"]);
  assertEquals(of("when: speed > 130", "clear: rose(ignition)", "clear_for: 3 s"), [
    "never-clears 6:16 3 s",
  ]);
  const text = rule("when: speed > 130", "clear: speed < 140");
  const [overlapping] = warnings(text);
  assertEquals(shown(text, [overlapping]), ["clears-while-firing 5:12 speed < 140"]);
  assertStringIncludes(overlapping.message, "for example with speed 135 km/h");
  assertEquals(of("when: speed > 130 or rpm > 5000", "clear: speed < 120"), [
    "clears-while-firing 5:12 speed < 120",
  ]);
  assertEquals(of("when: ignition and speed > 5", "clear: ignition"), [
    "clears-while-firing 5:12 ignition",
  ]);
  assertEquals(of("when: speed > 130", "clear: speed <= 130"), []);
  assertEquals(of("when: speed > 130 and ignition", "clear: speed < 120 or not ignition"), []);
  assertEquals(of("when: speed > 130", "clear: highest(speed, 10 s) < 120"), []);
});

Deno.test("warnings: dead terms, levels that are never reached, rules that fire on every sample", () => {
  const of = (...lines: string[]) => {
    const text = rule(...lines);
    return shown(text, warnings(text));
  };
  assertEquals(of("when: fuel > 150 % or speed > 130"), ["never-true 4:11 fuel > 150 %"]);
  assertEquals(of("when: speed > 5", "severity: { info: speed > 5, critical: speed > 450 }"), [
    "never-true 5:44 speed > 450",
  ]);
  assertEquals(of("when: fuel >= 0 %"), ["always-true 4:11 fuel >= 0 %"]);
  assertEquals(of("when: fuel >= 0 % and speed > 5"), []);
});

Deno.test("warnings: a unit that looks mistaken names the one that was meant", () => {
  const cases: readonly [string, string][] = [
    ["coolant > 230 degC", "did you mean 230 degF (110 degC)?"],
    ["coolant > 230", "did you mean 230 degF (110 degC)?"],
    ["speed > 130 m/s", "did you mean 130 km/h?"],
    ["tyre_fl < 32 bar", "did you mean 32 psi (220.6 kPa)?"],
    ["prev(coolant) > 240", "did you mean 240 degF (115.6 degC)?"],
    ["coolant < 10 K", "did you mean 10 degC?"],
    ["avg(speed, 10 s) > 120 m/s", "did you mean 120 km/h?"],
  ];
  for (const [when, suggestion] of cases) {
    const found = warnings(rule(`when: ${when}`)).filter(({ code }) => code === "unit");
    assertEquals(found.map((each) => each.suggestion), [suggestion], when);
  }
  const metric = catalogOf(CATALOG_TEXT.replace(
    "  speed:\n    unit: km/h\n    range: [-100, 400]",
    "  speed:\n    unit: m/s\n    range: [-30, 110]",
  ));
  const [found] = warnings(rule("when: speed > 130"), {}, metric)
    .filter(({ code }) => code === "unit");
  assertEquals(found.suggestion, "did you mean 130 km/h (36.11 m/s)?");
  for (
    const when of [
      ...["speed > 130", "coolant > 110 degC", "oil_pressure < 100 kPa", "fuel > 95 %"],
      ...["soc < 5 %", "battery < 11.8 V", "tyre_fl < 1.6 bar", "gps_speed < 30 km/h"],
      ...["vibration > 8 g", "dpf_soot > 150 %", "rpm > 6500", "abs(lat) > 85 deg"],
    ]
  ) assertEquals(warnings(rule(`when: ${when}`)), [], when);
});

Deno.test("warnings: windows and durations longer than the log is kept", () => {
  const text = rule(
    "when: avg(speed, 3 d) > 50 and held(ignition, 36 h) and delta(fuel, 20 h) < -3",
    "for: 2 d",
  );
  const found = warnings(text, { retentionMs: 86_400_000 });
  assertEquals(shown(text, found), [
    "retention 4:11 avg(speed, 3 d)",
    "retention 4:36 held(ignition, 36 h)",
    "retention 5:10 2 d",
  ]);
  assertStringIncludes(found[0].message, "avg looks back 3 d, the log keeps 1 d");
  assertEquals(warnings(text, { retentionMs: 7 * 86_400_000 }), []);
  assertEquals(warnings(text), []);
});

Deno.test("warnings: a signal that nobody sent lately", () => {
  const text = rule("when: oil_pressure < 100 kPa and rpm > 900 and oil_pressure > 3 kPa");
  const rpm = SHIPPED.signals.findIndex(({ name }) => name === "rpm");
  const found = warnings(text, { sent: new Set([rpm]) });
  assertEquals(shown(text, found), ["not-sent 4:11 oil_pressure < 100 kPa"]);
  assertStringIncludes(found[0].message, "No vehicle has sent oil_pressure lately");
});

Deno.test("warnings: a rule that another one covers", () => {
  const of = (...rules: string[]) => {
    const text = `version: 1\nrules:\n${rules.map((each) => `  - { ${each} }\n`).join("")}`;
    return warnings(text).map(({ code, rule, message }) => `${code} ${rule}: ${message}`);
  };
  const fast = "id: fast, when: speed > 130";
  assertEquals(of(fast, "id: faster, when: speed > 150"), [
    'covered faster: This rule fires only where "fast" (line 3) does',
  ]);
  assertEquals(of("id: faster, when: speed > 150, for: 5 s", fast).length, 1);
  assertEquals(of(fast, "id: same, when: 130 < speed").map((each) => each.split(":")[0]), [
    "covered same",
  ]);
  assertEquals(of(fast, "id: other, when: speed > 150, severity: critical"), []);
  assertEquals(of(`${fast}, for: 5 s`, "id: sooner, when: speed > 150"), []);
  assertEquals(of(fast, "id: more, when: speed > 150 and rpm > 1"), []);
  assertEquals(of(fast, 'id: one, when: speed > 150, vehicles: "V"'), []);
  assertEquals(of(fast, "id: slow, when: speed < 20"), []);
});

Deno.test("warnings: 4,000 mutated files never make it throw", () => {
  const pieces = RULES_TEXT.replace(/^#.*\n/gm, "").split(/(?<=[\s():<>])/);
  let sound = 0;
  for (let seed = 1; seed <= 4_000; seed++) {
    const random = new Seeded(seed);
    const from = random.below(pieces.length - 60);
    const own = [...pieces.slice(from, from + 60)];
    for (let edits = 1 + random.below(4); edits > 0; edits--) {
      own[random.below(own.length)] = random.pick(pieces);
    }
    const body = own.join("");
    const text = `version: 1\nrules:\n  - id: x\n    ${body.slice(body.indexOf("when:"))}`;
    const loaded = loadRules(text, { file: "x", catalog: SHIPPED, hash: hashVersion });
    if (!loaded.ok) continue;
    sound++;
    for (const { span, message } of warningsOf(text, loaded.rules, { file: "x" })) {
      assert(message !== "" && span.offset >= 0 && span.offset <= text.length, `seed ${seed}`);
    }
  }
  assert(sound > 500, `only ${sound} were sound`);
});

Deno.test("warnings: a thousand rules over the same signals are looked at in little time", () => {
  const rules = Array.from(
    { length: 1_000 },
    (_, i) => `  - { id: r${i}, when: "speed > ${i % 300} and (rpm > ${i} or ignition)" }\n`,
  );
  const started = performance.now();
  assert(warnings(`version: 1\nrules:\n${rules.join("")}`).length > 0);
  assert(performance.now() - started < 5_000);
});
