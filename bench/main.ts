/** `deno task bench`: every figure that the documents name, with what it was measured on. */
import { cpus } from "node:os";
import { readCatalog, readRules } from "../commands/files.ts";
import { say, writeData } from "../commands/output.ts";
import { busRow } from "./bus_rows.ts";
import { type EngineRow, engineRow } from "./engine_rows.ts";
import { AA_BOUNDS, ROUNDS } from "./measure.ts";

const SAMPLES = Number(Deno.env.get("KILTER_BENCH_SAMPLES") ?? 100_000);
const BUS_SAMPLES = SAMPLES * 10;
const TRIES = 4;
const now = () => performance.now();

/** Runs all rows; the exit code is 1 if a row could not be measured. */
async function main(): Promise<number> {
  const catalog = readCatalog("");
  const ruleSet = readRules("", catalog);
  const { deno, v8 } = Deno.version;
  print(
    `machine: ${
      cpus()[0]?.model ?? Deno.build.arch
    }, ${navigator.hardwareConcurrency} cores; Deno ${deno}, V8 ${v8}`,
  );
  print(`rules: ${ruleSet.rules.length} shipped ones, version ${ruleSet.version}`);
  print("");
  print(`Bytes to anomalies against idiomatic TypeScript over JSON.parse, record by record`);
  print(`(${SAMPLES} samples, 10,000 vehicles, ${ROUNDS} rounds of A B B A, equal transitions)`);
  let failed = 0;
  for (const hostile of [false, true]) {
    for (const fireRate of [0.001, 0.05]) {
      const aim = hostile ? 4 : 2.5;
      try {
        const row = steadyRow(() =>
          engineRow(ruleSet, { hostile, fireRate, samples: SAMPLES, aim, seed: 1 }, now)
        );
        const { ratio, transitions, workload } = row;
        const size = Math.round(workload.bytes / workload.samples);
        if (isNoisy(row)) {
          failed++;
          print(
            `  ${row.name.padEnd(21)} void: the machine is too noisy, A/A ${ratio.aa.toFixed(3)}`,
          );
          continue;
        }
        print(
          `  ${row.name.padEnd(21)} ${ratio.median.toFixed(2)} times (${ratio.least.toFixed(2)}-` +
            `${ratio.most.toFixed(2)}, aim ${aim}); kernel ${perSecond(SAMPLES, ratio.aMs)}, ` +
            `TypeScript ${perSecond(SAMPLES, ratio.bMs)} samples/s; ${size} bytes a sample, ` +
            `${transitions} transitions, A/A ${ratio.aa.toFixed(3)}`,
        );
      } catch (error) {
        failed++;
        say(error instanceof Error ? error.message : String(error));
      }
    }
  }
  print("");
  print(`Embedded bus, fsync always, analysis in a Worker: published, evaluated, committed`);
  for (let round = 0; round < 3; round++) {
    const row = await busRow(ruleSet, BUS_SAMPLES, now);
    print(
      `  ${perSecond(row.samples, row.totalSeconds * 1000)} samples/s end to end ` +
        `(aim 300,000), ${perSecond(row.samples, row.publishSeconds * 1000)} while publishing; ` +
        `${row.samples} samples, ${row.transitions} transitions`,
    );
  }
  const { rss } = Deno.memoryUsage();
  print(`peak so far: ${Math.round(rss / 1e6)} MB resident`);
  return failed === 0 ? 0 : 1;
}

/** Measures until the machine was quiet enough, at most `TRIES` times. */
function steadyRow(measure: () => EngineRow): EngineRow {
  let row = measure();
  for (let tries = 1; tries < TRIES && isNoisy(row); tries++) row = measure();
  return row;
}

function isNoisy({ ratio }: EngineRow): boolean {
  return ratio.aa < AA_BOUNDS[0] || ratio.aa > AA_BOUNDS[1];
}

function print(line: string): void {
  writeData(`${line}\n`);
}

function perSecond(samples: number, ms: number): string {
  return Math.round(samples / ms * 1000).toLocaleString("en");
}

Deno.exit(await main());
