/** Numbers, ages and times as people read them; pure, the same on the server and in the browser. */

/** Units in which speeds are shown. */
export type Units = "km/h" | "mph";

const KILOMETRES_PER_MILE = 1.609344;
const EN_DASH = "–";

/** A count with thousands separated: `1,412`. */
export function formatCount(count: number): string {
  const digits = String(Math.round(Math.abs(count)));
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ",");
  return count < 0 ? `−${grouped}` : grouped;
}

/** A number with the digits after the point that its size deserves, at most `digitsMax`. */
export function formatNumber(value: number, digitsMax = 1): string {
  if (!Number.isFinite(value)) return EN_DASH;
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) >= 1000 ? 0 : digitsMax;
  const [whole, fraction] = Math.abs(value).toFixed(digits).split(".");
  const text = formatCount(Number(whole)) + (fraction === undefined ? "" : `.${fraction}`);
  return value < 0 && Number(text.replace(/,/g, "")) !== 0 ? `−${text}` : text;
}

/** An age or duration in words: `0.3 s`, `12 s`, `2 min 14 s`, `3 h 05 min`, `4 d 3 h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.floor(seconds + 0.5);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86_400) {
    return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  }
  return `${formatCount(Math.floor(whole / 86_400))} d ${Math.floor(whole / 3600) % 24} h`;
}

/** How long ago something was, in its greatest unit: `12 s ago`, `3 min ago`, `4 d ago`. */
export function formatAgo(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${formatCount(Math.floor(seconds / 86_400))} d ago`;
}

/** A running time as a clock shows it: `00:42`, `1:02:03`, `4 d 3 h`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds >= 86_400) return formatAge(ms);
  const minutes = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds < 3600 ? minutes : `${Math.floor(seconds / 3600)}:${minutes}`;
}

/** A latency: `380 ms` below ten seconds, then as an age. */
export function formatDelay(ms: number): string {
  if (!Number.isFinite(ms)) return EN_DASH;
  return ms < 10_000 ? `${formatCount(ms)} ms` : formatAge(ms);
}

/** A speed given in km/h, in the units asked for. */
export function speedIn(kmh: number, units: Units): number {
  return units === "mph" ? kmh / KILOMETRES_PER_MILE : kmh;
}

/** The catalog's unit as people write it: `degC` is `°C`. */
export function unitLabel(unit: string, units: Units): string {
  if (unit === "km/h") return units;
  if (unit === "km" && units === "mph") return "mi";
  return unit.replace("degC", "°C").replace("degF", "°F").replace(/^deg$/, "°")
    .replace("m/s^2", "m/s²");
}

/** A value given in the catalog's unit, in the units shown. */
export function valueIn(value: number, unit: string, units: Units): number {
  return unit === "km/h" || unit === "km" ? speedIn(value, units) : value;
}

/** A value with its unit: `74 km/h`, `118.2 °C`, `–` when unknown. */
export function formatValue(
  value: number | string | boolean | null,
  unit: string,
  units: Units,
  digitsMax = 1,
): string {
  if (value === null) return EN_DASH;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  const text = formatNumber(valueIn(value, unit, units), digitsMax);
  return unit === "" ? text : `${text} ${unitLabel(unit, units)}`;
}

/** How far a value is above (or below) another, both in the catalog's unit: `+4.2 km/h`. */
export function formatDifference(difference: number, unit: string, units: Units): string {
  const text = formatValue(difference, unit, units, 2);
  return difference > 0 ? `+${text}` : text;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** The time of day in a zone: `14:02:11`. */
export function formatTime(ms: number, zone: string): string {
  return formatDateTime(ms, zone).slice(11);
}

/**
 * Date and time in a zone: `2025-11-23 14:02:11`.
 *
 * @throws {RangeError} if the zone is not known; `isZone` tells
 */
export function formatDateTime(ms: number, zone: string): string {
  if (!Number.isFinite(ms)) return EN_DASH;
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      dateStyle: "short",
      timeStyle: "medium",
    });
    clocks.set(zone, clock);
  }
  return clock.format(ms);
}

/** Whether a name is a time zone that can be shown. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (fault) {
    if (fault instanceof RangeError) return false;
    throw fault;
  }
}

/** A rule's id as a title: `harsh-braking` is `Harsh braking`. */
export function ruleTitle(rule: string): string {
  const words = rule.replace(/[-_]+/g, " ").trim();
  return words === "" ? rule : words.charAt(0).toUpperCase() + words.slice(1);
}

/** A rule's message with the catalog's units as people write them. */
export function messageText(message: string): string {
  return message.replace(/\bdeg([CF])\b/g, "°$1");
}

/** A count with its noun: `1 vehicle`, `2 anomalies`. */
export function counted(count: number, noun: string): string {
  const plural = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** The page of a vehicle, whatever its id is made of. */
export function vehiclePath(id: string, at?: number): string {
  return `/v/${encodeURIComponent(id)}${at === undefined ? "" : `?t=${at}`}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
