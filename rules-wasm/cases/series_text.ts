/**
 * Series of values as they stand in a file of rule tests: `100 +5x10 150x5 _x3 110`.
 *
 * Items are separated by spaces, or are those of a list: a value; a value so many times (`90x5`); a
 * step from the value before, so many times (`+5x10`, `-2.5x4`); nothing (`_`, `_x3`); last, a
 * value or nothing as long as the longest series of the vehicle goes (`900x*`).
 */
import type { Signal } from "../../contract/catalog.ts";
import { didYouMean, type FaultList, quote } from "../language/faults.ts";
import type { Node, ScalarNode } from "../language/yaml_text.ts";

/** A value as JSON has it; null: the signal is not sent. */
export type SeriesValue = number | boolean | string | null;

/** Values of a signal, one for each step of time. */
export interface Series {
  readonly values: readonly SeriesValue[];
  /** What goes on as long as the vehicle's longest series does; undefined: nothing is sent. */
  readonly rest: SeriesValue | undefined;
}

/** Most values of one series. */
export const SERIES_MAX = 100_000;

const ADVICE = "items are 90, 90x5, +5x10, _ and _x3; 90x* goes on as long as the others";

/** Reads a series, one value a step. */
export function readSeries(node: Node, signal: Signal, faults: FaultList): Series {
  const reader = new SeriesReader(signal, faults);
  const items = node.kind === "list" ? node.items : [node];
  for (const item of items) {
    if (item.kind !== "scalar" || item.isNull) {
      faults.add(item.span, `Cannot use this as a series of ${signal.name}`, ADVICE);
    } else reader.take(item);
  }
  return reader;
}

class SeriesReader implements Series {
  readonly values: SeriesValue[] = [];
  rest: SeriesValue | undefined;
  #full = false;

  constructor(readonly signal: Signal, readonly faults: FaultList) {}

  take(scalar: ScalarNode): void {
    // A text in quotes within a list may be a name with spaces in it.
    if (this.signal.names.includes(scalar.text)) {
      this.#repeat(scalar.text, 1, scalar, 0, scalar.text);
      return;
    }
    for (const found of scalar.text.matchAll(/\S+/g)) this.#item(found[0], scalar, found.index);
  }

  #item(text: string, scalar: ScalarNode, at: number): void {
    const { name } = this.signal;
    const refuse = (why: string, advice = ADVICE) =>
      this.faults.add(
        scalar.place.locate(at, text.length),
        `Cannot use ${quote(text)} in the series of ${name}: ${why}`,
        advice,
      );
    if (this.rest !== undefined) return refuse("what ends in x* comes last");
    const step = /^([+-]\d+(?:\.\d+)?)x(\d+)$/.exec(text);
    if (step !== null && this.signal.type === "number") {
      const before = this.values.at(-1);
      if (typeof before !== "number") {
        const times = Number(step[2]) - 1;
        const meant = `a value below zero is repeated as ${Number(step[1])} +0x${times}`;
        return refuse(
          "there is no value before it to step from",
          Number(step[1]) < 0 ? meant : ADVICE,
        );
      }
      return this.#steps(before, Number(step[1]), Number(step[2]), refuse);
    }
    const [, own = text, times = "1"] = /^(.+?)x(\d+|\*)$/.exec(text) ?? [];
    const whole = this.#value(text);
    const value = whole === undefined ? this.#value(own) : whole;
    if (value === undefined) return refuse(this.#what(own), this.#advice(own));
    if (typeof value === "number" && !this.#within(value)) return refuse(this.#range(value), "");
    if (whole === undefined && times === "*") this.rest = value;
    else this.#repeat(value, whole === undefined ? Number(times) : 1, scalar, at, text);
  }

  #steps(from: number, step: number, times: number, refuse: (why: string) => void): void {
    const last = stepped(from, step, times);
    if (!this.#within(last)) return refuse(this.#range(last));
    if (!this.#room(times)) return refuse(`a series has at most ${SERIES_MAX} values`);
    for (let i = 1; i <= times; i++) this.values.push(stepped(from, step, i));
  }

  #repeat(value: SeriesValue, times: number, scalar: ScalarNode, at: number, text: string): void {
    if (this.#room(times)) {
      for (let i = 0; i < times; i++) this.values.push(value);
    } else if (!this.#full) {
      this.#full = true;
      const span = scalar.place.locate(at, text.length);
      this.faults.add(span, `Cannot use a series of more than ${SERIES_MAX} values`);
    }
  }

  #room(times: number): boolean {
    return this.values.length + times <= SERIES_MAX;
  }

  /** The value that a text is, null for none sent; undefined if it is none of the signal's. */
  #value(text: string): SeriesValue | undefined {
    if (text === "_") return null;
    switch (this.signal.type) {
      case "number":
        return /^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
      case "boolean":
        return text === "true" || text === "false" ? text === "true" : undefined;
      case "name":
        return this.signal.names.includes(text) ? text : undefined;
    }
  }

  #within(value: number): boolean {
    return value >= this.signal.min && value <= this.signal.max;
  }

  #range(value: number): string {
    const { min, max, unit } = this.signal;
    return `${value} lies outside its range, ${min} to ${max}${unit === "" ? "" : ` ${unit}`}`;
  }

  #what(text: string): string {
    const what = { number: "a number", boolean: "true or false", name: "one of its names" };
    return `${quote(text)} is not ${what[this.signal.type]}`;
  }

  #advice(text: string): string {
    if (this.signal.type !== "name") return ADVICE;
    const near = didYouMean(text, this.signal.names);
    return near === "" ? `its names are ${this.signal.names.join(", ")}` : near;
  }
}

/** A value so many steps on, without the dust of adding. */
function stepped(from: number, step: number, times: number): number {
  return Number((from + step * times).toPrecision(12));
}
