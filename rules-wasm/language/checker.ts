/** From the raw tree to the checked one: names, types and units, with every fault at once. */
import type { Condition, TermSource, Value } from "./ast.ts";
import { hasAbsent } from "./brings.ts";
import type { CatalogIndex } from "./catalog_index.ts";
import { compare, join, negated } from "./conditions.ts";
import { FAMILIAR_FUNCTIONS } from "./familiar_words.ts";
import { didYouMean, quote, type Report } from "./faults.ts";
import { ALL_FUNCTIONS } from "./function_table.ts";
import type { CallContext, CallSyntax, FunctionRow } from "./functions.ts";
import type { PositionParts } from "./functions_geo.ts";
import { parse, writtenText } from "./parser.ts";
import { arithmetic } from "./quantities.ts";
import type { Range, Syntax } from "./syntax.ts";
import { BOOLEAN_NAMES, constantOf, kindText, type Quantity, quantity } from "./typed.ts";
import type { Typed } from "./typed.ts";
import { parseUnit, type Unit, unitText } from "./units.ts";
import type { Zone } from "./zone.ts";

/** A checked condition with what a transition shows of it. */
export interface CheckedCondition {
  readonly condition: Condition;
  /** Its terms, in the order of the text. */
  readonly terms: readonly TermSource[];
}

/** A checked value with how it is shown. */
export interface CheckedValue {
  readonly value: Value;
  /** "" for none. */
  readonly unit: string;
  readonly names?: readonly string[];
}

/** Checks the text of a condition; null if anything was reported. */
export function checkCondition(
  text: string,
  catalog: CatalogIndex,
  report: Report,
  functions: ReadonlyMap<string, FunctionRow> = ALL_FUNCTIONS,
): CheckedCondition | null {
  const syntax = parse(text, report);
  return syntax === null ? null : new Checker(text, catalog, report, functions).condition(syntax);
}

/** Checks the text of a value, as it stands in a message; null if anything was reported. */
export function checkValue(
  text: string,
  catalog: CatalogIndex,
  report: Report,
): CheckedValue | null {
  const syntax = parse(text, report);
  return syntax === null ? null : new Checker(text, catalog, report, ALL_FUNCTIONS).shown(syntax);
}

class Checker implements CallContext {
  readonly #text: string;
  readonly #catalog: CatalogIndex;
  readonly #report: Report;
  readonly #functions: ReadonlyMap<string, FunctionRow>;

  constructor(
    text: string,
    catalog: CatalogIndex,
    report: Report,
    functions: ReadonlyMap<string, FunctionRow>,
  ) {
    this.#text = text;
    this.#catalog = catalog;
    this.#report = report;
    this.#functions = functions;
  }

