/** What runs on a machine of the simulation: the analysis as it ships, over simulated surroundings. */
import { createHash } from "node:crypto";
import { runAnalysis } from "../../analysis/agent.ts";
import type { Platform } from "../../analysis/platform.ts";
import { RuleFeed } from "../../commands/rule_feed.ts";
import type { AgentContext } from "../../contract/agent.ts";
import type { OperationalEvent } from "../../contract/events.ts";
import { TOPICS } from "../../contract/topics.ts";
import { createEngine } from "../../rules-wasm/engine.ts";
import type { Process } from "./process.ts";
import { compileOnce } from "./rules.ts";
import type { Scenario } from "./scenario.ts";
import type { SimBus } from "./sim_bus.ts";

/** What a run tells. */
export interface RunListener {
  readonly events: (event: OperationalEvent) => void;
}

/** Runs the analysis agent as the program composes it, until the signal aborts. */
export async function runMachine(
  process: Process,
  bus: SimBus,
  scenario: Scenario,
  signal: AbortSignal,
  listener: RunListener,
): Promise<void> {
  const context: AgentContext = {
    signal,
    now: () => process.now(),
    ready: () => {},
    beat: () => {},
    untilResumed: () => {
      const left = process.machine.heldUntil - process.world.now;
      return left > 0 ? process.sleep(left, signal) : Promise.resolve();
    },
    events: (event) => {
      process.world.note(`${process.name} ${event.name}`);
      listener.events(event);
    },
  };
  try {
    const now = () => process.now();
    const rules = await RuleFeed.open(bus, TOPICS.rules, now, compileOnce);
    const inner = new AbortController();
    const either = AbortSignal.any([signal, inner.signal]);
    const following = rules.follow(either).catch((error: unknown) => inner.abort(error));
    try {
      await runAnalysis({ ...context, signal: either }, {
        bus,
        topics: TOPICS,
        rules,
        createEngine,
        checkpointMs: scenario.checkpointMs,
        platform: platformOf(process, scenario.large),
      });
      if (inner.signal.aborted) throw inner.signal.reason;
    } finally {
      inner.abort();
      await following;
    }
  } finally {
    await bus.close();
  }
}

const PREFIX_BYTES = 4;
/** So much is put behind a large checkpoint: it takes two records then, or three. */
const PADDING_BYTES = 1_000_000;

/** What `compress` was given. */
export function unpacked(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return new Uint8Array(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
}

/** Timers and work on other threads, which take simulated time. */
function platformOf(process: Process, large: boolean): Platform {
  const work = () => process.sleep(process.world.random.next() * process.conditions.latencyMs);
  return {
    every(ms, run) {
      let over = false;
      const again = () =>
        process.after(ms, `${process.name} timer`, () => {
          if (over) return;
          run();
          again();
        });
      again();
      return () => over = true;
    },
    turn: () => process.sleep(0),
    codec: {
      async compress(bytes) {
        const padding = large ? PADDING_BYTES * (1 + process.world.random.below(2)) : 0;
        await work();
        const packed = new Uint8Array(PREFIX_BYTES + bytes.length + padding);
        new DataView(packed.buffer).setUint32(0, bytes.length);
        packed.set(bytes, PREFIX_BYTES);
        return packed;
      },
      async decompress(bytes) {
        await work();
        return unpacked(bytes);
      },
      async digest(bytes) {
        await work();
        return createHash("sha256").update(bytes).digest("hex");
      },
    },
  };
}
