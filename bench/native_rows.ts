/** The kernel against native Rust: bytes to anomalies, and the rules alone. */
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { holdAgainstReference, kernelSide, type RowOptions, rowWorkload } from "./engine_rows.ts";
import { compare, type Ratio } from "./measure.ts";
import { NativeChild } from "./native_child.ts";
import { rulesSide } from "./timed_engine.ts";
import type { Workload } from "./workload.ts";

/** One workload against Rust. */
export interface NativeRow {
  readonly transitions: number;
  readonly workload: Workload;
  /** Samples of the timed part. */
  readonly samples: number;
  readonly ratio: Ratio;
}

/**
 * Measures one workload.
 *
 * @param what "run": from bytes to transitions; "rules": over columns that have been read
 * @throws {Error} if the two do not give the same transitions: then there is no figure
 */
export async function nativeRow(
  ruleSet: RuleSet,
  what: "run" | "rules",
  options: RowOptions,
  now: () => number,
): Promise<NativeRow> {
  holdAgainstReference(ruleSet, options);
  const workload = rowWorkload(options);
  await using child = await NativeChild.start(ruleSet, workload);
  const transitions = await gate(ruleSet, workload, child);
  const kernel = what === "run"
    ? kernelSide(ruleSet, workload, now)
    : rulesSide(ruleSet, workload.batches, now);
  const ratio = await compare(kernel, child.side(what));
  return { transitions, workload, samples: options.samples, ratio };
}

async function gate(ruleSet: RuleSet, workload: Workload, child: NativeChild): Promise<number> {
  const text = new TextDecoder();
  const kernel = createEngine(ruleSet, { partition: 0 });
  const ours = workload.batches.flatMap((batch) =>
    kernel.push(batch).anomalies.map(({ value }) => text.decode(value))
  );
  const { transitions: theirs, refused } = await child.check();
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] === theirs[i]) continue;
    throw new Error(
      `Cannot time engines that differ: transition ${i}\n` +
        `kernel: ${ours[i] ?? "nothing"}\nRust:   ${theirs[i] ?? "nothing"}`,
    );
  }
  if (refused !== kernel.counts().refused) {
    throw new Error(
      `Cannot time engines that differ: the kernel refused ${kernel.counts().refused}, ` +
        `Rust ${refused}`,
    );
  }
  return ours.length;
}
