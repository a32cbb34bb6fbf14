//! The phases of the choice, and how one leads to another: the machine goes by this table.

/// Where the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not started.
    New,
    /// No server has been found yet.
    Choosing,
    /// Agents use a server.
    Serving,
    /// The server in use has failed, and no other is known to be in service.
    Seeking,
    /// The server in use has failed, another is in service, and the last switch was too short a time ago.
    Held,
    /// Agents leave a server in maintenance for the one that is in use now.
    Draining,
    /// Stopped.
    Stopped,
}

/// What leads from one phase to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The process starts.
    Start,
    /// A server is in service.
    Found,
    /// The server in use has failed.
    Failed,
    /// The server in use is back before another was taken.
    Recovered,
    /// Another server is in service, but it is too early for another switch.
    TooEarly,
    /// The other server is no longer known to be in service.
    OtherGone,
    /// Agents use another server.
    Switched,
    /// The server in use is in maintenance, and another one is in service.
    Maintenance,
    /// The time for leaving is over.
    Drained,
    /// The server in maintenance failed before everyone had left.
    DrainCut,
    /// The process stops.
    Stop,
}

/// From, cause, to. What is not listed changes nothing.
pub const TRANSITIONS: &[(Phase, Cause, Phase)] = &[
    (Phase::New, Cause::Start, Phase::Choosing),
    (Phase::New, Cause::Stop, Phase::Stopped),
    (Phase::Choosing, Cause::Found, Phase::Serving),
    (Phase::Choosing, Cause::Stop, Phase::Stopped),
    (Phase::Serving, Cause::Failed, Phase::Seeking),
    (Phase::Serving, Cause::Switched, Phase::Serving),
    (Phase::Serving, Cause::Maintenance, Phase::Draining),
    (Phase::Serving, Cause::Stop, Phase::Stopped),
    (Phase::Seeking, Cause::Recovered, Phase::Serving),
    (Phase::Seeking, Cause::TooEarly, Phase::Held),
    (Phase::Seeking, Cause::Switched, Phase::Serving),
    (Phase::Seeking, Cause::Stop, Phase::Stopped),
    (Phase::Held, Cause::Recovered, Phase::Serving),
    (Phase::Held, Cause::OtherGone, Phase::Seeking),
    (Phase::Held, Cause::Switched, Phase::Serving),
    (Phase::Held, Cause::Stop, Phase::Stopped),
    (Phase::Draining, Cause::Drained, Phase::Serving),
    (Phase::Draining, Cause::DrainCut, Phase::Serving),
    (Phase::Draining, Cause::Failed, Phase::Seeking),
    (Phase::Draining, Cause::Stop, Phase::Stopped),
];

/// Where a cause leads from a phase, if anywhere.
pub(super) fn next(from: Phase, cause: Cause) -> Option<Phase> {
    TRANSITIONS.iter().find(|(phase, why, _)| (*phase, *why) == (from, cause)).map(|(_, _, to)| *to)
}
