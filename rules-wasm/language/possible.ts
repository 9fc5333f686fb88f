/**
 * Whether conditions can be true together: interval analysis over the checked tree.
 *
 * It errs on one side only. "No" is certain: over no log whatever are they true at one moment.
 * "Yes" may be wrong, where it takes more than intervals to see it.
 */
import type { Catalog } from "../../contract/catalog.ts";
import type { CompareOp, Condition, Value } from "./ast.ts";
import { walk } from "./brings.ts";
import { above, below, interval, meet, only } from "./intervals.ts";
import { isWhole, keyOf, Moment, ValueRanges } from "./value_range.ts";

/** A condition that is to be true, or to be known and false. */
export interface Goal {
  readonly condition: Condition;
  readonly is: boolean;
}

const OPPOSITE = { "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==" } as const;

/** Choices between two sides that one question may take; what goes beyond is taken for possible. */
const CHOICES_MAX = 200;

/** Answers what can be, for rules over one catalog. */
export class Possibility {
  readonly ranges: ValueRanges;
  readonly #alone = new Map<string, boolean>();

  constructor(readonly catalog: Catalog) {
    this.ranges = new ValueRanges(catalog, (condition) => this.canBe(condition, true));
  }

  /** Whether a condition can, at some moment, be true (or false). */
  canBe(condition: Condition, is: boolean): boolean {
    const key = `${is} ${keyOf(condition)}`;
    let answer = this.#alone.get(key);
    if (answer === undefined) {
      answer = this.together([{ condition, is }]) !== null;
      this.#alone.set(key, answer);
    }
    return answer;
  }

  /**
   * Whether goals can be reached at one moment.
   *
   * @param assumed what is known of that moment
   * @returns a moment that allows all of them, or null: none does
   */
  together(goals: readonly Goal[], assumed = new Moment()): Moment | null {
    return this.#solve(goals, new Moment(assumed), { left: CHOICES_MAX });
  }

  #solve(goals: readonly Goal[], moment: Moment, choices: { left: number }): Moment | null {
    const plain: Goal[] = [];
    const either: Goal[] = [];
    const open = [...goals];
    for (let goal = open.pop(); goal !== undefined; goal = open.pop()) {
      const { condition, is } = goal;
      if (condition.kind === "not") open.push({ condition: condition.of, is: !is });
      else if (condition.kind === "and" || condition.kind === "or") {
        if ((condition.kind === "and") === is) {
          open.push({ condition: condition.left, is }, { condition: condition.right, is });
        } else either.push(goal);
      } else {
        plain.push(goal);
        open.push(...implied(goal));
      }
    }
    // What one goal leaves of a value bears on those before it as well.
    for (let pass = 0; pass < 2; pass++) {
      for (const goal of plain) if (!this.#assume(goal, moment)) return null;
    }
    const [first, ...rest] = either;
    if (first === undefined || choices.left-- <= 0) return moment;
    const { condition, is } = first;
    if (condition.kind !== "and" && condition.kind !== "or") return moment;
    for (const side of [condition.left, condition.right]) {
      const all = [...plain, ...rest, { condition: side, is }];
      const found = this.#solve(all, new Moment(moment), choices);
      if (found !== null) return found;
    }
    return null;
  }

  /** Takes a goal that is no `and`, `or` or `not` as reached; false: it cannot be. */
  #assume({ condition, is }: Goal, moment: Moment): boolean {
    switch (condition.kind) {
      case "boolean":
        return condition.value === is;
      case "flag": {
        const signal: Value = { kind: "signal", signal: condition.signal, type: "boolean" };
        return moment.narrow(keyOf(signal), only(is ? 1 : 0));
      }
      case "compare": {
        const op = is ? condition.op : OPPOSITE[condition.op];
        return this.#compare(op, condition.left, condition.right, moment);
      }
      case "call":
        return moment.narrow(keyOf(condition), only(is ? 1 : 0)) &&
          (!is || this.#happens(condition, moment));
      default:
        return true;
    }
  }

