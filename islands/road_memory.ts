/**
 * Roads learned from the fleet's own positions.
 *
 * The map is a fine grid; each cell that vehicles pass keeps the mean of the points seen in it, and
 * each step from a cell to its neighbour is an edge. A road is so drawn once however often it is
 * driven, and memory is bounded by the length of the roads, then by `CELLS_MAX`.
 */
import { worldX, worldY } from "./mercator.ts";

/** Cells and edges kept at most: some 1,000 km of road; what comes after is not learned. */
export const CELLS_MAX = 60_000;
export const EDGES_MAX = 120_000;

/** Side of a cell as a fraction of the earth: 19 m at 60 degrees north, 38 m at the equator. */
const CELL = 2 ** -20;
/** Longer steps are no road (lost fixes), and shorter ones no movement; in cells. */
const STEP_CELLS_MAX = 40;

/** Learns and hands out road segments; positions in and segments out are in the unit square. */
export class RoadMemory {
  /** Mean position of each cell. */
  readonly x: number[] = [];
  readonly y: number[] = [];
  /** Edges: pairs of cell numbers, and how often each was driven. */
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly driven: number[] = [];
  readonly #seen: number[] = [];
  readonly #cells = new Map<number, number>();
  readonly #edges = new Map<number, number>();
  /** Last cell of each vehicle and its last position. */
  readonly #lastX = new Map<number, number>();
  readonly #lastY = new Map<number, number>();
  /** Grows with every change that a drawing would show. */
  version = 0;

  /**
   * Takes a vehicle's position in.
   *
   * @param vehicle its number
   * @param lat degrees
   * @param lon degrees
   */
  learn(vehicle: number, lat: number, lon: number): void {
    if (!Number.isFinite(lat) || !Number.isFinite(lon)) return;
    const x = worldX(lon);
    const y = worldY(lat);
    const x0 = this.#lastX.get(vehicle);
    const y0 = this.#lastY.get(vehicle);
    if (x0 === undefined || y0 === undefined) return this.#keep(vehicle, x, y);
    const cells = Math.max(Math.abs(x - x0), Math.abs(y - y0)) / CELL;
    if (cells < 0.5) return;
    this.#keep(vehicle, x, y);
    if (cells > STEP_CELLS_MAX) return;
    const steps = Math.ceil(cells * 1.5);
    let before = this.#cell(x0, y0, 0);
    for (let k = 1; k <= steps; k++) {
      const share = k / steps;
      const cell = this.#cell(x0 + (x - x0) * share, y0 + (y - y0) * share, k === steps ? 4 : 1);
      if (cell >= 0 && before >= 0 && cell !== before) this.#edge(before, cell);
      before = cell;
    }
  }

  /** Forgets where vehicles were, not the roads: their numbers may mean others from now on. */
  forgetVehicles(): void {
    this.#lastX.clear();
    this.#lastY.clear();
  }

  #keep(vehicle: number, x: number, y: number): void {
    this.#lastX.set(vehicle, x);
    this.#lastY.set(vehicle, y);
  }

  /** The cell of a point, its mean moved by the point's weight; -1 when memory is full. */
  #cell(x: number, y: number, weight: number): number {
    const key = Math.floor(x / CELL) * 2 ** 21 + Math.floor(y / CELL);
    const known = this.#cells.get(key);
    if (known === undefined) {
      if (this.x.length >= CELLS_MAX) return -1;
      this.#cells.set(key, this.x.length);
      this.#seen.push(Math.max(1, weight));
      this.y.push(y);
      return this.x.push(x) - 1;
    }
    if (weight > 0) {
      const seen = Math.min(64, this.#seen[known] + weight);
      this.#seen[known] = seen;
      this.x[known] += (x - this.x[known]) * weight / seen;
      this.y[known] += (y - this.y[known]) * weight / seen;
    }
    return known;
  }

  #edge(a: number, b: number): void {
    const key = a < b ? a * 2 ** 20 + b : b * 2 ** 20 + a;
    const known = this.#edges.get(key);
    if (known !== undefined) {
      this.driven[known]++;
      return;
    }
    if (this.from.length >= EDGES_MAX) return;
    this.#edges.set(key, this.from.length);
    this.from.push(a);
    this.to.push(b);
    this.driven.push(1);
    this.version++;
  }
}
