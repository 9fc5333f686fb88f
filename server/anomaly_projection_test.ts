import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Transition } from "../contract/anomaly.ts";
import { AnomalyProjection } from "./anomaly_projection.ts";
import { EVENT_OPEN_MS } from "./anomaly_record.ts";
import { ACTS_MAX, NOTES_MAX, UNNOTE_MS_MAX } from "./judgement.ts";
import { openStore, type Store } from "./store.ts";
import { transitionOf } from "./test_support.ts";

interface Bench {
  now: number;
  readonly store: Store;
  projection: AnomalyProjection;
  readonly vehicles: Map<string, readonly [number, string | null]>;
  /** Writes what changed. */
  settle(): void;
  /** Starts again from what was written. */
  restart(): void;
}

const NAMES = { vehicle: () => "", signal: () => "" };

function onBench(run: (bench: Bench) => void, liveMax?: number): void {
  const dir = Deno.makeTempDirSync();
  const store = openStore(dir, () => 0, () => {});
  const vehicles = new Map<string, readonly [number, string | null]>();
  const make = () =>
    new AnomalyProjection({
      table: store.anomalies,
      once: ({ rule }) => rule === "harsh-braking",
      vehicleChanged: (vehicle, open, severity) => vehicles.set(vehicle, [open, severity]),
      now: () => bench.now,
      liveMax,
    });
  const bench: Bench = {
    now: 10_000,
    store,
    projection: make(),
    vehicles,
    settle() {
      const { records, fired } = bench.projection.takeChanges();
      const none = { chunks: [], positions: new Map(), flushed: true };
      store.write({ anomalies: records, fired, ...none }, NAMES);
    },
    restart() {
      bench.settle();
      bench.projection = make();
    },
  };
  try {
    run(bench);
  } finally {
    store.close();
    Deno.removeSync(dir, { recursive: true });
  }
}

const LIFE: readonly Transition[] = [
  transitionOf(),
  transitionOf({
    kind: "escalated",
    severity: "critical",
    at: 4_000,
    append: 4_100,
    source: { partition: 0, offset: "9", index: 0 },
  }),
  transitionOf({
    kind: "cleared",
    reason: "condition",
    severity: "critical",
    at: 5_000,
    append: 5_100,
    source: { partition: 0, offset: "12", index: 0 },
  }),
  transitionOf({
    kind: "reopened",
    count: 2,
    at: 6_000,
    append: 6_100,
    source: { partition: 0, offset: "13", index: 0 },
  }),
];

Deno.test("anomalies: transitions fold into state, counts and severity of the vehicle", () =>
  onBench((bench) => {
    const { projection } = bench;
    const [opened, escalated, cleared, reopened] = LIFE.map((transition) => {
      const event = projection.apply(transition);
      return [event?.anomaly.state, event?.anomaly.severity, projection.open()] as const;
    });
    assertEquals(opened, ["open", "warning", { info: 0, warning: 1, critical: 0 }]);
    assertEquals(escalated, ["open", "critical", { info: 0, warning: 0, critical: 1 }]);
    assertEquals(cleared, ["cleared", "critical", { info: 0, warning: 0, critical: 0 }]);
    assertEquals(reopened, ["open", "warning", { info: 0, warning: 1, critical: 0 }]);
    assertEquals(bench.vehicles.get("VH-1"), [1, "warning"]);
    assertEquals(projection.ofRule("overspeed"), {
      ...{ fired: 1, open: 1, lastFired: 6_100 },
      lastId: transitionOf().id,
    });
    assertEquals(projection.view(LIFE[0]?.id ?? "")?.openedAt, 6_000);
  }));

Deno.test("anomalies: a cleared one goes on saying why it fired", () =>
  onBench(({ projection }) => {
    const [opened, escalated, cleared] = LIFE;
    for (const transition of [opened, escalated]) projection.apply(transition);
    const before = projection.view(opened.id);
    const event = projection.apply({
      ...cleared,
      ...{ version: "0000000000000000", message: "VH-1 at 90 km/h", terms: [] },
    });
    const { version, message, terms, source } = event?.anomaly ?? {};
    assertEquals({ version, message, terms, source }, {
      version: before?.version,
      message: "VH-1 at 134.2 km/h",
      terms: before?.terms,
      source: before?.source,
    });
  }));

