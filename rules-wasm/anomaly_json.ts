/** Writes transitions as JSON, fields in the order of the contract. */
import {
  CLEAR_REASONS,
  SEVERITIES,
  TRANSITION_KINDS,
  type TransitionKind,
} from "../contract/anomaly.ts";
import { anomalyId } from "./anomaly_id.ts";
import type { MessagePart, Rule, TermSource } from "./language/ast.ts";

/** A transition as the kernel tells it; kind, reason and severity are positions in the contract. */
export interface TransitionData {
  readonly kind: number;
  readonly reason: number;
  readonly severity: number;
  readonly count: number;
  readonly onset: number;
  readonly at: number;
  readonly append: number;
  /** The sample that opened it. */
  readonly openOffset: number;
  readonly openIndex: number;
  /** The sample that caused this transition, or that its timer counts from. */
  readonly sourceOffset: number;
  readonly sourceIndex: number;
}

const CLEARED: TransitionKind = "cleared";

/** Writes the transitions of one rule in one partition. */
export class TransitionWriter {
  readonly #rule: string;
  readonly #version: string;
  readonly #terms: readonly ((captures: Float64Array, at: number) => string)[];
  readonly #termCaptures: readonly number[];

  constructor(readonly rule: Rule, version: string, readonly partition: number) {
    this.#rule = JSON.stringify(rule.id);
    this.#version = JSON.stringify(version);
    this.#terms = rule.terms.map(termWriter);
    this.#termCaptures = rule.terms.map((term) => term.kind === "compare" ? 2 : 1);
  }

  /**
   * The transition's JSON.
   *
   * @param captures values of the terms (left and right, or the condition as 1 and 0), then of the
   * message's parts; NaN is unknown
   */
  write(data: TransitionData, vehicle: string, captures: Float64Array): string {
    const { openOffset: offset, openIndex: index, onset } = data;
    const { partition } = this;
    const id = anomalyId({ rule: this.rule.id, vehicle, onset, partition, offset, index });
    const kind = TRANSITION_KINDS[data.kind];
    const reason = kind === CLEARED ? `"reason":"${CLEAR_REASONS[data.reason]}",` : "";
    let at = 0;
    const terms: string[] = [];
    this.#terms.forEach((write, i) => {
      terms.push(write(captures, at));
      at += this.#termCaptures[i];
    });
    const message = JSON.stringify(messageText(this.rule.message, vehicle, captures, at));
    return `{"id":"${id}","kind":"${kind}",${reason}"rule":${this.#rule},` +
      `"version":${this.#version},"vehicle":${JSON.stringify(vehicle)},` +
      `"severity":"${SEVERITIES[data.severity]}","onset":${onset},"at":${data.at},` +
      `"append":${data.append},"count":${data.count},"message":${message},` +
      `"terms":[${terms.join()}],"source":{"partition":${partition},` +
      `"offset":"${data.sourceOffset}","index":${data.sourceIndex}}}`;
  }
}

function termWriter(term: TermSource): (captures: Float64Array, at: number) => string {
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

function messageText(
  parts: readonly MessagePart[],
  vehicle: string,
  captures: Float64Array,
  from: number,
): string {
  let at = from;
  let text = "";
  for (const part of parts) {
    if (part.kind === "text") text += part.text;
    else if (part.kind === "vehicle") text += vehicle;
    else text += valueText(captures[at++], part.unit, part.names);
  }
  return text;
}

function valueText(value: number, unit: string, names: readonly string[] | undefined): string {
  if (Number.isNaN(value)) return "unknown";
  const name = names?.[value];
  if (name !== undefined) return name;
  return unit === "" ? String(value) : `${value} ${unit}`;
}
