//! What a vehicle keeps for the functions that the rules use: fixed arrays, nothing allocated.

/// true, false, or nothing for unknown.
pub type Truth = Option<bool>;

pub const MAX_GAP_MS: f64 = 120_000.0;

#[inline]
pub fn above(x: f64, limit: f64) -> Truth {
    if x.is_nan() { None } else { Some(x > limit) }
}

#[inline]
pub fn below(x: f64, limit: f64) -> Truth {
    if x.is_nan() { None } else { Some(x < limit) }
}

/// Kleene's and.
#[inline]
pub fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Kleene's or.
#[inline]
pub fn or(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// The last value of a signal.
#[derive(Clone, Copy)]
pub struct LastValue {
    pub value: f64,
    pub t: f64,
}

impl LastValue {
    pub const NEW: Self = LastValue { value: f64::NAN, t: f64::NEG_INFINITY };

    /// Takes in what came (NaN: nothing) and gives the value at T.
    #[inline]
    pub fn take(&mut self, t: f64, x: f64, stale_ms: f64) -> f64 {
        if !x.is_nan() {
            *self = LastValue { value: x, t };
            x
        } else if t - self.t > stale_ms {
            f64::NAN
        } else {
            self.value
        }
    }
}

/// Things kept oldest first, at most N, in place.
#[derive(Clone)]
struct Ring<T: Copy, const N: usize> {
    items: [T; N],
    first: u8,
    count: u8,
}

impl<T: Copy, const N: usize> Ring<T, N> {
    const fn new(empty: T) -> Self {
        Ring { items: [empty; N], first: 0, count: 0 }
    }

    #[inline]
    fn place(&self, i: usize) -> usize {
        let place = self.first as usize + i;
        if place >= N { place - N } else { place }
    }

    #[inline]
    fn len(&self) -> usize {
        self.count as usize
    }

    #[inline]
    fn get(&self, i: usize) -> &T {
        &self.items[self.place(i)]
    }

    #[inline]
    fn last_mut(&mut self) -> Option<&mut T> {
        if self.count == 0 {
            return None;
        }
        let place = self.place(self.len() - 1);
        Some(&mut self.items[place])
    }

    #[inline]
    fn push(&mut self, item: T) {
        let place = self.place(self.len());
        self.items[place] = item;
        self.count += 1;
    }

    #[inline]
    fn drop_first(&mut self) {
        self.first = self.place(1) as u8;
        self.count -= 1;
    }
}

/// What `delta` and `rate` over a duration look back to: the last sample of each slot.
#[derive(Clone)]
pub struct Slots {
    kept: Ring<(f64, f64), 19>,
}

impl Slots {
    pub const NEW: Self = Slots { kept: Ring::new((0.0, 0.0)) };

    /// T and value of the sample that a difference at T is from, NaN if there is none.
    #[inline]
    pub fn step(&mut self, t: f64, x: f64, duration_ms: f64) -> (f64, f64) {
        let width = (duration_ms / 16.0).max(10.0);
        let kept = &mut self.kept;
        let before = t - duration_ms;
        while kept.len() > 1 && kept.get(1).0 <= before {
            kept.drop_first();
        }
        if !x.is_nan() {
            match kept.last_mut() {
                Some(last) if (last.0 / width).floor() == (t / width).floor() => *last = (t, x),
                _ => kept.push((t, x)),
            }
        }
        // The sample itself is never the reference: it lies after T - d.
        if kept.len() == 0 {
            return (f64::NAN, f64::NAN);
        }
        let first = *kept.get(0);
        if first.0 > before || first.0 < before - MAX_GAP_MS {
            return (f64::NAN, f64::NAN);
        }
        first
    }
}

/// A pane that says how its samples are taken together.
pub trait Pane: Copy {
    const EMPTY: Self;
    fn of(x: f64) -> Self;
    fn take(&mut self, x: f64);
}

#[derive(Clone, Copy)]
pub struct Total {
    pub sum: f64,
    pub count: u32,
}

impl Pane for Total {
    const EMPTY: Self = Total { sum: 0.0, count: 0 };
    #[inline]
    fn of(x: f64) -> Self {
        Total { sum: x, count: 1 }
    }
    #[inline]
    fn take(&mut self, x: f64) {
        self.sum += x;
        self.count += 1;
    }
}

#[derive(Clone, Copy)]
pub struct Extremes {
    pub least: f64,
    pub greatest: f64,
}

impl Pane for Extremes {
    const EMPTY: Self = Extremes { least: f64::INFINITY, greatest: f64::NEG_INFINITY };
    #[inline]
    fn of(x: f64) -> Self {
        Extremes { least: x, greatest: x }
    }
    #[inline]
    fn take(&mut self, x: f64) {
        self.least = self.least.min(x);
        self.greatest = self.greatest.max(x);
    }
}

/// The last minute of a value, in panes; empty ones are not kept.
#[derive(Clone)]
pub struct Minute<P: Pane> {
    panes: Ring<(u32, P), 34>,
    since: f64,
    last: f64,
}

const MINUTE_MS: f64 = 60_000.0;
const PANE_MS: f64 = MINUTE_MS / 32.0;

impl<P: Pane> Minute<P> {
    pub const NEW: Self =
        Minute { panes: Ring::new((0, P::EMPTY)), since: f64::NAN, last: f64::NAN };

    /// Moves on to T and takes in what came (NaN: nothing).
    #[inline]
    pub fn step(&mut self, t: f64, x: f64) {
        let panes = &mut self.panes;
        // Numbers of panes are counted from 2025: they then fit into 32 bits.
        let index_of = |ms: f64| ((ms / PANE_MS).floor() - EPOCH_PANES) as u32;
        let before = t - MINUTE_MS;
        while panes.len() > 0 && (f64::from(panes.get(0).0) + EPOCH_PANES + 1.0) * PANE_MS <= before {
            panes.drop_first();
        }
        if x.is_nan() {
            return;
        }
        let index = index_of(t);
        match panes.last_mut() {
            Some((at, pane)) if *at == index => pane.take(x),
            _ => panes.push((index, P::of(x))),
        }
        if !(t - self.last <= MAX_GAP_MS) {
            self.since = t;
        }
        self.last = t;
    }

    #[inline]
    fn full(&self, t: f64) -> bool {
        self.last - self.since >= MINUTE_MS && t - self.last <= MAX_GAP_MS
    }

    #[inline]
    fn each(&self) -> impl Iterator<Item = &P> {
        (0..self.panes.len()).map(|i| &self.panes.get(i).1)
    }
}

const EPOCH_PANES: f64 = 934_000_000.0;

impl Minute<Total> {
    /// Mean, once x has come for the whole minute.
    #[inline]
    pub fn average(&self, t: f64) -> f64 {
        if !self.full(t) {
            return f64::NAN;
        }
        let mut panes = self.each();
        let Some(first) = panes.next() else { return f64::NAN };
        let (sum, count) =
            panes.fold((first.sum, first.count), |(sum, n), pane| (sum + pane.sum, n + pane.count));
        sum / f64::from(count)
    }

    #[inline]
    pub fn count(&self) -> f64 {
        f64::from(self.each().map(|pane| pane.count).sum::<u32>())
    }
}

impl Minute<Extremes> {
    /// Greatest less least.
    #[inline]
    pub fn spread(&self) -> f64 {
        if self.panes.len() == 0 {
            return f64::NAN;
        }
        let (least, greatest) = self
            .each()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), pane| {
                (least.min(pane.least), greatest.max(pane.greatest))
            });
        greatest - least
    }
}

