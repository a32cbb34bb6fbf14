//! Which requests were taken lately, and what was answered: so that none is done twice.
//!
//! A request is claimed before Finesse is asked, and every claim and every answer is told to the other connectors of the deployment
//! as a [`Record`]. One that the broker delivers again, here or to another connector, is then answered from memory; or nobody
//! knows whether it was done, and it is not sent again.
//!
//! Memory is bounded, and knows what it does not know: [`Recent::horizon`]. Times are since the Unix epoch, as connectors and clients
//! are synchronised to the second (Generic Connector, deployment guide 3.4.1); [`SLACK`] is allowed for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::event::Told;

/// How far clocks of clients and connectors may be apart.
pub const SLACK: Duration = Duration::from_secs(5);

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// So many requests.
    pub requests: usize,
    /// Each for so long.
    pub kept: Duration,
}

impl Default for Limits {
    /// 8,192 requests, ten minutes: longer than any failover, and than commands make sense.
    fn default() -> Self {
        Self { requests: 8192, kept: Duration::from_secs(600) }
    }
}

/// What connectors tell each other of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// It is about to be handed to Finesse.
    Claimed {
        /// The message's id.
        id: String,
        /// When.
        at: Duration,
    },
    /// This was answered.
    Answered {
        /// The message's id.
        id: String,
        /// When it was claimed.
        at: Duration,
        /// The answer.
        answer: Box<Told>,
    },
}

/// All that a connector remembers, for one that joins or takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// [`Recent::horizon`].
    pub horizon: Duration,
    /// The requests, oldest first.
    pub records: Vec<Record>,
}

/// A request as the broker delivers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The message's id.
    pub id: &'a str,
    /// Whether it may have been delivered before: the broker says so, or it has come over a bridge.
    pub redelivered: bool,
    /// When it was sent, if the message tells.
    pub sent: Option<Duration>,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was never handed to Finesse.
    New,
    /// It was, and this was the answer.
    Answered(Box<Told>),
    /// It may have been, and must not be sent again.
    InDoubt,
}

/// Claims cannot be forgotten before they are answered: take no more requests for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    at: Duration,
    answer: Option<Box<Told>>,
}

/// The memory of a connector.
#[derive(Clone, Debug)]
pub struct Recent {
    limits: Limits,
    horizon: Duration,
    has_forgotten: bool,
    entries: BTreeMap<String, Entry>,
    /// All of them by the time of their claim.
    by_time: BTreeSet<(Duration, String)>,
    /// Those with an answer, likewise: what may be forgotten first.
    answered: BTreeSet<(Duration, String)>,
}

impl Recent {
    /// The memory of one that has nobody to ask what was before.
    #[must_use]
    pub const fn new(limits: Limits, now: Duration) -> Self {
        let entries = BTreeMap::new();
        Self {
            limits,
            horizon: now,
            has_forgotten: false,
            entries,
            by_time: BTreeSet::new(),
            answered: BTreeSet::new(),
        }
    }

    /// The memory of one that goes on from what another one knows.
    #[must_use]
    pub fn resume(limits: Limits, snapshot: Snapshot) -> Self {
        let mut recent = Self::new(limits, snapshot.horizon);
        snapshot.records.into_iter().for_each(|record| recent.take(record));
        recent
    }

    /// All that is remembered.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { horizon: self.horizon, records: self.by_time.iter().map(|one| self.record(one)).collect() }
    }

    /// What is remembered behind a request: when it was claimed, and its id.
    pub fn after(&self, at: Duration, id: String) -> impl Iterator<Item = Record> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.by_time.range((Excluded((at, id)), Unbounded)).map(|one| self.record(one))
    }

    fn record(&self, (at, id): &(Duration, String)) -> Record {
        let answer = self.entries.get(id).and_then(|entry| entry.answer.clone());
        match answer {
            Some(answer) => Record::Answered { id: id.clone(), at: *at, answer },
            None => Record::Claimed { id: id.clone(), at: *at },
        }
    }

    /// What another one claimed up to now is not known, and nobody can tell it.
    pub fn missed(&mut self, now: Duration) {
        self.horizon = self.horizon.max(now);
        self.has_forgotten = true;
    }

    /// Another one has told all that it remembers: what was claimed up to here may still not be known. One that has forgotten
    /// something itself goes by its own.
    pub fn learned(&mut self, horizon: Duration) {
        if !self.has_forgotten {
            self.horizon = self.horizon.min(horizon);
        }
    }

    /// What was claimed up to here may have been forgotten, or was never known.
    #[must_use]
    pub const fn horizon(&self) -> Duration {
        self.horizon
    }

    /// Requests that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of a request. One that is delivered for the first time is new, however old it is; of one that is delivered
    /// again, nothing that was sent before the horizon is believed to be new.
    #[must_use]
    pub fn judge(&self, delivery: Delivery<'_>) -> Verdict {
        let may_be_forgotten = || delivery.sent.is_none_or(|sent| sent <= self.horizon.saturating_add(SLACK));
        match self.entries.get(delivery.id) {
            Some(Entry { answer: Some(answer), .. }) => Verdict::Answered(answer.clone()),
            Some(Entry { answer: None, .. }) => Verdict::InDoubt,
            None if delivery.redelivered && may_be_forgotten() => Verdict::InDoubt,
            None => Verdict::New,
        }
    }

    /// Claims a new request. Share the record, and only then ask Finesse.
    ///
    /// # Errors
    ///
    /// [`Full`] if as many as may be remembered wait for their answers.
    pub fn claim(&mut self, now: Duration, id: &str) -> Result<Record, Full> {
        self.pass_time(now);
        if self.entries.len() >= self.limits.requests && self.answered.is_empty() {
            return Err(Full);
        }
        let record = Record::Claimed { id: id.to_owned(), at: now };
        self.take(record.clone());
        Ok(record)
    }

    /// Remembers an answer. `None` if the request is not remembered any more.
    pub fn answer(&mut self, id: &str, answer: Box<Told>) -> Option<Record> {
        let at = self.entries.get(id)?.at;
        let record = Record::Answered { id: id.to_owned(), at, answer };
        self.take(record.clone());
        Some(record)
    }

    /// Takes what another connector tells, in whatever order and however often. The first answer counts.
    pub fn take(&mut self, record: Record) {
        let (id, at, answer) = match record {
            Record::Claimed { id, at } => (id, at, None),
            Record::Answered { id, at, answer } => (id, at, Some(answer)),
        };
        let entry = self.entries.entry(id.clone()).or_insert(Entry { at, answer: None });
        let at = entry.at;
        if let Some(answer) = answer {
            entry.answer.get_or_insert(answer);
            self.answered.insert((at, id.clone()));
        }
        self.by_time.insert((at, id));
        while self.entries.len() > self.limits.requests {
            let first = self.answered.first().or_else(|| self.by_time.first()).cloned();
            let Some(oldest) = first else { break };
            self.forget(&oldest);
        }
    }

    /// Forgets what is too old.
    pub fn pass_time(&mut self, now: Duration) {
        while let Some(oldest) =
            self.by_time.first().filter(|(at, _)| at.saturating_add(self.limits.kept) <= now).cloned()
        {
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, one: &(Duration, String)) {
        self.by_time.remove(one);
        self.answered.remove(one);
        self.entries.remove(&one.1);
        self.horizon = self.horizon.max(one.0);
        self.has_forgotten = true;
    }
}
