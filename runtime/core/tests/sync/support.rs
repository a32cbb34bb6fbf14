//! What tests of several connectors have in common.

use std::time::Duration;

use topoc_core::connector::{Limits, Message, Settings};
use topoc_core::sync::seal::{Key, Keys};
use topoc_core::sync::{self, Mode, Times};
use topoc_finesse_proto::rest::Credentials;
use topoc_finesse_proto::secret::Secret;

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// xorshift64*: chance that begins at a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

pub(crate) fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

pub(crate) fn password(agent: &str, text: &str) -> Credentials {
    Credentials::Basic { user: agent.to_owned(), password: Secret::new(text) }
}

pub(crate) fn names(many: usize) -> Vec<String> {
    (1..=many).map(|number| format!("site-{number}.gc")).collect()
}

/// The settings of the connector at that place among so many.
pub(crate) fn settings(place: usize, many: usize, mode: Mode, epoch: u64) -> sync::Settings {
    let mut chance = [0; 16];
    chance[0] = u8::try_from(place).unwrap();
    chance[8..].copy_from_slice(&epoch.to_le_bytes());
    sync::Settings {
        deployment: "main".to_owned(),
        name: names(many)[place].clone(),
        epoch,
        connectors: names(many),
        mode,
        priority: if place == 0 { 127 } else { 100 },
        keys: Keys { first: key(1), other: None },
        chance,
        times: Times::default(),
        agents: 1000,
        batch: 250,
    }
}

pub(crate) fn connector(place: usize, many: usize, epoch: u64) -> Settings {
    Settings { name: names(many)[place].clone(), epoch, queue: "requests".to_owned(), limits: Limits::default() }
}

pub(crate) fn message(delivery: u64, id: &str, jms_type: &str, body: &str) -> Message {
    Message {
        delivery,
        id: id.to_owned(),
        jms_type: Some(jms_type.to_owned()),
        body: body.as_bytes().to_vec(),
        correlation: None,
        reply_to: Some("queue://answers".to_owned()),
        redelivered: false,
        crossed: false,
        sent: None,
        expires: None,
    }
}
