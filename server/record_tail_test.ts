import { assert, assertEquals, assertRejects } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import type { Batch } from "../bus/port.ts";
import { HttpFault } from "./problem.ts";
import { RecordTail } from "./record_tail.ts";
import { onSite, settled } from "./test_site.ts";

const encoder = new TextEncoder();

function batchOf(
  offset: number,
  records: readonly (readonly [key: string, text: string])[],
): Batch {
  const ends: number[] = [];
  for (const [, text] of records) ends.push((ends.at(-1) ?? 0) + encoder.encode(text).length);
  return {
    ...{ topic: "t", partition: 2, count: records.length, nextOffset: 9, highWatermark: 9 },
    offsets: Float64Array.from(records, (_, k) => offset + k),
    appendTimes: Float64Array.from(records, (_, k) => 1_000 + k),
    values: encoder.encode(records.map(([, text]) => text).join("")),
    valueEnds: Uint32Array.from(ends),
    key: (i) => encoder.encode(records[i]?.[0]),
    ...{ headers: () => ({}), tombstone: () => false },
  };
}

/** Looks while something happens; the look ends when that is over. */
async function looked(part: string, limit: number, happen: (tail: RecordTail) => void) {
  const stop = new AbortController();
  const tail = new RecordTail(() => 5, stop.signal);
  const look = tail.look(part, limit);
  happen(tail);
  stop.abort();
  return await look;
}

Deno.test("record tail: what comes while somebody looks, evenly, and how much that is of all", async () => {
  const many = Array.from({ length: 1_000 }, (_, k) => ["VH-1", `{"n":${k}}`] as const);
  const view = await looked("", 100, (tail) => {
    tail.take(batchOf(0, many));
    tail.take(batchOf(1_000, many));
  });
  assertEquals([view.seen, view.matched], [2_000, 2_000]);
  assert(view.records.length > 50 && view.records.length <= 100, `${view.records.length}`);
  const steps = view.records.slice(1).map(({ offset }, k) => offset - view.records[k].offset);
  assertEquals(new Set(steps), new Set([32]));
  assertEquals(view.records[0], {
    ...{ partition: 2, offset: 0, append: 1_000, key: "VH-1", text: '{"n":0}', bytes: 7 },
  });
});

Deno.test("record tail: a text finds the one record among thousands, by key or value", async () => {
  const others = Array.from({ length: 3_000 }, (_, k) => ["VH-1", `{"n":${k}}`] as const);
  for (const [part, key, text] of [["vh-7", "VH-7", "{}"], ["broken", "VH-1", "Broken {"]]) {
    const view = await looked(part, 10, (tail) => {
      tail.take(batchOf(0, others));
      tail.take(batchOf(3_000, [[key, text]]));
    });
    assertEquals([view.seen, view.matched], [3_001, 1]);
    assertEquals(view.records.map((record) => [record.key, record.text]), [[key, text]]);
  }
});

Deno.test("record tail: long values are cut, between letters; too many looks are refused", async () => {
  const view = await looked("", 10, (tail) => tail.take(batchOf(0, [["V", "😀".repeat(300)]])));
  assertEquals([view.records[0].text.length, view.records[0].bytes], [401, 1_200]);
  assert(view.records[0].text.endsWith("😀…"));
  const odd = await looked(
    "",
    10,
    (tail) => tail.take(batchOf(0, [["V", `x${"😀".repeat(300)}`]])),
  );
  assert(odd.records[0].text.endsWith("😀…"));
  const stop = new AbortController();
  const tail = new RecordTail(() => 0, stop.signal);
  const looks = Array.from({ length: 16 }, () => tail.look("", 1));
  await assertRejects(() => tail.look("", 1), HttpFault, "Too many");
  stop.abort();
  await Promise.all(looks);
  await tail.look("", 1);
});

Deno.test("api: the tail shows records as they come", () =>
  onSite(async (site) => {
    const look = site.json("/api/tail?q=vh-2&limit=5");
    let sent = 0;
    let done = false;
    const sending = (async () => {
      while (!done) {
        await site.bus.send(TOPICS.telemetry, {
          vehicle: sent % 2 === 0 ? "VH-1" : "VH-2",
          ts: 1e12 + sent,
        });
        sent++;
        await settled(site, sent);
      }
    })();
    const { seen, matched, records } = await look;
    done = true;
    await sending;
    assert(Array.isArray(records) && records.length > 0 && records.length <= 5);
    assert(records.every(({ text }) => text.includes("VH-2")));
    assert(Number(seen) > Number(matched), `${matched} of ${seen}`);
    const refused = await site.get("/api/tail?limit=100000");
    assertEquals(refused.status, 400);
    await refused.body?.cancel();
  }));
