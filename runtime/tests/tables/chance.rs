//! Chance that begins at a seed, as every machine asks for it.

use std::time::Duration;

/// xorshift64*.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// Some time from the first to the second number of milliseconds.
    pub(crate) fn within(&mut self, (least, most): (u64, u64)) -> Duration {
        Duration::from_micros(least * 1000 + self.next() % ((most - least) * 1000 + 1))
    }
}

impl topoc_openwire_proto::failover::World for Chance {
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn same_host(&mut self, one: &str, other: &str) -> bool {
        one == other
    }
}

impl topoc_finesse_proto::chance::Chance for Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
