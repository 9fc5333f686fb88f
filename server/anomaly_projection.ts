/** Which anomalies are open, acknowledged, snoozed: the transitions folded with people's acts. */
import { SEVERITIES, type Severity, type Transition } from "../contract/anomaly.ts";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyPage, AnomalyView } from "../contract/views.ts";
import { type AnomalyRecord, eventIsOver, fold, stateOf, viewOf } from "./anomaly_record.ts";
import { acknowledged, assigned, noted, snoozed, unnoted } from "./judgement.ts";
import type { AnomalyQuery, AnomalyTable, LatestOpening } from "./store_anomalies.ts";

/** Anomalies not cleared that are held in memory; beyond it the oldest leave the counts. */
export const LIVE_MAX = 50_000;

/** How the projection is made. */
export interface AnomalyProjectionOptions {
  readonly table: AnomalyTable;
  /** Whether a transition is of a point event. */
  readonly once: (transition: Transition) => boolean;
  /** Told when what is open of a vehicle changes. */
  readonly vehicleChanged: (vehicle: string, open: number, severity: Severity | null) => void;
  readonly now: () => number;
  /** Default LIVE_MAX. */
  readonly liveMax?: number;
}

/** What waits for the store. */
export interface AnomalyChanges {
  readonly records: readonly AnomalyRecord[];
  readonly fired: ReadonlyMap<string, number>;
}

interface Tally {
  /** Not cleared, by severity. */
  readonly open: [number, number, number];
}

/** The projection. What is cleared lives in the table alone. */
export class AnomalyProjection {
  /** Transitions folded, and those passed over since they had been folded before. */
  folded = 0;
  repeated = 0;
  /** Anomalies dropped from the counts since LIVE_MAX was reached. */
  evicted = 0;
  readonly #options: AnomalyProjectionOptions;
  readonly #live = new Map<string, AnomalyRecord>();
  readonly #dirty = new Map<string, AnomalyRecord>();
  readonly #firedNew = new Map<string, number>();
  readonly #firedAll: Map<string, number>;
  /** Each rule's latest opening, of those asked for. */
  readonly #lastFired = new Map<string, LatestOpening | null>();
  readonly #byVehicle = new Map<string, Tally>();
  readonly #byRule = new Map<string, number>();
  /** Not cleared and not snoozed, by severity. */
  readonly #counted: [number, number, number] = [0, 0, 0];
  /** Ids whose snooze or event ends by time. */
  readonly #timed = new Set<string>();
  /** Ids that count as snoozed in #counted. */
  readonly #snoozed = new Set<string>();

  constructor(options: AnomalyProjectionOptions) {
    this.#options = options;
    this.#firedAll = options.table.fired();
    for (const record of options.table.live(options.liveMax ?? LIVE_MAX)) this.#enter(record);
  }

