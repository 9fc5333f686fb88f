/** The parts of the report about buses. */
import { type BrokerOutcome, startBroker } from "../e2e/broker.ts";
import { backlogRow } from "./backlog_rows.ts";
import { busRow } from "./bus_rows.ts";
import { type KafkaRow, type KafkaRows, kafkaRows } from "./kafka_rows.ts";
import { perSecond, print } from "./report.ts";
import type { StepTimes } from "./timed_bus.ts";

/** Samples of the backlogs: the memory of the second is to be that of the first. */
const BACKLOGS = [1_000_000, 5_000_000];

/** Both buses end to end. @returns the number of rows that failed */
export async function busSection(samples: number, now: () => number): Promise<number> {
  print("Embedded bus, fsync always, analysis in a Worker: published, evaluated, committed");
  for (let round = 0; round < 3; round++) {
    const row = await busRow(samples, now);
    print(
      `  ${perSecond(row.samples, row.totalSeconds * 1000)} samples/s end to end ` +
        `(aim 500,000), ${perSecond(row.samples, row.publishSeconds * 1000)} while publishing; ` +
        `${row.samples} samples, ${row.transitions} transitions`,
    );
  }
  print();
  print(
    "Kafka, a log of 8 partitions that is there, one process beside the broker, read_committed",
  );
  return await withBroker(async (outcome) => {
    for (const perRecord of [1, 200]) {
      printKafka(await kafkaRows(outcome.broker, samples, perRecord, now), perRecord);
    }
  });
}

/** A long backlog, and the memory that working it off takes. */
export async function backlogSection(now: () => number): Promise<number> {
  print("A backlog worked off by one `analysis` process, 10,000 vehicles, the shipped rules");
  const rows = async (name: string, broker: Parameters<typeof backlogRow>[0]) => {
    for (const samples of BACKLOGS) {
      const row = await backlogRow(broker, samples, now);
      print(
        `  ${name}, ${samples.toLocaleString("en")} samples: ` +
          `${perSecond(samples, row.seconds * 1000)} samples/s, ${row.cores.toFixed(2)} cores; ` +
          `resident ${row.quarters.join(", ")} MB by quarters of the work, ` +
          `${row.peakMegabytes} MB at most`,
      );
    }
  };
  await rows("embedded", null);
  return await withBroker(({ broker }) => rows("Kafka", broker));
}

async function withBroker(
  run: (outcome: BrokerOutcome & { readonly kind: "broker" }) => Promise<void>,
): Promise<number> {
  const outcome = await startBroker();
  if (outcome.kind === "none") {
    print(`  skipped: ${outcome.reason}`);
    return 0;
  }
  try {
    await run(outcome);
  } finally {
    await outcome.broker.stop();
  }
  return 0;
}

function printKafka(rows: KafkaRows, perRecord: number): void {
  const { samples, library, reading, endToEnd, withCheckpoints } = rows;
  const rate = ({ seconds }: KafkaRow) => perSecond(samples, seconds * 1_000).padStart(9);
  print(`  ${perRecord} sample${perRecord === 1 ? "" : "s"} a record, ${samples} samples`);
  print(`    ${rate(library)} samples/s read by the client library's own consumer, no rules`);
  print(`    ${rate(reading)} samples/s read under leases, no rules`);
  print(
    `    ${rate(endToEnd)} samples/s end to end: ` +
      `${(library.seconds / endToEnd.seconds).toFixed(2)} times the library (aim 0.8), ` +
      `${(reading.seconds / endToEnd.seconds).toFixed(2)} times reading; ` +
      transactions(endToEnd.times),
  );
  print(
    `    ${rate(withCheckpoints)} samples/s with a checkpoint a second; ` +
      `${transactions(withCheckpoints.times)}; ${checkpoints(withCheckpoints.times)}`,
  );
}

function transactions({ steps, stepMs, checkpoints, checkpointMs }: StepTimes): string {
  const plain = steps - checkpoints;
  return `${plain} transactions of ${((stepMs - checkpointMs) / plain).toFixed(1)} ms`;
}

function checkpoints({ checkpoints, checkpointMs, checkpointBytes }: StepTimes): string {
  return `${checkpoints} with a checkpoint, of ${(checkpointMs / checkpoints).toFixed(1)} ms and ` +
    `${Math.round(checkpointBytes / checkpoints / 1_000)} kB`;
}
