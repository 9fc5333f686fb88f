/** The rules and tests that `docs/cookbook.md` shows, and what the rules find in simulated time. */
import { loadCases, type RuleCase } from "../rules-wasm/cases/case_file.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import { simulate } from "../producer/simulator/simulate.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { formatFaults } from "../rules-wasm/language/format_fault.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { loadZones } from "../rules-wasm/language/zones_file.ts";
import { hashVersion } from "../rules-wasm/version.ts";

const ROOT = new URL("../", import.meta.url);

/** The page. */
export const COOKBOOK = new URL("docs/cookbook.md", ROOT);

/** The simulated fleet of the page's table: enough vehicles for every kind of trouble. */
const FLEET = { vehicles: 36, seed: 1, startMs: Date.UTC(2026, 0, 5) };

/** What the page holds, put together. */
export interface Cookbook {
  readonly rulesText: string;
  readonly rules: RuleSet;
  readonly cases: readonly RuleCase[];
}

/**
 * Reads the page.
 *
 * @throws {Error} naming every fault of its rules and tests
 */
export async function readCookbook(page: string): Promise<Cookbook> {
  const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, block = ""]) => block);
  const listOf = (start: string) => blocks.filter((block) => block.startsWith(start)).join("");
  const catalogText = await Deno.readTextFile(new URL("rules-wasm/signals.yaml", ROOT));
  const read = loadCatalog(catalogText, { file: "signals.yaml" });
  if (!read.ok) throw new Error(formatFaults(read.faults, catalogText));
  const zonesText = /^```json zones\n([^]*?)^```/m.exec(page)?.[1] ?? "";
  const zones = loadZones(zonesText, { file: "cookbook zones", hash: hashVersion });
  if (!zones.ok) throw new Error(formatFaults(zones.faults, zonesText));
  const rulesText = `version: 1\nrules:\n${listOf("- id:")}`;
  const loaded = loadRules(rulesText, {
    file: "cookbook rules",
    catalog: read.catalog,
    zones: zones.zones,
    hash: hashVersion,
  });
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults, rulesText));
  const casesText = `version: 1\ntests:\n${listOf("- name:")}`;
  const tests = loadCases(casesText, { file: "cookbook tests", rules: loaded.rules });
  if (!tests.ok) throw new Error(formatFaults(tests.faults, casesText));
  return { rulesText, rules: loaded.rules, cases: tests.cases };
}

/** How often each rule opened over a simulated time, and for how many vehicles. */
export async function findings(
  rules: RuleSet,
  durationMs: number,
): Promise<Findings> {
  const engine = createEngine(rules, { partition: 0 });
  const counts = new Map(rules.rules.map(({ id }) => [id, { opened: 0, vehicles: new Set() }]));
  let offset = 0;
  const { samples } = await simulate({
    ...FLEET,
    durationMs,
    write: (lines) => {
      const input = asRecords(lines, offset);
      offset += input.count;
      for (const { value } of engine.push(input).anomalies) {
        const { kind, rule, vehicle } = decodeTransition(value);
        const count = counts.get(rule);
        if (kind !== "opened" || count === undefined) continue;
        count.opened++;
        count.vehicles.add(vehicle);
      }
      return Promise.resolve();
    },
    writeTruth: () => Promise.resolve(),
  });
  const taken = engine.counts().samples;
  if (taken !== samples) throw new Error(`Of ${samples} samples the engine took ${taken}`);
  return new Map([...counts].map(([id, { opened, vehicles }]) => [
    id,
    { opened, vehicles: vehicles.size },
  ]));
}

const TS = new TextEncoder().encode('"ts":');

/** Lines of NDJSON as records that arrive when they were made. */
function asRecords(lines: Uint8Array, offset: number): EngineInput {
  const ends: number[] = [];
  const times: number[] = [];
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf(10, at) + 1;
    let from = at;
    while (!TS.every((byte, i) => lines[from + i] === byte)) from++;
    let t = 0;
    for (from += TS.length; lines[from] >= 48 && lines[from] <= 57; from++) {
      t = t * 10 + lines[from] - 48;
    }
    ends.push(end);
    times.push(t);
    at = end;
  }
  return {
    count: ends.length,
    values: lines,
    valueEnds: Uint32Array.from(ends),
    appendTimes: Float64Array.from(times),
    offsets: Float64Array.from(ends, (_, i) => offset + i),
  };
}

/** How often rules opened, and for how many vehicles. */
type Findings = ReadonlyMap<string, { readonly opened: number; readonly vehicles: number }>;

const MARK = "<!-- table of findings -->";

/** The page with its table of findings put in the place of the last one. */
export function withTable(page: string, rules: RuleSet, hour: Findings, day: Findings): string {
  const rows = rules.rules.map(({ id }) => {
    const { opened = 0, vehicles = 0 } = day.get(id) ?? {};
    return [`\`${id}\``, hour.get(id)?.opened ?? 0, opened, vehicles].map(String);
  });
  const head = ["rule", "opened in the first hour", "in the day", "vehicles"];
  const widths = head.map((text, i) => Math.max(text.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(
        " | ",
      )
    } |`;
  const rule = `| ${
    widths.map((width, i) => `${"-".repeat(width - Math.sign(i))}${i === 0 ? "" : ":"}`).join(" | ")
  } |`;
  const table = [line(head), rule, ...rows.map(line)].join("\n");
  return `${page.slice(0, page.indexOf(MARK) + MARK.length)}\n\n${table}\n`;
}

/** The table of findings that a page holds. */
export function tableOf(
  page: string,
): readonly { readonly rule: string; readonly hour: number; readonly day: number }[] {
  const rows = page.slice(page.indexOf(MARK)).matchAll(/^\| `([^`]+)` *\| *(\d+) \| *(\d+) \|/gm);
  return [...rows].map(([, rule = "", hour, day]) => ({
    rule,
    hour: Number(hour),
    day: Number(day),
  }));
}
