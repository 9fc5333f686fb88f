/** Bytes to anomalies: the kernel against a peer that has the same rules. */
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { createReferenceEngine } from "../rules-wasm/reference/engine.ts";
import { compare, inProcess, type Ratio, type Side } from "./measure.ts";
import { makeWorkload, type Workload, type WorkloadOptions } from "./workload.ts";

/** What evaluates a rule set in this process, to be held against the kernel. */
export interface Peer {
  /** Takes a batch in; returns its transitions as JSON texts, valid until the next call. */
  push(batch: EngineInput): readonly string[];
  /** Records that were no samples. */
  readonly refused: number;
}

/** One row of the report. */
export interface EngineRow {
  readonly workload: Workload;
  readonly transitions: number;
  /** Samples of the timed part. */
  readonly samples: number;
  readonly bytesPerVehicle: number;
  readonly ratio: Ratio;
}

/** Vehicles of the rows that compare engines. */
export const VEHICLES = 10_000;
const BATCH_RECORDS = 1_000;
/** The reference is a thousand times slower: it is asked about this many samples. */
const REFERENCE_SAMPLES = 5_000;
const REFERENCE_VEHICLES = 250;

/** What is asked of the workload of a row. */
export interface RowOptions
  extends Pick<WorkloadOptions, "hostile" | "fireRate" | "episodeSamples" | "intervalMs"> {
  /** Samples of the timed part; as many come before it. */
  readonly samples: number;
}

/**
 * Measures one workload.
 *
 * @throws {Error} if the two do not give the same transitions: then there is no figure
 */
export async function engineRow(
  ruleSet: RuleSet,
  makePeer: () => Peer,
  options: RowOptions,
  now: () => number,
): Promise<EngineRow> {
  holdAgainstReference(ruleSet, options);
  const workload = rowWorkload(options);
  const { transitions, bytesPerVehicle } = gate(ruleSet, workload, makePeer());
  const peer = halves("peer", workload, () => {
    const engine = makePeer();
    return (batch) => engine.push(batch);
  }, now);
  const ratio = await compare(kernelSide(ruleSet, workload, now), peer);
  return { workload, transitions, samples: options.samples, bytesPerVehicle, ratio };
}

/** The workload of a row: twice its samples, so that the first half warms up. */
export function rowWorkload(options: RowOptions): Workload {
  return makeWorkload({
    ...options,
    seed: 1,
    samples: options.samples * 2,
    vehicles: VEHICLES,
    batchRecords: BATCH_RECORDS,
  });
}

/** The kernel as a side, from bytes to transitions. */
export function kernelSide(ruleSet: RuleSet, workload: Workload, now: () => number): Side {
  return halves("kernel", workload, () => {
    const engine = createEngine(ruleSet, { partition: 0 });
    return (batch) => engine.push(batch);
  }, now);
}

/** The first half makes the vehicles known and warms up; the second is timed. */
function halves(
  name: string,
  { batches }: Workload,
  make: () => (batch: EngineInput) => void,
  now: () => number,
): Side {
  const half = batches.length >> 1;
  const first = batches.slice(0, half);
  const second = batches.slice(half);
  return inProcess(name, () => {
    const push = make();
    for (const batch of first) push(batch);
    return () => {
      for (const batch of second) push(batch);
    };
  }, now);
}

/**
 * Holds the kernel against the reference over a shorter log of the same kind.
 *
 * @throws {Error} at the first transition in which they differ
 */
export function holdAgainstReference(ruleSet: RuleSet, options: RowOptions): void {
  const workload = makeWorkload({
    ...options,
    seed: 2,
    samples: REFERENCE_SAMPLES,
    vehicles: REFERENCE_VEHICLES,
    batchRecords: BATCH_RECORDS,
  });
  const text = new TextDecoder();
  const reference = createReferenceEngine(ruleSet, { partition: 0 });
  gate(ruleSet, workload, {
    push: (batch) => reference.push(batch).anomalies.map(({ value }) => text.decode(value)),
    get refused() {
      return reference.counts().refused;
    },
  });
}

/** Runs both over the workload and holds every transition of one against the other's. */
function gate(
  ruleSet: RuleSet,
  workload: Workload,
  peer: Peer,
): { readonly transitions: number; readonly bytesPerVehicle: number } {
  const text = new TextDecoder();
  const kernel = createEngine(ruleSet, { partition: 0 });
  let transitions = 0;
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
    transitions += ours.length;
  });
  const { refused } = kernel.counts();
  if (refused !== peer.refused) {
    throw new Error(
      `Cannot time engines that differ: the kernel refused ${refused}, the peer ${peer.refused}`,
    );
  }
  return { transitions, bytesPerVehicle: kernel.stateBytes() / kernel.vehicles() };
}
