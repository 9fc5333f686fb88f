/// <reference lib="dom" />
/** What lies under the vehicles: land, graticule, zones, roads, trails. Drawn aside and kept. */
import type { Outline } from "./land.ts";
import {
  drawLand,
  drawZones,
  type TileGround,
  type View as Ground,
  type ZoneShape,
} from "./map_ground.ts";
import type { Motion } from "./motion.ts";
import { TRAIL_POINTS } from "./motion.ts";
import { type Camera, latOf, lonOf, worldPixels, worldX, worldY } from "./mercator.ts";
import type { Palette } from "./map_shapes.ts";
import type { RoadMemory } from "./road_memory.ts";

/** The picture reaches beyond the screen by this share of it on each side. */
const MARGIN = 0.25;
/** Redrawn at most this often while the camera moves or roads are learned, milliseconds. */
const REDRAW_MS_MOVING = 120;
const REDRAW_MS_LEARNING = 1500;
/** A road driven this often is drawn as a main one. */
const MAIN_ROAD_DRIVEN = 12;

/** What the picture shows. */
export interface BaseInput {
  readonly camera: Camera;
  /** Screen in CSS pixels, and device pixels per one. */
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
  readonly palette: Palette;
  readonly roads: RoadMemory;
  /** Coastlines; null until they are there. */
  readonly land: readonly Outline[] | null;
  readonly zones: readonly ZoneShape[];
  /** A base map of the operator's own; null for none. */
  readonly tiles: TileGround | null;
  /** Trails of these vehicles, or null for none. */
  readonly trails: { readonly motion: Motion; readonly numbers: readonly number[] } | null;
  /** Milliseconds, any origin. */
  readonly time: number;
}

/** Keeps the picture and draws it again when it no longer fits. */
export class BaseLayer {
  readonly #canvas = document.createElement("canvas");
  #tilesVersion = 0;
  #drawn: (BaseInput & { readonly roadsVersion: number }) | null = null;

  /** Puts the picture on the screen, drawing it afresh first where it must be. */
  paint(g: CanvasRenderingContext2D, input: BaseInput): void {
    if (this.#mustRedraw(input)) this.#redraw(input);
    const drawn = this.#drawn;
    if (drawn === null) return;
    const scale = worldPixels(input.camera.zoom);
    const share = 2 ** (input.camera.zoom - drawn.camera.zoom);
    const wide = drawn.width * (1 + 2 * MARGIN) * share;
    const high = drawn.height * (1 + 2 * MARGIN) * share;
    const dx = (worldX(drawn.camera.lon) - worldX(input.camera.lon)) * scale;
    const dy = (worldY(drawn.camera.lat) - worldY(input.camera.lat)) * scale;
    g.fillStyle = input.palette.land;
    g.fillRect(0, 0, input.width, input.height);
    const x = input.width / 2 + dx - wide / 2;
    const y = input.height / 2 + dy - high / 2;
    g.drawImage(this.#canvas, x, y, wide, high);
  }

  /** Whether roads or trails have changed so that the picture is due soon. */
  isStale(input: BaseInput): boolean {
    const drawn = this.#drawn;
    return drawn === null || drawn.roadsVersion !== input.roads.version || input.trails !== null;
  }

  #mustRedraw(input: BaseInput): boolean {
    const drawn = this.#drawn;
    if (
      drawn === null || drawn.width !== input.width || drawn.height !== input.height ||
      drawn.ratio !== input.ratio || drawn.palette !== input.palette ||
      drawn.land !== input.land || drawn.zones !== input.zones ||
      (drawn.trails === null) !== (input.trails === null)
    ) return true;
    const age = input.time - drawn.time;
    const hasNews = this.#tilesVersion !== (input.tiles?.version ?? 0);
    if (hasNews || !this.#covers(drawn, input)) return age >= REDRAW_MS_MOVING;
    return age >= REDRAW_MS_LEARNING && this.isStale(input);
  }

  #covers(drawn: BaseInput, input: BaseInput): boolean {
    if (drawn.camera.zoom !== input.camera.zoom) return false;
    const scale = worldPixels(input.camera.zoom);
    const dx = Math.abs(worldX(drawn.camera.lon) - worldX(input.camera.lon)) * scale;
    const dy = Math.abs(worldY(drawn.camera.lat) - worldY(input.camera.lat)) * scale;
    return dx <= input.width * MARGIN && dy <= input.height * MARGIN;
  }

  #redraw(input: BaseInput): void {
    const { camera, ratio } = input;
    const width = input.width * (1 + 2 * MARGIN);
    const height = input.height * (1 + 2 * MARGIN);
    this.#canvas.width = Math.max(1, Math.round(width * ratio));
    this.#canvas.height = Math.max(1, Math.round(height * ratio));
    const g = this.#canvas.getContext("2d");
    if (g === null) return;
    g.scale(ratio, ratio);
    g.fillStyle = input.palette.land;
    g.fillRect(0, 0, width, height);
    const view = viewOf(camera, width, height);
    if (input.land !== null) drawLand(g, view, input.land, input.palette);
    this.#tilesVersion = input.tiles?.version ?? 0;
    input.tiles?.draw(g, view, input.palette);
    drawGraticule(g, view, input.palette);
    drawRoads(g, view, input);
    drawZones(g, view, input.zones, input.palette);
    if (input.trails !== null) drawTrails(g, view, input);
    this.#drawn = { ...input, roadsVersion: input.roads.version };
  }
}

