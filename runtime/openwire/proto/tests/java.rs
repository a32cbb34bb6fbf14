//! ActiveMQ's own marshallers as the judge: the same fields in the same order, the same bytes for anything. `TOPOC_LONG=1` for more.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use std::collections::BTreeMap;

use bytes::Bytes;
use topoc_openwire_proto::command::{Command, LAYOUTS};
use topoc_openwire_proto::message::{Blob, Headers};
use topoc_openwire_proto::{Layout, destination, frame, id};

/// Fields that have a better name here than in Java.
const RENAMED: &[(&str, &str)] =
    &[("received_by_bridge", "RecievedByDFBridge"), ("first_of_group", "JMSXGroupFirstForConsumer")];

/// A second setter of the field before it.
const SECOND: &str = "Redelivered";

fn java(arguments: &[&str]) -> String {
    topoc_lab::frames(arguments).unwrap()
}

/// The fields of every structure as Java writes them, by type id; each with all the names that it has there.
fn java_layouts() -> BTreeMap<u8, Vec<Vec<String>>> {
    let text = java(&["layouts"]);
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let id = words.next().unwrap().parse().unwrap();
        let fields = words.nth(1).unwrap_or_default().split(',').filter(|names| !names.is_empty() && *names != SECOND);
        (id, fields.map(|names| names.split('|').map(str::to_owned).collect()).collect())
    };
    text.lines().map(line).collect()
}

fn is(field: &str, names: &[String]) -> bool {
    let renamed = RENAMED.iter().find(|(ours, _)| *ours == field).map(|(_, java)| (*java).to_owned());
    let wanted = renamed.unwrap_or_else(|| field.replace('_', "")).to_lowercase();
    names.iter().any(|name| name.to_lowercase() == wanted.trim_start_matches("r#"))
}

fn compare(name: &str, fields: &[&str], java: &[Vec<String>]) {
    let same = fields.len() == java.len() && fields.iter().zip(java).all(|(field, names)| is(field, names));
    assert!(same, "{name}\n here {fields:?}\n Java {java:?}");
}

#[test]
fn every_structure_has_the_fields_of_its_java_class_in_their_order() {
    let java = java_layouts();
    let ids: &[Layout] = &[
        id::ConnectionId::LAYOUT,
        id::SessionId::LAYOUT,
        id::ConsumerId::LAYOUT,
        id::ProducerId::LAYOUT,
        id::BrokerId::LAYOUT,
        id::MessageId::LAYOUT,
        id::LocalTransactionId::LAYOUT,
        id::XATransactionId::LAYOUT,
        destination::Queue::LAYOUT,
        destination::Topic::LAYOUT,
        destination::TempQueue::LAYOUT,
        destination::TempTopic::LAYOUT,
    ];
    let layouts: Vec<&Layout> = LAYOUTS.iter().chain(ids).collect();
    for layout in &layouts {
        compare(layout.name, layout.fields, &java[&layout.id]);
    }
    for message in 23..=28 {
        compare("a message", Headers::LAYOUT.fields, &java[&message]);
    }
    let blob: Vec<&str> = Headers::LAYOUT.fields.iter().chain(Blob::LAYOUT.fields).copied().collect();
    compare("a blob message", &blob, &java[&29]);

    let known = |id: &u8| *id == 1 || (23..=29).contains(id) || layouts.iter().any(|layout| layout.id == *id);
    let unknown: Vec<&u8> = java.keys().filter(|id| !known(id)).collect();
    assert!(unknown.is_empty(), "Java has the types {unknown:?} too");
}

fn read(hex: &str) -> (Vec<u8>, Command) {
    let frame: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let command = frame::decode(Bytes::copy_from_slice(&frame[4..])).unwrap_or_else(|error| panic!("{error}: {hex}"));
    (frame, command.unwrap())
}

#[test]
fn anything_that_java_writes_is_read_and_written_the_same() {
    let count = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 200_000 } else { 4_000 };
    let text = java(&["random", "20261123", &count.to_string()]);
    let mut frames = 0;
    for line in text.lines() {
        let (bytes, command) = read(line);
        assert_eq!(frame::encode(&command).unwrap(), bytes, "{command:?}");
        frames += 1;
    }
    assert_eq!(frames, count);
}
