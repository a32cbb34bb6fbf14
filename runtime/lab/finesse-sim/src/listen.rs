//! Listeners that go away and come back with their service, take their connections with them, and keep them waiting while it
//! hangs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::rustls::ServerConfig;

use crate::cluster::Health;
use crate::hub::Hub;

/// Connections that one listener serves at the same time.
const CONNECTIONS: usize = 20_000;

/// Where a connection has come to: what every listener of a node hands on.
#[derive(Clone)]
pub(crate) struct Door {
    /// The contact centre.
    pub(crate) hub: Arc<Hub>,
    /// Which node.
    pub(crate) node: usize,
    /// The node's certificate.
    pub(crate) tls: Arc<ServerConfig>,
    /// How the service is that listens.
    pub(crate) health: watch::Receiver<Health>,
}

/// A listener on loopback: at this port, or any where it is zero.
pub(crate) async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// Serves connections while the service is there, and none while it hangs.
pub(crate) async fn serve<F, W>(first: TcpListener, mut health: watch::Receiver<Health>, handle: F)
where
    F: Fn(TcpStream) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let Ok(address) = first.local_addr() else { return };
    let mut listener = Some(first);
    loop {
        if health.wait_for(|health| *health != Health::Down).await.is_err() {
            return;
        }
        let Some(open) = listener.take() else {
            match bind(address.port()).await {
                Ok(open) => listener = Some(open),
                Err(error) => {
                    tracing::warn!(%address, %error, "cannot listen again yet");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            continue;
        };
        let of = health.clone();
        // Leaving ends every connection.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                gone = until_down(&mut health) => {
                    if gone {
                        return;
                    }
                    break;
                }
                accepted = open.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < CONNECTIONS => {
                        // Small stanzas are not worth waiting for more.
                        let _ = stream.set_nodelay(true);
                        let (conversation, mut of) = (handle(stream), of.clone());
                        connections.spawn(async move {
                            while_silent(&mut of).await;
                            conversation.await;
                        });
                    }
                    Ok(_) => tracing::warn!(%address, "too many connections"),
                    Err(error) => {
                        tracing::warn!(%address, %error, "cannot accept");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Waits until the service is down; true when there is nobody any more who could say so.
pub(crate) async fn until_down(health: &mut watch::Receiver<Health>) -> bool {
    health.wait_for(|health| *health == Health::Down).await.is_err()
}

/// Waits until a service that is silent is anything else, or for ever.
pub(crate) async fn while_silent(health: &mut watch::Receiver<Health>) {
    let _ = health.wait_for(|health| *health != Health::Silent).await;
}
