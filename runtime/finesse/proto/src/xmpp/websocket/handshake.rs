//! How a connection of HTTP becomes one of WebSocket (RFC 6455, 4), for XMPP (RFC 7395, 3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The longest answer.
const LONGEST: usize = 8 << 10;

/// RFC 6455, 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A handshake that has begun.
#[derive(Clone, Debug)]
pub struct Handshake {
    accept: String,
    answer: Vec<u8>,
}

impl Handshake {
    /// Begins, and returns what to send. `nonce` is chance; `authority` is host and port, and `path` begins with a slash.
    #[must_use]
    pub fn begin(authority: &str, path: &str, nonce: [u8; 16]) -> (Self, String) {
        let key = STANDARD.encode(nonce);
        let accept = STANDARD.encode(Sha1::digest(format!("{key}{GUID}")));
        let said = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
        );
        (Self { accept, answer: Vec::new() }, said)
    }

    /// Takes bytes of the answer off the front. Whether it is whole: what is left are frames.
    ///
    /// # Errors
    ///
    /// Why the server does not speak XMPP over WebSocket here.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<bool, String> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.answer.push(*byte);
            if self.answer.ends_with(b"\r\n\r\n") {
                return self.judge().map(|()| true);
            }
            if self.answer.len() == LONGEST {
                return Err("its answer to the WebSocket handshake is too long".to_owned());
            }
        }
        Ok(false)
    }

    fn judge(&self) -> Result<(), String> {
        let text = std::str::from_utf8(&self.answer).map_err(|_| "its answer is not HTTP".to_owned())?;
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap_or_default();
        let mut words = status.split(' ');
        if !words.next().is_some_and(|version| version.starts_with("HTTP/1.1")) || words.next() != Some("101") {
            let status: String = status.chars().take(80).collect();
            return Err(format!("it answers the WebSocket handshake with `{}`", status.escape_debug()));
        }
        let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
        let has = |name: &str, fits: &dyn Fn(&str) -> bool| {
            headers.iter().any(|(header, value)| header.trim().eq_ignore_ascii_case(name) && fits(value.trim()))
        };
        let upgrades = |value: &str| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
        if !has("upgrade", &|value| value.eq_ignore_ascii_case("websocket")) || !has("connection", &upgrades) {
            return Err("it does not upgrade to WebSocket".to_owned());
        }
        if !has("sec-websocket-accept", &|value| value == self.accept) {
            return Err("it answers another WebSocket handshake than ours".to_owned());
        }
        if !has("sec-websocket-protocol", &|value| value == "xmpp") {
            return Err("it speaks WebSocket, but not XMPP over it".to_owned());
        }
        if headers.iter().any(|(header, _)| header.trim().eq_ignore_ascii_case("sec-websocket-extensions")) {
            return Err("it wants an extension of WebSocket that nobody asked for".to_owned());
        }
        Ok(())
    }
}
