import { assertEquals } from "@std/assert";
import { anomaly } from "./anomaly_fixture.ts";
import { AnomalyStore } from "./anomaly_store.ts";

const NONE = { anomalies: [], cursor: null, open: { info: 0, warning: 0, critical: 0 } };

Deno.test("anomaly_store: each anomaly is held once, worst first, newest first", () => {
  const store = new AnomalyStore(NONE);
  const a = anomaly("a", { openedAt: 1 });
  const b = anomaly("b", { openedAt: 2 });
  const c = anomaly("c", { severity: "critical", openedAt: 0 });
  for (const one of [a, b, c, a, b, c]) store.apply({ kind: "opened", anomaly: one });
  assertEquals(store.list.value.length, 0);
  store.publish();
  assertEquals(store.list.value.map(({ id }) => id), ["c", "b", "a"]);
  assertEquals(store.open.value, { info: 0, warning: 2, critical: 1 });
});

Deno.test("anomaly_store: clearing and snoozing take it out of the open ones", () => {
  const store = new AnomalyStore(NONE);
  store.apply({ kind: "opened", anomaly: anomaly("a") });
  store.apply({ kind: "opened", anomaly: anomaly("b") });
  store.apply({ kind: "snoozed", anomaly: anomaly("a", { state: "snoozed" }) });
  store.apply({ kind: "cleared", anomaly: anomaly("b", { state: "cleared", at: 3000 }) });
  store.publish();
  assertEquals(store.list.value.map(({ id, state }) => [id, state]), [["a", "snoozed"]]);
  assertEquals(store.open.value.warning, 0);
});

Deno.test("anomaly_store: an older word does not undo a newer one", () => {
  const store = new AnomalyStore(NONE);
  store.apply({ kind: "escalated", anomaly: anomaly("a", { at: 9, severity: "critical" }) });
  assertEquals(store.apply({ kind: "opened", anomaly: anomaly("a", { at: 5 }) }), false);
  store.publish();
  assertEquals(store.open.value, { info: 0, warning: 0, critical: 1 });
});

Deno.test("anomaly_store: what the page does not bring is still counted", () => {
  const open = { info: 0, warning: 5, critical: 0 };
  const store = new AnomalyStore({ anomalies: [anomaly("a")], cursor: "more", open });
  assertEquals(store.open.value.warning, 5);
  store.apply({ kind: "cleared", anomaly: anomaly("z", { state: "cleared" }) });
  store.publish();
  assertEquals(store.open.value.warning, 4);
});
