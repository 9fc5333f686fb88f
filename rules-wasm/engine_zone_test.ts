/** Golden traces of hour and weekday by the clocks of a time zone. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  golden,
  Trace,
  TRACE_START_MS,
  type TraceRow,
  traceRules,
} from "../testing/engine_trace.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** `hour weekday` at each time, seconds after 2024-10-04T00:00:00Z. */
function shown(zone: string, times: readonly number[]): string[] {
  const trace = new Trace(`version: 1
settings: { zone: ${zone} }
rules: [{ id: r, when: "true", message: "{hour()} {weekday()}", max_gap: 1 ms, once: true }]`);
  const rows: TraceRow[] = times.map((a) => ({ a, is: { x: 1 } }));
  return trace.push(rows).map(({ message }) => message);
}

golden(["settings.zone", "hour()"], "in October Berlin's clocks show 2 a second time", () => {
  // 2024-10-27 is day 23, a Sunday. At 01:00 UTC the offset falls from 2 h to 1 h.
  const day = 23 * DAY;
  assertEquals(new Date(TRACE_START_MS + day * 1000).toISOString().slice(0, 10), "2024-10-27");
  const times = [
    day - 2 * HOUR - 0.002, // 23:59:59.998 of Saturday
    day - 2 * HOUR, // 00:00 of Sunday
    day, // 02:00
    day + HOUR - 0.002, // 02:59:59.998
    day + HOUR, // 02:00 again
    day + 2 * HOUR, // 03:00
    day + 23 * HOUR - 0.002, // 23:59:59.998
    day + 23 * HOUR, // 00:00 of Monday
  ];
  assertEquals(shown("Europe/Berlin", times), [
    ...["23 6", "0 7", "2 7", "2 7", "2 7", "3 7", "23 7", "0 1"],
  ]);
});

golden(["settings.zone", "hour()"], "in March Berlin's clocks leave out 2", () => {
  // 2025-03-30 is day 177, a Sunday. At 01:00 UTC the offset rises from 1 h to 2 h.
  const day = 177 * DAY;
  assertEquals(new Date(TRACE_START_MS + day * 1000).toISOString().slice(0, 10), "2025-03-30");
  const times = [
    day - HOUR - 0.002, // 23:59:59.998 of Saturday
    day - HOUR, // 00:00 of Sunday
    day + HOUR - 0.002, // 01:59:59.998
    day + HOUR, // 03:00
    day + 22 * HOUR - 0.002, // 23:59:59.998
    day + 22 * HOUR, // 00:00 of Monday
  ];
  assertEquals(shown("Europe/Berlin", times), ["23 6", "0 7", "1 7", "3 7", "23 7", "0 1"]);
});

golden(["settings.zone"], "offsets need not be whole hours, nor lie east", () => {
  // 23:59 UTC of Friday is 05:29 of Saturday in Kolkata (5:30), 19:59 in New York (-4).
  const times = [DAY - 60, DAY + 30 * 60];
  assertEquals(shown("Asia/Kolkata", times), ["5 6", "6 6"]);
  assertEquals(shown("America/New_York", times), ["19 5", "20 5"]);
});

golden(
  ["settings.zone"],
  "rows of one batch on both sides of a change each get their own offset",
  () => {
    // Two vehicles, one of which sends an hour late: T goes to and fro over the change.
    const day = 23 * DAY;
    const rows: TraceRow[] = [0, 1, 2, 3].flatMap((i) => [
      { a: day + HOUR + i, v: "now", is: { x: 1 } },
      { a: day + HOUR + i, t: day - HOUR + i, v: "late", is: { x: 1 } },
    ]);
    const trace = new Trace(`version: 1
settings: { zone: Europe/Berlin }
rules: [{ id: r, when: "true", message: "{vehicle} {hour()}", max_gap: 1 ms, once: true }]`);
    assertEquals(
      trace.push(rows).map(({ message }) => message),
      [0, 1, 2, 3].flatMap(() => ["now 2", "late 1"]),
    );
  },
);

Deno.test("zone: a version is of its offsets, not of the zone's name", () => {
  const version = (settings: string) => {
    const rules = `rules: [{ id: r, when: "hour() < 5" }]`;
    return traceRules(`version: 1\nsettings: { ${settings} }\n${rules}`).version;
  };
  assertEquals(version("zone: Etc/UTC"), version("max_gap: 2 min"));
  assertEquals(version("zone: Asia/Calcutta"), version("zone: Asia/Kolkata"));
  assertNotEquals(version("zone: Europe/Berlin"), version("zone: UTC"));
  assert(/^[0-9a-f]{16}$/.test(version("zone: Europe/Berlin")));
});
