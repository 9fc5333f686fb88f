/** What the checker knows of a sub-expression beside its tree: kind, unit, scale. */
import type { Condition, Value } from "./ast.ts";
import { isTemperature, type Unit } from "./units.ts";

/**
 * What a quantity's numbers are on their unit's scale. Only temperatures tell them apart: a point
 * (95 degC), a difference (5 K), or a constant that may be read as either. Everything else is a
 * "difference".
 */
export type Scale = "point" | "difference" | "either";

/** A number with its unit; null is a bare constant, which takes the unit of the other side. */
export interface Quantity {
  readonly kind: "quantity";
  readonly value: Value;
  readonly unit: Unit | null;
  readonly scale: Scale;
}

/** A sub-expression with its type. */
export type Typed =
  | Quantity
  /** One of a list of names. */
  | { readonly kind: "name"; readonly value: Value; readonly names: readonly string[] }
  /** A boolean signal (or its previous value): a value of 0 or 1, and a condition. */
  | { readonly kind: "boolean"; readonly value: Value; readonly condition: Condition }
  | { readonly kind: "condition"; readonly condition: Condition }
  | { readonly kind: "string"; readonly text: string };

/** How the values of boolean signals are shown; the index is the value. */
export const BOOLEAN_NAMES: readonly string[] = ["false", "true"];

/** A quantity of a value that is no constant, or of a constant with a unit. */
export function quantity(value: Value, unit: Unit | null, scale?: Scale): Quantity {
  const usual: Scale = unit !== null && isTemperature(unit) ? "either" : "difference";
  return { kind: "quantity", value, unit, scale: scale ?? usual };
}

/** The constant that a quantity is, or null. */
export function constantOf(q: Quantity): number | null {
  return q.value.kind === "number" ? q.value.value : null;
}

/** What a typed expression is called in messages. */
export function kindText(typed: Typed): string {
  switch (typed.kind) {
    case "quantity":
      return "a number";
    case "name":
      return "a name";
    case "boolean":
      return "true or false";
    case "condition":
      return "a condition";
    case "string":
      return "a text";
  }
}
