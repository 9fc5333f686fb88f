/** Costs of the rules in force, measured when somebody asks, over what the fleet sends then. */
import type { RuleCost } from "../contract/views.ts";
import type { Batch } from "../bus/port.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { measureRuleCosts } from "../rules-wasm/rule_cost.ts";

/** Records that are measured over. */
const RECORDS = 4_000;
/** Bytes of them at most. */
const BYTES_MAX = 2 ** 21;
/** Fewer do when the fleet sends no more within this time, milliseconds. */
const GATHER_MS_MAX = 10_000;
/** Measurements younger than this are not made again, milliseconds. */
const FRESH_MS = 10 * 60_000;

/** Between two steps of measuring others have this long for themselves, milliseconds. */
const PAUSE_MS = 40;

/** What the costs are made with. */
export interface RuleCostOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told why measuring failed. */
  readonly failed: (error: unknown) => void;
  readonly measure?: typeof measureRuleCosts;
}

/** Gathers records and measures; costs nothing while nobody asks. */
export class RuleCosts {
  readonly #options: RuleCostOptions;
  #costs: ReadonlyMap<string, RuleCost> = new Map();
  #version = "";
  #measuredAt = -Infinity;
  /** What is being gathered or measured; null while neither. */
  #wanted: { readonly ruleSet: RuleSet; readonly since: number; busy: boolean } | null = null;
  #parts: Batch[] = [];
  #records = 0;
  #bytes = 0;

  constructor(options: RuleCostOptions) {
    this.#options = options;
  }

  /** Costs by rule of this rule set; empty until they are known, which asking sets going. */
  of(ruleSet: RuleSet): ReadonlyMap<string, RuleCost> {
    const now = this.#options.now();
    const isKnown = this.#version === ruleSet.version;
    if (this.#wanted === null && !(isKnown && now - this.#measuredAt < FRESH_MS)) {
      this.#wanted = { ruleSet, since: now, busy: false };
    }
    return isKnown ? this.#costs : new Map();
  }

  /** Takes note of a batch of telemetry; copies it while records are gathered. */
  take(batch: Batch): void {
    const wanted = this.#wanted;
    if (wanted === null || wanted.busy) return;
    if (this.#bytes + batch.values.length <= BYTES_MAX) {
      const { values, valueEnds, appendTimes } = batch;
      this.#parts.push({
        ...batch,
        values: values.slice(),
        valueEnds: valueEnds.slice(),
        appendTimes: appendTimes.slice(),
      });
      this.#records += batch.count;
      this.#bytes += values.length;
    }
    const isLong = this.#options.now() - wanted.since > GATHER_MS_MAX;
    if (this.#records < RECORDS && this.#bytes < BYTES_MAX / 2 && !isLong) return;
    wanted.busy = true;
    const input = joined(this.#parts);
    this.#parts = [];
    this.#records = 0;
    this.#bytes = 0;
    this.#measure(wanted.ruleSet, input).catch(this.#options.failed).finally(() => {
      this.#wanted = null;
    });
  }

  async #measure(ruleSet: RuleSet, input: EngineInput): Promise<void> {
    const { measure = measureRuleCosts, now } = this.#options;
    this.#costs = await measure(ruleSet, input, {
      clock: () => performance.now(),
      pause: () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
    });
    this.#version = ruleSet.version;
    this.#measuredAt = now();
  }
}

/** Batches one after another, as if they were one: to the engine it is all one partition. */
function joined(parts: readonly Batch[]): EngineInput {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const bytes = parts.reduce((sum, part) => sum + part.values.length, 0);
  const values = new Uint8Array(bytes);
  const valueEnds = new Uint32Array(count);
  const appendTimes = new Float64Array(count);
  const offsets = Float64Array.from({ length: count }, (_, k) => k);
  let row = 0;
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    for (let k = 0; k < part.count; k++, row++) {
      valueEnds[row] = at + part.valueEnds[k];
      appendTimes[row] = part.appendTimes[k];
    }
    at += part.values.length;
  }
  return { count, values, valueEnds, appendTimes, offsets };
}
