/** Mean and variance weighted by elapsed time: row by row, in the order of the log. */
import { E_ALL, E_EVALUATED, E_T } from "./plan_layout";
import { baseAt } from "./ops_state";
import { exp } from "./shared_math";

// State: 0 f64 mean m   8 variance v   16 T at which x last came; where the score is asked for
//  24 T from which x has come without a gap   32 the score at the last sample evaluated, for rows
//  of silence

const X_VARIANCE: usize = 8;
const X_LAST: usize = 16;
const X_SINCE: usize = 24;
const X_SCORE: usize = 32;

/** Takes x in: m' = m + aD, v' = (1-a)(v + aDD) with a = 1 - exp(-dt/tau), D = x - m. */
function take(at: usize, t: f64, x: f64, tau: f64): void {
  const m = load<f64>(at);
  const elapsed = t - load<f64>(at, X_LAST);
  const a = 1 - exp(-elapsed / tau);
  const distance = x - m;
  const mean = m + a * distance;
  const variance = (1 - a) * (load<f64>(at, X_VARIANCE) + a * distance * distance);
  // The first, or what is no longer finite, begins anew.
  const sound = mean - mean == 0 && variance - variance == 0;
  store<f64>(at, sound ? mean : x);
  store<f64>(at, sound ? variance : 0, X_VARIANCE);
  store<f64>(at, t, X_LAST);
}

/** (x - m) / sqrt(v), if x has come for tau without a gap; `last` is when it last came. */
@inline
function score(at: usize, t: f64, last: f64, since: f64, x: f64, tau: f64, maxGap: f64): f64 {
  if (!(last - since >= tau && t - last <= maxGap)) return NaN;
  const z = (x - load<f64>(at)) / Math.sqrt(load<f64>(at, X_VARIANCE));
  return z - z == 0 ? z : NaN;
}

/** Scores the row's x against the mean before it; `comes`: x is brought and known. */
@inline
function opScore(at: usize, t: f64, x: f64, comes: bool, tau: f64, maxGap: f64): void {
  const before = load<f64>(at, X_LAST);
  const last = comes ? t : before;
  if (comes && !(t - before <= maxGap)) store<f64>(at, t, X_SINCE);
  store<f64>(at, score(at, t, last, load<f64>(at, X_SINCE), x, tau, maxGap), X_SCORE);
}

/**
 * The mean with the row's x in it; or, if `scored`, how many standard deviations x lies from the
 * mean before it.
 */
export function opWeighted(
  dst: usize,
  a: usize,
  state: usize,
  brings: usize,
  tau: f64,
  maxGap: f64,
  scored: bool,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    const evaluated = load<u64>(E_EVALUATED + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      if ((evaluated >> bit) & 1) {
        const t = load<f64>(E_T + (row << 3));
        const x = load<f64>(a + (row << 3));
        const comes = x == x && ((taken >> bit) & 1) != 0;
        if (scored) opScore(at, t, x, comes, tau, maxGap);
        if (comes) take(at, t, x, tau);
      }
      store<f64>(dst + (row << 3), scored ? load<f64>(at, X_SCORE) : load<f64>(at));
    }
  }
}
