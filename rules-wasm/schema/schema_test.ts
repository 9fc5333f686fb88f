/** The JSON Schemas by which editors check rules and catalogs, against the language's own tables. */
import { assert, assertEquals } from "@std/assert";
import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020.js";
import { parse, parseDocument } from "yaml";
import { SEVERITIES } from "../../contract/anomaly.ts";
import { runKilter, withFolder } from "../../e2e/program.ts";
import { COOKBOOK, readCookbook } from "../../testing/cookbook.ts";
import { Seeded } from "../../testing/seeded.ts";
import * as catalogFile from "../language/catalog_file.ts";
import { MESSAGE_LENGTH_MAX } from "../language/message.ts";
import * as ruleEntry from "../language/rule_entry.ts";
import { SETTING_KEYS, VEHICLES_MAX, WAITING_MAX } from "../language/rule_settings.ts";
import { loadRules, RULES_FILE_KEYS, RULES_MAX } from "../language/rules_file.ts";
import { UNIT_SYMBOLS } from "../language/unit_table.ts";
import { randomRules } from "../reference/random_rules.ts";
import { hashVersion } from "../version.ts";

type Json = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));

function readSchema(path: string): Json {
  const value: unknown = JSON.parse(read(path));
  assert(isMap(value), path);
  return value;
}

const RULES_SCHEMA = readSchema("./rules.schema.json");
const CATALOG_SCHEMA = readSchema("./signals.schema.json");

/** What lies at a path of keys within a schema. */
function at(schema: Json, ...path: string[]): unknown {
  let value: unknown = schema;
  for (const key of path) {
    const parts = Array.isArray(value) ? { ...value } : value;
    assert(isMap(parts) && Object.hasOwn(parts, key), `${path.join("/")} is missing at ${key}`);
    value = parts[key];
  }
  return value;
}

function keysAt(schema: Json, ...path: string[]): string[] {
  const value = at(schema, ...path);
  assert(isMap(value));
  return Object.keys(value).sort();
}

const sorted = (keys: readonly string[]) => [...keys].sort();

function validator(schema: AnySchema): ValidateFunction {
  return new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);
}

const isRules = validator(RULES_SCHEMA);
const isCatalog = validator(CATALOG_SCHEMA);

/** What a schema has against the YAML of a file; "" for nothing. */
function refusal(validate: ValidateFunction, text: string): string {
  const value: unknown = parse(text);
  if (validate(value)) return "";
  const faults = (validate.errors ?? []).map((error) => `${error.instancePath}: ${error.message}`);
  return `${faults.join("\n")}\n${text}`;
}

const CATALOG = (() => {
  const shipped = catalogFile.loadCatalog(read("../signals.yaml"), { file: "signals.yaml" });
  assert(shipped.ok);
  return shipped.catalog;
})();

function languageTakes(text: string): boolean {
  return loadRules(text, { file: "rules", catalog: CATALOG, hash: hashVersion }).ok;
}

Deno.test("schema: every key of the language is in it, and no other", () => {
  assertEquals(keysAt(RULES_SCHEMA, "properties"), sorted(RULES_FILE_KEYS));
  assertEquals(keysAt(RULES_SCHEMA, "$defs", "settings", "properties"), sorted(SETTING_KEYS));
  assertEquals(keysAt(RULES_SCHEMA, "$defs", "rule", "properties"), sorted(ruleEntry.RULE_KEYS));
  assertEquals(keysAt(CATALOG_SCHEMA, "properties"), sorted(catalogFile.CATALOG_FILE_KEYS));
  assertEquals(
    keysAt(CATALOG_SCHEMA, "$defs", "signal", "properties"),
    sorted(catalogFile.SIGNAL_KEYS),
  );
  for (
    const [schema, ...path] of [
      [RULES_SCHEMA, "properties"],
      [RULES_SCHEMA, "$defs", "settings", "properties"],
      [RULES_SCHEMA, "$defs", "rule", "properties"],
      [CATALOG_SCHEMA, "$defs", "signal", "properties"],
    ] as const
  ) {
    for (const key of keysAt(schema, ...path)) {
      const described = at(schema, ...path, key, "description");
      assert(typeof described === "string" && described.length > 5, `${path.join("/")}/${key}`);
    }
  }
});

