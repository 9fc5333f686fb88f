/** One process at a time: killed again and again over a seeded log, and the comparison at the end. */
import type { Seeded } from "../testing/seeded.ts";
import { Program } from "./program.ts";
import type { TortureSite } from "./torture_bus.ts";
import { compare, type Comparison, consumed, isDone, pause, until } from "./torture_check.ts";
import { chanceOf, TortureLog } from "./torture_log.ts";

/** What a torture is told. */
export interface TortureOptions {
  readonly samples: number;
  readonly kills: number;
  readonly seed: number;
  /** Whether the log is written while it is worked off. */
  readonly live: boolean;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface TortureReport extends Comparison {
  /** Processes killed. */
  readonly kills: number;
  /** Kills, of processes and broker, with some of the log still to be worked off. */
  readonly atWork: number;
  readonly brokerKills: number;
  readonly restored: number;
  readonly seconds: number;
}

/** One kill in so many is the broker's, where there is one. */
const BROKER_SHARE = 10;
/** Share of the kills that come at any moment from the start on, whatever the process is doing. */
const EARLY_SHARE = 0.25;
const EARLY_MS_MAX = 1_500;
/** Longest time that a broker stays down. */
const DOWN_MS_MAX = 2_000;
/** Time between two checkpoints: short, so that most restarts begin with one. */
export const CHECKPOINTS: readonly string[] = ["--checkpoint-every", "20 ms"];

/** Runs a torture. */
export async function torture(site: TortureSite, options: TortureOptions): Promise<TortureReport> {
  const startedAt = Date.now();
  const { kills, live, say } = options;
  const random = chanceOf(options.seed);
  const log = new TortureLog(site, options);
  const portion = Math.ceil(log.size / (kills + 1));
  if (!live) await log.finish();
  let [programKills, brokerKills, atWork, restored] = [0, 0, 0, 0];
  const held: { program: Program | null } = { program: null };
  const killProgram = async () => {
    const { program } = held;
    await program?.kill("SIGKILL");
    restored += program?.said.filter((line) => line.includes("analysis.restored")).length ?? 0;
    held.program = null;
    programKills++;
  };
  // As systemd or Docker would: what ends by itself, with no broker to reach, is started again.
  const alive = (): Program => {
    if (held.program === null || held.program.ended) held.program = startAnalysis(site, random);
    return held.program;
  };
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const before = await consumed(site);
      alive();
      const writing = live ? log.write(portion) : Promise.resolve();
      // Whoever waits for it below is told; until then nobody is.
      writing.catch(() => {});
      if (random.chance(EARLY_SHARE)) await pause(random.below(EARLY_MS_MAX));
      else {
        const left = live ? portion : (log.size - before) / (kills - kill + 2);
        const goal = before + 1 + random.below(Math.max(1, Math.floor(left)));
        await until(
          "it works",
          async () => {
            alive();
            return await consumed(site) >= goal || !log.writing && await isDone(site);
          },
          () => alive().report(),
        );
        await pause(random.below(10));
      }
      let what = "process";
      if (site.broker !== null && kill % BROKER_SHARE === 0) {
        what = "broker";
        brokerKills++;
        await site.broker.kill();
        // Every other time the process dies with it; else it has to outlive the broker.
        if (random.chance(0.5)) await killProgram();
        await pause(random.below(DOWN_MS_MAX));
        await site.broker.revive();
      } else await killProgram();
      await writing;
      const done = await consumed(site);
      if (done < log.size) atWork++;
      say(`kill ${kill} of ${kills}, ${what}: ${done} of ${log.size} records done`);
    }
    await log.finish();
    await until("all is worked off", () => {
      alive();
      return isDone(site);
    }, () => alive().report());
    await alive().kill("SIGTERM");
    held.program = null;
  } finally {
    // Null unless something went wrong.
    await held.program?.kill("SIGKILL");
  }
  return {
    ...await compare(site),
    ...{ kills: programKills, brokerKills, atWork, restored },
    seconds: Math.round((Date.now() - startedAt) / 1000),
  };
}

/** An analysis alone, or with intake and dashboard in one process. */
function startAnalysis(site: TortureSite, random: Seeded): Program {
  const flags = [...site.flags, ...CHECKPOINTS];
  return random.chance(0.5)
    ? new Program(["analysis", ...flags], [site.dir])
    : new Program(["start", "--port", "0", ...flags], [site.dir]);
}
