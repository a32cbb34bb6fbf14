//! The options of `failover:`: one table that reads them, gives their defaults and is held against ActiveMQ's own.

use std::fmt;
use std::time::Duration;

use crate::uri::{Address, UriError};

/// Why an option cannot be used. ActiveMQ's client refuses the whole URI too: `Invalid connect parameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionError {
    /// There is none of that name.
    Unknown(String),
    /// The value is none of its kind.
    BadValue {
        /// The option.
        name: &'static str,
        /// What was written.
        value: String,
        /// What it takes.
        takes: &'static str,
    },
    /// An address in `priorityURIs` is none.
    BadAddress(UriError),
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "`failover:` has no option `{name}`"),
            Self::BadValue { name, value, takes } => write!(f, "`{name}` takes {takes}, and not `{value}`"),
            Self::BadAddress(error) => write!(f, "in `priorityURIs`, {error}"),
        }
    }
}

impl std::error::Error for OptionError {}

/// Declares the options: the name in a URI, the field, its type and its default.
macro_rules! options {
    ($( $(#[$meta:meta])* $name:literal $field:ident: $type:ty = $default:expr; )*) => {
        /// How to stay connected.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Options {
            $( $(#[$meta])* pub $field: $type, )*
            /// Options of every address (`nested.NAME`).
            pub nested: Vec<(String, String)>,
        }

        impl Default for Options {
            fn default() -> Self {
                Self { $( $field: $default, )* nested: Vec::new() }
            }
        }

        impl Options {
            /// The names of all options but `nested.*`, in the order of ActiveMQ's page.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The value of an option as a URI has it.
            #[must_use]
            pub fn text(&self, name: &str) -> Option<String> {
                match name {
                    $( $name => Some(Setting::text(&self.$field)), )*
                    _ => None,
                }
            }

            fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
                // Java finds `setRandomize` for `Randomize` as well (IntrospectionSupport).
                let mut small = name.to_owned();
                if let Some(first) = small.get_mut(..1) {
                    first.make_ascii_lowercase();
                }
                match small.as_str() {
                    $( $name => self.$field = Setting::read($name, value)?, )*
                    _ => match name.strip_prefix("nested.") {
                        Some(nested) => self.nested.push((nested.to_owned(), value.to_owned())),
                        None => return Err(OptionError::Unknown(name.to_owned())),
                    },
                }
                Ok(())
            }
        }
    };
}

/// A number of attempts: none, so many, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// Until it works: -1.
    Unlimited,
    /// So many passes over the list. 0 and 1 both try once, and 0 never again after a loss.
    Limited(u32),
}

options! {
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

impl Options {
    /// Reads the options of a URI.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn read<'a>(options: impl IntoIterator<Item = &'a (String, String)>) -> Result<Self, OptionError> {
        let mut read = Self::default();
        for (name, value) in options {
            read.set(name, value)?;
        }
        Ok(read)
    }
}

/// A kind of value: how a URI spells it.
trait Setting: Sized {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError>;
    fn text(&self) -> String;
}

fn number<T: std::str::FromStr>(name: &'static str, value: &str, takes: &'static str) -> Result<T, OptionError> {
    value.trim().parse().map_err(|_| OptionError::BadValue { name, value: value.to_owned(), takes })
}

/// Only `true` is true, in any case (Java's `Boolean.parseBoolean`).
impl Setting for bool {
    fn read(_: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(value.eq_ignore_ascii_case("true"))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// Milliseconds; below zero is none.
impl Setting for Duration {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        let milliseconds: i64 = number(name, value, "milliseconds")?;
        Ok(Self::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
    }

    fn text(&self) -> String {
        self.as_millis().to_string()
    }
}

/// Milliseconds; zero and below are for ever.
impl Setting for Option<Duration> {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        let milliseconds: i64 = number(name, value, "milliseconds")?;
        Ok(u64::try_from(milliseconds).ok().filter(|milliseconds| *milliseconds > 0).map(Duration::from_millis))
    }

    fn text(&self) -> String {
        self.map_or_else(|| "-1".to_owned(), |duration| duration.text())
    }
}

impl Setting for f64 {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        let number: Self = number(name, value, "a number")?;
        // Java multiplies and cuts off at the longest delay; what is no number would stay none.
        if number.is_finite() {
            Ok(number)
        } else {
            Err(OptionError::BadValue { name, value: value.to_owned(), takes: "a number" })
        }
    }

    fn text(&self) -> String {
        format!("{self:?}")
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

impl Setting for usize {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(Self::try_from(number::<i32>(name, value, "a whole number")?).unwrap_or(0))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(Self::try_from(number::<i32>(name, value, "a whole number")?).unwrap_or(0))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for Option<String> {
    fn read(_: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(Some(value.to_owned()).filter(|value| !value.is_empty()))
    }

    fn text(&self) -> String {
        self.clone().unwrap_or_default()
    }
}

impl Setting for Vec<Address> {
    fn read(_: &'static str, value: &str) -> Result<Self, OptionError> {
        let addresses = value.split(',').filter(|address| !address.is_empty());
        addresses.map(Address::parse).collect::<Result<_, _>>().map_err(OptionError::BadAddress)
    }

    fn text(&self) -> String {
        self.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}
