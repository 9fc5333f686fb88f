/** The `settings` key of `rules.yaml`. */
import { RULE_SETTINGS_DEFAULT, type RuleSettings } from "./ast.ts";
import { type FaultList, quote } from "./faults.ts";
import { suggestZone, zoneOffsets } from "./time_zone.ts";
import { asDurationMs, asMap, asScalar, asWhole, Fields, nodeKind } from "./yaml_fields.ts";
import type { Node } from "./yaml_text.ts";

/** Keys of `settings`. */
export const SETTING_KEYS: readonly string[] = [
  ...["lateness", "max_gap", "max_clock_ahead", "clock_reset_after", "unknown_after"],
  ...["forget_after", "max_vehicles", "max_waiting", "zone"],
];

/** Most vehicles that `max_vehicles` may allow. */
export const VEHICLES_MAX = 10_000_000;
/** Most samples that `max_waiting` may allow. */
export const WAITING_MAX = 10_000_000;
/** Greatest `lateness`. */
const LATENESS_MS_MAX = 3_600_000;

/** Reads the settings; what is missing or refused is as in `RULE_SETTINGS_DEFAULT`. */
export function readSettings(node: Node | undefined, faults: FaultList): RuleSettings {
  const usual = RULE_SETTINGS_DEFAULT;
  const map = node === undefined ? null : asMap(node, "settings", faults);
  if (map === null) return usual;
  const fields = new Fields(map, SETTING_KEYS, "settings", faults);
  const duration = (key: string, minMs: number, usualMs: number): number => {
    const value = fields.get(key);
    return value === undefined ? usualMs : asDurationMs(value, key, minMs, faults) ?? usualMs;
  };
  const count = (key: string, max: number, usualCount: number): number => {
    const value = fields.get(key);
    return value === undefined ? usualCount : asWhole(value, key, 1, max, faults) ?? usualCount;
  };
  const forgetAfterMs = duration("forget_after", 1, usual.forgetAfterMs);
  return {
    latenessMs: readLateness(fields, forgetAfterMs, faults),
    maxGapMs: duration("max_gap", 1, usual.maxGapMs),
    maxClockAheadMs: duration("max_clock_ahead", 0, usual.maxClockAheadMs),
    clockResetAfterMs: duration("clock_reset_after", 1, usual.clockResetAfterMs),
    unknownAfterMs: duration("unknown_after", 1, usual.unknownAfterMs),
    forgetAfterMs,
    maxVehicles: count("max_vehicles", VEHICLES_MAX, usual.maxVehicles),
    maxWaiting: count("max_waiting", WAITING_MAX, usual.maxWaiting),
    ...readZone(fields, faults),
  };
}

function readLateness(fields: Fields, forgetAfterMs: number, faults: FaultList): number {
  const node = fields.get("lateness");
  if (node === undefined) return 0;
  const ms = asDurationMs(node, "lateness", 0, faults) ?? 0;
  const refuse = (why: string, advice: string): number => {
    faults.add(node.span, `Cannot use ${nodeKind(node)} as lateness: ${why}`, advice);
    return 0;
  };
  if (ms > LATENESS_MS_MAX) {
    return refuse("the greatest is 1 h", "what comes later than that counts as late");
  }
  if (ms > forgetAfterMs) {
    const why = "it is longer than forget_after, and a vehicle would go while its samples wait";
    return refuse(why, "lengthen forget_after, or shorten lateness");
  }
  return ms;
}

function readZone(fields: Fields, faults: FaultList): Pick<RuleSettings, "zone" | "zoneOffsets"> {
  const node = fields.get("zone");
  const name = node === undefined ? null : asScalar(node, "zone", faults);
  const offsets = name === null ? null : zoneOffsets(name.text);
  if (name !== null && offsets !== null) return { zone: name.text, zoneOffsets: offsets };
  if (name !== null) {
    const message = `Cannot find a time zone named ${quote(name.text)}`;
    faults.add(name.span, message, suggestZone(name.text));
  }
  return { zone: RULE_SETTINGS_DEFAULT.zone, zoneOffsets: RULE_SETTINGS_DEFAULT.zoneOffsets };
}
