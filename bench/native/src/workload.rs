//! The workload as the benchmark writes it: little-endian, batch after batch.

/// Records of one partition, as the bus gives them.
pub struct Batch {
    pub ends: Vec<u32>,
    pub append_times: Vec<f64>,
    pub offsets: Vec<f64>,
    pub values: Vec<u8>,
}

impl Batch {
    /// The bytes of a record.
    #[inline]
    pub fn record(&self, i: usize) -> &[u8] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.values[from..self.ends[i] as usize]
    }
}

#[derive(Default)]
pub struct Workload {
    pub batches: Vec<Batch>,
}

impl Workload {
    pub fn read(bytes: &[u8]) -> Self {
        let mut at = Cursor { bytes, at: 0 };
        let mut batches = Vec::new();
        while at.at < bytes.len() {
            let count = at.u32() as usize;
            let size = at.u32() as usize;
            batches.push(Batch {
                ends: (0..count).map(|_| at.u32()).collect(),
                append_times: (0..count).map(|_| at.f64()).collect(),
                offsets: (0..count).map(|_| at.f64()).collect(),
                values: at.take(size).to_vec(),
            });
        }
        Workload { batches }
    }

    pub fn records(&self) -> usize {
        self.batches.iter().map(|batch| batch.ends.len()).sum()
    }

    /// What warms up, and what is timed.
    pub fn halves(&self) -> (&[Batch], &[Batch]) {
        self.batches.split_at(self.batches.len() / 2)
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, size: usize) -> &'a [u8] {
        let from = self.at;
        self.at += size;
        &self.bytes[from..self.at]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().expect("the file ends within a number")
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.array())
    }
}
