//! One connection to a server, that carries one request after the other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::LOCATION;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use topoc_finesse_proto::rest::Origin;
use topoc_tls::tokio_rustls::TlsConnector;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use topoc_tls::tokio_rustls::rustls::pki_types::ServerName;

/// What is written at a time and read at a time; what is longer is read in pieces.
const BUFFER: usize = 16 << 10;

/// A request as it is written.
pub(super) type Written = Request<Full<Bytes>>;

/// An answer, its body read.
pub(super) struct Read {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Body,
}

/// The body of an answer.
pub(super) enum Body {
    /// All of it.
    Whole(Bytes),
    /// It is longer than it may be.
    TooLong,
    /// It broke off.
    Broken(String),
}

/// What became of a request that has no answer.
pub(super) enum Failed {
    /// Not a byte of it was sent: here it is again.
    NotSent(Box<Written>),
    /// It may have arrived.
    Lost(String),
}

/// A connection that is open. Dropping it closes it.
pub(super) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects: to every address of the host's name in turn.
    pub(super) async fn open(origin: &Origin, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await?;
        stream.set_nodelay(true)?;
        let sender = if origin.tls {
            let name = ServerName::try_from(origin.host.clone()).map_err(io::Error::other)?;
            let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
            Self::start(stream).await
        } else {
            Self::start(stream).await
        };
        sender.map(Self).map_err(io::Error::other)
    }

    async fn start<S>(stream: S) -> hyper::Result<SendRequest<Full<Bytes>>>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(BUFFER).title_case_headers(true);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // It ends with the sender, or when the server closes. Its errors are those of the request that is on its way.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// Whether the server has not closed it, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and reads its answer. A connection whose answer was read to its end can be used again. `going` says
    /// whether bytes of the request may be at the server.
    pub(super) async fn exchange(
        mut self,
        request: Written,
        limit: usize,
        going: &AtomicBool,
    ) -> Result<(Read, Option<Self>), Failed> {
        if let Err(error) = self.0.ready().await {
            return Err(not_sent(request, error));
        }
        going.store(true, Ordering::Relaxed);
        let response = match self.0.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => {
                return Err(match error.take_message() {
                    Some(request) => {
                        going.store(false, Ordering::Relaxed);
                        Failed::NotSent(Box::new(request))
                    }
                    None => Failed::Lost(chain(error.error())),
                });
            }
        };
        let read = read(response, limit).await;
        let is_reusable = matches!(read.body, Body::Whole(_));
        Ok((read, is_reusable.then_some(self)))
    }
}

fn not_sent(request: Written, error: hyper::Error) -> Failed {
    drop(error);
    Failed::NotSent(Box::new(request))
}

async fn read(response: Response<Incoming>, limit: usize) -> Read {
    let status = response.status().as_u16();
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = match Limited::new(response.into_body(), limit).collect().await {
        Ok(body) => Body::Whole(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Body::TooLong,
        Err(error) => Body::Broken(error.to_string()),
    };
    Read { status, location, body }
}

/// An error with what caused it: hyper's own text alone is `connection error`.
fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
