//! Text as Java writes it: zero in two bytes, supplementary characters as two surrogates of three (`java.io.DataInput`).

use crate::DecodeError;

/// Appends a text.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) {
    // All but a few texts are the same in both encodings.
    if text.bytes().all(|byte| (1..0xf0).contains(&byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for unit in text.encode_utf16() {
        match unit {
            1..=0x7f => out.push(unit as u8),
            0 | 0x80..=0x7ff => out.extend([0xc0 | (unit >> 6) as u8, continuation(unit)]),
            _ => out.extend([0xe0 | (unit >> 12) as u8, continuation(unit >> 6), continuation(unit)]),
        }
    }
}

/// How many bytes [`encode`] appends.
pub(crate) fn len(text: &str) -> usize {
    // A supplementary character has four bytes in UTF-8 and six here.
    text.len() + text.bytes().filter(|byte| *byte == 0).count() + 2 * text.bytes().filter(|byte| *byte >= 0xf0).count()
}

fn continuation(unit: u16) -> u8 {
    0x80 | (unit & 0x3f) as u8
}

/// Reads a text. A surrogate without its partner, which Java can write and no Rust text can hold, becomes U+FFFD.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, DecodeError> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && bytes.iter().all(|byte| (1..0xf0).contains(byte))
    {
        return Ok(text.to_owned());
    }
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let (unit, after) = unit(*first, after)?;
        units.push(unit);
        rest = after;
    }
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// One UTF-16 unit and what follows it. Overlong forms are read, as Java reads them.
fn unit(first: u8, after: &[u8]) -> Result<(u16, &[u8]), DecodeError> {
    match (first, after) {
        (0..=0x7f, _) => Ok((first.into(), after)),
        (0xc0..=0xdf, [second, after @ ..]) => Ok((u16::from(first & 0x1f) << 6 | low(*second)?, after)),
        (0xe0..=0xef, [second, third, after @ ..]) => {
            Ok((u16::from(first & 0x0f) << 12 | low(*second)? << 6 | low(*third)?, after))
        }
        _ => Err(DecodeError::BadText),
    }
}

fn low(byte: u8) -> Result<u16, DecodeError> {
    if byte & 0xc0 == 0x80 { Ok(u16::from(byte & 0x3f)) } else { Err(DecodeError::BadText) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, &mut out);
        assert_eq!(out.len(), len(text), "{text:?}");
        out
    }

    #[test]
    fn texts_are_written_as_java_writes_them() {
        for (text, bytes) in [
            ("", &[][..]),
            ("plain", b"plain"),
            ("a\0b", b"a\xc0\x80b"),
            ("ü€", "ü€".as_bytes()),
            ("😀", b"\xed\xa0\xbd\xed\xb8\x80"),
        ] {
            assert_eq!(encoded(text), bytes, "{text:?}");
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_java_can_write_is_read() {
        assert_eq!(decode(b"a\xed\xa0\xbdb").as_deref(), Ok("a\u{fffd}b"), "a surrogate alone");
        assert_eq!(decode(b"\0").as_deref(), Ok("\0"), "zero in one byte");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [&b"\xff"[..], b"\xc3", b"\xe2\x82", b"\xc3(", b"\xf0\x9f\x98\x80", b"\x80"] {
            assert_eq!(decode(bytes), Err(DecodeError::BadText), "{bytes:x?}");
        }
    }
}
