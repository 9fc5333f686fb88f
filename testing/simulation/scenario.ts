/** What happens in a simulation: all of it comes from one seed, and parts can be left out. */
import { Seeded } from "../seeded.ts";
import type { BrokerHabits, Mutant } from "./broker.ts";
import type { CallFault, Conditions } from "./process.ts";
import type { ReadHabits } from "./sim_bus.ts";
import { EPOCH_MS } from "./world.ts";

/** A record of telemetry, and when it comes. */
export interface Input {
  /** Milliseconds after the beginning. */
  readonly atMs: number;
  readonly partition: number;
  readonly value: string;
}

/** Something that goes wrong, or is done. Times are milliseconds after the beginning. */
export type Fault =
  /** The nth call of a kind ("any": of all) that a machine makes. */
  | {
    readonly kind: "call";
    readonly machine: number;
    readonly op: string;
    readonly nth: number;
    readonly fault: CallFault;
  }
  | { readonly kind: "crash" | "stop"; readonly machine: number; readonly atMs: number }
  | {
    readonly kind: "pause" | "hold" | "clock";
    readonly machine: number;
    readonly atMs: number;
    /** How long the process is stopped or the agent held, or how far the clock jumps. */
    readonly ms: number;
  }
  | { readonly kind: "broker clock"; readonly atMs: number; readonly ms: number }
  | { readonly kind: "rebalance" | "compact"; readonly atMs: number }
  | { readonly kind: "rules"; readonly atMs: number; readonly to: number }
  | {
    readonly kind: "trim";
    readonly atMs: number;
    readonly partition: number;
    /** Share of what may go that goes. */
    readonly share: number;
  }
  | {
    readonly kind: "damage";
    readonly atMs: number;
    readonly partition: number;
    readonly how: "flip" | "cut" | "drop";
  };

/** A simulation that can be run, again and again alike. */
export interface Scenario {
  readonly seed: number;
  readonly partitions: number;
  readonly machines: number;
  /** Number of the rules at the beginning. */
  readonly rules: number;
  readonly broker: BrokerHabits;
  readonly reads: ReadHabits;
  readonly conditions: Conditions;
  readonly checkpointMs: number;
  /** Whether checkpoints are padded to several records. */
  readonly large: boolean;
  /**
   * Whether retention leaves what is still needed. If so, and unless state is lost in a way that
   * the log cannot make good, output must equal that of a run without faults byte for byte.
   */
  readonly gentle: boolean;
  readonly inputs: readonly Input[];
  readonly faults: readonly Fault[];
  /** Milliseconds after the beginning at which nothing goes wrong any more. */
  readonly faultsMs: number;
}

/** Rule sets that scenarios know. */
export const RULES_KNOWN = 4;

const CALL_FAULTS: readonly CallFault[] = [
  "refused",
  "lost request",
  "lost reply",
  "late",
  "slow",
  "crash before",
  "crash after",
];

const CLOCK_JUMPS_MS = [-3_600_000, -2_000, 2_000, 3_600_000];

/** The scenario of a seed. */
export function scenarioOf(seed: number, mutant: Mutant = "none"): Scenario {
  const random = new Seeded(Math.imul(seed, 0x9e3779b1));
  const partitions = 1 + random.below(3);
  const machines = random.pick([1, 2, 2, 3, 3, 4]);
  const faultsMs = 2_000 + random.below(3_000);
  const gentle = random.chance(0.55);
  const themes = {
    rules: random.chance(0.4),
    trim: random.chance(0.35),
    damage: random.chance(0.3),
  };
  // Where byte for byte is asked, only one of them can be at work.
  if (gentle && themes.rules) themes.trim = themes.damage = false;
  if (gentle && themes.trim) themes.damage = false;
  const scene = { random, partitions, machines, faultsMs };
  return {
    seed,
    partitions,
    machines,
    rules: random.below(RULES_KNOWN),
    broker: {
      markers: random.chance(0.5),
      eager: random.chance(0.5),
      fencesAtOnce: random.chance(0.5),
      expiryMs: random.pick([700, 1_500]),
      mutant,
    },
    reads: {
      batchRecords: random.pick([1, 3, 8, 100]),
      ahead: random.chance(0.5),
      beatMs: random.pick([120, 250]),
    },
    conditions: {
      latencyMs: random.pick([2, 10, 40]),
      timeoutMs: random.pick([400, 1_200]),
      workMs: random.pick([0, 0, 1, 8]),
    },
    checkpointMs: random.pick([100, 600, 2_000, 30_000]),
    large: random.chance(0.02),
    gentle,
    inputs: inputsOf(scene),
    faults: [...callFaults(scene), ...timedFaults(scene, themes)],
    faultsMs,
  };
}

interface Scene {
  readonly random: Seeded;
  readonly partitions: number;
  readonly machines: number;
  readonly faultsMs: number;
}

