/** `explain`: why an anomaly fired, or why a rule did not. */
import { explain, EXPLAIN_BOUNDS, type ExplainDependencies } from "../analysis/explain.ts";
import { explainAbsence } from "../analysis/explain_not.ts";
import { findAnomaly } from "../analysis/find_anomaly.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import type { Bus } from "../bus/port.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Settings } from "../settings.ts";
import { proofReport, refutationReport } from "./explain_report.ts";
import { visitBus } from "./open_bus.ts";
import { eventLog, say, writeData } from "./output.ts";
import { RuleFeed } from "./rule_feed.ts";
import { suggest } from "./suggest.ts";
import { turns } from "./turns.ts";

/** Digits of an id that are enough to look for. */
const DIGITS_MIN = 4;

/**
 * Explains an anomaly by its id, or a rule that did not fire.
 *
 * @returns 0 when it is told, 1 if there is none of that id, 2 if what was given is wrong
 */
export async function explainCommand(
  settings: Settings,
  names: readonly string[],
): Promise<number> {
  const [id] = names;
  const { rule, vehicle, atMs } = settings;
  const asked = [rule !== "", vehicle !== "", !Number.isNaN(atMs)];
  if (id !== undefined === asked.some(Boolean) || id === undefined && !asked.every(Boolean)) {
    say("kilter: explain takes the id of an anomaly, or --rule, --vehicle and --at; see --help");
    return 2;
  }
  if (id !== undefined && !/^[0-9a-f]{4,16}$/.test(id)) {
    say(
      `kilter: "${id}" is no id of an anomaly: it has 16 digits, 0 to 9 and a to f; the first ` +
        `${DIGITS_MIN} or more are enough`,
    );
    return 2;
  }
  const bus = await visitBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  try {
    const rules = await RuleFeed.open(bus, settings.topicRules, Date.now);
    const deps: ExplainDependencies = {
      ...{ bus, topic: settings.topicTelemetry, rules, createEngine, bounds: EXPLAIN_BOUNDS },
      ...{ clock: () => performance.now(), turn: turns() },
    };
    return id === undefined
      ? await refute(settings, bus, deps)
      : await prove(settings, id, bus, deps);
  } finally {
    await bus.close();
  }
}

async function prove(
  settings: Settings,
  id: string,
  bus: Bus,
  deps: ExplainDependencies,
): Promise<number> {
  const found = await findAnomaly(bus, settings.topicAnomalies, id, deps.turn);
  if (found.kind === "none") {
    say(
      `kilter: there is no anomaly ${id} among the ${found.searched} transitions kept on ` +
        settings.topicAnomalies,
    );
    return 1;
  }
  if (found.kind === "ambiguous") {
    const some = found.ids.slice(0, 5).join(", ");
    const more = found.ids.length > 5 ? ", …" : "";
    say(`kilter: ${id} begins ${found.ids.length} ids: ${some}${more}; give more digits`);
    return 2;
  }
  const proof = await explain(found.transitions, deps);
  if (settings.json) writeData(`${JSON.stringify(proof, null, 2)}\n`);
  else for (const line of proofReport(proof, settings.ascii)) writeData(`${line}\n`);
  return 0;
}

async function refute(settings: Settings, bus: Bus, deps: ExplainDependencies): Promise<number> {
  const { rule, vehicle, atMs } = settings;
  const partitions = await bus.partitions(settings.topicTelemetry);
  const partition = murmur2Partition(new TextEncoder().encode(vehicle), partitions);
  const answer = await explainAbsence({ rule, vehicle, time: atMs, partition }, deps);
  if ("rules" in answer) {
    say(`kilter: there is no rule "${rule}"${suggest(rule, answer.rules)}`);
    return 2;
  }
  if (settings.json) writeData(`${JSON.stringify(answer, null, 2)}\n`);
  else for (const line of refutationReport(answer, settings.ascii)) writeData(`${line}\n`);
  return 0;
}
