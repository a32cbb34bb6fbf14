//! What a Java producer sends: texts, messages of every kind, and numbers while the network fails.

use std::time::Duration;

use super::{Draft, Event, Java, Task};
use crate::LabError;

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its messages are sent.
    Commit,
    /// They are not.
    Rollback,
}

/// A producer that sends numbers, closed when it is dropped.
#[derive(Debug)]
pub struct Numbers {
    task: Task,
}

impl Java {
    /// Sends text messages and returns when the broker has them all.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn send(&self, uri: &str, queue: &str, texts: &[&str], within: Duration) -> Result<(), LabError> {
        let task = self.begin(format!("send to {queue} at {uri}"), &["send", uri, queue], texts)?;
        task.wait_done(within).map(|_| ())
    }

    /// Sends messages of any kind and returns their ids when the broker has them all. Bodies are compressed with
    /// `jms.useCompression=true` in the URI.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn post(&self, uri: &str, queue: &str, drafts: &[Draft], within: Duration) -> Result<Vec<String>, LabError> {
        self.post_until("each", uri, queue, drafts, within)
    }

    /// The same in one transaction.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn post_in_transaction(
        &self,
        uri: &str,
        queue: &str,
        drafts: &[Draft],
        end: End,
        within: Duration,
    ) -> Result<Vec<String>, LabError> {
        let end = match end {
            End::Commit => "commit",
            End::Rollback => "rollback",
        };
        self.post_until(end, uri, queue, drafts, within)
    }

    fn post_until(
        &self,
        end: &str,
        uri: &str,
        queue: &str,
        drafts: &[Draft],
        within: Duration,
    ) -> Result<Vec<String>, LabError> {
        let spelled: Result<Vec<String>, _> = drafts.iter().map(serde_json::to_string).collect();
        let spelled = spelled.expect("a draft has no maps but those with names");
        let spelled: Vec<&str> = spelled.iter().map(String::as_str).collect();
        let task = self.begin(format!("post to {queue} at {uri}"), &["post", uri, queue, end], &spelled)?;
        Ok(task.wait_done(within)?.ids)
    }

    /// Begins to send persistent texts `0`, `1` and so on to `count - 1`, one after the other with a pause after each, and
    /// returns at once: with a `failover:` URI it goes on over whatever happens to its broker. See [`super::Tally`].
    ///
    /// # Errors
    ///
    /// `Io` when the process is gone.
    pub fn numbers(&self, uri: &str, queue: &str, count: u64, pause: Duration) -> Result<Numbers, LabError> {
        let (count, pause) = (count.to_string(), pause.as_millis().to_string());
        let words = ["number", uri, queue, &count, &pause];
        Ok(Numbers { task: self.begin(format!("send numbers to {queue} at {uri}"), &words, &[])? })
    }
}

impl Numbers {
    /// How many the broker has so far.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.task.look(|events| sent(events).count())
    }

    /// Waits until the broker has at least so many, and returns when each was sent (milliseconds since 1970).
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn wait_sent(&self, count: usize, within: Duration) -> Result<Vec<u64>, LabError> {
        let what = format!("{count} sent");
        self.task.wait_for(&what, within, |events| (sent(events).count() >= count).then(|| sent(events).collect()))
    }

    /// Waits until the broker has them all.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn wait_done(&self, within: Duration) -> Result<(), LabError> {
        self.task.wait_done(within).map(|_| ())
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        // Fails only when the process has ended, and the producer with it.
        let _ = self.task.begin_to_close();
    }
}

fn sent(events: &[Event]) -> impl Iterator<Item = u64> {
    events.iter().filter_map(|event| match event {
        Event::Sent { ms } => Some(*ms),
        _ => None,
    })
}
