//! Messages and pulls that nobody answers, as many of the last as have room (`maxCacheSize`).

use std::collections::{BTreeMap, HashMap};

use super::Frame;
use crate::id::ConsumerId;

/// What is kept, the oldest first.
pub(super) struct Cache {
    /// In bytes.
    limit: usize,
    size: usize,
    kept: BTreeMap<u64, Cached>,
    /// The pull of each consumer: session and number.
    pulls: HashMap<(i64, i64), u64>,
}

struct Cached {
    frame: Frame,
    /// Whose pull it is.
    consumer: Option<(i64, i64)>,
}

impl Cache {
    /// An empty one with room for so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, size: 0, kept: BTreeMap::new(), pulls: HashMap::new() }
    }

    /// How many bytes are kept.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether something of this number in the order is kept.
    pub(super) fn holds(&self, order: u64) -> bool {
        self.kept.last_key_value().is_some_and(|(last, _)| *last == order)
    }

    /// What is kept, in the order in which it was sent.
    pub(super) fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.kept.values().map(|cached| &cached.frame)
    }

    /// Keeps a message.
    pub(super) fn message(&mut self, order: u64, frame: Frame) {
        self.keep(order, Cached { frame, consumer: None });
    }

    /// Keeps a pull, in place of the one that the consumer had.
    pub(super) fn pull(&mut self, order: u64, id: &ConsumerId, frame: Frame) {
        self.forget_pull(id);
        let consumer = (id.session_id, id.value);
        self.pulls.insert(consumer, order);
        self.keep(order, Cached { frame, consumer: Some(consumer) });
    }

    /// A consumer has what it wanted, or wants nothing any more.
    pub(super) fn forget_pull(&mut self, id: &ConsumerId) {
        if self.pulls.is_empty() {
            return;
        }
        if let Some(order) = self.pulls.remove(&(id.session_id, id.value)) {
            self.forget(order);
        }
    }

    /// Keeps nothing any more.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    fn keep(&mut self, order: u64, cached: Cached) {
        self.size += cached.frame.bytes.len();
        self.kept.insert(order, cached);
        while self.size > self.limit
            && let Some(oldest) = self.kept.first_key_value().map(|(order, _)| *order)
        {
            self.forget(oldest);
        }
    }

    fn forget(&mut self, order: u64) {
        let Some(cached) = self.kept.remove(&order) else { return };
        self.size -= cached.frame.bytes.len();
        if let Some(consumer) = cached.consumer {
            self.pulls.remove(&consumer);
        }
    }
}