function inputsOf({ random, partitions, faultsMs }: Scene): Input[] {
  const count = 10 + random.below(50);
  const vehicles = 1 + random.below(4);
  const last = faultsMs + (random.chance(0.5) ? 1_000 : -500);
  const sample = (atMs: number) => {
    const vehicle = `V-${random.below(vehicles)}`;
    const late = random.chance(0.1) ? random.below(2_500) : random.below(60);
    const speed = random.pick([40, 85, 95, 105, 130]);
    const coolant = random.chance(0.7) ? { coolant: random.pick([80, 105, 120]) } : {};
    return JSON.stringify({ vehicle, ts: EPOCH_MS + atMs - late, speed, ...coolant });
  };
  return Array.from({ length: count }, () => {
    const atMs = random.below(last);
    const partition = random.below(partitions);
    if (random.chance(0.08)) return { atMs, partition, value: random.pick(["{oops", "[1]", "{}"]) };
    const objects = random.chance(0.1) ? 3 : 1;
    const value = Array.from({ length: objects }, () => sample(atMs)).join("\n");
    return { atMs, partition, value };
  }).sort((a, b) => a.atMs - b.atMs);
}

function callFaults({ random, machines }: Scene): Fault[] {
  return Array.from({ length: random.below(8) }, () => {
    const op = random.pick(["commit", "commit", "commit", "any", "any", "take", "read progress"]);
    const nth = op === "any" ? random.below(150 * machines) : random.below(12);
    const fault = random.pick(CALL_FAULTS);
    return { kind: "call", machine: random.below(machines), op, nth, fault };
  });
}

function timedFaults(
  scene: Scene,
  themes: { readonly rules: boolean; readonly trim: boolean; readonly damage: boolean },
): Fault[] {
  const { random, partitions, machines, faultsMs } = scene;
  const atMs = () => 100 + random.below(faultsMs - 100);
  const machine = () => random.below(machines);
  const partition = () => random.below(partitions);
  const some = (most: number, make: () => Fault) =>
    Array.from({ length: random.below(most + 1) }, make);
  return [
    ...some(3, () => ({ kind: "crash", machine: machine(), atMs: atMs() })),
    ...some(2, () => ({ kind: "stop", machine: machine(), atMs: atMs() })),
    ...some(2, () => ({
      ...{ kind: "pause", machine: machine(), atMs: atMs() },
      ms: random.pick([300, 1_000, 2_500]),
    })),
    ...some(1, () => ({
      ...{ kind: "hold", machine: machine(), atMs: atMs() },
      ms: random.pick([200, 1_500]),
    })),
    ...some(1, () => ({
      ...{ kind: "clock", machine: machine(), atMs: atMs() },
      ms: random.pick(CLOCK_JUMPS_MS),
    })),
    ...(random.chance(0.2)
      ? some(1, () => ({ kind: "broker clock", atMs: atMs(), ms: random.pick(CLOCK_JUMPS_MS) }))
      : []),
    ...some(2, () => ({ kind: "rebalance", atMs: atMs() })),
    ...some(2, () => ({ kind: "compact", atMs: atMs() })),
    ...(themes.rules
      ? some(3, () => ({ kind: "rules", atMs: atMs(), to: random.below(RULES_KNOWN) }))
      : []),
    ...(themes.trim
      ? some(4, () => ({
        ...{ kind: "trim", atMs: atMs(), partition: partition() },
        share: random.pick([0.5, 1]),
      }))
      : []),
    ...(themes.damage
      ? some(2, () => ({
        ...{ kind: "damage", atMs: atMs(), partition: partition() },
        how: random.pick(["flip", "cut", "drop"] as const),
      }))
      : []),
  ] as const;
}

/** Whether output must equal that of a run without faults, byte for byte. */
export function isExact({ gentle, faults }: Scenario): boolean {
  const has = (kind: Fault["kind"]) => faults.some((fault) => fault.kind === kind);
  if (!gentle && has("trim")) return false;
  if (has("damage") && (has("rules") || has("trim"))) return false;
  return !(has("rules") && has("trim"));
}

/** A scenario as lines for people. */
export function describe(scenario: Scenario): string[] {
  const { seed, partitions, machines, inputs, faults, broker, reads, conditions } = scenario;
  return [
    `seed ${seed}: ${machines} machines, ${partitions} partitions, ${inputs.length} records, ` +
    `${isExact(scenario) ? "byte for byte" : "state may be mended"}`,
    `  ${JSON.stringify({ ...broker, ...reads, ...conditions })}`,
    `  checkpoints every ${scenario.checkpointMs} ms, faults until ${scenario.faultsMs} ms`,
    ...faults.map((fault) => `  ${JSON.stringify(fault)}`),
  ];
}
