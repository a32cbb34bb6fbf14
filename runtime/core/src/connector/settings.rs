//! Who a connector is, and how much it takes in hand.

use std::time::Duration;

use crate::recent;

/// How long after a request's time an answer of Finesse is waited for: longer than the line waits for one
/// ([`LineOptions`](topoc_finesse_proto::line::LineOptions)).
pub const GRACE: Duration = Duration::from_secs(15);
/// Longest id of a message or of a correlation, in bytes. Ours: ActiveMQ's ids have some sixty.
pub const LONGEST_ID: usize = 512;

/// Who a connector is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name in the deployment.
    pub name: String,
    /// How often it has been started: an event's sequence begins anew each time.
    pub epoch: u64,
    /// The queue that it takes requests from.
    pub queue: String,
    /// How much it takes in hand.
    pub limits: Limits,
}

/// How much a connector takes in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests that are not answered.
    pub requests: usize,
    /// The same, of one agent.
    pub requests_of_agent: usize,
    /// Agents of the deployment, each with one session and one destination at most: any of them may come to us when another
    /// connector dies.
    pub agents: usize,
    /// Events and answers that the broker has not accepted.
    pub unsent: usize,
    /// How long a request without an earlier expiry is of use.
    pub within: Duration,
    /// What is remembered of requests.
    pub recent: recent::Limits,
}

impl Default for Limits {
    /// 256 requests, 16 of an agent, 16,384 agents, 1,024 events, 30 s.
    fn default() -> Self {
        Self {
            requests: 256,
            requests_of_agent: 16,
            agents: 16_384,
            unsent: 1024,
            within: Duration::from_secs(30),
            recent: recent::Limits::default(),
        }
    }
}
