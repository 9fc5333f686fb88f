/** Operators of positions, and of the time where the fleet is. */
import { bringsAt, planData, valueAt } from "./plan";
import {
  E_ALL,
  E_BASE,
  E_T,
  I_A,
  I_B,
  I_BRINGS,
  I_C,
  I_DST,
  I_K0,
  I_K1,
  I_STATE,
  MASK_BYTES,
  OP_LOCAL,
  OP_POSITION,
  STEPS_PER_DEGREE,
  ZONE_MAX_X,
  ZONE_MAX_Y,
  ZONE_MIN_X,
  ZONE_MIN_Y,
} from "./plan_layout";
import { distanceMetres } from "./shared_math";
import { opLocal } from "./ops_time";
import { zoneHolds } from "./zones";

/** Whether an instruction is run by `evaluateGeo`. */
@inline
export function isGeo(op: i32): bool {
  return op >= OP_POSITION && op <= OP_LOCAL;
}

/** Runs an instruction that gives a value of positions or of local time. */
export function evaluateGeo(at: usize, op: i32, words: u32): void {
  const dst = load<i32>(at, I_DST);
  const a = load<i32>(at, I_A);
  const b = load<i32>(at, I_B);
  if (op == OP_LOCAL) return opLocal(valueAt(dst), planData + (<usize>a << 3), b, words);
  const lat = valueAt(a);
  const lon = valueAt(b);
  const c = load<i32>(at, I_C);
  if (op == OP_POSITION) {
    const state: usize = load<u32>(at, I_STATE);
    const brings = bringsAt(load<i32>(at, I_BRINGS));
    return opPosition(valueAt(dst), valueAt(dst + 1), lat, lon, state, brings, bringsAt(c), words);
  }
  const then = valueAt(<i32>load<f64>(at, I_K1));
  const reach = load<f64>(at, I_K0);
  opMoved(valueAt(dst), lat, lon, valueAt(c), then, valueAt(c + 1), reach, words);
}

/**
 * Lat and lon where both are known and last came at one T, else unknown both. State: T at which lat
 * last came, T at which lon did.
 */
function opPosition(
  dstLat: usize,
  dstLon: usize,
  lat: usize,
  lon: usize,
  state: usize,
  bringsLat: usize,
  bringsLon: usize,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const word = <usize>w << 3;
    const takenLat = load<u64>(bringsLat + word);
    const takenLon = load<u64>(bringsLon + word);
    for (let rest = load<u64>(E_ALL + word); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at: usize = load<u32>(E_BASE + (row << 2)) + state;
      const t = load<f64>(E_T + (row << 3));
      if ((takenLat >> bit) & 1) store<f64>(at, t);
      if ((takenLon >> bit) & 1) store<f64>(at, t, 8);
      let y = load<f64>(lat + (row << 3));
      let x = load<f64>(lon + (row << 3));
      if (load<f64>(at) != load<f64>(at, 8) || x != x || y != y) {
        y = NaN;
        x = NaN;
      }
      store<f64>(dstLat + (row << 3), y);
      store<f64>(dstLon + (row << 3), x);
    }
  }
}

/** Metres from a reference position whose T is at least T - reach. */
function opMoved(
  dst: usize,
  lat: usize,
  lon: usize,
  fromLat: usize,
  fromLon: usize,
  fromT: usize,
  reach: f64,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    for (let rest = load<u64>(E_ALL + (<usize>w << 3)); rest != 0; rest &= rest - 1) {
      const row = (<usize>w << 9) + (<usize>ctz(rest) << 3);
      const y = load<f64>(lat + row);
      const near = load<f64>(fromT + row) >= load<f64>(E_T + row) - reach;
      let metres = NaN;
      if (near && y == y) {
        const x = load<f64>(lon + row);
        const y0 = load<f64>(fromLat + row);
        const x0 = load<f64>(fromLon + row);
        // Most vehicles stand: the formula gives 0 for them, too.
        metres = x == x0 && y == y0 ? 0 : distanceMetres(y0, x0, y, x);
      }
      store<f64>(dst + row, metres);
    }
  }
}

/** The nearest whole step, two rows at a time. */
@inline
function toSteps(degrees: v128): v128 {
  const scaled = f64x2.mul(degrees, f64x2.splat(STEPS_PER_DEGREE));
  return f64x2.floor(f64x2.add(scaled, f64x2.splat(0.5)));
}

/**
 * Whether the position lies in the zone at a place of the data. A vehicle outside the zone's box
 * costs a share of a few comparisons of two rows.
 */
export function opInside(dst: usize, lat: usize, lon: usize, place: u32, words: u32): void {
  const zone = planData + (<usize>place << 3);
  const minX = v128.load64_splat(zone, ZONE_MIN_X);
  const maxX = v128.load64_splat(zone, ZONE_MAX_X);
  const minY = v128.load64_splat(zone, ZONE_MIN_Y);
  const maxY = v128.load64_splat(zone, ZONE_MAX_Y);
  for (let w: u32 = 0; w < words; w++) {
    const from = <usize>w << 9;
    let known: u64 = 0;
    let near: u64 = 0;
    for (let i: u64 = 0; i < 64; i += 2) {
      const y = v128.load(lat + from + (<usize>i << 3));
      const steps = toSteps(y);
      const across = toSteps(v128.load(lon + from + (<usize>i << 3)));
      const inLat = v128.and(f64x2.ge(steps, minY), f64x2.le(steps, maxY));
      const inLon = v128.and(f64x2.ge(across, minX), f64x2.le(across, maxX));
      known |= <u64>i64x2.bitmask(f64x2.eq(y, y)) << i;
      near |= <u64>i64x2.bitmask(v128.and(inLat, inLon)) << i;
    }
    let yes: u64 = 0;
    for (let rest = near & load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const y = load<f64>(lat + from + (<usize>bit << 3));
      const x = load<f64>(lon + from + (<usize>bit << 3));
      const stepsY = Math.floor(y * STEPS_PER_DEGREE + 0.5);
      const stepsX = Math.floor(x * STEPS_PER_DEGREE + 0.5);
      if (zoneHolds(zone, y, x, stepsX, stepsY)) yes |= (<u64>1) << bit;
    }
    store<u64>(dst + (w << 3), yes);
    store<u64>(dst + (w << 3), known & ~yes, MASK_BYTES);
  }
}
