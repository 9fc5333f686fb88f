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

Deno.test("anomaly_store: what is heard while a snapshot is on its way is neither lost nor doubled", () => {
  const store = new AnomalyStore(NONE);
  const open = (id: string, at: number) => ({
    kind: "opened" as const,
    anomaly: anomaly(id, { at }),
  });
  const clear = (id: string, at: number) => ({
    kind: "cleared" as const,
    anomaly: anomaly(id, { at, state: "cleared" }),
  });
  store.apply(open("a", 1), "e-1");
  store.expect();
  // The snapshot is of the place e-3: b and c are in it, a has been cleared.
  store.apply(open("b", 2), "e-2");
  store.apply(open("d", 5), "e-5");
  store.apply(clear("c", 6), "e-6");
  store.replace({
    anomalies: [anomaly("b", { at: 2 }), anomaly("c", { at: 3 })],
    cursor: null,
    open: { info: 0, warning: 2, critical: 0 },
    position: "e-4",
  });
  // What comes late is of before the snapshot.
  store.apply(open("a", 1), "e-3");
  store.publish();
  assertEquals(store.list.value.map(({ id }) => id).toSorted(), ["b", "d"]);
  assertEquals([store.open.value.warning, store.position.value], [2, "e-6"]);
  store.apply(open("x", 1), "f-1");
  store.publish();
  assertEquals([store.open.value.warning, store.position.value], [3, "f-1"]);
});

Deno.test("anomaly_store: one that was only counted is counted once when it is heard of", () => {
  const open = { info: 0, warning: 3, critical: 0 };
  const store = new AnomalyStore({ anomalies: [anomaly("a")], cursor: "more", open });
  store.apply({ kind: "acknowledged", anomaly: anomaly("z", { state: "acknowledged" }) });
  store.apply({ kind: "opened", anomaly: anomaly("new") });
  store.publish();
  assertEquals(store.open.value.warning, 4);
});
