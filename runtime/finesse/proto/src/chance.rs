//! Chance as an argument, and the delays that are made of it.

use std::time::Duration;

/// A source of chance. The shell hands in a random one, a test one that it can repeat.
pub trait Chance {
    /// A number below `limit`, which is at least 1. Any number will do; a good one is random.
    fn below(&mut self, limit: u64) -> u64;
}

/// Anywhere from nothing to `most`: full jitter, so that many who lost the same server do not come back in step.
pub fn jitter(most: Duration, chance: &mut dyn Chance) -> Duration {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1);
    Duration::from_millis(chance.below(most + 1).min(most))
}

/// The delay before the attempt after `failures` failed ones: full jitter up to `first`, doubled each time, up to `longest`.
pub fn backoff(failures: u32, first: Duration, longest: Duration, chance: &mut dyn Chance) -> Duration {
    let most = first.saturating_mul(1 << failures.min(16)).min(longest);
    jitter(most, chance)
}
