/// <reference lib="dom" />
/** What lies under the fleet and comes after it: coastlines, and the zones of the rules in force. */
import { effect } from "@preact/signals";
import { fetchZones } from "./api.ts";
import { type Outline, outlineOf, unpackLand } from "./land.ts";
import type { TileGround, ZoneShape } from "./map_ground.ts";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";

/** Told what there is; land is null until it has come. */
export type GroundSink = (land: readonly Outline[] | null, zones: readonly ZoneShape[]) => void;

/** The coastlines wait this long for the page's own work, milliseconds. */
const LAND_AFTER_MS = 300;

/**
 * Fetches coastlines once and zones whenever other rules come into force.
 *
 * @returns ends it
 */
export function watchGround(store: AppStore, sink: GroundSink): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let land: readonly Outline[] | null = null;
  let zones: readonly ZoneShape[] = [];
  const tell = () => {
    if (!signal.aborted) sink(land, zones);
  };
  const fail = (what: string) => (fault: unknown) => {
    if (!signal.aborted) store.toaster.say(`Cannot load ${what}: ${messageOf(fault)}`);
  };
  const timer = setTimeout(() => {
    fetchLand(store.shell.assets, signal).then((outlines) => {
      land = outlines;
      tell();
    }).catch(fail("the coastlines"));
  }, LAND_AFTER_MS);
  let version = "";
  const stopZones = effect(() => {
    const current = store.pipeline.value?.version ?? "";
    if (current === version) return;
    version = current;
    fetchZones().then((views) => {
      // Answers may overtake one another.
      if (current !== version) return;
      zones = views.map(({ name, rings }) => ({ name, outlines: rings.map(outlineOf) }));
      tell();
    }).catch(fail("the zones"));
  });
  return () => {
    clearTimeout(timer);
    stopZones();
    stop.abort();
  };
}

/**
 * Opens the base map, if there is one; its code comes with it.
 *
 * @param draw asks for a drawing, since tiles have come
 * @returns ends it
 */
export function watchBaseMap(
  store: AppStore,
  take: (tiles: TileGround) => void,
  credit: (text: string) => void,
  draw: () => void,
): () => void {
  const { baseMap } = store.shell;
  if (baseMap === "") return () => {};
  const stop = new AbortController();
  const fail = (fault: unknown) => {
    if (!stop.signal.aborted) store.toaster.say(`Cannot draw the base map: ${messageOf(fault)}`);
  };
  const open = async () => {
    const { openBaseMap } = await import("./base_map.ts");
    const address = new URL(baseMap, location.origin).href;
    const tiles = await openBaseMap(address, { news: draw, fail, signal: stop.signal });
    if (stop.signal.aborted) return;
    take(tiles);
    credit(tiles.credit === "" ? "Base map from a file" : tiles.credit);
  };
  open().catch(fail);
  return () => stop.abort();
}

async function fetchLand(assets: string, signal: AbortSignal): Promise<Outline[]> {
  const response = await fetch(`${assets}land.bin`, { signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status}`);
  }
  return unpackLand(new Uint8Array(await response.arrayBuffer()));
}
