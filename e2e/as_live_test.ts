/** A live run with edits, silences and a kill, then a back-test of its log: the same bytes. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { murmur2Partition } from "../bus/murmur2.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import { decodeRuleRecord } from "../contract/rule_versions.ts";
import { Seeded } from "../testing/seeded.ts";
import { brokerTests, startBroker } from "./broker.ts";
import { Program, runKilter, until } from "./program.ts";
import { isDone } from "./torture_check.ts";
import { PARTITIONS, type TortureSite, tortureSite } from "./torture_bus.ts";

const RULES = {
  fast: (limit: number, message: string) =>
    `  - { id: fast, when: speed > ${limit}, for: 1 s, clear: speed < 90, message: "${message}" }\n`,
  hot: `  - { id: hot, when: "avg(coolant, 4 s) > 100", cooldown: 2 s }\n`,
  silent: "  - { id: silent, when: absent(1 s) }\n",
  jump: `  - { id: jump, when: "speed - prev(speed) > 40", once: true }\n`,
};

/** What the file says, phase by phase: an edited message, a new rule, another limit, one removed. */
const PHASES = [
  RULES.fast(100, "a") + RULES.silent,
  RULES.fast(100, "b") + RULES.silent,
  RULES.fast(100, "b") + RULES.silent + RULES.hot + RULES.jump,
  RULES.fast(95, "b") + RULES.silent + RULES.hot,
  RULES.hot + RULES.fast(95, "c"),
];
const VEHICLES = 12;
const ROUNDS = 12;
/** All phases, with the kill and the silence, again and again for so long; 0: once. */
const MINUTES = Number(Deno.env.get("KILTER_AS_LIVE_MINUTES") ?? 0);

async function send({ bus, topics }: TortureSite, random: Seeded): Promise<void> {
  const text = new TextEncoder();
  const records = [];
  for (let i = 0; i < VEHICLES; i++) {
    if (random.chance(0.3)) continue;
    const vehicle = text.encode(`V-${i}`);
    // Two speed all the time: an anomaly stands open whenever the rules change.
    const speed = i < 2 ? 130 : random.pick([40, 80, 97, 110, 130]);
    const value = JSON.stringify({
      ...{ vehicle: `V-${i}`, ts: Date.now() - random.below(300), speed },
      coolant: random.pick([80, 99, 120]),
    });
    const partition = murmur2Partition(vehicle, PARTITIONS);
    records.push({ key: vehicle, value: text.encode(value), partition });
  }
  await bus.publish([{ topic: topics.telemetry, records }]);
}

async function published({ bus, topics }: TortureSite, topic: "anomalies" | "rules") {
  const found: Uint8Array[] = [];
  const parts = topic === "rules" ? 1 : PARTITIONS;
  for (let partition = 0; partition < parts; partition++) {
    for await (const batch of bus.range(topics[topic], partition, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) {
        found.push(batch.values.slice(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]));
      }
    }
  }
  return found;
}

/** Partitions on which the newest version is in force. */
async function changed(site: TortureSite): Promise<boolean> {
  let version = "";
  const partitions = new Set<number>();
  for (const value of await published(site, "rules")) {
    const record = decodeRuleRecord(value);
    if (record?.kind === "version") {
      version = record.version;
      partitions.clear();
    } else if (record?.version === version) partitions.add(record.partition);
  }
  return partitions.size === PARTITIONS;
}

async function holds(site: TortureSite): Promise<void> {
  const file = `${site.dir}/rules.yaml`;
  const write = (phase: number) => Deno.writeTextFile(file, `version: 1\nrules:\n${PHASES[phase]}`);
  const args = ["start", "--rules", file, "--port", "0", "--checkpoint-every", "500 ms"];
  const random = new Seeded(11);
  await write(0);
  let program = new Program([...args, ...site.flags], [site.dir]);
  const endAt = Date.now() + MINUTES * 60_000;
  let cycles = 0;
  const live = async () => {
    for (let phase = 0; phase < PHASES.length; phase++) {
      if (phase + cycles > 0) await write(phase);
      if (phase === 3) {
        // Changed and killed at once: the change happens in the next life.
        await program.kill("SIGKILL");
        program = new Program([...args, ...site.flags], [site.dir]);
      }
      for (let round = 0; round < ROUNDS; round++) {
        await send(site, random);
        await new Promise((resolve) => setTimeout(resolve, random.below(250)));
      }
      await until(`phase ${phase} is in force`, () => changed(site), () => program.report());
    }
    // Silence, and what ends it.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await send(site, random);
    cycles++;
  };
  try {
    do await live(); while (Date.now() < endAt);
    await until("all is worked off", () => isDone(site), () => program.report());
  } finally {
    await program.kill("SIGTERM");
  }
  const run = await runKilter(["backtest", ...site.flags], [site.dir]);
  assertEquals(run.code, 0, run.stderr);
  const spread = await runKilter(["backtest", "--workers", "3", ...site.flags], [site.dir]);
  assertEquals(spread.stdout, run.stdout, spread.stderr);
  const text = new TextDecoder();
  const told = (await published(site, "anomalies")).map((value) => text.decode(value));
  // The log may end with records that were not worked off any more: their output is to come.
  const byPartition = (lines: readonly string[]) => {
    const found = Array.from({ length: PARTITIONS }, (): string[] => []);
    for (const line of lines) {
      found[decodeTransition(new TextEncoder().encode(line)).source.partition].push(line);
    }
    return found;
  };
  const tested = byPartition(run.stdout.split("\n").filter((line) => line !== ""));
  byPartition(told).forEach((lines, partition) => {
    assertEquals(lines, tested[partition].slice(0, lines.length), `partition ${partition}`);
  });
  const kinds = new Set(told.map((line) => /"kind":"(\w+)"(,"reason":"[\w ]+")?/.exec(line)?.[0]));
  assert(kinds.has('"kind":"cleared","reason":"rule changed"'), [...kinds].join(" "));
  assertGreater(told.length, 40 * cycles);
}

Deno.test("as live, embedded: edits, silences and a kill, and the log alone gives the same bytes", async () => {
  await using site = await tortureSite(null);
  await holds(site);
});

brokerTests("as live, Kafka", await startBroker(), {
  "edits, silences and a kill, and the log alone gives the same bytes": async (broker) => {
    await using site = await tortureSite(broker);
    await holds(site);
  },
});
