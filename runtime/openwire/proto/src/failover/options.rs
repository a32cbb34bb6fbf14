//! The options of `failover:`: one table that reads them, gives their defaults and is held against ActiveMQ's own.

use std::time::Duration;

use crate::option::{OptionError, Setting, number, options};
use crate::uri::Address;

/// A number of attempts: none, so many, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// Until it works: -1.
    Unlimited,
    /// So many passes over the list. 0 and 1 both try once, and 0 never again after a loss.
    Limited(u32),
}

options! {
    /// How to stay connected.
    Options {
        /// The delay before the first attempt after a loss.
        "initialReconnectDelay" initial_reconnect_delay: Duration = Duration::from_millis(10);
        /// The longest delay between attempts.
        "maxReconnectDelay" max_reconnect_delay: Duration = Duration::from_secs(30);
        /// Whether the delay grows.
        "useExponentialBackOff" use_exponential_back_off: bool = true;
        /// How much it grows each time.
        "reconnectDelayExponent" reconnect_delay_exponent: f64 = 2.0;
        /// Passes over the list before giving up.
        "maxReconnectAttempts" max_reconnect_attempts: Attempts = Attempts::Unlimited;
        /// The same until the first connection; `Unlimited` leaves that to `max_reconnect_attempts`.
        "startupMaxReconnectAttempts" startup_max_reconnect_attempts: Attempts = Attempts::Unlimited;
        /// Whether the list is shuffled before each pass.
        "randomize" randomize: bool = true;
        /// Whether spare connections are kept open.
        "backup" backup: bool = false;
        /// How many.
        "backupPoolSize" backup_pool_size: usize = 1;
        /// How long a send waits for a connection; none for ever.
        "timeout" timeout: Option<Duration> = None;
        /// Whether messages that nobody answers are kept to be sent again.
        "trackMessages" track_messages: bool = false;
        /// How many bytes of them.
        "maxCacheSize" max_cache_size: usize = 128 * 1024;
        /// Whether lists that brokers push count.
        "updateURIsSupported" update_uris_supported: bool = true;
        /// A file or address with more brokers, separated by commas.
        "updateURIsURL" update_uris_url: Option<String> = None;
        /// Whether a change of it moves the connection.
        "rebalanceUpdateURIs" rebalance_update_uris: bool = true;
        /// Whether a broker may send the client elsewhere.
        "reconnectSupported" reconnect_supported: bool = true;
        /// Whether to go back to a priority broker as soon as it is there.
        "priorityBackup" priority_backup: bool = false;
        /// The priority brokers; empty for the first of the list.
        "priorityURIs" priority_uris: Vec<Address> = Vec::new();
        /// Whether producers that end in a transaction are kept until it ends.
        "trackTransactionProducers" track_transaction_producers: bool = true;
        /// Every how many failed passes a warning is logged; 0 for never.
        "warnAfterReconnectAttempts" warn_after_reconnect_attempts: u32 = 10;
    }
    /// Options of every address (`nested.NAME`).
    nested: Vec<(String, String)>;
}

impl Options {
    /// Reads the options of a URI.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn read<'a>(options: impl IntoIterator<Item = &'a (String, String)>) -> Result<Self, OptionError> {
        let mut read = Self::default();
        for (name, value) in options {
            if read.set(name, value)? {
                continue;
            }
            match name.strip_prefix("nested.") {
                Some(nested) => read.nested.push((nested.to_owned(), value.to_owned())),
                None => return Err(OptionError::Unknown { of: "failover:".to_owned(), name: name.clone() }),
            }
        }
        Ok(read)
    }
}

/// -1 for ever; anything below tries once, as in Java.
impl Setting for Attempts {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(match number::<i32>(name, value, "a whole number")? {
            -1 => Self::Unlimited,
            count => Self::Limited(u32::try_from(count).unwrap_or(1)),
        })
    }

    fn text(&self) -> String {
        match self {
            Self::Unlimited => "-1".to_owned(),
            Self::Limited(count) => count.to_string(),
        }
    }
}
