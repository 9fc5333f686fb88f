/**
 * Tries every custom operator in both worlds: the kernel just built and its TypeScript are given
 * the same samples, and have to answer and to keep the same numbers, bit for bit.
 */
import { Slots } from "./assembly/slots.ts";
import { CustomOperatorError, outsideText } from "./custom_source.ts";
import type { CustomArgument, CustomOperator } from "./language/custom_operators.ts";

/** Samples that each operator is tried on, in so many runs from a fresh state. */
const SAMPLES = 400;
const RUNS = 8;

/** An operator in one of the worlds. */
export interface TrialWorld {
  /** Forgets what was kept. */
  fresh(): void;
  step(t: number, values: readonly number[]): number;
  /** What it keeps now. */
  kept(): readonly number[];
}

/** An operator's exported function, of a module loaded by name. */
export type UnknownFunction = (...values: readonly unknown[]) => unknown;

/** The operator run as TypeScript. */
export class TypeScriptWorld implements TrialWorld {
  #slots: Slots;

  constructor(readonly operator: CustomOperator, readonly run: UnknownFunction) {
    this.#slots = new Slots(operator.slots);
  }

  fresh(): void {
    this.#slots = new Slots(this.operator.slots);
  }

  step(t: number, values: readonly number[]): number {
    const result = this.run(this.#slots, t, ...values);
    if (typeof result !== "number") {
      throw failure(this.operator, `it returned ${result}, no number`);
    }
    if (this.#slots.outside !== null) {
      throw failure(this.operator, outsideText(this.#slots.outside, this.operator));
    }
    return result;
  }

  kept(): readonly number[] {
    return Array.from({ length: this.operator.slots }, (_, i) => this.#slots.get(i));
  }
}

/** The operator run by the kernel. */
export class KernelWorld implements TrialWorld {
  readonly #step: (operator: number, state: number, slots: number, t: number) => number;
  readonly #view: DataView;
  readonly #arguments: number;
  readonly #state: number;

  /** @throws TypeError if the module lacks an export */
  constructor(
    readonly operator: CustomOperator,
    readonly index: number,
    module: WebAssembly.Module,
  ) {
    const { exports } = new WebAssembly.Instance(module, { host: { number: () => NaN } });
    const { memory, customStep, customArguments, alloc } = exports;
    if (
      !(memory instanceof WebAssembly.Memory) || typeof customStep !== "function" ||
      typeof customArguments !== "function" || typeof alloc !== "function"
    ) throw new TypeError("Cannot try the custom operators: the kernel lacks an export");
    this.#state = alloc(8 * Math.max(1, operator.slots), 8);
    this.#arguments = customArguments();
    this.#view = new DataView(memory.buffer);
    this.#step = (...values) => customStep(...values);
    this.fresh();
  }

  fresh(): void {
    for (let i = 0; i < this.operator.slots; i++) {
      this.#view.setFloat64(this.#state + 8 * i, NaN, true);
    }
  }

  step(t: number, values: readonly number[]): number {
    values.forEach((value, i) => this.#view.setFloat64(this.#arguments + 8 * i, value, true));
    return this.#step(this.index, this.#state, this.operator.slots, t);
  }

  kept(): readonly number[] {
    return Array.from(
      { length: this.operator.slots },
      (_, i) => this.#view.getFloat64(this.#state + 8 * i, true),
    );
  }
}

/**
 * Tries an operator.
 *
 * @throws {CustomOperatorError} where the worlds part
 */
export function tryOperator(
  operator: CustomOperator,
  kernel: TrialWorld,
  typescript: TrialWorld,
): void {
  let seed = 1;
  const next = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
  for (let run = 0; run < RUNS; run++) {
    kernel.fresh();
    typescript.fresh();
    const durations = operator.arguments.map((each) =>
      each.kind === "duration" ? (each.leastMs ?? 1) * Math.ceil(10 ** (6 * next())) : 0
    );
    let t = 1_700_000_000_000;
    for (let i = 0; i < SAMPLES; i++) {
      t += next() < 0.2 ? 0 : Math.floor(10 ** (4 * next()));
      const values = operator.arguments.map((each, n) => trialValue(each, durations[n], next));
      const expected = typescript.step(t, values);
      const found = kernel.step(t, values);
      const keeps = typescript.kept();
      const same = Object.is(expected, found) &&
        kernel.kept().every((each, n) => Object.is(each, keeps[n]));
      if (same) continue;
      const given = operator.arguments.map(({ name }, n) => `${name} = ${values[n]}`).join(", ");
      throw failure(
        operator,
        `the engines part on sample ${i + 1} (${given}): ${expected} keeping [${
          keeps.join(", ")
        }] in TypeScript, ${found} keeping [${kernel.kept().join(", ")}] in the kernel`,
      );
    }
  }
}

/** A value as a rule may give it: unknown, alike, small, large. */
function trialValue(argument: CustomArgument, duration: number, next: () => number): number {
  if (argument.kind === "duration") return duration;
  const dice = next();
  if (dice < 0.1) return NaN;
  if (argument.kind === "condition") return dice < 0.5 ? 1 : 0;
  if (dice < 0.2) return dice < 0.15 ? 0 : -0;
  if (dice < 0.5) return Math.floor(20 * next()) - 10;
  if (dice < 0.9) return 200 * next() - 100;
  return (next() - 0.5) * 10 ** (600 * next() - 300);
}

function failure({ name }: CustomOperator, message: string): CustomOperatorError {
  return new CustomOperatorError([`custom/${name}.ts: ${message}`]);
}
