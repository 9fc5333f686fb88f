/**
 * `deno task bench [--only NAME,…]`: every figure that the documents name, with what it was
 * measured on. Names: shipped, twenty, native, scaling, operators, state, edit, bus, backlog,
 * scaling-out, backtest.
 */
import { cpus } from "node:os";
import { readCatalog, readRules } from "../commands/files.ts";
import { say } from "../commands/output.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { backtestSection } from "./backtest_section.ts";
import { backlogSection, busSection } from "./bus_section.ts";
import { editFigures } from "./edit_rows.ts";
import { type EngineRow, engineRow, type Peer } from "./engine_rows.ts";
import { ROUNDS } from "./measure.ts";
import { buildNative, NoNativeError } from "./native_child.ts";
import { nativeRow } from "./native_rows.ts";
import { operatorRows } from "./operator_rows.ts";
import { HandWrittenPeer } from "./peer_20.ts";
import { TypeScriptPeer } from "./peer_typescript.ts";
import { peakMegabytes, perSecond, print, rates, steadyRow, times } from "./report.ts";
import { RULES_20 } from "./rule_sets.ts";
import { fixedShare, ruleScaling, type ScalingRow, vehicleScaling } from "./scaling_rows.ts";
import { startBroker } from "../e2e/broker.ts";
import { scalingOutRow } from "./scaling_out_rows.ts";
import { stateFigures } from "./state_rows.ts";
import { stateSizes } from "./state_sizes.ts";

const SAMPLES = Number(Deno.env.get("KILTER_BENCH_SAMPLES") ?? 50_000);
/** Samples of the bus row for each of the others'. */
const BUS_FACTOR = 20;
const now = () => performance.now();

const catalog = readCatalog("");
const shipped = readRules("", catalog);
const twenty = readRules(RULES_20, catalog);

/** What the twenty rules' workload is like: trouble lasts, and windows of a minute fill. */
const EPISODES = { episodeSamples: 4, intervalMs: 10_000 };
/** Inputs that engines are compared on. */
const INPUTS = [false, true].flatMap((hostile) =>
  [0.001, 0.05].map((fireRate) => ({
    hostile,
    fireRate,
    name: `${hostile ? "hostile" : "easy"}, ${fireRate * 100} % firing`.padEnd(21),
  }))
);

/** The parts of the report by name; each gives the number of rows that failed. */
const SECTIONS: Readonly<Record<string, () => Promise<number>>> = {
  shipped: () =>
    engineRows(
      `Bytes to anomalies against idiomatic TypeScript over JSON.parse: ` +
        `the ${shipped.rules.length} rules shipped`,
      shipped,
      () => new TypeScriptPeer(shipped),
      {},
      (hostile) => hostile ? "4" : "2.5",
    ),
  twenty: () =>
    engineRows(
      "The same with 20 stateful rules, against TypeScript written by hand to them",
      twenty,
      () => new HandWrittenPeer(twenty),
      EPISODES,
      (hostile) => hostile ? "7" : "",
    ),
  native,
  scaling,
  operators,
  state,
  edit,
  bus: () => busSection(SAMPLES * BUS_FACTOR, now),
  backlog: () => backlogSection(now),
  "scaling-out": scalingOut,
  backtest: () => backtestSection(shipped, now),
};

/** Runs the sections asked for; the exit code is 1 if a row could not be measured. */
async function main(args: readonly string[]): Promise<number> {
  const only = args[0] === "--only" && args.length === 2 ? args[1].split(",") : null;
  const wanted = only ?? Object.keys(SECTIONS);
  if (args.length > 0 && only === null || wanted.some((name) => !(name in SECTIONS))) {
    say(`Usage: deno task bench [--only ${Object.keys(SECTIONS).join(",")}]`);
    return 2;
  }
  const { deno, v8 } = Deno.version;
  const model = cpus()[0]?.model ?? Deno.build.arch;
  print(`machine: ${model}, ${navigator.hardwareConcurrency} cores; Deno ${deno}, V8 ${v8}`);
  let failed = 0;
  for (const name of wanted) {
    print();
    failed += await SECTIONS[name]();
  }
  print();
  print(`peak memory of this process: ${peakMegabytes()} MB resident`);
  return failed === 0 ? 0 : 1;
}