interface View extends Ground {
  readonly zoom: number;
}

function viewOf(camera: Camera, width: number, height: number): View {
  const scale = worldPixels(camera.zoom);
  const left = worldX(camera.lon) * scale - width / 2;
  const top = worldY(camera.lat) * scale - height / 2;
  return { left, top, scale, width, height, zoom: camera.zoom };
}

function drawGraticule(g: CanvasRenderingContext2D, view: View, palette: Palette): void {
  const { left, top, scale, width, height } = view;
  const degreesPerPixel = 360 / scale;
  const step = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
    .find((degrees) => degrees / degreesPerPixel >= 140) ?? 30;
  const west = lonOf(left / scale);
  const east = lonOf((left + width) / scale);
  const north = latOf(top / scale);
  const south = latOf((top + height) / scale);
  g.strokeStyle = palette.grid;
  g.lineWidth = 1;
  g.beginPath();
  for (let k = Math.ceil(west / step); k * step <= east; k++) {
    const x = Math.round(worldX(k * step) * scale - left) + 0.5;
    g.moveTo(x, 0);
    g.lineTo(x, height);
  }
  for (let k = Math.ceil(south / step); k * step <= north; k++) {
    const y = Math.round(worldY(k * step) * scale - top) + 0.5;
    g.moveTo(0, y);
    g.lineTo(width, y);
  }
  g.stroke();
}

function drawRoads(g: CanvasRenderingContext2D, view: View, input: BaseInput): void {
  const { roads, palette } = input;
  const { left, top, scale, width, height } = view;
  const wider = Math.min(3, Math.max(0.9, (view.zoom - 8) / 3));
  g.strokeStyle = palette.road;
  g.lineCap = "round";
  for (const main of [false, true]) {
    g.lineWidth = (main ? 2 : 1) * wider;
    g.globalAlpha = main ? 1 : 0.75;
    g.beginPath();
    for (let k = 0; k < roads.from.length; k++) {
      if (roads.driven[k] >= MAIN_ROAD_DRIVEN !== main) continue;
      const a = roads.from[k];
      const b = roads.to[k];
      const x = roads.x[a] * scale - left;
      const y = roads.y[a] * scale - top;
      if (x < -50 || y < -50 || x > width + 50 || y > height + 50) continue;
      g.moveTo(x, y);
      g.lineTo(roads.x[b] * scale - left, roads.y[b] * scale - top);
    }
    g.stroke();
  }
  g.globalAlpha = 1;
}

function drawTrails(g: CanvasRenderingContext2D, view: View, input: BaseInput): void {
  if (input.trails === null) return;
  const { motion, numbers } = input.trails;
  const { left, top, scale } = view;
  g.strokeStyle = input.palette.normal;
  g.globalAlpha = 0.55;
  g.lineWidth = 1.5;
  g.lineJoin = "round";
  g.beginPath();
  for (const number of numbers) {
    const count = motion.trailCount[number];
    for (let k = 0; k < count; k++) {
      const ring = (motion.trailNext[number] - count + k + TRAIL_POINTS) % TRAIL_POINTS;
      const x = motion.trailX[number * TRAIL_POINTS + ring] * scale - left;
      const y = motion.trailY[number * TRAIL_POINTS + ring] * scale - top;
      if (k === 0) g.moveTo(x, y);
      else g.lineTo(x, y);
    }
  }
  g.stroke();
  g.globalAlpha = 1;
}
