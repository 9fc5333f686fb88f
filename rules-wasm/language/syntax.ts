/** The raw syntax tree: an expression as written, before names and units are looked at. */
import type { ArithmeticOp, CompareOp } from "./ast.ts";

/** Where a node stands in the expression's text, UTF-16 units. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A node of the raw tree. */
export type Syntax =
  & Range
  & (
    | { readonly kind: "number"; readonly value: number; readonly unit: UnitSyntax | null }
    | { readonly kind: "string"; readonly text: string }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "signal"; readonly name: string }
    | {
      readonly kind: "call";
      readonly name: string;
      /** The name alone, for faults that concern the function. */
      readonly nameRange: Range;
      readonly args: readonly Syntax[];
    }
    | { readonly kind: "negate"; readonly of: Syntax }
    | { readonly kind: "not"; readonly of: Syntax }
    | {
      readonly kind: "arithmetic";
      readonly op: ArithmeticOp;
      readonly left: Syntax;
      readonly right: Syntax;
    }
    | {
      readonly kind: "compare";
      readonly op: CompareOp;
      readonly left: Syntax;
      readonly right: Syntax;
    }
    | { readonly kind: "and" | "or"; readonly left: Syntax; readonly right: Syntax }
  );

/** A unit as written behind a number, without spaces: `km/h`. */
export interface UnitSyntax extends Range {
  readonly text: string;
}