/// A mean weighted by elapsed time.
#[derive(Clone, Copy)]
pub struct WeightedMean {
    mean: f64,
    last: f64,
}

impl WeightedMean {
    pub const NEW: Self = WeightedMean { mean: f64::NAN, last: f64::NAN };

    #[inline]
    pub fn step(&mut self, t: f64, x: f64, tau_ms: f64) -> f64 {
        if x.is_nan() {
            return self.mean;
        }
        let a = 1.0 - exp(-(t - self.last) / tau_ms);
        let mean = self.mean + a * (x - self.mean);
        self.mean = if mean.is_finite() { mean } else { x };
        self.last = t;
        self.mean
    }
}

/// e^x as `rules-wasm/assembly/shared_math.ts` has it, for x of at most 0: bit for bit the same.
#[inline]
fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < -700.0 {
        return 0.0;
    }
    let k = (x * 1.4426950408889634 + 0.5).floor();
    let high = x - k * 0.6931471803691238;
    let low = k * 1.9082149292705877e-10;
    let r = high - low;
    const SERIES: [f64; 12] = [
        1.0 / 6227020800.0,
        1.0 / 479001600.0,
        1.0 / 39916800.0,
        1.0 / 3628800.0,
        1.0 / 362880.0,
        1.0 / 40320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    let series = SERIES.iter().skip(1).fold(SERIES[0], |sum, term| sum * r + term);
    let power = 1.0 - (low - r * r * series - high);
    power * f64::from_bits(((1023 + k as i64) as u64) << 52)
}

/// A run of trues that has lasted.
#[derive(Clone, Copy)]
pub struct Held {
    first: f64,
    last: f64,
}

impl Held {
    pub const NEW: Self = Held { first: f64::NAN, last: f64::NAN };

    #[inline]
    pub fn step(&mut self, t: f64, truth: Truth, came: bool, duration_ms: f64) -> Truth {
        match truth {
            Some(true) => {
                if came {
                    if !(t - self.last <= MAX_GAP_MS) {
                        self.first = t;
                    }
                    self.last = t;
                }
                Some(t - self.last <= MAX_GAP_MS && self.last - self.first >= duration_ms)
            }
            Some(false) if came => {
                self.last = f64::NAN;
                Some(false)
            }
            _ => truth,
        }
    }
}

/// `seq` of two conditions of one signal.
#[derive(Clone, Copy)]
pub struct Sequence {
    latest: f64,
    earlier: f64,
    was: Truth,
}

impl Sequence {
    pub const NEW: Self = Sequence { latest: f64::NAN, earlier: f64::NAN, was: None };

    /// For a sample that brings the conditions.
    #[inline]
    pub fn step(&mut self, t: f64, first: bool, second: bool, duration_ms: f64) -> bool {
        let before = if self.latest < t { self.latest } else { self.earlier };
        let recent = t - before <= duration_ms;
        if first && self.latest != t {
            self.earlier = self.latest;
            self.latest = t;
        }
        let turned = second && self.was == Some(false);
        self.was = Some(second);
        turned && recent
    }
}
