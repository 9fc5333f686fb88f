/** Rules of the TypeScript peer: conditions, levels, terms and messages as closures. */
import type { Transition } from "../contract/anomaly.ts";
import type { MessagePart, Rule, TermSource } from "../rules-wasm/language/ast.ts";
import { hasAbsent, walk } from "../rules-wasm/language/brings.ts";
import type { Brings, Compiled, PeerCompiler, PeerValues } from "./peer_expressions.ts";

/** A compiled rule. */
export interface PeerRule {
  readonly rule: Rule;
  readonly when: Compiled;
  readonly whenBrings: Brings;
  readonly clear: Compiled;
  readonly clearBrings: Brings;
  readonly levels: readonly { readonly when: Compiled; readonly brings: Brings }[];
  readonly absent: ReadonlySet<number>;
  readonly terms: readonly ((v: PeerValues) => Transition["terms"][number])[];
  readonly message: readonly ((v: PeerValues, vehicle: string) => string)[];
}

/** Compiles a rule. */
export function compileRule(rule: Rule, compiler: PeerCompiler): PeerRule {
  const when = compiler.condition(rule.when);
  const absent = new Set<number>();
  for (const root of [rule.when, rule.clear, ...rule.levels.map((level) => level.when)]) {
    if (root === null || !hasAbsent(root)) continue;
    walk(root, (node) => {
      if (node.kind === "call" && node.fn === "absent") absent.add(node.durationMs);
    });
  }
  return {
    rule,
    when,
    whenBrings: compiler.brings(rule.when),
    clear: rule.clear === null ? (v) => 1 - when(v) : compiler.condition(rule.clear),
    clearBrings: compiler.brings(rule.clear ?? rule.when),
    levels: rule.levels.map((level) => ({
      when: compiler.condition(level.when),
      brings: compiler.brings(level.when),
    })),
    absent,
    terms: rule.terms.map((term) => compileTerm(term, compiler)),
    message: rule.message.map((part) => compilePart(part, compiler)),
  };
}

function compileTerm(term: TermSource, compiler: PeerCompiler): PeerRule["terms"][number] {
  if (term.kind === "condition") {
    const of = compiler.condition(term.of);
    return (v) => {
      const truth = of(v);
      const value = Number.isNaN(truth) ? null : truth === 1;
      return { text: term.text, value, limit: null, unit: "" };
    };
  }
  const left = compiler.value(term.left);
  const right = compiler.value(term.right);
  const { text, unit, names } = term.term;
  const shown = (value: number) => Number.isNaN(value) ? null : names?.[value] ?? value;
  return (v) => ({ text, value: shown(left(v)), limit: shown(right(v)), unit });
}

function compilePart(part: MessagePart, compiler: PeerCompiler): PeerRule["message"][number] {
  if (part.kind === "text") return () => part.text;
  if (part.kind === "vehicle") return (_, vehicle) => vehicle;
  const of = compiler.value(part.of);
  return (v) => {
    const value = of(v);
    if (Number.isNaN(value)) return "unknown";
    if (part.names) return part.names[value] ?? String(value);
    return part.unit === "" ? String(value) : `${value} ${part.unit}`;
  };
}
