/// <reference lib="dom" />
/** Vector tiles as paths: layers of the usual schemas, by what they are, in the page's colours. */
import { VectorTile, type VectorTileFeature } from "@mapbox/vector-tile";
import { PbfReader } from "pbf";
import { fitted, type Palette } from "./map_shapes.ts";
import { visibleText } from "./visible_text.ts";

/** What a layer is drawn as. */
type Kind = "earth" | "green" | "water" | "building" | "boundary" | "minor" | "major";

/** Layers by name, of the Protomaps, OpenMapTiles and Shortbread schemas; lowest first. */
const LAYERS: readonly (readonly [kind: Kind | "road", names: readonly string[]])[] = [
  ["earth", ["earth", "land"]],
  ["green", ["landcover", "landuse", "park", "parks", "natural", "sites"]],
  ["water", ["water", "ocean", "waterway", "water_polygons", "water_lines"]],
  ["building", ["buildings", "building"]],
  ["road", ["roads", "transportation", "road", "streets"]],
  ["boundary", ["boundaries", "boundary"]],
];
const LABEL_LAYERS = ["places", "place", "place_labels"];
const MAJOR = /^(highway|major_road|medium_road|motorway|trunk|primary|secondary)$/;
const POLYGON = 3;
const LINE = 2;
/** Labels drawn at most, and how long they may be, pixels. */
const LABELS_MAX = 40;
const LABEL_PIXELS_MAX = 160;

/** Paths of one kind within a tile. */
export interface TilePart {
  /** @param pixels the tile's side on the screen; the context stands at its corner */
  draw(g: CanvasRenderingContext2D, pixels: number, palette: Palette): void;
}

/** A name at a place; x and y as shares of the tile, or in pixels of the screen. */
export interface TileLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** Reads a tile. @throws {Error} if its bytes are no vector tile */
export function readVectorTile(
  bytes: ArrayBuffer,
): { readonly parts: TilePart[]; readonly labels: TileLabel[] } {
  const { layers } = new VectorTile(new PbfReader(new Uint8Array(bytes)));
  const parts: TilePart[] = [];
  for (const [kind, names] of LAYERS) {
    for (const name of names) {
      const layer = layers[name];
      if (layer === undefined) continue;
      const paths = new Map<Kind, { readonly areas: Path2D; readonly lines: Path2D }>();
      for (let k = 0; k < layer.length; k++) {
        const feature = layer.feature(k);
        const own = kind === "road" ? roadKind(feature) : kind;
        const path = paths.get(own) ?? { areas: new Path2D(), lines: new Path2D() };
        paths.set(own, path);
        if (feature.type === POLYGON) addTo(path.areas, feature, true);
        else if (feature.type === LINE) addTo(path.lines, feature, false);
      }
      for (const [own, { areas, lines }] of paths) {
        parts.push(new PathPart(own, areas, lines, layer.extent));
      }
    }
  }
  const labels = LABEL_LAYERS.flatMap((name) => {
    const layer = layers[name];
    if (layer === undefined) return [];
    return Array.from({ length: layer.length }, (_, k) => layer.feature(k)).flatMap(labelOf);
  });
  return { parts, labels };
}

/** Writes names, the first ones first, none over another. */
export function placeLabels(
  g: CanvasRenderingContext2D,
  labels: readonly TileLabel[],
  palette: Palette,
): void {
  const taken: { readonly x: number; readonly y: number; readonly wide: number }[] = [];
  g.save();
  g.font = "400 11px system-ui, sans-serif";
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineJoin = "round";
  g.lineWidth = 3;
  g.strokeStyle = palette.land;
  g.fillStyle = palette.dim;
  for (const { text, x, y } of labels) {
    if (taken.length >= LABELS_MAX) break;
    const shown = fitted(g, text, LABEL_PIXELS_MAX);
    const wide = g.measureText(shown).width / 2 + 6;
    const isFree = taken.every((other) =>
      Math.abs(other.x - x) > other.wide + wide || Math.abs(other.y - y) > 16
    );
    if (!isFree) continue;
    taken.push({ x, y, wide });
    g.strokeText(shown, x, y);
    g.fillText(shown, x, y);
  }
  g.restore();
}

class PathPart implements TilePart {
  constructor(
    readonly kind: Kind,
    readonly areas: Path2D,
    readonly lines: Path2D,
    readonly extent: number,
  ) {}

  draw(g: CanvasRenderingContext2D, pixels: number, palette: Palette): void {
    const share = pixels / this.extent;
    const { area, line, width, alpha } = STYLES[this.kind];
    g.save();
    g.scale(share, share);
    g.globalAlpha = alpha;
    if (area !== null) {
      g.fillStyle = palette[area];
      g.fill(this.areas, "evenodd");
    }
    g.strokeStyle = palette[line];
    g.lineWidth = width / share;
    g.stroke(this.lines);
    g.restore();
  }
}

interface Style {
  readonly area: "land" | "sea" | "grid" | "line" | null;
  readonly line: "land" | "sea" | "grid" | "line" | "road";
  /** Pixels. */
  readonly width: number;
  readonly alpha: number;
}

const STYLES: Readonly<Record<Kind, Style>> = {
  earth: { area: "land", line: "land", width: 1, alpha: 1 },
  green: { area: "grid", line: "grid", width: 1, alpha: 0.45 },
  water: { area: "sea", line: "sea", width: 1.5, alpha: 1 },
  building: { area: "line", line: "line", width: 0.5, alpha: 0.4 },
  boundary: { area: null, line: "line", width: 1, alpha: 1 },
  minor: { area: null, line: "road", width: 0.75, alpha: 0.6 },
  major: { area: null, line: "road", width: 1.75, alpha: 0.9 },
};

function roadKind({ properties }: VectorTileFeature): "minor" | "major" {
  return [properties.kind, properties.class].some((word) => MAJOR.test(String(word)))
    ? "major"
    : "minor";
}

function addTo(path: Path2D, feature: VectorTileFeature, closes: boolean): void {
  for (const ring of feature.loadGeometry()) {
    ring.forEach(({ x, y }, k) => k === 0 ? path.moveTo(x, y) : path.lineTo(x, y));
    if (closes) path.closePath();
  }
}

function labelOf(feature: VectorTileFeature): TileLabel[] {
  const { name } = feature.properties;
  const point = feature.loadGeometry()[0]?.[0];
  if (typeof name !== "string" || name === "" || point === undefined) return [];
  return [{ text: visibleText(name), x: point.x / feature.extent, y: point.y / feature.extent }];
}
