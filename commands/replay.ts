/** `replay`: recorded drives onto the bus. */
import { openMapping } from "../producer/recording.ts";
import { replay } from "../producer/replay.ts";
import type { Settings } from "../settings.ts";
import { sleep } from "./agents.ts";
import { readCatalog } from "./files.ts";
import { openBus } from "./open_bus.ts";
import { eventLog, ProgressLine, say } from "./output.ts";

/** Replays the files and says what became of their rows. */
export async function replayFiles(settings: Settings, files: readonly string[]): Promise<number> {
  const events = eventLog(settings.logLevel, Date.now);
  const catalog = readCatalog(settings.catalog);
  const mapping = openMapping(settings.map, catalog);
  const bus = await openBus(settings, events, Date.now);
  const progress = new ProgressLine(() => performance.now());
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const result = await replay(files, {
      bus,
      topic: settings.topicTelemetry,
      catalog,
      mapping,
      speed: settings.speed,
      rebase: settings.rebase === "" ? null : settings.rebase,
      now: Date.now,
      sleep,
      signal: stop.signal,
      onProgress: ({ rows, atMs }) =>
        progress.show(
          `${rows} rows${Number.isFinite(atMs) ? `, at ${new Date(atMs).toISOString()}` : ""}`,
        ),
      events,
    });
    progress.done();
    say(
      `${result.complete ? "replayed" : "stopped after"} ${result.rows} rows of ` +
        `${result.vehicles} vehicles in ${result.records} records; without time ` +
        `${result.withoutTime}, without vehicle ${result.withoutVehicle}, malformed ` +
        `${result.malformed}, too long ${result.skipped}`,
    );
    return result.complete ? 0 : 130;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    await bus.close();
  }
}
