/** Takes the state of a kernel out, and puts it in: what snapshots and changes of rules share. */
import { CONTROL_LAST_A } from "./assembly/layout.ts";
import { E_TIMERS_TO, E_WAITING } from "./assembly/plan_layout.ts";
import type { EngineCalls, EngineMemory } from "./engine_memory.ts";
import type { KeptState } from "./plan_code.ts";
import type { ScanCalls } from "./scan_kernel.ts";
import { partEnds, SnapshotError } from "./snapshot_format.ts";

/** What there is to do with a kernel for it. */
export interface KernelState {
  readonly calls: EngineCalls;
  readonly memory: EngineMemory;
  readonly scan: ScanCalls;
}

/** State as bytes of `assembly/portable.ts`, and the clocks that belong to it. */
export interface SavedState {
  readonly vehicles: number;
  /** Samples that wait. */
  readonly waiting: number;
  /** The vehicles, then the samples. */
  readonly body: Uint8Array;
  readonly clock: number;
  readonly timersTo: number;
}

/** Bytes that are written or read with one call, about. */
const CHUNK_BYTES = 1 << 20;
const CHUNK_VEHICLES = 256;

/** Slots of the vehicles, longest silent first. */
export function silenceOrder({ calls, memory, scan }: KernelState): Uint32Array {
  scan.reserveInput(4 * memory.slots, 0);
  const at = scan.inputAddress();
  const count = calls.silenceOrder(at);
  return new Uint32Array(memory.bytes.slice(at, at + 4 * count).buffer);
}

/** Writes the state of all vehicles. */
export function saveState(kernel: KernelState, kept: readonly KeptState[]): SavedState {
  const { calls, memory, scan } = kernel;
  const slots = silenceOrder(kernel);
  const targets = Uint32Array.from(kept, ({ target }) => target);
  const roomAt = (bytes: number): number => {
    scan.reserveInput(bytes, 0);
    const at = scan.inputAddress();
    memory.put(new Uint8Array(targets.buffer), at);
    return at;
  };
  const each = calls.saveRoom(roomAt(targets.byteLength), targets.length);
  const most = Math.min(CHUNK_VEHICLES, Math.max(1, Math.floor(CHUNK_BYTES / each)));
  const targetsAt = roomAt(targets.byteLength + most * (4 + each));
  const slotsAt = targetsAt + targets.byteLength;
  const out = slotsAt + 4 * most;
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < slots.length; from += most) {
    const some = slots.slice(from, from + most);
    memory.put(new Uint8Array(some.buffer), slotsAt);
    const end = calls.saveVehicles(targetsAt, targets.length, slotsAt, some.length, out);
    chunks.push(memory.bytes.slice(out, end));
  }
  const waiting = memory.u32(E_WAITING);
  if (waiting > 0) chunks.push(...saveWaiting(kernel));
  const { clock } = memory;
  const timersTo = Math.max(clock, memory.f64(E_TIMERS_TO));
  return { vehicles: slots.length, waiting, body: joined(chunks), clock, timersTo };
}

