//! The transports behind one face.

use topoc_finesse_proto::xml::{Element, XmlError};
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::options::Transport;
use topoc_finesse_proto::xmpp::{Piece, websocket};

use super::Server;
use super::bosh::Bosh;
use super::tcp::Tcp;
use super::websocket::WebSocket;

/// A connection, or what stands for one.
pub(crate) enum Link {
    Tcp(Tcp),
    WebSocket(WebSocket),
    // Few use it, and it is large.
    Bosh(Box<Bosh>),
}

impl Link {
    pub(crate) async fn open(server: &Server, domain: &str, transport: Transport) -> Result<Self, End> {
        Ok(match transport {
            Transport::DirectTls => Self::Tcp(Tcp::open(server, true).await?),
            Transport::StartTls | Transport::Plain => Self::Tcp(Tcp::open(server, false).await?),
            Transport::WebSocket { tls } => Self::WebSocket(WebSocket::open(server, tls).await?),
            Transport::Bosh { tls } => Self::Bosh(Box::new(Bosh::open(server, domain, tls).await?)),
        })
    }

    pub(crate) async fn open_stream(&mut self, domain: &str) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.open_stream(domain).await,
            Self::WebSocket(socket) => socket.say(&websocket::opening(domain)).await,
            Self::Bosh(bosh) => {
                bosh.open_stream();
                Ok(())
            }
        }
    }

    pub(crate) async fn send(&mut self, element: Element) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.send(&element).await,
            Self::WebSocket(socket) => socket.send(&element).await,
            Self::Bosh(bosh) => {
                bosh.send(element);
                Ok(())
            }
        }
    }

    pub(crate) async fn close_stream(&mut self) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.close_stream().await,
            Self::WebSocket(socket) => socket.say(&websocket::closing()).await,
            Self::Bosh(bosh) => {
                bosh.close_stream();
                Ok(())
            }
        }
    }

    pub(crate) async fn start_tls(&mut self, server: &Server) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.start_tls(server).await,
            // These have it from the beginning, or not at all.
            Self::WebSocket(_) | Self::Bosh(_) => Ok(()),
        }
    }

    /// What comes next. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Result<Piece, XmlError>, End> {
        match self {
            Self::Tcp(tcp) => tcp.next().await,
            Self::WebSocket(socket) => socket.next().await,
            Self::Bosh(bosh) => bosh.next().await,
        }
    }

    pub(crate) async fn shut(&mut self) {
        match self {
            Self::Tcp(tcp) => tcp.shut().await,
            Self::WebSocket(socket) => socket.shut().await,
            Self::Bosh(bosh) => bosh.shut().await,
        }
    }
}
