/// <reference lib="dom" />
/** The fleet on a canvas: arrows that glide, shapes for what is out of kilter, nothing foreign. */
import { VEHICLE_STATES } from "../contract/views.ts";
import type { FleetColumns } from "./decode_frame.ts";
import { type FleetFilter, passes } from "./fleet_filter.ts";
import type { Outline } from "./land.ts";
import { BaseLayer } from "./map_base.ts";
import type { TileGround, ZoneShape } from "./map_ground.ts";
import {
  arrowPath,
  circlePath,
  drawLabel,
  drawRing,
  drawSeverity,
  type Palette,
  readPalette,
} from "./map_shapes.ts";
import { boundsOf, type Camera, clamp, fitted, worldPixels, worldX, worldY } from "./mercator.ts";
import { Motion } from "./motion.ts";
import { RoadMemory } from "./road_memory.ts";
import { severityOfLevel } from "./severity.ts";
import { visibleText } from "./visible_text.ts";

/** Above this many vehicles on the screen, cells with counts are drawn in place of arrows. */
export const DENSITY_ABOVE = 3000;

const HIT_PIXELS = 16;
const DENSITY_PIXELS = 18;
const MOVING = VEHICLE_STATES.indexOf("moving");
const STALE = VEHICLE_STATES.indexOf("stale");

/** What the map shows beside the fleet. */
export interface MapChoice {
  readonly filter: FleetFilter;
  /** Part of the ids shown, in small letters; "" for all. */
  readonly name: string;
  readonly trails: boolean;
  /** Id of the selected vehicle, "" for none. */
  readonly selected: string;
}

/** Draws the fleet. Owns the canvas; `destroy` ends it. */
export class MapLayer {
  camera: Camera = { lat: 20, lon: 0, zoom: 2 };
  /** Words beside a vehicle's id in its label. */
  describe: (number: number) => string = () => "";
  readonly roads = new RoadMemory();
  readonly motion = new Motion();
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #base = new BaseLayer();
  readonly #reduced = matchMedia("(prefers-reduced-motion: reduce)");
  #palette: Palette;
  #columns: FleetColumns;
  #choice: MapChoice = { filter: "all", name: "", trails: false, selected: "" };
  #hovered = -1;
  #land: readonly Outline[] | null = null;
  #zones: readonly ZoneShape[] = [];
  #tiles: TileGround | null = null;
  #width = 1;
  #height = 1;
  #request = 0;
  /** Vehicles on the screen as of the last drawing, and where. */
  #visible: number[] = [];
  #x = new Float32Array(0);
  #y = new Float32Array(0);

  constructor(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, fleet: FleetColumns) {
    this.#canvas = canvas;
    this.#context = context;
    this.#columns = fleet;
    this.#palette = readPalette(canvas);
  }

