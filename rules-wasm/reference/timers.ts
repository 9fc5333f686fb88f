/** The reference's timers: what a vehicle has armed, and in which order timers come. */
import type { Rule, RuleSettings } from "../language/ast.ts";
import type { VehicleValues } from "./evaluate.ts";
import type { Cause, RuleLife } from "./lifecycle.ts";
import type { WaitingSample, WaitingSamples } from "./waiting.ts";

/** What the reference knows of a vehicle. */
export interface Vehicle {
  readonly id: string;
  values: VehicleValues;
  lives: Map<Rule, RuleLife>;
  /** T of the last evaluated sample; -Infinity before the first. */
  lastT: number;
  /** The latest T heard; -Infinity before the first. */
  heardT: number;
  waiting: WaitingSamples;
  /** The last sample heard: its A, and the cause that timers count from. */
  heard: Cause;
  /** How many samples of the partition were heard before it: the position that orders timers. */
  position: number;
  /** Durations of `absent` that have come true since. */
  absent: Set<number>;
  /** Late samples in a row that a clock set back would explain. */
  late: { since: number; least: number; most: number } | null;
}

/** Something that comes with time alone. */
export interface Timer {
  readonly due: number;
  readonly kind: keyof typeof TIMER_ORDER;
  readonly vehicle: Vehicle;
  /** Position of the sample that it counts from. */
  readonly position: number;
  readonly durationMs: number;
  /** The sample whose time to wait is over. */
  readonly waiting?: WaitingSample;
}

/** Which of the timers due at one A comes first. */
const TIMER_ORDER = { waiting: 0, absent: 1, forget: 2 };

/** A vehicle's timers, in no order. */
export function timersOf(
  vehicle: Vehicle,
  { latenessMs, forgetAfterMs }: RuleSettings,
  absentMs: readonly number[],
): Timer[] {
  const { heard: { append }, position } = vehicle;
  const timers: Timer[] = absentMs.filter((d) => !vehicle.absent.has(d)).map((d) => ({
    due: append + Math.max(d, latenessMs),
    kind: "absent",
    vehicle,
    position,
    durationMs: d,
  }));
  timers.push({
    due: append + forgetAfterMs,
    kind: "forget",
    vehicle,
    position,
    durationMs: forgetAfterMs,
  });
  for (const waiting of vehicle.waiting) {
    timers.push({
      due: waiting.heard.append + latenessMs,
      kind: "waiting",
      vehicle,
      position: waiting.position,
      durationMs: latenessMs,
      waiting,
    });
  }
  return timers;
}

/** By due A, then kind, then position, then duration. */
export function byOrder(a: Timer, b: Timer): number {
  return a.due - b.due || TIMER_ORDER[a.kind] - TIMER_ORDER[b.kind] || a.position - b.position ||
    a.durationMs - b.durationMs;
}
