//! Waiting for a condition, never for an amount of time.

use std::thread;
use std::time::{Duration, Instant};

use crate::{LabError, PATIENCE};

// Short beside the second that a broker takes to start, long beside the cost of a look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Looks until there is something to return: for what a test itself sees, beside what a process logs.
///
/// # Panics
///
/// After [`PATIENCE`]; `what` completes "waited in vain until ...".
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks until there is something to return. `None`: the time is over; the last look happens after it is.
pub(crate) fn wait_until<T>(
    within: Duration,
    mut look: impl FnMut() -> Result<Option<T>, LabError>,
) -> Result<Option<T>, LabError> {
    let end = Instant::now() + within;
    loop {
        let last = Instant::now() >= end;
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if last {
            return Ok(None);
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}
