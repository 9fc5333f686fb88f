/**
 * Several `analysis` processes over one log that is being written: one at a time is killed, paused
 * for longer than its session, or added; the comparison stands at the end.
 */
import { DatabaseSync } from "node:sqlite";
import type { Seeded } from "../testing/seeded.ts";
import { Program } from "./program.ts";
import type { TortureSite } from "./torture_bus.ts";
import { compare, type Comparison, isDone, pause, until } from "./torture_check.ts";
import { chanceOf, TortureLog } from "./torture_log.ts";
import { CHECKPOINTS, type TortureOptions } from "./torture_run.ts";

/** What is told beside what every torture is told. */
export interface GroupOptions extends Omit<TortureOptions, "live"> {
  /** Processes at a time. */
  readonly analyses: number;
}

/** What came of it. */
export interface GroupReport extends Comparison {
  readonly kills: number;
  readonly brokerKills: number;
  /** Processes that slept longer than their session. */
  readonly pauses: number;
  /** Those of them that slept within a transaction of the embedded bus, so that all had to wait. */
  readonly locked: number;
  /** Those of them that tried to go on where they stopped, and were refused. */
  readonly fenced: number;
  /** Processes that came beside the others; one of all left in order then. */
  readonly additions: number;
  /** Processes that found no broker at their start, ended, and were started again. */
  readonly restarts: number;
  /** Times that some process was given another share. */
  readonly rebalances: number;
  readonly restored: number;
  readonly seconds: number;
}

/** One event in so many is the broker's death, where there is one. */
const BROKER_SHARE = 10;
/** How much longer than its session a process sleeps, at least and at most. */
const SLEEP_FACTORS = [1.3, 1.8] as const;
/** Longest time from the first record after a sleep to the waking. */
const WAKE_MS_MAX = 300;
const DOWN_MS_MAX = 2_000;
/** Wait for the embedded bus's file beyond which its holder sleeps: others hold it for moments. */
const LOCKED_MS = 2_000;

/** Runs a torture with several processes; `options.kills` counts all that is done to them. */
export async function tortureGroup(
  site: TortureSite,
  options: GroupOptions,
): Promise<GroupReport> {
  const startedAt = Date.now();
  const group = new Group(site, options);
  try {
    await group.run(options.kills);
  } finally {
    await group.kill();
  }
  return {
    ...await compare(site),
    ...group.counts,
    ...group.told(),
    seconds: Math.round((Date.now() - startedAt) / 1000),
  };
}

class Group {
  readonly counts = {
    kills: 0,
    brokerKills: 0,
    pauses: 0,
    locked: 0,
    fenced: 0,
    additions: 0,
    restarts: 0,
  };
  readonly #site: TortureSite;
  readonly #options: GroupOptions;
  readonly #random: Seeded;
  readonly #log: TortureLog;
  readonly #portion: number;
  /** Those that run, and all that ever ran. */
  readonly #members = new Set<Program>();
  readonly #all: Program[] = [];

  constructor(site: TortureSite, options: GroupOptions) {
    this.#site = site;
    this.#options = options;
    this.#random = chanceOf(options.seed);
    this.#log = new TortureLog(site, options);
    this.#portion = Math.ceil(this.#log.size / (options.kills + 1));
  }

  async run(events: number): Promise<void> {
    const { analyses, say } = this.#options;
    for (let i = 0; i < analyses; i++) this.#start();
    await this.#untilAllHold();
    let kinds: ("killed" | "paused" | "added")[] = [];
    for (let event = 1; event <= events; event++) {
      const { broker } = this.#site;
      if (kinds.length === 0) kinds = this.#random.shuffled(["killed", "paused", "added"]);
      const kind = broker !== null && event % BROKER_SHARE === 0 ? "broker killed" : kinds.pop();
      if (kind === "killed") await this.#killOne();
      else if (kind === "paused") await this.#pauseOne();
      else if (kind === "added") await this.#addOne();
      else if (broker !== null) await this.#killBroker(broker);
      say(
        `${event} of ${events}, ${kind}: ${this.#log.written} of ${this.#log.size} records ` +
          `written, ${this.#members.size} processes`,
      );
    }
    await this.#log.finish();
    await this.#untilDone();
    // Whoever has only just begun does not listen to a request to stop yet.
    await this.#untilAllHold();
    for (const member of [...this.#members]) await this.#end(member);
  }

  /** Ends whatever runs still. */
  async kill(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.kill("SIGKILL")));
  }

  /** What the processes said, counted. */
  told(): { readonly rebalances: number; readonly restored: number } {
    const lines = this.#all.flatMap(({ said }) => said);
    const count = (name: string) => lines.filter((line) => line.includes(` ${name} `)).length;
    return { rebalances: count("bus.assigned"), restored: count("analysis.restored") };
  }

