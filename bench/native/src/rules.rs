//! A vehicle and its twenty rules.
use crate::life::{Captures, Cause, Life, Result, Rule, Sink};
use crate::sample::{
    Signals, AMBIENT, BATTERY, COOLANT, FUEL, GEAR, HEADING, LOAD, RPM, SIGNALS, SPEED, THROTTLE,
    VIBRATION,
};
use crate::state::{
    above, and, below, or, Extremes, Held, LastValue, Minute, Sequence, Slots, Total, Truth,
    WeightedMean,
};

pub const RULES: usize = 20;

const S: f64 = 1_000.0;
const MIN: f64 = 60_000.0;

const fn state(for_ms: f64, clear_for_ms: f64, cooldown_ms: f64) -> Rule {
    Rule { for_ms, clear_for_ms, cooldown_ms, once: false, severity: 1 }
}

const fn event(cooldown_ms: f64, severity: u8) -> Rule {
    Rule { for_ms: 0.0, clear_for_ms: 0.0, cooldown_ms, once: true, severity }
}

static TABLE: [Rule; RULES] = [
    state(10.0 * S, 10.0 * S, 60.0 * S),
    event(30.0 * S, 1),
    event(30.0 * S, 0),
    state(5.0 * S, 10.0 * S, 0.0),
    event(30.0 * S, 1),
    event(10.0 * MIN, 0),
    state(10.0 * S, 5.0 * S, 0.0),
    state(10.0 * S, 30.0 * S, 5.0 * MIN),
    state(5.0 * S, 30.0 * S, 0.0),
    state(5.0 * S, 10.0 * S, 0.0),
    state(5.0 * S, 15.0 * S, 2.0 * MIN),
    state(0.0, 10.0 * S, 0.0),
    state(10.0 * S, 30.0 * S, 5.0 * MIN),
    state(15.0 * S, 30.0 * S, 5.0 * MIN),
    state(10.0 * S, 10.0 * S, 0.0),
    event(10.0 * MIN, 2),
    state(10.0 * S, 30.0 * S, 10.0 * MIN),
    event(30.0 * S, 0),
    event(60.0 * S, 2),
    state(1.0 * S, 10.0 * S, 0.0),
];

/// Age in milliseconds after which a signal is unknown, in their order.
const STALE_MS: [f64; SIGNALS] = [
    MIN,
    MIN,
    MIN,
    f64::INFINITY,
    MIN,
    MIN,
    MIN,
    5.0 * MIN,
    MIN,
    MIN,
    10.0 * MIN,
];

/// All that is kept of a vehicle, in one piece; of its rules those that are not idle.
#[derive(Clone)]
pub struct Vehicle {
    pub last_t: f64,
    signals: [LastValue; SIGNALS],
    speed_slots: Slots,
    heading_slots: Slots,
    coolant_slots: Slots,
    fuel_slots: Slots,
    fuel_slots_long: Slots,
    speed_minute: Minute<Total>,
    peaks: Minute<Total>,
    battery_minute: Minute<Extremes>,
    coolant_mean: WeightedMean,
    hot: Held,
    impact: Sequence,
    speed_before: f64,
    gear_before: f64,
    was_frosty: Truth,
    lives: [Option<Box<Life>>; RULES],
}

/// A condition as a capture.
fn number(truth: Truth) -> f64 {
    match truth {
        None => f64::NAN,
        Some(false) => 0.0,
        Some(true) => 1.0,
    }
}

impl Vehicle {
    pub fn new() -> Self {
        Vehicle {
            last_t: f64::NEG_INFINITY,
            signals: [LastValue::NEW; SIGNALS],
            speed_slots: Slots::NEW,
            heading_slots: Slots::NEW,
            coolant_slots: Slots::NEW,
            fuel_slots: Slots::NEW,
            fuel_slots_long: Slots::NEW,
            speed_minute: Minute::NEW,
            peaks: Minute::NEW,
            battery_minute: Minute::NEW,
            coolant_mean: WeightedMean::NEW,
            hot: Held::NEW,
            impact: Sequence::NEW,
            speed_before: f64::NAN,
            gear_before: f64::NAN,
            was_frosty: None,
            lives: [const { None }; RULES],
        }
    }