  text(range: Range): string {
    return writtenText(this.#text, range);
  }

  refuse(range: Range, message: string, suggestion = ""): null {
    this.#report(range.offset, range.length, message, suggestion);
    return null;
  }

  /** A whole condition: `and`, `or` and `not` are looked through for its terms. */
  condition(syntax: Syntax): CheckedCondition | null {
    if (syntax.kind === "and" || syntax.kind === "or") {
      const left = this.condition(syntax.left);
      const right = this.condition(syntax.right);
      if (left === null || right === null) return null;
      return {
        condition: join(syntax.kind, left.condition, right.condition),
        terms: [...left.terms, ...right.terms],
      };
    }
    if (syntax.kind === "not") {
      const of = this.condition(syntax.of);
      return of === null ? null : { condition: negated(of.condition), terms: of.terms };
    }
    const condition = this.#conditionOf(syntax);
    if (condition === null) return null;
    const term: TermSource = syntax.kind === "compare" && condition.kind === "compare"
      ? { kind: "compare", left: condition.left, right: condition.right, term: condition.term }
      : { kind: "condition", of: condition, text: this.text(syntax) };
    return { condition, terms: [term] };
  }

  /** A value as a message shows it. */
  shown(syntax: Syntax): CheckedValue | null {
    const typed = this.typed(syntax);
    if (typed === null) return null;
    switch (typed.kind) {
      case "quantity":
        return { value: typed.value, unit: typed.unit === null ? "" : unitText(typed.unit) };
      case "name":
        return { value: typed.value, unit: "", names: typed.names };
      case "boolean":
        return { value: typed.value, unit: "", names: BOOLEAN_NAMES };
      case "condition":
      case "string":
        return this.refuse(
          syntax,
          `Cannot show ${quote(this.text(syntax))} in a message: it is ${kindText(typed)}`,
          "a message shows values, such as {speed}",
        );
    }
  }

  quantity(syntax: Syntax): Quantity | null {
    const typed = this.typed(syntax);
    if (typed === null || typed.kind === "quantity") return typed;
    const text = quote(this.text(syntax));
    return this.refuse(syntax, `Cannot use ${text} as a number: it is ${kindText(typed)}`);
  }

  statefulCondition(syntax: Syntax): Condition | null {
    const condition = this.#conditionOf(syntax);
    if (condition !== null && hasAbsent(condition)) {
      return this.refuse(
        syntax,
        "Cannot use absent inside a function that keeps state: silence brings no sample",
        'use absent beside it, joined with "and" or "or"',
      );
    }
    return condition;
  }

  position(call: Range): PositionParts | null {
    const lat = this.#catalog.coordinate("lat");
    const lon = this.#catalog.coordinate("lon");
    if (typeof lat === "string" || typeof lon === "string") {
      const why = typeof lat === "string" ? lat : lon;
      const advice =
        "lat and lon are signals of type number in deg, from -90 to 90 and -180 to 180";
      return this.refuse(call, `Cannot use ${quote(this.text(call))}: ${why}`, advice);
    }
    const args = [
      { kind: "signal", signal: lat.number, type: "number" },
      { kind: "signal", signal: lon.number, type: "number" },
    ] as const;
    return [{ kind: "call", fn: "latitude", args }, { kind: "call", fn: "longitude", args }];
  }

  zone(arg: Syntax): Zone | null {
    if (arg.kind !== "string") {
      const text = this.text(arg);
      const advice = arg.kind === "signal" ? `write "${text}"` : 'a zone is named as in "depot"';
      return this.refuse(
        arg,
        `Cannot use ${quote(text)} as a zone: it must be a text in quotes`,
        advice,
      );
    }
    const zone = this.#catalog.zone(arg.text);
    if (zone !== undefined) return zone;
    const message = `Cannot find a zone named ${quote(arg.text)}`;
    return this.refuse(arg, message, this.#catalog.suggestZone(arg.text));
  }

  finite(range: Range, q: Quantity): Quantity | null {
    const constant = constantOf(q);
    if (constant === null || Number.isFinite(constant)) return q;
    return this.refuse(range, `Cannot use ${quote(this.text(range))}: its result is not finite`);
  }

  #conditionOf(syntax: Syntax): Condition | null {
    const typed = this.typed(syntax);
    if (typed === null) return null;
    if (typed.kind === "condition" || typed.kind === "boolean") return typed.condition;
    const text = this.text(syntax);
    return this.refuse(
      syntax,
      `Cannot use ${quote(text)} as a condition: it is ${kindText(typed)}`,
      typed.kind === "string"
        ? ""
        : `compare it with something, as in ${suggestCompare(typed, text)}`,
    );
  }

  typed(syntax: Syntax): Typed | null {
    switch (syntax.kind) {
      case "number": {
        const value: Value = { kind: "number", value: syntax.value };
        if (syntax.unit === null) return quantity(value, null);
        const read = parseUnit(syntax.unit.text);
        if (!read.ok) return this.refuse(syntax.unit, read.message, read.suggestion);
        return quantity(value, read.unit);
      }
      case "string":
        return { kind: "string", text: syntax.text };
      case "boolean":
        return { kind: "condition", condition: { kind: "boolean", value: syntax.value } };
      case "signal":
        return this.#signal(syntax, syntax.name);
      case "call":
        return this.#call(syntax);
      case "negate":
        return this.#negate(syntax.of, syntax);
      case "arithmetic": {
        const left = this.quantity(syntax.left);
        const right = this.quantity(syntax.right);
        if (left === null || right === null) return null;
        const result = arithmetic(syntax.op, left, right);
        if (!result.ok) return this.refuse(syntax, result.message, result.suggestion);
        return this.finite(syntax, result.value);
      }
      case "compare": {
        const condition = compare(this, syntax);
        return condition === null ? null : { kind: "condition", condition };
      }
      case "not": {
        const of = this.#conditionOf(syntax.of);
        return of === null ? null : { kind: "condition", condition: negated(of) };
      }
      case "and":
      case "or": {
        const left = this.#conditionOf(syntax.left);
        const right = this.#conditionOf(syntax.right);
        if (left === null || right === null) return null;
        return { kind: "condition", condition: join(syntax.kind, left, right) };
      }
    }
  }

  #signal(range: Range, name: string): Typed | null {
    const known = this.#catalog.find(name);
    if (known === undefined) {
      const called = this.#functions.get(name);
      const advice = called === undefined
        ? this.#catalog.suggest(name)
        : `${name} is a function: ${called.signature}`;
      return this.refuse(range, `Cannot find a signal named ${quote(name)}`, advice);
    }
    const { number, signal, unit } = known;
    const value: Value = { kind: "signal", signal: number, type: signal.type };
    switch (signal.type) {
      case "number":
        return this.#numberSignal(value, unit);
      case "boolean":
        return { kind: "boolean", value, condition: { kind: "flag", signal: number } };
      case "name":
        return { kind: "name", value, names: signal.names };
    }
  }

  #numberSignal(value: Value, unit: Unit): Quantity {
    const usual = quantity(value, unit);
    return usual.scale === "either" ? { ...usual, scale: "point" } : usual;
  }

  #call(call: CallSyntax): Typed | null {
    const row = this.#functions.get(call.name);
    if (row === undefined) {
      return this.refuse(
        call.nameRange,
        `Cannot find a function named ${quote(call.name)}`,
        didYouMean(call.name, this.#functions.keys(), FAMILIAR_FUNCTIONS),
      );
    }
    const given = call.args.length;
    if (given < row.argumentsMin || given > row.argumentsMax) {
      return this.refuse(
        call,
        `Cannot call ${row.name} with ${given} argument${given === 1 ? "" : "s"}`,
        `it is called as ${row.signature}`,
      );
    }
    return row.check(call, this);
  }

  #negate(of: Syntax, whole: Range): Typed | null {
    const q = this.quantity(of);
    if (q === null) return null;
    if (q.scale === "point") {
      return this.refuse(whole, "Cannot negate a temperature: its zero is arbitrary");
    }
    const constant = constantOf(q);
    const value: Value = constant === null
      ? { kind: "negate", of: q.value }
      : { kind: "number", value: -constant };
    return { ...q, value };
  }
}

function suggestCompare(typed: Typed, text: string): string {
  if (typed.kind === "name") return `${text} == "${typed.names[0] ?? ""}"`;
  const unit = typed.kind === "quantity" && typed.unit !== null ? ` ${unitText(typed.unit)}` : "";
  return `${text} > 0${unit}`;
}
