/** Several `analysis` processes on one machine over a log that is there, on a real broker. */
import type { TestBroker } from "../e2e/broker.ts";
import { Program } from "../e2e/program.ts";
import { type TortureSite, tortureSite } from "../e2e/torture_bus.ts";
import { pause, progressOf, until } from "../e2e/torture_check.ts";
import { partitionsHeld } from "../e2e/torture_group.ts";
import { TortureLog } from "../e2e/torture_log.ts";

/** What so many processes made of the log. */
export interface ScalingOutRow {
  readonly processes: number;
  readonly samples: number;
  /** All together. */
  readonly perSecond: number;
  /** Of each: the samples of its partitions, over the time until it had done with them. */
  readonly ownPerSecond: readonly number[];
  /** Processor time of each, and of the whole machine, as cores in use. */
  readonly ownCores: readonly number[];
  /** Samples for each second of processor time that the processes used, without the broker's. */
  readonly perCpuSecond: number;
  readonly machineCores: number;
}

const PARTITIONS = 8;
const VEHICLES = 10_000;
/** They sleep while the log is written, and are still members after it. */
const SESSION_MS = 60_000;
/** Ticks of processor time a second, as /proc counts them. */
const TICKS = 100;
const POLL_MS = 10;

/** Starts `processes`, lets them sleep until the log is written, and takes the time from waking. */
export async function scalingOutRow(
  broker: TestBroker,
  processes: number,
  samples: number,
  now: () => number,
): Promise<ScalingOutRow> {
  await using site = await tortureSite(broker, { partitions: PARTITIONS, sessionMs: SESSION_MS });
  const log = new TortureLog(site, { samples, seed: 7, vehicles: VEHICLES });
  const members = Array.from(
    { length: processes },
    () => new Program(["analysis", ...site.flags], [site.dir]),
  );
  try {
    const report = () => members.map((member) => member.report()).join("\n");
    await until("each has its share", () => Promise.resolve(isShared(members)), report);
    for (const member of members) member.signal("SIGSTOP");
    await log.finish();
    const usedBefore = members.map(({ pid }) => processTicks(pid));
    const busyBefore = machineTicks();
    const startedAt = now();
    for (const member of members) member.signal("SIGCONT");
    const doneAt = await untilDone(site, now, report);
    const seconds = (Math.max(...doneAt) - startedAt) / 1_000;
    const cores = (ticks: number) => ticks / TICKS / seconds;
    const used = members.map(({ pid }, i) => processTicks(pid) - usedBefore[i]);
    const busy = machineTicks() - busyBefore;
    const sizes = (await site.bus.bounds(site.topics.telemetry)).map(({ start, end }) =>
      end - start
    );
    const records = sizes.reduce((sum, size) => sum + size, 0);
    return {
      ...{ processes, samples, perSecond: samples / seconds },
      ownPerSecond: members.map((member) => {
        const held = partitionsHeld(member);
        const own = held.reduce((sum, partition) => sum + sizes[partition], 0);
        const until = Math.max(...held.map((partition) => doneAt[partition]));
        return own / records * samples / ((until - startedAt) / 1_000);
      }),
      ownCores: used.map(cores),
      perCpuSecond: samples * TICKS / used.reduce((sum, ticks) => sum + ticks, 0),
      machineCores: cores(busy),
    };
  } finally {
    for (const member of members) await member.kill("SIGKILL");
  }
}

function isShared(members: readonly Program[]): boolean {
  const held = members.map(partitionsHeld);
  return new Set(held.flat()).size === PARTITIONS && held.flat().length === PARTITIONS &&
    held.every((share) => share.length > 0);
}

/** When each partition had been worked off. */
async function untilDone(
  site: TortureSite,
  now: () => number,
  report: () => string,
): Promise<number[]> {
  const ends = (await site.bus.bounds(site.topics.telemetry)).map(({ end }) => end);
  const doneAt = ends.map(() => NaN);
  await until("all is worked off", async () => {
    const progress = await progressOf(site);
    ends.forEach((end, partition) => {
      const done = (progress[partition]?.next ?? 0) >= end;
      if (done && Number.isNaN(doneAt[partition])) doneAt[partition] = now();
    });
    await pause(POLL_MS);
    return !doneAt.some(Number.isNaN);
  }, report);
  return doneAt;
}

/** Processor time that a process has used, ticks. */
function processTicks(pid: number): number {
  // The name, in brackets, may hold spaces.
  const fields = procFile(`${pid}/stat`).split(") ")[1].split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Processor time that all have used, ticks: user, nice, system, interrupts. */
function machineTicks(): number {
  const [, user, nice, system, , , irq, softirq] = procFile("stat").split("\n")[0].split(/\s+/)
    .map(Number);
  return user + nice + system + irq + softirq;
}

/** A file of /proc, through a program: Deno itself reads there only where it may do everything. */
function procFile(path: string): string {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${path}`] }).outputSync();
  return new TextDecoder().decode(stdout);
}
