import { assertEquals } from "@std/assert";
import { anomaly } from "./anomaly_fixture.ts";
import { byRule, type Group, isListed, withEvent } from "./groups.ts";

const group: Group = {
  rule: "overheating",
  vehicle: "VH-0001",
  severity: "warning",
  count: 2,
  open: 1,
  first: 100,
  last: 200,
  density: [1, 0, 1],
  latest: anomaly("a", { openedAt: 200 }),
};

Deno.test("groups: an opening counts, a clearing closes, nothing moves", () => {
  const other = { ...group, vehicle: "VH-0002" };
  const opened = anomaly("b", { openedAt: 300, severity: "critical" });
  const after = withEvent([other, group], { kind: "opened", anomaly: opened }, undefined);
  assertEquals(after[0], other);
  assertEquals([after[1].count, after[1].open, after[1].last, after[1].severity], [
    3,
    2,
    300,
    "critical",
  ]);
  assertEquals(after[1].density, [1, 0, 2]);
  const cleared = { ...opened, state: "cleared" } as const;
  const closed = withEvent(after, { kind: "cleared", anomaly: cleared }, opened);
  assertEquals([closed[1].count, closed[1].open], [3, 1]);
});

Deno.test("groups: the same opening told twice counts once", () => {
  const opened = anomaly("b", { openedAt: 300 });
  const once = withEvent([group], { kind: "opened", anomaly: opened }, undefined);
  assertEquals(withEvent(once, { kind: "opened", anomaly: opened }, opened)[0].count, 3);
});

Deno.test("groups: a new group comes first, under its rule", () => {
  const opened = anomaly("b", { vehicle: "VH-0009", rule: "overspeed" });
  const after = withEvent([group], { kind: "opened", anomaly: opened }, undefined);
  assertEquals(after.map(({ vehicle, count }) => [vehicle, count]), [["VH-0009", 1], [
    "VH-0001",
    2,
  ]]);
  assertEquals(byRule(after).map(({ rule }) => rule), ["overspeed", "overheating"]);
});

Deno.test("groups: the filter asks for all that it names", () => {
  const any = { state: "", severity: "", vehicle: "", rule: "" } as const;
  assertEquals(isListed(anomaly("a"), any), true);
  assertEquals(isListed(anomaly("a"), { ...any, severity: "critical" }), false);
  assertEquals(isListed(anomaly("a"), { ...any, vehicle: "VH-0001", state: "open" }), true);
});
