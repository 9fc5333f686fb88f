import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Bus, BusError, type Lease, type OutgoingRecord, type Step } from "../bus/port.ts";
import type { Catalog } from "../contract/catalog.ts";
import { DEAD_LETTER_HEADERS as HEADER, REPLAY_HEADERS, TOPICS } from "../contract/topics.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { deadLetters } from "./dead_letter.ts";
import { letterRanges, replayLetters } from "./dead_letter_replay.ts";
import { type Letter, readLetters, readMarks } from "./letter.ts";
import { Site } from "./test_support.ts";

const text = new TextEncoder();
const T = Date.UTC(2026, 0, 1);

function catalog(vehicleKey: string): Catalog {
  const file = `version: 1\nvehicle: [${vehicleKey}]\ntime: [ts]\nsignals:\n  speed:\n` +
    "    unit: km/h\n    range: [0, 400]\n";
  const loaded = loadCatalog(file, { file: "signals.yaml" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.catalog;
}

const MENDED = catalog("car");

function letter(reason: string, value: string, key: string | null = "V1"): OutgoingRecord {
  return {
    key: key === null ? null : text.encode(key),
    value: text.encode(value),
    headers: { [HEADER.reason]: reason, [HEADER.partition]: "0", [HEADER.offset]: "7" },
    partition: 0,
  };
}

const fine = (car: string) => letter("no-vehicle", `{"car":"${car}","ts":${T},"speed":50}`, car);

/** Puts letters on the topic. */
function put(site: Site, records: readonly OutgoingRecord[]): Promise<void> {
  return site.bus.publish([{ topic: TOPICS.deadLetters, records }]);
}

interface Told {
  readonly complete: boolean;
  readonly letters: readonly (readonly [number, Letter["state"]])[];
}

async function replay(
  site: Site,
  options: {
    bus?: Bus;
    wanted?: (letter: Letter) => boolean;
    fromMs?: number;
    catalog?: Catalog;
    signal?: AbortSignal;
  } = {},
): Promise<Told> {
  const bus = options.bus ?? site.bus;
  const letters: [number, Letter["state"]][] = [];
  const complete = await replayLetters({
    bus,
    topic: TOPICS.deadLetters,
    topics: TOPICS,
    decoder: createDecoder(options.catalog ?? MENDED, {
      maxVehicles: 1_000,
      maxClockAheadMs: 60_000,
    }),
    now: site.now,
    ranges: await letterRanges(bus, TOPICS.deadLetters, options.fromMs ?? -Infinity, Infinity),
    wanted: options.wanted ?? (() => true),
    each: ({ offset, state }) => letters.push([offset, state]),
    waiting: () => {},
    signal: options.signal ?? new AbortController().signal,
  });
  return { complete, letters };
}

/** The letters that lie on telemetry, in their order. */
async function replayed(site: Site): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, Infinity)) {
    for (let i = 0; i < batch.count; i++) {
      found.push(batch.headers(i)[REPLAY_HEADERS.letter] ?? "none");
    }
  }
  return found;
}

Deno.test("dead letters: what decodes by now goes back as it came, once; the rest stays", () =>
  Site.with(async (site) => {
    const cut = fine("V9");
    await put(site, [
      fine("V1"),
      letter("malformed-json", '{"car":'),
      { ...cut, headers: { ...cut.headers, [HEADER.truncated]: "2000000" } },
      letter("no-vehicle", `{"car":"V2","ts":${T}}\n{"car":"","ts":${T}}`, null),
    ]);
    const first = await replay(site);
    assert(first.complete);
    assertEquals(first.letters, [[0, "accepted"], [1, "refused"], [2, "cut"], [3, "accepted"]]);
    assertEquals(await replayed(site), ["0/0", "0/3"]);
    const [bytes] = await site.values(TOPICS.telemetry);
    assertEquals(new TextDecoder().decode(bytes), `{"car":"V1","ts":${T},"speed":50}`);
    for (let again = 0; again < 2; again++) {
      const { letters } = await replay(site);
      assertEquals(letters, [[0, "replayed"], [1, "refused"], [2, "cut"], [3, "replayed"]]);
    }
    assertEquals((await replayed(site)).length, 2);
  }));