function saveWaiting({ calls, memory, scan }: KernelState): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  scan.reserveInput(CHUNK_BYTES, 0);
  const out = scan.inputAddress();
  calls.saveWaitingBegin();
  for (;;) {
    const end = calls.saveWaiting(out, CHUNK_BYTES);
    if (end === out) return chunks;
    chunks.push(memory.bytes.slice(out, end));
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/**
 * Makes the vehicles of a saved state in a kernel that has none, and its clocks.
 *
 * @throws {SnapshotError} if the bytes are not what was written; the kernel is then of no use
 */
export function loadVehicles(kernel: KernelState, saved: SavedState): void {
  const { calls, memory } = kernel;
  const { clock, timersTo } = saved;
  eachChunk(kernel, partsOf(saved).vehicles, new Uint8Array(0), (_, from, end) => {
    if (calls.loadVehicles(from, end, timersTo) < 0) throw unreadable();
  });
  memory.view.setFloat64(CONTROL_LAST_A, clock, true);
  memory.view.setFloat64(E_TIMERS_TO, timersTo, true);
}

/** Where the parts of a saved state go. */
export interface Destination {
  /** By position of the saved states: targets in the plan loaded; 0 for nowhere. */
  readonly targets: readonly number[];
  /** By position of the saved rules, as `entryBytes` writes them. */
  readonly entries: Uint8Array;
  readonly rules: number;
}

/**
 * Gives a kernel's vehicles what a saved state holds of theirs, and the samples that wait; vehicles
 * that it does not know, or that stand at another T, are passed over. With `aside` the state is one
 * that stood aside: of the samples that wait, only values are taken that they lack.
 *
 * @throws {SnapshotError} if the bytes are not what was written; the kernel is then of no use
 */
export function loadStates(
  kernel: KernelState,
  saved: SavedState,
  to: Destination,
  aside = false,
): void {
  const { calls } = kernel;
  const targets = Uint32Array.from(to.targets);
  const { length, byteLength } = targets;
  const head = joined([new Uint8Array(targets.buffer), to.entries]);
  const { vehicles, waiting } = partsOf(saved);
  eachChunk(kernel, vehicles, head, (at, from, end) => {
    const fault = calls.loadStates(at, length, at + byteLength, to.rules, from, end);
    if (fault < 0) throw unreadable();
  });
  eachChunk(kernel, waiting, head, (at, from, end) => {
    if (calls.loadWaiting(at, length, from, end, aside ? 1 : 0) < 0) throw unreadable();
  });
}

function partsOf({ body, vehicles }: SavedState): { vehicles: Uint8Array; waiting: Uint8Array } {
  const at = partEnds(body)[vehicles - 1] ?? 0;
  return { vehicles: body.subarray(0, at), waiting: body.subarray(at) };
}

/** A saved state without its vehicles. */
export function onlyWaiting(saved: SavedState): SavedState {
  return { ...saved, vehicles: 0, body: partsOf(saved).waiting };
}

/** A saved state's vehicles in groups by their ids, without the samples that wait. */
export function byVehicle(
  saved: SavedState,
  group: (id: string) => string,
): Map<string, SavedState> {
  const text = new TextDecoder("utf-8", { ignoreBOM: true });
  const groups = new Map<string, Uint8Array[]>();
  const { vehicles } = partsOf(saved);
  let from = 0;
  for (const end of partEnds(vehicles)) {
    const part = vehicles.subarray(from, end);
    const name = group(text.decode(part.subarray(5, 5 + part[4])));
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [part]);
    else known.push(part);
    from = end;
  }
  return new Map([...groups].map(([name, parts]) => [
    name,
    { ...saved, vehicles: parts.length, waiting: 0, body: joined(parts) },
  ]));
}

/** A saved state of the vehicles heard last alone, so many at most, with their samples. */
export function latest(saved: SavedState, vehicles: number): SavedState {
  const gone = saved.vehicles - vehicles;
  if (gone <= 0) return saved;
  const parts = partsOf(saved);
  const ends = partEnds(parts.vehicles);
  const name = (part: Uint8Array): string => part.subarray(5, 5 + part[4]).join();
  const forgotten = new Set<string>();
  for (let i = 0, from = 0; i < gone; from = ends[i++]) {
    forgotten.add(name(parts.vehicles.subarray(from, ends[i])));
  }
  const waiting: Uint8Array[] = [];
  let from = 0;
  for (const end of partEnds(parts.waiting)) {
    const part = parts.waiting.subarray(from, end);
    if (!forgotten.has(name(part))) waiting.push(part);
    from = end;
  }
  const body = joined([parts.vehicles.subarray(ends[gone - 1]), ...waiting]);
  return { ...saved, vehicles, waiting: waiting.length, body };
}

/** Puts parts of a body into the input buffer piece by piece, behind a head. */
function eachChunk(
  { memory, scan }: KernelState,
  body: Uint8Array,
  head: Uint8Array,
  take: (at: number, from: number, end: number) => void,
): void {
  let from = 0;
  const ends = partEnds(body);
  ends.forEach((end, i) => {
    if (i + 1 < ends.length && end - from < CHUNK_BYTES) return;
    scan.reserveInput(head.length + end - from, 0);
    const at = scan.inputAddress();
    memory.put(head, at);
    memory.put(body.subarray(from, end), at + head.length);
    take(at, at + head.length, at + head.length + end - from);
    from = end;
  });
}

function unreadable(): SnapshotError {
  return new SnapshotError("damaged", "its vehicles are not written as this program writes them");
}
