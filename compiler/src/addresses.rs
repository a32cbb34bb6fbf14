//! Which listener of which broker answers at an address.

use crate::model::{BrokerId, Listener, Model};
use std::collections::HashMap;

/// Every address by which the topology says that a listener is reached.
#[derive(Debug, Default)]
pub struct Addresses {
    by_host_and_port: HashMap<(String, u16), (BrokerId, usize)>,
}

impl Addresses {
    /// The addresses of all listeners: the broker's host with the port it binds, what `address from` says, and the
    /// address it binds where that is one of its own. Of two with one address the first counts.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let mut addresses = Self::default();
        for (index, broker) in model.brokers.iter().enumerate() {
            let id = BrokerId(u32::try_from(index).unwrap_or(u32::MAX));
            for (place, listener) in broker.listeners.iter().enumerate() {
                for (host, port) in reached_at(&broker.host.value, listener) {
                    addresses.by_host_and_port.entry((key(&host), port)).or_insert((id, place));
                }
            }
        }
        addresses
    }

    /// The broker and the index of its listener; the case of the host does not matter.
    #[must_use]
    pub fn find(&self, host: &str, port: u16) -> Option<(BrokerId, usize)> {
        self.by_host_and_port.get(&(key(host), port)).copied()
    }
}

fn reached_at(broker_host: &str, listener: &Listener) -> Vec<(String, u16)> {
    let mut reached = Vec::new();
    if let Some(bind) = &listener.bind {
        reached.push((broker_host.to_owned(), bind.port.value));
        if !is_shared(&bind.host) {
            reached.push((bind.host.clone(), bind.port.value));
        }
    }
    let named = listener.addresses.iter().filter_map(|address| host_and_port(&address.address.value));
    reached.extend(named.map(|(host, port)| (host.to_owned(), port)));
    reached
}

/// Whether every machine has this address, so that it tells nobody which one is meant.
fn is_shared(host: &str) -> bool {
    is_wildcard(host) || is_loopback(host)
}

/// Whether it stands for every address of a machine.
pub(crate) fn is_wildcard(host: &str) -> bool {
    matches!(host, "" | "0.0.0.0" | "[::]" | "::")
}

/// Whether only the machine itself can reach it there.
pub(crate) fn is_loopback(host: &str) -> bool {
    key(host) == LOOPBACK || host.starts_with("127.")
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

const LOOPBACK: &str = "localhost";

/// One spelling for one host: small letters, no brackets, no dot at the end, one name for the machine itself.
fn key(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    match host.as_str() {
        "127.0.0.1" | "::1" => LOOPBACK.to_owned(),
        _ => host,
    }
}