  #compare(op: CompareOp, left: Value, right: Value, moment: Moment): boolean {
    if (op === ">" || op === ">=") {
      return this.#compare(op === ">" ? "<" : "<=", right, left, moment);
    }
    const a = this.ranges.of(left, moment);
    const b = this.ranges.of(right, moment);
    if (a === null || b === null) return false;
    const same = keyOf(left) === keyOf(right);
    const put = (value: Value, low: number, high: number) => {
      const wholeLow = isWhole(value) ? Math.ceil(low) : low;
      const wholeHigh = isWhole(value) ? Math.floor(high) : high;
      return moment.narrow(keyOf(value), interval(wholeLow, wholeHigh));
    };
    switch (op) {
      case "<":
        return !same && put(left, a.low, Math.min(a.high, below(b.high))) &&
          put(right, Math.max(b.low, above(a.low)), b.high);
      case "<=":
        return put(left, a.low, Math.min(a.high, b.high)) &&
          put(right, Math.max(b.low, a.low), b.high);
      case "==": {
        const both = meet(a, b);
        return both !== null && put(left, both.low, both.high) && put(right, both.low, both.high);
      }
      case "!=": {
        if (same) return false;
        const shrunk = (value: Value, own: typeof a, other: typeof a) => {
          if (other.low !== other.high) return true;
          const low = own.low === other.low ? above(own.low) : own.low;
          const high = own.high === other.low ? below(own.high) : own.high;
          return put(value, low, high);
        };
        return shrunk(left, a, b) && shrunk(right, b, a);
      }
    }
  }

  /** What a function's being true says beside what `implied` has. */
  #happens(call: Extract<Condition, { kind: "call" }>, moment: Moment): boolean {
    switch (call.fn) {
      case "absent":
        return this.#silence(moment, true);
      case "changed": {
        const range = this.ranges.ever(call.args[0]);
        return this.#silence(moment, false) && range !== null && range.low < range.high;
      }
      case "rose":
      case "fell":
        return this.#silence(moment, false) && this.canBe(call.args[0], call.fn === "fell");
      case "seq":
        return this.#silence(moment, false) && this.canBe(call.args[0], true) &&
          this.canBe(call.args[1], true) && this.canBe(call.args[1], false);
      case "held":
        return this.canBe(call.args[0], true) && momentaryPart(call.args[0]) === null;
      default:
        return true;
    }
  }

  /** Edges are of a sample, `absent` of the time after it: never both at once. */
  #silence(moment: Moment, silent: boolean): boolean {
    if (moment.silent === !silent) return false;
    moment.silent = silent;
    return true;
  }
}

/** What a function's being true says of its argument at the same moment. */
function implied({ condition, is }: Goal): readonly Goal[] {
  if (condition.kind !== "call" || !is) return [];
  switch (condition.fn) {
    case "rose":
      return [{ condition: condition.args[0], is: true }];
    case "fell":
      return [{ condition: condition.args[0], is: false }];
    case "seq":
      return [{ condition: condition.args[1], is: true }];
    case "held":
      // In silence a run stands as its last sample left it, while edges are false.
      return hasEdge(condition.args[0]) ? [] : [{ condition: condition.args[0], is: true }];
    default:
      return [];
  }
}

/** Functions that are true on the sample where something happens. */
const EDGES: readonly string[] = ["rose", "fell", "changed", "seq", "entered", "left"];

function hasEdge(condition: Condition): boolean {
  let found = false;
  walk(condition, (node) => {
    if (node.kind !== "call") return;
    if (EDGES.includes(node.fn) || (node.fn === "custom" && node.result === "event")) found = true;
  });
  return found;
}

/**
 * The part that makes a condition true on single samples only, a false between any two: `rose`,
 * `fell` or `seq`, which all of it needs. No run of it lasts. Null: there is none.
 */
export function momentaryPart(condition: Condition): Condition | null {
  if (condition.kind === "and") {
    return momentaryPart(condition.left) ?? momentaryPart(condition.right);
  }
  if (condition.kind !== "call") return null;
  return ["rose", "fell", "seq"].includes(condition.fn) ? condition : null;
}
