//! The numbers that the choice of a server goes by, and what differs between UCCE and UCCX.

use std::time::Duration;

/// After how many switches the next one waits how long since the last. A calm minute takes one step back.
pub const HOLDS: [Duration; 5] =
    [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20), Duration::from_secs(30)];

/// The contact centre behind Finesse: `deployment = ucce|uccx` of a cluster.
///
/// | | UCCE | UCCX |
/// | --- | --- | --- |
/// | servers | both serve, with the same state | the master serves; the other stands by, `OUT_OF_SERVICE` |
/// | a server that stands by | is a fault | is as it should be ([`Judgement::Standby`](super::Judgement)) |
/// | a slow server | is left for a quick one | is kept: nobody else serves |
/// | the failed server is back | agents stay where they are | the old master may take over again: an ordinary switch |
///
/// UCCE: Finesse 12.6(2) Administration Guide, "Failover Mechanisms". UCCX: Design Guide 11.0, "Cisco Finesse High Availability
/// Considerations"..
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deployment {
    /// Unified Contact Center Enterprise, packaged or not.
    #[default]
    Ucce,
    /// Unified Contact Center Express.
    Uccx,
}

impl Deployment {
    /// Whether every server in good health serves, or the master alone.
    #[must_use]
    pub const fn all_serve(self) -> bool {
        matches!(self, Self::Ucce)
    }
}

/// How a cluster is watched. The defaults are what is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The contact centre behind.
    pub deployment: Deployment,
    /// The shortest time between two questions to a server; the longest is twice that.
    pub poll_every: Duration,
    /// The longest time between two questions while something is amiss.
    pub poll_anxious: Duration,
    /// An answer that takes longer counts as none.
    pub answer_within: Duration,
    /// An answer that takes this long is slow.
    pub slow_after: Duration,
    /// So many slow answers in a row make a slow server.
    pub slow_answers: u32,
    /// So many questions in a row without an answer make a silent server.
    pub silent_polls: u32,
    /// How long a server where sessions failed is not gone to, unless one opens there.
    pub doubt_sessions: Duration,
    /// The shortest time between two orders to read everything again at the same server.
    pub reread_gap: Duration,
    /// How many sessions a second a server is to open: 5,000 agents take 25 s.
    pub sessions_per_second: u32,
    /// How many agents a second leave a server in maintenance.
    pub drained_per_second: u32,
    /// How long agents in calls may stay at a server in maintenance.
    pub drain_within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deployment: Deployment::Ucce,
            poll_every: Duration::from_secs(5),
            poll_anxious: Duration::from_secs(1),
            answer_within: Duration::from_secs(3),
            slow_after: Duration::from_secs(1),
            slow_answers: 3,
            silent_polls: 2,
            doubt_sessions: Duration::from_secs(20),
            reread_gap: Duration::from_secs(5),
            sessions_per_second: 200,
            drained_per_second: 10,
            drain_within: Duration::from_secs(300),
        }
    }
}
