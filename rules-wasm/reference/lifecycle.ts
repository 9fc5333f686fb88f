/** The reference's lifecycle of one rule for one vehicle: runs, opening, severity, clearing. */
import {
  type ClearReason,
  SEVERITIES,
  type Severity,
  type TransitionKind,
} from "../../contract/anomaly.ts";
import type { Rule } from "../language/ast.ts";
import type { Truth } from "./arithmetic.ts";
import type { VehicleValues } from "./evaluate.ts";

/** Trues without a false between them and without a gap. */
interface Run {
  readonly from: number;
  readonly to: number;
  /** Whether it has lasted as long as asked and was acted upon. */
  readonly done: boolean;
}

/** The sample (or timer) that a transition comes from. */
export interface Cause {
  /** T of the sample; T_last + d for a timer. */
  readonly t: number;
  readonly append: number;
  /** Of the sample, or of the one that the timer counts from. */
  readonly offset: number;
  readonly index: number;
}

/** A transition before it is written. */
export interface Step {
  readonly kind: TransitionKind;
  readonly reason?: ClearReason;
  readonly severity: Severity;
  readonly onset: number;
  readonly at: number;
  readonly count: number;
  /** Decides the id: the sample that opened it. */
  readonly opener: Cause;
  readonly cause: Cause;
}

/** An anomaly, open or cleared but not yet out of its cooldown. */
interface Anomaly {
  readonly onset: number;
  readonly opener: Cause;
  count: number;
  severity: Severity;
  open: boolean;
  /** T of clearing, or of opening for a point event. */
  endedT: number;
}

/** One rule for one vehicle. */
export class RuleLife {
  #run: Run | null = null;
  #clearRun: Run | null = null;
  #downRun: Run | null = null;
  /** Since which T, at every sample, neither `when` nor `clear` has been known. */
  #unknownSince = NaN;
  #anomaly: Anomaly | null = null;
  #lastAt = -Infinity;
  readonly #levels: boolean[];

  constructor(readonly rule: Rule, readonly unknownAfterMs: number) {
    this.#levels = rule.levels.map(() => false);
  }

  /** Whether an anomaly stands open. */
  get open(): boolean {
    return this.#anomaly?.open ?? false;
  }

  /** `at` of the last transition; -Infinity before the first. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Begins as a rule that is new: with the runs of one warmed aside, and no `at` before a last. */
  begin(warm: RuleLife | null, lastAt: number): void {
    this.#run = warm ? warm.#run : null;
    if (warm) warm.#levels.forEach((level, i) => this.#levels[i] = level);
    this.#lastAt = lastAt;
  }

  /**
   * Goes on as the same rule of a former version did.
   *
   * @param same whether `clear` and the ladder are the same, and by rung the former one with its
   * condition (-1: none); T at which the vehicle stands
   */
  goOn(
    before: RuleLife,
    warm: RuleLife | null,
    same: {
      readonly clear: boolean;
      readonly ladder: boolean;
      readonly rungs: readonly number[];
      readonly lastT: number;
    },
  ): void {
    this.#run = before.#run;
    if (same.clear) {
      this.#clearRun = before.#clearRun;
      this.#unknownSince = before.#unknownSince;
    }
    if (same.ladder) this.#downRun = before.#downRun;
    same.rungs.forEach((rung, i) => {
      if (rung >= 0) this.#levels[i] = before.#levels[rung];
      else if (warm) this.#levels[i] = warm.#levels[i];
    });
    this.#lastAt = before.#lastAt;
    const anomaly = before.#anomaly;
    // A cooldown that has run out stays so.
    const over = anomaly !== null && !anomaly.open &&
      same.lastT > anomaly.endedT + before.rule.cooldownMs;
    this.#anomaly = over || anomaly === null ? null : { ...anomaly };
  }