Deno.test("schema: names, patterns and limits are those of the language", () => {
  const rule = (...path: string[]) => at(RULES_SCHEMA, "$defs", "rule", "properties", ...path);
  const signal = (...path: string[]) =>
    at(CATALOG_SCHEMA, "$defs", "signal", "properties", ...path);
  assertEquals(at(RULES_SCHEMA, "$defs", "severity", "enum"), [...SEVERITIES]);
  assertEquals(at(RULES_SCHEMA, "properties", "rules", "maxItems"), RULES_MAX);
  assertEquals(
    at(RULES_SCHEMA, "$defs", "settings", "properties", "max_vehicles", "maximum"),
    VEHICLES_MAX,
  );
  assertEquals(
    at(RULES_SCHEMA, "$defs", "settings", "properties", "max_waiting", "maximum"),
    WAITING_MAX,
  );
  assertEquals(rule("id", "pattern"), ruleEntry.RULE_ID.source);
  assertEquals(rule("labels", "propertyNames", "pattern"), ruleEntry.LABEL_NAME.source);
  assertEquals(rule("labels", "additionalProperties", "maxLength"), ruleEntry.TEXT_LENGTH_MAX);
  assertEquals(rule("message", "maxLength"), MESSAGE_LENGTH_MAX);
  assertEquals(rule("vehicles", "anyOf", "0", "maxLength"), ruleEntry.TEXT_LENGTH_MAX);
  assertEquals(rule("vehicles", "anyOf", "1", "maxItems"), ruleEntry.RULE_VEHICLES_MAX);
  assertEquals(
    rule("runbook", "pattern"),
    ruleEntry.RUNBOOK.source.replaceAll("\\/", "/"),
  );
  assertEquals(signal("type", "enum"), [...catalogFile.SIGNAL_TYPES]);
  assertEquals(signal("names", "maxItems"), catalogFile.NAMES_MAX);
  assertEquals(signal("vss", "pattern"), catalogFile.VSS_PATH.source);
  const named = (...path: string[]) =>
    at(CATALOG_SCHEMA, "properties", "signals", "propertyNames", ...path);
  assertEquals(named("pattern"), catalogFile.SIGNAL_NAME.source);
  assertEquals(named("not", "enum"), [...catalogFile.RESERVED_NAMES]);
  assertEquals(
    at(CATALOG_SCHEMA, "properties", "signals", "maxProperties"),
    catalogFile.SIGNALS_MAX,
  );
  assertEquals(at(CATALOG_SCHEMA, "$defs", "key", "maxLength"), catalogFile.KEY_BYTES_MAX);
});

Deno.test("schema: a duration takes every unit of time, and no other", () => {
  const second = UNIT_SYMBOLS.get("s");
  for (const [symbol, unit] of UNIT_SYMBOLS) {
    const isTime = unit.dimension === second?.dimension;
    const rules = `version: 1\nrules: [{ id: r, when: speed > 1, for: "2 ${symbol}" }]`;
    assertEquals(refusal(isRules, rules) === "", isTime, symbol);
    assertEquals(languageTakes(rules), isTime, symbol);
  }
});

Deno.test("schema: it takes what ships, and what random rules write", () => {
  assertEquals(refusal(isRules, read("../rules.yaml")), "");
  assertEquals(refusal(isCatalog, read("../signals.yaml")), "");
  for (let seed = 1; seed <= 300; seed++) {
    assertEquals(refusal(isRules, randomRules(new Seeded(seed))), "", `seed ${seed}`);
  }
});

Deno.test("schema: it takes the rules of the cookbook", async () => {
  const { rulesText } = await readCookbook(await Deno.readTextFile(COOKBOOK));
  assertEquals(refusal(isRules, rulesText), "");
});

