//! From bytes to transitions, record by record.
use rustc_hash::FxHashMap;

use crate::life::Cause;
use crate::rules::Vehicle;
use crate::sample::Sample;
use crate::workload::Batch;
use crate::write::Writer;

/// Vehicles by id: their slots.
#[derive(Default)]
pub struct Slots {
    slots: FxHashMap<Box<str>, u32>,
}

impl Slots {
    /// The slot of a vehicle; its second result tells whether it is new.
    #[inline]
    pub fn of(&mut self, id: &str) -> (u32, bool) {
        if let Some(slot) = self.slots.get(id) {
            return (*slot, false);
        }
        let slot = self.slots.len() as u32;
        self.slots.insert(id.into(), slot);
        (slot, true)
    }
}

pub struct Engine {
    slots: Slots,
    vehicles: Vec<Vehicle>,
    clock: f64,
    pub out: Writer,
    /// Records that were no samples.
    pub refused: usize,
}

impl Engine {
    pub fn new(version: &str) -> Self {
        Engine {
            slots: Slots::default(),
            vehicles: Vec::new(),
            clock: f64::NEG_INFINITY,
            out: Writer::new(version),
            refused: 0,
        }
    }

    pub fn push(&mut self, batch: &Batch) {
        for i in 0..batch.ends.len() {
            self.clock = self.clock.max(batch.append_times[i]);
            let Some(sample) = Sample::read(batch.record(i), self.clock) else {
                self.refused += 1;
                continue;
            };
            let (slot, new) = self.slots.of(&sample.vehicle);
            if new {
                self.vehicles.push(Vehicle::new());
            }
            let cause = Cause { t: sample.t, append: self.clock, offset: batch.offsets[i] };
            self.out.start(&sample.vehicle);
            self.vehicles[slot as usize].hear(&sample.signals, &cause, &mut self.out);
        }
    }
}
