//! What REST, the control API and BOSH have in common: requests within limits, answers, TLS before all of it.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use crate::cluster::Health;
use crate::listen::while_silent;

/// Bytes that the body of a request may have.
pub(crate) const BODY: usize = 64 * 1024;

/// How long a client may take to begin.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answers of every server here.
pub(crate) type Answer = Response<Full<Bytes>>;

/// TLS with a client that has just come; nothing where it does not get that far.
pub(crate) async fn secure(stream: TcpStream, config: Arc<ServerConfig>) -> Option<TlsStream<TcpStream>> {
    let handshake = TlsAcceptor::from(config).accept(stream);
    match tokio::time::timeout(PATIENCE, handshake).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "no TLS");
            None
        }
        Err(_) => None,
    }
}

/// Serves one connection, with upgrades. While the service hangs nobody is answered, and when it is back, those who have asked
/// meanwhile are hung up on.
pub(crate) async fn serve<S, F, W>(stream: S, health: watch::Receiver<Health>, handle: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> W,
    W: Future<Output = Option<Answer>> + Send + 'static,
{
    // Where there is no answer the connection ends without one.
    let service = service_fn(|request| {
        let mut health = health.clone();
        let hangs = *health.borrow_and_update() == Health::Silent;
        let answer = (!hangs).then(|| handle(request));
        async move {
            let answer = match answer {
                Some(answer) => answer.await,
                None => {
                    while_silent(&mut health).await;
                    None
                }
            };
            answer.ok_or_else(|| std::io::Error::other("no answer"))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(120))
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The body as text, or the answer to one that is too long or no text.
pub(crate) async fn body(request: Request<Incoming>) -> Result<String, Answer> {
    let collected = Limited::new(request.into_body(), BODY).collect();
    let Ok(Ok(collected)) = tokio::time::timeout(PATIENCE, collected).await else {
        return Err(answer(413, "text/plain", "the body is too long, or did not come\n"));
    };
    String::from_utf8(collected.to_bytes().to_vec()).map_err(|_| answer(400, "text/plain", "the body is no UTF-8\n"))
}

/// An answer with a body.
pub(crate) fn answer(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
