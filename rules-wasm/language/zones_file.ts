/** Reads `zones.geojson` (RFC 7946) into zones, or every fault in it. */
import type { Fault } from "./ast.ts";
import { FaultList, quote } from "./faults.ts";
import { field, type JsonNode, type JsonObject, kindOf, readJson } from "./json_text.ts";
import { FilePlace } from "./place.ts";
import { shapeText, type Zone } from "./zone.ts";
import { type Refuse, VERTICES_MAX, ZoneGeometry } from "./zone_geometry.ts";

/** Longest file, UTF-16 units: 8 Mi. */
export const ZONES_LENGTH_MAX = 1 << 23;

/** Most zones of a file. */
export const ZONES_MAX = 10_000;

/** Most faults of one file that are told. */
const FAULTS_MAX = 100;

/** Longest id or name, UTF-16 units. */
const NAME_MAX = 64;

/** What a zones file is read with. */
export interface ZonesOptions {
  /** The file as the user named it, for faults. */
  readonly file: string;
  /** 16 hexadecimal digits of a text. */
  readonly hash: (text: string) => string;
}

/** Zones, or at least one fault. */
export type ZonesResult =
  | { readonly ok: true; readonly zones: readonly Zone[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Reads the text of a zones file: a FeatureCollection of Polygons, MultiPolygons, and Points with a
 * `radius` in metres among their properties. Never throws on any text.
 */
export function loadZones(text: string, options: ZonesOptions): ZonesResult {
  const faults = new FaultList(options.file);
  const place = new FilePlace(text);
  if (text.length > ZONES_LENGTH_MAX) {
    const most = `the longest allowed is ${ZONES_LENGTH_MAX}`;
    faults.add(place.locate(0, 0), `Cannot read a file of ${text.length} characters: ${most}`);
    return { ok: false, faults: faults.sorted() };
  }
  const root = readJson(text, place, faults);
  const zones = root === null ? [] : new ZonesReader(place, faults, options.hash).zones(root);
  return faults.count > 0 ? { ok: false, faults: faults.sorted() } : { ok: true, zones };
}

class ZonesReader {
  readonly #ids = new Map<string, number>();
  readonly #geometry: ZoneGeometry;

  constructor(
    readonly place: FilePlace,
    readonly faults: FaultList,
    readonly hash: (text: string) => string,
  ) {
    this.#geometry = new ZoneGeometry(this.#refuse);
  }

  readonly #refuse: Refuse = (node, message, suggestion = "") => {
    // An object or a list is pointed at by its first character.
    const length = node.kind === "object" || node.kind === "list" ? 1 : node.length;
    this.faults.add(this.place.locate(node.offset, length), message, suggestion);
    return null;
  };

  zones(root: JsonNode): Zone[] {
    const collection = this.#typed(root, "FeatureCollection", "the file");
    if (collection === null) return [];
    this.#checkCrs(collection);
    const features = field(collection, "features");
    if (features?.kind !== "list") {
      const message = 'Cannot use a FeatureCollection without a list of "features"';
      this.#refuse(features ?? root, message, 'add "features": [ … ]');
      return [];
    }
    if (features.items.length > ZONES_MAX) {
      const count = features.items.length;
      this.#refuse(features, `Cannot use ${count} zones: the most are ${ZONES_MAX}`);
      return [];
    }
    const zones: Zone[] = [];
    for (const feature of features.items) {
      if (this.faults.count >= FAULTS_MAX) {
        this.#refuse(feature, "Cannot tell more faults at once", "mend those above first");
        break;
      }
      const zone = this.#zone(feature);
      if (zone !== null) zones.push(zone);
      if (this.#geometry.vertices > VERTICES_MAX) {
        const message = `Cannot use more than ${VERTICES_MAX} corners: this zone exceeds them`;
        this.#refuse(feature, message, "simplify the zones");
        break;
      }
    }
    return zones;
  }

  /** An object that says that it is of a type. */
  #typed(node: JsonNode, type: string, what: string): JsonObject | null {
    const is = node.kind === "object" ? field(node, "type") : undefined;
    if (node.kind === "object" && is?.kind === "text" && is.text === type) return node;
    const advice = type === "FeatureCollection"
      ? 'the file is { "type": "FeatureCollection", "features": [ … ] }'
      : `a zone is { "type": "${type}", "id": …, "geometry": … }`;
    const found = is === undefined ? kindOf(node) : kindOf(is);
    return this.#refuse(is ?? node, `Cannot use ${found} as ${what}: it must be a ${type}`, advice);
  }

  /** Old files may name other coordinates than longitude and latitude. */
  #checkCrs(collection: JsonObject): void {
    const crs = field(collection, "crs");
    const properties = crs?.kind === "object" ? field(crs, "properties") : undefined;
    const name = properties?.kind === "object" ? field(properties, "name") : undefined;
    if (crs === undefined || name?.kind !== "text" || /CRS:?84|EPSG:+4326$/.test(name.text)) return;
    this.#refuse(
      name,
      `Cannot use the coordinates ${quote(name.text)}: they must be degrees of WGS 84`,
      "export the file as WGS 84 (EPSG:4326), without crs",
    );
  }

  #zone(node: JsonNode): Zone | null {
    const feature = this.#typed(node, "Feature", "a zone");
    if (feature === null) return null;
    const given = field(feature, "properties");
    const properties = given?.kind === "object" ? given : null;
    const id = this.#id(feature, properties);
    const name = this.#name(properties);
    const shape = this.#geometry.shape(feature, properties);
    if (id === null || name === null || shape === null) return null;
    return { id, name: name === "" ? id : name, shape, digest: this.hash(shapeText(shape)) };
  }

  #id(feature: JsonObject, properties: JsonObject | null): string | null {
    const node = field(feature, "id") ??
      (properties === null ? undefined : field(properties, "id"));
    if (node === undefined) {
      return this.#refuse(feature, "Cannot use a zone without id", 'add "id": "NAME"');
    }
    const isNumber = node.kind === "number" && Number.isFinite(node.value);
    const id = isNumber ? String(node.value) : this.#label(node, "id");
    if (id === null) return null;
    const line = this.#ids.get(id);
    if (line !== undefined) {
      const message = `Cannot use the id ${quote(id)} twice: line ${line} has it too`;
      return this.#refuse(node, message, "give each zone an id of its own");
    }
    this.#ids.set(id, this.place.locate(node.offset, 0).line);
    return id;
  }

  /** "" for none. */
  #name(properties: JsonObject | null): string | null {
    const node = properties === null ? undefined : field(properties, "name");
    if (node === undefined || (node.kind === "word" && node.value === null)) return "";
    return this.#label(node, "name");
  }

  #label(node: JsonNode, what: string): string | null {
    const text = node.kind === "text" ? node.text : "";
    if (text !== "" && text.length <= NAME_MAX && /^[^"\\\p{Cc}]+$/u.test(text)) return text;
    const rule = `it must be a text of 1 to ${NAME_MAX} characters, without quotes and backslashes`;
    return this.#refuse(node, `Cannot use ${kindOf(node)} as ${what}: ${rule}`);
  }
}
