//! Any bytes are frames of WebSocket or refused; so is the answer to a handshake.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::xmpp::websocket::frame::{Decoder, Message};
use topoc_finesse_proto::xmpp::websocket::handshake::Handshake;
use topoc_finesse_proto::xmpp::{LIMITS, websocket};

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new(LIMITS.bytes);
    let mut rest = bytes;
    while let Ok(Some(message)) = decoder.next(&mut rest) {
        if let Message::Text(text) = message {
            let _ = websocket::read(&text, LIMITS);
        }
    }
    let (mut handshake, _) = Handshake::begin("a.test:7443", "/ws/", [0; 16]);
    let mut rest = bytes;
    let _ = handshake.next(&mut rest);
});
