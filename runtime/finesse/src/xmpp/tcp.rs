//! XMPP over TCP: a socket and the splitter.

use topoc_finesse_proto::xml::{Element, XmlError};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::tcp::{self, Splitter};

use super::Server;
use super::socket::Socket;

/// One connection.
pub(crate) struct Tcp {
    /// None while it becomes one with TLS.
    socket: Option<Socket>,
    splitter: Splitter,
    /// What was read and not looked at.
    rest: Vec<u8>,
}

impl Tcp {
    pub(crate) async fn open(server: &Server, with_tls: bool) -> Result<Self, End> {
        let socket = Socket::open(server, with_tls).await?;
        Ok(Self { socket: Some(socket), splitter: Splitter::default(), rest: Vec::new() })
    }

    fn socket(&mut self) -> Result<&mut Socket, End> {
        self.socket.as_mut().ok_or_else(|| End::Lost("TLS has failed".to_owned()))
    }

    pub(crate) async fn open_stream(&mut self, domain: &str) -> Result<(), End> {
        self.splitter = Splitter::default();
        self.socket()?.write(tcp::opening(domain).as_bytes()).await
    }

    pub(crate) async fn send(&mut self, element: &Element) -> Result<(), End> {
        let text = tcp::stanza(element);
        self.socket()?.write(text.as_bytes()).await
    }

    pub(crate) async fn close_stream(&mut self) -> Result<(), End> {
        self.socket()?.write(tcp::CLOSING.as_bytes()).await
    }

    pub(crate) async fn start_tls(&mut self, server: &Server) -> Result<(), End> {
        if !self.rest.is_empty() {
            // Somebody on the way would have it believed once TLS is there.
            return Err(End::Tls("something was sent between the leave to begin and TLS".to_owned()));
        }
        if let Some(socket) = self.socket.take() {
            self.socket = Some(socket.start_tls(server).await?);
        }
        Ok(())
    }

    /// What comes next. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Result<Piece, XmlError>, End> {
        loop {
            let mut rest = self.rest.as_slice();
            let piece = self.splitter.next(&mut rest);
            self.rest = rest.to_vec();
            match piece {
                Ok(None) => {}
                Ok(Some(piece)) => return Ok(Ok(piece)),
                Err(error) => return Ok(Err(error)),
            }
            let Self { socket: Some(socket), splitter, rest } = self else {
                return Err(End::Lost("TLS has failed".to_owned()));
            };
            let piece = socket
                .read(|mut bytes| {
                    let piece = splitter.next(&mut bytes);
                    *rest = bytes.to_vec();
                    piece
                })
                .await?;
            match piece {
                Ok(None) => {}
                Ok(Some(piece)) => return Ok(Ok(piece)),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    pub(crate) async fn shut(&mut self) {
        if let Some(socket) = &mut self.socket {
            socket.shut().await;
        }
    }
}
