/** Rules on their way into force: an engine of their own takes in the last telemetry, aside. */
import type { Bus, Lease } from "../bus/port.ts";
import type { Engine } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { elapsed } from "./elapsed.ts";

/** A change of rules that is being prepared. */
export class Warming {
  /** Offset behind what the engine aside has taken in. */
  #at: number;
  /** Records taken in aside, and the time that took, milliseconds. */
  records = 0;
  tookMs = 0;

  /**
   * @param engine of the new rules; null where nothing of their state is new
   * @param from offset at which it begins
   */
  constructor(
    readonly ruleSet: RuleSet,
    readonly engine: Engine | null,
    readonly from: number,
  ) {
    this.#at = from;
  }

  /**
   * Takes telemetry in until `until` or until the time is up.
   *
   * @param now clock, milliseconds
   * @returns whether it stands at `until`
   */
  async advance(
    { topic, partition }: Lease,
    bus: Bus,
    until: number,
    budgetMs: number,
    now: () => number,
  ): Promise<boolean> {
    if (this.engine === null || this.#at >= until) return true;
    const startedAt = now();
    for await (const batch of bus.range(topic, partition, this.#at, until)) {
      this.engine.push(batch, "warm");
      this.#at = batch.nextOffset;
      this.records += batch.count;
      if (!elapsed(now(), startedAt, budgetMs)) continue;
      this.tookMs += now() - startedAt;
      return this.#at >= until;
    }
    this.tookMs += now() - startedAt;
    // What lies before `until` may be gone, or be no records.
    this.#at = until;
    return true;
  }
}
