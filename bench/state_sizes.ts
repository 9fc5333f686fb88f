/** What a vehicle's state takes, and what any exact engine would have to keep of it. */
import * as K from "../rules-wasm/assembly/plan_layout.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { compilePlan } from "../rules-wasm/plan.ts";
import type { Instruction } from "../rules-wasm/plan_code.ts";
import { makeWorkload } from "./workload.ts";

/** Bytes of a vehicle that is heard once in `INTERVAL_MS`, its windows full. */
export interface StateSizes {
  /** A vehicle's fixed block, and its rings. */
  readonly bytes: number;
  /** The values that the definition names, in as few bytes as the kernel packs any value into. */
  readonly leastBytes: number;
}

const INTERVAL_MS = 1_000;
/** Longer than the longest window of the rules. */
const INTERVALS = 180;
const VEHICLES = 1_000;

/** The shortest form of a value (assembly/packed.ts). */
const VALUE_BYTES = 2;
/** What cannot be told by few digits: means, spreads. */
const DOUBLE_BYTES = 8;
/** A time of whole milliseconds, 2^48 of them. */
const TIME_BYTES = 6;

/** Measures a rule set's state, and sums up the least of it. */
export function stateSizes(ruleSet: RuleSet): StateSizes {
  const engine = createEngine(ruleSet, { partition: 0 });
  const { batches } = makeWorkload({
    seed: 5,
    samples: VEHICLES * INTERVALS,
    vehicles: VEHICLES,
    hostile: false,
    fireRate: 0,
    intervalMs: INTERVAL_MS,
    batchRecords: 1_000,
  });
  for (const batch of batches) engine.push(batch, "suppress");
  const { code, signals } = compilePlan(ruleSet);
  return {
    bytes: engine.bytesPerVehicle(),
    leastBytes: TIME_BYTES + VALUE_BYTES * signals.length +
      code.reduce((sum, each) => sum + leastOf(each), 0),
  };
}

/** No head, no address, no count of places: the numbers alone, once each. */
function leastOf({ op, b, c, flags, k0 }: Instruction): number {
  // Of the last d no more slots or panes are filled than samples have come.
  const filled = Math.min(c, Math.ceil(k0 / INTERVAL_MS));
  switch (op) {
    case K.OP_SLOTS:
      return filled * (VALUE_BYTES + (flags & K.SLOTS_TIME_BYTES));
    case K.OP_WINDOW:
      return windowBytes(b, filled);
    case K.OP_WEIGHTED:
      return flags === 0 ? DOUBLE_BYTES : 2 * DOUBLE_BYTES;
    case K.OP_PREV:
      return VALUE_BYTES;
    case K.OP_HELD:
      return 2 * TIME_BYTES;
    case K.OP_RECENT:
    case K.OP_AGE:
      return TIME_BYTES;
    default:
      return 0;
  }
}

/** A count of one byte for each pane and what else it needs; of extremes one pane at least. */
function windowBytes(kind: number, panes: number): number {
  switch (kind) {
    case K.WINDOW_TOTAL:
      return panes * (1 + VALUE_BYTES);
    case K.WINDOW_SPREAD:
      return panes * (1 + VALUE_BYTES + DOUBLE_BYTES);
    case K.WINDOW_COUNT:
      return panes;
    default:
      return 1 + VALUE_BYTES;
  }
}
