/** What tests of the analysis share: a bus in a folder with a clock to push, and agents over it. */
import { type EmbeddedBus, openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { decodeProgress, type Progress } from "../contract/progress.ts";
import { TOPICS } from "../contract/topics.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { RuleHistory } from "../contract/rule_versions.ts";
import { runAnalysis } from "./agent.ts";

/** Longest wait for anything that must come, milliseconds. */
const WAIT_MS = 20_000;
/** Retention of telemetry; the clock is pushed over it. */
export const RETENTION_MS = 600_000;

const text = new TextEncoder();

/** A bus with one partition of each topic, and the clock that it is given. */
export class Site {
  aheadMs = 0;
  readonly events: OperationalEvent[] = [];
  /** What the agent last beat with. */
  metrics: Readonly<Record<string, number>> = {};
  readonly now = () => Date.now() + this.aheadMs;

  private constructor(readonly dir: string, public bus: EmbeddedBus) {}

  /** Runs `body` over a fresh folder, or over what `fill` puts into it. */
  static async with(
    body: (site: Site) => Promise<void>,
    fill: (dir: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const dir = await Deno.makeTempDir({ prefix: "kilter-analysis-" });
    await fill(dir);
    const clock = { site: null as Site | null };
    const now = () => clock.site?.now() ?? Date.now();
    const options = { dir, fsync: "interval", retainEveryMs: 0, expiryMs: 1_000 } as const;
    const bus = await openEmbeddedBus(options, { now, events: () => {} });
    const site = clock.site = new Site(dir, bus);
    try {
      const spec = { partitions: 1, retentionMs: Infinity, retentionBytes: Infinity } as const;
      await bus.ensureTopics([
        { ...spec, name: TOPICS.telemetry, cleanup: "delete", retentionMs: RETENTION_MS },
        { ...spec, name: TOPICS.anomalies, cleanup: "delete" },
        { ...spec, name: TOPICS.deadLetters, cleanup: "delete" },
        { ...spec, name: TOPICS.checkpoints, cleanup: "compact" },
        { ...spec, name: TOPICS.rules, cleanup: "delete" },
      ]);
      await body(site);
    } finally {
      await bus.close();
      await Deno.remove(dir, { recursive: true });
    }
  }

  /** Sets the clock to where a topic's last record was appended. */
  async goOnAfterLast(topic: string): Promise<void> {
    let last = 0;
    for await (const batch of this.bus.range(topic, 0, 0, Infinity)) {
      last = batch.appendTimes[batch.count - 1];
    }
    this.aheadMs = last - Date.now();
  }

  /** Publishes a record to the only partition of telemetry. */
  async send(value: string | Uint8Array, key: Uint8Array | null = null): Promise<void> {
    const bytes = typeof value === "string" ? text.encode(value) : value;
    await this.bus.publish([{
      topic: TOPICS.telemetry,
      records: [{ key, value: bytes, partition: 0 }],
    }]);
  }

  /** Publishes a sample whose T is now. */
  sample(vehicle: string, values: Record<string, number>): Promise<void> {
    return this.send(JSON.stringify({ vehicle, ts: this.now(), ...values }));
  }

  /** Lets time pass and drops the telemetry that is too old then. */
  async retain(passedMs: number): Promise<void> {
    this.aheadMs += passedMs;
    while ((await this.bus.retain()).more);
  }

  /** Values of all records of a topic. */
  async values(topic: string): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for await (const batch of this.bus.range(topic, 0, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) {
        found.push(batch.values.slice(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]));
      }
    }
    return found;
  }

  /** All transitions on the anomalies topic. */
  async transitions(): Promise<Transition[]> {
    return (await this.values(TOPICS.anomalies)).map(decodeTransition);
  }

  /** The newest progress record. */
  async progress(): Promise<Progress | null> {
    const last = (await this.values(TOPICS.checkpoints)).at(-1);
    return last === undefined ? null : decodeProgress(last);
  }

  /** Whether all that is on the bus is committed under these rules. */
  async consumed(ruleSet: RuleSet): Promise<boolean> {
    const [{ end }] = await this.bus.bounds(TOPICS.telemetry);
    const progress = await this.progress();
    return progress?.next === end && progress.version === ruleSet.version;
  }

  /** Runs an agent until all is consumed. @throws what the agent throws */
  work(ruleSet: RuleSet, bus: Bus = this.bus): Promise<void> {
    return this.run(
      ruleSet,
      (over) => until("all is committed", async () => over() || await this.consumed(ruleSet)),
      bus,
    );
  }

  /**
   * Runs an agent as long as `during` takes.
   *
   * @param during is told whether the agent has ended by itself
   * @throws what the agent throws
   */
  async run(
    rules: RuleSet | RuleSource,
    during: (over: () => boolean) => Promise<void>,
    bus: Bus = this.bus,
  ): Promise<void> {
    const stop = new AbortController();
    let over = false;
    const agent = runAnalysis({
      signal: stop.signal,
      now: this.now,
      ready: () => {},
      beat: (metrics) => this.metrics = metrics,
      untilResumed: () => Promise.resolve(),
      events: (event) => this.events.push(event),
    }, {
      bus,
      topics: TOPICS,
      rules: "current" in rules ? rules : fixedRules(rules),
      createEngine,
      checkpointMs: 30_000,
    })
      .finally(() => over = true);
    // It is awaited below; until then a failure is not one that nobody handles.
    agent.catch(() => {});
    try {
      await during(() => over);
    } finally {
      stop.abort();
      await agent;
    }
  }
}

/** Rules that never change. */
function fixedRules(ruleSet: RuleSet): RuleSource {
  return changingRules(() => ruleSet, [ruleSet]);
}

/** Rules that change as told; `known` are all versions that there ever are. */
export function changingRules(current: () => RuleSet, known: readonly RuleSet[]): RuleSource {
  return {
    current,
    version: (name) => known.find(({ version }) => version === name) ?? null,
    history: new RuleHistory(),
    catchUp: () => Promise.resolve(),
    onChange: () => () => {},
  };
}

/** Waits until a condition holds, looking every few milliseconds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`Waited ${WAIT_MS} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
