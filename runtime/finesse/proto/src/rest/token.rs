//! The token of single sign-on, and when to ask for a new one.
//!
//! Developer Guide 12.5(1), "Single Sign-On—Refresh Existing Access Token"; developer.cisco.com/docs/finesse, "Client
//! Integration". The first token comes from a browser; here it is kept fresh.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::command::Command;
use super::credentials::Credentials;
use crate::secret::Secret;

/// What the document wants: a new token after three quarters of the old one's time.
const REFRESH_AFTER: (u32, u32) = (3, 4);

/// How long after a refresh that failed the next one is tried, if that is sooner than half of what is left.
const RETRY: Duration = Duration::from_secs(10);

/// The longest time that a token is believed to last: a year.
const LONGEST: u64 = 365 * 24 * 3600;

/// A token as the server gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What is sent with requests.
    pub access: Secret,
    /// What a new one is given for. A refresh may come without it: the old one stays then.
    pub refresh: Option<Secret>,
    /// How long it lasts.
    pub lasts: Duration,
    /// Whose it is: a login name or an id.
    pub user: Option<String>,
}

/// Why an answer is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is no JSON object.
    NoObject,
    /// It has no usable `token`.
    NoToken,
    /// It has no usable `expires_in`.
    NoTime,
}

impl Token {
    /// Reads `{"token": …, "refresh_token": …, "expires_in": 300, "user_id": …}`.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which says nothing of what was in it.
    pub fn read(body: &[u8]) -> Result<Self, TokenError> {
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else { return Err(TokenError::NoObject) };
        let mut text = |name: &str| match fields.remove(name) {
            // In a header anything else would be a second header.
            Some(Value::String(text)) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Some(text)
            }
            _ => None,
        };
        let access = Secret::new(text("token").ok_or(TokenError::NoToken)?);
        let (refresh, user) = (text("refresh_token").map(Secret::new), text("user_id"));
        let seconds = fields.get("expires_in").and_then(Value::as_u64).ok_or(TokenError::NoTime)?;
        Ok(Self { access, refresh, lasts: Duration::from_secs(seconds.min(LONGEST)), user })
    }
}

/// Keeps a token fresh. Time is since whenever the caller likes.
#[derive(Clone, Debug)]
pub struct Tokens {
    user: String,
    token: Token,
    expires: Duration,
    refresh_at: Option<Duration>,
    asking: bool,
}

impl Tokens {
    /// Begins with a token that was given at `now` to this user.
    #[must_use]
    pub fn new(user: impl Into<String>, token: Token, now: Duration) -> Self {
        let mut tokens = Self { user: user.into(), expires: now, refresh_at: None, asking: false, token };
        tokens.begin(now);
        tokens
    }

    fn begin(&mut self, now: Duration) {
        let lasts = self.token.lasts;
        self.expires = now.saturating_add(lasts);
        let (part, whole) = REFRESH_AFTER;
        self.refresh_at = self.token.refresh.is_some().then(|| now.saturating_add(lasts / whole * part));
        self.asking = false;
    }

    /// The one in use.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// What goes with requests; `None` once the token has expired.
    #[must_use]
    pub fn credentials(&self, now: Duration) -> Option<Credentials> {
        (now < self.expires).then(|| Credentials::Bearer(self.token.access.clone()))
    }

    /// When a new token is to be asked for; `None` while one is asked for, or if none can be.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        self.refresh_at.filter(|_| !self.asking)
    }

    /// Asks for a new token if it is time. Call [`Tokens::renewed`] or [`Tokens::failed`] with what comes of it.
    pub fn ask(&mut self, now: Duration) -> Option<Command> {
        (self.wakes_at()? <= now).then(|| self.asked())?
    }

    /// Asks for a new token now, because the server does not take this one any more. `None` while one is asked for already, or
    /// if none can be.
    pub fn ask_at_once(&mut self) -> Option<Command> {
        (!self.asking).then(|| self.asked())?
    }

    fn asked(&mut self) -> Option<Command> {
        let refresh = self.token.refresh.clone()?;
        self.asking = true;
        Some(Command::RefreshToken { user: self.user.clone(), token: self.token.access.clone(), refresh })
    }

    /// A new token came. What it leaves out is as it was.
    pub fn renewed(&mut self, token: Token, now: Duration) {
        let old = std::mem::replace(&mut self.token, token);
        self.token.refresh = self.token.refresh.take().or(old.refresh);
        self.token.user = self.token.user.take().or(old.user);
        self.begin(now);
    }

    /// None came. The server refused it for good, or could not be asked: then it is asked again, also after the old one has
    /// expired, as what it is given for lasts longer.
    pub fn failed(&mut self, for_good: bool, now: Duration) {
        self.asking = false;
        if for_good {
            self.token.refresh = None;
        }
        let left = self.expires.saturating_sub(now);
        let pause = if left.is_zero() { RETRY } else { RETRY.min((left / 2).max(Duration::from_secs(1))) };
        self.refresh_at = (!for_good).then(|| now.saturating_add(pause));
    }

    /// Whether neither this token nor a new one can be had: someone has to sign in with a browser.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        now >= self.expires && self.token.refresh.is_none()
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoObject => "the answer for a new token is no JSON object",
            Self::NoToken => "the answer for a new token has no `token`",
            Self::NoTime => "the answer for a new token has no `expires_in`",
        })
    }
}

impl std::error::Error for TokenError {}
