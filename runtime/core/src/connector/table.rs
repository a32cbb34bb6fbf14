//! The phases of a request, and how one leads to another: the machine goes by this table.

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has just come.
    New,
    /// It waits in its agent's queue.
    Queued,
    /// Finesse is asked whether its password is right.
    Proving,
    /// Finesse is asked what the agent is doing.
    Looking,
    /// It may have been done, and Finesse's state is to show it.
    Doubtful,
    /// Its claim is on its way to the broker.
    Recording,
    /// Finesse is asked for it.
    Asked,
    /// It is answered.
    Answered,
    /// Nobody is answered: nobody can be, or the broker delivers it again.
    Dropped,
}

/// What leads from one phase to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It is understood.
    Queue,
    /// Its password has to be proven.
    Prove,
    /// It is.
    Proved,
    /// Nobody knows what the agent is doing: their session is another connector's.
    Look,
    /// Finesse has said it.
    See,
    /// It may have been done before.
    Doubt,
    /// It is about to be done.
    Claim,
    /// Its turn has come.
    Ask,
    /// Its answer is known.
    Answer,
    /// Its time is over.
    Expire,
    /// The broker is lost, and will deliver it again.
    Lose,
    /// Nobody can be answered.
    Refuse,
}

/// From, cause, to. What is not listed does not happen.
pub const TRANSITIONS: &[(Phase, Cause, Phase)] = &[
    (Phase::New, Cause::Queue, Phase::Queued),
    (Phase::New, Cause::Doubt, Phase::Doubtful),
    (Phase::New, Cause::Answer, Phase::Answered),
    (Phase::New, Cause::Expire, Phase::Answered),
    (Phase::New, Cause::Refuse, Phase::Dropped),
    (Phase::Queued, Cause::Prove, Phase::Proving),
    (Phase::Queued, Cause::Look, Phase::Looking),
    (Phase::Queued, Cause::Doubt, Phase::Doubtful),
    (Phase::Queued, Cause::Claim, Phase::Recording),
    (Phase::Queued, Cause::Ask, Phase::Asked),
    (Phase::Queued, Cause::Answer, Phase::Answered),
    (Phase::Queued, Cause::Expire, Phase::Answered),
    (Phase::Queued, Cause::Lose, Phase::Dropped),
    (Phase::Proving, Cause::Proved, Phase::Queued),
    (Phase::Proving, Cause::Answer, Phase::Answered),
    (Phase::Proving, Cause::Expire, Phase::Answered),
    (Phase::Proving, Cause::Lose, Phase::Dropped),
    (Phase::Looking, Cause::See, Phase::Queued),
    (Phase::Looking, Cause::Answer, Phase::Answered),
    (Phase::Looking, Cause::Expire, Phase::Answered),
    (Phase::Looking, Cause::Lose, Phase::Dropped),
    (Phase::Doubtful, Cause::Answer, Phase::Answered),
    (Phase::Doubtful, Cause::Expire, Phase::Answered),
    (Phase::Doubtful, Cause::Lose, Phase::Dropped),
    (Phase::Recording, Cause::Ask, Phase::Asked),
    (Phase::Recording, Cause::Answer, Phase::Answered),
    (Phase::Recording, Cause::Expire, Phase::Answered),
    (Phase::Recording, Cause::Lose, Phase::Dropped),
    (Phase::Asked, Cause::Answer, Phase::Answered),
    (Phase::Asked, Cause::Expire, Phase::Answered),
];

/// Where a cause leads from a phase, if anywhere.
pub(super) fn next(from: Phase, cause: Cause) -> Option<Phase> {
    TRANSITIONS.iter().find(|(phase, why, _)| (*phase, *why) == (from, cause)).map(|(_, _, to)| *to)
}
