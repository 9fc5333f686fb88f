/** From the save of a rules file to the records that it judges: a real process, its embedded bus. */
import { murmur2Partition } from "../bus/murmur2.ts";
import { SHIPPED } from "../commands/files.ts";
import { decodeRuleRecord } from "../contract/rule_versions.ts";
import { Program } from "../e2e/program.ts";
import { PARTITIONS, type TortureSite, tortureSite } from "../e2e/torture_bus.ts";

/** How long edits took, milliseconds from the save on. */
export interface EditFigures {
  readonly partitions: number;
  readonly rules: number;
  /** Edits of a message: until the first partition runs it, and until all do; ascending. */
  readonly first: readonly number[];
  readonly all: readonly number[];
  /** An edit of a limit, which has to warm: until all partitions run it. */
  readonly warmedMs: number;
  /** Records that it took in aside. */
  readonly warmedRecords: number;
}

/** Edits of a message that are timed. */
const EDITS = 12;
/** Vehicles that send, each once in this time. */
const VEHICLES = 40;
const ROUND_MS = 20;
const WAIT_MS = 30_000;

/** Times edits while telemetry comes. */
export async function editFigures(): Promise<EditFigures> {
  await using site = await tortureSite(null);
  const file = `${site.dir}/rules.yaml`;
  const text = await Deno.readTextFile(SHIPPED.rules);
  const rules = [...text.matchAll(/^ {2}- id:/gm)].length;
  await Deno.writeTextFile(file, text);
  const args = ["start", "--rules", file, "--port", "0"];
  await using program = new Program([...args, ...site.flags], [site.dir]);
  const stop = new AbortController();
  const sending = send(site, stop.signal);
  const edit = async (k: number, changed: string) => {
    const savedAt = Date.now();
    await Deno.writeTextFile(file, changed);
    const times = await activations(site, k, program);
    return times.map((time) => time - savedAt);
  };
  try {
    await activations(site, 0, program);
    const [first, all]: number[][] = [[], []];
    for (let k = 1; k <= EDITS; k++) {
      const times = await edit(k, text.replace(/message: "/, `message: "${k}. `));
      first.push(times[0]);
      all.push(times[times.length - 1]);
    }
    const limit = /when: speed > (\d+) km\/h/.exec(text);
    if (limit === null) throw new Error("Cannot find a limit of speed in the shipped rules");
    const other = limit[0].replace(limit[1], String(Number(limit[1]) + 1));
    const times = await edit(EDITS + 1, text.replace(limit[0], other));
    const told = [...program.report().matchAll(/(\d+) records taken in aside/g)];
    const ascending = (list: readonly number[]) => [...list].sort((a, b) => a - b);
    return {
      ...{ partitions: PARTITIONS, rules, first: ascending(first), all: ascending(all) },
      warmedMs: times[times.length - 1],
      warmedRecords: told.reduce((sum, [, records]) => sum + Number(records), 0),
    };
  } finally {
    stop.abort();
    await sending;
  }
}

/** Publishes a sample of every vehicle, round after round. */
async function send({ bus, topics }: TortureSite, signal: AbortSignal): Promise<void> {
  const encoder = new TextEncoder();
  const keys = Array.from({ length: VEHICLES }, (_, i) => encoder.encode(`V-${i}`));
  while (!signal.aborted) {
    const records = keys.map((key, i) => ({
      key,
      value: encoder.encode(
        JSON.stringify({ vehicle: `V-${i}`, ts: Date.now(), speed: 50 + (i % 60), rpm: 1500 }),
      ),
      partition: murmur2Partition(key, PARTITIONS),
    }));
    await bus.publish([{ topic: topics.telemetry, records }]);
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
}

/** Times at which each partition began to run the version after `k` others, ascending. */
async function activations(
  { bus, topics }: TortureSite,
  k: number,
  program: Program,
): Promise<number[]> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const versions: string[] = [];
    const times: number[] = [];
    for await (const batch of bus.range(topics.rules, 0, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) {
        const value = batch.values.slice(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]);
        const record = decodeRuleRecord(value);
        if (record?.kind === "version") versions.push(record.version);
        else if (versions.length === k + 1 && record?.version === versions[k]) {
          times.push(record.time);
        }
      }
    }
    if (times.length === PARTITIONS) return times.sort((a, b) => a - b);
    if (Date.now() > deadline) {
      throw new Error(`Version ${k} was not in force in time\n${program.report()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
