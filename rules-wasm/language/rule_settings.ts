/** The `settings` key of `rules.yaml`. */
import { RULE_SETTINGS_DEFAULT, type RuleSettings } from "./ast.ts";
import { type FaultList, quote } from "./faults.ts";
import { suggestZone, zoneOffsets } from "./time_zone.ts";
import { asDurationMs, asMap, asScalar, asWhole, Fields } from "./yaml_fields.ts";
import type { Node } from "./yaml_text.ts";

/** Keys of `settings`. */
export const SETTING_KEYS: readonly string[] = [
  ...["lateness", "max_gap", "max_clock_ahead", "clock_reset_after", "unknown_after"],
  ...["forget_after", "max_vehicles", "zone"],
];

/** Most vehicles that `max_vehicles` may allow. */
export const VEHICLES_MAX = 10_000_000;

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
  const vehicles = fields.get("max_vehicles");
  return {
    latenessMs: readLateness(fields, faults),
    maxGapMs: duration("max_gap", 1, usual.maxGapMs),
    maxClockAheadMs: duration("max_clock_ahead", 0, usual.maxClockAheadMs),
    clockResetAfterMs: duration("clock_reset_after", 1, usual.clockResetAfterMs),
    unknownAfterMs: duration("unknown_after", 1, usual.unknownAfterMs),
    forgetAfterMs: duration("forget_after", 1, usual.forgetAfterMs),
    maxVehicles: vehicles === undefined
      ? usual.maxVehicles
      : asWhole(vehicles, "max_vehicles", 1, VEHICLES_MAX, faults) ?? usual.maxVehicles,
    ...readZone(fields, faults),
  };
}

function readLateness(fields: Fields, faults: FaultList): number {
  const node = fields.get("lateness");
  const ms = node === undefined ? 0 : asDurationMs(node, "lateness", 0, faults) ?? 0;
  if (node !== undefined && ms > 0) {
    const advice = "write lateness: 0 s, or leave it out";
    faults.add(
      node.span,
      "Cannot use a lateness above 0: it is not available in this version",
      advice,
    );
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
