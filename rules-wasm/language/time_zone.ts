/** Time zones as data: which offset from UTC holds from when on. */
import { didYouMean } from "./faults.ts";

/** An offset and when it begins to hold. */
export interface ZoneOffset {
  /** Epoch milliseconds, whole seconds; 0 for the first of a zone. */
  readonly fromMs: number;
  /** What local clocks are ahead of UTC, in milliseconds. */
  readonly offsetMs: number;
}

/** The offsets of UTC. */
export const UTC_OFFSETS: readonly ZoneOffset[] = [{ fromMs: 0, offsetMs: 0 }];

/** End of the years that offsets are looked up for; the last one holds for ever after. */
export const ZONE_END_MS = Date.UTC(2100, 0, 1);

/** Distance of probes. No zone has gone back on a change within less than 6 days since 1970. */
const PROBE_MS = 3 * 86_400_000;

const known = new Map<string, readonly ZoneOffset[]>();

/**
 * The offsets of a zone from 1970 to the end of 2099, oldest first, as the host's own time zone
 * data (Intl) has them.
 *
 * @param name an IANA name, such as `Europe/Berlin`
 * @returns null if the host does not know the name
 */
export function zoneOffsets(name: string): readonly ZoneOffset[] | null {
  const before = known.get(name);
  if (before !== undefined) return before;
  const clock = localClock(name);
  if (clock === null) return null;
  const offsets: ZoneOffset[] = [{ fromMs: 0, offsetMs: clock(0) }];
  let at = 0;
  let offsetMs = clock(0);
  while (at < ZONE_END_MS) {
    const next = Math.min(at + PROBE_MS, ZONE_END_MS);
    const after = clock(next);
    if (after !== offsetMs) {
      const fromMs = changeBetween(clock, at, next);
      offsetMs = clock(fromMs);
      offsets.push({ fromMs, offsetMs });
      at = fromMs;
    } else at = next;
  }
  known.set(name, offsets);
  return offsets;
}

/** The first second in (low, high] whose offset is not that of `low`. */
function changeBetween(clock: (t: number) => number, low: number, high: number): number {
  const offset = clock(low);
  let before = low / 1000;
  let after = high / 1000;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (clock(middle * 1000) === offset) before = middle;
    else after = middle;
  }
  return after * 1000;
}

/** The offset of a zone at whole seconds; null if there is no such zone. */
function localClock(name: string): ((t: number) => number) | null {
  // Offsets such as +01:00 are no names of zones, though some hosts take them.
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return null;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      calendar: "gregory",
      numberingSystem: "latn",
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return (t) => {
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] =
      format.format(t).match(/\d+/g)?.map(Number) ?? [];
    return Date.UTC(year, month - 1, day, hour, minute, second) - t;
  };
}

/** What to do about a name that no zone has. */
export function suggestZone(name: string): string {
  const names = [...Intl.supportedValuesOf("timeZone"), "UTC"];
  const city = name.toLowerCase().replaceAll(" ", "_");
  const byCity = names.find((each) => each.toLowerCase().endsWith(`/${city}`));
  if (byCity !== undefined) return `did you mean "${byCity}"?`;
  return didYouMean(name, names) || "name a place, such as Europe/Berlin, or UTC";
}
