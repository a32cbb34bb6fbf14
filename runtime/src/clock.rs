//! The time of day as the machine has it: since the Unix epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now. It goes where the system's clock goes: what clients say of times is by the same.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Milliseconds as messages have them; none where there are none.
pub(crate) fn of_milliseconds(milliseconds: i64) -> Option<Duration> {
    u64::try_from(milliseconds).ok().filter(|number| *number > 0).map(Duration::from_millis)
}
