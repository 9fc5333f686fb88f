/**
 * The custom operators: functions of the rule language that are written in AssemblyScript, each in
 * a file of its own under `rules-wasm/assembly/custom/` (docs/custom_operators.md).
 *
 * To add one, write its file, add its declaration to `CUSTOM_OPERATORS`, and run
 * `deno task build:kernel`.
 */

/** What the number of an argument, or of a result, is measured in. */
export type CustomUnit =
  /** A unit (`"km/h"`; `"degC"` is a temperature, `"K"` a difference of two), `""` for none. */
  | { readonly unit: string }
  /** The unit of an earlier argument. */
  | { readonly like: string }
  /** That of differences of an earlier argument: K for temperatures, otherwise the same. */
  | { readonly differenceOf: string };

/** An argument; the function takes each as a number. */
export type CustomArgument =
  & { readonly name: string }
  & (
    /** A value in that unit, NaN for unknown; `"any"` takes every unit and converts nothing. */
    | { readonly kind: "number" } & CustomUnit
    /** 1 for true, 0 for false, NaN for unknown. */
    | { readonly kind: "condition" }
    /** A constant in milliseconds, at least `leastMs` (default 1). */
    | { readonly kind: "duration"; readonly leastMs?: number }
  );

/** What the number that the function returns means; one that is not finite is unknown. */
export type CustomResult =
  | { readonly kind: "number" } & CustomUnit
  /** 1 is true, 0 false, all else unknown; it stands until the next sample that brings the call. */
  | { readonly kind: "condition" }
  /** The same, but false on every sample that does not bring the call, and at a silence. */
  | { readonly kind: "event" };

/** The declaration of a custom operator. */
export interface CustomOperator {
  /** Its name in rules, of its function, and of its file. */
  readonly name: string;
  readonly arguments: readonly CustomArgument[];
  readonly result: CustomResult;
  /** Numbers that it keeps for each vehicle and call, 0 to 64. */
  readonly slots: number;
}

/** Every custom operator. */
export const CUSTOM_OPERATORS: readonly CustomOperator[] = [
  {
    name: "cusum",
    arguments: [
      { name: "x", kind: "number", unit: "any" },
      { name: "target", kind: "number", like: "x" },
      { name: "slack", kind: "number", differenceOf: "x" },
      { name: "limit", kind: "number", differenceOf: "x" },
    ],
    result: { kind: "number", differenceOf: "x" },
    slots: 2,
  },
];
