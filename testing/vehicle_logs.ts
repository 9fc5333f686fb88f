/** A simulated fleet's time as one log for each vehicle, kept in files: a day does not fit memory. */
import { Fleet } from "../producer/simulator/fleet.ts";
import type { LogRecord } from "../rules-wasm/reference/random_log.ts";

/** What is simulated. */
export interface FleetTime {
  readonly vehicles: number;
  readonly seed: number;
  /** Epoch milliseconds. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** Bytes of a vehicle gathered before they are written. */
const WRITE_BYTES = 1 << 20;
const LINE_FEED = 10;
const TIME = new TextEncoder().encode('"ts":');

/** Simulates, and writes each vehicle's samples to a file of `dir`, one a line. */
export async function writeVehicleLogs(of: FleetTime, dir: string): Promise<readonly string[]> {
  const paths = Array.from({ length: of.vehicles }, (_, i) => `${dir}/${i}.ndjson`);
  const gathered = paths.map((): Uint8Array[] => []);
  const sizes = paths.map(() => 0);
  const fleet = new Fleet(of);
  const write = async (i: number) => {
    const bytes = new Uint8Array(sizes[i]);
    let at = 0;
    for (const part of gathered[i]) {
      bytes.set(part, at);
      at += part.length;
    }
    gathered[i] = [];
    sizes[i] = 0;
    await Deno.writeFile(paths[i], bytes, { append: true });
  };
  for (let doneMs = 0; doneMs < of.durationMs;) {
    doneMs = Math.min(of.durationMs, doneMs + 60_000);
    fleet.advance(of.startMs + doneMs - 1, (vehicle, from) => {
      fleet.text.newline();
      const line = fleet.text.bytes.slice(from);
      gathered[vehicle].push(line);
      sizes[vehicle] += line.length;
    });
    fleet.text.clear();
    for (let i = 0; i < paths.length; i++) if (sizes[i] > WRITE_BYTES) await write(i);
  }
  fleet.finish();
  for (let i = 0; i < paths.length; i++) await write(i);
  return paths;
}

/** Reads a vehicle's log: each sample a record that arrived when it was made. */
export async function readVehicleLog(path: string): Promise<readonly LogRecord[]> {
  const bytes = await Deno.readFile(path);
  const found: LogRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, at);
    const value = bytes.subarray(at, end);
    found.push({ value, append: timeOf(value) });
    at = end + 1;
  }
  return found;
}

function timeOf(line: Uint8Array): number {
  let at = 0;
  while (!TIME.every((byte, i) => line[at + i] === byte)) at++;
  let time = 0;
  for (at += TIME.length; line[at] >= 0x30 && line[at] <= 0x39; at++) {
    time = time * 10 + line[at] - 0x30;
  }
  return time;
}
