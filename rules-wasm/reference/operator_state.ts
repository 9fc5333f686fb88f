/** What the reference's operators keep, how rules that follow take it over, and how it stands. */
import type { Condition, Value } from "../language/ast.ts";
import type { Expression } from "../language/brings.ts";
import { structure } from "../language/structure.ts";
import { finite, type Truth } from "./arithmetic.ts";
import type { CustomOperatorState } from "./custom_operator.ts";
import type { KeptPositions } from "./positions.ts";
import { SampleWindow } from "./windows.ts";
import type { WeightedMean } from "./weighted.ts";

/** State of one operator of one vehicle. */
export interface OperatorState {
  /** `prev`, `changed`: last known value; `rose`, `fell`: last known truth as 1 or 0. */
  last: number;
  /** `prev`: what it was before the last evaluated sample. */
  before: number;
  /** `delta`, `rate`: the kept samples, oldest first, with the slot of each. */
  slots: { slot: number; t: number; value: number }[];
  /** `held`: the trues of the run; `seq`: where its first was true; `age`: where it came. */
  times: number[];
  /** `held`: the result at the last evaluated sample. */
  result: Truth;
  /** The functions over windows. */
  window: SampleWindow | null;
  /** `ewma`, `zscore`. */
  weighted: WeightedMean | null;
  /** `zscore`: the result at the last evaluated sample. */
  score: number;
  custom: CustomOperatorState | null;
  /** `moved`. */
  positions: KeptPositions | null;
}

/** State of an operator that has taken nothing in. */
export function freshState(): OperatorState {
  return {
    last: NaN,
    before: NaN,
    slots: [],
    times: [],
    result: null,
    window: null,
    weighted: null,
    score: NaN,
    custom: null,
    positions: null,
  };
}

/** Width of the slots of `delta` and `rate` over d: max(10 ms, d/16). */
export function slotWidthMs(durationMs: number): number {
  return Math.max(10, durationMs / 16);
}

/** Keeps the last sample of a slot; what can no longer be a reference goes. */
export function keep(state: OperatorState, t: number, value: number, durationMs: number): void {
  const slot = Math.floor(t / slotWidthMs(durationMs));
  const newest = state.slots.at(-1);
  if (newest?.slot === slot) state.slots.pop();
  state.slots.push({ slot, t, value });
  const reference = state.slots.findLastIndex((each) => each.t <= t - durationMs);
  if (reference > 0) state.slots.splice(0, reference);
}

/** One known value and when it was. */
export interface Known {
  readonly value: number;
  readonly t: number;
}

/** All that rules keep of a vehicle, by what it is kept of; undefined where nothing came yet. */
export interface Kept {
  readonly signals: ReadonlyMap<string, Known | undefined>;
  readonly parts: ReadonlyMap<string, OperatorState | undefined>;
  readonly stood: Stand;
}

/** A call of a function. */
export type Call = Expression & { kind: "call" };

/** Where the state of a vehicle stands that is taken over. */
export interface Stand {
  /** T of its last evaluated sample. */
  readonly t: number;
  /** `max_gap` of its settings: what it made too old for a reference is gone. */
  readonly maxGapMs: number;
}

/** Something that a call keeps, by what it is kept of: calls with an equal key keep the same. */
export interface Part {
  readonly key: string;
  /** Takes a copy of it from the state of one call, that stood so, into that of another. */
  readonly copy: (from: OperatorState, into: OperatorState, stood: Stand) => void;
}

/**
 * What a call keeps.
 *
 * @param signal how signals are named across catalogs
 * @param maxGapMs of the settings that the copy is for
 */
export function partsOf(
  node: Call,
  signal: (number: number) => string,
  maxGapMs: number,
): readonly Part[] {
  const of = (arg: Value | Condition) => structure(arg, signal);
  const last = (key: string): Part => ({
    key,
    copy: (from, into) => {
      into.last = from.last;
      into.before = from.before;
    },
  });
  const times = (key: string): Part => ({
    key,
    copy: (from, into) => {
      into.times = [...from.times];
      into.result = from.result;
    },
  });
  switch (node.fn) {
    case "prev":
    case "changed":
      return [last(`value ${of(node.args[0])}`)];
    case "rose":
    case "fell":
      return [last(`truth ${of(node.args[0])}`)];
    case "seq":
      return [
        last(`truth ${of(node.args[1])}`),
        times(`seq ${node.durationMs} ${of(node.args[0])}`),
      ];
    case "held":
      return [times(`held ${node.durationMs} ${of(node.args[0])}`)];
    case "age":
      return [times(`age ${of(node.args[0])}`)];
    case "delta":
    case "rate":
      return [{
        key: `slots ${node.durationMs} ${of(node.args[0])}`,
        copy: (from, into, { t, maxGapMs }) => {
          const oldest = t - node.durationMs - maxGapMs;
          into.slots = from.slots.filter((each) => each.t >= oldest);
        },
      }];
    case "moved":
      return [{
        key: `moved ${node.durationMs} ${of(node.args[0])}`,
        copy: (from, into, stood) => into.positions = from.positions?.copy(stood, maxGapMs) ?? null,
      }];
    case "avg":
    case "sum":
    case "lowest":
    case "highest":
    case "stddev":
    case "count":
      return [{
        key: `${node.fn === "avg" ? "sum" : node.fn} ${node.durationMs} ${of(node.args[0])}`,
        copy: (from, into) => into.window = from.window?.copy(maxGapMs) ?? null,
      }];
    case "ewma":
    case "zscore":
      return [{
        key: `${node.fn} ${node.durationMs} ${of(node.args[0])}`,
        copy: (from, into) => {
          into.weighted = from.weighted?.copy(maxGapMs) ?? null;
          into.score = from.score;
        },
      }];
    case "custom":
      return [{ key: of(node), copy: (from, into) => into.custom = from.custom?.copy() ?? null }];
    default:
      return [];
  }
}

/**
 * A call's result as at the last evaluated sample, from its state alone.
 *
 * @param t T of that sample
 * @param now what its first argument was there; NaN for unknown, and for conditions
 */
export function standing(
  node: Call,
  state: OperatorState,
  t: number,
  now: number,
  maxGapMs: number,
): number | Truth {
  switch (node.fn) {
    case "prev":
      return state.before;
    case "delta":
    case "rate":
      return difference(node.fn, state, t, now, node.durationMs, maxGapMs);
    case "age":
      return state.times.length === 0 ? NaN : (t - state.times[0]) / 1000;
    case "held":
      return state.result;
    case "avg":
    case "sum":
    case "lowest":
    case "highest":
    case "stddev":
    case "count": {
      const window = state.window ?? new SampleWindow(node.durationMs, maxGapMs);
      return finite(window.result(node.fn, t));
    }
    case "ewma":
      return state.weighted?.mean() ?? NaN;
    case "zscore":
      return state.score;
    case "custom":
      return state.custom?.stands() ?? (node.result === "number" ? NaN : null);
    default:
      return false;
  }
}

/** `delta` and `rate` at T, of what is kept. */
export function difference(
  fn: "delta" | "rate",
  state: OperatorState,
  t: number,
  now: number,
  durationMs: number,
  maxGapMs: number,
): number {
  const reference = state.slots.findLast((each) => each.t <= t - durationMs);
  if (!reference || reference.t < t - durationMs - maxGapMs) return NaN;
  const change = finite(now - reference.value);
  return fn === "delta" ? change : finite(change / ((t - reference.t) / 1000));
}
