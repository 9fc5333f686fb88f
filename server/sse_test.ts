import { assert, assertEquals, assertLess } from "@std/assert";
import { DASHBOARD, FRAME_NAMES } from "../contract/dashboard_fixture.ts";
import type { AnomalyEvent, FleetFrame } from "../contract/stream.ts";
import type { PipelineView } from "../contract/views.ts";
import { fold, viewOf } from "./anomaly_record.ts";
import { Hub } from "./sse.ts";
import { transitionOf } from "./test_support.ts";

const PIPELINE: PipelineView = {
  now: 0,
  bus: "memory",
  version: "",
  samplesPerSecond: 0,
  anomaliesPerSecond: 0,
  lagRecords: 0,
  lagSeconds: 0,
  vehicles: 0,
  samples: 0,
  refused: {},
  outOfRange: 0,
  unknownKeys: 0,
  late: 0,
  duplicates: 0,
  waiting: 0,
  crowded: 0,
  clockResets: 0,
  forgotten: 0,
  misplaced: 0,
  clients: 0,
  framesSkipped: 0,
  partitions: [],
  agents: [],
};

function frameOf(seq: number, full: boolean, vehicles = 1): FleetFrame {
  const column = new Array<number>(vehicles).fill(seq);
  return {
    ...{ seq, now: 0, full, ids: [], i: column, lat: column, lon: column, h: column },
    ...{
      t: column,
      a: column,
      s: column,
      x: column,
      k: full ? FRAME_NAMES : [],
      c: [column, column, column, column],
    },
  };
}

function anomalyOf(number: number): AnomalyEvent {
  const id = number.toString(16).padStart(16, "0");
  const record = fold(undefined, transitionOf({ id }), false);
  assert(record !== null);
  return { kind: "opened", anomaly: viewOf(record, 0) };
}

function hubOf(epoch = "e1", clientsMax?: number, vehicles = 1): Hub {
  let seq = 0;
  return new Hub({
    epoch,
    clientsMax,
    now: () => 0,
    delta: () => frameOf(++seq, false, vehicles),
    full: () => frameOf(seq, true, vehicles),
    pipeline: () => PIPELINE,
    dashboard: () => DASHBOARD,
  });
}

