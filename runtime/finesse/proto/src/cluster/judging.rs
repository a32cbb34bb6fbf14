//! What is known of one server, and what it is judged to be.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::machine::{Poll, Who};
use super::settings::Settings;
use crate::system_info::SystemInfo;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Whether it can be used.
    pub in_service: bool,
    /// Whether it is being emptied for a planned outage: `finesseMMode`.
    pub draining: bool,
    /// Whether it is of UCCX, as far as it says so.
    pub express: Option<bool>,
}

impl From<&SystemInfo> for Service {
    fn from(info: &SystemInfo) -> Self {
        use crate::system_info::Deployment::{Enterprise, Express};
        let express = match info.deployment {
            Some(Express) => Some(true),
            Some(Enterprise) => Some(false),
            _ => None,
        };
        Self { in_service: info.is_in_service(), draining: info.is_draining(), express }
    }
}

/// What a server is judged to be, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judgement {
    /// In service by all signals.
    Good,
    /// In service, and slow to answer.
    Slow,
    /// In service, and about to be stopped for maintenance.
    Leaving,
    /// In service, but notification sessions do not hold there: its notification service is down.
    NoSessions,
    /// User `finesse` is unavailable: its web application is down.
    Away,
    /// Says that it is out of service, or answers everything with 503: it lost its CTI server.
    OutOfService,
    /// Of UCCX, out of service and not in use: it stands by.
    Standby,
    /// Does not answer.
    Silent,
    /// Has not been heard of yet.
    Unknown,
}

impl Judgement {
    /// Whether agents can work there.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Good | Self::Slow | Self::Leaving)
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "in service",
            Self::Slow => "in service, and slow to answer",
            Self::Leaving => "in maintenance",
            Self::NoSessions => "in service, but notification sessions do not hold",
            Self::Away => "user `finesse` is unavailable",
            Self::OutOfService => "out of service",
            Self::Standby => "standing by",
            Self::Silent => "silent",
            Self::Unknown => "not heard of yet",
        })
    }
}

/// What is known of one server.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Watch {
    /// What it said last.
    pub(super) service: Option<Service>,
    /// When it last said something without being asked.
    pub(super) told_at: Option<Duration>,
    /// When a request of an agent last came to nothing there.
    pub(super) amiss_at: Option<Duration>,
    /// When the question was asked that it last answered with `IN_SERVICE`.
    pub(super) confirmed: Option<Duration>,
    /// Questions in a row without an answer.
    pub(super) failures: u32,
    /// Slow answers in a row.
    pub(super) slow: u32,
    /// Agents who have heard over the session that they have there that user `finesse` is unavailable, since anybody heard the
    /// opposite. Of a session that is no more it says nothing: the opposite may have been said when nobody listened.
    pub(super) away: BTreeSet<Who>,
    /// Agents with a session there.
    pub(super) up: u32,
    /// Agents whose session there was lost or could not be opened, and has not been since.
    pub(super) down: u32,
    /// Losses and refusals since a session last opened.
    pub(super) strikes: u32,
    /// Until when it is believed that sessions do not hold.
    pub(super) doubted_until: Option<Duration>,
    /// The question on its way, and when it was asked.
    pub(super) poll: Option<(Poll, Duration)>,
    /// When it was last asked.
    pub(super) asked_at: Option<Duration>,
    /// When it is asked next.
    pub(super) next_poll: Duration,
}

impl Watch {
    /// At least half of those who had a session have none, and it is no single accident: one agent's line may fail alone.
    pub(super) fn sessions_fail(&self) -> bool {
        self.strikes >= 2 && self.down > 0 && self.down >= self.up
    }

    /// The judgement by what is known now.
    pub(super) fn judge(&self, now: Duration, in_use: bool, settings: &Settings) -> Judgement {
        if self.failures >= settings.silent_polls {
            return Judgement::Silent;
        }
        let Some(service) = &self.service else { return Judgement::Unknown };
        if !service.in_service {
            let stands_by = !in_use && !settings.deployment.all_serve();
            return if stands_by { Judgement::Standby } else { Judgement::OutOfService };
        }
        if !self.away.is_empty() {
            Judgement::Away
        } else if self.sessions_fail() || self.doubted_until.is_some_and(|until| now < until) {
            Judgement::NoSessions
        } else if service.draining {
            Judgement::Leaving
        } else if self.slow >= settings.slow_answers {
            Judgement::Slow
        } else {
            Judgement::Good
        }
    }
}
