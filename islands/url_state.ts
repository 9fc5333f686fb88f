/// <reference lib="dom" />
/** The URL is state: what is filtered, selected and looked at can be sent to someone. */
import { effect } from "@preact/signals";
import { FILTERS } from "./fleet_filter.ts";
import type { AppStore } from "./store.ts";

/** Browsers refuse pages that rewrite their URL too often. */
const WRITE_AFTER_MS = 250;

let timer: ReturnType<typeof setTimeout> | undefined;
const waiting = new Map<string, string>();

/** Writes one parameter into the URL, soon; "" takes it out. */
export function writeUrl(name: string, value: string): void {
  waiting.set(name, value);
  clearTimeout(timer);
  timer = setTimeout(flushUrl, WRITE_AFTER_MS);
}

/** Writes what waits into the URL at once. */
export function flushUrl(): void {
  clearTimeout(timer);
  if (waiting.size === 0) return;
  const url = new URL(location.href);
  for (const [key, text] of waiting) {
    if (text === "") url.searchParams.delete(key);
    else url.searchParams.set(key, text);
  }
  waiting.clear();
  // Readable: commas stand for themselves in a query.
  history.replaceState(null, "", url.href.replaceAll("%2C", ","));
}

/** Takes filter and selection from the URL, and keeps the URL at what they become. */
export function bindUrl(store: AppStore): void {
  const shell = store.shell.dashboard;
  const query = new URLSearchParams(location.search);
  const show = query.get("show");
  store.filter.value = FILTERS.find((name) => name === show) ?? shell.show;
  store.name.value = (query.get("q") ?? "").trim().toLowerCase();
  const vehicle = query.get("v");
  if (vehicle !== null) store.selectVehicle(vehicle);
  effect(() => {
    const filter = store.filter.value;
    writeUrl("show", filter === shell.show ? "" : filter);
  });
  effect(() => writeUrl("q", store.name.value));
  effect(() => writeUrl("v", store.vehicle.value));
  const own = shell.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  effect(() => {
    const zone = store.preferences.zone.value;
    writeUrl("tz", zone === own ? "" : zone);
  });
  effect(() => {
    const units = store.preferences.units.value;
    writeUrl("u", units === shell.units ? "" : units);
  });
}
