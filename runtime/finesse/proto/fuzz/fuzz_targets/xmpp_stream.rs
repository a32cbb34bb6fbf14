//! Any bytes are cut into stanzas or refused, and the same comes of them in small pieces as at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::xmpp::tcp::Splitter;
use topoc_finesse_proto::xmpp::{LIMITS, Piece};

fn split(bytes: &[u8], size: usize) -> (Vec<Piece>, bool) {
    let mut splitter = Splitter::default();
    let mut pieces = Vec::new();
    for mut bytes in bytes.chunks(size.max(1)) {
        loop {
            match splitter.next(&mut bytes) {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => break,
                Err(_) => return (pieces, false),
            }
            assert!(splitter.kept() <= LIMITS.bytes);
        }
    }
    (pieces, true)
}

fuzz_target!(|bytes: &[u8]| {
    let size = usize::from(bytes.first().copied().unwrap_or(1));
    assert_eq!(split(bytes, size), split(bytes, bytes.len()));
});
