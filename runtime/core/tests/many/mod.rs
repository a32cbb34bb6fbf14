//! Many seeds on all cores: each thread takes the next one, and adds what it saw to a sum of its own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The seed that somebody wants alone, in `TOPOC_SEED`.
pub(crate) fn wanted() -> Option<u64> {
    std::env::var("TOPOC_SEED").ok().and_then(|text| text.parse().ok())
}

/// How many schedules: more with `TOPOC_LONG`.
pub(crate) fn many(few: u64, many: u64) -> u64 {
    if std::env::var_os("TOPOC_LONG").is_some() { many } else { few }
}

/// Runs the seeds from 1, and gives the sum of each thread.
///
/// # Panics
///
/// With the first seed that fails, in words that run it again.
pub(crate) fn each<S: Default + Send>(seeds: u64, run: impl Fn(u64, &mut S) + Sync) -> Vec<S> {
    let next = AtomicU64::new(1);
    let work = || {
        let mut sum = S::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds {
                return sum;
            }
            if catch_unwind(AssertUnwindSafe(|| run(seed, &mut sum))).is_err() {
                // The others have nothing more to find.
                next.store(u64::MAX / 2, Ordering::Relaxed);
                panic!("TOPOC_SEED={seed}");
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}
