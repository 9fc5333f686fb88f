/** The canonical text of a checked tree: equal text, equal meaning. */
import type { Catalog } from "../../contract/catalog.ts";
import type { Expression } from "./brings.ts";

/**
 * Writes a tree without what bears on its looks only (texts of terms, units, spelling).
 *
 * Two trees with equal text compute the same and keep the same state: operators may be shared
 * within a version, and carried over from one to the next.
 *
 * @param signal how a signal is named; by default `#` and its number, which holds within one
 * catalog. Across catalogs, give what bears on a signal's meaning (name, unit, `stale_after`).
 */
export function structure(
  expr: Expression,
  signal: (number: number) => string = (number) => `#${number}`,
): string {
  const write = (node: Expression): string => {
    switch (node.kind) {
      case "number":
        return numberText(node.value);
      case "name":
        return `(name ${node.value} ${JSON.stringify(node.text)})`;
      case "signal":
        return `(${node.type} ${signal(node.signal)})`;
      case "boolean":
        return String(node.value);
      case "flag":
        return `(flag ${signal(node.signal)})`;
      case "negate":
        return `(negate ${write(node.of)})`;
      case "convert":
        return `(convert ${numberText(node.factor)} ${numberText(node.offset)} ${write(node.of)})`;
      case "not":
      case "truth":
        return `(${node.kind} ${write(node.of)})`;
      case "arithmetic":
      case "compare":
        return `(${node.op} ${write(node.left)} ${write(node.right)})`;
      case "and":
      case "or":
        return `(${node.kind} ${write(node.left)} ${write(node.right)})`;
      case "call": {
        const args = "args" in node ? node.args.map((arg) => ` ${write(arg)}`).join("") : "";
        const zone = "zone" in node ? ` ${node.zone.digest}` : "";
        const duration = "durationMs" in node ? ` ${node.durationMs}ms` : "";
        const own = node.fn === "custom" ? ` ${node.operator.name}:${node.operator.hash}` : "";
        return `(${node.fn}${own}${zone}${args}${duration})`;
      }
    }
  };
  return write(expr);
}

/** How the signals of a catalog are named wherever structures of several catalogs meet. */
export function signalText(catalog: Catalog): (number: number) => string {
  return (number) => {
    const { name, unit, staleAfterMs, names } = catalog.signals[number];
    return JSON.stringify([name, unit, String(staleAfterMs), ...names]);
  };
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