interface Read {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Reads `chunks` chunks and takes them apart into events. */
async function read(stream: ReadableStream<Uint8Array>, chunks: number): Promise<Read[]> {
  const reader = stream.getReader();
  let text = "";
  for (let k = 0; k < chunks; k++) text += new TextDecoder().decode((await reader.read()).value);
  reader.releaseLock();
  return text.split("\n\n").filter((block) => block.includes("data:")).map((block) => {
    const field = (name: string) =>
      block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
    return { event: field("event"), id: field("id"), data: field("data") };
  });
}

function open(hub: Hub, last: string | null = null): ReadableStream<Uint8Array> {
  const stream = hub.open(last);
  assert(stream !== null);
  return stream;
}

const names = (events: readonly Read[]) => events.map(({ event }) => event);
const isFull = (event: Read | undefined) => JSON.parse(event?.data ?? "{}").full;

Deno.test("hub: a connection begins with hello, a full frame and the pipeline", async () => {
  const events = await read(open(hubOf()), 1);
  assertEquals(names(events), ["hello", "dashboard", "fleet", "pipeline"]);
  assertEquals(isFull(events[2]), true);
  assertEquals(events[0]?.id, "e1-0");
});

Deno.test("hub: who keeps up gets deltas, every anomaly and the heartbeat", async () => {
  const hub = hubOf();
  const stream = open(hub);
  await read(stream, 1);
  hub.frame();
  hub.anomalies([anomalyOf(1), anomalyOf(2)]);
  hub.heartbeat();
  const events = await read(stream, 3);
  assertEquals(names(events), ["fleet", "anomaly", "anomaly", "pipeline"]);
  assertEquals(events.map(({ id }) => id), ["", "e1-1", "e1-2", ""]);
  assertEquals(isFull(events[0]), false);
});

Deno.test("hub: a new dashboard comes to all, before the frame that fits it", async () => {
  const hub = hubOf();
  const stream = open(hub);
  await read(stream, 1);
  hub.frame();
  hub.changeDashboard();
  hub.frame();
  hub.frame();
  const events = await read(stream, 3);
  assertEquals(names(events), ["fleet", "dashboard", "fleet", "fleet"]);
  assertEquals(events.map(({ data }) => JSON.parse(data).full), [false, undefined, true, false]);
  assertEquals(JSON.parse(events[1].data), DASHBOARD);
});

Deno.test("hub: Last-Event-ID replays exactly what was missed", async () => {
  const hub = hubOf();
  hub.anomalies([anomalyOf(1), anomalyOf(2), anomalyOf(3)]);
  const events = await read(open(hub, "e1-1"), 1);
  assertEquals(names(events), ["hello", "anomaly", "anomaly", "dashboard", "fleet", "pipeline"]);
  assertEquals(events.map(({ id }) => id).slice(0, 3), ["e1-1", "e1-2", "e1-3"]);
  assertEquals(names(await read(open(hub, "e1-3"), 1)), [
    "hello",
    "dashboard",
    "fleet",
    "pipeline",
  ]);
});

Deno.test("hub: ids of another epoch, of the future, or forgotten are told to start afresh", async () => {
  const hub = hubOf();
  for (let k = 0; k < 50; k++) hub.anomalies(Array.from({ length: 100 }, () => anomalyOf(k)));
  for (const last of ["e0-3", "e1-5001", "e1-3", "nonsense", "e1--1", "e1-1e3"]) {
    const events = await read(open(hub, last), 1);
    assertEquals(names(events), ["hello", "reset", "dashboard", "fleet", "pipeline"], last);
    assertEquals(events[1]?.id, "e1-5000");
  }
});

Deno.test("hub: a slow client skips frames, then gets a full one and every anomaly", async () => {
  const hub = hubOf();
  const slow = open(hub);
  for (let k = 0; k < 30; k++) {
    hub.frame();
    hub.anomalies([anomalyOf(k)]);
  }
  assert(hub.framesSkipped > 10);
  const waiting = await read(slow, 8);
  hub.frame();
  const after = await read(slow, 2);
  assertEquals(names(after).at(-1), "fleet");
  assertEquals(isFull(after.at(-1)), true);
  const ids = [...waiting, ...after].filter(({ event }) => event === "anomaly").map(({ id }) => id);
  assertEquals(ids, Array.from({ length: 30 }, (_, k) => `e1-${k + 1}`));
  hub.frame();
  assertEquals(isFull((await read(slow, 1))[0]), false);
});

Deno.test("hub: a client that the ring has left behind is told to start afresh", async () => {
  const hub = hubOf();
  const slow = open(hub);
  for (let k = 0; k < 50; k++) {
    hub.frame();
    hub.anomalies(Array.from({ length: 100 }, () => anomalyOf(k)));
  }
  await read(slow, 8);
  hub.frame();
  const events = await read(slow, 2);
  assertEquals(names(events), ["reset", "fleet"]);
  assertEquals(events[0]?.id, "e1-5000");
});

Deno.test("hub: twenty clients that stopped reading hold a bounded number of bytes", async () => {
  const hub = hubOf("e1", undefined, 2_000);
  const streams = Array.from({ length: 20 }, () => open(hub));
  const live = open(hub);
  await read(live, 1);
  // A minute of stream, 2,000 vehicles all changing, two anomalies a second.
  for (let tick = 0; tick < 300; tick++) {
    hub.frame();
    if (tick % 5 === 0) {
      hub.heartbeat();
      hub.anomalies([anomalyOf(tick), anomalyOf(tick + 1)]);
    }
    await read(live, tick % 5 === 0 ? 3 : 1);
  }
  // What waits is shared by all: the distinct chunks count, not the clients.
  const distinct = new Set<ArrayBufferLike>();
  let bytes = 0;
  for (const stream of streams) {
    const reader = stream.getReader();
    for (let k = 0; k < 8; k++) {
      const { value } = await reader.read();
      assert(value !== undefined);
      if (!distinct.has(value.buffer)) bytes += value.length;
      distinct.add(value.buffer);
    }
    reader.releaseLock();
  }
  assertLess(bytes, 20 * 2 ** 20);
});

Deno.test("hub: a client that goes is forgotten; one too many is refused; closing ends all", async () => {
  const hub = hubOf("e1", 2);
  const first = open(hub);
  const second = open(hub);
  assertEquals(hub.open(null), null);
  await first.cancel();
  assertEquals(hub.clients, 1);
  const third = open(hub);
  hub.close();
  for (const stream of [second, third]) {
    const reader = stream.getReader();
    await reader.read();
    assertEquals((await reader.read()).done, true);
  }
  assertEquals(hub.open(null), null);
  hub.frame();
  hub.heartbeat();
});
