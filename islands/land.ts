/**
 * Land as rings on the map, and the compact form in which they travel.
 *
 * The form: for each ring its number of points, then each point as the step from the one before it
 * (the first from 0, 0), in whole steps of longitude and latitude; all numbers are variable-length
 * integers of 7 bits a byte, low bits first, steps with the sign in the lowest bit.
 */
import { worldX, worldY } from "./mercator.ts";

/** Steps of a degree. */
const STEPS_PER_DEGREE = 500;

/** One closed line in the unit square of Web Mercator; its last point joins its first. */
export interface Outline {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly box: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
}

/** An outline of longitudes and latitudes in degrees, by turns. */
export function outlineOf(degrees: readonly number[]): Outline {
  const count = degrees.length >> 1;
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let k = 0; k < count; k++) {
    x[k] = worldX(degrees[2 * k]);
    y[k] = worldY(degrees[2 * k + 1]);
    box.left = Math.min(box.left, x[k]);
    box.right = Math.max(box.right, x[k]);
    box.top = Math.min(box.top, y[k]);
    box.bottom = Math.max(box.bottom, y[k]);
  }
  return { x, y, box };
}

/** Packs rings of longitudes and latitudes in degrees, by turns; exact to 0.001 degrees. */
export function packLand(rings: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const put = (value: number) => {
    for (; value > 127; value = Math.floor(value / 128)) bytes.push(value & 127 | 128);
    bytes.push(value);
  };
  for (const ring of rings) {
    const steps = ring.map((degrees) => Math.round(degrees * STEPS_PER_DEGREE));
    put(steps.length / 2);
    steps.forEach((value, k) => {
      const step = value - (steps[k - 2] ?? 0);
      put(step < 0 ? -2 * step - 1 : 2 * step);
    });
  }
  return new Uint8Array(bytes);
}

/** Unpacks what `packLand` made. @throws {RangeError} if it ends within a ring */
export function unpackLand(bytes: Uint8Array): Outline[] {
  let at = 0;
  const take = () => {
    let value = 0;
    for (let unit = 1;; unit *= 128) {
      if (at >= bytes.length) {
        throw new RangeError(`Cannot read the land as its ${bytes.length} bytes end within a ring`);
      }
      const byte = bytes[at++];
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  const outlines: Outline[] = [];
  while (at < bytes.length) {
    const count = take();
    const degrees: number[] = [];
    let last: readonly [number, number] = [0, 0];
    for (let k = 0; k < count; k++) {
      last = [last[0] + unsigned(take()), last[1] + unsigned(take())];
      degrees.push(last[0] / STEPS_PER_DEGREE, last[1] / STEPS_PER_DEGREE);
    }
    outlines.push(outlineOf(degrees));
  }
  return outlines;
}

function unsigned(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
