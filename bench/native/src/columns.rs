//! The rules alone, over the kernel's layout: columns [signal][row] of a micro-batch of 1,024 rows,
//! state by vehicle. Rows are read between the timed parts, so that caches are as the kernel's are.
use crate::engine::Slots;
use crate::life::{Cause, Sink, Transition};
use crate::rules::Vehicle;
use crate::sample::{Sample, SIGNALS};
use crate::stopwatch::{Spent, Stopwatch};
use crate::workload::{Batch, Workload};

const ROWS_MAX: usize = 1024;

struct Rows {
    count: usize,
    slot: [u32; ROWS_MAX],
    t: [f64; ROWS_MAX],
    append: [f64; ROWS_MAX],
    offset: [f64; ROWS_MAX],
    columns: [[f64; ROWS_MAX]; SIGNALS],
}

/// Rows whose vehicles are asked for ahead of time, as the kernel does.
const AHEAD: usize = 4;

/// Asks for a vehicle's state.
#[inline]
fn ask_for(vehicle: &Vehicle) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        let start = std::ptr::from_ref(vehicle).cast::<i8>();
        for at in (0..size_of::<Vehicle>()).step_by(64) {
            // SAFETY: within the vehicle; and a prefetch reads nothing.
            unsafe { _mm_prefetch(start.add(at), _MM_HINT_T0) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = vehicle;
}

/// Transitions as they are, unwritten.
#[derive(Default)]
struct Kept {
    transitions: Vec<Transition>,
}

impl Sink for Kept {
    fn id(&mut self, _rule: usize, _onset: f64, _cause: &Cause) -> u64 {
        0
    }

    fn emit(&mut self, transition: Transition) {
        self.transitions.push(transition);
    }
}

/// What the rules take over the second half of the workload.
pub fn time_rules(workload: &Workload) -> Spent {
    let (first, second) = workload.halves();
    let mut kernel = Kernel::new();
    for batch in first {
        kernel.push(batch);
    }
    kernel.spent = Spent::default();
    for batch in second {
        kernel.push(batch);
    }
    kernel.spent
}

struct Kernel {
    slots: Slots,
    vehicles: Vec<Vehicle>,
    clock: f64,
    rows: Box<Rows>,
    kept: Kept,
    spent: Spent,
}

impl Kernel {
    fn new() -> Self {
        Kernel {
            slots: Slots::default(),
            vehicles: Vec::new(),
            clock: f64::NEG_INFINITY,
            rows: Box::new(Rows {
                count: 0,
                slot: [0; ROWS_MAX],
                t: [0.0; ROWS_MAX],
                append: [0.0; ROWS_MAX],
                offset: [0.0; ROWS_MAX],
                columns: [[0.0; ROWS_MAX]; SIGNALS],
            }),
            kept: Kept::default(),
            spent: Spent::default(),
        }
    }

    fn push(&mut self, batch: &Batch) {
        for i in 0..batch.ends.len() {
            self.read(batch, i);
            if self.rows.count == ROWS_MAX {
                self.run();
            }
        }
        self.run();
    }

    fn read(&mut self, batch: &Batch, i: usize) {
        self.clock = self.clock.max(batch.append_times[i]);
        let Some(sample) = Sample::read(batch.record(i), self.clock) else { return };
        let (slot, new) = self.slots.of(&sample.vehicle);
        if new {
            self.vehicles.push(Vehicle::new());
        }
        let rows = &mut *self.rows;
        let row = rows.count;
        rows.count += 1;
        rows.slot[row] = slot;
        rows.t[row] = sample.t;
        rows.append[row] = self.clock;
        rows.offset[row] = batch.offsets[i];
        for (column, x) in rows.columns.iter_mut().zip(sample.signals) {
            column[row] = x;
        }
    }

    fn run(&mut self) {
        let stopwatch = Stopwatch::start();
        let rows = &*self.rows;
        for row in 0..rows.count {
            if let Some(slot) = rows.slot[..rows.count].get(row + AHEAD) {
                ask_for(&self.vehicles[*slot as usize]);
            }
            let signals = std::array::from_fn(|i| rows.columns[i][row]);
            let cause = Cause { t: rows.t[row], append: rows.append[row], offset: rows.offset[row] };
            self.vehicles[rows.slot[row] as usize].hear(&signals, &cause, &mut self.kept);
        }
        self.spent.add(stopwatch.spent());
        std::hint::black_box(&self.kept.transitions);
        self.kept.transitions.clear();
        self.rows.count = 0;
    }
}
