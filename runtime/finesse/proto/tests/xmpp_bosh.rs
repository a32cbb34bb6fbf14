//! BOSH: numbers, order, repeats and ends, without a server; and frames of WebSocket.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use std::time::Duration;

use topoc_finesse_proto::xml::Element;
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::bosh::{Body, Bosh, Input, Output};
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::stanza::Outgoing;
use topoc_finesse_proto::xmpp::websocket::frame::{self, Decoder, FrameError, Message};
use topoc_finesse_proto::xmpp::websocket::handshake::Handshake;

const NOW: Duration = Duration::from_secs(5);
const EMPTY: &str = "<body xmlns='http://jabber.org/protocol/httpbind'/>";

fn answer(id: u64, text: &str) -> Input {
    Input::Answered(id, 200, text.to_owned())
}

fn posts(outputs: &[Output]) -> Vec<(u64, String)> {
    let post = |output: &Output| match output {
        Output::Post(id, Body(text)) => Some((*id, text.clone())),
        _ => None,
    };
    outputs.iter().filter_map(post).collect()
}

fn stanzas(outputs: &[Output]) -> Vec<String> {
    let stanza = |output: &Output| match output {
        Output::Received(Piece::Stanza(stanza)) => Some(stanza.name.clone()),
        _ => None,
    };
    outputs.iter().filter_map(stanza).collect()
}

/// A session that is made, whose first number was 8: 9 is with the server.
fn made() -> Bosh {
    let mut bosh = Bosh::new("a.test", 7);
    let first = posts(&bosh.handle(NOW, Input::Open));
    assert_eq!(first.len(), 1);
    assert!(first[0].1.contains("rid=\"8\"") && first[0].1.contains("to=\"a.test\""), "{first:?}");
    let out = bosh.handle(
        NOW,
        answer(8, "<body xmlns='http://jabber.org/protocol/httpbind' sid='s' requests='2' hold='1' wait='60'/>"),
    );
    assert!(matches!(out[0], Output::Received(Piece::Opened(_))), "{out:?}");
    assert_eq!(posts(&out).len(), 1, "one is always with the server: {out:?}");
    bosh
}

fn say(bosh: &mut Bosh, name: &str) -> Vec<(u64, String)> {
    posts(&bosh.handle(NOW, Input::Send(Outgoing(Element::new(name, "jabber:client")))))
}

#[test]
fn no_more_than_two_are_under_way_and_what_waits_goes_together() {
    let mut bosh = made();
    assert_eq!(say(&mut bosh, "one").len(), 1);
    assert!(say(&mut bosh, "two").is_empty() && say(&mut bosh, "three").is_empty());
    let next = posts(&bosh.handle(NOW, answer(9, EMPTY)));
    assert_eq!(next.len(), 1);
    assert!(next[0].1.contains("<two") && next[0].1.contains("<three"), "{next:?}");
}

#[test]
fn answers_are_taken_in_the_order_of_their_requests() {
    let mut bosh = made();
    say(&mut bosh, "one");
    let with = |name: &str| {
        format!("<body xmlns='http://jabber.org/protocol/httpbind'><{name} xmlns='jabber:client'/></body>")
    };
    assert!(stanzas(&bosh.handle(NOW, answer(10, &with("second")))).is_empty());
    assert_eq!(stanzas(&bosh.handle(NOW, answer(9, &with("first")))), ["first", "second"]);
    assert!(stanzas(&bosh.handle(NOW, answer(9, &with("first")))).is_empty(), "and once");
}

#[test]
fn a_request_whose_connection_breaks_is_asked_again_word_for_word_and_not_for_ever() {
    let mut bosh = made();
    let asked = say(&mut bosh, "one").remove(0);
    let broken = || Input::Broken(asked.0, "reset".to_owned());
    assert_eq!(posts(&bosh.handle(NOW, broken())), std::slice::from_ref(&asked), "at once the first time");
    let mut now = NOW;
    for pause in [500, 1000] {
        assert!(posts(&bosh.handle(now, broken())).is_empty());
        assert_eq!(bosh.wakes_at(), Some(now + Duration::from_millis(pause)));
        now += Duration::from_millis(pause);
        assert_eq!(posts(&bosh.handle(now, Input::Timer)), std::slice::from_ref(&asked));
    }
    assert_eq!(bosh.handle(now, broken()), [Output::Failed(End::Lost("reset".to_owned()))]);
    assert!(bosh.handle(now, Input::Timer).is_empty(), "over is over");
}

#[test]
fn a_server_that_does_not_keep_requests_is_not_asked_without_pause() {
    let mut bosh = made();
    assert!(posts(&bosh.handle(NOW, answer(9, EMPTY))).is_empty());
    let later = bosh.wakes_at().unwrap();
    assert_eq!(posts(&bosh.handle(later, Input::Timer)).len(), 1);
    // What there is to say need not wait.
    let mut bosh = made();
    bosh.handle(NOW, answer(9, EMPTY));
    assert_eq!(say(&mut bosh, "one").len(), 1);
}

#[test]
fn every_end_is_told() {
    let body = |rest: &str| format!("<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'{rest}/>");
    let ended = |status: u16, text: &str| made().handle(NOW, Input::Answered(9, status, text.to_owned())).pop();
    let bosh = |condition: &str| Some(Output::Failed(End::Bosh(condition.to_owned())));
    assert_eq!(ended(200, &body(" condition='system-shutdown'")), bosh("system-shutdown"));
    assert_eq!(ended(200, &body("")), Some(Output::Failed(End::Closed)));
    assert_eq!(ended(404, ""), bosh("item-not-found"));
    assert_eq!(ended(403, ""), bosh("policy-violation"));
    assert!(matches!(ended(302, ""), Some(Output::Failed(End::Lost(_)))));
    assert!(matches!(ended(200, "<html/>"), Some(Output::Failed(End::Unexpected(_)))));
    assert!(matches!(ended(200, "<body"), Some(Output::Failed(End::Malformed(_)))));
    // The gateway may try again.
    assert!(matches!(ended(502, ""), Some(Output::Post(9, _))));
    assert!(matches!(
        ended(200, "<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>"),
        Some(Output::Post(9, _))
    ));
}

