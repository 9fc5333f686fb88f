/** `rules check`: what is wrong with rules files, and what is most likely a mistake in them. */
import type { Fault, RuleSet } from "../rules-wasm/language/ast.ts";
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import { loadKernelRules } from "../rules-wasm/kernel_rules.ts";
import { type Warning, warningsOf } from "../rules-wasm/language/warnings.ts";
import { stateSize, vehicleLimitNotice } from "../rules-wasm/plan.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import type { Settings } from "../settings.ts";
import { readCatalog, readUserFile, readZones } from "./files.ts";
import { say, writeData } from "./output.ts";
import { signalsSent } from "./signals_sent.ts";

/** What came of checking one file. */
interface Checked {
  readonly file: string;
  readonly text: string;
  readonly rules: RuleSet | null;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Warning[];
}

/**
 * Checks rules files.
 *
 * @returns 0 if all are sound, 2 if one has a fault, 1 if one has a warning and `--strict` is given
 */
export async function checkRules(settings: Settings, paths: readonly string[]): Promise<number> {
  const catalog = readCatalog(settings.catalog);
  const zones = readZones(settings.zones);
  const sent = await signalsSent(settings, catalog);
  const { retentionMs } = settings;
  const all = paths.map((file): Checked => {
    const text = readUserFile(file);
    const result = loadKernelRules(text, { file, catalog, zones, hash: hashVersion });
    if (!result.ok) return { file, text, rules: null, faults: result.faults, warnings: [] };
    const warnings = warningsOf(text, result.rules, { file, retentionMs, sent });
    return { file, text, rules: result.rules, faults: [], warnings };
  });
  if (settings.json) writeData(`${JSON.stringify(all.map(asJson), null, 2)}\n`);
  else for (const checked of all) show(checked);
  if (all.some(({ faults }) => faults.length > 0)) return 2;
  return settings.strict && all.some(({ warnings }) => warnings.length > 0) ? 1 : 0;
}

function show({ file, text, rules, faults, warnings }: Checked): void {
  for (const fault of faults) say(`${formatFault(fault, text)}\n`);
  for (const warning of warnings) {
    say(`${formatFault({ ...warning, message: `warning: ${warning.message}` }, text)}\n`);
  }
  if (rules === null) say(`${file}: ${count(faults.length, "fault")}`);
  else {
    const more = warnings.length === 0 ? "" : `, ${count(warnings.length, "warning")}`;
    writeData(`${file}: ${count(rules.rules.length, "rule")}, version ${rules.version}${more}\n`);
    const { leastBytes, mostBytes } = stateSize(rules);
    writeData(`  state of a vehicle: ${leastBytes} to ${mostBytes} bytes, by how much it sends\n`);
    const notice = vehicleLimitNotice(rules);
    if (notice !== null) writeData(`  ${notice}\n`);
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** As docs/rules.md describes it. */
function asJson({ file, rules, faults, warnings }: Checked) {
  return {
    file,
    ok: rules !== null,
    rules: rules?.rules.length ?? null,
    version: rules?.version ?? null,
    state: rules === null ? null : stateSize(rules),
    faults: faults.map(faultJson),
    warnings: warnings.map((warning) => ({
      code: warning.code,
      rule: warning.rule,
      ...faultJson(warning),
    })),
  };
}

/** A fault with its place: line and column from 1, length in UTF-16 units. */
export function faultJson({ span, message, suggestion }: Fault) {
  const { line, column, length } = span;
  return { line, column, length, message, suggestion };
}
