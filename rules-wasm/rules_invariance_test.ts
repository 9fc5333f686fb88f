/** What of a rules file must not matter: the order of its rules, and the unit of a limit. */
import { assert, assertEquals } from "@std/assert";
import { decodeTransition } from "../contract/anomaly.ts";
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./engine_port.ts";
import type { RuleSet } from "./language/ast.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { formatFault } from "./language/format_fault.ts";
import { loadRules } from "./language/rules_file.ts";
import { createReferenceEngine } from "./reference/engine.ts";
import { asBatch, type LogRecord, randomLog } from "./reference/random_log.ts";
import { randomRules } from "./reference/random_rules.ts";
import { hashVersion } from "./version.ts";

const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const ENGINES = [createEngine, createReferenceEngine];

const CATALOG = (() => {
  const text = Deno.readTextFileSync(new URL("./signals.yaml", import.meta.url));
  const loaded = loadCatalog(text, { file: "signals.yaml" });
  if (!loaded.ok) throw new Error("Cannot read the shipped catalog");
  return loaded.catalog;
})();

function ruleSet(text: string): RuleSet {
  const loaded = loadRules(text, { file: "rules", catalog: CATALOG, hash: hashVersion });
  if (!loaded.ok) {
    throw new Error(`${text}\n${loaded.faults.map((f) => formatFault(f, text)).join("\n")}`);
  }
  return loaded.rules;
}

/** Transitions over a log without their version, each with what caused it. */
function transitionsOf(engine: Engine, log: readonly LogRecord[]) {
  return engine.push(asBatch(log, 0, log.length)).anomalies.map(({ value }) => {
    const { version: _version, ...rest } = decodeTransition(value);
    const { vehicle, append, source } = rest;
    return { rest, cause: JSON.stringify([append, vehicle, source]) };
  });
}

Deno.test("rules: their order in the file decides the order of output of one cause, no more", () => {
  let compared = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + 40; seed++) {
    const random = new Seeded(seed);
    const text = randomRules(random);
    const log = randomLog(random, 400);
    const [head, ...rules] = text.split(/^(?= {2}- id)/m);
    const shuffled = ruleSet(head + random.shuffled(rules).join(""));
    const written = ruleSet(text);
    for (const make of ENGINES) {
      const one = transitionsOf(make(written, { partition: 1 }), log);
      const other = transitionsOf(make(shuffled, { partition: 1 }), log);
      assertEquals(other.map(({ cause }) => cause), one.map(({ cause }) => cause), `seed ${seed}`);
      const sorted = (list: typeof one) => list.map(({ rest }) => JSON.stringify(rest)).sort();
      assertEquals(sorted(other), sorted(one), `seed ${seed}`);
      compared += one.length;
    }
  }
  assert(compared > 800, `only ${compared} transitions: the logs try too little`);
});

/** Ways to write one limit: n of the first unit is exactly so many of each other. */
const LIMITS: readonly {
  readonly of: string;
  readonly written: (n: number) => readonly string[];
  readonly near: number;
}[] = [
  {
    of: "speed",
    near: 10,
    // 1 m/s = 3.6 km/h; 9 m/s = 32.4 km/h, and so on: whole tenths.
    written: (n) => [`${n} m/s`, `${n * 36 / 10} km/h`, `${n * 3600} m/h`],
  },
  {
    of: "speed",
    near: 30,
    // A mile is 1.609344 km: n * 1609344 millionths of km/h.
    written: (n) => [`${n} mph`, `${millionths(n * 1_609_344)} km/h`],
  },
  {
    of: "coolant",
    near: 17,
    // 5 n degC are 9 n + 32 degF, and 5 n + 273.15 K.
    written: (n) => [`${5 * n} degC`, `${9 * n + 32} degF`, `${5 * n + 273}.15 K`],
  },
  {
    of: "battery",
    near: 12,
    written: (n) => [`${n} V`, `${n * 1000} mV`, `${millionths(n * 1000)} kV`],
  },
  { of: "fuel", near: 50, written: (n) => [`${n} %`, `${n * 10_000} ppm`] },
  {
    of: "delta(coolant, 5 s)",
    near: 1,
    // Differences: 5 n K are 9 n degF.
    written: (n) => [`${5 * n} K`, `${9 * n} degF`, `${5 * n} degC`],
  },
  {
    of: "rate(speed, 1 s)",
    near: 1,
    written: (n) => [`${n} m/s/s`, `${n} m/s2`, `${n * 36 / 10} km/h/s`],
  },
  {
    of: "ewma(speed, 10 s)",
    near: 10,
    written: (n) => [`${n} m/s`, `${n * 36 / 10} km/h`],
  },
];

/** Millionths as a decimal text, exactly. */
function millionths(n: number): string {
  return `${Math.floor(n / 1e6)}.${String(n % 1e6).padStart(6, "0")}`;
}

Deno.test("rules: a limit in another unit of the same value gives the same, byte for byte", () => {
  let compared = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + 20; seed++) {
    const random = new Seeded(seed);
    const log = randomLog(random, 400);
    for (const { of, near, written } of LIMITS) {
      const n = Math.max(1, near + random.below(9) - 4);
      const op = random.pick(["<", "<=", ">", ">="]);
      const given = written(n).map((limit) => {
        const rules = `version: 1\nrules: [{ id: r, when: "${of} ${op} ${limit}" }]`;
        return ENGINES.map((make) =>
          transitionsOf(make(ruleSet(rules), { partition: 1 }), log).map(({ rest }) => {
            const { message: _written, terms, ...same } = rest;
            // Value and limit are in the signal's own unit whatever the rule was written in.
            return { ...same, terms: terms.map(({ text: _text, ...term }) => term) };
          })
        );
      });
      for (const [i, ways] of given.entries()) {
        const context = `KILTER_SEED=${seed}: ${of} ${op} ${written(n)[i]}`;
        for (const way of ways) assertEquals(way, given[0][0], context);
      }
      compared += given[0][0].length;
    }
  }
  assert(compared > 800, `only ${compared} transitions: the logs try too little`);
});
