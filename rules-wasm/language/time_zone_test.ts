/** Offsets of time zones, held against the host's other source of them. */
import { assert, assertEquals } from "@std/assert";
import { suggestZone, UTC_OFFSETS, ZONE_END_MS, zoneOffsets } from "./time_zone.ts";

Deno.test("time zones: Europe/Berlin changes at 01:00 UTC on the last Sundays of March and October", () => {
  const offsets = zoneOffsets("Europe/Berlin") ?? [];
  const of2025 = offsets.filter(({ fromMs }) => new Date(fromMs).getUTCFullYear() === 2025);
  assertEquals(of2025, [
    { fromMs: Date.UTC(2025, 2, 30, 1), offsetMs: 2 * 3_600_000 },
    { fromMs: Date.UTC(2025, 9, 26, 1), offsetMs: 3_600_000 },
  ]);
  assertEquals(offsets[0], { fromMs: 0, offsetMs: 3_600_000 });
});

Deno.test("time zones: UTC has one offset, others as many as they need", () => {
  assertEquals(zoneOffsets("UTC"), UTC_OFFSETS);
  assertEquals(zoneOffsets("Etc/GMT-5"), [{ fromMs: 0, offsetMs: 5 * 3_600_000 }]);
  assertEquals(zoneOffsets("Asia/Kolkata"), [{ fromMs: 0, offsetMs: 5.5 * 3_600_000 }]);
});

// Changes an hour, half an hour, a day wide, of odd seconds, a week apart, and every Ramadan.
const HARD = [
  ...["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Pyongyang"],
  ...["Africa/Monrovia", "America/Boa_Vista", "America/Argentina/Tucuman", "Africa/El_Aaiun"],
  ...["Africa/Cairo", "Africa/Casablanca", "Asia/Gaza", "America/Caracas", "Antarctica/Troll"],
];

Deno.test("time zones: every change from 1970 to 2099 is found, to the second", () => {
  for (const name of HARD) {
    const expected: { fromMs: number; offsetMs: number }[] = [];
    let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(0)
      .toZonedDateTimeISO(name);
    while (at !== null && at.epochMilliseconds < ZONE_END_MS) {
      expected.push({ fromMs: at.epochMilliseconds, offsetMs: at.offsetNanoseconds / 1e6 });
      at = at.getTimeZoneTransition("next");
    }
    // A change of name or of law alone is none of the clock.
    const changes = expected.filter(({ offsetMs }, i) => offsetMs !== expected[i - 1]?.offsetMs);
    assertEquals(zoneOffsets(name), changes, name);
    assert(changes.length > 1, name);
  }
});

Deno.test("time zones: what is none is refused, with what was probably meant", () => {
  for (const name of ["Mars/Olympus", "+01:00", "", "Europe/Berlin ", "CEST", "Europe Berlin"]) {
    assertEquals(zoneOffsets(name), null, name);
  }
  assertEquals(suggestZone("Europe/Berln"), 'did you mean "Europe/Berlin"?');
  assertEquals(suggestZone("new york"), 'did you mean "America/New_York"?');
  assertEquals(suggestZone("+01:00"), "name a place, such as Europe/Berlin, or UTC");
});
