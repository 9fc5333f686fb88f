/** Zones for the benchmarks, in the square degree in which their vehicles are. */
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import type { Zone } from "../rules-wasm/language/zone.ts";
import { loadZones } from "../rules-wasm/language/zones_file.ts";
import { hashVersion } from "../rules-wasm/version.ts";

/** Middle of where the workload's vehicles are, degrees. */
const LAT = 59.5;
const LON = 18.5;
const CORNERS = 24;

/**
 * Three kinds of zones, `count` of each, no two alike: `ring-K` of 24 corners, about half of the
 * positions in its box; `circle-K` of 20 km; `far-K`, a ring in whose box no position is.
 */
export function benchZones(count: number): readonly Zone[] {
  const features = Array.from({ length: count }, (_, k) => [
    ring(`ring-${k}`, LAT, 0.35 + k * 1e-4),
    circle(`circle-${k}`, 20_000 + k),
    ring(`far-${k}`, -LAT, 0.35 + k * 1e-4),
  ]).flat();
  const text = JSON.stringify({ type: "FeatureCollection", features });
  const loaded = loadZones(text, { file: "bench zones", hash: hashVersion });
  if (loaded.ok) return loaded.zones;
  throw new SyntaxError(loaded.faults.map((fault) => formatFault(fault, text)).join("\n"));
}

function ring(id: string, lat: number, radiusDegrees: number): unknown {
  const corners = Array.from({ length: CORNERS }, (_, i) => {
    const angle = 2 * Math.PI * i / CORNERS;
    return [LON + radiusDegrees * Math.cos(angle), lat + radiusDegrees * Math.sin(angle)];
  });
  return {
    type: "Feature",
    id,
    properties: {},
    geometry: { type: "Polygon", coordinates: [[...corners, corners[0]]] },
  };
}

function circle(id: string, radius: number): unknown {
  return {
    type: "Feature",
    id,
    properties: { radius },
    geometry: { type: "Point", coordinates: [LON, LAT] },
  };
}