#[test]
fn leaving_is_said_with_what_was_left_to_say_and_answered() {
    let mut bosh = made();
    bosh.handle(NOW, Input::Send(Outgoing(Element::new("one", "jabber:client"))));
    bosh.handle(NOW, Input::Send(Outgoing(Element::new("last", "jabber:client"))));
    assert!(posts(&bosh.handle(NOW, Input::Close)).is_empty());
    let last = posts(&bosh.handle(NOW, answer(9, EMPTY))).remove(0);
    assert!(last.1.contains("type=\"terminate\"") && last.1.contains("<last"), "{last:?}");
    bosh.handle(NOW, answer(10, EMPTY));
    let end = bosh.handle(NOW, answer(last.0, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"));
    assert_eq!(end, [Output::Received(Piece::Closed)]);
}

#[test]
fn no_body_is_shown() {
    let mut bosh = made();
    let said = Outgoing(Element::new("auth", "x").saying("c2VjcmV0"));
    let out = bosh.handle(NOW, Input::Send(said));
    assert!(!format!("{out:?}").contains("c2VjcmV0"), "{out:?}");
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, u8::try_from(payload.len()).unwrap()];
    bytes.extend(payload);
    bytes
}

fn decode(mut bytes: &[u8]) -> Result<Vec<Message>, FrameError> {
    let mut decoder = Decoder::new(100);
    let mut messages = Vec::new();
    while let Some(message) = decoder.next(&mut bytes)? {
        messages.push(message);
    }
    Ok(messages)
}

#[test]
fn texts_in_parts_are_whole_again_with_pings_between() {
    let bytes =
        [unmasked(0x01, b"<a"), unmasked(0x89, b"p"), unmasked(0x80, b"/>"), unmasked(0x88, &[3, 232])].concat();
    let whole = [Message::Ping(b"p".to_vec()), Message::Text("<a/>".to_owned()), Message::Close(Some(1000))];
    assert_eq!(decode(&bytes).unwrap(), whole);
    for size in 1..bytes.len() {
        let mut decoder = Decoder::new(100);
        let mut messages = Vec::new();
        for mut piece in bytes.chunks(size) {
            while let Some(message) = decoder.next(&mut piece).unwrap() {
                messages.push(message);
            }
        }
        assert_eq!(messages, whole, "in pieces of {size}");
    }
}

#[test]
fn frames_that_break_the_rules_are_refused() {
    for (what, bytes) in [
        ("masked", vec![0x81, 0x81, 0, 0, 0, 0, b'a']),
        ("an extension", unmasked(0xc1, b"a")),
        ("binary", unmasked(0x82, b"a")),
        ("a text inside of a text", [unmasked(0x01, b"a"), unmasked(0x81, b"b")].concat()),
        ("the end of nothing", unmasked(0x80, b"a")),
        ("a ping in parts", unmasked(0x09, b"a")),
        ("a long ping", vec![0x89, 126, 0, 126]),
        ("not UTF-8", unmasked(0x81, &[0xff])),
        ("too long", vec![0x81, 101]),
        ("too long by far", vec![0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("too long in parts", [unmasked(0x01, &[b'a'; 100]), unmasked(0x80, b"b")].concat()),
    ] {
        assert!(decode(&bytes).is_err(), "{what}");
    }
    assert!(decode(&unmasked(0x81, &[b'a'; 100])).is_ok());
}

#[test]
fn our_own_frames_are_masked_and_of_every_length() {
    for length in [0, 1, 125, 126, 65_535, 65_536] {
        let text = "x".repeat(length);
        let frame = frame::text(&text, [1, 2, 3, 4]);
        assert_eq!((frame[0], frame[1] & 0x80), (0x81, 0x80));
        let head = match frame[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let payload: Vec<u8> = frame[head + 4..].iter().zip([1, 2, 3, 4].iter().cycle()).map(|(a, b)| a ^ b).collect();
        assert_eq!(payload, text.as_bytes());
    }
}

#[test]
fn the_handshake_is_that_of_rfc_6455() {
    // The example of RFC 6455 (1.3).
    let nonce = *b"the sample nonce";
    let good = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
    let (mut handshake, said) = Handshake::begin("a.test:7443", "/ws/", nonce);
    assert!(said.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "{said}");
    let mut bytes = format!("{good}rest").into_bytes();
    let mut left = bytes.as_slice();
    assert_eq!(handshake.next(&mut left), Ok(true));
    assert_eq!(left, b"rest");
    for (right, wrong) in
        [("101", "200"), ("s3pP", "other"), ("xmpp", "mqtt"), ("WebSocket", "h2c"), ("Upgrade\r", "close\r")]
    {
        let (mut handshake, _) = Handshake::begin("a.test:7443", "/ws/", nonce);
        bytes = good.replacen(right, wrong, 1).into_bytes();
        assert!(handshake.next(&mut bytes.as_slice()).is_err(), "{wrong}");
    }
    let (mut handshake, _) = Handshake::begin("a.test:7443", "/ws/", nonce);
    assert!(handshake.next(&mut [b'x'; 9000].as_slice()).is_err(), "an answer without end");
}
