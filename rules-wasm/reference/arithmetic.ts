/** Arithmetic and comparisons of the reference: three-valued, unknown being NaN or null. */

/** true, false, or null for unknown. */
export type Truth = boolean | null;

/** A function of known numbers; an unknown one makes it unknown. */
export function arithmetic(
  fn: "abs" | "sqrt" | "min" | "max" | "clamp" | string,
  args: number[],
): number {
  switch (fn) {
    case "abs":
      return Math.abs(args[0]);
    case "sqrt":
      return Math.sqrt(args[0]);
    case "min":
      return args.reduce((a, b) => Math.min(a, b));
    case "max":
      return args.reduce((a, b) => Math.max(a, b));
    case "clamp":
      return Math.min(Math.max(args[0], args[1]), args[2]);
    default:
      throw new RangeError(`Cannot evaluate "${fn}": the reference does not know it`);
  }
}

/** A comparison; unknown if a side is. */
export function compare(op: string, left: number, right: number): Truth {
  if (Number.isNaN(left) || Number.isNaN(right)) return null;
  switch (op) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "==":
      return left === right;
    default:
      return left !== right;
  }
}

/** A result that is not finite is unknown. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : NaN;
}

/** A truth as 1, 0 or NaN. */
export function toNumber(truth: Truth): number {
  return truth === null ? NaN : truth ? 1 : 0;
}
