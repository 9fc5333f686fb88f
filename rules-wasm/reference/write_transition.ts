/** How the reference writes a transition: the JSON record of the contract. */
import { createHash } from "node:crypto";
import type { Term, Transition } from "../../contract/anomaly.ts";
import type { MessagePart, Rule, TermSource } from "../language/ast.ts";
import type { VehicleValues } from "./evaluate.ts";
import type { Step } from "./lifecycle.ts";

/** Where a transition happens. */
export interface Place {
  readonly version: string;
  readonly partition: number;
  readonly vehicle: string;
}

/**
 * Writes a transition.
 *
 * @param anomalyId makes the id of rule, vehicle, onset, partition, offset and index
 */
export function writeTransition(
  rule: Rule,
  step: Step,
  values: VehicleValues,
  place: Place,
): Transition {
  const { kind, reason, severity, onset, at, count, cause } = step;
  return {
    id: anomalyId(rule.id, place, step),
    kind,
    ...(reason === undefined ? {} : { reason }),
    rule: rule.id,
    version: place.version,
    vehicle: place.vehicle,
    severity,
    onset,
    at,
    append: cause.append,
    count,
    message: rule.message.map((part) => messageText(part, values, place.vehicle)).join(""),
    terms: rule.terms.map((term) => termAt(term, values)),
    source: { partition: place.partition, offset: String(cause.offset), index: cause.index },
  };
}

/** First 64 bits of SHA-256 over the parts, as text, each ended by a newline. */
function anomalyId(rule: string, place: Place, { onset, opener }: Step): string {
  const parts = [rule, place.vehicle, onset, place.partition, opener.offset, opener.index];
  return createHash("sha256").update(parts.map((part) => `${part}\n`).join("")).digest("hex")
    .slice(0, 16);
}

function messageText(part: MessagePart, values: VehicleValues, vehicle: string): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "vehicle":
      return vehicle;
    case "value": {
      const value = values.value(part.of);
      if (Number.isNaN(value)) return "unknown";
      if (part.names) return part.names[value] ?? String(value);
      return part.unit === "" ? String(value) : `${value} ${part.unit}`;
    }
  }
}

function termAt(term: TermSource, values: VehicleValues): Term {
  if (term.kind === "condition") {
    return { text: term.text, value: values.truth(term.of), limit: null, unit: "" };
  }
  const { text, unit, names } = term.term;
  return {
    text,
    value: shown(values.value(term.left), names),
    limit: shown(values.value(term.right), names),
    unit,
  };
}

function shown(value: number, names: readonly string[] | undefined): number | string | null {
  if (Number.isNaN(value)) return null;
  return names?.[value] ?? value;
}
