//! Who owns which agent, and what one needs to look after them: the same on all connectors, whatever order they hear of it in.
//!
//! An entry has two parts, each the greatest that was ever told by its stamp: merging is a maximum, so that neither order nor
//! repetition matters, and both sides of a healed split come to the same.
//!
//! * The **seat** says who owns the agent. Whoever takes one over raises the term. Two that do so at the same time, on both sides of
//!   a split, are told apart by their priority, then by their name.
//! * The **card** has what the agent proved and where their events go. Any connector that the agent's client speaks to writes it,
//!   stamped with the time, as clocks are synchronised to the second (Generic Connector, deployment guide 3.4.1), and always later
//!   than the card before.
//!
//! An agent who is forgotten leaves an empty card for an hour, so that nobody who was away brings them back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use topoc_finesse_proto::rest::Credentials;

use crate::destination::Destination;

/// How long an empty card is kept. Ours: longer than links are down, as a rule.
pub const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Who owns an agent. Greater is later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat {
    /// How often the owner has changed.
    pub term: u64,
    /// The owner's consumer priority.
    pub priority: i8,
    /// The owner's name.
    pub owner: Arc<str>,
}

/// What an agent's session needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// When it was written, in milliseconds since the Unix epoch, or one more than the card before.
    pub version: u64,
    /// The start of the writer.
    pub epoch: u64,
    /// Who wrote it.
    pub writer: Arc<str>,
    /// How the agent proves who they are; none where there is no session to be.
    pub credentials: Option<Credentials>,
    /// Where events go.
    pub client: Option<Destination>,
}

impl Card {
    fn stamp(&self) -> (u64, u64, &str) {
        (self.version, self.epoch, &self.writer)
    }

    /// Whether the agent is forgotten.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.credentials.is_none() && self.client.is_none()
    }

    fn is_over(&self, now: Duration) -> bool {
        self.is_empty() && Duration::from_millis(self.version).saturating_add(FORGOTTEN) <= now
    }
}

/// What is known of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who owns them.
    pub seat: Seat,
    /// What their session needs.
    pub card: Card,
}

/// What became of an entry that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Something of it was news.
    pub changed: bool,
    /// Something of it was older than what is known: whoever told it does not know yet.
    pub stale: bool,
}

/// All agents.
#[derive(Clone, Debug, Default)]
pub struct Table {
    entries: BTreeMap<String, Entry>,
    digest: u64,
    limit: usize,
    /// Entries for which there was no room.
    refused: u64,
}

impl Table {
    /// An empty one with room for so many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// What is known of an agent.
    #[must_use]
    pub fn get(&self, agent: &str) -> Option<&Entry> {
        self.entries.get(agent)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(agent, entry)| (agent.as_str(), entry))
    }

    /// Those behind this one.
    pub fn after(&self, agent: &str) -> impl Iterator<Item = (&str, &Entry)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = (if agent.is_empty() { Unbounded } else { Excluded(agent) }, Unbounded);
        self.entries.range::<str, _>(range).map(|(agent, entry)| (agent.as_str(), entry))
    }

    /// How many, with those who are forgotten.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries for which there was no room.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// All in one number: with the same one, two connectors know the same. Those who are forgotten do not count.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// Takes what was told, in whatever order and however often.
    pub fn merge(&mut self, now: Duration, agent: &str, told: Entry) -> Merged {
        let Some(known) = self.entries.get_mut(agent) else {
            let is_news = !told.card.is_over(now) && self.make_room();
            if is_news {
                self.digest ^= digest(agent, &told);
                self.entries.insert(agent.to_owned(), told);
            }
            return Merged { changed: is_news, stale: false };
        };
        let before = digest(agent, known);
        let seat = told.seat.cmp(&known.seat);
        let card = told.card.stamp().cmp(&known.card.stamp());
        if seat.is_gt() {
            known.seat = told.seat;
        }
        if card.is_gt() {
            known.card = told.card;
        }
        self.digest ^= before ^ digest(agent, known);
        Merged { changed: seat.is_gt() || card.is_gt(), stale: seat.is_lt() || card.is_lt() }
    }

    /// Whoever is forgotten makes room, if need be.
    fn make_room(&mut self) -> bool {
        if self.entries.len() < self.limit {
            return true;
        }
        let oldest = self.entries.iter().filter(|(_, entry)| entry.card.is_empty());
        let oldest = oldest.min_by_key(|(_, entry)| entry.card.version).map(|(agent, _)| agent.clone());
        let Some(oldest) = oldest else {
            self.refused += 1;
            return false;
        };
        self.entries.remove(&oldest);
        true
    }

    /// Drops cards that were empty for long enough.
    pub fn pass_time(&mut self, now: Duration) {
        self.entries.retain(|_, entry| !entry.card.is_over(now));
    }
}

/// FNV-1a of an entry's stamps, mixed well (finalizer of SplitMix64), as digests are joined by exclusive or.
fn digest(agent: &str, entry: &Entry) -> u64 {
    if entry.card.is_empty() {
        return 0;
    }
    let Entry { seat, card } = entry;
    let numbers = [seat.term, u64::from(seat.priority.unsigned_abs()), card.version, card.epoch];
    let texts = [agent.as_bytes(), &[0], seat.owner.as_bytes(), &[0], card.writer.as_bytes(), &[0]].concat();
    mixed(&texts, &numbers)
}

/// A number of bytes and numbers: the same in every release, as connectors compare it.
pub(super) fn mixed(bytes: &[u8], numbers: &[u64]) -> u64 {
    let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
    let hash = bytes
        .iter()
        .copied()
        .chain(numbers)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

impl Entry {
    /// About how many bytes it takes when it is told, without the agent's id.
    pub(super) fn weight(&self) -> usize {
        let secret = match &self.card.credentials {
            Some(Credentials::Basic { user, password }) => user.len() + password.expose().len(),
            Some(Credentials::Bearer(token)) => token.expose().len(),
            None => 0,
        };
        let client = self.card.client.as_ref().map_or(0, |client| client.to_string().len());
        256 + secret + client
    }
}
