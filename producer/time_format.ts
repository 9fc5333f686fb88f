/** Reads the times of recordings: epochs, ISO 8601, and patterns such as `MM/DD/YYYY HH:mm:ss`. */

/** Reads a text as epoch milliseconds (fractions kept); NaN if it is no time of that format. */
export type TimeReader = (text: string) => number;

/** A reader, or why there is none. */
export type TimeFormatResult =
  | { readonly ok: true; readonly read: TimeReader }
  | { readonly ok: false; readonly message: string; readonly suggestion: string };

const NAMED = ["epoch-s", "epoch-ms", "iso"];
const TOKENS: Readonly<Record<string, string>> = {
  YYYY: "(?<year>\\d{4})",
  MM: "(?<month>\\d{1,2})",
  DD: "(?<day>\\d{1,2})",
  HH: "(?<hour>\\d{1,2})",
  mm: "(?<minute>\\d{1,2})",
  ss: "(?<second>\\d{1,2})",
  SSS: "(?<fraction>\\d{1,9})",
};
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;
const NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Makes the reader of a format.
 *
 * @param format `epoch-s`, `epoch-ms`, `iso`, or a pattern of YYYY MM DD HH mm ss SSS
 * @param zone IANA name of the zone that times without one are in
 */
export function timeReader(format: string, zone: string): TimeFormatResult {
  const clock = zoneClock(zone);
  if (clock === null) {
    return {
      ok: false,
      message: `Cannot use ${JSON.stringify(zone)} as a time zone`,
      suggestion: "write an IANA name such as UTC or Europe/Stockholm",
    };
  }
  switch (format) {
    case "epoch-s":
      // Seconds with decimals are rounded to the microsecond: 1.1 s is 1100 ms, not 1099.99….
      return { ok: true, read: (text) => Math.round(readNumber(text) * 1e6) / 1e3 };
    case "epoch-ms":
      return { ok: true, read: readNumber };
    case "iso":
      return { ok: true, read: (text) => readIso(text, clock) };
  }
  const pattern = compile(format);
  if (pattern === null) {
    return {
      ok: false,
      message: `Cannot use ${JSON.stringify(format)} as a time format`,
      suggestion: `write ${NAMED.join(", ")}, or a pattern with at least YYYY, MM and DD, ` +
        "such as MM/DD/YYYY HH:mm:ss",
    };
  }
  return { ok: true, read: (text) => readPattern(text, pattern, clock) };
}

/**
 * Reads a time as it may stand on the wire: epoch milliseconds or ISO 8601, without a zone UTC.
 *
 * @returns epoch milliseconds, NaN if it is none
 */
export function readWireTime(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" ? readIso(value, UTC) : NaN;
}

function readNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : NaN;
}

function readIso(text: string, clock: ZoneClock): number {
  const found = ISO.exec(text);
  if (found === null) return NaN;
  const [, year, month, day, hour, minute, second = "0", fraction = "", zone] = found;
  const local = wallTime(
    { year, month, day, hour, minute, second, fraction },
  );
  if (zone === undefined) return clock(local);
  if (zone === "Z" || zone === "z") return local;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || "0");
  if (hours > 18 || minutes > 59) return NaN;
  return local - (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function compile(format: string): RegExp | null {
  const names = new Set<string>();
  let source = "";
  for (const part of format.split(/(YYYY|MM|DD|HH|mm|ss|SSS)/)) {
    const token = TOKENS[part];
    if (token === undefined) {
      source += part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\s+/g, "\\s+");
      continue;
    }
    if (names.has(part)) return null;
    names.add(part);
    source += token;
  }
  const dated = names.has("YYYY") && names.has("MM") && names.has("DD");
  return dated ? new RegExp(`^${source}$`) : null;
}

function readPattern(text: string, pattern: RegExp, clock: ZoneClock): number {
  const groups = pattern.exec(text)?.groups;
  return groups === undefined ? NaN : clock(wallTime(groups));
}

/** The wall clock reading as if it were UTC; NaN if no calendar has it. */
function wallTime(parts: Readonly<Record<string, string | undefined>>): number {
  const number = (name: string) => Number(parts[name] ?? "0");
  const [year, month, day] = [number("year"), number("month"), number("day")];
  const [hour, minute, second] = [number("hour"), number("minute"), number("second")];
  if (hour > 23 || minute > 59 || second > 59) return NaN;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  // Date.UTC takes a 31st of February for a day in March, and years below 100 for the 1900s.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return NaN;
  if (date.getUTCFullYear() !== year) return NaN;
  return ms + Number(`0.${parts.fraction ?? "0"}`) * 1000;
}

/** Epoch milliseconds of a wall clock reading (given as if it were UTC). */
type ZoneClock = (local: number) => number;

const UTC: ZoneClock = (local) => local;
/** Offsets change at quarters of an hour at the finest. */
const QUARTER_MS = 900_000;

function zoneClock(zone: string): ZoneClock | null {
  if (/^(UTC|GMT|Z|Etc\/UTC)$/i.test(zone)) return UTC;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  let cachedQuarter = NaN;
  let cachedOffset = 0;
  const offsetAt = (ms: number): number => {
    const quarter = Math.floor(ms / QUARTER_MS);
    if (quarter !== cachedQuarter) {
      const parts: Record<string, number> = {};
      for (const { type, value } of format.formatToParts(quarter * QUARTER_MS)) {
        parts[type] = Number(value);
      }
      const { year, month, day, hour, minute, second } = parts;
      const shown = Date.UTC(year, month - 1, day, hour, minute, second);
      cachedQuarter = quarter;
      cachedOffset = shown - quarter * QUARTER_MS;
    }
    return cachedOffset;
  };
  return (local) => {
    if (Number.isNaN(local)) return NaN;
    // Twice, because the first guess may lie on the other side of a change of the offset.
    const guess = local - offsetAt(local);
    return local - offsetAt(guess);
  };
}