  /** Evaluates at a moment of the vehicle. While `warming` nothing opens, however long it holds. */
  evaluate(values: VehicleValues, cause: Cause, warming = false): Step[] {
    const { rule } = this;
    const steps: Step[] = [];
    const t = cause.t;
    this.rule.levels.forEach((level, i) => {
      if (!values.brings(level.when)) return;
      const truth = values.truth(level.when);
      if (truth !== null) this.#levels[i] = truth;
    });
    const when = values.truth(rule.when);
    const clear = rule.clear === null ? not(when) : values.truth(rule.clear);
    const whenBrought = values.brings(rule.when);
    const clearBrought = values.brings(rule.clear ?? rule.when);

    if (whenBrought && !this.open) this.#run = extend(this.#run, when, t, rule.maxGapMs);
    const run = this.#run;
    if (
      whenBrought && when === true && run && !run.done && t - run.from >= rule.forMs &&
      !this.open &&
      !warming
    ) {
      this.#run = { ...run, done: true };
      steps.push(...this.#fire(run.from, cause));
    } else if (this.open) {
      steps.push(...this.#whileOpen(values, when, clear, whenBrought, clearBrought, cause));
    }
    return steps;
  }

  /** Clears whatever is open for a reason other than its condition. */
  end(reason: ClearReason, cause: Cause): Step[] {
    return this.open ? [this.#clear(reason, cause)] : [];
  }

  #fire(onset: number, cause: Cause): Step[] {
    const { rule } = this;
    const before = this.#anomaly;
    const withinCooldown = before !== null && cause.t <= before.endedT + rule.cooldownMs;
    if (rule.once) {
      if (withinCooldown) return [];
      this.#anomaly = this.#opened(onset, cause, false);
      return [this.#step("opened", cause)];
    }
    this.#clearRun = null;
    this.#downRun = null;
    this.#unknownSince = NaN;
    if (before && withinCooldown) {
      before.open = true;
      before.count++;
      before.severity = this.#severity();
      return [this.#step("reopened", cause)];
    }
    this.#anomaly = this.#opened(onset, cause, true);
    return [this.#step("opened", cause)];
  }

  #opened(onset: number, opener: Cause, open: boolean): Anomaly {
    return { onset, opener, count: 1, severity: this.#severity(), open, endedT: opener.t };
  }

  #whileOpen(
    values: VehicleValues,
    when: Truth,
    clear: Truth,
    whenBrought: boolean,
    clearBrought: boolean,
    cause: Cause,
  ): Step[] {
    const { rule } = this;
    const t = cause.t;
    if (when === null && clear === null) {
      if (Number.isNaN(this.#unknownSince)) this.#unknownSince = t;
      if (t - this.#unknownSince >= this.unknownAfterMs) return [this.#clear("unknown", cause)];
    } else {
      this.#unknownSince = NaN;
    }
    if (whenBrought && when === true) this.#clearRun = null;
    else if (clearBrought) this.#clearRun = extend(this.#clearRun, clear, t, rule.maxGapMs);
    const run = this.#clearRun;
    if (clearBrought && clear === true && run && t - run.from >= rule.clearForMs) {
      return [this.#clear("condition", cause)];
    }
    return this.#reconsider(values, cause);
  }

  /** Escalates at once, steps down after `clear_for`. */
  #reconsider(values: VehicleValues, cause: Cause): Step[] {
    const { rule } = this;
    const anomaly = this.#anomaly;
    if (!anomaly || !rule.levels.some((level) => values.brings(level.when))) return [];
    const target = this.#severity();
    const change = SEVERITIES.indexOf(target) - SEVERITIES.indexOf(anomaly.severity);
    this.#downRun = extend(this.#downRun, change < 0, cause.t, rule.maxGapMs);
    if (change === 0) return [];
    if (change < 0) {
      if (!this.#downRun || cause.t - this.#downRun.from < rule.clearForMs) return [];
      this.#downRun = null;
    }
    anomaly.severity = target;
    return [this.#step(change > 0 ? "escalated" : "deescalated", cause)];
  }

  #severity(): Severity {
    const highest = this.#levels.lastIndexOf(true);
    return highest < 0 ? this.rule.severity : this.rule.levels[highest].severity;
  }

  #clear(reason: ClearReason, cause: Cause): Step {
    const anomaly = this.#anomaly;
    if (anomaly) {
      anomaly.open = false;
      anomaly.endedT = cause.t;
    }
    this.#run = null;
    this.#clearRun = null;
    this.#downRun = null;
    this.#unknownSince = NaN;
    return { ...this.#step("cleared", cause), reason };
  }

  #step(kind: TransitionKind, cause: Cause): Step {
    const anomaly = this.#anomaly;
    if (!anomaly) throw new Error(`Cannot write "${kind}": the rule has no anomaly`);
    this.#lastAt = Math.max(this.#lastAt, cause.t);
    const { severity, onset, count, opener } = anomaly;
    return { kind, severity, onset, at: this.#lastAt, count, opener, cause };
  }
}

/** The run after a result; unknown neither extends nor breaks it. */
function extend(run: Run | null, result: Truth, t: number, maxGapMs: number): Run | null {
  if (result === null) return run;
  if (!result) return null;
  if (run && t - run.to <= maxGapMs) return { ...run, to: t };
  return { from: t, to: t, done: false };
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}
