//! Time by the clock and by the processor.
use std::time::Instant;

/// What something took.
#[derive(Default, Clone, Copy)]
pub struct Spent {
    pub wall_ns: u64,
    pub cpu_ns: u64,
}

impl Spent {
    pub fn add(&mut self, other: Spent) {
        self.wall_ns += other.wall_ns;
        self.cpu_ns += other.cpu_ns;
    }
}

pub struct Stopwatch {
    start: Instant,
    cpu_ns: u64,
}

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch { cpu_ns: cpu_ns(), start: Instant::now() }
    }

    pub fn spent(&self) -> Spent {
        let wall_ns = self.start.elapsed().as_nanos() as u64;
        Spent { wall_ns, cpu_ns: cpu_ns() - self.cpu_ns }
    }
}

/// Processor time of this process.
fn cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of our own.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "Cannot read the processor time");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
