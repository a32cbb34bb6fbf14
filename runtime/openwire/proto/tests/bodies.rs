//! Bodies and properties: what is written is read, as ActiveMQ lays it out, and compressed bodies stay within their limit.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;
use topoc_openwire_proto::body::Body;
use topoc_openwire_proto::message::{Message, MessageKind};
use topoc_openwire_proto::primitive::{Map, Value};
use topoc_openwire_proto::{DecodeError, EncodeError};

const LIMIT: u64 = 1 << 20;

fn with(body: &Body) -> Message {
    let mut message = Message::default();
    message.set_body(body).unwrap();
    message
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The message with its body as a Java client with `useCompression=true` sends it.
fn compressed(mut message: Message) -> Message {
    let content = message.headers.content.take().unwrap();
    let deflated = deflate(&content);
    let length = i32::try_from(content.len()).unwrap().to_be_bytes();
    let bytes = if message.kind == MessageKind::Bytes { [&length[..], &deflated].concat() } else { deflated };
    message.headers.content = Some(bytes.into());
    message.headers.compressed = true;
    message
}

fn bodies() -> Vec<Body> {
    vec![
        Body::Text(Some("hi".to_owned())),
        Body::Text(Some(String::new())),
        Body::Text(Some("😀\0ü".repeat(20_000))),
        Body::Bytes(Bytes::from_static(&[1, 2, 3])),
        Body::Map(Map::default().with("a", "b").with("n", 1)),
        Body::Stream(vec![Value::Bool(true), Value::Text("x".to_owned()), Value::Double(0.5)]),
        Body::Object(Bytes::from_static(b"\xac\xed\0\x05")),
    ]
}

#[test]
fn bodies_are_laid_out_as_activemq_lays_them_out() {
    for (body, content) in [
        (Body::Text(Some("hi".to_owned())), Some(&b"\0\0\0\x02hi"[..])),
        (
            Body::Map(Map::default().with("a", "b").with("n", 1)),
            Some(b"\0\0\0\x02\0\x01a\x09\0\x01b\0\x01n\x05\0\0\0\x01"),
        ),
        (Body::Bytes(Bytes::from_static(&[1, 2, 3])), Some(&[1, 2, 3])),
        (Body::Text(None), None),
        (Body::None, None),
    ] {
        assert_eq!(with(&body).headers.content.as_deref(), content, "{body:?}");
    }
}

#[test]
fn a_body_is_read_plain_and_compressed() {
    for body in bodies() {
        assert_eq!(with(&body).body(LIMIT), Ok(body.clone()));
        assert_eq!(compressed(with(&body)).body(LIMIT), Ok(body.clone()), "compressed");
    }
    for body in [Body::None, Body::Blob, Body::Text(None)] {
        assert_eq!(with(&body).body(LIMIT), Ok(body));
    }
}

#[test]
fn a_body_that_inflates_beyond_the_limit_is_refused() {
    let limit = 1000;
    for (kind, length) in [(MessageKind::Text, 1001), (MessageKind::Bytes, 10_000_000)] {
        let mut message = Message { kind, ..Message::default() };
        message.headers.content = Some(vec![0; length].into());
        let message = compressed(message);
        assert_eq!(message.body(limit), Err(DecodeError::BodyTooLong(limit)), "{kind:?}");
    }
    let mut lies = compressed(with(&Body::Bytes(vec![7; 100].into())));
    let mut content = lies.headers.content.unwrap().to_vec();
    content[..4].copy_from_slice(&50_i32.to_be_bytes());
    lies.headers.content = Some(content.into());
    // As Java does, which itself deflates more than there is of an empty message.
    assert_eq!(lies.body(limit), Ok(Body::Bytes(vec![7; 50].into())), "longer than it says");
}

#[test]
fn a_damaged_body_is_refused() {
    let mut message = compressed(with(&Body::Text(Some("hi".repeat(100)))));
    let mut content = message.headers.content.unwrap().to_vec();
    content[3] ^= 0xff;
    message.headers.content = Some(content.into());
    assert!(matches!(message.body(LIMIT), Err(DecodeError::BadCompression | DecodeError::Truncated { .. })));

    let mut trailing = with(&Body::Text(Some("hi".to_owned())));
    trailing.headers.content = Some(Bytes::from_static(b"\0\0\0\x02hi!"));
    assert_eq!(trailing.body(LIMIT), Err(DecodeError::TrailingBytes(1)));
}

#[test]
fn values_nested_too_deeply_are_refused() {
    // A list in a list in a list: five bytes a level.
    let list =
        |depth: usize| Bytes::from([&[0, 0, 0, 1, 0, 1, b'k'][..], &[12, 0, 0, 0, 1].repeat(depth), &[0]].concat());
    assert!(Map::decode(&list(31)).is_ok());
    assert_eq!(Map::decode(&list(32)), Err(DecodeError::TooDeep));
    assert_eq!(Map::decode(&list(1_000_000)), Err(DecodeError::TooDeep));
}

#[test]
fn a_count_alone_allocates_nothing() {
    let claims = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 0]);
    assert_eq!(Map::decode(&claims), Err(DecodeError::Truncated { what: "a map", needed: 0x7fff_ffff, left: 2 }));
    let negative = Bytes::from_static(&[0xff, 0xff, 0xff, 0xfe]);
    assert_eq!(Map::decode(&negative), Err(DecodeError::NegativeLength("a map")));
}

#[test]
fn what_has_no_room_in_its_field_is_said() {
    let name = "n".repeat(65_536);
    let mut message = with(&Body::Bytes(Bytes::from_static(b"before")));
    let refused = message.set_body(&Body::Map(Map::default().with(name.as_str(), 1)));
    assert_eq!(refused, Err(EncodeError::TextTooLong(65_536)));
    assert_eq!(message.body(LIMIT), Ok(Body::Bytes(Bytes::from_static(b"before"))), "the message is as before");
    assert!(message.set_properties(&Map::default().with("n", "v".repeat(65_536))).is_ok(), "values may be long");
    assert_eq!(message.properties().unwrap().get("n"), Some(&Value::Text("v".repeat(65_536))));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::Byte),
        any::<u16>().prop_map(Value::Char),
        any::<i16>().prop_map(Value::Short),
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Long),
        (-1e300..1e300).prop_map(Value::Double),
        (-1e30_f32..1e30).prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            proptest::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn properties_are_read_as_they_were_written(entries in proptest::collection::vec((any::<String>(), value()), 0..8)) {
        let map: Map = entries.into_iter().collect();
        let mut message = Message::default();
        message.set_properties(&map).unwrap();
        prop_assert_eq!(message.properties(), Ok(map));
    }
}
