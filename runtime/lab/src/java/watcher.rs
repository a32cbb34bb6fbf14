//! Where a Java client is connected, moment by moment: what another client can be compared with under the same faults.

use std::time::Duration;

use super::{Event, Java, Task};
use crate::LabError;

/// A connection that does nothing but tell where it is, open until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    task: Task,
}

/// Something that happened to a watched connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When, in milliseconds since 1970.
    pub ms: u64,
    /// What.
    pub what: Seen,
}

/// What can happen to a connection. The return to a preferred broker (`priorityBackup`) shows as [`Seen::Connected`] alone.
///
/// Where it is, is told by its address, never by the name of a broker: ActiveMQ's `FailoverTransport` can miss the name that a
/// backup connection brings, and then goes on giving that of the broker before (seen in 4 of 60 clients of 5.18.3 that went
/// over to a broker of `priorityURIs` on a loaded machine).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The transport is connected to an address, such as `tcp://127.0.0.1:61616`.
    Connected(String),
    /// The connection is lost; a `failover:` transport looks for another.
    Interrupted,
    /// The connection is lost for good, for this reason.
    Lost(String),
}

impl Java {
    /// Opens a connection and watches it; returns at once.
    ///
    /// # Errors
    ///
    /// `Io` when the process is gone.
    pub fn watch(&self, uri: &str) -> Result<Watcher, LabError> {
        Ok(Watcher { task: self.begin(format!("watch a connection to {uri}"), &["watch", uri], &[])? })
    }
}

impl Watcher {
    /// Waits until the connection is to this address, and returns since when (milliseconds since 1970).
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception if it could not connect, `TooLate` after `within`.
    pub fn wait_address(&self, wanted: &str, within: Duration) -> Result<u64, LabError> {
        self.wait_for(&format!("connected to {wanted}"), within, |sightings| {
            address(sightings).filter(|(at, _)| *at == wanted).map(|(_, ms)| ms)
        })
    }

    /// Waits until `look` finds something in all that has happened.
    ///
    /// # Errors
    ///
    /// As [`Watcher::wait_address`].
    pub fn wait_for<T>(
        &self,
        what: &str,
        within: Duration,
        look: impl Fn(&[Sighting]) -> Option<T>,
    ) -> Result<T, LabError> {
        self.task.wait_for(what, within, |events| look(&sightings(events)))
    }

    /// All that has happened so far.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        self.task.look(sightings)
    }

    /// The address that it is connected to now: with a [`crate::Link`] between, that of the link.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        address(&self.sightings()).map(|(address, _)| address.to_owned())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Fails only when the process has ended, and the connection with it.
        let _ = self.task.begin_to_close();
    }
}

fn sightings(events: &[Event]) -> Vec<Sighting> {
    let sighting = |event: &Event| {
        let (ms, what) = match event {
            Event::Connected { ms, address } => (ms, Seen::Connected(address.clone())),
            Event::Interrupted { ms } => (ms, Seen::Interrupted),
            Event::Lost { ms, reason } => (ms, Seen::Lost(reason.clone())),
            _ => return None,
        };
        Some(Sighting { ms: *ms, what })
    };
    events.iter().filter_map(sighting).collect()
}

/// What has happened since the connection was lost the last time.
fn present(sightings: &[Sighting]) -> &[Sighting] {
    let is_end = |sighting: &Sighting| matches!(sighting.what, Seen::Interrupted | Seen::Lost(_));
    let start = sightings.iter().rposition(is_end).map_or(0, |end| end + 1);
    &sightings[start..]
}

/// The last address, with the first moment of the present stay there.
fn address(sightings: &[Sighting]) -> Option<(&str, u64)> {
    let mut connected = present(sightings).iter().rev().filter_map(|sighting| match &sighting.what {
        Seen::Connected(address) => Some((address.as_str(), sighting.ms)),
        _ => None,
    });
    let last = connected.next()?;
    Some(connected.take_while(|(address, _)| *address == last.0).last().unwrap_or(last))
}
