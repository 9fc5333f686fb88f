/**
 * `deno task torture`: kills the analysis again and again while it works a log off, then holds what
 * stands on the anomalies topic against one uninterrupted run over the same log, byte for byte.
 *
 * --bus embedded|kafka  --samples N  --kills N  --seed N
 * --live: the log is written meanwhile
 * --analyses N: so many processes, of which one at a time is killed, paused or added; with --live
 * --recovery: how soon it goes on after a kill, instead; --kills N times
 */
import { parseArgs } from "node:util";
import { say, writeData } from "../commands/output.ts";
import { startBroker } from "./broker.ts";
import { type TortureSite, tortureSite } from "./torture_bus.ts";
import { type Comparison } from "./torture_check.ts";
import { tortureGroup } from "./torture_group.ts";
import { measureRecovery, RECOVERY, withinLimits } from "./torture_recovery.ts";
import { torture } from "./torture_run.ts";

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: {
    bus: { type: "string", default: "embedded" },
    samples: { type: "string", default: "1000000" },
    kills: { type: "string" },
    seed: { type: "string", default: "1" },
    live: { type: "boolean", default: false },
    analyses: { type: "string", default: "1" },
    recovery: { type: "boolean", default: false },
  },
});
const { bus, live, recovery } = values;
if (bus !== "embedded" && bus !== "kafka") throw new RangeError(`--bus ${bus}: embedded or kafka`);
const [samples, seed, analyses] = [values.samples, values.seed, values.analyses].map(Number);
const kills = Number(values.kills ?? (recovery ? 3 : 50));
const outcome = bus === "kafka" ? await startBroker() : null;
if (outcome?.kind === "none") throw new Error(`Cannot start Kafka: ${outcome.reason}`);
const broker = outcome?.broker ?? null;
const run = recovery ? runRecovery : analyses > 1 ? runGroup : runOne;
// Recovery is measured as the program comes: with its own partitions and session.
const asItComes = { partitions: 8, sessionMs: 10_000 };
const site = await tortureSite(
  broker,
  recovery ? asItComes : analyses > 1 ? { partitions: 8 } : {},
);
let good = false;
try {
  good = await run(site);
} finally {
  await site[Symbol.asyncDispose]();
  await broker?.stop();
}
Deno.exit(good ? 0 : 1);

async function runOne(site: TortureSite): Promise<boolean> {
  const report = await torture(site, { samples, kills, seed, live, say });
  return tell(
    report,
    `${bus}${
      live ? ", log written meanwhile" : ""
    }: ${samples} samples, ${report.kills} kills of ` +
      `the process and ${report.brokerKills} of the broker (${report.atWork} of them with work ` +
      `left), seed ${seed}`,
    `${report.restored} checkpoints restored; ${report.seconds} s`,
  );
}

async function runGroup(site: TortureSite): Promise<boolean> {
  const report = await tortureGroup(site, { samples, kills, seed, analyses, say });
  return tell(
    report,
    `${bus}, ${analyses} processes, log written meanwhile: ${samples} samples, ${report.kills} ` +
      `kills, ${report.brokerKills} of the broker, ${report.pauses} pauses (${report.fenced} ` +
      `refused a step on waking, ${report.locked} within a transaction), ${report.additions} additions, ${report.restarts} ended by themselves, ${report.rebalances} changes of ` +
      `share, seed ${seed}`,
    `${report.restored} checkpoints restored; ${report.seconds} s`,
  );
}

async function runRecovery(site: TortureSite): Promise<boolean> {
  const rows = await measureRecovery(site, { ...RECOVERY, rounds: kills, seed, say });
  return withinLimits(site, rows);
}

function tell(
  found: Comparison & { readonly restored: number },
  before: string,
  after: string,
): boolean {
  const { transitions, lost, doubled, reordered } = found;
  writeData(
    `${before}: ${transitions} transitions, ${lost} lost, ${doubled} doubled, ` +
      `${reordered} vehicles in another order; ${after}\n`,
  );
  if (transitions === 0 || found.restored === 0) {
    say("nothing was shown: no transition was compared, or no checkpoint restored");
    return false;
  }
  return lost + doubled + reordered === 0;
}
