/**
 * What each function and key of a rule costs: rules with it against the same rules without it.
 *
 * Copies differ in a constant so that nothing is shared, and what is timed is the rules alone.
 */
import type { Catalog } from "../contract/catalog.ts";
import { compare, ROUNDS, type Spread } from "./measure.ts";
import { rulesOf } from "./rule_sets.ts";
import { batchesNeeded, streaming } from "./timed_engine.ts";
import { makeWorkload } from "./workload.ts";
import { benchZones } from "./zone_sets.ts";

/** The cost of one function or key, nanoseconds a row and copy. */
export interface OperatorRow {
  readonly name: string;
  readonly ns: Spread;
}

/** A function or key: the keys of copy `k` with it, and without it. */
interface Case {
  readonly name: string;
  readonly having: (k: number) => string;
  readonly lacking: (k: number) => string;
}

const COPIES = 16;
const BATCH_RECORDS = 1_000;
const PIECES = { skip: 10, warm: 1, step: 8 };

/** `x` with its limit never reached: what is measured is the way to it. */
const never = (x: string, unit = "km/h") => `when: "${x} > 900 ${unit}"`;

/** A function of a number over a duration, against the number itself. */
function over(name: string, unit = "km/h"): Case {
  return {
    name: `${name}(x, 60 s)`,
    having: (k) => never(`${name}(speed, ${60 + k} s)`, unit),
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  };
}

/** A condition of a condition that is true on half of the rows. */
function edge(name: string, call: (condition: string, k: number) => string): Case {
  const condition = (k: number) => `rpm > ${2_200 + k} rpm`;
  return {
    name,
    having: (k) => `when: "${call(condition(k), k)} and speed > 900 km/h"`,
    lacking: (k) => `when: "${condition(k)} and speed > 900 km/h"`,
  };
}

/** A condition of a zone, each copy of one of its own. */
function ofZone(name: string, call: (k: number) => string): Case {
  return {
    name,
    having: (k) => `when: '${call(k)} and speed > 900 km/h'`,
    lacking: (k) => `when: "rpm > ${100 + k} rpm and speed > 900 km/h"`,
  };
}

/** A key of a rule that is open for every vehicle. */
function ofOpen(name: string, keys: (k: number) => string): Case {
  const open = (k: number) => `when: rpm > ${100 + k} rpm, clear: rpm > 15000 rpm`;
  return {
    name,
    having: (k) => `when: rpm > ${100 + k} rpm, ${keys(k)}`,
    lacking: open,
  };
}

