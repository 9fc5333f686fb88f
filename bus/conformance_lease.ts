/** Conformance of a bus to consumers: leases, steps, fencing, sharing, back-pressure. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  eventually,
  everything,
  leaseOf,
  Member,
  type SeenRecord,
  text,
  within,
} from "./conformance_support.ts";
import {
  type Bus,
  FencedError,
  type Lease,
  OffsetGoneError,
  progressKey,
  RECORD_BYTES_MAX,
  RecordTooLargeError,
} from "./port.ts";

interface Topics {
  readonly input: string;
  readonly output: string;
  readonly progress: string;
}

async function topics(context: CaseContext, partitions = 1): Promise<Topics> {
  return {
    input: await context.topic("input", { partitions }),
    output: await context.topic("output", { partitions }),
    progress: await context.topic("progress", { partitions, cleanup: "compact" }),
  };
}

function join(
  bus: Bus,
  { input, progress }: Topics,
  options: { bytesInFlight?: number; idleMs?: number } = {},
  onLease?: (lease: Lease) => Promise<void>,
): Member {
  return new Member(
    bus,
    { topic: input, group: `group.${input}`, progressTopic: progress, ...options },
    onLease,
  );
}

function out(topic: string, partition: number, ...values: string[]) {
  const records = values.map((value) => ({ key: null, value: bytes(value), partition }));
  return [{ topic, records }];
}

function values(seen: readonly SeenRecord[]): (string | null)[] {
  return seen.map(({ value }) => value);
}

/** Copies every record of a lease to the output topic, a batch a step, until the lease is lost. */
async function copy(lease: Lease, output: string): Promise<void> {
  const from = Number(text(await lease.progress()) ?? "0");
  try {
    for await (const batch of lease.read(from)) {
      if (batch === null) continue;
      let start = 0;
      const records = Array.from(batch.valueEnds.subarray(0, batch.count), (end) => {
        const value = batch.values.slice(start, end);
        start = end;
        return { key: null, value, partition: lease.partition };
      });
      await lease.commit({
        nextOffset: batch.nextOffset,
        outputs: [{ topic: output, records }],
        progress: bytes(String(batch.nextOffset)),
      });
    }
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
  }
}

