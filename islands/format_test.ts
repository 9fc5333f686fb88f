import { assertEquals } from "@std/assert";
import {
  counted,
  formatAge,
  formatAgo,
  formatCount,
  formatDateTime,
  formatDelay,
  formatElapsed,
  formatNumber,
  formatValue,
  isZone,
  messageText,
  ruleTitle,
  vehiclePath,
} from "./format.ts";

Deno.test("format: counts and numbers", () => {
  for (
    const [value, text] of [[0, "0"], [999, "999"], [1412, "1,412"], [1e6, "1,000,000"], [
      -2500,
      "−2,500",
    ]] as const
  ) assertEquals(formatCount(value), text);
  for (
    const [value, text] of [[74.26, "74.3"], [74, "74"], [-0.04, "0.0"], [-3.25, "−3.3"], [
      1234.5,
      "1,235",
    ], [NaN, "–"]] as const
  ) assertEquals(formatNumber(value), text);
  assertEquals(counted(1, "anomaly"), "1 anomaly");
  assertEquals(counted(2000, "anomaly"), "2,000 anomalies");
});

Deno.test("format: ages, running times and delays", () => {
  for (
    const [ms, text] of [
      [300, "0.3 s"],
      [-5, "0.0 s"],
      [9960, "10 s"],
      [59_400, "59 s"],
      [
        59_600,
        "1 min 00 s",
      ],
      [134_000, "2 min 14 s"],
      [11_100_000, "3 h 05 min"],
      [356_400_000, "4 d 3 h"],
    ] as const
  ) assertEquals(formatAge(ms), text);
  for (
    const [ms, text] of [[42_900, "00:42"], [250_000, "04:10"], [3_723_000, "1:02:03"]] as const
  ) assertEquals(formatElapsed(ms), text);
  assertEquals(formatDelay(380.4), "380 ms");
  assertEquals(formatDelay(NaN), "–");
});

Deno.test("format: values carry the unit that is shown", () => {
  assertEquals(formatValue(134.2, "km/h", "km/h"), "134.2 km/h");
  assertEquals(formatValue(160.9344, "km/h", "mph"), "100 mph");
  assertEquals(formatValue(118.2, "degC", "mph"), "118.2 °C");
  assertEquals(formatValue(true, "", "km/h"), "yes");
  assertEquals(formatValue("R", "", "km/h"), "R");
  assertEquals(formatValue(null, "V", "km/h"), "–");
  assertEquals(messageText("VH-1 overheats: 118.1 degC"), "VH-1 overheats: 118.1 °C");
});

Deno.test("format: times follow the zone over a change of the clocks", () => {
  const before = Date.UTC(2025, 9, 26, 0, 30);
  assertEquals(formatDateTime(before, "Europe/Stockholm"), "2025-10-26 02:30:00");
  assertEquals(formatDateTime(before + 3_600_000, "Europe/Stockholm"), "2025-10-26 02:30:00");
  assertEquals(formatDateTime(before + 7_200_000, "Europe/Stockholm"), "2025-10-26 03:30:00");
  assertEquals(isZone("Europe/Stockholm"), true);
  assertEquals(isZone("Mars/Olympus"), false);
});

Deno.test("format: names as titles and paths", () => {
  assertEquals(ruleTitle("harsh-braking"), "Harsh braking");
  assertEquals(ruleTitle("-"), "-");
  assertEquals(vehiclePath("a/b?<c>"), "/v/a%2Fb%3F%3Cc%3E");
  assertEquals(vehiclePath("VH-1", 5), "/v/VH-1?t=5");
});

Deno.test("format: how long ago is told in the greatest unit", () => {
  const table: [number, string][] = [
    [-5, "0 s ago"],
    [59_999, "59 s ago"],
    [60_000, "1 min ago"],
    [3_599_999, "59 min ago"],
    [3_600_000, "1 h ago"],
    [86_400_000 * 2_000, "2,000 d ago"],
  ];
  for (const [ms, text] of table) assertEquals(formatAgo(ms), text);
});
