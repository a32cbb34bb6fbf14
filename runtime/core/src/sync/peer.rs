//! Another connector, as far as we hear of it.

use std::time::Duration;

use super::message::Stage;
use super::settings::Times;

/// Whoever has lived for so long does not pay for dying before.
const STEADY: Duration = Duration::from_secs(600);

/// Another connector of the deployment, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its name.
    pub name: String,
    /// Whether it is heard.
    pub alive: bool,
    /// What it does, as far as was heard.
    pub stage: Stage,
    /// When it was heard last, since the Unix epoch.
    pub heard: Option<Duration>,
    /// Its start.
    pub epoch: u64,
    /// Whether everything that it told has come.
    pub complete: bool,
}

/// Another connector.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// Its start; 0 before anything came.
    pub(super) epoch: u64,
    /// The last message of that start.
    pub(super) sequence: u64,
    /// It has named our start, so that it is no old message that we hear.
    pub(super) proven: bool,
    /// When we heard it.
    pub(super) heard: Option<Duration>,
    /// When another one heard it.
    pub(super) told: Duration,
    pub(super) stage: Stage,
    /// It has said good-bye.
    pub(super) left: bool,
    /// Since when it lives without a break.
    pub(super) since: Duration,
    /// How often it died lately.
    pub(super) flaps: u32,
    /// A snapshot of it is wanted.
    pub(super) due: bool,
    /// Something that it told was lost.
    pub(super) gap: bool,
    /// Something may have been lost while we had no broker: its next message shows it.
    pub(super) unsure: bool,
    /// It was started again before we knew all that it had claimed: nobody can tell us any more.
    pub(super) missed: bool,
    /// How often something was lost.
    pub(super) gaps: u64,
    /// Its digest as it was told last, and ours then.
    pub(super) digests: (u64, u64),
    /// How often in a row both were the same as before, and differed from each other.
    pub(super) differs: u32,
}

impl Peer {
    /// Whether we hear it.
    pub(super) fn is_heard(&self, now: Duration, times: &Times) -> bool {
        self.proven && !self.left && self.heard.is_some_and(|at| at.saturating_add(times.dead) > now)
    }

    /// Whether what it claims comes to us, as far as can be known.
    pub(super) fn is_fresh(&self, now: Duration, times: &Times) -> bool {
        self.is_heard(now, times) && self.stales_at(times).is_some_and(|at| at > now)
    }

    /// When it is that no more, if nothing else is heard of it.
    pub(super) fn stales_at(&self, times: &Times) -> Option<Duration> {
        self.heard.map(|at| at.saturating_add(times.fresh))
    }

    /// When it is dead, if nothing else is heard of it. `since` is since when we listen.
    pub(super) fn dies_at(&self, since: Duration, times: &Times) -> Duration {
        self.heard.unwrap_or_default().max(self.told).max(since).saturating_add(times.dead)
    }

    /// Whether it may live.
    pub(super) fn is_alive(&self, now: Duration, since: Duration, times: &Times) -> bool {
        !self.left && self.dies_at(since, times) > now
    }

    /// Whether it can be given agents.
    pub(super) fn serves(&self, now: Duration, times: &Times) -> bool {
        self.is_heard(now, times) && self.stage == Stage::Serving
    }

    /// Whether it was started again and has still not begun to work: it has no session, and may not know whose it had.
    pub(super) fn is_late(&self, now: Duration, times: &Times) -> bool {
        self.is_heard(now, times) && self.stage == Stage::Joining && self.since.saturating_add(times.dead) <= now
    }

    /// Whether it lives for long enough to be given back what it had.
    pub(super) fn is_settled(&self, now: Duration, times: &Times) -> bool {
        let doubled = 1 << self.flaps.saturating_sub(1).min(4);
        self.serves(now, times) && self.since.saturating_add(times.settle * doubled) <= now
    }

    /// It is there, again or for the first time.
    pub(super) fn appears(&mut self, now: Duration) {
        let has_been = self.heard.is_some();
        self.flaps = match self.heard {
            Some(heard) if heard.saturating_sub(self.since) >= STEADY => 1,
            _ => self.flaps + u32::from(has_been && !self.left),
        };
        self.since = now;
        self.left = false;
        self.lose();
    }

    /// Something that it told is not known.
    pub(super) const fn lose(&mut self) {
        self.due = true;
        self.gap = true;
        self.gaps += 1;
    }
}
