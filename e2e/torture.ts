/**
 * `deno task torture`: kills the analysis again and again while it works a log off, then holds what
 * stands on the anomalies topic against one uninterrupted run over the same log, byte for byte.
 *
 * --bus embedded|kafka  --samples N  --kills N  --seed N  --live (the log is written meanwhile)
 */
import { parseArgs } from "node:util";
import { say, writeData } from "../commands/output.ts";
import { startBroker } from "./broker.ts";
import { tortureSite } from "./torture_bus.ts";
import { torture } from "./torture_run.ts";

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: {
    bus: { type: "string", default: "embedded" },
    samples: { type: "string", default: "1000000" },
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    live: { type: "boolean", default: false },
  },
});
const { bus, live } = values;
if (bus !== "embedded" && bus !== "kafka") throw new RangeError(`--bus ${bus}: embedded or kafka`);
const outcome = bus === "kafka" ? await startBroker() : null;
if (outcome?.kind === "none") throw new Error(`Cannot start Kafka: ${outcome.reason}`);
const broker = outcome?.broker ?? null;
const site = await tortureSite(broker);
const report = await torture(site, {
  samples: Number(values.samples),
  kills: Number(values.kills),
  seed: Number(values.seed),
  live,
  say,
});
await site[Symbol.asyncDispose]();
await broker?.stop();
writeData(
  `${bus}${
    live ? ", log written meanwhile" : ""
  }: ${values.samples} samples, ${report.kills} kills ` +
    `(${report.brokerKills} of the broker), seed ${values.seed}: ${report.transitions} transitions, ` +
    `${report.lost} lost, ${report.doubled} doubled, ${report.reordered} in another order; ` +
    `${report.restored} checkpoints restored; ${report.seconds} s\n`,
);
Deno.exit(report.lost + report.doubled + report.reordered === 0 ? 0 : 1);