  /** Size of the screen in CSS pixels. */
  get size(): { readonly width: number; readonly height: number } {
    return { width: this.#width, height: this.#height };
  }

  /** Takes a new state of the fleet: vehicles begin to glide there. */
  update(columns: FleetColumns): void {
    this.#columns = columns;
    const renamed = this.motion.retarget(columns, performance.now(), !this.#reduced.matches);
    if (renamed) this.roads.forgetVehicles();
    for (let number = 0; number < columns.size; number++) {
      if (columns.state[number] === MOVING) {
        this.roads.learn(number, columns.lat[number], columns.lon[number]);
      }
    }
    this.draw();
  }

  /** Takes what is to be shown. */
  choose(choice: MapChoice): void {
    this.#choice = choice;
    this.draw();
  }

  /** Takes the ground: coastlines (null: as before) and zones. */
  ground(land: readonly Outline[] | null, zones: readonly ZoneShape[]): void {
    this.#land = land ?? this.#land;
    this.#zones = zones;
    this.draw();
  }

  /** Takes a base map of the operator's own. */
  tiles(tiles: TileGround): void {
    this.#tiles = tiles;
    this.draw();
  }

  /** Marks the vehicle under the pointer, -1 for none. */
  hover(number: number): void {
    if (number === this.#hovered) return;
    this.#hovered = number;
    this.draw();
  }

  /** Takes the canvas's size and the page's colours over; call when either has changed. */
  resize(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = this.#ratio();
    this.#width = Math.max(1, clientWidth);
    this.#height = Math.max(1, clientHeight);
    this.#canvas.width = Math.round(this.#width * ratio);
    this.#canvas.height = Math.round(this.#height * ratio);
    this.#palette = readPalette(this.#canvas);
    this.#paint(performance.now());
  }

  /** Looks elsewhere. */
  look(camera: Camera): void {
    this.camera = camera;
    this.draw();
  }

  /** The camera over the whole fleet; null while no vehicle has a position. */
  overFleet(): Camera | null {
    const { lat, lon, size, ids } = this.#columns;
    const lats: number[] = [];
    const lons: number[] = [];
    for (let k = 0; k < size; k++) {
      if (ids[k] === "" || lat[k] !== lat[k] || lon[k] !== lon[k]) continue;
      lats.push(lat[k]);
      lons.push(lon[k]);
    }
    const bounds = boundsOf(lats, lons);
    return bounds === null ? null : fitted(bounds, this.#width, this.#height);
  }

  /** Whether a point of the earth is on the screen, not too near its edge. */
  isInView(lat: number, lon: number): boolean {
    const scale = worldPixels(this.camera.zoom);
    const x = (worldX(lon) - worldX(this.camera.lon)) * scale;
    const y = (worldY(lat) - worldY(this.camera.lat)) * scale;
    return Math.abs(x) < this.#width / 2 - 24 && Math.abs(y) < this.#height / 2 - 24;
  }

  /** The vehicle drawn nearest to a point of the canvas, -1 if none is near. */
  hit(x: number, y: number): number {
    let best = -1;
    let bestDistance = HIT_PIXELS ** 2;
    for (const number of this.#visible) {
      const distance = (this.#x[number] - x) ** 2 + (this.#y[number] - y) ** 2;
      // What is out of kilter lies on top and is hit first.
      const weighed = this.#columns.severity[number] > 0 ? distance / 2 : distance;
      if (weighed < bestDistance) {
        best = number;
        bestDistance = weighed;
      }
    }
    return best;
  }

  /** Draws with the next frame, and goes on for as long as anything glides. */
  draw(): void {
    if (this.#request !== 0) return;
    this.#request = requestAnimationFrame(() => {
      this.#request = 0;
      if (this.#paint(performance.now())) this.draw();
    });
  }

  /** Draws no more. */
  destroy(): void {
    cancelAnimationFrame(this.#request);
  }

  #ratio(): number {
    return clamp(globalThis.devicePixelRatio || 1, 1, 2);
  }

  /** @returns whether it must be drawn again with the next frame */
  #paint(time: number): boolean {
    const g = this.#context;
    const ratio = this.#ratio();
    const gliding = this.motion.advance(time, this.#columns.size);
    this.#project();
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#base.paint(g, {
      camera: this.camera,
      width: this.#width,
      height: this.#height,
      ratio,
      palette: this.#palette,
      roads: this.roads,
      land: this.#land,
      zones: this.#zones,
      tiles: this.#tiles,
      trails: this.#choice.trails ? { motion: this.motion, numbers: this.#visible } : null,
      time,
    });
    const isCrowd = this.#visible.length > DENSITY_ABOVE;
    if (isCrowd) this.#drawDensity(g);
    else this.#drawVehicles(g);
    // Pixels do not tell a program which of the two they show.
    const drawn = isCrowd ? "density" : "vehicles";
    if (this.#canvas.dataset.drawn !== drawn) this.#canvas.dataset.drawn = drawn;
    this.#drawSeverities(g);
    this.#drawMarks(g);
    return gliding;
  }

  /** Finds what is on the screen, and where. */
  #project(): void {
    const { size } = this.#columns;
    if (this.#x.length < size) {
      this.#x = new Float32Array(Math.max(256, size * 2));
      this.#y = new Float32Array(this.#x.length);
    }
    const scale = worldPixels(this.camera.zoom);
    const left = worldX(this.camera.lon) * scale - this.#width / 2;
    const top = worldY(this.camera.lat) * scale - this.#height / 2;
    const visible: number[] = [];
    for (let k = 0; k < size; k++) {
      const x = this.motion.x[k] * scale - left;
      const y = this.motion.y[k] * scale - top;
      if (!(x > -20 && y > -20 && x < this.#width + 20 && y < this.#height + 20)) continue;
      if (!passes(this.#columns, k, this.#choice.filter, this.#choice.name)) continue;
      this.#x[k] = x;
      this.#y[k] = y;
      visible.push(k);
    }
    this.#visible = visible;
  }

  #drawVehicles(g: CanvasRenderingContext2D): void {
    const { state, severity } = this.#columns;
    // Many vehicles on one screen are drawn smaller, so that roads do not clog.
    const crowd = clamp(Math.sqrt(500 / Math.max(1, this.#visible.length)), 0.6, 1);
    const r = clamp(4 + (this.camera.zoom - 10) * 0.4, 3.8, 7) * crowd;
    g.fillStyle = this.#palette.normal;
    g.strokeStyle = this.#palette.normal;
    g.lineWidth = 1.5;
    g.beginPath();
    for (const k of this.#visible) {
      const angle = this.motion.angle[k];
      if (state[k] !== MOVING || severity[k] > 0 || angle !== angle) continue;
      arrowPath(g, this.#x[k], this.#y[k], angle, r);
    }
    g.fill();
    for (const stale of [false, true]) {
      g.globalAlpha = stale ? 0.5 : 1;
      g.setLineDash(stale ? [2, 2] : []);
      g.beginPath();
      for (const k of this.#visible) {
        const angle = this.motion.angle[k];
        const stands = state[k] !== MOVING || angle !== angle;
        if (!stands || severity[k] > 0 || (state[k] === STALE) !== stale) continue;
        circlePath(g, this.#x[k], this.#y[k], r * 0.75);
      }
      g.stroke();
    }
    g.globalAlpha = 1;
    g.setLineDash([]);
  }

  #drawDensity(g: CanvasRenderingContext2D): void {
    const columns = Math.ceil(this.#width / DENSITY_PIXELS) + 4;
    const cells = new Map<number, number>();
    for (const k of this.#visible) {
      const column = Math.floor(this.#x[k] / DENSITY_PIXELS) + 2;
      const cell = (Math.floor(this.#y[k] / DENSITY_PIXELS) + 2) * columns + column;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
    }
    g.fillStyle = this.#palette.normal;
    for (const [cell, count] of cells) {
      const x = (cell % columns - 1.5) * DENSITY_PIXELS;
      const y = (Math.floor(cell / columns) - 1.5) * DENSITY_PIXELS;
      g.globalAlpha = clamp(0.25 + Math.log2(count) * 0.12, 0.25, 0.95);
      const side = clamp(4 + Math.sqrt(count) * 2, 5, DENSITY_PIXELS - 2);
      g.fillRect(x - side / 2, y - side / 2, side, side);
    }
    g.globalAlpha = 1;
  }

  /** Mildest first, so that the worst lies on top. */
  #drawSeverities(g: CanvasRenderingContext2D): void {
    const { severity } = this.#columns;
    const count = this.#visible.reduce((sum, k) => sum + (severity[k] > 0 ? 1 : 0), 0);
    const size = clamp(Math.sqrt(40 / Math.max(1, count)), 0.6, 1);
    for (let level = 1; level <= 3; level++) {
      const name = severityOfLevel(level);
      if (name === null) continue;
      for (const k of this.#visible) {
        if (severity[k] !== level) continue;
        drawSeverity(g, name, this.#x[k], this.#y[k], size, this.#palette);
      }
    }
  }

  #drawMarks(g: CanvasRenderingContext2D): void {
    const selected = this.#columns.numberOf(this.#choice.selected);
    const marked = new Set([this.#hovered, selected]);
    for (const k of marked) {
      if (k < 0 || !this.#visible.includes(k)) continue;
      const x = this.#x[k];
      const y = this.#y[k];
      if (k === selected) drawRing(g, x, y, this.#palette);
      const text = { title: visibleText(this.#columns.ids[k]), rest: this.describe(k) };
      drawLabel(g, text, x, y, this.#width, this.#palette);
    }
  }
}
