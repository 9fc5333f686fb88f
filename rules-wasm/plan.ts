/**
 * Compiles a checked rule set to a plan: the data by which the kernel evaluates it.
 *
 * Everything that the kernel does per row is an instruction or a rule of this plan. What a rule or
 * an operator keeps per vehicle is named by the structure of its expression, so that state can be
 * carried from one version to the next.
 */
import { SEVERITIES } from "../contract/anomaly.ts";
import * as K from "./assembly/plan_layout.ts";
import type { Rule, RuleSet } from "./language/ast.ts";
import { type Expression, hasAbsent, signalsOf, walk } from "./language/brings.ts";
import { signalText } from "./language/structure.ts";
import { type Instruction, type KeptState, PlanCode, type StatePart } from "./plan_code.ts";
import { KERNEL_BYTES_MAX, vehicleRoom } from "./plan_bounds.ts";
import { ringBytesMax, timesBytes } from "./plan_rings.ts";
import { COLUMN_BYTES } from "./assembly/layout.ts";

/** A rung of a severity ladder. */
export interface PlanLevel {
  readonly severity: number;
  readonly condition: number;
  readonly brings: number;
}

/** A rule in a plan. */
export interface PlanRule {
  readonly rule: Rule;
  readonly when: number;
  /** -1: not `when`. */
  readonly clear: number;
  readonly bringsWhen: number;
  readonly bringsClear: number;
  readonly levels: readonly PlanLevel[];
  /** Bit among those that a vehicle's id decides, or -1. */
  readonly filter: number;
  /** Positions of durations of `absent`. */
  readonly absents: readonly number[];
  /** What a transition takes along: a value register, or ~condition register. */
  readonly captures: readonly number[];
}

/** A compiled rule set. */
export interface Plan {
  readonly ruleSet: RuleSet;
  /** Numbers of the catalog signals that need a column; position i is value register i. */
  readonly signals: readonly number[];
  /** Durations of `absent`, ascending, milliseconds. */
  readonly absents: readonly number[];
  readonly rules: readonly PlanRule[];
  readonly code: readonly Instruction[];
  readonly brings: readonly (readonly number[])[];
  readonly constants: ReadonlyMap<number, number>;
  /** Registers of signals' last values before a row, by position; the next ones hold their T. */
  readonly befores: ReadonlyMap<number, number>;
  /** Numbers that instructions refer to. */
  readonly data: readonly number[];
  readonly values: number;
  readonly conditions: number;
  /** State of operators, by structure. */
  readonly states: readonly StatePart[];
  /** What signals and operators keep, in the order in which it is written to snapshots. */
  readonly kept: readonly KeptState[];
  /** Where the signals' last values lie in a vehicle's state. */
  readonly signalsAt: number;
  /** Bytes of a vehicle's state, its rings of slots and panes apart. */
  readonly stride: number;
  /** Bytes of its rings, and of what else is kept only at times, at most. */
  readonly ringBytesMax: number;
  readonly activeAt: number;
  readonly activeWords: number;
  readonly filterAt: number;
  readonly filterWords: number;
  /** Where the bits lie that say which signals came with a vehicle's last sample. */
  readonly cameAt: number;
  /** Where a vehicle's waiting samples are listed; nothing lies there with a lateness of 0. */
  readonly waitingAt: number;
  /** Vehicles that memory has room for. */
  readonly vehicleRoom: number;
  /** Vehicles beyond which new ones are refused: `max_vehicles`, or fewer where memory ends. */
  readonly vehiclesMax: number;
}

/** Bytes of waiting samples, at most: half of what a kernel can have. */
const WAITING_BYTES_MAX = 2 ** 31;

/**
 * Compiles a rule set.
 *
 * @param memoryBytes memory of the kernel that runs it
 * @throws {RangeError} if it asks for what this kernel does not do
 */