    /// Hears a sample: what is late or says nothing new changes nothing.
    #[inline]
    pub fn hear(&mut self, s: &Signals, cause: &Cause, sink: &mut impl Sink) {
        if cause.t <= self.last_t && (cause.t < self.last_t || self.brings_nothing(s, cause.t)) {
            return;
        }
        self.take(s, cause, sink);
    }

    fn brings_nothing(&self, s: &Signals, t: f64) -> bool {
        self.signals.iter().zip(s).all(|(last, x)| x.is_nan() || (last.t == t && last.value == *x))
    }

    fn take(&mut self, s: &Signals, cause: &Cause, sink: &mut impl Sink) {
        let t = cause.t;
        self.last_t = t;
        let came: [bool; SIGNALS] = std::array::from_fn(|i| !s[i].is_nan());
        let now: Signals = std::array::from_fn(|i| self.signals[i].take(t, s[i], STALE_MS[i]));
        let rate = |(from_t, from): (f64, f64), x: f64| (x - from) / ((t - from_t) / 1000.0);

        let speed = now[SPEED];
        let coolant = now[COOLANT];
        let battery = now[BATTERY];
        let vibration = now[VIBRATION];
        let load = now[LOAD];
        let fuel = now[FUEL];
        let speed_rate = rate(self.speed_slots.step(t, s[SPEED], S), speed);
        let heading_rate = rate(self.heading_slots.step(t, s[HEADING], S), now[HEADING]).abs();
        let coolant_rise = coolant - self.coolant_slots.step(t, s[COOLANT], 60.0 * S).1;
        let fuel_change = fuel - self.fuel_slots.step(t, s[FUEL], 60.0 * S).1;
        let fuel_change_long = fuel - self.fuel_slots_long.step(t, s[FUEL], 2.0 * MIN).1;
        let speed_before = self.speed_before;
        if came[SPEED] {
            self.speed_before = speed;
        }
        self.speed_minute.step(t, s[SPEED]);
        let speed_mean = self.speed_minute.average(t);
        self.peaks.step(t, if came[VIBRATION] && vibration > 3.0 { 1.0 } else { f64::NAN });
        let peaks = self.peaks.count();
        self.battery_minute.step(t, s[BATTERY]);
        let battery_spread = self.battery_minute.spread();
        let coolant_mean = self.coolant_mean.step(t, s[COOLANT], 30.0 * S);
        let hot = self.hot.step(t, above(coolant, 108.0), came[COOLANT], 15.0 * S);
        let calmed = came[VIBRATION]
            && self.impact.step(t, vibration > 6.0, vibration < 1.0, 20.0 * S);
        let mut shifted = false;
        if came[GEAR] {
            shifted = !self.gear_before.is_nan() && now[GEAR] != self.gear_before;
            self.gear_before = now[GEAR];
        }
        let mut frost_came = false;
        if came[AMBIENT] {
            let frosty = now[AMBIENT] < 3.0;
            frost_came = frosty && self.was_frosty == Some(false);
            self.was_frosty = Some(frosty);
        }

        let lives = &mut self.lives;
        let mut step = |number: usize, result: Result, captures: &dyn Fn() -> Captures| {
            let rule = &TABLE[number];
            let life = match &mut lives[number] {
                Some(life) => life,
                // An idle rule that does not hold has nothing to remember.
                None => {
                    let holds = result.when == Some(true) || result.critical == Some(true);
                    if !result.when_came || !holds {
                        return;
                    }
                    lives[number].insert(Box::new(Life::new(rule.severity)))
                }
            };
            life.step(number, rule, &result, cause, captures, sink);
        };
        let both = |when, when_came, clear, clear_came| Result {
            when,
            clear,
            when_came,
            clear_came,
            ladder: false,
            critical: None,
        };
        let state = |when, clear, came| both(when, came, clear, came);
        let point = |when, came| both(when, came, None, false);
        let ladder = |when, clear, came, critical| Result {
            ladder: true,
            critical,
            ..both(when, came, clear, came)
        };

        let result = ladder(
            above(speed, 130.0),
            below(speed, 120.0),
            came[SPEED],
            above(speed, 160.0),
        );
        step(0, result, &|| [speed, speed, 0.0, 0.0]);
        let when = and(below(speed_rate, -12.0), above(speed_before, 20.0));
        step(1, point(when, came[SPEED]), &|| [speed_rate, speed_before, speed_before, speed]);
        let when = and(above(speed_rate, 12.0), above(speed, 10.0));
        step(2, point(when, came[SPEED]), &|| [speed_rate, speed, speed, 0.0]);
        let result = state(above(speed_mean, 90.0), below(speed_mean, 80.0), came[SPEED]);
        step(3, result, &|| [speed_mean, speed_mean, 0.0, 0.0]);
        let when = and(above(heading_rate, 60.0), above(speed, 130.0));
        step(4, point(when, came[HEADING] || came[SPEED]), &|| [heading_rate, speed, speed, 0.0]);
        let when = and(Some(frost_came), above(speed, 50.0));
        step(5, point(when, came[AMBIENT] || came[SPEED]), &|| {
            [number(Some(frost_came)), speed, now[AMBIENT], 0.0]
        });
        let result = state(
            and(above(load, 90.0), above(now[THROTTLE], 90.0)),
            or(below(load, 80.0), below(now[THROTTLE], 80.0)),
            came[LOAD] || came[THROTTLE],
        );
        step(6, result, &|| [load, now[THROTTLE], load, 0.0]);
        let result = ladder(
            above(coolant, 110.0),
            below(coolant, 105.0),
            came[COOLANT],
            above(coolant, 118.0),
        );
        step(7, result, &|| [coolant, coolant, 0.0, 0.0]);
        let when = and(above(coolant_rise, 12.0), above(coolant, 95.0));
        step(8, state(when, below(coolant_rise, 5.0), came[COOLANT]), &|| {
            [coolant_rise, coolant, coolant, 0.0]
        });
        let result = state(above(coolant_mean, 100.0), below(coolant_mean, 95.0), came[COOLANT]);
        step(9, result, &|| [coolant_mean, coolant_mean, 0.0, 0.0]);
        let result = ladder(
            above(vibration, 4.0),
            below(vibration, 3.0),
            came[VIBRATION],
            above(vibration, 8.0),
        );
        step(10, result, &|| [vibration, vibration, 0.0, 0.0]);
        let result = state(Some(peaks >= 4.0), Some(peaks < 2.0), came[VIBRATION]);
        step(11, result, &|| [peaks, peaks, 0.0, 0.0]);
        let result = ladder(
            below(battery, 11.8),
            above(battery, 12.2),
            came[BATTERY],
            below(battery, 11.2),
        );
        step(12, result, &|| [battery, battery, 0.0, 0.0]);
        let when = and(below(battery, 12.2), above(now[RPM], 900.0));
        let result =
            both(when, came[BATTERY] || came[RPM], above(battery, 13.0), came[BATTERY]);
        step(13, result, &|| [battery, now[RPM], battery, now[RPM]]);
        let result = state(above(battery_spread, 2.0), below(battery_spread, 1.5), came[BATTERY]);
        step(14, result, &|| [battery_spread, battery, 0.0, 0.0]);
        let when = and(below(fuel_change, -5.0), below(speed, 40.0));
        step(15, point(when, came[FUEL] || came[SPEED]), &|| [fuel_change, speed, fuel, 0.0]);
        let result =
            state(below(fuel_change_long, -3.0), above(fuel_change_long, -1.0), came[FUEL]);
        step(16, result, &|| [fuel_change_long, fuel, 0.0, 0.0]);
        let when = and(Some(shifted), above(speed, 160.0));
        step(17, point(when, came[GEAR] || came[SPEED]), &|| {
            [number(Some(shifted)), speed, now[GEAR], speed]
        });
        step(18, point(Some(calmed), came[VIBRATION]), &|| [number(Some(calmed)), 0.0, 0.0, 0.0]);
        let when = and(hot, above(load, 50.0));
        let result =
            both(when, came[COOLANT] || came[LOAD], below(coolant, 100.0), came[COOLANT]);
        step(19, result, &|| [number(hot), load, coolant, 0.0]);
    }
}
