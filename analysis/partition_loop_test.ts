import { assert, assertEquals, assertGreater, assertLess, assertNotEquals } from "@std/assert";
import { type Bus, BusError, FencedError, type Lease, type LeaseOptions } from "../bus/port.ts";
import { DEAD_LETTER_HEADERS, TOPICS } from "../contract/topics.ts";
import { encodeProgress } from "../contract/progress.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import { changingRules, RETENTION_MS, Site, until } from "./test_support.ts";

const RULES = traceRules(`version: 1
rules:
  - { id: fast, when: speed > 100, for: 2 s, clear: speed < 90, clear_for: 1 s }
  - { id: hot, when: coolant > 110 }
  - { id: jump, when: "speed - prev(speed) > 60", once: true }`);

const QUIET = traceRules("version: 1\nrules:\n  - { id: quiet, when: absent(5 s) }");

/** What goes wrong with a commit. */
type Fault = "none" | "not written" | "written, answer lost" | "fenced";

/** A bus whose commits fail as told; a crash of the agent at that point looks the same from outside. */
function failing(bus: Bus, next: () => Fault): Bus {
  const leases = async function* (options: LeaseOptions): AsyncGenerator<Lease> {
    for await (const lease of bus.lease(options)) {
      yield {
        topic: lease.topic,
        partition: lease.partition,
        lost: lease.lost,
        progress: () => lease.progress(),
        bounds: () => lease.bounds(),
        read: (offset) => lease.read(offset),
        release: () => lease.release(),
        async commit(step) {
          const fault = next();
          if (fault === "fenced") throw new FencedError("another member's by now");
          if (fault === "not written") throw new BusError("the broker is gone");
          await lease.commit(step);
          if (fault === "written, answer lost") throw new BusError("no answer");
        },
      };
    }
  };
  return new Proxy(bus, {
    get(target, name) {
      if (name === "lease") return leases;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A bus that reads ranges in another way. */
function withRange(bus: Bus, range: Bus["range"]): Bus {
  return new Proxy(bus, {
    get(target, name) {
      if (name === "range") return range;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** What the rules raise over the whole log, by one engine that never stopped. */
async function oracle(site: Site, rules: RuleSet): Promise<string[]> {
  const engine = createEngine(rules, { partition: 0 });
  const lines: string[] = [];
  for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, Infinity)) {
    for (const { value } of engine.push(batch).anomalies) lines.push(decoded(value));
  }
  return lines;
}

const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const kinds = async (site: Site) =>
  (await site.transitions()).map(({ kind, reason, rule, vehicle }) =>
    `${kind}${reason === undefined ? "" : ` (${reason})`} ${rule} ${vehicle}`
  );

for (let seed = 1; seed <= 6; seed++) {
  Deno.test(`analysis: whatever commits fail, each transition stands once, seed ${seed}`, () =>
    Site.with(async (site) => {
      const random = new Seeded(seed);
      let faults = 0;
      const bus = failing(site.bus, () => {
        const fault = random.pick<Fault>(
          ["none", "none", "not written", "written, answer lost", "fenced"],
        );
        if (fault !== "none") faults++;
        return fault;
      });
      for (let round = 0; round < 15; round++) {
        for (let i = 0; i < 12; i++) {
          site.aheadMs += random.below(1_500);
          const vehicle = `V-${random.below(3)}`;
          if (random.chance(0.1)) await site.send("{oops");
          else {
            const speed = random.pick([40, 95, 105, 130]);
            await site.sample(vehicle, { speed, coolant: random.pick([90, 120]) });
          }
        }
        for (let done = false; !done;) {
          done = await site.work(RULES, bus).then(() => true, (error) => {
            if (!(error instanceof BusError)) throw error;
            return false;
          });
        }
      }
      const expected = await oracle(site, RULES);
      assertEquals((await site.values(TOPICS.anomalies)).map(decoded), expected);
      assertGreater(expected.length, 20);
      assertGreater(faults, 5);
      const refused = createEngine(RULES, { partition: 0 });
      let letters = 0;
      for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, Infinity)) {
        letters += refused.push(batch).refusals.length;
      }
      assertEquals((await site.values(TOPICS.deadLetters)).length, letters);
    }));
}

Deno.test("analysis: a restart in the middle of a run fires when it would have fired", () =>
  Site.with(async (site) => {
    await site.sample("V", { speed: 120 });
    await site.work(RULES);
    assertEquals(await site.transitions(), []);
    site.aheadMs += 2_500;
    await site.sample("V", { speed: 120 });
    await site.work(RULES);
    assertEquals((await site.values(TOPICS.anomalies)).map(decoded), await oracle(site, RULES));
    assertEquals(await kinds(site), ["opened fast V"]);
  }));

Deno.test("analysis: changed rules clear what was open, keep runs, and open nothing by old samples", () =>
  Site.with(async (site) => {
    await site.sample("V", { speed: 50, coolant: 120 });
    await site.sample("W", { speed: 130, coolant: 90 });
    await site.work(RULES);
    assertEquals(await kinds(site), ["opened hot V"]);
    const changed = traceRules(`version: 1
rules:
  - { id: fast, when: speed > 100, for: 2 s, message: new }
  - { id: hot, when: coolant > 100 }`);
    await site.bus.publish([{
      topic: TOPICS.anomalies,
      records: [{ key: null, value: new TextEncoder().encode("not ours"), partition: 0 }],
    }]);
    await site.work(changed);
    const told = site.events.map(({ name }) => name);
    assert(told.includes("analysis.foreign_anomalies"), told.join(" "));
    site.aheadMs += 2_500;
    await site.sample("W", { speed: 130 });
    await site.work(changed);
    const values = (await site.values(TOPICS.anomalies)).map(decoded);
    const after = values.filter((value) => value !== "not ours").slice(1).map((v) => JSON.parse(v));
    assertEquals(after.map(({ kind, rule, vehicle, reason }) => [kind, rule, vehicle, reason]), [
      ["cleared", "hot", "V", "rule changed"],
      ["opened", "fast", "W", undefined],
    ]);
    assert(after.every(({ version }) => version === changed.version));
    assertLess(after[1].onset, after[1].at, "the run of before the change counts");
  }));

Deno.test("analysis: where retention has cut the log, what was open is cleared or opened anew, once", () =>
  Site.with(async (site) => {
    await site.sample("V", { coolant: 120 });
    await site.sample("W", { coolant: 120 });
    site.aheadMs += RETENTION_MS - 10_000;
    await site.sample("W", { coolant: 121 });
    await site.work(RULES);
    assertEquals(await kinds(site), ["opened hot V", "opened hot W"]);
    // The log now begins in the middle of W's anomaly, and knows nothing of V.
    await site.retain(20_000);
    assertEquals((await site.bus.bounds(TOPICS.telemetry))[0], { start: 2, end: 3 });
    for (let restart = 0; restart < 3; restart++) {
      await site.sample("X", { coolant: 90 });
      await site.work(RULES);
    }
    assert(site.events.some(({ name }) => name === "analysis.state_mended"));
    site.aheadMs += 1_000;
    await site.sample("W", { coolant: 80 });
    await site.work(RULES);
    const seen = await site.transitions();
    assertEquals(await kinds(site), [
      "opened hot V",
      "opened hot W",
      "cleared (forgotten) hot V",
      "cleared (forgotten) hot W",
      "opened hot W",
      "cleared (condition) hot W",
    ]);
    assertEquals(seen[5].id, seen[4].id);
    assertNotEquals(seen[4].id, seen[1].id);
  }));

Deno.test("analysis: records lost before they were read are told, and all of before clears", () =>
  Site.with(async (site) => {
    await site.sample("V", { coolant: 120 });
    await site.work(RULES);
    for (let i = 0; i < 3; i++) await site.sample("V", { coolant: 120 });
    await site.retain(RETENTION_MS + 1_000);
    await site.sample("V", { coolant: 90 });
    await site.work(RULES);
    assertEquals(await kinds(site), ["opened hot V", "cleared (forgotten) hot V"]);
    const gap = site.events.find(({ name }) => name === "analysis.gap");
    assert(gap?.message.includes("records 1 to 3"), gap?.message);
  }));

Deno.test("analysis: on a topic made anew each record is evaluated once", () =>
  Site.with(async (site) => {
    await site.sample("V", { coolant: 90 });
    // Progress of a log that is gone, its rules in force from far behind the end of this one.
    const { version } = RULES;
    const stale = encodeProgress({
      next: 900,
      since: 500,
      version,
      checkpoint: null,
      partitions: 1,
    });
    const stop = new AbortController();
    for await (
      const lease of site.bus.lease({
        topic: TOPICS.telemetry,
        group: "kilter-analysis",
        progressTopic: TOPICS.checkpoints,
        signal: stop.signal,
      })
    ) {
      await lease.commit({ nextOffset: 900, outputs: [], progress: stale });
      stop.abort();
    }
    site.aheadMs += 1_000;
    await site.sample("V", { coolant: 120 });
    await site.work(RULES);
    assertEquals(await kinds(site), ["opened hot V"]);
    assertEquals((await site.progress())?.since, 0);
  }));

Deno.test("analysis: a record of nothing but refused objects makes a bounded number of letters", () =>
  Site.with(async (site) => {
    const good = `{"vehicle":"V","ts":${site.now()},"coolant":120}\n`;
    await site.send("x\n".repeat(20_000) + good + "{}\n".repeat(20_000), new Uint8Array(35_000));
    await site.work(RULES);
    assertEquals(await kinds(site), ["opened hot V"]);
    let letters = 0;
    let objects = 0;
    for await (const batch of site.bus.range(TOPICS.deadLetters, 0, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++, letters++) {
        const headers = batch.headers(i);
        objects += Number(headers["kilter-objects"] ?? 1);
        assertEquals(headers["kilter-key-truncated"], "35000");
        assertEquals(
          headers[DEAD_LETTER_HEADERS.reason],
          letters <= 100 ? "malformed-json" : "no-vehicle",
        );
      }
    }
    assertEquals(objects, 40_000);
    assertEquals(letters, 102);
  }));

Deno.test("analysis: a clock that was ahead and is set back does not hold up steps", () =>
  Site.with(async (site) => {
    site.aheadMs = 3_600_000;
    await site.run(RULES, async () => {
      await site.sample("V", { coolant: 120 });
      await until("the first step", () => site.consumed(RULES));
      site.aheadMs = 0;
      // Nothing comes of this one, so its step is one that time brings about.
      await site.sample("V", { coolant: 121 });
      await until("the step after", () => site.consumed(RULES));
    });
    assertEquals(await kinds(site), ["opened hot V"]);
  }));

Deno.test("analysis: a tick that the bus does not take is tried again, and ends nothing", () =>
  Site.with(async (site) => {
    let refused = 0;
    const bus = new Proxy(site.bus, {
      get(target, name) {
        if (name === "publish" && refused < 2) {
          return () => {
            refused++;
            return Promise.reject(new BusError("no room"));
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await site.sample("V", { speed: 120 });
    await site.run(QUIET, async (over) => {
      await until("it is taken in", async () => over() || await site.consumed(QUIET));
      await until("a tick goes through", async () => {
        site.aheadMs += 1_000;
        return over() || (await kinds(site)).length === 1;
      });
      assert(!over(), "the agent has ended");
    }, bus);
    assertEquals([await kinds(site), refused], [["opened quiet V"], 2]);
    const told = site.events.filter(({ name }) => name === "analysis.not_ticked");
    assertEquals(told.length, 2);
  }));

Deno.test("analysis: point events of a rule that is gone are not cleared where state is mended", () =>
  Site.with(async (site) => {
    const after = traceRules(`version: 1
rules:
  - { id: hot, when: coolant > 110 }`);
    const under = (current: RuleSet) =>
      site.run(
        changingRules(() => current, [RULES, after]),
        (over) => until("all is committed", async () => over() || await site.consumed(current)),
      );
    await site.sample("V", { speed: 40, coolant: 120 });
    site.aheadMs += 1_000;
    await site.sample("V", { speed: 110 });
    await under(RULES);
    assertEquals(await kinds(site), ["opened hot V", "opened jump V"]);
    await site.sample("V", { speed: 40 });
    await under(after);
    // Nobody reads this one: the gap is what makes the state anew.
    await site.sample("V", { speed: 40 });
    await site.retain(RETENTION_MS + 1_000);
    await site.sample("W", { coolant: 90 });
    await under(after);
    assertEquals((await kinds(site)).slice(2), ["cleared (forgotten) hot V"]);
  }));

Deno.test("analysis: retention in the middle of a restart is no silent hole in the state", () =>
  Site.with(async (site) => {
    await site.sample("V", { coolant: 90 });
    await site.work(RULES);
    await site.sample("V", { coolant: 120 });
    await site.work(RULES);
    // It strikes after the bounds were looked up, before what came since the start is read again.
    let struck = false;
    const bus = withRange(site.bus, async function* (topic, ...rest) {
      if (topic === TOPICS.telemetry && !struck) {
        struck = true;
        await site.retain(RETENTION_MS + 1_000);
      }
      yield* site.bus.range(topic, ...rest);
    });
    await site.run(RULES, (over) =>
      until("the state is mended", () =>
        Promise.resolve(
          over() || site.events.some(({ name }) => name === "analysis.state_mended"),
        )), bus);
    await site.sample("V", { coolant: 90 });
    await site.work(RULES);
    assertEquals(await kinds(site), ["opened hot V", "cleared (forgotten) hot V"]);
  }));
