/** What must hold of a run: of every step as it is committed, and of all output in the end. */
import { deadLetters } from "../../analysis/dead_letter.ts";
import { decodeTransition, type Transition } from "../../contract/anomaly.ts";
import { decodeProgress, type Progress } from "../../contract/progress.ts";
import { decodeRuleRecord, type RuleActivation } from "../../contract/rule_versions.ts";
import { ANALYSIS_GROUP, TOPICS } from "../../contract/topics.ts";
import { type OutgoingRecord, progressKey } from "../../bus/port.ts";
import { createEngine, type KernelEngine } from "../../rules-wasm/engine.ts";
import type { AnomalyRecord } from "../../rules-wasm/engine_port.ts";
import type { Broker, Claim, StoredRecord } from "./broker.ts";
import { unpacked } from "./machine_run.ts";
import { ruleSetOf } from "./rules.ts";
import { SimBatch } from "./sim_batch.ts";

const text = new TextDecoder();
/** Header that the records of a checkpoint carry. */
export const CHECKPOINT_HEADER = "kilter-checkpoint";
const PROGRESS_KEY = progressKey(ANALYSIS_GROUP, TOPICS.telemetry);
/** A timer that is due for so long should have been seen to. */
const TIMER_MS = 2_500;

/** The newest progress of a partition. */
export function newestProgress(broker: Broker, partition: number): Progress | null {
  const { records } = broker.part(TOPICS.checkpoints, partition);
  const newest = records.findLast(({ key }) => key !== null && text.decode(key) === PROGRESS_KEY);
  return newest?.value ? decodeProgress(newest.value) : null;
}

/** Checks steps as they are committed. */
export class StepChecks {
  readonly #next = new Map<number, number>();
  readonly #epoch = new Map<number, number>();

  constructor(readonly broker: Broker, readonly fail: (what: string) => void) {}

