/**
 * The reference's evaluation of expressions: one sample at a time, node by node, as the text says.
 *
 * A vehicle's operators keep their state by the structure of their expression, so that equal
 * expressions of different rules share it.
 */
import type { Catalog } from "../../contract/catalog.ts";
import type { Condition, PositionPart, Value } from "../language/ast.ts";
import { broughtByAll, type Expression, signalsOf, walk } from "../language/brings.ts";
import { signalText, structure } from "../language/structure.ts";
import type { ZoneOffset } from "../language/time_zone.ts";
import { arithmetic, compare, finite, toNumber, type Truth } from "./arithmetic.ts";
import { CustomOperatorState } from "./custom_operator.ts";
import { hourOf, spans, weekdayOf, within } from "./evaluate_time.ts";
import {
  difference,
  freshState,
  keep,
  type Kept,
  type Known,
  type OperatorState,
  partsOf,
  slotWidthMs,
  standing,
} from "./operator_state.ts";
import { isInside, KeptPositions, type Position } from "./positions.ts";
import { WeightedMean } from "./weighted.ts";
import { SampleWindow } from "./windows.ts";

/** What an expression is evaluated over: one vehicle at one sample, or as at its last. */
export interface Moment {
  /** T of the sample. */
  readonly t: number;
  /** Signals that the sample carries. */
  readonly brought: ReadonlySet<number>;
  /** Durations d for which `absent(d)` holds. */
  readonly absent: (durationMs: number) => boolean;
}

/** The expressions of one vehicle: signals, operators and their state. */
export class VehicleValues {
  readonly #signals = new Map<number, Known>();
  readonly #operators = new Map<string, OperatorState>();
  /** Values of stateful operators as they stood at the last evaluated sample. */
  #frozen = new Map<string, number | Truth>();
  #moment: Moment = { t: NaN, brought: new Set(), absent: () => false };
  #again = false;

  /**
   * @param roots every expression of the rules
   * @param maxGapMs how far a reference may lie behind T-d
   * @param zoneOffsets of the zone of `hour` and `weekday`
   */
  constructor(
    readonly catalog: Catalog,
    readonly roots: readonly Expression[],
    readonly maxGapMs: number,
    readonly zoneOffsets: readonly ZoneOffset[],
  ) {}

  /** The last value of a signal, whatever its age. */
  signal(number: number): Known | undefined {
    return this.#signals.get(number);
  }

  /** Takes a sample in: signals first, then every stateful operator, once. */
  take(moment: Moment, values: ReadonlyMap<number, number>): void {
    this.#moment = moment;
    this.#again = false;
    for (const [signal, value] of values) this.#signals.set(signal, { value, t: moment.t });
    this.#frozen = new Map();
    for (const root of this.roots) {
      walk(root, (node) => {
        if (node.kind === "call") this.#operator(node);
      });
    }
  }

