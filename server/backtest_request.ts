/** `POST /api/rules/backtest`: what is asked for, held to its bounds. */
import { compileTexts, type RuleTexts } from "../rules-wasm/rule_source.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { readFields } from "./body.ts";
import { shown, timeOf } from "./parameters.ts";
import { HttpFault, problem } from "./problem.ts";
import type { Services } from "./services.ts";

/** Largest body with a rules file in it. */
export const RULES_BYTES_MAX = 1_000_000;
/** Stretch of the log unless asked otherwise, and at most, milliseconds. */
const RANGE_MS_DEFAULT = 86_400_000;
const RANGE_MS_MAX = 7 * 86_400_000;
/** Patterns of vehicles at most, and characters of each. */
const VEHICLES_MAX = 100;
const VEHICLE_CHARS_MAX = 256;

/**
 * Starts a back-test and answers with its lines, as they come.
 *
 * @param others the texts that go with the rules
 * @throws {HttpFault} 400 for what is not understood, 429 while another runs
 */
export async function backtest(
  services: Services,
  request: Request,
  others: () => RuleTexts,
): Promise<Response> {
  const fields = await readFields(request, RULES_BYTES_MAX);
  const { fromMs, toMs } = rangeOf(fields, services.now());
  const vehicles = vehiclesOf(fields.vehicles);
  const { transitions = true } = fields;
  if (typeof transitions !== "boolean") {
    throw new HttpFault(400, `transitions is ${shown(transitions)}: it takes true or false`);
  }
  let ruleSet: RuleSet = services.ruleSet;
  if (fields.rules !== undefined) {
    if (typeof fields.rules !== "string") {
      throw new HttpFault(400, `rules is ${shown(fields.rules)}: it takes a text`);
    }
    const compiled = compileTexts({ ...others(), rules: fields.rules });
    if (!compiled.ok) return problem(422, compiled.report, {}, { faults: compiled.faults });
    ruleSet = compiled.ruleSet;
  }
  const lines = services.backtests.start({ ruleSet, fromMs, toMs, vehicles, transitions });
  if (lines === null) {
    throw new HttpFault(429, "Another back-test is running: try again when it is done", {
      "retry-after": "5",
    });
  }
  return new Response(lines, { headers: { "content-type": "application/x-ndjson" } });
}

/** A time that has not come yet is no bound: the log ends before it. */
function rangeOf(
  fields: Readonly<Record<string, unknown>>,
  now: number,
): { readonly fromMs: number; readonly toMs: number } {
  const asked = fields.to === undefined ? Infinity : timeOf(fields.to, "to");
  const end = Math.min(asked, now);
  const fromMs = fields.from === undefined
    ? Math.max(0, end - RANGE_MS_DEFAULT)
    : timeOf(fields.from, "from");
  if (fromMs >= asked) {
    throw new HttpFault(400, `from is ${shown(fields.from)}: it has to lie before to`);
  }
  if (end - fromMs > RANGE_MS_MAX) {
    throw new HttpFault(
      400,
      `from lies ${Math.ceil((end - fromMs) / 86_400_000)} days before to: the most are ` +
        `${RANGE_MS_MAX / 86_400_000}; the command backtest knows no such bound`,
    );
  }
  return { fromMs, toMs: asked > now ? Infinity : asked };
}

function vehiclesOf(given: unknown): readonly string[] {
  if (given === undefined) return [];
  const fits = (each: unknown) =>
    typeof each === "string" && each !== "" && each.length <= VEHICLE_CHARS_MAX;
  if (!Array.isArray(given) || given.length > VEHICLES_MAX || !given.every(fits)) {
    throw new HttpFault(
      400,
      `vehicles is ${shown(given)}: it takes a list of ids or globs, at most ${VEHICLES_MAX}`,
    );
  }
  return given;
}