  take({ partition, epoch }: Claim, nextOffset: number, bytes: Uint8Array): void {
    const { next, checkpoint } = decodeProgress(bytes);
    const before = this.#next.get(partition) ?? 0;
    if (next !== nextOffset) this.fail(`partition ${partition}: progress ${next} in ${nextOffset}`);
    if (next < before) this.fail(`partition ${partition}: progress falls, ${before} to ${next}`);
    if (epoch < (this.#epoch.get(partition) ?? 0)) {
      this.fail(`partition ${partition}: a step of epoch ${epoch} after one of a later epoch`);
    }
    this.#next.set(partition, next);
    this.#epoch.set(partition, epoch);
    if (checkpoint === null) return;
    if (checkpoint.next > next) this.fail(`partition ${partition}: a checkpoint of the future`);
    const { archive } = this.broker.part(TOPICS.checkpoints, partition);
    const chunks = archive.filter(({ headers, offset, value }) =>
      headers[CHECKPOINT_HEADER] === checkpoint.id && offset >= checkpoint.from && value !== null
    );
    if (chunks.length < checkpoint.chunks) {
      this.fail(`partition ${partition}: progress names a checkpoint that is not whole`);
    }
  }
}

/** What the output is held against. */
export interface OutputCheck {
  readonly broker: Broker;
  /** Whether it must be that of a run without faults, byte for byte. */
  readonly exact: boolean;
  readonly now: number;
  readonly fail: (what: string) => void;
  readonly see: (what: string) => void;
}

/** Checks the output of all partitions. */
export function checkOutput(check: OutputCheck): void {
  const { broker } = check;
  const { parts } = broker.topic(TOPICS.telemetry);
  for (let partition = 0; partition < parts.length; partition++) {
    if (parts[partition].next === 0) continue;
    const letters = check.exact ? checkExact(check, partition) : lettersOf(broker, partition);
    if (letters !== null) checkLetters(check, partition, letters);
    checkLives(check, partition);
  }
}

/**
 * Output equals that of an engine that never stopped, changed at the same records.
 *
 * @returns the dead letters that it gives; null if the check could not be made
 */
function checkExact(check: OutputCheck, partition: number): OutgoingRecord[] | null {
  const { broker, fail, now } = check;
  const { archive } = broker.part(TOPICS.telemetry, partition);
  const changes = activationsOf(broker, partition);
  if (changes.length === 0) {
    fail(`partition ${partition}: the log names no rules`);
    return null;
  }
  const letters: OutgoingRecord[] = [];
  const want: AnomalyRecord[] = [];
  const [first, ...later] = changes;
  const engine = createEngine(ruleSetOf(first.version), { partition });
  const batch = (from: number, to: number) => batchOf(partition, archive, from, to);
  const push = (from: number, to: number) => {
    const records = batch(from, to);
    if (records === null) return;
    const { anomalies, refusals } = engine.push(records);
    want.push(...anomalies);
    letters.push(...deadLetters(records, refusals));
  };
  if (first.offset !== 0) fail(`partition ${partition}: rules begin at ${first.offset}`);
  let at = first.offset;
  for (const { version, offset, warmedFrom } of later) {
    push(at, offset);
    at = offset;
    const to = ruleSetOf(version);
    const past = batch(warmedFrom, offset);
    const aside = past === null ? undefined : createEngine(to, { partition });
    if (past !== null) aside?.push(past, "warm");
    const nextA = archive.find((record) => record.offset >= offset)?.time;
    want.push(...engine.swap(to, aside, nextA));
    check.see("rules changed");
  }
  push(at, Infinity);
  const got = broker.part(TOPICS.anomalies, partition).records;
  const told = ({ key, value }: { key: Uint8Array | null; value: Uint8Array | null }) =>
    `${key && text.decode(key)} ${value && text.decode(value)}`;
  for (let i = 0; i < Math.max(want.length, got.length); i++) {
    const expected = want[i] && told(want[i]);
    const found = got[i] && told(got[i]);
    if (expected === found) continue;
    fail(
      `partition ${partition}: transition ${i} of ${want.length} (${got.length} published)\n` +
        `    expected ${expected}\n    found    ${found}`,
    );
    return null;
  }
  for (let i = 0; i < want.length; i++) check.see("transitions");
  const timer = engine.nextTimer();
  if (timer !== null && timer < now - TIMER_MS) {
    fail(`partition ${partition}: a timer is due for ${now - timer} ms and no tick came`);
  }
  return letters;
}

/** The dead letters of all that ever came to a partition. */
function lettersOf(broker: Broker, partition: number): OutgoingRecord[] {
  const [first] = activationsOf(broker, partition);
  const all = batchOf(partition, broker.part(TOPICS.telemetry, partition).archive, 0, Infinity);
  if (first === undefined || all === null) return [];
  const engine = createEngine(ruleSetOf(first.version), { partition });
  return deadLetters(all, engine.push(all).refusals);
}

/** Every refused object has its dead letter once, in order. */
function checkLetters(
  { broker, fail, exact }: OutputCheck,
  partition: number,
  letters: readonly OutgoingRecord[],
): void {
  const told = ({ key, value, headers = {} }: Pick<StoredRecord, "key" | "value" | "headers">) =>
    JSON.stringify([key && text.decode(key), value && text.decode(value), headers]);
  const want = letters.map((letter) =>
    told({ key: letter.key, value: letter.value, headers: letter.headers ?? {} })
  );
  const got = broker.part(TOPICS.deadLetters, partition).records.map(told);
  if (exact) {
    if (JSON.stringify(got) !== JSON.stringify(want)) {
      fail(`partition ${partition}: dead letters\n    ${want.join("\n    ")}\n  found\n    ${got}`);
    }
    return;
  }
  // Retention may have taken records before they were read; none comes twice or out of order.
  let at = 0;
  for (const letter of got) {
    const found = want.indexOf(letter, at);
    if (found < 0) return fail(`partition ${partition}: a dead letter too many: ${letter}`);
    at = found + 1;
  }
}

/** Each anomaly opens once, and clears once if it does; what stands open is what the state says. */
function checkLives({ broker, fail }: OutputCheck, partition: number): void {
  const open = new Map<string, Transition>();
  for (const { value, offset } of broker.part(TOPICS.anomalies, partition).records) {
    if (value === null) continue;
    const transition = decodeTransition(value);
    const { id, kind, rule, version } = transition;
    if (ruleSetOf(version).rules.some((each) => each.id === rule && each.once)) continue;
    const begins = kind === "opened" || kind === "reopened";
    if (open.has(id) === begins) {
      fail(`partition ${partition}: ${rule} ${id} is ${kind} at ${offset}, out of turn`);
    }
    if (kind === "cleared") open.delete(id);
    else open.set(id, transition);
  }
  const state = stateOf(broker, partition);
  if (state !== null && state.openAnomalies() !== open.size) {
    fail(
      `partition ${partition}: ${open.size} anomalies stand open on the topic, ` +
        `${state.openAnomalies()} in the state`,
    );
  }
}

/** The state as a restart would find it, were nothing of checkpoint and log ever gone. */
function stateOf(broker: Broker, partition: number): KernelEngine | null {
  const progress = newestProgress(broker, partition);
  if (progress === null) return null;
  const { version, since, next, checkpoint } = progress;
  const engine = createEngine(ruleSetOf(version), { partition });
  if (checkpoint !== null) {
    const { archive } = broker.part(TOPICS.checkpoints, partition);
    const chunks = archive.flatMap(({ headers, offset, value }) =>
      headers[CHECKPOINT_HEADER] === checkpoint.id && offset >= checkpoint.from && value !== null
        ? [value]
        : []
    );
    const packed = new Uint8Array(checkpoint.bytes);
    let at = 0;
    for (const chunk of chunks.slice(0, checkpoint.chunks)) {
      packed.set(chunk, at);
      at += chunk.length;
    }
    engine.restore(unpacked(packed));
  }
  const { archive } = broker.part(TOPICS.telemetry, partition);
  const rest = batchOf(partition, archive, checkpoint?.next ?? since, next);
  if (rest !== null) engine.push(rest, "suppress");
  return engine;
}

/** What came into force on a partition, in order. */
function activationsOf(broker: Broker, partition: number): RuleActivation[] {
  return broker.part(TOPICS.rules, 0).records.flatMap(({ value }) => {
    const record = value && decodeRuleRecord(value);
    return record?.kind === "activation" && record.partition === partition ? [record] : [];
  });
}

function batchOf(
  partition: number,
  archive: readonly StoredRecord[],
  from: number,
  to: number,
): SimBatch | null {
  const records = archive.filter(({ offset }) => offset >= from && offset < to);
  if (records.length === 0) return null;
  const next = records[records.length - 1].offset + 1;
  return new SimBatch(TOPICS.telemetry, partition, records, next, next);
}
