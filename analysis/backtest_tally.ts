/** Counts what a back-test brings: per rule how often, for whom, and for how long. */
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import type { EngineCounts } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { EngineReport } from "./backtest_piece.ts";

/** What one rule did. */
export interface RuleSummary {
  readonly rule: string;
  /** How often it opened, or opened again. */
  readonly fired: number;
  readonly vehicles: number;
  /** Whether it is a point event, which has no duration. */
  readonly once: boolean;
  /** Milliseconds of T from opening to clearing, all together; what is open counts to the end. */
  readonly totalMs: number;
  readonly longestMs: number;
  /** Open at the end. */
  readonly open: number;
}

/** What a back-test came to. */
export interface BacktestSummary {
  readonly samples: number;
  readonly refused: number;
  /** Samples older than the last one evaluated of their vehicle: not evaluated. */
  readonly late: number;
  readonly duplicates: number;
  /** Samples not evaluated, because the history ended while they waited for older ones. */
  readonly waiting: number;
  readonly transitions: number;
  /** A of the first record and of the last one evaluated; NaN if there was none. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** All rules, those that fired most first. */
  readonly rules: readonly RuleSummary[];
}

/** How far a back-test is. */
export interface BacktestProgress {
  readonly samples: number;
  /** Records evaluated, and how many there are in all; 0 while that is not known. */
  readonly done: number;
  readonly total: number;
}

/** Where a tally hands on what it takes. */
export interface TallyOptions {
  readonly ruleSet: RuleSet;
  /** Which vehicles' anomalies count. */
  readonly vehicle: (id: string) => boolean;
  /** Takes each transition as a line of NDJSON. */
  readonly output: (bytes: Uint8Array) => void;
  /** Takes each transition as an object. */
  readonly each: (transition: Transition) => void;
  readonly progress: (progress: BacktestProgress) => void;
}

interface RuleTally {
  fired: number;
  readonly vehicles: Set<string>;
  totalMs: number;
  longestMs: number;
  open: number;
}

/** Writes transitions out and counts. Memory grows with open anomalies and vehicles, not with time. */
export class Tally {
  #transitions = 0;
  #done = 0;
  #first = Infinity;
  #last = -Infinity;
  readonly #rules = new Map<string, RuleTally>();
  /** T of opening, by id. */
  readonly #open = new Map<string, { readonly rule: string; readonly at: number }>();
  readonly #counts = new Map<number, EngineCounts>();
  readonly #waiting = new Map<number, number>();
  readonly #once: ReadonlySet<string>;

  constructor(readonly options: TallyOptions, public total = 0) {
    const { rules } = options.ruleSet;
    this.#once = new Set(rules.filter(({ once }) => once).map(({ id }) => id));
    for (const { id } of rules) {
      this.#rules.set(id, { fired: 0, vehicles: new Set(), totalMs: 0, longestMs: 0, open: 0 });
    }
  }

  /** Takes a transition as JSON. */
  take(value: Uint8Array): void {
    const transition = decodeTransition(value);
    if (!this.options.vehicle(transition.vehicle)) return;
    this.#transitions++;
    this.#count(transition);
    this.options.each(transition);
    const line = new Uint8Array(value.length + 1);
    line.set(value);
    line[value.length] = 10;
    this.options.output(line);
  }

  /** Takes note of how far a partition's engine is. */
  report(partition: number, { records, firstMs, lastMs, counts, waiting }: EngineReport): void {
    this.#counts.set(partition, counts);
    this.#waiting.set(partition, waiting);
    this.#done += records;
    this.#first = Math.min(this.#first, firstMs);
    this.#last = Math.max(this.#last, lastMs);
    this.options.progress({ samples: this.#sum("samples"), done: this.#done, total: this.total });
  }

  /** @param unread objects refused before they reached an engine */
  summary(unread = 0): BacktestSummary {
    const end = this.#last;
    const open = [...this.#open.values()];
    const rules = [...this.#rules].map(([rule, tally]): RuleSummary => {
      const own = open.filter((each) => each.rule === rule)
        .map(({ at }) => Math.max(0, end - at));
      return {
        rule,
        fired: tally.fired,
        vehicles: tally.vehicles.size,
        once: this.#once.has(rule),
        totalMs: own.reduce((sum, ms) => sum + ms, tally.totalMs),
        longestMs: Math.max(tally.longestMs, ...own),
        open: own.length,
      };
    });
    return {
      samples: this.#sum("samples"),
      refused: this.#sum("refused") + unread,
      late: this.#sum("late"),
      duplicates: this.#sum("duplicates"),
      waiting: [...this.#waiting.values()].reduce((sum, count) => sum + count, 0),
      transitions: this.#transitions,
      firstMs: this.#first <= this.#last ? this.#first : NaN,
      lastMs: this.#first <= this.#last ? this.#last : NaN,
      rules: rules.sort((a, b) => b.fired - a.fired),
    };
  }

  #count({ kind, rule, vehicle, id, at }: Transition): void {
    const tally = this.#rules.get(rule);
    if (tally === undefined) return;
    if (kind === "opened" || kind === "reopened") {
      tally.fired++;
      tally.vehicles.add(vehicle);
      if (!this.#once.has(rule)) this.#open.set(id, { rule, at });
    } else if (kind === "cleared") {
      const lasted = at - (this.#open.get(id)?.at ?? at);
      this.#open.delete(id);
      tally.totalMs += lasted;
      tally.longestMs = Math.max(tally.longestMs, lasted);
    }
  }

  #sum(name: "samples" | "refused" | "late" | "duplicates"): number {
    let sum = 0;
    for (const counts of this.#counts.values()) sum += counts[name];
    return sum;
  }
}
