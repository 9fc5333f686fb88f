/** The lifecycle of a rule as the hand-written peer has it, and how it writes transitions. */
import { createHash } from "node:crypto";
import { SEVERITIES, type Severity, type Term, type TransitionKind } from "../contract/anomaly.ts";
import { MAX_GAP_MS, type Truth } from "./peer_20_state.ts";

const UNKNOWN_AFTER_MS = 3_600_000;

/** What stands in the file of a rule, without its conditions. */
export interface RuleText {
  readonly id: string;
  readonly forMs: number;
  readonly clearForMs: number;
  readonly cooldownMs: number;
  readonly once: boolean;
  /** Severity, or the lowest of the ladder. */
  readonly severity: Severity;
}

/** The sample at hand. */
export interface Cause {
  t: number;
  append: number;
  offset: number;
}

/** What a transition says in words; made only when there is one. */
interface Writing {
  readonly message: () => string;
  readonly terms: () => readonly Term[];
}

/** A rule of a vehicle that is pending, open, or in its cooldown. */
export class Life {
  #from = NaN;
  #to = NaN;
  #done = false;
  #clearFrom = NaN;
  #clearTo = NaN;
  #downFrom = NaN;
  #downTo = NaN;
  #unknownFrom = NaN;
  #isCritical = false;
  #open = false;
  #onset = NaN;
  #count = 0;
  #severity: Severity;
  #id = "";
  #endedT = -Infinity;
  #lastAt = -Infinity;

  #when: Truth = null;
  #clear: Truth = null;
  #whenCame = false;
  #clearCame = false;
  #critical: Truth | undefined;

  constructor(
    readonly rule: RuleText,
    readonly vehicle: string,
    readonly version: string,
    readonly out: string[],
  ) {
    this.#severity = rule.severity;
  }

  /**
   * Notes what the rule says at a sample; `step` comes next.
   *
   * @param whenCame whether the sample brings `when`, likewise `clear`
   * @param critical whether the second rung holds; undefined for a rule without a ladder
   */
  hear(
    when: Truth,
    clear: Truth,
    whenCame: boolean,
    clearCame: boolean,
    critical: Truth | undefined,
  ): void {
    this.#when = when;
    this.#clear = clear;
    this.#whenCame = whenCame;
    this.#clearCame = clearCame;
    this.#critical = critical;
    if (whenCame && typeof critical === "boolean") this.#isCritical = critical;
  }

  /** Goes on to the sample that was heard; message and terms are made if there is a transition. */
  step(cause: Cause, message: () => string, terms: () => readonly Term[]): void {
    const { rule } = this;
    const { t } = cause;
    const writing: Writing = { message, terms };
    const [when, clear, whenCame] = [this.#when, this.#clear, this.#whenCame];
    if (!this.#open) {
      if (!whenCame) return;
      if (when === false) this.#from = NaN;
      if (when !== true) return;
      if (Number.isNaN(this.#from) || !(t - this.#to <= MAX_GAP_MS)) {
        this.#from = t;
        this.#done = false;
      }
      this.#to = t;
      if (!this.#done && t - this.#from >= rule.forMs) this.#fire(cause, writing);
      return;
    }
    if (when === true && whenCame) this.#clearFrom = NaN;
    else if (this.#clearCame) {
      if (clear === false) this.#clearFrom = NaN;
      else if (clear === true) {
        if (Number.isNaN(this.#clearFrom) || t - this.#clearTo > MAX_GAP_MS) this.#clearFrom = t;
        this.#clearTo = t;
        if (t - this.#clearFrom >= rule.clearForMs) return this.#end("condition", cause, writing);
      }
    }
    if (when !== null || clear !== null) this.#unknownFrom = NaN;
    else {
      if (Number.isNaN(this.#unknownFrom)) this.#unknownFrom = t;
      if (t - this.#unknownFrom >= UNKNOWN_AFTER_MS) return this.#end("unknown", cause, writing);
    }
    if (this.#critical !== undefined && whenCame) this.#reconsider(cause, writing);
  }

  #fire(cause: Cause, writing: Writing): void {
    const { rule } = this;
    const { t } = cause;
    this.#done = true;
    const again = this.#id !== "" && t <= this.#endedT + rule.cooldownMs;
    if (rule.once && again) return;
    this.#severity = this.#target();
    this.#clearFrom = this.#downFrom = this.#unknownFrom = NaN;
    this.#open = !rule.once;
    if (again) this.#count++;
    else {
      this.#count = 1;
      this.#onset = this.#from;
      this.#endedT = t;
      const parts = [rule.id, this.vehicle, this.#onset, 0, cause.offset, 0];
      const text = parts.map((part) => `${part}\n`).join("");
      this.#id = createHash("sha256").update(text).digest("hex").slice(0, 16);
    }
    this.#write(again ? "reopened" : "opened", undefined, cause, writing);
  }

  #end(reason: "condition" | "unknown", cause: Cause, writing: Writing): void {
    this.#open = false;
    this.#endedT = cause.t;
    this.#from = NaN;
    this.#write("cleared", reason, cause, writing);
  }

  #target(): Severity {
    return this.#isCritical ? "critical" : this.rule.severity;
  }

  #reconsider(cause: Cause, writing: Writing): void {
    const { t } = cause;
    const target = this.#target();
    const change = SEVERITIES.indexOf(target) - SEVERITIES.indexOf(this.#severity);
    if (change >= 0) this.#downFrom = NaN;
    if (change === 0) return;
    if (change < 0) {
      if (Number.isNaN(this.#downFrom) || t - this.#downTo > MAX_GAP_MS) this.#downFrom = t;
      this.#downTo = t;
      if (t - this.#downFrom < this.rule.clearForMs) return;
      this.#downFrom = NaN;
    }
    this.#severity = target;
    this.#write(change > 0 ? "escalated" : "deescalated", undefined, cause, writing);
  }

  #write(
    kind: TransitionKind,
    reason: "condition" | "unknown" | undefined,
    { t, append, offset }: Cause,
    { message, terms }: Writing,
  ): void {
    this.#lastAt = Math.max(this.#lastAt, t);
    this.out.push(JSON.stringify({
      id: this.#id,
      kind,
      reason,
      rule: this.rule.id,
      version: this.version,
      vehicle: this.vehicle,
      severity: this.#severity,
      onset: this.#onset,
      at: this.#lastAt,
      append,
      count: this.#count,
      message: message(),
      terms: terms(),
      source: { partition: 0, offset: String(offset), index: 0 },
    }));
  }
}
