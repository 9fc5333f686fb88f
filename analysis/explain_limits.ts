/** The numeric limits of a condition: where they stand, and the same condition with another one. */
import type { CompareOp, Condition, Rule, Value } from "../rules-wasm/language/ast.ts";

type Compare = Extract<Condition, { kind: "compare" }>;

/** A comparison with a number. */
export interface Limit {
  readonly compare: Compare;
  /** The comparison read with its number on the right. */
  readonly op: CompareOp;
  readonly of: Value;
  readonly value: number;
  /** Where the limit goes for `when` to be true less often: up, down, or it cannot be told. */
  readonly stricter: "above" | "below" | "either";
}

/** Whether more trues of a part make more (1) or fewer (-1) trues of the whole; 0: either. */
type Bearing = 1 | -1 | 0;

const MIRRORED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" } as const;

/** Every comparison with a number in a condition, those within functions too, left to right. */
export function limitsOf(condition: Condition): readonly Limit[] {
  const found: Limit[] = [];
  inCondition(condition, 1, (limit) => found.push(limit));
  return found;
}

/** The rule with another limit. */
export function withLimit(rule: Rule, limit: Limit, value: number): Rule {
  return { ...rule, when: replaced(rule.when, limit.compare, value) };
}

function inCondition(node: Condition, bearing: Bearing, take: (limit: Limit) => void): void {
  switch (node.kind) {
    case "boolean":
    case "flag":
      return;
    case "and":
    case "or":
      inCondition(node.left, bearing, take);
      inCondition(node.right, bearing, take);
      return;
    case "not":
      inCondition(node.of, reversed(bearing), take);
      return;
    case "compare":
      inCompare(node, bearing, take);
      return;
    case "call":
      switch (node.fn) {
        case "held":
          inCondition(node.args[0], bearing, take);
          return;
        case "seq":
          inCondition(node.args[0], bearing, take);
          inCondition(node.args[1], 0, take);
          return;
        case "rose":
        case "fell":
          inCondition(node.args[0], 0, take);
          return;
        case "changed":
          inValue(node.args[0], 0, take);
          return;
        case "custom":
          for (const arg of node.args) inValue(arg, 0, take);
          return;
        case "absent":
        case "inside":
          return;
      }
  }
}

function inCompare(node: Compare, bearing: Bearing, take: (limit: Limit) => void): void {
  const { left, right, op } = node;
  // A greater value on the left makes it true, or false.
  const grows: Bearing = op === ">" || op === ">=" ? 1 : op === "<" || op === "<=" ? -1 : 0;
  inValue(left, times(bearing, grows), take);
  inValue(right, times(bearing, reversed(grows)), take);
  if (node.term.names !== undefined) return;
  const strict = (down: Bearing) => {
    const towards = times(bearing, down);
    return towards === 1 ? "above" : towards === -1 ? "below" : "either";
  };
  if (right.kind === "number" && left.kind !== "number") {
    take({ compare: node, op, of: left, value: right.value, stricter: strict(grows) });
  } else if (left.kind === "number" && right.kind !== "number") {
    const mirrored = MIRRORED[op];
    const stricter = strict(reversed(grows));
    take({ compare: node, op: mirrored, of: right, value: left.value, stricter });
  }
}

/** @param bearing whether a greater value makes the whole true more often */
function inValue(node: Value, bearing: Bearing, take: (limit: Limit) => void): void {
  switch (node.kind) {
    case "number":
    case "name":
    case "signal":
      return;
    case "truth":
      inCondition(node.of, bearing, take);
      return;
    case "negate":
      inValue(node.of, reversed(bearing), take);
      return;
    case "convert":
      inValue(node.of, node.factor > 0 ? bearing : 0, take);
      return;
    case "arithmetic":
      inValue(node.left, 0, take);
      inValue(node.right, 0, take);
      return;
    case "call":
      if (node.fn === "count") inCondition(node.args[0], bearing, take);
      else if ("args" in node) { for (const arg of node.args) inValue(arg, 0, take); }
  }
}

function reversed(bearing: Bearing): Bearing {
  return bearing === 1 ? -1 : bearing === -1 ? 1 : 0;
}

function times(a: Bearing, b: Bearing): Bearing {
  return b === 1 ? a : b === -1 ? reversed(a) : 0;
}

function replaced(node: Condition, target: Compare, value: number): Condition {
  const again = (each: Condition) => replaced(each, target, value);
  const inside = (each: Value) => replacedIn(each, target, value);
  switch (node.kind) {
    case "boolean":
    case "flag":
      return node;
    case "compare": {
      const limit = { kind: "number", value } as const;
      if (node === target) {
        return node.right.kind === "number" ? { ...node, right: limit } : { ...node, left: limit };
      }
      return { ...node, left: inside(node.left), right: inside(node.right) };
    }
    case "and":
    case "or":
      return { ...node, left: again(node.left), right: again(node.right) };
    case "not":
      return { ...node, of: again(node.of) };
    case "call":
      switch (node.fn) {
        case "absent":
        case "inside":
          return node;
        case "changed":
          return { ...node, args: [inside(node.args[0])] };
        case "rose":
        case "fell":
          return { ...node, args: [again(node.args[0])] };
        case "held":
          return { ...node, args: [again(node.args[0])] };
        case "seq":
          return { ...node, args: [again(node.args[0]), again(node.args[1])] };
        case "custom":
          return { ...node, args: node.args.map(inside) };
      }
  }
}

function replacedIn(node: Value, target: Compare, value: number): Value {
  const again = (each: Value) => replacedIn(each, target, value);
  switch (node.kind) {
    case "number":
    case "name":
    case "signal":
      return node;
    case "truth":
      return { ...node, of: replaced(node.of, target, value) };
    case "negate":
    case "convert":
      return { ...node, of: again(node.of) };
    case "arithmetic":
      return { ...node, left: again(node.left), right: again(node.right) };
    case "call":
      switch (node.fn) {
        case "hour":
        case "weekday":
        case "latitude":
        case "longitude":
        case "moved":
          return node;
        case "abs":
        case "sqrt":
        case "min":
        case "max":
        case "clamp":
          return { ...node, args: node.args.map(again) };
        case "prev":
        case "age":
          return { ...node, args: [again(node.args[0])] };
        case "count":
          return { ...node, args: [replaced(node.args[0], target, value)] };
        case "custom":
          return { ...node, args: node.args.map(again) };
        case "delta":
        case "rate":
          return { ...node, args: [again(node.args[0])] };
        case "ewma":
        case "zscore":
          return { ...node, args: [again(node.args[0])] };
        default:
          return { ...node, args: [again(node.args[0])] };
      }
  }
}
