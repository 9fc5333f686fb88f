/// <reference lib="dom" />
/** The map with its chips and buttons. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { VEHICLE_STATES } from "../contract/views.ts";
import { FILTERS, type FleetFilter } from "./fleet_filter.ts";
import { formatCount, formatValue } from "./format.ts";
import { watchBaseMap, watchGround } from "./ground.ts";
import { Icon } from "./Icon.tsx";
import { listenToMap } from "./map_input.ts";
import { MapLayer } from "./map_layer.ts";
import { Name } from "./Name.tsx";
import { cameraOf, cameraText, metresPerPixel, zoomedAt } from "./mercator.ts";
import { isPlainKey } from "./plain_key.ts";
import type { AppStore } from "./store.ts";
import { writeUrl } from "./url_state.ts";

const STALE = VEHICLE_STATES.indexOf("stale");

/** The map. Without scripts it says where else the same is to be read. */
export function FleetMap(props: { store: AppStore }) {
  const { store } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const layer = useRef<MapLayer | null>(null);
  const [trails, setTrails] = useState(false);
  const [scale, setScale] = useState<Scale | null>(null);
  const [credit, setCredit] = useState("");

  const look = (camera: MapLayer["camera"]) => {
    layer.current?.look(camera);
    setScale(scaleOf(camera));
    writeUrl("z", cameraText(camera));
  };
  const fit = () => {
    const camera = layer.current?.overFleet();
    if (camera !== null && camera !== undefined) look(camera);
  };
  const zoom = (step: number) => {
    const camera = layer.current?.camera;
    if (camera !== undefined) look(zoomedAt(camera, camera.zoom + step, 0, 0));
  };

  useEffect(() => {
    const context = canvas.current?.getContext("2d", { alpha: false });
    if (canvas.current === null || context === null || context === undefined) return;
    const map = new MapLayer(canvas.current, context, store.shown);
    layer.current = map;
    map.describe = (number) => describe(store, number);
    const wanted = cameraOf(new URLSearchParams(location.search).get("z"));
    map.resize();
    let placed = wanted !== null;
    if (wanted !== null) {
      map.look(wanted);
      setScale(scaleOf(wanted));
    }
    const place = () => {
      // Only the first positions place the camera: later ones never move it.
      const camera = placed ? null : map.overFleet();
      if (camera === null) return;
      placed = true;
      map.look(camera);
      setScale(scaleOf(camera));
    };
    const unsubscribe = store.version.subscribe(() => {
      map.update(store.shown);
      place();
    });
    const stopTiles = watchBaseMap(store, (tiles) => map.tiles(tiles), setCredit, () => map.draw());
    const stopGround = watchGround(store, (land, zones) => map.ground(land, zones));
    const stop = listenToMap(canvas.current, map, {
      onLook: (camera) => {
        placed = true;
        look(camera);
      },
      onPick: (number) => store.selectVehicle(number < 0 ? "" : store.shown.ids[number]),
      onFit: fit,
    });
    const sized = new ResizeObserver(() => map.resize());
    sized.observe(canvas.current);
    const recolour = () => map.resize();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", recolour);
    const themed = store.preferences.theme.subscribe(() => requestAnimationFrame(recolour));
    return () => {
      unsubscribe();
      themed();
      stop();
      stopGround();
      stopTiles();
      sized.disconnect();
      dark.removeEventListener("change", recolour);
      map.destroy();
    };
  }, []);

  const choose = () =>
    layer.current?.choose({
      filter: store.filter.value,
      name: store.name.value,
      trails,
      selected: store.vehicle.value,
    });
  useSignalEffect(() => {
    choose();
  });
  useEffect(() => {
    choose();
  }, [trails]);
  const selectedBefore = useRef<string | null>(null);
  useSignalEffect(() => {
    const id = store.vehicle.value;
    // What the URL selects does not move the map: the URL says where it looks, too.
    const isChosen = selectedBefore.current !== null && selectedBefore.current !== id;
    selectedBefore.current = id;
    if (isChosen) bringIntoView(store, id, layer.current, look);
  });

  const counts = store.counts.value;
  const words = `Map of ${formatCount(counts.vehicles)} vehicles, ` +
    `${formatCount(counts.withAnomalies)} with open anomalies. The table holds the same. ` +
    "Arrow keys move it, plus and minus zoom, 0 shows the whole fleet.";
  return (
    <section class="map" aria-label="Map">
      <canvas ref={canvas} tabIndex={0} role="application" aria-label={words} />
      <p class="no-map">The map needs scripts; the table holds the same vehicles.</p>
      <Chips store={store} trails={trails} onTrails={() => setTrails(!trails)} />
      <div class="map-buttons scripted">
        <MapButton icon="plus" label="Zoom in" onClick={() => zoom(1)} />
        <MapButton icon="minus" label="Zoom out" onClick={() => zoom(-1)} />
        <MapButton icon="fit" label="Show the whole fleet" onClick={fit} />
      </div>
      <p class="map-note">
        {credit === "" ? "Coastline, and roads learned from this fleet" : <Name text={credit} />}
        {" "}
        · no internet needed
      </p>
      {scale !== null && (
        <div class="map-scale" aria-hidden="true">
          <span>{scale.label}</span>
          <i style={{ width: `${scale.pixels}px` }} />
        </div>
      )}
    </section>
  );
}

