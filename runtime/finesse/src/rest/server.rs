//! A server of Finesse, and the connections to it that all agents share.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::Request as Written;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use topoc_finesse_proto::rest::{Answer, Answers, HttpResponse, Origin, Refusal, Request, Unreadable};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xml::{Limits, XmlError};
use topoc_tls::tokio_rustls::rustls::ClientConfig;

use super::connection::{Body, Connection, Failed, Read};

/// How a server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Connections at a time, over all agents.
    pub connections: usize,
    /// How long a new connection may take to open. For one to be free, a request waits until its deadline.
    pub connect: Duration,
    /// How long a connection that nobody uses is kept. Tomcat closes after 20 s by default (`connectionTimeout` of its sample
    /// configuration, which `keepAliveTimeout` follows), so less than that.
    pub idle: Duration,
    /// What an answer may hold.
    pub limits: Limits,
}

impl Default for Options {
    /// 32 connections, 5 s to connect, 15 s of rest, a megabyte.
    fn default() -> Self {
        Self {
            connections: 32,
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            limits: Limits::default(),
        }
    }
}

/// A server. Copies share its connections.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

struct Shared {
    tls: Arc<ClientConfig>,
    options: Options,
    permits: Semaphore,
    state: Mutex<State>,
}

struct State {
    origin: Origin,
    /// The one used last is at the end, and is used next: the others may then be closed.
    idle: Vec<(Connection, Instant)>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskError {
    /// The server says no, or something that cannot be used.
    Refused(Refusal),
    /// It was not sent: not a byte of it.
    NotSent(String),
    /// It was sent, at least in part, and no answer will come.
    Lost(String),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotSent(why) => write!(f, "the Finesse server cannot be reached: {why}"),
            Self::Lost(why) => write!(f, "the Finesse server has not answered: {why}"),
        }
    }
}

impl std::error::Error for AskError {}

