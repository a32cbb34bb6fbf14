//! Bytes from strangers: random ones and damaged frames are read or refused, and never take more memory than they have bytes for.
//! `TOPOC_LONG=1` for ten million.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod support;

use bytes::Bytes;
use support::Chance;
use topoc_openwire_proto::DecodeError;
use topoc_openwire_proto::command::Command;
use topoc_openwire_proto::frame::{self, Decoder};

/// Lengths and flags are small or extreme; anything else is rarely read far.
fn byte(chance: &mut Chance) -> u8 {
    match chance.below(4) {
        0 => 0,
        1 => [1, 2, 0x7f, 0x80, 0xff][chance.below(5)],
        _ => (chance.next() & 0xff) as u8,
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    (8..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// What is done with a command that was read: everything that looks further into its bytes.
fn look_into(command: &Command) {
    let written = frame::encode(command).unwrap();
    let again = frame::decode(Bytes::from(written).slice(4..));
    // Floats that are no numbers are not equal to themselves, and cannot be told apart by their bytes.
    assert!(again.is_ok(), "{command:?}");
    if let Command::Message(message) = command {
        let _ = message.properties();
        let _ = message.body(1 << 16);
    }
}

fn damage(frame: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        let at = chance.below(frame.len());
        match chance.below(4) {
            0 => frame.truncate(at.max(1)),
            1 => frame.insert(at, byte(chance)),
            2 => drop(frame.splice(at..at, vec![byte(chance); chance.below(40)])),
            _ => frame[at] = byte(chance),
        }
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let rounds = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 10_000_000 } else { 200_000 };
    let seeds: Vec<Vec<u8>> = topoc_lab::frames(&["random", "7", "400"]).unwrap().lines().map(unhex).collect();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut refused) = (0_u32, 0_u32);
    for round in 0..rounds {
        let mut bytes = seeds[chance.below(seeds.len())].clone();
        if round % 4 == 0 {
            bytes = (0..chance.below(200)).map(|_| byte(&mut chance)).collect();
        } else {
            damage(&mut bytes, &mut chance);
        }
        match frame::decode(bytes.into()) {
            Ok(command) => {
                read += 1;
                command.iter().for_each(look_into);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(
        read > rounds / 100 && refused > rounds / 100,
        "{read} were read and {refused} refused: both are to be tried"
    );
}

#[test]
fn a_frame_over_the_limit_is_refused_before_it_comes() {
    let mut decoder = Decoder::new(100);
    decoder.feed(&101_u32.to_be_bytes());
    assert_eq!(decoder.next(), Err(DecodeError::FrameTooLong { size: 101, limit: 100 }));
}

#[test]
fn other_protocols_are_told_apart() {
    for (peer, bytes) in
        [("HTTP", &b"HTTP/1.1 400 Bad Request\r\n"[..]), ("TLS", &[0x16, 3, 3, 0, 80]), ("AMQP", b"AMQP\0\x01\0\0")]
    {
        let mut decoder = Decoder::new(1 << 20);
        decoder.feed(bytes);
        assert!(matches!(decoder.next(), Err(DecodeError::FrameTooLong { .. })), "{peer}");
    }
    let stomp = frame::decode(Bytes::from_static(b"\x01NotActiveMQ\0\0\0\x0c\0"));
    assert_eq!(stomp, Err(DecodeError::BadMagic));
}

#[test]
fn empty_frames_and_nulls_are_harmless() {
    let mut decoder = Decoder::new(100);
    decoder.feed(&[0, 0, 0, 1, 0, 0, 0, 0, 6, 10, 0, 0, 0, 0, 0]);
    assert!(matches!(decoder.next(), Ok(Some(Command::KeepAliveInfo(_)))), "after Java's null");
    decoder.feed(&[0, 0, 0, 0]);
    assert!(matches!(decoder.next(), Err(DecodeError::Truncated { .. })));
}