const CASES: readonly Case[] = [
  {
    name: "a rule that cannot fire: one comparison",
    having: (k) => `when: speed > ${900 + k} km/h`,
    lacking: () => `when: speed > 900 km/h`,
  },
  {
    name: "and, with its comparison",
    having: (k) => `when: speed > ${900 + k} km/h and rpm > ${100 + k} rpm`,
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  },
  {
    name: "x + constant",
    having: (k) => never(`speed + ${k} km/h`),
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  },
  ...["abs(X)", "max(X, speed)", "clamp(X, 1 km/h, 90 km/h)", "prev(X)"].map((call): Case => ({
    name: call.replaceAll("X", "x").replaceAll("speed", "y"),
    having: (k) => `when: "${call.replaceAll("X", `speed + ${k} km/h`)} > 900 km/h"`,
    lacking: (k) => `when: "speed + ${k} km/h > 900 km/h"`,
  })),
  over("delta"),
  over("rate", "km/h/s"),
  over("avg"),
  over("sum"),
  over("lowest"),
  over("highest"),
  over("stddev"),
  over("ewma"),
  over("zscore", ""),
  {
    name: "cusum(x, …), a custom operator",
    having: (k) => never(`cusum(speed, ${50 + k} km/h, 5 km/h, 500 km/h)`),
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  },
  {
    name: "count(c, 60 s)",
    having: (k) => `when: "count(rpm > 2250 rpm, ${60 + k} s) > 9000"`,
    lacking: (k) => `when: rpm > ${2250 + k} rpm and speed > 900 km/h`,
  },
  {
    name: "changed(x)",
    having: (k) => `when: "changed(gear + ${k}) and speed > 900 km/h"`,
    lacking: (k) => `when: "gear + ${k} > 0 and speed > 900 km/h"`,
  },
  edge("rose(c)", (c) => `rose(${c})`),
  edge("fell(c)", (c) => `fell(${c})`),
  edge("held(c, 60 s)", (c, k) => `held(${c}, ${60 + k} s)`),
  edge("seq(c, c, 60 s)", (c, k) => `seq(${c}, throttle > 50 %, ${60 + k} s)`),
  {
    name: "age(x)",
    having: (k) => `when: "age(speed + ${k} km/h) > 900 s"`,
    lacking: (k) => `when: "speed + ${k} km/h > 900 km/h"`,
  },
  ofZone("inside(z) of 24 corners, half in its box", (k) => `inside("ring-${k}")`),
  ofZone("inside(z) of a circle", (k) => `inside("circle-${k}")`),
  ofZone("inside(z), everyone outside its box", (k) => `inside("far-${k}")`),
  ofZone("entered(z) of 24 corners", (k) => `entered("ring-${k}")`),
  ofZone("left(z) of 24 corners", (k) => `left("ring-${k}")`),
  {
    name: "moved(60 s)",
    having: (k) => `when: "moved(${60 + k} s) > 900 km"`,
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  },
  {
    name: "hour() and a comparison",
    having: (k) => `when: "hour() > ${30 + k} and speed > ${900 + k} km/h"`,
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  },
  {
    name: "absent(d) or",
    having: (k) => `when: "absent(${600 + k} s) or speed > ${900 + k} km/h"`,
    lacking: (k) => `when: speed > ${900 + k} km/h`,
  },
  {
    name: "for: pending on half of the rows",
    having: (k) => `when: rpm > ${2_200 + k} rpm, for: 10 h`,
    lacking: (k) => `when: rpm > ${15_000 + k} rpm, for: 10 h`,
  },
  {
    name: "open, nothing changes",
    having: (k) => `when: rpm > ${100 + k} rpm`,
    lacking: (k) => `when: rpm > ${15_000 + k} rpm`,
  },
  {
    name: "once and cooldown, true on every row",
    having: (k) => `when: rpm > ${100 + k} rpm, once: true, cooldown: 10 h`,
    lacking: (k) => `when: rpm > ${15_000 + k} rpm, once: true, cooldown: 10 h`,
  },
  ofOpen(
    "clear and clear_for, of an open one",
    (k) => `clear: rpm < ${50 + k} rpm, clear_for: 10 h`,
  ),
  ofOpen(
    "a ladder of two severities, of an open one",
    (k) =>
      `clear: rpm > 15000 rpm, severity: { warning: rpm > ${
        100 + k
      } rpm, critical: rpm > 15000 rpm }`,
  ),
  {
    name: "vehicles: a rule for none of them",
    having: (k) => `when: rpm > ${2_200 + k} rpm, for: 10 h, vehicles: ["nobody*"]`,
    lacking: (k) => `when: rpm > ${15_000 + k} rpm, for: 10 h, vehicles: ["nobody*"]`,
  },
];

/** Measures every function and key, one after the other. */
export async function* operatorRows(
  catalog: Catalog,
  now: () => number,
): AsyncGenerator<OperatorRow> {
  const { batches } = makeWorkload({
    seed: 4,
    samples: batchesNeeded(PIECES, ROUNDS) * BATCH_RECORDS,
    vehicles: 1_000,
    hostile: false,
    fireRate: 0,
    intervalMs: 10_000,
    batchRecords: BATCH_RECORDS,
  });
  const zones = benchZones(COPIES);
  const side = (keys: (k: number) => string) => {
    const rules = rulesOf(catalog, Array.from({ length: COPIES }, (_, k) => keys(k)), zones);
    return streaming(rules, batches, { ...PIECES, rulesOnly: true }, now);
  };
  for (const { name, having, lacking } of CASES) {
    const { difference } = await compare(side(lacking), side(having));
    const each = (ms: number) => ms * 1e6 / (PIECES.step * BATCH_RECORDS) / COPIES;
    const { median, least, most } = difference;
    yield { name, ns: { median: each(median), least: each(least), most: each(most) } };
  }
}