impl Server {
    /// A server that nobody has connected to yet.
    #[must_use]
    pub fn new(origin: Origin, tls: Arc<ClientConfig>, options: Options) -> Self {
        let state = Mutex::new(State { origin, idle: Vec::new() });
        let permits = Semaphore::new(options.connections.max(1));
        Self(Arc::new(Shared { tls, options, permits, state }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds it can panic half way.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where requests go.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.state().origin.clone()
    }

    /// Sends everything to there from now on: the server said so.
    pub fn move_to(&self, origin: Origin) {
        let mut state = self.state();
        if state.origin != origin {
            state.idle.clear();
            state.origin = origin;
        }
    }

    /// Sends a request until `deadline`, over a connection that is open or a new one. The server repeats `request_id`, if there is
    /// one, in what it tells of the request; a text that is none of visible ASCII is left out.
    ///
    /// Dropping the future closes the connection; whether the request arrived is not known then.
    ///
    /// # Errors
    ///
    /// [`AskError`] for everything but a yes with what was asked for.
    pub async fn ask(
        &self,
        request: &Request,
        authorization: Option<&Secret>,
        request_id: Option<&str>,
        deadline: Instant,
    ) -> Result<Answer, AskError> {
        let going = AtomicBool::new(false);
        match timeout_at(deadline, self.send(request, authorization, request_id, &going)).await {
            Ok(result) => result,
            Err(_) if going.load(Ordering::Relaxed) => Err(AskError::Lost("no answer in time".to_owned())),
            Err(_) => Err(AskError::NotSent("no connection was free in time".to_owned())),
        }
    }

    /// The same without a deadline. `going` says, whenever the future has been polled, whether bytes of it may be at the server.
    pub(super) async fn send(
        &self,
        request: &Request,
        authorization: Option<&Secret>,
        request_id: Option<&str>,
        going: &AtomicBool,
    ) -> Result<Answer, AskError> {
        let permit = self.0.permits.acquire().await;
        let _permit = permit.map_err(|closed| AskError::NotSent(closed.to_string()))?;
        let origin = self.origin();
        let written = written(&origin, request, authorization, request_id)
            .map_err(|error| AskError::NotSent(format!("the request cannot be written: {error}")))?;
        let answer = self.exchange(&origin, written, going).await?;
        self.read(&origin, request, answer)
    }

    async fn exchange(
        &self,
        origin: &Origin,
        mut written: Written<Full<Bytes>>,
        going: &AtomicBool,
    ) -> Result<Read, AskError> {
        let limit = self.0.options.limits.bytes;
        loop {
            let (connection, is_new) = match self.idle(origin) {
                Some(connection) => (connection, false),
                None => (self.open(origin).await?, true),
            };
            match connection.exchange(written, limit, going).await {
                Ok((read, connection)) => {
                    self.keep(origin, connection);
                    return Ok(read);
                }
                // The server closed it while it rested.
                Err(Failed::NotSent(again)) if !is_new => written = *again,
                Err(Failed::NotSent(_)) => return Err(AskError::NotSent("the connection was closed".to_owned())),
                Err(Failed::Lost(why)) => return Err(AskError::Lost(why)),
            }
        }
    }

    async fn open(&self, origin: &Origin) -> Result<Connection, AskError> {
        match timeout(self.0.options.connect, Connection::open(origin, &self.0.tls)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(AskError::NotSent(format!("{origin}: {error}"))),
            Err(_) => Err(AskError::NotSent(format!("{origin}: no connection in time"))),
        }
    }

    /// A connection to there that rests.
    fn idle(&self, origin: &Origin) -> Option<Connection> {
        let mut state = self.state();
        let (now, idle) = (Instant::now(), self.0.options.idle);
        state.idle.retain(|(connection, since)| connection.is_open() && now.duration_since(*since) < idle);
        if state.origin == *origin { state.idle.pop().map(|(connection, _)| connection) } else { None }
    }

    fn keep(&self, origin: &Origin, connection: Option<Connection>) {
        let mut state = self.state();
        if let Some(connection) = connection.filter(|connection| connection.is_open() && state.origin == *origin) {
            state.idle.push((connection, Instant::now()));
        }
    }

    fn read(&self, origin: &Origin, request: &Request, read: Read) -> Result<Answer, AskError> {
        let is_yes = request.row.accepted.contains(&read.status);
        let wants_body = is_yes && request.row.answers != Answers::Accepted;
        let body = match read.body {
            Body::Whole(body) => body,
            // What matters has come.
            Body::TooLong | Body::Broken(_) if !wants_body => Bytes::new(),
            Body::TooLong => {
                let why = Unreadable::Xml(XmlError::TooMuch("bytes"));
                return Err(AskError::Refused(Refusal::Unreadable(why)));
            }
            Body::Broken(why) => return Err(AskError::Lost(why)),
        };
        let response = HttpResponse { status: read.status, location: read.location.as_deref(), body: &body };
        request.read(origin, response, self.0.options.limits).map_err(AskError::Refused)
    }
}

/// Where it is, and how many connections rest.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Server").field("origin", &state.origin).field("idle", &state.idle.len()).finish_non_exhaustive()
    }
}

fn written(
    origin: &Origin,
    request: &Request,
    authorization: Option<&Secret>,
    request_id: Option<&str>,
) -> Result<Written<Full<Bytes>>, hyper::http::Error> {
    let mut builder = Written::builder()
        .method(request.method().as_str())
        .uri(request.path.as_str())
        .header(HOST, format!("{}:{}", origin.host, origin.port))
        .header(ACCEPT, "application/xml, application/json;q=0.5");
    if let Some(authorization) = authorization {
        let mut value = HeaderValue::from_str(authorization.expose())?;
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    if let Some(content_type) = request.content_type() {
        builder = builder.header(CONTENT_TYPE, content_type);
    }
    let visible = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    if let Some(id) = request_id.filter(visible) {
        builder = builder.header("requestId", id);
    }
    let body = request.body.as_ref().map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.expose().as_bytes()));
    builder.body(Full::new(body))
}
