/// <reference lib="dom" />
/** What a person chose: units, zone, theme, a name. The URL goes before what the browser remembers. */
import { type Signal, signal } from "@preact/signals";
import type { DashboardView } from "../contract/dashboard.ts";
import { isZone, type Units } from "./format.ts";

/** Themes; `auto` follows the system. */
export type Theme = "auto" | "dark" | "light";

/** Key of the theme in localStorage; `theme.js` reads it before the first paint. */
export const THEME_KEY = "kilter.theme";
const UNITS_KEY = "kilter.units";
const ZONE_KEY = "kilter.zone";
const PERSON_KEY = "kilter.person";

/** Choices as signals; on the server and before `load` the plain defaults. */
export class Preferences {
  readonly units: Signal<Units> = signal<Units>("km/h");
  readonly zone: Signal<string> = signal("UTC");
  /** Name that acts are noted under, "" for none. */
  readonly person: Signal<string> = signal("");
  readonly theme: Signal<Theme> = signal<Theme>("auto");

  /** Takes over what the URL or the browser knows, or else what the dashboard's file says. */
  load(dashboard: Pick<DashboardView, "units" | "zone">): void {
    const query = new URLSearchParams(location.search);
    const units = query.get("u") ?? recall(UNITS_KEY);
    this.units.value = units === "mph" || units === "km/h" ? units : dashboard.units;
    const zone = query.get("tz") ?? recall(ZONE_KEY);
    const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.zone.value = zone !== null && isZone(zone) ? zone : dashboard.zone || local || "UTC";
    this.person.value = recall(PERSON_KEY) ?? "";
    const theme = recall(THEME_KEY);
    if (theme === "dark" || theme === "light") this.theme.value = theme;
  }

  /** Chooses units and keeps the choice. */
  setUnits(units: Units): void {
    this.units.value = units;
    remember(UNITS_KEY, units);
  }

  /** Chooses a zone and keeps the choice; unknown names change nothing. */
  setZone(zone: string): void {
    if (!isZone(zone)) return;
    this.zone.value = zone;
    remember(ZONE_KEY, zone);
  }

  /** Takes a name and keeps it. */
  setPerson(name: string): void {
    this.person.value = name.trim();
    remember(PERSON_KEY, this.person.value);
  }

  /** Turns from dark to light or back, seen from what is shown now. */
  toggleTheme(): void {
    this.theme.value = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = this.theme.value;
    remember(THEME_KEY, this.theme.value);
  }
}

/** Whether the page is shown dark now. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** What the browser keeps; null if nothing, or if storage is forbidden. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch (fault) {
    if (fault instanceof DOMException) return null;
    throw fault;
  }
}

/** Has the browser keep a choice; where storage is forbidden it holds for the page only. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch (fault) {
    if (!(fault instanceof DOMException)) throw fault;
  }
}
