/** Reading what callers put into addresses and bodies: every fault names the field and what it takes. */
import { HttpFault } from "./problem.ts";

/** Latest time that a caller may name: the end of the year 9999. */
const TIME_MS_MAX = 253402300799999;

/** One of a list of words; undefined if the parameter is absent or empty. @throws {HttpFault} 400 */
export function wordIn<T extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly T[],
): T | undefined {
  const given = query.get(name);
  if (given === null || given === "") return undefined;
  const word = words.find((word) => word === given);
  if (word === undefined) {
    throw new HttpFault(400, `${name} is ${shown(given)}: it takes one of ${words.join(", ")}`);
  }
  return word;
}

/** A whole number within bounds. @throws {HttpFault} 400 */
export function integerIn(
  query: URLSearchParams,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const given = query.get(name);
  if (given === null || given === "") return otherwise;
  const value = /^\d{1,16}$/.test(given) ? Number(given) : NaN;
  if (!(value >= min && value <= max)) {
    throw new HttpFault(
      400,
      `${name} is ${shown(given)}: it takes a whole number from ${min} to ${max}`,
    );
  }
  return value;
}

/** A text; undefined if absent or empty. @throws {HttpFault} 400 if it is too long */
export function textIn(
  query: URLSearchParams,
  name: string,
  charsMax: number,
): string | undefined {
  const given = query.get(name);
  if (given === null || given === "") return undefined;
  if (given.length > charsMax) {
    throw new HttpFault(
      400,
      `${name} has ${given.length} characters: it takes at most ${charsMax}`,
    );
  }
  return given;
}

/** A time in epoch milliseconds; undefined if absent. @throws {HttpFault} 400 */
export function timeIn(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  return given === null || given === "" ? undefined : timeOf(given, name);
}

/** Epoch milliseconds of a number, or of an ISO 8601 text with a zone. @throws {HttpFault} 400 */
export function timeOf(given: unknown, name: string): number {
  let time = NaN;
  if (typeof given === "number") time = given;
  else if (typeof given === "string") {
    if (/^\d{1,15}$/.test(given)) time = Number(given);
    else if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(given)) time = Date.parse(given);
  }
  if (!(time >= 0 && time <= TIME_MS_MAX)) {
    throw new HttpFault(
      400,
      `${name} is ${shown(given)}: it takes epoch milliseconds or ISO 8601 with a zone, such as ` +
        "2026-01-31T12:00:00Z",
    );
  }
  return Math.trunc(time);
}

/** A value as a message shows it, cut short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