export function compilePlan(ruleSet: RuleSet, memoryBytes = KERNEL_BYTES_MAX): Plan {
  const { settings } = ruleSet;
  const expressions = ruleSet.rules.flatMap(expressionsOf);
  const signals = [...new Set(expressions.flatMap((expr) => [...signalsOf(expr)]))]
    .sort((a, b) => a - b);
  checkWaiting(ruleSet, signals);
  const absents = [...new Set(expressions.flatMap(absentsOf))].sort((a, b) => a - b);
  if (absents.length > K.ABSENT_MAX) {
    throw new RangeError(
      `Cannot compile more than ${K.ABSENT_MAX} durations of absent: there are ${absents.length}`,
    );
  }
  const filtered = ruleSet.rules.filter((rule) => rule.vehicles.length > 0);
  const activeWords = Math.ceil(ruleSet.rules.length / 32);
  const filterWords = Math.ceil(filtered.length / 32);
  const activeAt = K.V_BYTES;
  const filterAt = activeAt + 4 * activeWords;
  const cameAt = filterAt + 4 * filterWords;
  const waitingAt = cameAt + 4 * Math.ceil(signals.length / 32);
  const waitingBytes = settings.latenessMs > 0 ? K.VW_BYTES : 0;
  // Before the operators' state: what is read of every sample's vehicle lies together.
  const signalsAt = Math.ceil((waitingAt + waitingBytes) / 8) * 8;
  const code = new PlanCode(
    signals,
    absents,
    settings.maxGapMs,
    signalsAt + 8 * signals.length,
    settings.zoneOffsets,
    signalText(ruleSet.catalog),
  );
  const rules = ruleSet.rules.map((rule) => compileRule(rule, code, filtered.indexOf(rule)));
  const stride = Math.ceil(code.stateBytes / 8) * 8;
  const states = signals.map((signal, i): StatePart => ({
    structure: code.structure({ kind: "signal", signal, type: "number" }),
    offset: signalsAt + 8 * i,
    bytes: 8,
    unknownAt: [0],
  }));
  const ringBytes = code.code.reduce(
    (sum, each) => sum + ringBytesMax(each),
    timesBytes(signals.length),
  );
  const room = vehicleRoom(memoryBytes, {
    strideBytes: stride,
    ringBytesMax: ringBytes,
    rules: rules.length,
    transitionBytes: K.TR_CAPTURES + 8 * capturesCounted(rules),
    registerBytes: code.valueCount * COLUMN_BYTES + code.conditionCount * K.CONDITION_BYTES,
    waitingBytes: settings.latenessMs === 0 ? 0 : settings.maxWaiting * waitingBytesOf(signals),
  });
  if (room === 0) {
    throw new RangeError(
      `Cannot compile the rules: ${rules.length} rules keep up to ${stride + ringBytes} bytes of ` +
        `state of a vehicle, and a partition's memory has no room for one; use fewer rules or ` +
        `windows, or a smaller max_waiting`,
    );
  }
  return {
    ruleSet,
    signals,
    absents,
    rules,
    code: code.code,
    brings: code.brings,
    constants: code.constants,
    befores: code.befores,
    data: code.data,
    values: code.valueCount,
    conditions: code.conditionCount,
    states: [...states, ...code.states],
    kept: [
      ...states.map(({ structure }, i) => ({ key: `signal ${structure}`, target: 2 * (i + 1) })),
      ...code.kept,
    ],
    signalsAt,
    stride,
    ringBytesMax: ringBytes,
    activeAt,
    activeWords,
    filterAt,
    filterWords,
    cameAt,
    waitingAt,
    vehicleRoom: room,
    vehiclesMax: Math.min(settings.maxVehicles, room),
  };
}

/**
 * Values that a transition is counted with, at least as many as it carries: in steps, so that a word
 * more in a message leaves as many vehicles room as before.
 */
function capturesCounted(rules: readonly { readonly captures: readonly number[] }[]): number {
  return 8 * Math.max(1, ...rules.map(({ captures }) => Math.ceil(captures.length / 8)));
}

