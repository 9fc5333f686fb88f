//! One sample as the workload's producers write it, read with sonic-rs.
use std::borrow::Cow;

use serde::Deserialize;

/// Signals that the rules use, in this order.
pub const SIGNALS: usize = 11;
pub const SPEED: usize = 0;
pub const HEADING: usize = 1;
pub const RPM: usize = 2;
pub const GEAR: usize = 3;
pub const THROTTLE: usize = 4;
pub const LOAD: usize = 5;
pub const COOLANT: usize = 6;
pub const FUEL: usize = 7;
pub const BATTERY: usize = 8;
pub const VIBRATION: usize = 9;
pub const AMBIENT: usize = 10;

/// A value of each signal, NaN for one that the sample does not carry.
pub type Signals = [f64; SIGNALS];

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    vehicle: Cow<'a, str>,
    ts: f64,
    speed: Option<f64>,
    heading: Option<f64>,
    rpm: Option<f64>,
    gear: Option<f64>,
    throttle: Option<f64>,
    load: Option<f64>,
    coolant: Option<f64>,
    fuel: Option<f64>,
    battery: Option<f64>,
    vibration: Option<f64>,
    ambient: Option<f64>,
}

pub struct Sample<'a> {
    pub vehicle: Cow<'a, str>,
    /// Whole milliseconds.
    pub t: f64,
    pub signals: Signals,
}

const TIME_MAX: f64 = 253_402_300_799_999.0;
const CLOCK_AHEAD_MS: f64 = 60_000.0;
const VEHICLE_BYTES_MAX: usize = 128;

impl<'a> Sample<'a> {
    /// Reads a record; nothing if it is no sample. `clock` is the largest append time so far.
    #[inline]
    pub fn read(bytes: &'a [u8], clock: f64) -> Option<Self> {
        let record: Record<'a> = sonic_rs::from_slice(bytes).ok()?;
        let Record { vehicle, ts, .. } = record;
        if vehicle.is_empty() || vehicle.len() > VEHICLE_BYTES_MAX {
            return None;
        }
        if !(0.0..=TIME_MAX).contains(&ts) || ts > clock + CLOCK_AHEAD_MS {
            return None;
        }
        let signals = [
            ranged(record.speed, -100.0, 400.0),
            ranged(record.heading, 0.0, 360.0),
            ranged(record.rpm, 0.0, 20_000.0),
            ranged(record.gear, -5.0, 30.0),
            ranged(record.throttle, 0.0, 100.0),
            ranged(record.load, 0.0, 100.0),
            ranged(record.coolant, -60.0, 250.0),
            ranged(record.fuel, 0.0, 100.0),
            ranged(record.battery, 0.0, 60.0),
            ranged(record.vibration, 0.0, 100.0),
            ranged(record.ambient, -80.0, 80.0),
        ];
        Some(Sample { vehicle, t: ts.trunc(), signals })
    }
}

#[inline]
fn ranged(value: Option<f64>, min: f64, max: f64) -> f64 {
    match value {
        Some(x) if x >= min && x <= max => x,
        _ => f64::NAN,
    }
}