/** What is wrong with these broken files lies within an expression, or in how YAML spells it. */
const BEYOND_A_SCHEMA = [
  ...['a "not" that YAML takes for a tag', "an anchor and its alias", "another version"],
  ...["a bracket that is not closed, and one too many", "a chain of comparisons"],
  ...["a condition compared with a number", "a condition that breaks off"],
  ...["a condition over several lines, with a fault in the last", "a signal that is spelt wrong"],
  ...["a condition where a number belongs, and the other way round"],
  ...["a name that the signal does not have, and one without quotes"],
  ...["a number alone, a signal alone", "conditions deep within one another"],
  ...["a temperature where a difference of temperatures belongs", "functions that do not exist"],
  ...["arguments that are missing, too many, or the wrong way round"],
  ...["numbers as they are written elsewhere", 'one "=" for "=="', "operators of other languages"],
  ...["placeholders of messages", "quotes and dashes of a word processor"],
  ...["silence with what cannot go with it", "units that do not exist, or do not fit"],
  ...["what only a programming language has", "windows that are too short or too long"],
  ...["zones that are not there, or have no quotes"],
];

Deno.test("schema: it refuses every broken file whose fault a schema can see", () => {
  const files = read("../language/broken_files.txt")
    .matchAll(/^=== (rules|signals): (.*)\n([^]*?)^>>>$/gm);
  const taken: string[] = [];
  let refused = 0;
  for (const [, kind, name = "", text = ""] of files) {
    const document = parseDocument(text, { logLevel: "error" });
    if (document.errors.length > 0) continue;
    if ((kind === "rules" ? isRules : isCatalog)(document.toJS())) taken.push(name);
    else refused++;
  }
  assertEquals(taken.sort(), [...BEYOND_A_SCHEMA].sort());
  assert(refused >= 25, `${refused} were refused`);
});

const RULE = "id: r, when: speed > 1";
/** Files of rules that are right, each with something of its own. */
const RIGHT_RULES = [
  "version: 1\nrules: []",
  `version: 1\nrules: [{ ${RULE}, for: 0, clear_for: 1.5 min, cooldown: .5 h, max_gap: 7d }]`,
  `version: 1\nrules: [{ ${RULE}, vehicles: "VH-*" }, { id: 12, when: true, vehicles: [7, a?] }]`,
  `version: 1\nrules: [{ ${RULE}, labels: { team: 4, on_call: yes }, runbook: "https://a.example/x" }]`,
  `version: 1\nrules: [{ ${RULE}, severity: { critical: speed > 9, info: ignition } }]`,
  `version: 1\nrules: [{ ${RULE}, once: false, clear: speed < 1, enabled: false, message: "{speed}" }]`,
  `version: 1\nsettings: { max_gap: 1 s, max_clock_ahead: 0, clock_reset_after: 1 min,
    unknown_after: 2 h, forget_after: 30 d, max_vehicles: 10, max_waiting: 9, lateness: 0 s, zone: UTC }
rules: [{ ${RULE} }]`,
];

/** Files of rules that are wrong in a way that needs no knowledge of expressions. */
const WRONG_RULES = [
  "[]",
  "rules: []",
  "version: 2\nrules: []",
  "version: 1",
  "version: 1\nrules: {}",
  "version: 1\nrules: [a]",
  "version: 1\nrules: []\nrule: []",
  "version: 1\nrules: []\nsettings: { max_gaps: 1 s }",
  "version: 1\nrules: []\nsettings: { max_gap: 1 }",
  "version: 1\nrules: []\nsettings: { max_vehicles: 0 }",
  "version: 1\nrules: []\nsettings: { max_vehicles: 1.5 }",
  "version: 1\nrules: []\nsettings: { max_vehicles: 10000001 }",
  "version: 1\nrules: [{ id: r }]",
  "version: 1\nrules: [{ when: speed > 1 }]",
  'version: 1\nrules: [{ id: "a b", when: speed > 1 }]',
  `version: 1\nrules: [{ id: ${"a".repeat(65)}, when: speed > 1 }]`,
  "version: 1\nrules: [{ id: r, when: [speed > 1] }]",
  ...[
    ...["fro: 5 s", "for: 5", "for: 5 m", "for: 5 km", "for: -5 s", "for: s", "for: true", "for:"],
    ...["clear: {}", "clear_for: soon", "severity: fatal", "severity: {}", "severity: [info]"],
    ...["severity: { fatal: speed > 1 }", "cooldown: 1 day 2 h", "message: [x]", "message: {}"],
    ...["once: 1", 'once: "true"', "enabled: maybe", "labels: [a]", "labels: { a b: x }"],
    ...["labels: { a: [x] }", "vehicles: []", "vehicles: { a: b }", "vehicles: [[a]]"],
    ...["runbook: runbook.md", "runbook: 'https://a b'", "max_gap: never"],
    ...["once: true, clear: speed < 1", "once: true, clear_for: 5 s"],
    `vehicles: ${"a".repeat(257)}`,
    `message: ${"a".repeat(2001)}`,
  ].map((more) => `version: 1\nrules: [{ ${RULE}, ${more} }]`),
];

