//! Who waits: for the answer to a command, or for a connection to send one over.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;
use tokio::time::Instant;
use topoc_openwire_proto::command::Command;
use topoc_openwire_proto::id::ConsumerId;

use crate::{Error, Refusal};

/// Where the answer to a command goes.
pub(crate) type Answer = oneshot::Sender<Result<(), Error>>;

/// A command that waits for a connection.
pub(super) struct Unsent {
    pub(super) command: Command,
    pub(super) answer: Option<Answer>,
    /// Until when it may wait; for ever without.
    pub(super) until: Option<Instant>,
}

/// Everybody who waits.
#[derive(Default)]
pub(super) struct Waiting {
    /// By the number of the command.
    answers: HashMap<i32, Answer>,
    /// In the order in which they were asked for.
    unsent: VecDeque<Unsent>,
}

impl Waiting {
    /// The answer to this command is wanted.
    pub(super) fn for_answer(&mut self, number: i32, answer: Answer) {
        self.answers.insert(number, answer);
    }

    pub(super) fn is_for_answer(&self, number: i32) -> bool {
        self.answers.contains_key(&number)
    }

    /// Gives an answer to who waits for it. A refusal that nobody waits for comes back.
    pub(super) fn answer(&mut self, number: i32, result: Result<(), Refusal>) -> Result<(), Refusal> {
        match self.answers.remove(&number) {
            Some(answer) => {
                let _ = answer.send(result.map_err(Refusal::into_error));
                Ok(())
            }
            None => result,
        }
    }

    /// Keeps a command until there is a connection.
    pub(super) fn for_connection(&mut self, unsent: Unsent) {
        self.unsent.push_back(unsent);
    }

    /// How many commands wait for a connection.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// There is a connection: what has waited for it.
    pub(super) fn take_unsent(&mut self) -> VecDeque<Unsent> {
        std::mem::take(&mut self.unsent)
    }

    /// When the next command has waited long enough.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.unsent.iter().filter_map(|unsent| unsent.until).min()
    }

    /// What has waited longer for a connection than it may gets this error.
    pub(super) fn give_up(&mut self, now: Instant, error: &Error) {
        let (over, left) = std::mem::take(&mut self.unsent)
            .into_iter()
            .partition(|unsent| unsent.until.is_some_and(|until| until <= now));
        self.unsent = left;
        let over: VecDeque<Unsent> = over;
        for answer in over.into_iter().filter_map(|unsent| unsent.answer) {
            let _ = answer.send(Err(error.clone()));
        }
    }

    /// A consumer that ends before any broker has heard of it never begins: nobody would take what a broker gave it.
    pub(super) fn forget_consumer(&mut self, ended: &ConsumerId) {
        self.unsent.retain(|unsent| match &unsent.command {
            Command::ConsumerInfo(info) => info.consumer_id.as_ref() != Some(ended),
            _ => true,
        });
    }

    /// It is over: everybody gets this error.
    pub(super) fn end(&mut self, error: &Error) {
        let unsent = self.unsent.drain(..).filter_map(|unsent| unsent.answer);
        for answer in self.answers.drain().map(|(_, answer)| answer).chain(unsent) {
            let _ = answer.send(Err(error.clone()));
        }
    }
}
