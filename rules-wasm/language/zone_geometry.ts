/** The geometry of a zone in GeoJSON: checked, and brought into steps. */
import { didYouMean } from "./faults.ts";
import { field, type JsonNode, type JsonObject, kindOf } from "./json_text.ts";
import { type Polygon, type Ring, toSteps, type ZoneShape } from "./zone.ts";

/** Most corners of all zones of a file. */
export const VERTICES_MAX = 100_000;

/** Greatest radius of a circle, in metres: a quarter of the way around the earth. */
export const RADIUS_METRES_MAX = 10_000_000;

const TYPES = ["Polygon", "MultiPolygon", "Point"];

/** Says what is wrong with a value. */
export type Refuse = (node: JsonNode, message: string, suggestion?: string) => null;

/** Reads geometries, and counts their corners. */
export class ZoneGeometry {
  vertices = 0;

  constructor(readonly refuse: Refuse) {}

  /** The shape of a feature; null if anything was reported. */
  shape(feature: JsonObject, properties: JsonObject | null): ZoneShape | null {
    const node = field(feature, "geometry");
    if (node?.kind !== "object") {
      const advice = 'add "geometry": { "type": "Polygon", "coordinates": [ … ] }';
      return this.refuse(node ?? feature, "Cannot use a zone without geometry", advice);
    }
    const type = field(node, "type");
    const name = type?.kind === "text" ? type.text : "";
    const coordinates = field(node, "coordinates");
    if (!TYPES.includes(name)) {
      const found = type === undefined ? "a geometry without type" : kindOf(type);
      const advice = didYouMean(name, TYPES) ||
        "draw a Polygon or MultiPolygon, or give a Point a radius";
      return this.refuse(type ?? node, `Cannot use ${found} as the geometry of a zone`, advice);
    }
    if (coordinates === undefined) {
      return this.refuse(node, `Cannot use a ${name} without coordinates`);
    }
    if (name === "Point") return this.#circle(coordinates, properties, node);
    if (name === "Polygon") {
      const polygon = this.#polygon(coordinates);
      return polygon === null ? null : { kind: "polygons", polygons: [polygon] };
    }
    const polygons = this.#all(coordinates, "polygons", (each) => this.#polygon(each));
    return polygons === null ? null : { kind: "polygons", polygons };
  }

  /** Every item of a list that is not empty; null if anything of it was reported. */
  #all<T>(node: JsonNode, what: string, read: (item: JsonNode) => T | null): T[] | null {
    if (node.kind !== "list" || node.items.length === 0) {
      const found = node.kind === "list" ? "an empty list" : kindOf(node);
      return this.refuse(node, `Cannot use ${found} as ${what}: it must be a list of them`);
    }
    const all = node.items.map(read);
    const sound = all.filter((item) => item !== null);
    return sound.length === all.length ? sound : null;
  }

  #polygon(node: JsonNode): Polygon | null {
    return this.#all(node, "the rings of a polygon", (ring) => this.#ring(ring));
  }

  #ring(node: JsonNode): Ring | null {
    if (node.kind !== "list") {
      return this.refuse(node, `Cannot use ${kindOf(node)} as a ring: it must list its positions`);
    }
    const positions: Position[] = [];
    for (const item of node.items) {
      // One fault a ring: what is wrong with a position is most often wrong with all.
      const position = this.#position(item);
      if (position === null) return null;
      positions.push(position);
    }
    const first = positions[0];
    const last = positions.at(-1);
    if (first === undefined || last === undefined || positions.length < 4) {
      const message = `Cannot use a ring of ${positions.length} positions: the least are 4`;
      return this.refuse(node, message, "three corners, then the first of them again");
    }
    if (first.lon !== last.lon || first.lat !== last.lat) {
      const message =
        "Cannot use a ring that is not closed: its last position differs from its first";
      const advice = `add [${first.lon}, ${first.lat}] at its end`;
      return this.refuse(node.items.at(-1) ?? node, message, advice);
    }
    this.vertices += positions.length - 1;
    const ring = Int32Array.from(
      positions.slice(0, -1).flatMap(({ lon, lat }) => [toSteps(lon), toSteps(lat)]),
    );
    if (!isFlat(ring)) return ring;
    return this.refuse(
      node,
      "Cannot use a ring that encloses nothing: its corners lie on one line",
    );
  }

  #circle(
    coordinates: JsonNode,
    properties: JsonObject | null,
    geometry: JsonNode,
  ): ZoneShape | null {
    const position = this.#position(coordinates);
    const radius = properties === null ? undefined : field(properties, "radius");
    if (radius === undefined) {
      const advice = 'add "radius": METRES to its properties';
      return this.refuse(geometry, "Cannot use a Point without radius as a zone", advice);
    }
    const radiusMetres = radius.kind === "number" ? radius.value : NaN;
    if (!(radiusMetres > 0 && radiusMetres <= RADIUS_METRES_MAX)) {
      const rule = `it must be a number of metres, above 0 and at most ${RADIUS_METRES_MAX}`;
      return this.refuse(radius, `Cannot use ${kindOf(radius)} as radius: ${rule}`);
    }
    if (position === null) return null;
    this.vertices++;
    return { kind: "circle", ...position, radiusMetres };
  }

  /** A position; what follows longitude and latitude (an altitude) is passed over. */
  #position(node: JsonNode): Position | null {
    const [x, y] = node.kind === "list" ? node.items : [];
    if (x?.kind !== "number" || y?.kind !== "number") {
      const found = node.kind === "list" ? "this list" : kindOf(node);
      const message = `Cannot use ${found} as a position: it must be [longitude, latitude]`;
      return this.refuse(node, message, "two numbers, in degrees");
    }
    const [lon, lat] = [x.value, y.value];
    if (lat < -90 || lat > 90) {
      const swapped = lon >= -90 && lon <= 90 && lat >= -180 && lat <= 180;
      const advice = swapped
        ? "GeoJSON puts the longitude first: are the two swapped?"
        : "latitudes are degrees from -90 to 90";
      return this.refuse(y, `Cannot use the latitude ${lat}`, advice);
    }
    if (lon < -180 || lon > 180) {
      const advice = lon >= -360 && lon <= 360
        ? "longitudes end at -180 and 180: cut what lies across into the parts of a MultiPolygon"
        : "longitudes are degrees from -180 to 180";
      return this.refuse(x, `Cannot use the longitude ${lon}`, advice);
    }
    return { lon, lat };
  }
}

interface Position {
  readonly lon: number;
  readonly lat: number;
}

/** Whether all corners of a ring lie on one line. */
function isFlat(ring: Ring): boolean {
  const from = (i: number) => [BigInt(ring[i] - ring[0]), BigInt(ring[i + 1] - ring[1])];
  let [dx, dy] = [0n, 0n];
  for (let i = 2; i < ring.length; i += 2) {
    const [x, y] = from(i);
    if (dx * y !== dy * x) return false;
    if (dx === 0n && dy === 0n) [dx, dy] = [x, y];
  }
  return true;
}