/** Bytes of state that a vehicle takes, records of what rules have pending apart. */
export interface StateSize {
  /** One that has just been heard. */
  readonly leastBytes: number;
  /** One that sends so much that everything kept of it is as long as it may be. */
  readonly mostBytes: number;
  /** Vehicles of one partition for which there is memory, whatever `max_vehicles` allows. */
  readonly vehicleRoom: number;
}

/**
 * How much state a rule set keeps of a vehicle.
 *
 * @throws {RangeError} if it asks for what this kernel does not do
 */
export function stateSize(ruleSet: RuleSet): StateSize {
  const { stride, ringBytesMax, vehicleRoom } = compilePlan(ruleSet);
  return { leastBytes: stride, mostBytes: stride + ringBytesMax, vehicleRoom };
}

/**
 * What an operator is to know where memory allows fewer vehicles than `max_vehicles`; null where it
 * does not.
 *
 * @throws {RangeError} if the rules ask for what this kernel does not do
 */
export function vehicleLimitNotice(ruleSet: RuleSet): string | null {
  const { mostBytes, vehicleRoom } = stateSize(ruleSet);
  const { maxVehicles } = ruleSet.settings;
  if (vehicleRoom >= maxVehicles) return null;
  return `rules ${ruleSet.version} keep up to ${mostBytes} bytes of a vehicle: a partition has ` +
    `memory for ${vehicleRoom} vehicles, and refuses others before max_vehicles, ${maxVehicles}, ` +
    `is reached; set max_vehicles to ${vehicleRoom}, use fewer rules or windows, or more partitions`;
}

/** Bytes of a sample that waits. */
function waitingBytesOf(signals: readonly number[]): number {
  return K.WAITING_BYTES + 8 * signals.length;
}

/** @throws {RangeError} if more samples may wait than memory holds */
function checkWaiting({ settings }: RuleSet, signals: readonly number[]): void {
  if (settings.latenessMs === 0) return;
  const most = Math.floor(WAITING_BYTES_MAX / waitingBytesOf(signals));
  if (settings.maxWaiting <= most) return;
  throw new RangeError(
    `Cannot compile the rules with max_waiting above ${most}: they name ${signals.length} signals, and ` +
      `max_waiting is ${settings.maxWaiting}; set max_waiting to ${most} or less`,
  );
}

function compileRule(rule: Rule, code: PlanCode, filter: number): PlanRule {
  const captures: number[] = [];
  for (const term of rule.terms) {
    if (term.kind === "compare") captures.push(code.value(term.left), code.value(term.right));
    else captures.push(~code.condition(term.of));
  }
  for (const part of rule.message) {
    if (part.kind === "value") captures.push(code.value(part.of));
  }
  const decides = [rule.when, rule.clear ?? rule.when, ...rule.levels.map((level) => level.when)];
  const absents = [...new Set(decides.flatMap(absentsOf))].sort((a, b) => a - b);
  return {
    rule,
    when: code.condition(rule.when),
    clear: rule.clear === null ? -1 : code.condition(rule.clear),
    bringsWhen: code.bringing(rule.when),
    bringsClear: code.bringing(rule.clear ?? rule.when),
    levels: rule.levels.map((level) => ({
      severity: SEVERITIES.indexOf(level.severity),
      condition: code.condition(level.when),
      brings: code.bringing(level.when),
    })),
    filter,
    absents: absents.map((duration) => code.absents.indexOf(duration)),
    captures,
  };
}

/** Every expression that a rule has evaluated. */
function expressionsOf(rule: Rule): Expression[] {
  return [
    rule.when,
    ...(rule.clear === null ? [] : [rule.clear]),
    ...rule.levels.map((level) => level.when),
    ...rule.terms.flatMap((term): Expression[] =>
      term.kind === "compare" ? [term.left, term.right] : [term.of]
    ),
    ...rule.message.flatMap((part): Expression[] => part.kind === "value" ? [part.of] : []),
  ];
}

function absentsOf(expr: Expression): number[] {
  const found: number[] = [];
  if (!hasAbsent(expr)) return found;
  walk(expr, (node) => {
    if (node.kind === "call" && node.fn === "absent") found.push(node.durationMs);
  });
  return found;
}
