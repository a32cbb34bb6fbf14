//! Snapshots: a connector that has missed something asks another one for all that it knows, piece by piece.

use std::sync::Arc;
use std::time::Duration;

use super::machine::{Order, PIECE, Turn};
use super::message::{Ask, Cursor, Message, Piece, Stage};
use crate::recent::{Recent, Record};

/// So often a piece is asked for before the whole is begun anew.
const TRIES: u32 = 3;
/// A newcomer begins at the latest after so many times [`Times::join`](super::Times::join), whatever it has heard by then.
const PATIENCE: u32 = 5;

/// A snapshot on its way to us.
#[derive(Clone, Debug)]
pub(super) struct Pull {
    of: Arc<str>,
    number: u64,
    from: Cursor,
    /// When the piece is asked for again.
    pub(super) until: Duration,
    tries: u32,
    /// What was lost of the other one when we began.
    gaps: u64,
}

impl Turn<'_> {
    /// Begins, or asks again.
    pub(super) fn go_on_pulling(&mut self) {
        let times = self.sync.settings.times;
        let is_there = |peer: &super::peer::Peer| peer.is_heard(self.now, &times);
        match &mut self.sync.pull {
            Some(pull) if !self.sync.peers.get(&pull.of).is_some_and(is_there) => self.sync.pull = None,
            Some(pull) if pull.until > self.now => return,
            Some(pull) if pull.tries >= TRIES => self.sync.pull = None,
            Some(pull) => {
                pull.tries += 1;
                pull.until = self.now.saturating_add(times.piece);
                return self.ask();
            }
            None => {}
        }
        // Rather from one that works than from one that joins itself.
        let wanted = self.sync.peers.iter().filter(|(_, peer)| peer.due && is_there(peer));
        let Some((name, peer)) = wanted.max_by_key(|(_, peer)| peer.stage == Stage::Serving) else { return };
        let (of, gaps) = (name.clone(), peer.gaps);
        self.sync.pulls += 1;
        let number = self.sync.pulls;
        let until = self.now.saturating_add(times.piece);
        self.sync.pull = Some(Pull { of, number, from: Cursor::Agents(String::new()), until, tries: 0, gaps });
        self.ask();
    }

    fn ask(&mut self) {
        if let Some(pull) = &self.sync.pull {
            let ask = Ask { of: pull.of.to_string(), pull: pull.number, from: pull.from.clone() };
            self.send(None, &Message::Ask(ask));
        }
    }

    /// Somebody asks.
    pub(super) fn asked(&mut self, name: &Arc<str>, ask: Ask) {
        if *ask.of != *self.sync.me {
            return;
        }
        let Cursor::Agents(after) = &ask.from else {
            self.orders.push(Order::Collect(ask, name.to_string()));
            return;
        };
        let mut agents = Vec::new();
        let mut size = 0;
        for (agent, entry) in self.sync.table.after(after) {
            size += entry.weight() + agent.len();
            agents.push((agent.to_owned(), entry.clone()));
            if size >= PIECE {
                break;
            }
        }
        let next = match agents.last() {
            Some((last, _)) if size >= PIECE => Cursor::Agents(last.clone()),
            _ => Cursor::Records(0, String::new()),
        };
        let (to, pull, from) = (name.to_string(), ask.pull, ask.from);
        let piece = Piece { to, pull, from, next: Some(next), horizon: Duration::ZERO, agents, records: Vec::new() };
        self.send(None, &Message::Piece(piece));
    }

    /// Somebody answers.
    pub(super) fn piece(&mut self, name: &Arc<str>, piece: Piece) {
        let is_ours = |pull: &&mut Pull| pull.of == *name && pull.number == piece.pull && pull.from == piece.from;
        let to_us = *piece.to == *self.sync.me;
        let Some(pull) = self.sync.pull.as_mut().filter(|pull| to_us && is_ours(pull)) else { return };
        pull.tries = 0;
        pull.until = self.now.saturating_add(self.sync.settings.times.piece);
        let gaps = pull.gaps;
        let is_last = match piece.next {
            // A place that is not behind this one would go on for ever.
            Some(next) if next > piece.from => {
                pull.from = next;
                false
            }
            _ => true,
        };
        piece.agents.into_iter().for_each(|(agent, entry)| self.merge(agent, entry));
        self.orders.extend(piece.records.into_iter().map(Order::Peer));
        if !is_last {
            return self.ask();
        }
        self.sync.pull = None;
        if let Some(peer) = self.sync.peers.get_mut(name) {
            peer.due = peer.gaps != gaps;
            peer.gap = peer.gaps != gaps;
        }
        if self.sync.stage == Stage::Joining {
            self.joined(Some(piece.horizon));
        }
        self.go_on_pulling();
    }

    /// A newcomer begins when it knows what another one knows, or when nobody tells.
    pub(super) fn join(&mut self) {
        let Some(started) = self.sync.started.filter(|_| self.sync.stage == Stage::Joining) else { return };
        let patience = if self.sync.pull.is_some() { PATIENCE } else { 1 };
        if started.saturating_add(self.sync.settings.times.join * patience) <= self.now {
            self.joined(None);
        }
    }

    fn joined(&mut self, horizon: Option<Duration>) {
        self.sync.stage = Stage::Serving;
        self.orders.push(Order::Joined(horizon));
        self.hello();
    }
}

/// The piece of a snapshot with what is remembered of requests, for that connector.
#[must_use]
pub(crate) fn collect(recent: &Recent, ask: Ask, to: String) -> Piece {
    let mut records: Vec<Record> = Vec::new();
    let mut size = 0;
    let mut next = None;
    let (at, id) = match &ask.from {
        Cursor::Records(at, id) => (Duration::from_nanos(*at), id.clone()),
        Cursor::Agents(_) => (Duration::ZERO, String::new()),
    };
    for record in recent.after(at, id) {
        size += weight(&record);
        let (Record::Claimed { id, at } | Record::Answered { id, at, .. }) = &record;
        let place = Cursor::Records(super::message::nanos(*at), id.clone());
        records.push(record);
        if size >= PIECE {
            next = Some(place);
            break;
        }
    }
    Piece { to, pull: ask.pull, from: ask.from, next, horizon: recent.horizon(), agents: Vec::new(), records }
}

/// About how many bytes a record takes.
fn weight(record: &Record) -> usize {
    match record {
        Record::Claimed { id, .. } => id.len() + 64,
        Record::Answered { id, answer, .. } => {
            id.len() + 64 + serde_json::to_string(answer).map_or(0, |text| text.len())
        }
    }
}