function Chips(props: { store: AppStore; trails: boolean; onTrails: () => void }) {
  const { store } = props;
  const counts = store.counts.value;
  const labels: Record<FleetFilter, string> = {
    all: "All",
    anomalies: `With anomalies ${formatCount(counts.withAnomalies)}`,
    stale: `Stale ${formatCount(counts.states[STALE])}`,
  };
  return (
    <div class="chips scripted" role="group" aria-label="Shown on the map and in the table">
      {FILTERS.map((filter) => (
        <button
          key={filter}
          type="button"
          aria-pressed={store.filter.value === filter}
          onClick={() => {
            store.filter.value = filter;
          }}
        >
          {labels[filter]}
        </button>
      ))}
      <button type="button" aria-pressed={props.trails} onClick={props.onTrails}>Trails</button>
      <NameFilter store={store} />
    </div>
  );
}

/** A field for part of a name; F leads to it, Escape empties it. */
function NameFilter(props: { store: AppStore }) {
  const { name } = props.store;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "f" || !isPlainKey(event)) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <input
      ref={field}
      type="search"
      class={name.value === "" ? undefined : "on"}
      placeholder="Filter by name"
      aria-label="Filter vehicles by part of their name"
      aria-keyshortcuts="F"
      maxLength={200}
      value={name.value}
      onInput={(event) => {
        name.value = event.currentTarget.value.trim().toLowerCase();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") name.value = "";
        if (event.key === "Escape" || event.key === "Enter") field.current?.blur();
      }}
    />
  );
}

function MapButton(props: {
  icon: "plus" | "minus" | "fit";
  label: string;
  onClick: () => void;
}) {
  const { icon, label, onClick } = props;
  return (
    <button type="button" class="square" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** Moves the map to a vehicle just selected, if it is not in view; the zoom stays. */
function bringIntoView(
  store: AppStore,
  id: string,
  layer: MapLayer | null,
  look: (camera: MapLayer["camera"]) => void,
): void {
  const number = store.shown.numberOf(id);
  if (layer === null || number < 0) return;
  const lat = store.shown.lat[number];
  const lon = store.shown.lon[number];
  if (lat !== lat || layer.isInView(lat, lon)) return;
  look({ ...layer.camera, lat, lon });
}

function describe(store: AppStore, number: number): string {
  const speed = store.shown.signal("speed")?.[number] ?? NaN;
  const state = VEHICLE_STATES[store.shown.state[number]];
  return state === "moving" ? formatValue(speed, "km/h", store.preferences.units.value, 0) : state;
}

interface Scale {
  readonly label: string;
  readonly pixels: number;
}

/** The longest round distance of at most 120 pixels. */
function scaleOf(camera: MapLayer["camera"]): Scale {
  const metres = metresPerPixel(camera.lat, camera.zoom);
  const most = metres * 120;
  const power = 10 ** Math.floor(Math.log10(most));
  const round = [5, 2, 1].map((digit) => digit * power).find((length) => length <= most) ?? power;
  const label = round >= 1000 ? `${formatCount(round / 1000)} km` : `${round} m`;
  return { label, pixels: Math.round(round / metres) };
}
