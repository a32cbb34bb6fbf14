//! Options of URIs: tables that read them and give their defaults, and how each kind of value is spelled.

use std::fmt;
use std::time::Duration;

use crate::uri::{Address, UriError};

/// Why an option cannot be used. ActiveMQ's client refuses the whole URI too: `Invalid connect parameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionError {
    /// There is none of that name.
    Unknown {
        /// Whose options they are, such as `failover:`.
        of: String,
        /// What was written.
        name: String,
    },
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
            Self::Unknown { of, name } => write!(f, "`{of}` has no option `{name}`"),
            Self::BadValue { name, value, takes } => write!(f, "`{name}` takes {takes}, and not `{value}`"),
            Self::BadAddress(error) => write!(f, "in `priorityURIs`, {error}"),
        }
    }
}

impl std::error::Error for OptionError {}

/// Declares options: the name in a URI, the field, its type and its default; then fields that are no options.
macro_rules! options {
    (
        $(#[$struct_meta:meta])*
        $struct:ident {
            $( $(#[$meta:meta])* $name:literal $field:ident: $type:ty = $default:expr; )*
        }
        $( $(#[$more_meta:meta])* $more:ident: $more_type:ty; )*
    ) => {
        $(#[$struct_meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $struct {
            $( $(#[$meta])* pub $field: $type, )*
            $( $(#[$more_meta])* pub $more: $more_type, )*
        }

        impl Default for $struct {
            fn default() -> Self {
                Self { $( $field: $default, )* $( $more: <$more_type>::default(), )* }
            }
        }

        impl $struct {
            /// The names of the options, in the order of ActiveMQ's page.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The value of an option as a URI has it.
            #[must_use]
            pub fn text(&self, name: &str) -> Option<String> {
                match name {
                    $( $name => Some(crate::option::Setting::text(&self.$field)), )*
                    _ => None,
                }
            }

            /// Gives an option its value. Whether there is one of that name.
            fn set(&mut self, name: &str, value: &str) -> Result<bool, crate::option::OptionError> {
                match crate::option::as_java(name).as_str() {
                    $( $name => self.$field = crate::option::Setting::read($name, value)?, )*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}

pub(crate) use options;

/// A name as Java looks for its setter: `Randomize` finds `setRandomize` as well as `randomize` does
/// (`IntrospectionSupport`, which does so behind a prefix such as `wireFormat.` too).
pub(crate) fn as_java(name: &str) -> String {
    let start = name.rfind('.').map_or(0, |dot| dot + 1);
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(start..=start) {
        first.make_ascii_lowercase();
    }
    name
}

/// A kind of value: how a URI spells it.
pub(crate) trait Setting: Sized {
    /// Reads a value.
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError>;
    /// Writes it as it is read.
    fn text(&self) -> String;
}

/// Reads a number as `Setting` does.
pub(crate) fn number<T: std::str::FromStr>(
    name: &'static str,
    value: &str,
    takes: &'static str,
) -> Result<T, OptionError> {
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

/// Below zero is zero.
impl Setting for u64 {
    fn read(name: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(Self::try_from(number::<i64>(name, value, "a whole number")?).unwrap_or(0))
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
