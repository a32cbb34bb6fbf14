//! The transports behind one face.

use topoc_finesse_proto::xml::{Element, XmlError};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::options::Transport;

use super::Server;
use super::tcp::Tcp;

/// A connection, or what stands for one.
pub(crate) enum Link {
    Tcp(Tcp),
}

impl Link {
    pub(crate) async fn open(server: &Server, transport: Transport) -> Result<Self, End> {
        Ok(match transport {
            Transport::DirectTls => Self::Tcp(Tcp::open(server, true).await?),
            _ => Self::Tcp(Tcp::open(server, false).await?),
        })
    }

    pub(crate) async fn open_stream(&mut self, domain: &str) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.open_stream(domain).await,
        }
    }

    pub(crate) async fn send(&mut self, element: Element) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.send(&element).await,
        }
    }

    pub(crate) async fn close_stream(&mut self) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.close_stream().await,
        }
    }

    pub(crate) async fn start_tls(&mut self, server: &Server) -> Result<(), End> {
        match self {
            Self::Tcp(tcp) => tcp.start_tls(server).await,
        }
    }

    /// What comes next. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Result<Piece, XmlError>, End> {
        match self {
            Self::Tcp(tcp) => tcp.next().await,
        }
    }

    pub(crate) async fn shut(&mut self) {
        match self {
            Self::Tcp(tcp) => tcp.shut().await,
        }
    }
}