Deno.test("anomalies: any prefix delivered again, at any point, changes nothing", () => {
  for (let upTo = 1; upTo <= LIFE.length; upTo++) {
    for (const restarts of [false, true]) {
      onBench((bench) => {
        for (const transition of LIFE.slice(0, upTo)) bench.projection.apply(transition);
        const before = bench.projection.view(transitionOf().id);
        if (restarts) bench.restart();
        for (const transition of LIFE.slice(0, upTo)) {
          assertEquals(bench.projection.apply(transition), null);
        }
        assertEquals(bench.projection.view(transitionOf().id), before);
        assertEquals(bench.projection.ofRule("overspeed").fired, 1);
      });
    }
  }
});

Deno.test("anomalies: acknowledgement, snooze and notes survive a restart", () =>
  onBench((bench) => {
    const id = transitionOf().id;
    bench.projection.apply(transitionOf());
    bench.projection.acknowledge(id, true);
    bench.projection.note(id, "The driver was called");
    bench.projection.snooze(id, 20_000);
    bench.restart();
    const view = bench.projection.view(id);
    assertEquals(view?.state, "snoozed");
    assertEquals(view?.acknowledgedAt, 10_000);
    assertEquals(view?.notes, [{ at: 10_000, by: "", text: "The driver was called" }]);
    assertEquals(bench.projection.open(), { info: 0, warning: 0, critical: 0 });
    bench.now = 20_001;
    const [awake] = bench.projection.sweep();
    assertEquals([awake?.kind, awake?.anomaly.state], ["snoozed", "acknowledged"]);
    assertEquals(bench.projection.open().warning, 1);
    assertEquals(bench.projection.sweep(), []);
  }));

Deno.test("anomalies: acts can be taken back; of an unknown id they are none", () =>
  onBench(({ projection }) => {
    const id = transitionOf().id;
    projection.apply(transitionOf());
    assertEquals(projection.acknowledge(id, true)?.anomaly.state, "acknowledged");
    assertEquals(projection.acknowledge(id, false)?.anomaly.state, "open");
    assertEquals(projection.snooze(id, 99_000)?.anomaly.state, "snoozed");
    assertEquals(projection.snooze(id, null)?.anomaly.state, "open");
    assertEquals(projection.acknowledge("0000000000000000", true), undefined);
    for (let k = 0; k < NOTES_MAX; k++) projection.note(id, `note ${k}`);
    assertThrows(() => projection.note(id, "one more"), RangeError, "100");
  }));

Deno.test("anomalies: who did what, and when, survives a restart and later transitions", () =>
  onBench((bench) => {
    const id = transitionOf().id;
    bench.projection.apply(transitionOf());
    bench.projection.assign(id, "Åsa", "Bo");
    bench.now = 11_000;
    bench.projection.acknowledge(id, true, "Åsa");
    bench.projection.acknowledge(id, true, "Bo");
    bench.now = 12_000;
    bench.projection.snooze(id, 20_000, "Åsa");
    bench.projection.snooze(id, null);
    bench.projection.snooze(id, null);
    bench.restart();
    for (const transition of LIFE.slice(1)) bench.projection.apply(transition);
    const view = bench.projection.view(id);
    assertEquals([view?.assignee, view?.acts], ["Åsa", [
      { at: 10_000, by: "Bo", kind: "assigned", to: "Åsa" },
      { at: 11_000, by: "Åsa", kind: "acknowledged" },
      { at: 12_000, by: "Åsa", kind: "snoozed", until: 20_000 },
      { at: 12_000, by: "", kind: "woken" },
    ]]);
    for (let k = 0; k < ACTS_MAX + 7; k++) bench.projection.assign(id, `${k}`);
    assertEquals(bench.projection.view(id)?.acts.length, ACTS_MAX);
  }));

Deno.test("anomalies: a note just written can be taken back, an older one stands", () =>
  onBench((bench) => {
    const { projection } = bench;
    const id = transitionOf().id;
    projection.apply(transitionOf());
    projection.note(id, "first", "Åsa");
    bench.now = 11_000;
    projection.note(id, "second", "Bo");
    assertEquals(projection.unnote(id, 11_000)?.anomaly.notes.map(({ text }) => text), ["first"]);
    assertThrows(() => projection.unnote(id, 11_000), RangeError, "none of that time");
    bench.now = 10_001 + UNNOTE_MS_MAX;
    assertThrows(() => projection.unnote(id, 10_000), RangeError, "stands for good");
  }));

