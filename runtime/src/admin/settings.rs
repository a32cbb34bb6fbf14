//! Where the admin interface listens and whom it answers: checked before any socket is opened.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Fewest characters of a token: as many as 16 bytes of chance have in hexadecimal.
pub const SHORTEST_TOKEN: usize = 32;
/// Most characters of a token; the head of a request has 8 KiB.
const LONGEST_TOKEN: usize = 1024;

/// A token that requests have to show: `Authorization: Bearer TOKEN`. Nothing shows it, and it is overwritten in the end.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// A token, without white space around it.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Token`] if it is short enough to be guessed, or has characters that no header can carry.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        let text = text.trim();
        let fits = (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(SettingsError::Token)
        }
    }

    /// Whether a client has shown it; takes as long wherever the two differ.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What one client may take of the connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time. Whoever comes then waits for one to end.
    pub connections: usize,
    /// Bytes of a request's head; hyper asks for 8 KiB or more.
    pub head: usize,
    /// Headers of a request.
    pub headers: usize,
    /// How long a request's head may take, and how long a connection may be idle.
    pub head_within: Duration,
    /// How long a connection may last: one that reads no answer has to end, too.
    pub lasts: Duration,
}

impl Default for Limits {
    /// 32 connections; 8 KiB and 32 headers within 5 s; 60 s.
    fn default() -> Self {
        Self {
            connections: 32,
            head: 8 * 1024,
            headers: 32,
            head_within: Duration::from_secs(5),
            lasts: Duration::from_secs(60),
        }
    }
}

/// Where the admin interface listens and whom it answers.
#[derive(Clone, Debug)]
pub struct Settings {
    address: SocketAddr,
    token: Option<Token>,
    limits: Limits,
}

impl Settings {
    /// Listens there, such as at `127.0.0.1:9464`, and answers those who show the token, if there is one.
    ///
    /// # Errors
    ///
    /// If that is no address, or one that others can reach while there is no token.
    pub fn new(address: &str, token: Option<Token>) -> Result<Self, SettingsError> {
        let wrong = || SettingsError::Address(address.to_owned());
        let address: SocketAddr = address.trim().parse().map_err(|_| wrong())?;
        if !address.ip().to_canonical().is_loopback() && token.is_none() {
            return Err(SettingsError::Open(address));
        }
        Ok(Self { address, token, limits: Limits::default() })
    }

    /// The same within other limits.
    #[must_use]
    pub const fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) const fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }
}

/// What is wrong with the settings. It repeats no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// This is no address with a port.
    Address(String),
    /// Others can reach this address, and there is no token.
    Open(SocketAddr),
    /// The token is too short, too long, or has other characters than headers can carry.
    Token,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) => {
                write!(
                    f,
                    "`{text}` is no address for the admin interface: write an IP address and a port, `127.0.0.1:9464`"
                )
            }
            Self::Open(address) => write!(
                f,
                "others can reach the admin interface at {address}: listen on 127.0.0.1, or give it a token, which clients then send"
            ),
            Self::Token => write!(
                f,
                "the token of the admin interface must have {SHORTEST_TOKEN} to {LONGEST_TOKEN} visible characters of ASCII: \
                 make one with `openssl rand -hex 32`"
            ),
        }
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Rw5-unforgettable-Rw5-unforgettable";

    #[test]
    fn a_token_is_equal_only_as_a_whole() {
        let token = Token::new(GOOD).unwrap();
        assert!(token.is(GOOD.as_bytes()));
        for shown in ["", &GOOD[1..], &GOOD[..34], "Rw5-unforgettable-Rw5-unforgettablE", "x"] {
            assert!(!token.is(shown.as_bytes()), "{shown}");
        }
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn a_token_that_can_be_guessed_or_sent_by_nobody_is_refused() {
        assert!(Token::new(&"x".repeat(SHORTEST_TOKEN)).is_ok() && Token::new(&"x".repeat(LONGEST_TOKEN)).is_ok());
        let long = "x".repeat(LONGEST_TOKEN + 1);
        for text in ["", &"x".repeat(SHORTEST_TOKEN - 1), &long, &format!("{GOOD} {GOOD}"), &format!("{GOOD}é")] {
            assert_eq!(Token::new(text).err(), Some(SettingsError::Token), "{text}");
        }
        assert!(Token::new(&format!(" {GOOD}\n")).unwrap().is(GOOD.as_bytes()), "a file ends with a newline");
    }

    #[test]
    fn only_loopback_is_open_without_a_token() {
        for address in ["127.0.0.1:0", "127.8.9.1:1", "[::1]:9464", "[::ffff:127.0.0.1]:1"] {
            assert!(Settings::new(address, None).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
            let refused = Settings::new(address, None).unwrap_err();
            assert!(matches!(refused, SettingsError::Open(_)), "{address}");
            assert!(Settings::new(address, Some(Token::new(GOOD).unwrap())).is_ok(), "{address}");
        }
        for address in ["", "9464", "localhost:9464", "127.0.0.1", "127.0.0.1:99999"] {
            assert_eq!(Settings::new(address, None).unwrap_err(), SettingsError::Address(address.to_owned()));
        }
    }
}
