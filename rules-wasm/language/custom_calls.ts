/** How calls of custom operators are checked, by their declarations. */
import type { CustomReference, Value } from "./ast.ts";
import { hasClock, signalsOf } from "./brings.ts";
import { CUSTOM_BUILT } from "./custom_built.ts";
import {
  CUSTOM_OPERATORS,
  type CustomArgument,
  type CustomOperator,
  type CustomUnit,
} from "./custom_operators.ts";
import { quote } from "./faults.ts";
import { type CallContext, type CallSyntax, durationMs, type FunctionRow } from "./functions.ts";
import { valueIn } from "./quantities.ts";
import type { Syntax } from "./syntax.ts";
import { textHash } from "./text_hash.ts";
import { type Quantity, quantity, type Scale, type Typed } from "./typed.ts";
import {
  differenceUnit,
  isComparable,
  isTemperature,
  NO_UNIT,
  parseUnit,
  type Unit,
  unitText,
} from "./units.ts";

/** What was built into the kernel; its position in the list is the operator's number there. */
export interface CustomBuilt {
  readonly name: string;
  /** Hash of the declaration that it was built from. */
  readonly declared: string;
  /** Hash of declaration and source. */
  readonly hash: string;
}

/** How an operator is called, for people. */
export function signatureOf(operator: CustomOperator): string {
  return `${operator.name}(${operator.arguments.map((each) => each.name).join(", ")})`;
}

/** The hash of a declaration. */
export function declarationHash(operator: CustomOperator): string {
  return textHash(JSON.stringify(operator));
}

/** A row of the table of functions for each operator. */
export function customRows(
  operators: readonly CustomOperator[] = CUSTOM_OPERATORS,
  built: readonly CustomBuilt[] = CUSTOM_BUILT,
): readonly FunctionRow[] {
  return operators.map((operator) => ({
    name: operator.name,
    signature: signatureOf(operator),
    argumentsMin: operator.arguments.length,
    argumentsMax: operator.arguments.length,
    check: (call, context) => {
      const reference = referenceTo(operator, built);
      if (reference !== null) return checkCall(operator, reference, call, context);
      return context.refuse(
        call.nameRange,
        `Cannot use ${operator.name}: the kernel was built without it, or before it was changed`,
        "run deno task build:kernel",
      );
    },
  }));
}

function referenceTo(
  operator: CustomOperator,
  built: readonly CustomBuilt[],
): CustomReference | null {
  const index = built.findIndex(({ name }) => name === operator.name);
  if (index < 0 || built[index].declared !== declarationHash(operator)) return null;
  return { name: operator.name, index, slots: operator.slots, hash: built[index].hash };
}

function checkCall(
  operator: CustomOperator,
  reference: CustomReference,
  call: CallSyntax,
  context: CallContext,
): Typed | null {
  const numbers = new Map<string, Quantity>();
  const args: Value[] = [];
  for (const [i, declared] of operator.arguments.entries()) {
    const arg = call.args[i];
    const value = checkArgument(operator, declared, arg, numbers, context);
    if (value !== null) args.push(value);
  }
  if (args.length < operator.arguments.length) return null;
  const kept = args.filter((_, i) => operator.arguments[i].kind !== "duration");
  if (kept.length > 0 && !kept.some((arg) => signalsOf(arg).length > 0 || hasClock(arg))) {
    return context.refuse(
      call,
      `Cannot take ${operator.name} of ${quote(context.text(call))}: it names no signal`,
    );
  }
  const { result } = operator;
  if (result.kind !== "number") {
    return {
      kind: "condition",
      condition: { kind: "call", fn: "custom", result: result.kind, operator: reference, args },
    };
  }
  const { unit, scale } = measure(result, numbers);
  const value: Value = { kind: "call", fn: "custom", result: "number", operator: reference, args };
  return quantity(value, unit ?? NO_UNIT, scale);
}

/** The value that the operator takes for an argument. */
function checkArgument(
  operator: CustomOperator,
  declared: CustomArgument,
  arg: Syntax,
  numbers: Map<string, Quantity>,
  context: CallContext,
): Value | null {
  switch (declared.kind) {
    case "condition": {
      const of = context.statefulCondition(arg);
      return of === null ? null : { kind: "truth", of };
    }
    case "duration": {
      const ms = durationMs(context, arg, declared.leastMs ?? 1);
      return ms === null ? null : { kind: "number", value: ms };
    }
    case "number": {
      const q = context.quantity(arg);
      if (q === null) return null;
      const taken = takeNumber(q, declared, numbers);
      if (taken === null) {
        return context.refuse(
          arg,
          `Cannot use ${quote(context.text(arg))} as ${declared.name} of ${operator.name}: ` +
            `it takes ${describe(declared, numbers)}`,
          `it is called as ${signatureOf(operator)}`,
        );
      }
      numbers.set(declared.name, taken);
      return context.finite(arg, taken)?.value ?? null;
    }
  }
}

/** A quantity in the declared unit; null if it does not fit. */
function takeNumber(
  q: Quantity,
  declared: CustomUnit,
  numbers: ReadonlyMap<string, Quantity>,
): Quantity | null {
  if ("unit" in declared && declared.unit === "any") return q;
  const { unit, scale } = measure(declared, numbers);
  if (unit === null) return q;
  if (q.unit === null) return { ...q, unit, scale };
  const known = [q.scale, scale].filter((each) => each !== "either");
  if (!isComparable(unit, q.unit) || new Set(known).size > 1) return null;
  return quantity(valueIn(q, unit, known.includes("point")), unit, known[0] ?? "either");
}

/** What a number is measured in, given the arguments before it; null: nothing is known of it. */
function measure(
  declared: CustomUnit,
  numbers: ReadonlyMap<string, Quantity>,
): { readonly unit: Unit | null; readonly scale: Scale } {
  if ("like" in declared) {
    const like = numbers.get(declared.like);
    return { unit: like?.unit ?? null, scale: like?.scale ?? "difference" };
  }
  if ("differenceOf" in declared) {
    const of = numbers.get(declared.differenceOf)?.unit ?? null;
    return { unit: of === null ? null : differenceUnit(of), scale: "difference" };
  }
  const read = declared.unit === "" ? null : parseUnit(declared.unit);
  const unit = read?.ok ? read.unit : NO_UNIT;
  const point = isTemperature(unit) && unitText(unit) !== "K";
  return { unit, scale: point ? "point" : "difference" };
}

function describe(declared: CustomUnit, numbers: ReadonlyMap<string, Quantity>): string {
  const { unit, scale } = measure(declared, numbers);
  const text = unit === null || unit.length === 0 ? "a number without unit" : unitText(unit);
  if ("like" in declared) return `what ${declared.like} is: ${text}`;
  if ("differenceOf" in declared) return `a difference of ${declared.differenceOf}: ${text}`;
  return scale === "point" ? `a temperature: ${text}` : text;
}
