//! Which requests the nodes have accepted: what clients are compared with that must have nothing done twice.

use std::collections::VecDeque;

use super::Cluster;
use super::agent::Base;
use super::config::Millis;
use super::work::Ask;

/// So many are kept, the latest: some minutes of a busy contact centre.
pub const KEPT: usize = 10_000;

/// A request that changes something and that a node has accepted: it was answered with 202, and goes on to CTI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How many were accepted up to this one, since the start: a gap is what was forgotten. From 1.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// At which node, from 0.
    pub node: usize,
    /// The id of the agent that it is about.
    pub agent: String,
    /// `requestId`, if it has one.
    pub request: Option<String>,
    /// What is asked, in Finesse's word: a state, `LOGIN`, `MAKE_CALL`, or an action on a call.
    pub what: &'static str,
    /// Of what: a reason's code, an extension, a number that is called, or the id of a call.
    pub of: Option<String>,
}

/// The latest of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    accepted: u64,
    latest: VecDeque<Entry>,
}

impl Journal {
    /// Gives it the next number.
    pub(super) fn note(&mut self, entry: Entry) {
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.accepted += 1;
        self.latest.push_back(Entry { number: self.accepted, ..entry });
    }
}

impl Cluster {
    /// The requests that were accepted behind this number, oldest first, as far as they are kept ([`KEPT`]).
    pub fn journal(&self, behind: u64) -> impl Iterator<Item = &Entry> {
        self.journal.latest.iter().filter(move |entry| entry.number > behind)
    }

    /// What is noted of a request if it is accepted, without a number.
    pub(super) fn entry(&self, now: Millis, node: usize, request: Option<&String>, ask: &Ask) -> Entry {
        let (agent, what, of) = said(ask);
        let agent = self.agents[agent].id.clone();
        Entry { number: 0, at: now, node, agent, request: request.cloned(), what, of }
    }
}

fn said(ask: &Ask) -> (usize, &'static str, Option<String>) {
    match ask {
        Ask::Login { agent, extension, .. } => (*agent, "LOGIN", Some(extension.clone())),
        Ask::Change { agent, to, .. } => (*agent, to.state().name(), code(*to)),
        Ask::MakeCall { agent, to, .. } => (*agent, "MAKE_CALL", Some(to.clone())),
        Ask::Act { agent, call, action, .. } => (*agent, action.name(), Some(call.to_string())),
    }
}

fn code(base: Base) -> Option<String> {
    base.reason().map(|code| code.to_string())
}
