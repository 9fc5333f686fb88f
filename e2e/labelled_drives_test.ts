/**
 * A rule in the language against labels that others made: 107 acceleration events of 28 recorded
 * drives, found over the way that a back-test takes, by both engines.
 */
import { assertEquals } from "@std/assert";
import { backtestRecording } from "../analysis/backtest_recording.ts";
import { isTransition, type Transition } from "../contract/anomaly.ts";
import { readRecordings } from "../producer/recording.ts";
import { realData, shippedCatalog } from "../producer/test_support.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Engine } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { createReferenceEngine } from "../rules-wasm/reference/engine.ts";
import { hashVersion } from "../rules-wasm/version.ts";

const RULES = `version: 1
rules:
  - { id: harsh, when: "abs(accel_x) >= 0.35 g or abs(accel_y) >= 0.35 g" }
`;

const folder = realData();
const FILE = `${folder}a2_nds_driveplotr/nds_data.csv.gz`;

/** One row of the recording, read here and by no part of the product. */
interface LabelledRow {
  readonly vehicle: string;
  readonly t: number;
  /** Number of the event within its drive; null for a row without label. */
  readonly event: string | null;
}

async function labelledRows(): Promise<LabelledRow[]> {
  const file = await Deno.open(FILE);
  const text = await new Response(file.readable.pipeThrough(new DecompressionStream("gzip")))
    .text();
  const [header, ...lines] = text.trimEnd().split("\n").map((line) =>
    line.split(",").map((cell) => cell.replaceAll('"', ""))
  );
  const [drive, time, label] = ["drive", "time_utc", "accel_event"].map((n) => header.indexOf(n));
  return lines.map((cells) => ({
    vehicle: `drive-${cells[drive]}`,
    t: Date.parse(`${cells[time].replace(" ", "T")}Z`),
    event: cells[label] === "NA" ? null : cells[label],
  }));
}

/** All transitions of a back-test over the recording, as lines and as objects. */
async function backtest(
  make: (ruleSet: RuleSet, options: { readonly partition: number }) => Engine,
): Promise<{ readonly text: string; readonly transitions: Transition[] }> {
  const catalog = shippedCatalog();
  const loaded = loadRules(RULES, { file: "harsh.yaml", catalog, hash: hashVersion });
  if (!loaded.ok) throw new Error(loaded.faults.map(({ message }) => message).join("\n"));
  const decoder = new TextDecoder();
  let text = "";
  await backtestRecording({
    ruleSet: loaded.rules,
    createEngine: make,
    batchRecords: 1000,
    fromMs: -Infinity,
    toMs: Infinity,
    signal: new AbortController().signal,
    output: (bytes) => text += decoder.decode(bytes, { stream: true }),
    progress: () => {},
    turn: () => Promise.resolve(),
    open: () => readRecordings([FILE], { mapping: "driveplotr", catalog, events: () => {} }),
    twice: true,
    createDecoder: () => createDecoder(catalog, { maxVehicles: 100, maxClockAheadMs: Infinity }),
  });
  const transitions = text.trimEnd().split("\n").map((line) => {
    const value: unknown = JSON.parse(line);
    if (!isTransition(value)) throw new Error(`Cannot read ${line} as a transition`);
    return value;
  });
  return { text, transitions };
}

Deno.test({
  name: "labelled drives: a rule on 0.35 g opens exactly the 107 events, at exactly their rows" +
    (folder === null ? " (skipped: real recordings are not here: ../shared/data)" : ""),
  ignore: folder === null,
  fn: async () => {
    const rows = await labelledRows();
    const { text, transitions } = await backtest(createEngine);
    assertEquals(text, (await backtest(createReferenceEngine)).text);

    const starts = new Map<string, string>();
    for (const { vehicle, t, event } of rows) {
      const key = `${vehicle} event ${event}`;
      if (event !== null && !starts.has(key)) starts.set(key, `${vehicle} ${t}`);
    }
    assertEquals(starts.size, 107);
    const opened = transitions.filter(({ kind }) => kind === "opened");
    assertEquals(opened.length, 107);
    assertEquals(
      opened.map(({ vehicle, at }) => `${vehicle} ${at}`).sort(),
      [...starts.values()].sort(),
    );

    // Row by row: what is open at it, by its own transitions or from before, is what is labelled.
    const changes = new Map(transitions.map(({ vehicle, at, kind }) => [`${vehicle} ${at}`, kind]));
    const open = new Set<string>();
    const found = rows.filter(({ vehicle, t }) => {
      const kind = changes.get(`${vehicle} ${t}`);
      if (kind === "opened") open.add(vehicle);
      if (kind === "cleared") open.delete(vehicle);
      return open.has(vehicle);
    });
    assertEquals(found, rows.filter(({ event }) => event !== null));
    assertEquals(found.length, 128);
  },
});
