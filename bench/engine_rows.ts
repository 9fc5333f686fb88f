/** Bytes to anomalies: the kernel against idiomatic TypeScript over `JSON.parse`, same rules. */
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { compare, type Ratio, type Side } from "./measure.ts";
import { TypeScriptPeer } from "./peer_typescript.ts";
import { makeWorkload, type Workload } from "./workload.ts";

/** One row of the report. */
export interface EngineRow {
  readonly name: string;
  readonly aim: number;
  readonly workload: Workload;
  readonly transitions: number;
  readonly ratio: Ratio;
}

const VEHICLES = 10_000;
const BATCH_RECORDS = 1_000;

/**
 * Measures one workload.
 *
 * @throws {Error} if the two do not give the same transitions: then there is no figure
 */
export function engineRow(
  ruleSet: RuleSet,
  options: {
    readonly hostile: boolean;
    readonly fireRate: number;
    readonly samples: number;
    readonly aim: number;
    readonly seed: number;
  },
  now: () => number,
): EngineRow {
  const samples = options.samples * 2;
  const workload = makeWorkload({
    ...options,
    samples,
    vehicles: VEHICLES,
    batchRecords: BATCH_RECORDS,
  });
  const transitions = gate(ruleSet, workload);
  // The first half makes the vehicles known and warms both up; the second is timed.
  const half = workload.batches.length >> 1;
  const first = workload.batches.slice(0, half);
  const second = workload.batches.slice(half);
  const side = (name: string, make: () => (batch: EngineInput) => void): Side => ({
    name,
    prepare: () => {
      const push = make();
      for (const batch of first) push(batch);
      return () => {
        for (const batch of second) push(batch);
      };
    },
  });
  const kernel = side("kernel", () => {
    const engine = createEngine(ruleSet, { partition: 0 });
    return (batch) => engine.push(batch);
  });
  const peer = side("TypeScript over JSON.parse", () => {
    const engine = new TypeScriptPeer(ruleSet);
    return (batch) => engine.push(batch);
  });
  const kind = options.hostile ? "hostile" : "easy";
  const name = `${kind}, ${options.fireRate * 100} % firing`;
  return { name, aim: options.aim, workload, transitions, ratio: compare(kernel, peer, now) };
}

/** Runs both over the workload and holds every transition of one against the other's. */
function gate(ruleSet: RuleSet, workload: Workload): number {
  const text = new TextDecoder();
  const kernel = createEngine(ruleSet, { partition: 0 });
  const peer = new TypeScriptPeer(ruleSet);
  let count = 0;
  workload.batches.forEach((batch, b) => {
    const ours = kernel.push(batch).anomalies.map(({ value }) => text.decode(value));
    const theirs = peer.push(batch);
    for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
      if (ours[i] === theirs[i]) continue;
      throw new Error(
        `Cannot time engines that differ: batch ${b}, transition ${i}\n` +
          `kernel: ${ours[i] ?? "nothing"}\npeer:   ${theirs[i] ?? "nothing"}`,
      );
    }
    count += ours.length;
  });
  const { refused } = kernel.counts();
  if (refused !== peer.refused) {
    throw new Error(
      `Cannot time engines that differ: the kernel refused ${refused}, the peer ${peer.refused}`,
    );
  }
  return count;
}
