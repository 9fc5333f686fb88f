/** Which signals vehicles send, by recordings or by what the log holds of the last day. */
import { type EmbeddedBus, openEmbeddedBus } from "../bus/embedded_bus.ts";
import { BUS_FILE } from "../bus/embedded_schema.ts";
import { BusError } from "../bus/port.ts";
import type { Catalog } from "../contract/catalog.ts";
import { readRecordings } from "../producer/recording.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import type { RecordColumns } from "../rules-wasm/decoder_port.ts";
import type { Settings } from "../settings.ts";
import { eventLog } from "./output.ts";

/** How far back the log is looked at. */
const LATELY_MS = 86_400_000;
/** Newest records of a partition that are looked at, at most. */
const RECORDS_MAX = 20_000;

/**
 * Numbers of the signals that recordings (`--input`) carry, or else the embedded bus's log.
 *
 * @returns undefined where neither holds a sample
 */
export async function signalsSent(
  settings: Settings,
  catalog: Catalog,
): Promise<ReadonlySet<number> | undefined> {
  const seen = new SignalsSeen(catalog);
  if (settings.input.length > 0) {
    const events = eventLog(settings.logLevel, Date.now);
    const lines = readRecordings(settings.input, { mapping: settings.map, catalog, events });
    for await (const values of lines) {
      const valueEnds = Uint32Array.of(values.length);
      const appendTimes = Float64Array.of(Number.MAX_SAFE_INTEGER);
      seen.take({ count: 1, values, valueEnds, appendTimes });
    }
  } else if (settings.bus === "embedded" && isThere(`${settings.data}/${BUS_FILE}`)) {
    await takeLog(settings, seen);
  }
  return seen.signals.size === 0 ? undefined : seen.signals;
}

/** What the log cannot tell is no fault of the rules: then nothing is known of signals. */
async function takeLog(settings: Settings, seen: SignalsSeen): Promise<void> {
  const events = eventLog(settings.logLevel, Date.now);
  let bus: EmbeddedBus | null = null;
  try {
    const options = { dir: settings.data, fsync: settings.fsync, retainEveryMs: 0 };
    bus = await openEmbeddedBus(options, { now: Date.now, events });
    const topic = settings.topicTelemetry;
    for (const [partition, { start, end }] of (await bus.bounds(topic)).entries()) {
      const lately = await bus.offsetAt(topic, partition, Date.now() - LATELY_MS);
      const from = Math.max(start, lately, end - RECORDS_MAX);
      for await (const batch of bus.range(topic, partition, from, end)) seen.take(batch);
    }
  } catch (error) {
    if (!(error instanceof BusError || error instanceof Deno.errors.NotCapable)) throw error;
    events({
      level: "debug",
      name: "rules.log-not-read",
      message: `The log in ${settings.data} is not looked at: ${error.message}`,
    });
  } finally {
    await bus?.close();
  }
}

class SignalsSeen {
  readonly signals = new Set<number>();
  readonly #decoder;
  readonly #count: number;

  constructor(catalog: Catalog) {
    this.#decoder = createDecoder(catalog, { maxVehicles: 1e6, maxClockAheadMs: Infinity });
    this.#count = catalog.signals.length;
  }

  take(records: RecordColumns): void {
    this.#decoder.decode(records, {
      rows: (rows) => {
        for (let signal = 0; signal < this.#count; signal++) {
          if (this.signals.has(signal)) continue;
          if (rows.column(signal).some((value) => !Number.isNaN(value))) this.signals.add(signal);
        }
      },
      refused: () => {
        // What cannot be read carries no signal.
      },
    });
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
