//! Whose turn it is to open their first session: agents who come all at once do not go to a server all at once.

use std::time::Duration;

/// Gives out moments at a rate. Who comes alone goes at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Turns {
    apart: Duration,
    next: Duration,
}

impl Turns {
    /// So many turns a second, at least one; as [`Settings::sessions_per_second`](super::Settings::sessions_per_second) has it.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self { apart: Duration::from_secs(1) / per_second.max(1), next: Duration::ZERO }
    }

    /// The moment for whoever comes now: now, or behind everybody who came before.
    pub fn take(&mut self, now: Duration) -> Duration {
        let turn = self.next.max(now);
        self.next = turn + self.apart;
        turn
    }
}
