//! Keeps one agent's token fresh: asks the server in use for a new one before the old one expires, or when it is refused.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;
use topoc_finesse_proto::rest::{Answer, Command, Credentials, Refusal, Request, Token, Tokens};
use topoc_finesse_proto::session::ASK_WITHIN;

use crate::rest::{AskError, Server};

/// A new token, or whether there is none for good.
pub(super) type Renewed = Result<Token, bool>;

/// A token being kept fresh.
pub(super) struct Renewal {
    tokens: Tokens,
    asking: Option<Pin<Box<dyn Future<Output = Renewed> + Send>>>,
    /// The one in use was refused: requests wait.
    refused: bool,
    /// So was a new one.
    denied: bool,
}

impl Renewal {
    pub(super) fn new(agent: &str, token: Token, now: Duration) -> Self {
        let user = token.user.clone().unwrap_or_else(|| agent.to_owned());
        Self { tokens: Tokens::new(user, token, now), asking: None, refused: false, denied: false }
    }

    /// The token in use.
    pub(super) fn token(&self) -> &Token {
        self.tokens.token()
    }

    /// Whether the token in use is too old, or was refused: it is not tried again.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.refused || self.tokens.credentials(now).is_none()
    }

    /// Whether only a person can help.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.denied && self.refused || self.tokens.is_over(now)
    }

    /// When [`Renewal::ask`] is wanted.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        self.tokens.wakes_at()
    }

    /// Asks a server if it is time.
    pub(super) fn ask(&mut self, now: Duration, server: &Server) {
        if let Some(command) = self.tokens.ask(now) {
            self.start(&command, server);
        }
    }

    /// Asks a server now. Whether a new token may come.
    pub(super) fn refused(&mut self, server: &Server) -> bool {
        self.refused = true;
        if let Some(command) = self.tokens.ask_at_once() {
            self.start(&command, server);
        }
        self.asking.is_some()
    }

    fn start(&mut self, command: &Command, server: &Server) {
        let (request, server) = (Request::new(command), server.clone());
        self.asking = Some(Box::pin(async move {
            let Ok(request) = request else { return Err(true) };
            match server.ask(&request, None, None, Instant::now() + ASK_WITHIN).await {
                Ok(Answer::Token(token)) => Ok(token),
                Err(AskError::Refused(Refusal::Refused { .. } | Refusal::Unauthorized(_))) => Err(true),
                Ok(_) | Err(_) => Err(false),
            }
        }));
    }

    /// What comes of asking. Nothing is lost when the future is dropped.
    pub(super) async fn answer(renewal: &mut Option<Self>) -> Renewed {
        match renewal.as_mut().and_then(|renewal| renewal.asking.as_mut()) {
            Some(asking) => asking.await,
            None => pending().await,
        }
    }

    /// Takes what has come: new credentials, if any.
    pub(super) fn take(&mut self, renewed: Renewed, now: Duration) -> Option<Credentials> {
        self.asking = None;
        match renewed {
            Ok(token) => {
                self.refused = false;
                self.tokens.renewed(token, now);
                self.tokens.credentials(now)
            }
            Err(for_good) => {
                self.denied |= for_good;
                self.tokens.failed(for_good, now);
                None
            }
        }
    }
}
