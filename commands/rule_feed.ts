/** Follows the topic of rule versions, and writes to it. */
import { type Bus, BusError, RECORD_BYTES_MAX } from "../bus/port.ts";
import { encodeRuleRecord, RuleHistory, type RuleVersion } from "../contract/rule_versions.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import {
  type Authorship,
  CompiledVersions,
  compileTexts,
  type RuleLog,
  type RuleTexts,
  type Written,
} from "../rules-wasm/rule_source.ts";

/** Longest wait for one's own record to be readable, milliseconds. */
const WAIT_MS = 15_000;

/** The topic as it is read; `open` reads what is there, `follow` what comes. */
export class RuleFeed implements RuleLog {
  readonly history = new RuleHistory();
  readonly #compiled: CompiledVersions;
  readonly #listeners = new Set<() => void>();
  readonly #bus: Bus;
  readonly #topic: string;
  readonly #now: () => number;
  #next = 0;
  #current: RuleSet | null = null;
  #compiledOf: RuleVersion | null = null;

  private constructor(
    bus: Bus,
    topic: string,
    now: () => number,
    compile: typeof compileTexts,
  ) {
    this.#compiled = new CompiledVersions(this.history, compile);
    this.#bus = bus;
    this.#topic = topic;
    this.#now = now;
  }

  /**
   * Reads all versions that there are.
   *
   * @param compile how texts become a rule set
   */
  static async open(
    bus: Bus,
    topic: string,
    now: () => number,
    compile: typeof compileTexts = compileTexts,
  ): Promise<RuleFeed> {
    const feed = new RuleFeed(bus, topic, now, compile);
    await feed.catchUp();
    return feed;
  }

  /** Reads what has come since. */
  async catchUp(): Promise<void> {
    const [bounds] = await this.#bus.bounds(this.#topic);
    if (bounds === undefined || bounds.end <= this.#next) return;
    const from = Math.max(this.#next, bounds.start);
    for await (const batch of this.#bus.range(this.#topic, 0, from, bounds.end)) {
      // Two may catch up at once: each record is taken in once.
      if (batch.nextOffset <= this.#next) continue;
      for (let i = 0; i < batch.count; i++) {
        if (batch.offsets[i] < this.#next) continue;
        const begin = i === 0 ? 0 : batch.valueEnds[i - 1];
        this.#take(batch.values.subarray(begin, batch.valueEnds[i]));
      }
      this.#next = batch.nextOffset;
    }
    this.#next = Math.max(this.#next, bounds.end);
  }

  /** Reads what comes until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const from = new Map([[0, this.#next]]);
    for await (const batch of this.#bus.tail({ topic: this.#topic, from, signal })) {
      for (let i = 0; i < batch.count; i++) {
        if (batch.offsets[i] < this.#next) continue;
        const begin = i === 0 ? 0 : batch.valueEnds[i - 1];
        this.#take(batch.values.subarray(begin, batch.valueEnds[i]));
      }
      this.#next = Math.max(this.#next, batch.nextOffset);
    }
  }

  /**
   * The rules in force, as this program understands their texts.
   *
   * @throws {BusError} if the log has no version yet
   */
  current(): RuleSet {
    const { current } = this.history;
    if (current === undefined) {
      throw new BusError(`Cannot use the rules on ${this.#topic}: there are none yet`);
    }
    if (this.#compiledOf !== current) {
      this.#current = this.#compiled.compile(current);
      this.#compiledOf = current;
    }
    return this.#current ??= this.#compiled.compile(current);
  }

  version(name: string): RuleSet | null {
    return this.#compiled.get(name);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Writes a version, if it is right, says something new, and nothing came before it.
   *
   * @param base version that it is to replace; null for whichever is in force
   * @throws {BusError} if the bus does not take it
   */
  async write(texts: RuleTexts, base: string | null, who: Authorship): Promise<Written> {
    const compiled = compileTexts(texts);
    if (!compiled.ok) {
      return { kind: "faults", report: compiled.report, faults: compiled.faults };
    }
    const { version } = compiled.ruleSet;
    await this.catchUp();
    const current = this.history.current?.version ?? "";
    if (base !== null && base !== current) return { kind: "conflict", current };
    if (version === current) return { kind: "same", version };
    const record: RuleVersion = {
      ...{ kind: "version", format: 1, version, base: current, time: this.#now(), ...who },
      ...{ rules: texts.rules, catalog: texts.catalog, zones: texts.zones },
    };
    const value = encodeRuleRecord(record);
    if (value.length > RECORD_BYTES_MAX) {
      throw new BusError(
        `Cannot store this version: rules, catalog and zones take ${value.length} bytes together, ` +
          `the most are ${RECORD_BYTES_MAX}; split the fleet, or shorten the files`,
      );
    }
    const records = [{ key: null, value, partition: 0 }];
    await this.#bus.publish([{ topic: this.#topic, records }]);
    const mine = () =>
      this.history.versions.findLast((each) =>
        each.time === record.time && each.version === version && each.base === current
      );
    const end = this.#now() + WAIT_MS;
    for (;;) {
      await this.catchUp();
      const found = mine();
      if (found) return { kind: "written", version: found };
      const now = this.history.current?.version ?? "";
      if (now !== current) return { kind: "conflict", current: now };
      if (this.#now() > end) {
        throw new BusError(`Cannot read back what was written to ${this.#topic}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #take(value: Uint8Array): void {
    const record = this.history.take(value);
    if (record?.kind !== "version") return;
    for (const listener of this.#listeners) listener();
  }
}
