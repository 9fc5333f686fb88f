/**
 * Speed of the engine over the shipped rules, from bytes and over columns alone.
 *
 * `deno run --allow-read --allow-env rules-wasm/engine_bench.ts [vehicles] [samples]`
 */
import { loadCatalog } from "./language/catalog_file.ts";
import { loadRules } from "./language/rules_file.ts";
import { Seeded } from "../testing/seeded.ts";
import { createDecoder } from "./decoder.ts";
import { createEngine } from "./engine.ts";
import type { EngineInput, PushMode } from "./engine_port.ts";
import type { RuleSet } from "./language/ast.ts";
import { hashVersion } from "./version.ts";

const VEHICLES = Number(Deno.args[0] ?? 10_000);
const SAMPLES = Number(Deno.args[1] ?? 400_000);
/** Chance of a leap in speed: what makes rules fire. */
const LEAPS = 0.01;
const BATCH = 2_000;
const START_MS = 1_760_000_000_000;

/** The shipped catalog and rules. */
function shippedRules(): RuleSet {
  const read = (name: string) => Deno.readTextFileSync(new URL(name, import.meta.url));
  const catalog = loadCatalog(read("signals.yaml"), { file: "signals.yaml" });
  if (!catalog.ok) throw new Error("Cannot read signals.yaml");
  const rules = loadRules(read("rules.yaml"), {
    file: "rules.yaml",
    catalog: catalog.catalog,
    hash: hashVersion,
  });
  if (!rules.ok) throw new Error("Cannot read rules.yaml");
  return rules.rules;
}

/**
 * Batches of plain samples of 14 signals, about 200 bytes each, 17-character ids, vehicles in
 * random order; speeds walk, and now and then leap.
 */
function batches(random: Seeded): EngineInput[] {
  const text = new TextEncoder();
  const made: EngineInput[] = [];
  const speeds = Float64Array.from({ length: VEHICLES }, () => random.between(30, 110));
  for (let at = 0; at < SAMPLES; at += BATCH) {
    const records = Array.from({ length: BATCH }, (_, i) => {
      const vehicle = random.below(VEHICLES);
      const step = random.chance(LEAPS) ? 60 : 4;
      const walked = speeds[vehicle] + random.between(-step, step);
      speeds[vehicle] = Math.min(126, Math.max(20, walked));
      const t = START_MS + Math.floor((at + i) * 1000 / VEHICLES);
      const number = (low: number, high: number) => random.between(low, high).toFixed(1);
      return text.encode(
        `{"vehicle":"VH-${String(vehicle).padStart(14, "0")}","ts":${t},` +
          `"lat":${number(50, 60)}3,"lon":${number(10, 20)}7,` +
          `"speed":${speeds[vehicle].toFixed(1)},"rpm":${random.below(3000) + 800},` +
          `"coolant":${number(88, 92)},"fuel":${number(60, 62)},"battery":${number(13, 14)},` +
          `"throttle":${random.below(80)},"engine_load":${random.below(90)},` +
          `"vibration":${number(0, 1)},"heading":${random.below(360)},"odometer":${
            random.below(200_000)
          }}`,
      );
    });
    const valueEnds = new Uint32Array(BATCH);
    let end = 0;
    records.forEach((bytes, i) => valueEnds[i] = end += bytes.length);
    const values = new Uint8Array(end);
    records.forEach((bytes, i) => values.set(bytes, valueEnds[i] - bytes.length));
    made.push({
      count: BATCH,
      values,
      valueEnds,
      appendTimes: Float64Array.from(
        records,
        (_, i) => START_MS + Math.floor((at + i) * 1000 / VEHICLES),
      ),
      offsets: Float64Array.from(records, (_, i) => at + i),
    });
  }
  return made;
}

/** Nanoseconds a sample that `work` takes over the batches; the best of five rounds. */
function timed(input: readonly EngineInput[], make: () => (batch: EngineInput) => void): number {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const work = make();
    const start = performance.now();
    for (const batch of input) work(batch);
    best = Math.min(best, performance.now() - start);
  }
  return best * 1e6 / SAMPLES;
}

if (import.meta.main) {
  const ruleSet = shippedRules();
  const input = batches(new Seeded(1));
  const bytes = input.reduce((sum, batch) => sum + batch.values.length, 0);
  let told = "";
  const measured = (mode: PushMode): number =>
    timed(input, () => {
      const engine = createEngine(ruleSet, { partition: 0 });
      let anomalies = 0;
      return (batch) => {
        anomalies += engine.push(batch, mode).anomalies.length;
        if (mode === "suppress") return;
        told = `${anomalies} transitions, ${engine.vehicles()} vehicles, ` +
          `${engine.bytesPerVehicle()} bytes a vehicle, ${engine.stateBytes()} in all`;
      };
    });
  const engineNs = measured("live");
  const quietNs = measured("suppress");
  const scanNs = timed(input, () => {
    const decoder = createDecoder(ruleSet.catalog, {
      maxVehicles: ruleSet.settings.maxVehicles,
      maxClockAheadMs: ruleSet.settings.maxClockAheadMs,
    });
    return (batch) => decoder.decode(batch, { rows: () => {}, refused: () => {} });
  });
  const lines = [
    `${ruleSet.rules.length} rules, ${SAMPLES} samples of ${Math.round(bytes / SAMPLES)} bytes`,
    told,
    `bytes to anomalies: ${engineNs.toFixed(0)} ns a sample`,
    `of these reading:   ${scanNs.toFixed(0)} ns (all ${ruleSet.catalog.signals.length} signals)`,
    `rules and state:    ${(quietNs - scanNs).toFixed(0)} ns, ` +
    `${((quietNs - scanNs) / ruleSet.rules.length).toFixed(1)} ns a rule`,
    `writing anomalies:  ${(engineNs - quietNs).toFixed(0)} ns`,
  ];
  await Deno.stdout.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
}