async function engineRows(
  title: string,
  ruleSet: RuleSet,
  makePeer: () => Peer,
  options: { readonly episodeSamples?: number; readonly intervalMs?: number },
  aim: (hostile: boolean) => string,
): Promise<number> {
  print(title);
  print(`(${SAMPLES} samples, 10,000 vehicles, ${ROUNDS} rounds of A B B A, equal transitions)`);
  let failed = 0;
  for (const { name, hostile, fireRate } of INPUTS) {
    const wanted = { hostile, fireRate, samples: SAMPLES, ...options };
    const told = await steadyRow(
      name,
      () => engineRow(ruleSet, makePeer, wanted, now),
      ({ ratio }) => ratio,
      (row) => engineText(row, aim(hostile)),
    );
    if (!told) failed++;
  }
  return failed;
}

function engineText(row: EngineRow, aim: string): string {
  const { ratio, workload, samples } = row;
  return `${times(ratio, aim)}; ${rates("kernel", samples, ratio.a)}, ` +
    `${rates("TypeScript", samples, ratio.b)}; ` +
    `${Math.round(workload.bytes / workload.samples)} bytes a sample, ` +
    `${row.transitions} transitions of ${workload.samples} samples, ` +
    `${Math.round(row.bytesPerVehicle)} bytes of state a vehicle ` +
    `(${Math.round(1e6 / row.bytesPerVehicle)} vehicles a MB)`;
}

async function native(): Promise<number> {
  print("The 20 rules against native Rust: sonic-rs, the rules written by hand, one thread");
  let compiler: string;
  try {
    compiler = await buildNative();
  } catch (error) {
    if (!(error instanceof NoNativeError)) throw error;
    print(`  skipped: ${error.message}`);
    return 0;
  }
  print(`(${compiler}, -O3, lto, target-cpu=native; more than 1 time: the kernel is faster)`);
  let failed = 0;
  for (const what of ["run", "rules"] as const) {
    print(what === "run" ? "  bytes to anomalies" : "  the rules alone, over columns");
    const aim = what === "run" ? "0.7" : "0.5";
    for (const { name, hostile, fireRate } of INPUTS) {
      const wanted = { hostile, fireRate, samples: SAMPLES, ...EPISODES };
      const told = await steadyRow(
        `  ${name}`,
        () => nativeRow(twenty, what, wanted, now),
        ({ ratio }) => ratio,
        ({ ratio, samples, transitions, workload }) =>
          `${times(ratio, aim)}; ${rates("kernel", samples, ratio.a)}, ` +
          `${rates("Rust", samples, ratio.b)}; ` +
          `${transitions} transitions of ${workload.samples} samples`,
      );
      if (!told) failed++;
    }
  }
  return failed;
}

async function scaling(): Promise<number> {
  print("Cost of a rule-evaluation by number of rules, of rules alone, 1,000 vehicles");
  print("(copies of the 20 with other limits and durations: they share the signals and prev)");
  let failed = 0;
  for (const size of [100, 300, 1_000]) {
    failed += await scalingRow(
      `${size} rules`,
      () => ruleScaling(twenty, [20, size], now),
      "a rule-evaluation with 20",
      size === 1_000 ? "0.70-1.30" : "",
    );
  }
  print();
  print("A micro-batch of one row against one of 1,000, of rules alone: what interpreting costs");
  print("(all that is paid once a micro-batch, whatever its rows; and that row's own work)");
  for (const size of [20, 1_000]) {
    failed += await scalingRow(
      `${size} rules`,
      () => fixedShare(twenty, size, now),
      "a row of 1,000",
      "",
    );
  }
  print();
  print("Cost of a sample by number of vehicles, bytes to anomalies, the 20 rules, easy");
  for (const size of [10_000, 100_000]) {
    failed += await scalingRow(
      `${size} vehicles`,
      () => vehicleScaling(twenty, [1_000, size], SAMPLES, now),
      "a sample with 1,000",
      size === 100_000 ? "at most 2.5" : "",
    );
  }
  return failed;
}

