//! XMPP over WebSocket: a socket, a handshake, and frames.

use std::sync::Arc;

use topoc_finesse_proto::xml::{Element, XmlError};
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::websocket::frame::{self, Decoder, Message};
use topoc_finesse_proto::xmpp::websocket::handshake::Handshake;
use topoc_finesse_proto::xmpp::{LIMITS, Piece, websocket};
use topoc_tls::tokio_rustls::rustls::ClientConfig;

use super::socket::Socket;
use super::{Server, chance};

/// One connection.
pub(crate) struct WebSocket {
    socket: Socket,
    decoder: Decoder,
    /// What was read and not looked at.
    rest: Vec<u8>,
    tls: Arc<ClientConfig>,
}

impl WebSocket {
    pub(crate) async fn open(server: &Server, with_tls: bool) -> Result<Self, End> {
        let mut socket = Socket::open(server, with_tls).await?;
        let authority = server.authority();
        let (mut handshake, said) = Handshake::begin(&authority, &server.path, chance::bytes(&server.tls));
        socket.write(said.as_bytes()).await?;
        let rest = loop {
            let answered =
                socket.read(|mut bytes| handshake.next(&mut bytes).map(|done| (done, bytes.to_vec()))).await?;
            let (is_done, rest) = answered.map_err(End::Lost)?;
            if is_done {
                break rest;
            }
        };
        Ok(Self { socket, decoder: Decoder::new(LIMITS.bytes), rest, tls: Arc::clone(&server.tls) })
    }

    pub(crate) async fn say(&mut self, text: &str) -> Result<(), End> {
        let frame = frame::text(text, chance::bytes(&self.tls));
        self.socket.write(&frame).await
    }

    pub(crate) async fn send(&mut self, element: &Element) -> Result<(), End> {
        self.say(&element.to_string()).await
    }

    /// What comes next. Nothing that was received is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Result<Piece, XmlError>, End> {
        loop {
            let mut rest = self.rest.as_slice();
            let message = self.decoder.next(&mut rest).map_err(|error| End::Lost(error.to_string()))?;
            self.rest = rest.to_vec();
            let Self { socket, rest, .. } = self;
            match message {
                Some(Message::Text(text)) => return Ok(websocket::read(&text, LIMITS)),
                Some(Message::Close(code)) => {
                    let code = code.map_or_else(|| "without a code".to_owned(), |code| format!("with code {code}"));
                    return Err(End::Lost(format!("the server closed the WebSocket {code}")));
                }
                Some(Message::Ping(bytes)) => {
                    let pong = frame::pong(&bytes, chance::bytes(&self.tls));
                    socket.write(&pong).await?;
                }
                Some(Message::Pong) => {}
                None => *rest = socket.read(<[u8]>::to_vec).await?,
            }
        }
    }

    pub(crate) async fn shut(&mut self) {
        let close = frame::close(chance::bytes(&self.tls));
        let _ = self.socket.write(&close).await;
        self.socket.shut().await;
    }
}