  /**
   * Goes on from the values of former rules: what both keep is taken from `before`, what is new
   * from `aside`, if there is one. Both stay as they are.
   */
  takeOver(before: VehicleValues, aside: VehicleValues | null): void {
    this.#moment = { t: before.#moment.t, brought: new Set(), absent: () => false };
    const name = signalText(this.catalog);
    const old = before.#kept();
    const warm = aside === null ? null : aside.#kept();
    for (const root of this.roots) {
      for (const signal of signalsOf(root)) {
        const from = old.signals.has(name(signal)) ? old : warm;
        const known = from?.signals.get(name(signal));
        if (known) this.#signals.set(signal, known);
      }
      walk(root, (node) => {
        if (node.kind !== "call") return;
        for (const { key, copy } of partsOf(node, name, this.maxGapMs)) {
          const from = old.parts.has(key) ? old : warm;
          const state = from?.parts.get(key);
          if (from && state) copy(state, this.#state(structure(node)), from.stood);
        }
      });
    }
  }

  #kept(): Kept {
    const name = signalText(this.catalog);
    const signals = new Map<string, Known | undefined>();
    const parts = new Map<string, OperatorState | undefined>();
    for (const root of this.roots) {
      for (const signal of signalsOf(root)) signals.set(name(signal), this.#signals.get(signal));
      walk(root, (node) => {
        if (node.kind !== "call") return;
        const state = this.#operators.get(structure(node));
        for (const { key } of partsOf(node, name, this.maxGapMs)) parts.set(key, state);
      });
    }
    return { signals, parts, stood: { t: this.#moment.t, maxGapMs: this.maxGapMs } };
  }

  /** Goes back to the last evaluated sample: values as they stood, edges false, state untouched. */
  again(absent: (durationMs: number) => boolean): void {
    this.#again = true;
    this.#moment = { t: this.#moment.t, brought: new Set(), absent };
  }

  /** Whether the moment's sample brings an expression. As at the last sample, all are. */
  brings(expr: Expression): boolean {
    if (this.#again || broughtByAll(expr)) return true;
    return signalsOf(expr).some((signal) => this.#moment.brought.has(signal));
  }

  /** A value at the moment; NaN for unknown. */
  value(expr: Value): number {
    switch (expr.kind) {
      case "number":
      case "name":
        return expr.value;
      case "signal":
        return this.#current(expr.signal);
      case "negate":
        return -this.value(expr.of);
      case "truth":
        return toNumber(this.truth(expr.of));
      case "convert":
        return finite(finite(this.value(expr.of) * expr.factor) + expr.offset);
      case "arithmetic": {
        const left = this.value(expr.left);
        const right = this.value(expr.right);
        switch (expr.op) {
          case "+":
            return finite(left + right);
          case "-":
            return finite(left - right);
          case "*":
            return finite(left * right);
          case "/":
            return finite(left / right);
        }
      }
      /* falls through -- unreachable: the operators above are all there are */
      case "call":
        switch (expr.fn) {
          case "prev":
          case "delta":
          case "rate":
          case "age":
          case "ewma":
          case "zscore":
          case "avg":
          case "lowest":
          case "highest":
          case "sum":
          case "stddev":
          case "count":
          case "custom":
          case "moved":
            return Number(this.#operator(expr));
          case "latitude":
            return this.#position(expr)?.lat ?? NaN;
          case "longitude":
            return this.#position(expr)?.lon ?? NaN;
          case "hour":
            return hourOf(this.#moment.t, this.zoneOffsets);
          case "weekday":
            return weekdayOf(this.#moment.t, this.zoneOffsets);
          default:
            return finite(arithmetic(expr.fn, expr.args.map((arg) => this.value(arg))));
        }
    }
  }

  /** A condition at the moment. */
  truth(expr: Condition): Truth {
    switch (expr.kind) {
      case "boolean":
        return expr.value;
      case "flag": {
        const value = this.#current(expr.signal);
        return Number.isNaN(value) ? null : value !== 0;
      }
      case "compare":
        return compare(expr.op, this.value(expr.left), this.value(expr.right));
      case "and": {
        const left = this.truth(expr.left);
        const right = this.truth(expr.right);
        if (left === false || right === false) return false;
        return left === null || right === null ? null : true;
      }
      case "or": {
        const left = this.truth(expr.left);
        const right = this.truth(expr.right);
        if (left === true || right === true) return true;
        return left === null || right === null ? null : false;
      }
      case "not": {
        const of = this.truth(expr.of);
        return of === null ? null : !of;
      }
      case "call": {
        if (expr.fn === "absent") return this.#moment.absent(expr.durationMs);
        if (expr.fn === "inside") {
          const position = this.#position(expr.args[0]);
          return position && isInside(expr.zone, position);
        }
        // An edge is of one instant: on any other it is false, whatever it was.
        const stands = expr.fn === "held" || (expr.fn === "custom" && expr.result === "condition");
        if (this.#again && !stands) return false;
        const edge = this.#operator(expr);
        return typeof edge === "boolean" ? edge : null;
      }
    }
  }

  #current(signal: number): number {
    const known = this.#signals.get(signal);
    if (!known) return NaN;
    const age = this.#moment.t - known.t;
    return age > this.catalog.signals[signal].staleAfterMs ? NaN : known.value;
  }

  /** Where the vehicle is: lat and lon count only if both are known and came at one T. */
  #position({ args: [lat, lon] }: PositionPart): Position | null {
    if (this.#signals.get(lat.signal)?.t !== this.#signals.get(lon.signal)?.t) return null;
    const position = { lat: this.#current(lat.signal), lon: this.#current(lon.signal) };
    return Number.isNaN(position.lat) || Number.isNaN(position.lon) ? null : position;
  }

  /** A stateful operator's result at the moment; evaluated and moved once per sample. */
  #operator(node: Expression & { kind: "call" }): number | Truth {
    const key = structure(node);
    const before = this.#frozen.get(key);
    if (before !== undefined) return before;
    const result = this.#again ? this.#stand(node, key) : this.#compute(node, key);
    this.#frozen.set(key, result);
    return result;
  }

  /** A result as at the last evaluated sample, which other rules may have evaluated. */
  #stand(node: Expression & { kind: "call" }, key: string): number | Truth {
    if (node.fn === "moved") {
      const position = this.#position(node.args[0]);
      if (!position) return NaN;
      return this.#state(key).positions?.moved(this.#moment.t, position) ?? NaN;
    }
    const now = node.fn === "delta" || node.fn === "rate" ? this.value(node.args[0]) : NaN;
    return standing(node, this.#state(key), this.#moment.t, now, this.maxGapMs);
  }

  #compute(node: Expression & { kind: "call" }, key: string): number | Truth {
    const brought = this.brings(node);
    switch (node.fn) {
      case "prev": {
        const state = this.#state(key);
        const result = state.before = state.last;
        const now = this.value(node.args[0]);
        if (brought && !Number.isNaN(now)) state.last = now;
        return result;
      }
      case "changed":
      case "rose":
      case "fell": {
        const state = this.#state(key);
        state.before = state.last;
        if (!brought) return false;
        const now = node.fn === "changed"
          ? this.value(node.args[0])
          : toNumber(this.truth(node.args[0]));
        if (Number.isNaN(now)) return null;
        const last = state.last;
        state.last = now;
        if (Number.isNaN(last)) return false;
        if (node.fn === "changed") return now !== last;
        return node.fn === "rose" ? now > last : now < last;
      }
      case "delta":
      case "rate": {
        const { t } = this.#moment;
        const state = this.#state(key);
        const now = this.value(node.args[0]);
        if (brought && !Number.isNaN(now)) keep(state, t, now, node.durationMs);
        return difference(node.fn, state, t, now, node.durationMs, this.maxGapMs);
      }
      case "moved": {
        const { t } = this.#moment;
        const kept = this.#state(key).positions ??= new KeptPositions(
          node.durationMs,
          slotWidthMs(node.durationMs),
          this.maxGapMs,
        );
        const position = this.#position(node.args[0]);
        if (!position) return NaN;
        const metres = kept.moved(t, position);
        if (brought) kept.take(t, position);
        return metres;
      }
      case "age": {
        const { times } = this.#state(key);
        const known = !Number.isNaN(this.value(node.args[0]));
        if (known && this.brings(node.args[0])) times[0] = this.#moment.t;
        return times.length === 0 ? NaN : (this.#moment.t - times[0]) / 1000;
      }
      case "held": {
        const { t } = this.#moment;
        const state = this.#state(key);
        const now = this.truth(node.args[0]);
        if (brought && now === false) state.times = [];
        if (brought && now === true) {
          if (t - (state.times.at(-1) ?? -Infinity) > this.maxGapMs) state.times = [];
          state.times.push(t);
        }
        const spanned = spans(state.times, t, node.durationMs, this.maxGapMs);
        return state.result = now === true ? spanned : now;
      }
      case "seq":
        return this.#seq(node, this.#state(key));
      case "avg":
      case "lowest":
      case "highest":
      case "sum":
      case "stddev":
      case "count": {
        const { t } = this.#moment;
        const state = this.#state(key);
        const window = state.window ??= new SampleWindow(node.durationMs, this.maxGapMs);
        if (node.fn === "count") {
          if (this.truth(node.args[0]) === true && brought) window.take(t, 1);
        } else {
          const now = this.value(node.args[0]);
          if (brought && !Number.isNaN(now)) window.take(t, now);
        }
        return finite(window.result(node.fn, t));
      }
      case "ewma":
      case "zscore": {
        const { t } = this.#moment;
        const state = this.#state(key);
        const weighted = state.weighted ??= new WeightedMean(node.durationMs, this.maxGapMs);
        const now = this.value(node.args[0]);
        const comes = brought && !Number.isNaN(now);
        const elapsedMs = comes ? weighted.come(t) : NaN;
        const score = state.score = finite(weighted.score(t, now));
        if (comes) weighted.move(now, elapsedMs);
        return node.fn === "zscore" ? score : weighted.mean();
      }
      case "custom": {
        const custom = this.#state(key).custom ??= new CustomOperatorState(node);
        const args = node.args.map((arg) => this.value(arg));
        return custom.result(brought, this.#moment.t, args);
      }
      default:
        // Arithmetic keeps no state; `absent` is the moment's.
        return null;
    }
  }

  #seq(node: Extract<Condition, { fn: "seq" }>, state: OperatorState): Truth {
    const { t } = this.#moment;
    const [a, b] = node.args;
    const recent = within(state.times, t, node.durationMs);
    if (this.brings(a) && this.truth(a) === true) state.times.push(t);
    if (!this.brings(b)) return false;
    const now = toNumber(this.truth(b));
    if (Number.isNaN(now)) return recent ? null : false;
    const turned = now === 1 && state.last === 0;
    state.last = now;
    return turned && recent;
  }

  #state(key: string): OperatorState {
    let state = this.#operators.get(key);
    if (!state) {
      state = freshState();
      this.#operators.set(key, state);
    }
    return state;
  }
}