Deno.test("dead letters: by filter and time, in whatever order the filters come", () =>
  Site.with(async (site) => {
    for (let i = 0; i < 10; i++) {
      site.aheadMs += 1_000;
      await put(site, [fine(`V${i % 3}`), letter("malformed-json", "{")]);
    }
    const vehicle = (id: string) => (each: Letter) => each.vehicle === id;
    await replay(site, { wanted: vehicle("V2") });
    assertEquals(await replayed(site), ["0/4", "0/10", "0/16"]);
    await replay(site, { wanted: vehicle("V0"), fromMs: site.now() - 5_500 });
    assertEquals((await replayed(site)).slice(3), ["0/12", "0/18"]);
    await replay(site);
    assertEquals((await replayed(site)).slice(5), ["0/0", "0/2", "0/6", "0/8", "0/14"]);
    // With a letter that came since.
    await put(site, [fine("V5")]);
    await replay(site);
    const all = await replayed(site);
    assertEquals([all.length, new Set(all).size], [11, 11]);
  }));

/** A bus whose leases fail a step: before it is written, or after it was. */
function failing(bus: Bus, when: (step: number) => "before" | "after" | "no"): Bus {
  let steps = 0;
  async function* leases(options: Parameters<Bus["lease"]>[0]): AsyncGenerator<Lease> {
    for await (const lease of bus.lease(options)) {
      yield {
        topic: lease.topic,
        partition: lease.partition,
        lost: lease.lost,
        progress: () => lease.progress(),
        bounds: () => lease.bounds(),
        read: (offset) => lease.read(offset),
        release: () => lease.release(),
        async commit(step: Step) {
          const fault = when(++steps);
          if (fault !== "before") await lease.commit(step);
          if (fault !== "no") throw new Error("crash");
        },
      };
    }
  }
  return {
    kind: bus.kind,
    ensureTopics: (specs) => bus.ensureTopics(specs),
    partitions: (topic) => bus.partitions(topic),
    publish: (outgoing) => bus.publish(outgoing),
    lease: leases,
    tail: (options) => bus.tail(options),
    range: (...args) => bus.range(...args),
    bounds: (topic) => bus.bounds(topic),
    offsetAt: (...args) => bus.offsetAt(...args),
    metrics: () => bus.metrics(),
    close: () => bus.close(),
  };
}

Deno.test("dead letters: a crash before or after any step sends nothing twice and loses nothing", () =>
  Site.with(async (site) => {
    // Large ones, so that there are several steps.
    const padding = "x".repeat(60_000);
    const count = 160;
    for (let i = 0; i < count; i++) {
      await put(site, [letter("no-vehicle", `{"car":"V${i}","ts":${T},"p":"${padding}"}`)]);
    }
    for (const fault of ["before", "after", "after", "before"] as const) {
      const bus = failing(site.bus, (step) => step === 2 ? fault : "no");
      const error = await assertRejects(() => replay(site, { bus }));
      assert(error instanceof Error && error.message === "crash", String(error));
    }
    const partly = (await replayed(site)).length;
    assert(partly > 0 && partly <= count, `${partly}`);
    assert((await replay(site)).complete);
    const all = await replayed(site);
    assertEquals(all, Array.from({ length: count }, (_, i) => `0/${i}`));
  }));

Deno.test("dead letters: a signal stops it between steps", () =>
  Site.with(async (site) => {
    await put(site, [fine("V1")]);
    const stop = new AbortController();
    stop.abort();
    assertEquals(await replay(site, { signal: stop.signal }), { complete: false, letters: [] });
    assertEquals(await replayed(site), []);
  }));

Deno.test("dead letters: one that is refused again tells how often it came", () =>
  Site.with(async (site) => {
    await put(site, [fine("V1")]);
    await replay(site);
    for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, 1)) {
      const refusal = { record: 0, index: 0, start: 0, end: 5, position: 1 };
      await put(site, deadLetters(batch, [{ reason: "no-vehicle", ...refusal }]));
    }
    const source = {
      bus: site.bus,
      topic: TOPICS.deadLetters,
      decoder: createDecoder(MENDED, { maxVehicles: 10, maxClockAheadMs: 0 }),
      now: site.now,
    };
    const marks = await readMarks(source, 0);
    const seen: [number, number, string][] = [];
    for await (const { letters } of readLetters(source, 0, marks, 0, Infinity)) {
      for (const each of letters) seen.push([each.offset, each.replays, each.state]);
    }
    // Offset 1 is the mark.
    assertEquals(seen, [[0, 0, "replayed"], [2, 1, "refused"]]);
  }));

Deno.test("dead letters: marks that nobody can read stop the replay instead of doubling", () =>
  Site.with(async (site) => {
    await put(site, [fine("V1")]);
    await put(site, [{
      key: null,
      value: text.encode("{}"),
      headers: { "kilter-replayed": "1" },
      partition: 0,
    }]);
    const error = await assertRejects(() => replay(site), BusError);
    assert(error.message.includes("the mark at offset 1"), error.message);
    assertEquals(await replayed(site), []);
  }));
