/** Lets a busy loop beat and be interrupted: long synchronous work otherwise starves its thread. */
import type { AgentContext } from "../contract/agent.ts";
import { elapsed } from "./elapsed.ts";
import { type Platform, REAL_PLATFORM } from "./platform.ts";

/** Longest stretch without a turn of the event loop, milliseconds. */
const TURN_MS = 20;
/** Time between beats, milliseconds. */
const BEAT_MS = 250;

/** The pulse of one agent; every loop of it calls `turn` once per batch. */
export class Pulse {
  #turnedAt: number;
  #beatAt = -Infinity;

  /**
   * @param context whose clock is read and whose beats are sent
   * @param figures metrics and version of the moment
   */
  constructor(
    readonly context: AgentContext,
    readonly figures: () => { metrics: Record<string, number>; version: string },
    readonly platform: Pick<Platform, "turn"> = REAL_PLATFORM,
  ) {
    this.#turnedAt = context.now();
  }

  /** Beats if it is time, and gives way to other events if this loop has run for long. */
  async turn(): Promise<void> {
    const now = this.context.now();
    if (elapsed(now, this.#beatAt, BEAT_MS)) {
      this.#beatAt = now;
      const { metrics, version } = this.figures();
      this.context.beat(metrics, version);
    }
    if (elapsed(now, this.#turnedAt, TURN_MS)) {
      await this.platform.turn();
      this.#turnedAt = this.context.now();
    }
  }
}
