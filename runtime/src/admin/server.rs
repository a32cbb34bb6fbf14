//! The sockets of the admin interface: connections within limits, and an end that nobody can hold up.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::agents::Asker;
use super::answer;
use super::settings::Settings;
use super::status::Status;
use crate::logs::Missing;
use crate::notify::Heartbeat;

/// How long answers that are on their way may take when a connection is to end.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long nothing is accepted after that failed, such as for want of file descriptors.
const AGAIN: Duration = Duration::from_millis(200);

/// What the admin interface shows.
#[derive(Clone)]
pub struct Views {
    /// How the connector is doing.
    pub status: watch::Receiver<Status>,
    /// Whom agents are asked of.
    pub agents: Asker,
    /// Whether the loop turns.
    pub heartbeat: Heartbeat,
    /// How many lines are missing in the log; none where there is no such log.
    pub missing: Option<Arc<dyn Fn() -> Missing + Send + Sync>>,
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("status", &*self.status.borrow()).finish_non_exhaustive()
    }
}

/// An admin interface that listens.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
}

impl Admin {
    /// Listens.
    ///
    /// # Errors
    ///
    /// If nobody can listen there, such as because another program does.
    pub async fn bind(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address()).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, settings })
    }

    /// Where it listens: the port is the real one where the settings say 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the end is told, and then at most two seconds longer what is asked already.
    pub async fn serve(self, views: Views, end: impl Future<Output = ()>) {
        let Self { listener, settings, .. } = self;
        let shared = Arc::new((settings, views));
        let most = shared.0.limits().connections;
        let (ending, ended) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut end = pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < most => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared), ended.clone()))),
                    Err(error) => {
                        tracing::warn!(%error, "the admin interface cannot accept a connection");
                        tokio::time::sleep(AGAIN).await;
                    }
                },
            }
        }
        drop((listener, ending));
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, all).await;
    }
}

async fn connection(stream: TcpStream, shared: Arc<(Settings, Views)>, mut ended: watch::Receiver<()>) {
    let limits = shared.0.limits();
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move {
            // The body, if there is one, is nobody's business: it is not read.
            let (head, _) = hyper::Request::into_parts(request);
            Ok::<_, std::convert::Infallible>(answer::answer(&shared.0, &shared.1, &head).await)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_within)
            .max_buf_size(limits.head)
            .max_headers(limits.headers)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        // Nobody sends: it comes when the sender is dropped.
        _ = ended.changed() => {}
        () = tokio::time::sleep(limits.lasts) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(FAREWELL, connection).await;
}