  async #killOne(): Promise<void> {
    const writing = this.#write(this.#portion);
    const victim = this.#pick();
    await pause(this.#random.below(500));
    await victim.kill("SIGKILL");
    this.#members.delete(victim);
    this.counts.kills++;
    // Its successor comes before the others have noticed, or after.
    await pause(this.#random.below(this.#site.sessionMs * 1.5));
    this.#start();
    await writing;
  }

  async #pauseOne(): Promise<void> {
    await this.#untilAllHold();
    const half = Math.ceil(this.#portion / 2);
    const writing = this.#write(half);
    const victim = this.#pick();
    await pause(this.#random.below(200));
    victim.signal("SIGSTOP");
    try {
      await pause(this.#site.sessionMs * this.#random.between(...SLEEP_FACTORS));
      if (isLocked(this.#site)) {
        victim.signal("SIGCONT");
        this.counts.pauses++;
        this.counts.locked++;
        await writing;
        return;
      }
      await writing;
      // The others have taken its partitions over, and gone beyond where it stopped.
      await this.#untilDone();
      const more = this.#write(half);
      await pause(this.#random.below(WAKE_MS_MAX));
      const before = victim.said.length;
      victim.signal("SIGCONT");
      this.counts.pauses++;
      await more;
      const since = () => victim.said.slice(before);
      // It joins anew, whether a step of it was refused first or not.
      await until(
        "what slept too long joins anew",
        () => Promise.resolve(since().some((line) => line.includes(" bus.assigned "))),
        () => this.#report(),
      );
      if (since().some((line) => line.includes(" analysis.lease_lost "))) this.counts.fenced++;
    } finally {
      victim.signal("SIGCONT");
    }
  }

  async #addOne(): Promise<void> {
    const writing = this.#write(this.#portion);
    await pause(this.#random.below(200));
    this.#start();
    this.counts.additions++;
    await this.#untilAllHold();
    await writing;
    await this.#end(this.#pick());
  }

  async #killBroker(broker: NonNullable<TortureSite["broker"]>): Promise<void> {
    const writing = this.#write(this.#portion);
    await pause(this.#random.below(200));
    await broker.kill();
    await pause(this.#random.below(DOWN_MS_MAX));
    await broker.revive();
    this.counts.brokerKills++;
    await writing;
  }

  #start(): void {
    const { dir, flags } = this.#site;
    const member = new Program(["analysis", ...flags, ...CHECKPOINTS], [dir]);
    this.#members.add(member);
    this.#all.push(member);
  }

  #pick(): Program {
    return this.#random.pick([...this.#members]);
  }

  #write(count: number): Promise<void> {
    const writing = this.#log.write(count);
    // Whoever waits for it later is told.
    writing.catch(() => {});
    return writing;
  }

  /** Stops one in order. */
  async #end(member: Program): Promise<void> {
    this.#members.delete(member);
    const code = await member.kill("SIGTERM");
    if (code !== 0) throw new Error(`A process ended with ${code}\n${member.report()}`);
  }

  #untilDone(): Promise<void> {
    return until("all is worked off", () => {
      this.#supervise();
      return isDone(this.#site);
    }, () => this.#report());
  }

  /** As systemd or Docker would: who ends by itself is started again. */
  #supervise(): void {
    for (const member of this.#members) {
      if (!member.ended) continue;
      this.#members.delete(member);
      this.#start();
      this.counts.restarts++;
    }
  }

  /** Until every process has a share, and every partition its process. */
  #untilAllHold(): Promise<void> {
    const { partitions } = this.#site;
    return until("all partitions are held", () => {
      this.#supervise();
      const held = [...this.#members].map(partitionsHeld);
      const whole = held.flat().sort((a, b) => a - b).join() ===
        Array.from({ length: partitions }, (_, i) => i).join();
      return Promise.resolve(whole && held.every((share) => share.length > 0));
    }, () => this.#report());
  }

  #report(): string {
    return [...this.#members].map((member) => `${member.pid}:\n${member.report()}`).join("\n");
  }
}

/** Whether somebody keeps the embedded bus's file from all others. */
function isLocked({ bus, dir }: TortureSite): boolean {
  if (bus.kind !== "embedded") return false;
  const database = new DatabaseSync(`${dir}/bus.sqlite`);
  try {
    database.exec(`PRAGMA busy_timeout = ${LOCKED_MS}; BEGIN IMMEDIATE; ROLLBACK`);
    return false;
  } catch (error) {
    if (!/database is locked/.test(String(error))) throw error;
    return true;
  } finally {
    database.close();
  }
}

/** Partitions that a process said last that it holds. */
export function partitionsHeld({ said }: Program): number[] {
  const last = said.findLast((line) => line.includes(" bus.assigned ")) ?? "";
  const list = /holds partitions? ([\d, ]+) of /.exec(last)?.[1] ?? "";
  return list === "" ? [] : list.split(", ").map(Number);
}