Deno.test("anomalies: records stored before people had names are read as such", () =>
  onBench((bench) => {
    const id = transitionOf().id;
    bench.projection.apply(transitionOf());
    const [record] = bench.projection.takeChanges().records;
    assert(record !== undefined);
    const { assignee: _, acts: __, ...old } = record;
    const before: Record<string, unknown> = { ...old, notes: [{ at: 5, text: "called" }] };
    bench.store.anomalies.write([JSON.parse(JSON.stringify(before))]);
    bench.restart();
    const view = bench.projection.view(id);
    assertEquals([view?.assignee, view?.acts, view?.notes], ["", [], [
      { at: 5, by: "", text: "called" },
    ]]);
  }));

Deno.test("anomalies: a rule's latest opening and its density come from what is stored too", () =>
  onBench((bench) => {
    for (let k = 0; k < 10; k++) {
      const id = `00000000000000${k}0`;
      bench.projection.apply(transitionOf({ id, append: 3_000 + k * 1_000 }));
    }
    bench.restart();
    assertEquals(bench.projection.ofRule("overspeed").lastFired, 12_000);
    assertEquals(bench.projection.ofRule("none").lastFired, null);
    assertEquals(bench.projection.density("overspeed", 4_000, 3_000, 3), [3, 3, 3]);
    assertEquals(bench.projection.density("overspeed", 4_000, 3_000, 2), [3, 6]);
  }));

Deno.test("anomalies: firing again voids the acknowledgement", () =>
  onBench(({ projection }) => {
    projection.apply(transitionOf());
    projection.acknowledge(transitionOf().id, true);
    for (const transition of LIFE.slice(1)) projection.apply(transition);
    assertEquals(projection.view(transitionOf().id)?.state, "open");
  }));

Deno.test("anomalies: a point event is over after a quarter of an hour", () =>
  onBench((bench) => {
    bench.projection.apply(transitionOf({ rule: "harsh-braking" }));
    assertEquals(bench.projection.open().warning, 1);
    bench.now = 3_000 + EVENT_OPEN_MS;
    const [over] = bench.projection.sweep();
    assertEquals([over?.kind, over?.anomaly.state, over?.anomaly.once], [
      "cleared",
      "cleared",
      true,
    ]);
    assertEquals(bench.projection.open().warning, 0);
    assertEquals(bench.projection.apply(transitionOf({ rule: "harsh-braking" })), null);
  }));

Deno.test("anomalies: what memory does not hold is still listed and judged", () =>
  onBench((bench) => {
    const { projection } = bench;
    const ids = Array.from({ length: 10 }, (_, k) => `00000000000000${k}0`);
    ids.forEach((id, k) => projection.apply(transitionOf({ id, append: 3_000 + k })));
    assertEquals(projection.evicted, 7);
    bench.settle();
    assertEquals(projection.page({ live: true, limit: 100 }).anomalies.length, 10);
    assertEquals(projection.acknowledge(ids[0] ?? "", true)?.anomaly.state, "acknowledged");
  }, 3));

Deno.test("anomalies: pages go newest first and cover everything once", () =>
  onBench((bench) => {
    const { projection } = bench;
    const severities = ["info", "warning", "critical"] as const;
    for (let k = 0; k < 95; k++) {
      const id = k.toString(16).padStart(16, "0");
      const severity = severities[k % 3] ?? "info";
      projection.apply(transitionOf({ id, severity, append: 3_000 + Math.floor(k / 4) }));
    }
    bench.settle();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = projection.page({ limit: 10, cursor });
      seen.push(...page.anomalies.map(({ id }) => id));
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    assertEquals(seen.length, 95);
    assertEquals(new Set(seen).size, 95);
    assertEquals(seen, seen.toSorted().reverse());
    assertEquals(projection.page({ severity: "critical", limit: 100 }).anomalies.length, 31);
    assertEquals(projection.page({ vehicle: "VH-2", limit: 100 }).anomalies, []);
    assertThrows(() => projection.page({ limit: 1, cursor: "'; --" }), SyntaxError);
  }));

Deno.test("store: a damaged file is put aside and told, and a new one begun", () => {
  const dir = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${dir}/server.db`, "not a database at all, but long enough to be read");
    const said: string[] = [];
    openStore(dir, () => 42, ({ name }) => said.push(name)).close();
    assertEquals(said, ["server.store_unusable"]);
    assert(Deno.statSync(`${dir}/server.db.unusable-42`).isFile);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("store: a folder that cannot be made is one clear fault", () => {
  const file = Deno.makeTempFileSync();
  try {
    assertThrows(() => openStore(`${file}/data`, () => 0, () => {}), Error, "Cannot open");
  } finally {
    Deno.removeSync(file);
  }
});
