//! The sessions of a node's notification service: by number, and by whose they are.

use std::collections::{BTreeMap, BTreeSet};

/// A session of the notification service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub agent: usize,
    /// What its client calls itself.
    pub resource: String,
    /// Its priority while it is there.
    pub presence: Option<i8>,
}

/// Sessions. Most of what happens concerns one agent of thousands, whose sessions are found at once.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    by_number: BTreeMap<u64, Session>,
    by_agent: BTreeMap<usize, BTreeSet<u64>>,
}

impl Sessions {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Session)> {
        self.by_number.iter().map(|(number, session)| (*number, session))
    }

    /// Those of an agent, in the order of their numbers.
    pub fn of(&self, agent: usize) -> impl Iterator<Item = (u64, &Session)> {
        let numbers = self.by_agent.get(&agent).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.by_number.get(number)?)))
    }

    pub(super) fn get(&self, number: u64) -> Option<&Session> {
        self.by_number.get(&number)
    }

    /// Says of a session whether it is there, and what it said before.
    pub(super) fn set_presence(&mut self, number: u64, presence: Option<i8>) -> Option<(usize, Option<i8>)> {
        let session = self.by_number.get_mut(&number)?;
        Some((session.agent, std::mem::replace(&mut session.presence, presence)))
    }

    pub(super) fn insert(&mut self, number: u64, session: Session) {
        self.by_agent.entry(session.agent).or_default().insert(number);
        self.by_number.insert(number, session);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Session> {
        let session = self.by_number.remove(&number)?;
        if let Some(numbers) = self.by_agent.get_mut(&session.agent) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_agent.remove(&session.agent);
            }
        }
        Some(session)
    }

    /// Leaves none.
    pub(super) fn take_all(&mut self) -> BTreeMap<u64, Session> {
        std::mem::take(self).by_number
    }
}
