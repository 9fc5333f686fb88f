/** `simulate`: a seeded fleet to a file, with its ground truth beside it. */
import { simulate } from "../producer/simulator/simulate.ts";
import type { Settings } from "../settings.ts";
import { ProgressLine, say } from "./output.ts";

/** The same flags write the same bytes, so time starts at a fixed instant unless `--from` names one. */
const START_MS = Date.UTC(2026, 0, 5, 6);

/** Writes FILE (NDJSON) and FILE.truth.ndjson. */
export async function simulateCommand(settings: Settings): Promise<number> {
  const { out, vehicles, seed, durationMs } = settings;
  if (out === "" || !Number.isFinite(durationMs)) {
    say(`kilter: simulate needs ${out === "" ? "--out FILE" : "a finite --duration"}`);
    return 2;
  }
  const truthPath = `${out}.truth.ndjson`;
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  const progress = new ProgressLine(() => performance.now());
  using file = await Deno.open(out, { write: true, create: true, truncate: true });
  using truth = await Deno.open(truthPath, { write: true, create: true, truncate: true });
  try {
    const result = await simulate({
      vehicles,
      seed,
      startMs: Number.isNaN(settings.fromMs) ? START_MS : settings.fromMs,
      durationMs,
      write: (lines) => writeAll(file, lines),
      writeTruth: (lines) => writeAll(truth, lines),
      signal: stop.signal,
      onProgress: ({ samples }) => progress.show(`${samples.toLocaleString("en")} samples`),
    });
    progress.done();
    const { samples, injections, simulatedMs } = result;
    say(
      `${simulatedMs < durationMs ? "stopped after" : "wrote"} ${samples} samples of ` +
        `${simulatedMs / 1000} s to ${out}, ${injections} troubles to ${truthPath}`,
    );
    return simulatedMs < durationMs ? 130 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