Deno.test("schema: what it says of rules is what the language says", () => {
  for (const text of RIGHT_RULES) {
    assertEquals(refusal(isRules, text), "");
    assert(languageTakes(text), text);
  }
  for (const text of WRONG_RULES) {
    assert(refusal(isRules, text) !== "", `the schema takes\n${text}`);
    assert(!languageTakes(text), `the language takes\n${text}`);
  }
});

const HEAD = "version: 1\nvehicle: [vehicle]\ntime: [ts]\n";
const RIGHT_CATALOGS = [
  `${HEAD}signals: {}`,
  `${HEAD}signals: { a: { range: [0, 1] }, b.c_2: { type: number, unit: V, range: [-1.5, 1e3] } }`,
  `${HEAD}signals: { a: { type: boolean, stale_after: never, keys: [x, 1] } }`,
  `${HEAD}signals: { a: { names: [P, 1], stale_after: 5 min }, b: { type: name, names: [x] } }`,
  `${HEAD}signals: { a: { range: [0, 1], vss: Vehicle.Speed, description: Text. } }`,
];
const WRONG_CATALOGS = [
  "version: 1\nvehicle: [vehicle]\nsignals: {}",
  "version: 1\nvehicle: []\ntime: [ts]\nsignals: {}",
  "version: 1\nvehicle: vehicle\ntime: [ts]\nsignals: {}",
  `${HEAD}signals: []`,
  `${HEAD}signals: {}\nsignal: {}`,
  `${HEAD}signals: { Speed: { range: [0, 1] } }`,
  `${HEAD}signals: { not: { range: [0, 1] } }`,
  ...[
    ...["{}", "{ unit: V }", "{ range: [0] }", "{ range: [0, 1, 2] }", "{ range: [a, b] }"],
    ...["{ range: 1 }", "{ range: [0, 1], names: [a] }", "{ type: number, names: [a] }"],
    ...["{ type: boolean, range: [0, 1] }", "{ type: boolean, unit: V }", "{ type: name }"],
    ...["{ names: [a], unit: V }", "{ names: [] }", "{ names: [a, a] }", "{ type: text }"],
    ...["{ range: [0, 1], stale_after: 0 }", "{ range: [0, 1], stale_after: always }"],
    ...[
      "{ range: [0, 1], keys: k }",
      "{ range: [0, 1], vss: speed }",
      "{ range: [0, 1], kyes: [] }",
    ],
    `{ range: [0, 1], keys: [${"k".repeat(129)}] }`,
  ].map((signal) => `${HEAD}signals: { a: ${signal} }`),
];

Deno.test("schema: what it says of catalogs is what the language says", () => {
  for (const text of RIGHT_CATALOGS) {
    assertEquals(refusal(isCatalog, text), "");
    assert(catalogFile.loadCatalog(text, { file: "c" }).ok, text);
  }
  for (const text of WRONG_CATALOGS) {
    assert(refusal(isCatalog, text) !== "", `the schema takes\n${text}`);
    assert(!catalogFile.loadCatalog(text, { file: "c" }).ok, `the language takes\n${text}`);
  }
});

Deno.test("schema: files that ship and that init writes say where theirs lies", () =>
  withFolder(async (dir) => {
    assertEquals((await runKilter(["init", dir], [dir])).code, 0);
    for (const name of ["rules", "signals"]) {
      const head = `# yaml-language-server: $schema=schema/${name}.schema.json\n`;
      assert(read(`../${name}.yaml`).startsWith(head), name);
      assert((await Deno.readTextFile(`${dir}/${name}.yaml`)).startsWith(head), name);
      const written = await Deno.readTextFile(`${dir}/schema/${name}.schema.json`);
      assertEquals(written, read(`./${name}.schema.json`));
    }
  }));
