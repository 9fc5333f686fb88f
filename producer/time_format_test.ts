import { assertEquals } from "@std/assert";
import { readWireTime, timeReader } from "./time_format.ts";

function read(format: string, text: string, zone = "UTC"): string {
  const reader = timeReader(format, zone);
  if (!reader.ok) return reader.message;
  const ms = reader.read(text);
  return Number.isNaN(ms) ? "NaN" : new Date(ms).toISOString();
}

Deno.test("times: each format reads what it says, and nothing that no calendar has", () => {
  const cases: [string, string, string, string][] = [
    ["epoch-s", "1627274455", "UTC", "2021-07-26T04:40:55.000Z"],
    ["epoch-s", "1627274455.1", "UTC", "2021-07-26T04:40:55.100Z"],
    ["epoch-s", "", "UTC", "NaN"],
    ["epoch-s", "0x10", "UTC", "NaN"],
    ["epoch-ms", "1627274455023", "UTC", "2021-07-26T04:40:55.023Z"],
    ["iso", "2025-03-01T12:00:00", "UTC", "2025-03-01T12:00:00.000Z"],
    ["iso", "2025-03-01T12:00:00+02:00", "UTC", "2025-03-01T10:00:00.000Z"],
    ["iso", "2025-03-01 12:00:00.25Z", "Europe/Berlin", "2025-03-01T12:00:00.250Z"],
    ["iso", "2025-03-01T12:00:00", "Europe/Berlin", "2025-03-01T11:00:00.000Z"],
    ["iso", "2025-13-01T12:00:00", "UTC", "NaN"],
    ["MM/DD/YYYY HH:mm:ss", "06/30/2021 09:39:19", "UTC", "2021-06-30T09:39:19.000Z"],
    ["MM/DD/YYYY HH:mm:ss", "06/30/2021 09:39:19", "Africa/Casablanca", "2021-06-30T08:39:19.000Z"],
    // Morocco goes back to UTC for Ramadan.
    ["MM/DD/YYYY HH:mm:ss", "04/26/2021 09:39:19", "Africa/Casablanca", "2021-04-26T09:39:19.000Z"],
    ["MM/DD/YYYY HH:mm:ss", "90/02/2032 12:08:07", "UTC", "NaN"],
    ["DD.MM.YYYY HH:mm:ss.SSS", "31.02.2021 01:00:00.000", "UTC", "NaN"],
    ["DD.MM.YYYY HH:mm:ss.SSS", "28.02.2021 01:00:00.120", "UTC", "2021-02-28T01:00:00.120Z"],
    ["YYYY-MM-DD", "2021-02-28", "America/New_York", "2021-02-28T05:00:00.000Z"],
  ];
  for (const [format, text, zone, expected] of cases) {
    assertEquals(read(format, text, zone), expected, `${format} ${text} ${zone}`);
  }
});

Deno.test("times: the hour that a zone skips or repeats is still one instant", () => {
  const zone = "Europe/Berlin";
  assertEquals(read("iso", "2025-03-30T01:59:59", zone), "2025-03-30T00:59:59.000Z");
  assertEquals(read("iso", "2025-03-30T03:00:00", zone), "2025-03-30T01:00:00.000Z");
  assertEquals(read("iso", "2025-10-26T03:00:00", zone), "2025-10-26T02:00:00.000Z");
});

Deno.test("times: wrong formats and zones are told with what to write", () => {
  for (const format of ["", "epoch", "HH:mm", "YYYY-YYYY-MM-DD"]) {
    assertEquals(timeReader(format, "UTC").ok, false, format);
  }
  const zone = timeReader("iso", "Mars/Olympus");
  assertEquals(zone.ok ? "" : zone.suggestion.includes("Europe/Stockholm"), true);
});

Deno.test("times: on the wire, numbers are epoch milliseconds and texts ISO 8601", () => {
  assertEquals(readWireTime(1763886400123), 1763886400123);
  assertEquals(readWireTime("2025-03-01T12:00:00"), 1740830400000);
  assertEquals(readWireTime("noon"), NaN);
  assertEquals(readWireTime(null), NaN);
});
