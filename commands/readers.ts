/** Readers of setting values: text to value, or the rule that the text broke. */
import { REFUSAL_REASONS } from "../contract/telemetry.ts";
import { suggest } from "./suggest.ts";

/** Reads a text; a string result completes the sentence "it …". */
export type Reader<T> = (text: string) => { readonly value: T } | string;

/** Any text. */
export const text: Reader<string> = (value) => ({ value });

/** Any text but the empty one. */
export const nonEmpty: Reader<string> = (value) => value === "" ? "must not be empty" : { value };

/** Texts, one a line. */
export const textList: Reader<readonly string[]> = (value) => ({
  value: value.split("\n").filter((each) => each !== ""),
});

/** Reasons for which telemetry is refused, one a line. */
export const reasonList: Reader<readonly string[]> = (value) => {
  const known: readonly string[] = REFUSAL_REASONS.slice(1);
  const list = value.split("\n").filter((each) => each !== "");
  const wrong = list.find((each) => !known.includes(each));
  return wrong === undefined
    ? { value: list }
    : `must be a reason of refusal, not "${wrong}"${suggest(wrong, known)}: ${known.join(", ")}`;
};

/** True or false. */
export const flag: Reader<boolean> = (value) =>
  value === "true" || value === "false" ? { value: value === "true" } : "must be true or false";

/** One of the names given. */
export function choice<const T extends string>(...names: readonly T[]): Reader<T> {
  return (value) => {
    const found = names.find((name) => name === value);
    return found === undefined
      ? `must be ${names.filter((name) => name !== "").join(" or ")}`
      : { value: found };
  };
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Reader<number> {
  return (value) => {
    const number = Number(value);
    return /^[+-]?\d+$/.test(value) && number >= min && number <= max
      ? { value: number }
      : `must be a whole number from ${min} to ${max}`;
  };
}

const UNIT_MS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const UNIT_BYTES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function quantity(value: string, units: Readonly<Record<string, number>>): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(value);
  const factor = match && Object.hasOwn(units, match[2]) ? units[match[2]] : NaN;
  return match ? Math.round(Number(match[1]) * factor) : NaN;
}

/** A duration in milliseconds: a number with ms, s, min, h or d; `forever` is Infinity. */
export const duration: Reader<number> = (value) => {
  const ms = value === "forever" ? Infinity : quantity(value, UNIT_MS);
  return ms > 0
    ? { value: ms }
    : "must be a duration above 0 such as `30 s` or `7 d`, or `forever`";
};

/** A duration in milliseconds within bounds, which are told as they are written. */
export function durationWithin(
  min: number,
  max: number,
  minText: string,
  maxText: string,
): Reader<number> {
  return (value) => {
    const ms = quantity(value, UNIT_MS);
    return ms >= min && ms <= max
      ? { value: ms }
      : `must be a duration from \`${minText}\` to \`${maxText}\``;
  };
}

/** A size in bytes: a number with B, KB, MB, GB, KiB, MiB or GiB; `unlimited` is Infinity. */
export const size: Reader<number> = (value) => {
  const bytes = value === "unlimited" ? Infinity : quantity(value, UNIT_BYTES);
  return bytes > 0 ? { value: bytes } : "must be a size above 0 such as `2 GiB`, or `unlimited`";
};

/** An instant, epoch milliseconds: an ISO 8601 time (without a zone UTC) or a number. */
export const timestamp: Reader<number> = (value) => {
  const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/;
  let ms = NaN;
  if (/^\d{10,14}$/.test(value)) ms = Number(value);
  else if (iso.test(value)) {
    const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(value) && value.length > 10;
    ms = Date.parse(zoned || value.length === 10 ? value : `${value.replace(" ", "T")}Z`);
  }
  return Number.isFinite(ms)
    ? { value: ms }
    : "must be a time such as `2026-03-01T12:00:00Z`, or epoch milliseconds";
};

/** Times real time: a number above 0, or `max`. */
export const replaySpeed: Reader<number> = (value) => {
  if (value === "max") return { value: Infinity };
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
  return number > 0 ? { value: number } : "must be a number above 0, or max";
};

/** `HOST:PORT,…`, at least one. */
export const brokerList: Reader<readonly string[]> = (value) => {
  const list = value.split(",").map((each) => each.trim()).filter((each) => each !== "");
  const wrong = list.find((each) => !/^([^:\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(each));
  if (wrong !== undefined) return `must be HOST:PORT,… (it names "${wrong}")`;
  return list.length === 0 ? "must name at least one HOST:PORT" : { value: list };
};

/** A name that Kafka takes for a topic. */
export const topicName: Reader<string> = (value) =>
  /^[A-Za-z0-9._-]{1,249}$/.test(value) && value !== "." && value !== ".."
    ? { value }
    : "must be a topic name: letters, digits, `.`, `_`, `-`, at most 249 of them";
