/** A backlog that one `analysis` process works off, and the memory that it takes for that. */
import type { TestBroker } from "../e2e/broker.ts";
import { tortureSite } from "../e2e/torture_bus.ts";
import { progressOf } from "../e2e/torture_check.ts";
import { fillLog } from "./bus_fill.ts";

/** What working it off gave. */
export interface BacklogRow {
  readonly samples: number;
  /** From the first step until the last. */
  readonly seconds: number;
  /** Processor time of the process meanwhile, as cores in use. */
  readonly cores: number;
  /** Most memory that the process has had resident in each quarter of the work, megabytes. */
  readonly quarters: readonly number[];
  /** The same over all, as the system counts it. */
  readonly peakMegabytes: number;
}

const PARTITIONS = 8;
const SAMPLES_PER_RECORD = 200;
/** Ticks of processor time a second, as /proc counts them. */
const TICKS = 100;
const LOOK_MS = 20;
/** As the task `analysis` starts it. */
const FLAGS = ["--v8-flags=--max-semi-space-size=2,--optimize-for-size", "--no-check", "-A"];

/** Writes a log, starts `analysis` over it and watches until all is committed. */
export async function backlogRow(
  broker: TestBroker | null,
  samples: number,
  now: () => number,
): Promise<BacklogRow> {
  await using site = await tortureSite(broker, { partitions: PARTITIONS, sessionMs: 10_000 });
  await fillLog(site.bus, site.topics.telemetry, samples, SAMPLES_PER_RECORD);
  const ends = (await site.bus.bounds(site.topics.telemetry)).map(({ end }) => end);
  const all = ends.reduce((sum, end) => sum + end, 0);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...FLAGS, "main.ts", "analysis", "--log-level", "error", ...site.flags],
    cwd: new URL("../", import.meta.url),
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env: { MALLOC_ARENA_MAX: "2" },
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  try {
    const quarters = [0, 0, 0, 0];
    let [startedAt, startedWith, done] = [0, 0, 0];
    while (done < all) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (ended) throw new Error("The process ended before it was through");
      const progress = await progressOf(site);
      done = progress.reduce((sum, each) => sum + (each?.next ?? 0), 0);
      if (done === 0) continue;
      if (startedAt === 0) [startedAt, startedWith] = [now(), processTicks(child.pid)];
      const quarter = Math.min(3, Math.floor(done / all * 4));
      quarters[quarter] = Math.max(quarters[quarter], residentMegabytes(child.pid, "VmRSS"));
    }
    const seconds = (now() - startedAt) / 1_000;
    const cores = (processTicks(child.pid) - startedWith) / TICKS / seconds;
    const refused = (await site.bus.bounds(site.topics.deadLetters)).some(({ end }) => end > 0);
    if (refused) throw new Error("Some of the samples were refused");
    const peakMegabytes = residentMegabytes(child.pid, "VmHWM");
    return { samples, seconds, cores, quarters, peakMegabytes };
  } finally {
    if (!ended) child.kill("SIGTERM");
    await child.status;
  }
}

function residentMegabytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1_000);
}

/** Processor time that a process has used, ticks. */
function processTicks(pid: number): number {
  // The name, in brackets, may hold spaces.
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
