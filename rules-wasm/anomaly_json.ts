/** Writes transitions as JSON, fields in the order of the contract. */
import {
  CLEAR_REASONS,
  SEVERITIES,
  TRANSITION_KINDS,
  type TransitionKind,
} from "../contract/anomaly.ts";
import type { MessagePart, Rule, TermSource } from "./language/ast.ts";

/** A transition as the kernel tells it; kind, reason and severity are positions in the contract. */
export interface TransitionData {
  /** The anomaly's id, 16 hexadecimal digits. */
  readonly id: string;
  readonly kind: number;
  readonly reason: number;
  readonly severity: number;
  readonly count: number;
  readonly onset: number;
  readonly at: number;
  readonly append: number;
  /** The sample that caused this transition, or that its timer counts from. */
  readonly sourceOffset: number;
  readonly sourceIndex: number;
}

const CLEARED: TransitionKind = "cleared";

/** A vehicle's id in the forms that a transition needs. */
export interface VehicleText {
  readonly id: string;
  /** As JSON, quotes included. */
  readonly json: string;
}

/** Writes a part of a JSON text from captures, beginning at one of them. */
type Writer = (captures: Float64Array, at: number, vehicle: VehicleText) => string;

/** Writes the transitions of one rule in one partition. */
export class TransitionWriter {
  readonly #head: string;
  readonly #terms: readonly Writer[];
  readonly #termCaptures: readonly number[];
  readonly #message: readonly Writer[];
  readonly #messageCaptures: readonly number[];

  constructor(readonly rule: Rule, version: string, readonly partition: number) {
    this.#head = `"rule":${JSON.stringify(rule.id)},"version":${
      JSON.stringify(version)
    },"vehicle":`;
    this.#terms = rule.terms.map(termWriter);
    this.#termCaptures = rule.terms.map((term) => term.kind === "compare" ? 2 : 1);
    this.#message = rule.message.map(messageWriter);
    this.#messageCaptures = rule.message.map((part) => part.kind === "value" ? 1 : 0);
  }

  /**
   * The transition's JSON.
   *
   * @param captures values of the terms (left and right, or the condition as 1 and 0), then of the
   * message's parts; NaN is unknown
   */
  write(data: TransitionData, vehicle: VehicleText, captures: Float64Array): string {
    const { id, onset } = data;
    const kind = TRANSITION_KINDS[data.kind];
    const reason = kind === CLEARED ? `"reason":"${CLEAR_REASONS[data.reason]}",` : "";
    let at = 0;
    let terms = "";
    for (let i = 0; i < this.#terms.length; i++) {
      terms += (i === 0 ? "" : ",") + this.#terms[i](captures, at, vehicle);
      at += this.#termCaptures[i];
    }
    let message = "";
    for (let i = 0; i < this.#message.length; i++) {
      message += this.#message[i](captures, at, vehicle);
      at += this.#messageCaptures[i];
    }
    return `{"id":"${id}","kind":"${kind}",${reason}${this.#head}${vehicle.json},` +
      `"severity":"${SEVERITIES[data.severity]}","onset":${onset},"at":${data.at},` +
      `"append":${data.append},"count":${data.count},"message":"${message}",` +
      `"terms":[${terms}],"source":{"partition":${this.partition},` +
      `"offset":"${data.sourceOffset}","index":${data.sourceIndex}}}`;
  }
}

function termWriter(term: TermSource): Writer {
  if (term.kind === "condition") {
    const head = `{"text":${JSON.stringify(term.text)},"value":`;
    return (captures, at) => {
      const result = captures[at];
      return `${head}${Number.isNaN(result) ? "null" : result !== 0},"limit":null,"unit":""}`;
    };
  }
  const { text, unit, names } = term.term;
  const head = `{"text":${JSON.stringify(text)},"value":`;
  const tail = `,"unit":${JSON.stringify(unit)}}`;
  return (captures, at) =>
    `${head}${shown(captures[at], names)},"limit":${shown(captures[at + 1], names)}${tail}`;
}

function shown(value: number, names: readonly string[] | undefined): string {
  if (Number.isNaN(value)) return "null";
  const name = names?.[value];
  return name === undefined ? String(value) : JSON.stringify(name);
}

/** A piece of a message within a JSON string. */
function messageWriter(part: MessagePart): Writer {
  switch (part.kind) {
    case "text": {
      const text = escaped(part.text);
      return () => text;
    }
    case "vehicle":
      return (_captures, _at, vehicle) => vehicle.json.slice(1, -1);
    case "value": {
      const unit = part.unit === "" ? "" : escaped(` ${part.unit}`);
      const names = part.names?.map(escaped);
      return (captures, at) => {
        const value = captures[at];
        if (Number.isNaN(value)) return "unknown";
        return names?.[value] ?? `${value}${unit}`;
      };
    }
  }
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
