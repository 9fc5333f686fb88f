/// <reference lib="dom" />
/**
 * A base map from one PMTiles file: tiles come in ranges from this server, vector tiles are drawn in
 * the page's own colours. A bundle of its own: only pages with such a map load it.
 */
import { PMTiles, TileType } from "pmtiles";
import { placeLabels, readVectorTile, type TileLabel, type TilePart } from "./base_map_tile.ts";
import type { TileGround, View } from "./map_ground.ts";
import type { Palette } from "./map_shapes.ts";
import { clamp } from "./mercator.ts";

/** Tiles kept, and those fetched at a time. */
const TILES_MAX = 200;
const FETCHES_MAX = 6;
/** Tiles of one picture at most. */
const SHOWN_MAX = 80;
/** Until a tile has come, larger ones of so many steps up stand in for it. */
const STEPS_UP = 6;
/** News are told together, milliseconds. */
const NEWS_MS = 150;

/** What the map is opened with. */
export interface BaseMapOptions {
  /** Told that there is more to draw. */
  readonly news: () => void;
  /** Told of the first tile that cannot be read. */
  readonly fail: (fault: unknown) => void;
  readonly signal: AbortSignal;
}

/** An open base map. */
export interface BaseMapTiles extends TileGround {
  /** Whose map it is, as the file says; "" if it does not. */
  readonly credit: string;
}

interface Tile {
  readonly parts: readonly TilePart[];
  readonly labels: readonly TileLabel[];
  readonly image: ImageBitmap | null;
}

interface Place {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

/** Opens the map. @throws {Error} if it cannot be read */
export async function openBaseMap(address: string, options: BaseMapOptions): Promise<BaseMapTiles> {
  const archive = new PMTiles(address);
  const { minZoom, maxZoom, tileType } = await archive.getHeader();
  const metadata: unknown = await archive.getMetadata();
  const { attribution }: Record<string, unknown> = { ...Object(metadata) };
  // It may be HTML: its words are enough.
  const credit = typeof attribution === "string" ? attribution.replace(/<[^>]*>/g, "").trim() : "";
  return new Tiles(
    archive,
    { minZoom, maxZoom, isVector: tileType === TileType.Mvt },
    credit,
    options,
  );
}

class Tiles implements BaseMapTiles {
  version = 1;
  readonly #tiles = new Map<string, Tile | null>();
  readonly #fetching = new Set<string>();
  #wanted: Place[] = [];
  #told = false;
  #failed = false;

  constructor(
    readonly archive: PMTiles,
    readonly kind: {
      readonly minZoom: number;
      readonly maxZoom: number;
      readonly isVector: boolean;
    },
    readonly credit: string,
    readonly options: BaseMapOptions,
  ) {}

  draw(
    g: CanvasRenderingContext2D,
    view: View & { readonly zoom: number },
    palette: Palette,
  ): void {
    const z = clamp(Math.floor(view.zoom + 0.3), this.kind.minZoom, this.kind.maxZoom);
    const side = view.scale / 2 ** z;
    const last = 2 ** z - 1;
    const x0 = clamp(Math.floor(view.left / side), 0, last);
    const x1 = clamp(Math.floor((view.left + view.width) / side), 0, last);
    const y0 = clamp(Math.floor(view.top / side), 0, last);
    const y1 = clamp(Math.floor((view.top + view.height) / side), 0, last);
    const missing: Place[] = [];
    const labels: TileLabel[] = [];
    if ((x1 - x0 + 1) * (y1 - y0 + 1) > SHOWN_MAX) return;
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const place = { z, x, y };
        if (!this.#tiles.has(keyOf(place))) missing.push(place);
        const drawn = this.#nearest(place);
        if (drawn === null) continue;
        drawTile(g, view, place, drawn, palette);
        if (drawn.place === place) labels.push(...placed(drawn, view));
      }
    }
    placeLabels(g, labels, palette);
    this.#wanted = missing;
    this.#fetch();
  }

  /** The tile, or the nearest larger one that is there. */
  #nearest(place: Place): { readonly place: Place; readonly tile: Tile } | null {
    let at = place;
    for (let step = 0; step <= STEPS_UP && at.z >= this.kind.minZoom; step++) {
      const tile = this.#tiles.get(keyOf(at));
      if (tile !== undefined && tile !== null) return { place: at, tile };
      // A tile that the file does not have is empty: nothing stands in for it.
      if (tile === null) return null;
      at = { z: at.z - 1, x: at.x >> 1, y: at.y >> 1 };
    }
    return null;
  }

  #fetch(): void {
    while (this.#fetching.size < FETCHES_MAX) {
      const place = this.#wanted.shift();
      if (place === undefined || this.options.signal.aborted) return;
      const key = keyOf(place);
      if (this.#tiles.has(key) || this.#fetching.has(key)) continue;
      this.#fetching.add(key);
      this.#read(place).then((tile) => this.#keep(key, tile), (fault: unknown) => {
        this.#keep(key, null);
        if (!this.#failed) this.options.fail(fault);
        this.#failed = true;
      }).finally(() => {
        this.#fetching.delete(key);
        this.#fetch();
      });
    }
  }

  async #read({ z, x, y }: Place): Promise<Tile | null> {
    const found = await this.archive.getZxy(z, x, y, this.options.signal);
    if (found === undefined) return null;
    if (this.kind.isVector) return { ...readVectorTile(found.data), image: null };
    const image = await createImageBitmap(new Blob([found.data]));
    return { parts: [], labels: [], image };
  }

  #keep(key: string, tile: Tile | null): void {
    this.#tiles.set(key, tile);
    for (const [oldest, old] of this.#tiles) {
      if (this.#tiles.size <= TILES_MAX) break;
      old?.image?.close();
      this.#tiles.delete(oldest);
    }
    this.version++;
    if (this.#told) return;
    this.#told = true;
    setTimeout(() => {
      this.#told = false;
      if (!this.options.signal.aborted) this.options.news();
    }, NEWS_MS);
  }
}

function keyOf({ z, x, y }: Place): string {
  return `${z}/${x}/${y}`;
}

/** Draws a tile, or the part of a larger one that lies where `cut` is. */
function drawTile(
  g: CanvasRenderingContext2D,
  view: View,
  cut: Place,
  { place, tile }: { readonly place: Place; readonly tile: Tile },
  palette: Palette,
): void {
  const side = view.scale / 2 ** cut.z;
  const whole = view.scale / 2 ** place.z;
  g.save();
  g.beginPath();
  // A little more than its own, so that no seam shows between two.
  g.rect(cut.x * side - view.left - 0.5, cut.y * side - view.top - 0.5, side + 1, side + 1);
  g.clip();
  g.translate(place.x * whole - view.left, place.y * whole - view.top);
  if (tile.image !== null) g.drawImage(tile.image, 0, 0, whole, whole);
  else {
    g.fillStyle = palette.land;
    g.fillRect(-1, -1, whole + 2, whole + 2);
    for (const part of tile.parts) part.draw(g, whole, palette);
  }
  g.restore();
}

function placed({ place, tile }: { place: Place; tile: Tile }, view: View): TileLabel[] {
  const whole = view.scale / 2 ** place.z;
  return tile.labels.map((label) => ({
    ...label,
    x: (place.x + label.x) * whole - view.left,
    y: (place.y + label.y) * whole - view.top,
  }));
}
