/** How soon the analysis goes on after `kill -9`, with a whole fleet in its state. */
import { Program } from "./program.ts";
import type { TortureSite } from "./torture_bus.ts";
import { consumed, pause, progressOf, until } from "./torture_check.ts";
import { chanceOf, SAMPLES_PER_RECORD, TortureLog } from "./torture_log.ts";

/** What is measured. */
export interface RecoveryOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Each sends once a second. */
  readonly vehicles: number;
  /** Time between two checkpoints, milliseconds. */
  readonly checkpointMs: number;
  readonly say: (line: string) => void;
}

/** One kill. */
export interface RecoveryRow {
  /** From the kill to the first step of any partition, and until each has made one. */
  readonly firstMs: number;
  readonly allMs: number;
  /** Until the lag was less than a second. */
  readonly caughtUpMs: number;
  /** Records between checkpoint and progress, which are read again first. */
  readonly replayed: number;
}

/** The program as it comes: its own checkpoint period, 10,000 vehicles. */
export const RECOVERY = { vehicles: 10_000, checkpointMs: 30_000 } as const;
/** What recovery may take, on Kafka beyond the session timeout. */
const LIMIT_MS = 3_000;
/** Time between two writings. */
const WRITE_MS = 100;
/** Part of the checkpoint period after which the kill comes: late, when most is to be read again. */
const LATE = [0.7, 0.95] as const;

/** Kills and starts again, `rounds` times, while every vehicle sends once a second. */
export async function measureRecovery(
  site: TortureSite,
  options: RecoveryOptions,
): Promise<readonly RecoveryRow[]> {
  const { rounds, vehicles, checkpointMs, say } = options;
  const random = chanceOf(options.seed);
  const periods = rounds * 3 + 2;
  const log = new TortureLog(site, {
    ...options,
    samples: vehicles * checkpointMs / 1_000 * periods,
  });
  const start = () =>
    new Program(
      ["analysis", ...site.flags, "--checkpoint-every", `${checkpointMs} ms`],
      [site.dir],
    );
  const writer = new Writer(log, vehicles);
  let program = start();
  const rows: RecoveryRow[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      await newCheckpoints(site, () => program.report());
      await pause(checkpointMs * random.between(...LATE));
      await program.kill("SIGKILL");
      const killedAt = performance.now();
      const since = () => Math.round(performance.now() - killedAt);
      // As a supervisor would: at once.
      program = start();
      const before = await progressOf(site);
      const replayed = before.reduce(
        (sum, progress) => sum + (progress?.next ?? 0) - (progress?.checkpoint?.next ?? 0),
        0,
      );
      let firstMs = NaN;
      await until("each partition goes on", async () => {
        const moved = (await progressOf(site)).map((progress, partition) =>
          (progress?.next ?? 0) > (before[partition]?.next ?? 0)
        );
        if (Number.isNaN(firstMs) && moved.includes(true)) firstMs = since();
        return !moved.includes(false);
      }, () => program.report());
      const allMs = since();
      const lag = vehicles / SAMPLES_PER_RECORD;
      await until(
        "it has caught up",
        async () => await consumed(site) > log.written - lag,
        () => program.report(),
      );
      rows.push({ firstMs, allMs, caughtUpMs: since(), replayed });
      say(text(site, round, rows[rows.length - 1]));
    }
  } finally {
    await program.kill("SIGKILL");
    await writer.stop();
  }
  return rows;
}

/** Whether each kill was got over within three seconds, on Kafka beyond the session timeout. */
export function withinLimits(site: TortureSite, rows: readonly RecoveryRow[]): boolean {
  return rows.every(({ allMs }) => allMs <= limitMs(site));
}

function limitMs({ bus, sessionMs }: TortureSite): number {
  return LIMIT_MS + (bus.kind === "kafka" ? sessionMs : 0);
}

function text(site: TortureSite, round: number, row: RecoveryRow): string {
  const limit = site.bus.kind === "kafka"
    ? `session timeout of ${site.sessionMs} ms and ${LIMIT_MS} ms`
    : `${LIMIT_MS} ms`;
  return `${site.bus.kind}, kill ${round}: the first partition goes on after ${row.firstMs} ms, ` +
    `all after ${row.allMs} ms (limit: ${limit}), caught up after ${row.caughtUpMs} ms; ` +
    `${row.replayed * SAMPLES_PER_RECORD} samples since the checkpoint were read again`;
}

/** Until each partition has another checkpoint than now. */
async function newCheckpoints(site: TortureSite, report: () => string): Promise<void> {
  const ids = async () => (await progressOf(site)).map((progress) => progress?.checkpoint?.id);
  const before = await ids();
  await until(
    "each partition has a new checkpoint",
    async () => (await ids()).every((id, i) => id !== undefined && id !== before[i]),
    report,
  );
}

/** Writes a log at the pace at which its vehicles send. */
class Writer {
  readonly #writing: Promise<void>;
  #stopped = false;

  constructor(log: TortureLog, samplesPerSecond: number) {
    this.#writing = this.#write(log, samplesPerSecond / SAMPLES_PER_RECORD);
    // Whoever stops it is told.
    this.#writing.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  async #write(log: TortureLog, perSecond: number): Promise<void> {
    const startedAt = performance.now();
    while (!this.#stopped && log.written < log.size) {
      const due = Math.floor((performance.now() - startedAt) / 1_000 * perSecond);
      await log.write(due - log.written);
      await pause(WRITE_MS);
    }
  }
}