function state(): Promise<number> {
  const figures = stateFigures(twenty, { vehicles: 10_000, samples: 120_000, seed: 1 }, now);
  const { vehicles, rules, openAnomalies, snapshotBytes } = figures;
  const ms = (name: string, time: number, more = "") =>
    print(`  ${name.padEnd(44)} ${time.toFixed(1).padStart(6)} ms${more}`);
  print(`Changing rules and moving state, ${rules} rules, ${vehicles} vehicles, medians`);
  print(`(${openAnomalies} anomalies open)`);
  ms("swap without new state", figures.swapMs, " (aim 10)");
  ms("swap that moves the state to a fresh kernel", figures.swapMovedMs);
  ms("snapshot", figures.snapshotMs, `, ${Math.round(snapshotBytes / vehicles)} bytes a vehicle`);
  ms("restore", figures.restoreMs);
  const { bytes, leastBytes } = stateSizes(twenty);
  const size = (name: string, of: number, more = "") =>
    print(
      `  ${name.padEnd(44)} ${Math.round(of)} bytes a vehicle, ` +
        `${Math.round(1e6 / of)} vehicles a MB${more}`,
    );
  size("state, a sample a second, windows full", bytes, " (aim 2,000)");
  size("of that the values by definition, packed", leastBytes, ", were there nothing else");
  return Promise.resolve(0);
}

async function edit(): Promise<number> {
  const { partitions, rules, first, all, warmedMs, warmedRecords } = await editFigures();
  const middle = (of: readonly number[]) => of[of.length >> 1];
  const row = (name: string, of: readonly number[], more = "") =>
    print(`  ${name.padEnd(44)} ${middle(of)} ms (${of[0]}-${of[of.length - 1]})${more}`);
  print(`From the save of rules.yaml until a record is judged by it: ${rules} rules, embedded bus`);
  row("a message, first partition", first, " (aim 10)");
  row(`a message, all ${partitions} partitions`, all);
  print(`  a limit, all partitions: ${warmedMs} ms, ${warmedRecords} records taken in aside first`);
  return 0;
}

async function scalingRow(
  name: string,
  measure: () => Promise<ScalingRow>,
  least: string,
  aim: string,
): Promise<number> {
  const told = await steadyRow(
    name.padEnd(16),
    measure,
    ({ ratio }) => ratio,
    ({ ratio, ns, leastNs }) =>
      `${times(ratio, aim)}; ${ns.toFixed(1)} ns, ${leastNs.toFixed(1)} ns ${least}`,
  );
  return told ? 0 : 1;
}

async function operators(): Promise<number> {
  print("Cost of each function and key, nanoseconds a row and rule (least-greatest), rules alone");
  for await (const { name, ns } of operatorRows(catalog, now)) {
    print(
      `  ${name.padEnd(44)} ${ns.median.toFixed(1).padStart(6)} ` +
        `(${ns.least.toFixed(1)}-${ns.most.toFixed(1)})`,
    );
  }
  return 0;
}

async function scalingOut(): Promise<number> {
  const samples = SAMPLES * BUS_FACTOR;
  print(
    "Kafka, `analysis` processes that share 8 partitions of a log that is there, read_committed",
  );
  const outcome = await startBroker();
  if (outcome.kind === "none") {
    print(`  skipped: ${outcome.reason}`);
    return 0;
  }
  try {
    for (const processes of [1, 2, 3]) {
      const row = await scalingOutRow(outcome.broker, processes, samples, now);
      const each = row.ownPerSecond.map((own) => perSecond(own, 1_000)).join(", ");
      const cores = row.ownCores.map((own) => own.toFixed(2)).join(", ");
      print(
        `  ${processes}: ${perSecond(row.perSecond, 1_000)} samples/s together, each ${each}; ` +
          `${perSecond(row.perCpuSecond, 1_000)} samples a CPU-second of theirs; ` +
          `cores in use: each ${cores}, the machine with the broker and all else ` +
          `${row.machineCores.toFixed(2)} of ${navigator.hardwareConcurrency}; ${samples} samples`,
      );
    }
  } finally {
    await outcome.broker.stop();
  }
  return 0;
}

Deno.exit(await main(Deno.args));