/** The promises. */
export const LEASE_CASES: readonly ConformanceCase[] = [
  {
    name: "a step's outputs and progress become visible together",
    async run(context) {
      const { bus } = context;
      const named = await topics(context);
      await bus.publish(out(named.input, 0, "a", "b", "c"));
      const member = join(bus, named);
      const lease = await leaseOf(context, member, 0);
      assertEquals(await lease.progress(), null);
      assertEquals(await lease.bounds(), { start: 0, end: 3 });
      await lease.commit({
        nextOffset: 2,
        outputs: out(named.output, 0, "A", "B"),
        progress: bytes("at 2"),
      });
      assertEquals(text(await lease.progress()), "at 2");
      await lease.commit({ nextOffset: 3, outputs: [], progress: bytes("at 3") });
      assertEquals(text(await lease.progress()), "at 3");
      assertEquals(values(await everything(bus, named.output)), ["A", "B"]);
      const progress = await everything(bus, named.progress);
      assertEquals(progress.at(-1)?.key, progressKey(`group.${named.input}`, named.input));
      assertEquals(progress.at(-1)?.value, "at 3");
      await member.leave();
    },
  },
  {
    name: "a step with an output too large leaves nothing, and the next one works",
    async run(context) {
      const { bus } = context;
      const named = await topics(context);
      const member = join(bus, named);
      const lease = await leaseOf(context, member, 0);
      await lease.commit({ nextOffset: 0, outputs: [], progress: bytes("before") });
      const large = { key: bytes("k"), value: new Uint8Array(RECORD_BYTES_MAX + 1), partition: 0 };
      await assertRejects(
        () =>
          lease.commit({
            nextOffset: 1,
            outputs: [
              ...out(named.output, 0, "lost"),
              { topic: named.output, records: [large] },
            ],
            progress: bytes("after"),
          }),
        RecordTooLargeError,
      );
      assertEquals(await everything(bus, named.output), []);
      assertEquals(text(await lease.progress()), "before");
      await lease.commit({
        nextOffset: 1,
        outputs: out(named.output, 0, "kept"),
        progress: bytes("then"),
      });
      assertEquals(values(await everything(bus, named.output)), ["kept"]);
      assertEquals(text(await lease.progress()), "then");
      await member.leave();
    },
  },
  {
    name: "a new owner resumes at the last committed progress",
    async run(context) {
      const named = await topics(context);
      await context.bus.publish(out(named.input, 0, "a", "b", "c", "d"));
      const first = await context.another();
      const member = join(first, named);
      const lease = await leaseOf(context, member, 0);
      await lease.commit({
        nextOffset: 2,
        outputs: out(named.output, 0, "A", "B"),
        progress: bytes("2"),
      });
      await member.leave();
      await first.close();
      const next = join(context.bus, named);
      const resumed = await leaseOf(context, next, 0);
      assertEquals(text(await resumed.progress()), "2");
      for await (const batch of resumed.read(2)) {
        if (batch === null) continue;
        assertEquals(batch.offsets[0], 2);
        break;
      }
      assertEquals(values(await everything(context.bus, named.output)), ["A", "B"]);
      await next.leave();
    },
  },
  {
    name: "two members share the partitions, and one that leaves gives its own to the other",
    async run(context) {
      const named = await topics(context, 4);
      const second = await context.another();
      const a = join(context.bus, named);
      await eventually(context.waitMs, "one member holds all", () => a.held.size === 4);
      const b = join(second, named);
      await eventually(
        context.waitMs,
        "both hold two",
        () => a.held.size === 2 && b.held.size === 2,
      );
      assertEquals([...a.held.keys(), ...b.held.keys()].sort(), [0, 1, 2, 3]);
      await b.leave();
      assertEquals(b.held.size, 0);
      await eventually(context.waitMs, "the first holds all again", () => a.held.size === 4);
      await a.leave();
      await second.close();
    },
  },
  {
    name: "who lost a lease is refused its steps, and its reading ends",
    async run(context) {
      const named = await topics(context, 2);
      const second = await context.another();
      const ended: number[] = [];
      const a = join(context.bus, named, {}, async (lease) => {
        for await (const _ of lease.read(0));
        ended.push(lease.partition);
      });
      await eventually(context.waitMs, "one member holds both", () => a.held.size === 2);
      const leases = [...a.held.values()];
      const b = join(second, named);
      await eventually(context.waitMs, "the other holds one", () => b.held.size === 1);
      const [moved] = b.held.keys();
      const lost = leases.find(({ partition }) => partition === moved);
      assert(lost !== undefined);
      await eventually(context.waitMs, "the old owner is told", () => lost.lost.aborted);
      await assertRejects(
        () =>
          lost.commit({
            nextOffset: 1,
            outputs: out(named.output, moved, "zombie"),
            progress: bytes("zombie"),
          }),
        FencedError,
      );
      assertEquals(await everything(context.bus, named.output, moved), []);
      const [owner] = b.held.values();
      assertEquals(await owner.progress(), null);
      await eventually(context.waitMs, "its reading ends", () => ended.includes(moved));
      await Promise.all([a.leave(), b.leave()]);
      await second.close();
    },
  },
  {
    name: "a partition given back is leased anew",
    async run(context) {
      const { bus, waitMs } = context;
      const named = await topics(context);
      const member = join(bus, named);
      const lease = await leaseOf(context, member, 0);
      await lease.commit({ nextOffset: 0, outputs: [], progress: bytes("first") });
      await lease.release();
      await lease.release();
      assert(lease.lost.aborted);
      await assertRejects(
        () => lease.commit({ nextOffset: 0, outputs: [], progress: bytes("late") }),
        FencedError,
      );
      await eventually(waitMs, "it is leased anew", () => member.held.has(0));
      const anew = await leaseOf(context, member, 0);
      assert(anew !== lease);
      assertEquals(text(await anew.progress()), "first");
      await member.leave();
    },
  },
  {
    name: "nothing is lost or doubled while members come and go",
    async run(context) {
      const named = await topics(context, 3);
      const want: string[][] = [[], [], []];
      let sent = 0;
      const send = async (rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          const records = Array.from({ length: 6 }, () => {
            const partition = sent % 3;
            want[partition].push(`v${sent}`);
            return { key: null, value: bytes(`v${sent++}`), partition };
          });
          await context.bus.publish([{ topic: named.input, records }]);
        }
      };
      // Records are counted, not offsets: a bus may use up offsets of its own.
      const copied = async () => {
        const parts = [0, 1, 2].map((partition) =>
          everything(context.bus, named.output, partition)
        );
        return (await Promise.all(parts)).flat().length;
      };
      const a = join(context.bus, named, {}, (lease) => copy(lease, named.output));
      await send(10);
      await eventually(context.waitMs, "copying has begun", async () => await copied() > 0);
      const second = await context.another();
      const b = join(second, named, {}, (lease) => copy(lease, named.output));
      await send(10);
      await eventually(context.waitMs, "the second has joined", () => b.held.size > 0);
      await send(10);
      await a.leave();
      await send(10);
      await eventually(context.waitMs, "the second holds all", () => b.held.size === 3);
      await eventually(context.waitMs, "all is copied", async () => await copied() >= sent);
      await b.leave();
      for (const partition of [0, 1, 2]) {
        assertEquals(
          values(await everything(context.bus, named.output, partition)),
          want[partition],
        );
      }
      await second.close();
    },
  },
  {
    name: "a slow reader does not make the bus read far ahead",
    async run(context) {
      const { bus } = context;
      const named = await topics(context);
      const record = { key: null, value: new Uint8Array(100_000).fill(120), partition: 0 };
      for (let i = 0; i < 6; i++) {
        await bus.publish([{
          topic: named.input,
          records: Array.from({ length: 10 }, () => record),
        }]);
      }
      const bytesInFlight = 400_000;
      const member = join(bus, named, { bytesInFlight });
      const lease = await leaseOf(context, member, 0);
      let read = 0;
      for await (const batch of lease.read(0)) {
        if (batch === null) continue;
        read += batch.count;
        assert(batch.values.length <= bytesInFlight + record.value.length);
        // Time enough for an eager bus to run ahead.
        let turns = 0;
        await eventually(context.waitMs, "some turns pass", () => ++turns > 5);
        const ahead = bus.metrics()["bus_read_ahead_bytes"] ?? 0;
        assert(ahead <= bytesInFlight + 2 * record.value.length, `${ahead} bytes read ahead`);
        if (read === 60) break;
      }
      await member.leave();
    },
  },
  {
    name: "a reader with nothing to read is woken now and then",
    async run(context) {
      const named = await topics(context);
      const member = join(context.bus, named, { idleMs: 20 });
      const lease = await leaseOf(context, member, 0);
      let idle = 0;
      const woken = (async () => {
        for await (const batch of lease.read(0)) if (batch === null && ++idle === 3) break;
      })();
      await within(context.waitMs, "three idle wake-ups", woken);
      await context.bus.publish(out(named.input, 0, "late"));
      const read = (async () => {
        for await (const batch of lease.read(0)) if (batch !== null) return batch.count;
        return 0;
      })();
      assertEquals(await within(context.waitMs, "the record", read), 1);
      await member.leave();
    },
  },
  {
    name: "reading from an offset that retention dropped says so",
    async run(context) {
      const { bus } = context;
      const input = await context.topic("input", { retentionMs: 60_000 });
      const progress = await context.topic("progress", { cleanup: "compact" });
      const named = { input, output: input, progress };
      await bus.publish(out(input, 0, "a", "b", "c"));
      await context.forget(input, 0, 3);
      await bus.publish(out(input, 0, "d"));
      const member = join(bus, named);
      const lease = await leaseOf(context, member, 0);
      assertEquals(await lease.bounds(), { start: 3, end: 4 });
      const error = await assertRejects(async () => {
        for await (const batch of lease.read(1)) if (batch !== null) break;
      }, OffsetGoneError);
      assertEquals(error.start, 3);
      await member.leave();
    },
  },
];
