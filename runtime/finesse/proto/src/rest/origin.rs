//! Which server a request goes to, and where it may be sent on.

use std::fmt;

/// The port of REST in 12.5(1) and later (Developer Guide 12.5(1), "HTTPS Requests").
pub const DEFAULT_PORT: u16 = 8445;

/// A server of Finesse: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether over TLS. Releases before 12.5 answer without, too.
    pub tls: bool,
    /// The host. Certificates name it, so it is no address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why a request is not sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginError {
    /// There is no address that can be read.
    NoAddress,
    /// Another host: it would be given the agent's password.
    OtherHost(String),
    /// Without TLS: everyone on the way would be given the agent's password.
    NoTls,
    /// Where the request is already.
    Circle,
}

impl Origin {
    /// A server over TLS at the usual port.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self { tls: true, host: host.into(), port: DEFAULT_PORT }
    }

    /// Where `Location` sends a request that came here: to the same host over TLS, which is what Finesse does with plain HTTP
    /// (Developer Guide 12.5(1), "HTTPS Requests"). Paths stay as they are.
    ///
    /// # Errors
    ///
    /// [`OriginError`]: credentials go to no other host, and nowhere without TLS.
    pub fn moved_to(&self, location: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = location.trim().split_once("://").ok_or(OriginError::NoAddress)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => return Err(OriginError::NoTls),
            _ => return Err(OriginError::NoAddress),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains(['@', '\\']) {
            return Err(OriginError::NoAddress);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| OriginError::NoAddress)?),
            _ => (authority, 443),
        };
        if host.is_empty() {
            return Err(OriginError::NoAddress);
        }
        if !host.eq_ignore_ascii_case(&self.host) {
            return Err(OriginError::OtherHost(host.to_owned()));
        }
        let there = Self { tls, host: self.host.clone(), port };
        if there == *self { Err(OriginError::Circle) } else { Ok(there) }
    }
}

/// `https://fin-a.example.test:8445`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => write!(f, "Finesse sends the request on without saying where"),
            Self::OtherHost(host) => {
                write!(f, "Finesse sends the request on to `{host}`, which is given no credentials")
            }
            Self::NoTls => write!(f, "Finesse sends the request on to where there is no TLS"),
            Self::Circle => write!(f, "Finesse sends the request on to where it is"),
        }
    }
}

impl std::error::Error for OriginError {}