  /** Folds a transition in; null if it was known already. */
  apply(transition: Transition): AnomalyEvent | null {
    const before = this.#find(transition.id);
    // What clears it does not change what it is.
    const once = transition.kind === "cleared" ? before?.once : undefined;
    const record = fold(before, transition, once ?? this.#options.once(transition));
    if (record === null) {
      this.repeated++;
      return null;
    }
    this.folded++;
    const { append, id } = record;
    if (append >= (this.#lastOf(record.rule)?.append ?? 0)) {
      this.#lastFired.set(record.rule, { append, id });
    }
    if (before === undefined) {
      for (const fired of [this.#firedNew, this.#firedAll]) {
        fired.set(record.rule, (fired.get(record.rule) ?? 0) + 1);
      }
    }
    this.#replace(record);
    return { kind: transition.kind, anomaly: this.#view(record) };
  }

  /** Acknowledges, or takes it back; undefined if there is no such anomaly. */
  acknowledge(id: string, flag: boolean, by = ""): AnomalyEvent | undefined {
    return this.#judge(id, "acknowledged", (record, at) => acknowledged(record, flag, { at, by }));
  }

  /** Snoozes until a time, epoch milliseconds; null ends the snooze. */
  snooze(id: string, until: number | null, by = ""): AnomalyEvent | undefined {
    return this.#judge(id, "snoozed", (record, at) => snoozed(record, until, { at, by }));
  }

  /** Gives it into somebody's care; "" takes it out of everybody's. */
  assign(id: string, to: string, by = ""): AnomalyEvent | undefined {
    return this.#judge(id, "assigned", (record, at) => assigned(record, to, { at, by }));
  }

  /** Adds a note. @throws {RangeError} if there are too many already */
  note(id: string, text: string, by = ""): AnomalyEvent | undefined {
    return this.#judge(id, "noted", (record, at) => noted(record, text, { at, by }));
  }

  /** Takes back a note just written. @throws {RangeError} if there is none of that time, or too old */
  unnote(id: string, writtenAt: number): AnomalyEvent | undefined {
    return this.#judge(id, "noted", (record, at) => unnoted(record, writtenAt, at));
  }

  /** Ends snoozes and point events whose time has come; call about once a second. */
  sweep(): AnomalyEvent[] {
    const now = this.#options.now();
    const events: AnomalyEvent[] = [];
    for (const id of this.#timed) {
      const record = this.#live.get(id);
      if (record === undefined) {
        this.#timed.delete(id);
      } else if (eventIsOver(record, now)) {
        const over = { ...record, clearedAt: record.openedAt, reason: null };
        this.#replace(over);
        events.push({ kind: "cleared", anomaly: this.#view(over) });
      } else if (record.snoozedUntil !== null && record.snoozedUntil <= now) {
        const awake = { ...record, snoozedUntil: null };
        this.#replace(awake);
        events.push({ kind: "snoozed", anomaly: this.#view(awake) });
      }
    }
    return events;
  }

  /** Open anomalies by severity over the whole fleet, snoozed ones not counted. */
  open(): Record<Severity, number> {
    const [info, warning, critical] = this.#counted;
    return { info, warning, critical };
  }

  /** What is open of a vehicle. */
  ofVehicle(vehicle: string): { open: number; severity: Severity | null } {
    const tally = this.#byVehicle.get(vehicle);
    if (tally === undefined) return { open: 0, severity: null };
    const worst = tally.open.findLastIndex((count) => count > 0);
    return {
      open: tally.open[0] + tally.open[1] + tally.open[2],
      severity: SEVERITIES[worst] ?? null,
    };
  }

  /** How often a rule fired since the store began, how many are open, and A and id of the latest. */
  ofRule(rule: string): { fired: number; open: number; lastFired: number | null; lastId: string } {
    const last = this.#lastOf(rule);
    return {
      fired: this.#firedAll.get(rule) ?? 0,
      open: this.#byRule.get(rule) ?? 0,
      lastFired: last?.append ?? null,
      lastId: last?.id ?? "",
    };
  }

  /** Openings of a rule per bucket; the table must hold all changes. */
  density(rule: string, from: number, stepMs: number, buckets: number): number[] {
    return this.#options.table.density(rule, from, stepMs, buckets);
  }

  /** One anomaly as people see it. */
  view(id: string): AnomalyView | undefined {
    const record = this.#find(id);
    return record === undefined ? undefined : this.#view(record);
  }

  /**
   * A page of anomalies. The table must hold all changes: write `takeChanges()` to it first.
   *
   * @throws {SyntaxError} if the cursor is not one that this gave out
   */
  page(query: AnomalyQuery): AnomalyPage {
    const { records, cursor } = this.#options.table.list(query, this.#options.now());
    return { anomalies: records.map((record) => this.#view(record)), cursor, open: this.open() };
  }

  /** Changes not stored yet. */
  get changes(): number {
    return this.#dirty.size;
  }

  /** What to write to the table, once. */
  takeChanges(): AnomalyChanges {
    const changes = { records: [...this.#dirty.values()], fired: new Map(this.#firedNew) };
    this.#dirty.clear();
    this.#firedNew.clear();
    return changes;
  }

  /** Gauges and counters by metric name. */
  metrics(): Record<string, number> {
    return {
      anomalies_live: this.#live.size,
      anomalies_folded_total: this.folded,
      anomalies_repeated_total: this.repeated,
      anomalies_evicted_total: this.evicted,
    };
  }

  #view(record: AnomalyRecord): AnomalyView {
    return viewOf(record, this.#options.now());
  }

  #find(id: string): AnomalyRecord | undefined {
    return this.#live.get(id) ?? this.#dirty.get(id) ?? this.#options.table.get(id);
  }

  #lastOf(rule: string): LatestOpening | null {
    let last = this.#lastFired.get(rule);
    if (last === undefined) {
      last = this.#options.table.lastFired(rule);
      this.#lastFired.set(rule, last);
    }
    return last;
  }

  #judge(
    id: string,
    kind: "acknowledged" | "snoozed" | "assigned" | "noted",
    change: (record: AnomalyRecord, now: number) => AnomalyRecord,
  ): AnomalyEvent | undefined {
    const record = this.#find(id);
    if (record === undefined) return undefined;
    const changed = change(record, this.#options.now());
    this.#replace(changed);
    return { kind, anomaly: this.#view(changed) };
  }

  #replace(record: AnomalyRecord): void {
    const before = this.#live.get(record.id);
    if (before !== undefined) this.#leave(before);
    this.#dirty.set(record.id, record);
    if (record.clearedAt === null) this.#enter(record);
    const { open, severity } = this.ofVehicle(record.vehicle);
    this.#options.vehicleChanged(record.vehicle, open, severity);
  }

  #enter(record: AnomalyRecord): void {
    if (this.#live.size >= (this.#options.liveMax ?? LIVE_MAX)) this.#evict();
    const level = SEVERITIES.indexOf(record.severity);
    this.#live.set(record.id, record);
    const tally = this.#byVehicle.get(record.vehicle) ?? { open: [0, 0, 0] };
    this.#byVehicle.set(record.vehicle, tally);
    add(tally.open, level, 1);
    this.#byRule.set(record.rule, (this.#byRule.get(record.rule) ?? 0) + 1);
    if (stateOf(record, this.#options.now()) === "snoozed") this.#snoozed.add(record.id);
    else add(this.#counted, level, 1);
    if (record.once || record.snoozedUntil !== null) this.#timed.add(record.id);
  }

  #leave(record: AnomalyRecord): void {
    const level = SEVERITIES.indexOf(record.severity);
    this.#live.delete(record.id);
    this.#timed.delete(record.id);
    if (!this.#snoozed.delete(record.id)) add(this.#counted, level, -1);
    const rule = (this.#byRule.get(record.rule) ?? 0) - 1;
    if (rule > 0) this.#byRule.set(record.rule, rule);
    else this.#byRule.delete(record.rule);
    const tally = this.#byVehicle.get(record.vehicle);
    if (tally === undefined) return;
    add(tally.open, level, -1);
    if (tally.open.every((count) => count === 0)) this.#byVehicle.delete(record.vehicle);
  }

  #evict(): void {
    for (const record of this.#live.values()) {
      this.#leave(record);
      this.evicted++;
      return;
    }
  }
}

function add(counts: [number, number, number], level: number, by: number): void {
  counts[level] = (counts[level] ?? 0) + by;
}
