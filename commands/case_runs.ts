/** Files of rule tests, run: what `rules test` tells of, as text and as JSON. */
import type { Fault, RuleSet } from "../rules-wasm/language/ast.ts";
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import { caseSources, loadCases } from "../rules-wasm/cases/case_file.ts";
import { Coverage, type RuleCoverage } from "../rules-wasm/cases/coverage.ts";
import { type CaseResult, inSeconds, runCase } from "../rules-wasm/cases/run_case.ts";
import { type LineStyle, paint, timeLines } from "../rules-wasm/cases/time_line.ts";
import { readCatalog, readRules, readUserFile, readZones } from "./files.ts";
import { faultJson } from "./rules_check.ts";

/** One file of tests, run. */
export interface CaseFileRun {
  readonly file: string;
  readonly text: string;
  /** Path of the rules that it tests. */
  readonly rulesPath: string;
  readonly rules: RuleSet;
  readonly faults: readonly Fault[];
  readonly results: readonly CaseResult[];
}

/** Coverage of one rules file over all files of tests for it. */
export interface RulesCoverage {
  readonly rulesPath: string;
  readonly rules: readonly RuleCoverage[];
}

/** Everything that one call ran. */
export interface CaseRuns {
  readonly files: readonly CaseFileRun[];
  readonly coverage: readonly RulesCoverage[];
  /** Every file that was read, to be watched. */
  readonly read: readonly string[];
}

/**
 * Runs files of tests.
 *
 * @param paths.catalog of the catalog; "" for the one that a file names, or the shipped one
 * @param paths.zones likewise, or none
 * @param seen told every path before it is read
 * @throws {import("./files.ts").FileFaults} if rules or catalog are wrong
 */
export function runCaseFiles(
  testFiles: readonly string[],
  paths: { readonly catalog: string; readonly zones: string },
  seen: (path: string) => void,
): Omit<CaseRuns, "read"> {
  const files: CaseFileRun[] = [];
  const coverage = new Map<string, Coverage>();
  for (const file of testFiles) {
    seen(file);
    const text = readUserFile(file);
    const named = caseSources(text);
    const rulesPath = beside(file, named.rules === "" ? "rules.yaml" : named.rules);
    const other = (key: "catalog" | "zones") =>
      paths[key] === "" && named[key] !== "" ? beside(file, named[key]) : paths[key];
    const catalog = other("catalog");
    const zones = other("zones");
    seen(rulesPath);
    if (catalog !== "") seen(catalog);
    if (zones !== "") seen(zones);
    const rules = readRules(rulesPath, readCatalog(catalog), readZones(zones));
    const loaded = loadCases(text, { file, rules });
    if (!loaded.ok) {
      files.push({ file, text, rulesPath, rules, faults: loaded.faults, results: [] });
      continue;
    }
    const key = `${rulesPath} ${rules.version}`;
    const own = coverage.get(key) ?? new Coverage(rules);
    coverage.set(key, own);
    const results = loaded.cases.map((test) => runCase(test, rules));
    for (const { test, transitions } of results) own.take(test, transitions);
    files.push({ file, text, rulesPath, rules, faults: [], results });
  }
  return {
    files,
    coverage: [...coverage].map(([key, own]) => ({
      rulesPath: key.slice(0, key.lastIndexOf(" ")),
      rules: own.report(),
    })),
  };
}

/** A path as seen from the folder of a file. */
function beside(file: string, path: string): string {
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return path;
  const slash = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
  return slash < 0 ? path : `${file.slice(0, slash + 1)}${path}`;
}

/** A run of one file for people. */
export function fileReport(run: CaseFileRun, style: LineStyle): string {
  const { file, text, faults, results } = run;
  if (faults.length > 0) {
    const all = faults.map((fault) => `${formatFault(fault, text)}\n`).join("\n");
    return `${all}\n${file}: ${faults.length === 1 ? "1 fault" : `${faults.length} faults`}`;
  }
  const failed = results.filter(({ failures }) => failures.length > 0);
  const blocks = failed.map((result) => resultReport(run, result, style));
  const passed = paint(`${results.length - failed.length} passed`, 32, style);
  const lost = failed.length === 0 ? "" : `, ${paint(`${failed.length} failed`, 31, style)}`;
  return `${blocks.join("")}${file}: ${results.length} tests, ${passed}${lost}\n`;
}

function resultReport(run: CaseFileRun, { test, failures }: CaseResult, style: LineStyle): string {
  const { line, column } = test.span;
  const lines = [`${paint("FAILED", 31, style)} ${run.file}:${line}:${column}: ${test.name}`];
  for (const failure of failures) {
    const whose = test.vehicles.length > 1 ? ` of ${failure.vehicle}` : "";
    for (const each of failure.differences) lines.push(`  ${failure.rule}${whose}: ${each}`);
    lines.push(...timeLines(failure, test, run.rules, style));
  }
  return `${lines.join("\n")}\n\n`;
}

/** What tests left out of a rules file; every line but the first is something that is missing. */
export function coverageReport({ rulesPath, rules }: RulesCoverage): string {
  const opened = rules.filter((rule) => rule.opened).length;
  const clearing = rules.filter((rule) => rule.cleared !== null);
  const cleared = clearing.filter((rule) => rule.cleared).length;
  const terms = rules.flatMap((rule) => rule.terms);
  const both = terms.filter((term) => term.wasTrue && term.wasFalse).length;
  const head = `${rulesPath}: ${opened} of ${rules.length} rules opened, ` +
    `${cleared} of ${clearing.length} cleared, ` +
    `${both} of ${terms.length} terms both true and false\n`;
  return head + missing(rules).map((line) => `  ${line}\n`).join("");
}

/** What no test did, in words. */
export function missing(rules: readonly RuleCoverage[]): readonly string[] {
  return rules.flatMap(({ rule, opened, cleared, terms }) =>
    !opened ? [`${rule} never opened`] : [
      ...(cleared === false ? [`${rule} never cleared`] : []),
      ...terms.filter((term) => !term.wasTrue).map(({ text }) => `${rule}: ${text} was never true`),
      ...terms.filter((term) => !term.wasFalse).map(({ text }) =>
        `${rule}: ${text} was never false`
      ),
    ]
  );
}

/** As docs/proving.md describes it. */
export function runsJson({ files, coverage }: Omit<CaseRuns, "read">) {
  return {
    ok: allPassed(files),
    files: files.map(({ file, rulesPath, rules, faults, results }) => ({
      file,
      rules: rulesPath,
      version: rules.version,
      faults: faults.map(faultJson),
      tests: results.map(({ test, failures }) => ({
        name: test.name,
        line: test.span.line,
        ok: failures.length === 0,
        failures: failures.map(({ rule, vehicle, differences, expected, got }) => ({
          rule,
          vehicle,
          differences,
          expected: expected.map(({ kind, at }) => ({ kind, at: inSeconds(at) })),
          got: got.map(({ kind, at }) => ({ kind, at: inSeconds(at - test.startMs) })),
        })),
      })),
    })),
    coverage: coverage.map(({ rulesPath, rules }) => ({ file: rulesPath, rules })),
  };
}

/** Whether no file has a fault, and every test passed. */
export function allPassed(files: readonly CaseFileRun[]): boolean {
  return files.every(({ faults, results }) =>
    faults.length === 0 && results.every(({ failures }) => failures.length === 0)
  );
}
