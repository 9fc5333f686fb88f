/** Gliding: where each vehicle is drawn between two positions that the stream told. */
import type { FleetColumns } from "./decode_frame.ts";
import { worldX, worldY } from "./mercator.ts";

/** A glide lasts as long as the step before it took, within these bounds; milliseconds. */
const GLIDE_MS_MIN = 200;
const GLIDE_MS_MAX = 1500;
/** Positions kept per vehicle for its trail, and of how many vehicles: 512 bytes each. */
export const TRAIL_POINTS = 32;
const TRAIL_VEHICLES_MAX = 5000;

/** Positions in the unit square of Web Mercator, by vehicle number. */
export class Motion {
  /** Where vehicles are drawn, as of the last `advance`; NaN without position. */
  x = new Float64Array(0);
  y = new Float64Array(0);
  /** Radians clockwise from north; NaN while unknown. */
  angle = new Float32Array(0);
  /** Rings of past positions: `TRAIL_POINTS` per vehicle. */
  trailX = new Float64Array(0);
  trailY = new Float64Array(0);
  /** How many points of each ring are set, and where the next goes. */
  trailCount = new Uint8Array(0);
  trailNext = new Uint8Array(0);
  #fromX = new Float64Array(0);
  #fromY = new Float64Array(0);
  #toX = new Float64Array(0);
  #toY = new Float64Array(0);
  #fromAngle = new Float32Array(0);
  #toAngle = new Float32Array(0);
  #start = new Float64Array(0);
  #length = new Float32Array(0);
  #append = new Float64Array(0);
  #ids: string[] = [];

  /**
   * Takes the columns' positions as the new goals.
   *
   * @param time the clock of `advance`, milliseconds
   * @param glide false to jump, as those want who asked for reduced motion
   * @returns whether a number now means another vehicle than before
   */
  retarget(columns: FleetColumns, time: number, glide: boolean): boolean {
    this.#reserve(columns.size);
    let renamed = false;
    for (let k = 0; k < columns.size; k++) {
      const isSame = this.#ids[k] === columns.ids[k];
      if (isSame && this.#append[k] === columns.append[k]) continue;
      const x = worldX(columns.lon[k]);
      const y = worldY(columns.lat[k]);
      const step = columns.append[k] - this.#append[k];
      this.#append[k] = columns.append[k];
      if (!isSame) {
        renamed ||= this.#ids[k] !== undefined && this.#ids[k] !== "";
        this.#begin(k, columns.ids[k]);
      }
      const angle = columns.heading[k] * Math.PI / 180;
      const jumps = !glide || !isSame || this.x[k] !== this.x[k];
      this.#fromX[k] = jumps ? x : this.x[k];
      this.#fromY[k] = jumps ? y : this.y[k];
      this.#fromAngle[k] = jumps || this.angle[k] !== this.angle[k] ? angle : this.angle[k];
      if (x !== this.#toX[k] || y !== this.#toY[k]) this.#trail(k, x, y);
      this.#toX[k] = x;
      this.#toY[k] = y;
      this.#toAngle[k] = angle;
      this.#length[k] = Math.min(GLIDE_MS_MAX, Math.max(GLIDE_MS_MIN, step));
      // What jumps is there already: nothing of it has to be drawn again until it moves.
      this.#start[k] = jumps ? time - this.#length[k] : time;
    }
    return renamed;
  }

  /** Moves every vehicle to where it is at a time; returns whether any is still gliding. */
  advance(time: number, size: number): boolean {
    let gliding = false;
    const count = Math.min(size, this.x.length);
    for (let k = 0; k < count; k++) {
      const share = (time - this.#start[k]) / this.#length[k];
      if (share >= 1) {
        this.x[k] = this.#toX[k];
        this.y[k] = this.#toY[k];
        this.angle[k] = this.#toAngle[k];
        continue;
      }
      gliding = true;
      this.x[k] = this.#fromX[k] + (this.#toX[k] - this.#fromX[k]) * share;
      this.y[k] = this.#fromY[k] + (this.#toY[k] - this.#fromY[k]) * share;
      // The turn takes the first half of the way and the shorter side.
      const turn = Math.min(1, share * 2);
      this.angle[k] = this.#fromAngle[k] + shorterTurn(this.#fromAngle[k], this.#toAngle[k]) * turn;
    }
    return gliding;
  }

  #begin(k: number, id: string): void {
    this.#ids[k] = id;
    this.x[k] = NaN;
    this.y[k] = NaN;
    this.trailCount[k] = 0;
    this.trailNext[k] = 0;
  }

  #trail(k: number, x: number, y: number): void {
    if (x !== x || y !== y || k >= TRAIL_VEHICLES_MAX) return;
    const at = k * TRAIL_POINTS + this.trailNext[k];
    this.trailX[at] = x;
    this.trailY[at] = y;
    this.trailNext[k] = (this.trailNext[k] + 1) % TRAIL_POINTS;
    this.trailCount[k] = Math.min(TRAIL_POINTS, this.trailCount[k] + 1);
  }

  #reserve(count: number): void {
    const capacity = this.x.length;
    if (count <= capacity) return;
    const grown = Math.max(256, count, capacity * 2);
    const doubles = (old: Float64Array, length: number, fill: number) => {
      const array = new Float64Array(length).fill(fill);
      array.set(old);
      return array;
    };
    const floats = (old: Float32Array) => {
      const array = new Float32Array(grown).fill(NaN);
      array.set(old);
      return array;
    };
    const bytes = (old: Uint8Array) => {
      const array = new Uint8Array(grown);
      array.set(old);
      return array;
    };
    this.x = doubles(this.x, grown, NaN);
    this.y = doubles(this.y, grown, NaN);
    this.#fromX = doubles(this.#fromX, grown, NaN);
    this.#fromY = doubles(this.#fromY, grown, NaN);
    this.#toX = doubles(this.#toX, grown, NaN);
    this.#toY = doubles(this.#toY, grown, NaN);
    this.#start = doubles(this.#start, grown, 0);
    this.#append = doubles(this.#append, grown, 0);
    const trails = Math.min(grown, TRAIL_VEHICLES_MAX) * TRAIL_POINTS;
    this.trailX = doubles(this.trailX, trails, NaN);
    this.trailY = doubles(this.trailY, trails, NaN);
    this.angle = floats(this.angle);
    this.#fromAngle = floats(this.#fromAngle);
    this.#toAngle = floats(this.#toAngle);
    this.#length = floats(this.#length);
    this.trailCount = bytes(this.trailCount);
    this.trailNext = bytes(this.trailNext);
  }
}

/** The turn from one angle to another on the shorter side, radians from -pi to pi. */
export function shorterTurn(from: number, to: number): number {
  const turn = (to - from) % (2 * Math.PI);
  if (turn > Math.PI) return turn - 2 * Math.PI;
  if (turn < -Math.PI) return turn + 2 * Math.PI;
  return turn;
}
