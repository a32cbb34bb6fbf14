//! A Java consumer at a test's command.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Event, Java, Message, Task};
use crate::LabError;

/// A consumer on a queue, open until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    pub(super) task: Task,
}

/// How a session acknowledges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// By itself, each message (AUTO_ACKNOWLEDGE).
    #[default]
    Auto,
    /// By itself, many at once (DUPS_OK_ACKNOWLEDGE).
    DupsOk,
    /// When told, everything up to now (CLIENT_ACKNOWLEDGE).
    Client,
    /// When told, one message (ActiveMQ's INDIVIDUAL_ACKNOWLEDGE).
    Individual,
    /// When told to commit (SESSION_TRANSACTED).
    Transacted,
}

impl Acknowledge {
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::DupsOk => "dups_ok",
            Self::Client => "client",
            Self::Individual => "individual",
            Self::Transacted => "transacted",
        }
    }
}

/// Which numbers have come, of messages whose texts are numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often each number has come.
    pub times: BTreeMap<u64, usize>,
}

impl Tally {
    /// Counts messages; those that are no numbers are left out.
    pub fn of<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Self {
        let mut tally = Self::default();
        let numbers = messages.into_iter().filter_map(|message| message.text.as_deref()?.parse().ok());
        numbers.for_each(|number| *tally.times.entry(number).or_default() += 1);
        tally
    }

    /// Those of the range that have not come.
    #[must_use]
    pub fn missing(&self, range: Range<u64>) -> Vec<u64> {
        range.filter(|number| !self.times.contains_key(number)).collect()
    }

    /// Those that have come more than once.
    #[must_use]
    pub fn duplicates(&self) -> Vec<u64> {
        self.times.iter().filter(|(_, times)| **times > 1).map(|(number, _)| *number).collect()
    }
}

impl Java {
    /// Opens a consumer and returns at once; see [`Receiver::wait_ready`].
    ///
    /// # Errors
    ///
    /// `Io` when the process is gone.
    pub fn receiver(&self, uri: &str, queue: &str) -> Result<Receiver, LabError> {
        self.receiver_with(uri, queue, Acknowledge::Auto, "")
    }

    /// The same with another way to acknowledge, and a selector (empty: every message). Prefetch, priority and
    /// exclusiveness are options of the queue: `Q?consumer.prefetchSize=1&consumer.exclusive=true`.
    ///
    /// # Errors
    ///
    /// `Io` when the process is gone.
    pub fn receiver_with(
        &self,
        uri: &str,
        queue: &str,
        acknowledge: Acknowledge,
        selector: &str,
    ) -> Result<Receiver, LabError> {
        let words = ["receive", uri, queue, acknowledge.word(), selector];
        Ok(Receiver { task: self.begin(format!("receive from {queue} at {uri}"), &words, &[])? })
    }

    /// Opens a consumer that answers each request to its JMSReplyTo: `name`, a space and the request's text.
    ///
    /// # Errors
    ///
    /// `Io` when the process is gone.
    pub fn echo(&self, name: &str, uri: &str, queue: &str) -> Result<Receiver, LabError> {
        let task = self.begin(format!("answer from {queue} at {uri}"), &["echo", name, uri, queue], &[])?;
        Ok(Receiver { task })
    }
}

impl Receiver {
    /// Waits until the broker knows the consumer, and returns the name of that broker if the client knows it.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn wait_ready(&self, within: Duration) -> Result<Option<String>, LabError> {
        self.task.wait_for("ready", within, |events| {
            events.iter().find_map(|event| match event {
                Event::Ready { broker } => Some(broker.clone()),
                _ => None,
            })
        })
    }

    /// Waits until at least `count` messages have come since it was opened, and returns all of them.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn wait_messages(&self, count: usize, within: Duration) -> Result<Vec<Message>, LabError> {
        self.task.wait_for(&format!("{count} message(s)"), within, |events| {
            (messages(events).count() >= count).then(|| messages(events).cloned().collect())
        })
    }

    /// Waits until each number of the range has come as the text of a message, and returns what has come until then.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn wait_numbers(&self, range: Range<u64>, within: Duration) -> Result<Tally, LabError> {
        self.task.wait_for(&format!("each number of {range:?}"), within, |events| {
            let tally = Tally::of(messages(events));
            tally.missing(range.clone()).is_empty().then_some(tally)
        })
    }

    /// What has come so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.task.look(|events| messages(events).cloned().collect())
    }

    /// Acknowledges the message with this place in [`Receiver::messages`]; [`Acknowledge::Client`]: and all before it.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn acknowledge(&self, message: usize, within: Duration) -> Result<(), LabError> {
        self.order("acknowledge", message, within)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// As [`Receiver::acknowledge`].
    pub fn commit(&self, within: Duration) -> Result<(), LabError> {
        self.order("commit", 0, within)
    }

    /// Rolls the transaction back. Its messages come again after a second, or as `jms.redeliveryPolicy` in the URI says.
    ///
    /// # Errors
    ///
    /// As [`Receiver::acknowledge`].
    pub fn rollback(&self, within: Duration) -> Result<(), LabError> {
        self.order("rollback", 0, within)
    }

    /// Has everything that is not acknowledged delivered again (`Session.recover`).
    ///
    /// # Errors
    ///
    /// As [`Receiver::acknowledge`].
    pub fn recover(&self, within: Duration) -> Result<(), LabError> {
        self.order("recover", 0, within)
    }

    /// Closes the consumer and its connection, and waits until the broker knows.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn close(self, within: Duration) -> Result<(), LabError> {
        self.task.begin_to_close()?.wait_done(within).map(|_| ())
    }

    fn order(&self, what: &str, number: usize, within: Duration) -> Result<(), LabError> {
        self.task.order(&["order", &self.task.number.to_string(), what, &number.to_string()])?.wait_done(within)?;
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Fails only when the process has ended, and the consumer with it. A second close does nothing.
        let _ = self.task.begin_to_close();
    }
}

fn messages(events: &[Event]) -> impl Iterator<Item = &Message> {
    events.iter().filter_map(|event| match event {
        Event::Message { message } => Some(&**message),
        _ => None,
    })
}

impl Task {
    /// A task that is done to this one.
    fn order(&self, words: &[&str]) -> Result<Self, LabError> {
        let shared = Arc::clone(&self.shared);
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        shared.tell(number, words.iter())?;
        Ok(Self { shared, number, doing: format!("{}: {}", words[0], self.doing) })
    }

    pub(super) fn begin_to_close(&self) -> Result<Self, LabError> {
        self.order(&["close", &self.number.to_string()])
    }
}
