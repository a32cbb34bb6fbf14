//! How long things took, as counts in a few ranges.

/// The upper ends of the ranges, in seconds; the last range has none. Around what is promised of answers (50 ms, and 1 s after a
/// failure) and around the times after which requests are given up (10 s, 30 s).
pub const BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// How long things took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latencies {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

impl Latencies {
    /// Takes one, in seconds. What is no number or less than nothing counts as nothing.
    pub fn take(&mut self, seconds: f64) {
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
        let place = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.counts[place] += 1;
        self.sum += seconds;
    }

    /// How many took at most each bound, and at the end how many there are.
    #[must_use]
    pub fn cumulative(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        let sums = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        bounds.zip(sums).collect()
    }

    /// All of them together, in seconds.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_range_below_it() {
        let mut all = Latencies::default();
        for seconds in [0.0, 0.05, 0.050_001, 30.0, 31.0, f64::NAN, -1.0] {
            all.take(seconds);
        }
        let at = |bound: f64| all.cumulative().into_iter().find(|(one, _)| *one == bound).map(|(_, count)| count);
        assert_eq!((at(0.001), at(0.05), at(0.1)), (Some(3), Some(4), Some(5)));
        assert_eq!((at(30.0), at(f64::INFINITY), all.count()), (Some(6), Some(7), 7));
        assert!((all.sum() - 61.100_001).abs() < 1e-9);
    }
}
