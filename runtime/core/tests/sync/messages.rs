//! What is believed of what comes on the topic, and what is not.
//!
//! `tests/golden/sync-1-*` was sealed by another implementation (ChaCha20-Poly1305 of OpenSSL, behind HChaCha20 written for it), and
//! is never changed: what a release has sent is understood by the next one. `sync-1-later-*` has fields, kinds and answers of later
//! releases.

use std::time::Duration;

use proptest::prelude::*;
use topoc_core::deployment::{Deployment, Event as Happens, Order as Does, Others};
use topoc_core::recent::Record;
use topoc_core::sync::seal::{self, Head, Key, Keys, NoKey};
use topoc_core::sync::{Cursor, Dropped, Event, Message, Mode, Order, Stage, Sync};

use crate::support::{connector, key, message, millis, secs, settings};

const NOW: Duration = secs(1_000_000);

/// Connector 1 of two, which has started as its third start.
fn first() -> Sync {
    let mut sync = Sync::new(settings(0, 2, Mode::ActiveActive, 3));
    sync.handle(NOW, Event::Online);
    sync
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/golden/sync-1-{name}")).unwrap()
}

fn hear(sync: &mut Sync, bytes: &[u8]) -> Vec<Order> {
    sync.handle(NOW, Event::Heard(bytes.to_vec()))
}

/// A message of the other connector.
fn sealed(keys: &Keys, deployment: &str, epoch: u64, sequence: u64, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = Head { version: 1, from: "site-2.gc".to_owned(), epoch, sequence, kind: kind.to_owned() };
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&sequence.to_le_bytes());
    seal::seal(keys, deployment, &head, nonce, body)
}

fn keys(byte: u8) -> Keys {
    Keys { first: key(byte), other: None }
}

fn dropped(sync: &Sync, why: Dropped) -> u64 {
    sync.dropped().get(&why).copied().unwrap_or_default()
}

fn hello(sequence: u64) -> Vec<u8> {
    let body = br#"{"speaks":1,"stage":"serving","heard":{"site-1.gc":[3,0]}}"#;
    sealed(&keys(1), "main", 7, sequence, "hello", body)
}

#[test]
fn what_the_first_release_sends_is_understood() {
    let mut sync = first();
    hear(&mut sync, &golden("hello"));
    assert!(sync.peers(NOW).all(|peer| peer.alive && peer.stage == Stage::Serving && peer.epoch == 7));
    let orders = hear(&mut sync, &golden("agents"));
    assert!(orders.iter().filter(|order| matches!(order, Order::Release { credentials: Some(_), .. })).count() == 2);
    let entry = sync.table().get("1001").unwrap();
    assert_eq!((entry.seat.term, &*entry.seat.owner, entry.card.version), (4, "site-2.gc", 1_000_000_500));
    assert_eq!(entry.card.client.as_ref().map(ToString::to_string).as_deref(), Some("queue://desk"));
    let orders = hear(&mut sync, &golden("records"));
    let claimed = Record::Claimed { id: "ID:a".to_owned(), at: Duration::from_nanos(1_000_000_000_000_000_001) };
    assert_eq!(orders[0], Order::Peer(claimed));
    assert!(matches!(&orders[1], Order::Peer(Record::Answered { id, .. }) if id == "ID:b"));
    assert!(matches!(hear(&mut sync, &golden("ask"))[..], [Order::Send(None, _)]));
    hear(&mut sync, &golden("piece"));
    hear(&mut sync, &golden("bye"));
    assert!(sync.dropped().is_empty(), "{:?}", sync.dropped());
    assert!(sync.peers(NOW).all(|peer| !peer.alive));
}

#[test]
fn what_a_later_release_adds_is_passed_over() {
    let mut sync = first();
    hear(&mut sync, &golden("later-hello"));
    hear(&mut sync, &golden("later-agents"));
    let entry = sync.table().get("1001").unwrap();
    assert!(entry.card.credentials.is_none() && entry.card.client.is_some());
    // Nobody knows what it was answered: it is in doubt.
    assert!(
        matches!(&hear(&mut sync, &golden("later-records"))[..], [Order::Peer(Record::Claimed { id, .. })] if id == "ID:b")
    );
    hear(&mut sync, &golden("later-kind"));
    assert_eq!(sync.dropped().iter().collect::<Vec<_>>(), [(&Dropped::UnknownKind, &1)]);
    let text = String::from_utf8_lossy(&golden("hello")).replacen("\"topoc-sync\": 1", "\"topoc-sync\": 2", 1);
    hear(&mut sync, text.as_bytes());
    assert_eq!(dropped(&sync, Dropped::TooNew), 1);
}

#[test]
fn no_bit_of_a_message_can_be_changed_and_nothing_be_cut_off() {
    let whole = golden("agents");
    for place in 0..whole.len() {
        let mut sync = first();
        hear(&mut sync, &golden("hello"));
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 8);
        hear(&mut sync, &changed);
        hear(&mut sync, &whole[..place]);
        assert!(sync.table().is_empty(), "bit of byte {place}");
        assert_eq!(sync.dropped().values().sum::<u64>(), 2, "byte {place}: {:?}", sync.dropped());
    }
}

#[test]
fn who_has_another_key_or_deployment_is_not_heard() {
    let agents = br#"[{"agent":"1001","term":1,"owner":"site-2.gc","version":1,"writer":"site-2.gc","client":"desk"}]"#;
    for (keys, deployment, is_heard) in [
        (keys(1), "main", true),
        (keys(2), "main", false),
        (keys(1), "other", false),
        (Keys { first: key(2), other: Some(key(1)) }, "main", false),
    ] {
        let mut sync = first();
        hear(&mut sync, &hello(1));
        hear(&mut sync, &sealed(&keys, deployment, 7, 2, "agents", agents));
        assert_eq!(!sync.table().is_empty(), is_heard);
        assert_eq!(dropped(&sync, Dropped::Forged), u64::from(!is_heard));
    }
    // One kind is not taken for another.
    let mut sync = first();
    hear(&mut sync, &hello(1));
    let text = sealed(&keys(1), "main", 7, 2, "agents", b"[]");
    let place = text.windows(6).position(|word| word == b"agents").unwrap();
    let mut changed = text;
    changed.splice(place..place + 6, *b"ask");
    hear(&mut sync, &changed);
    assert_eq!(dropped(&sync, Dropped::Forged), 1);
}

#[test]
fn a_key_is_changed_without_a_moment_of_silence() {
    let (old, new) = (key(1), key(2));
    let steps = [
        Keys { first: old.clone(), other: None },
        Keys { first: old.clone(), other: Some(new.clone()) },
        Keys { first: new.clone(), other: Some(old) },
        Keys { first: new, other: None },
    ];
    for two in steps.windows(2) {
        for (from, to) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
            let bytes = sealed(&two[from], "main", 1, 1, "bye", b"{}");
            let (_, end) = seal::head(&bytes).unwrap();
            assert!(seal::open(&two[to], "main", &bytes, end).is_ok());
        }
    }
}

#[test]
fn nothing_counts_twice_and_nothing_old() {
    let mut sync = first();
    hear(&mut sync, &hello(5));
    for (bytes, why) in [
        (hello(5), Dropped::Replayed),
        (hello(4), Dropped::Replayed),
        (sealed(&keys(1), "main", 6, 9, "hello", b"{}"), Dropped::OldEpoch),
        (sealed(&keys(1), "main", 7, 6, "hello", b"["), Dropped::Unreadable),
    ] {
        let before = dropped(&sync, why);
        hear(&mut sync, &bytes);
        assert_eq!(dropped(&sync, why), before + 1, "{why:?}");
    }
    // Its own come back from the topic, and another process may have its name.
    let mut other = Sync::new(settings(0, 2, Mode::ActiveActive, 4));
    let sent = |orders: Vec<Order>| match &orders[..] {
        [Order::Send(None, bytes), ..] => bytes.clone(),
        other => panic!("{other:?}"),
    };
    let own = sent(sync.handle(NOW + secs(2), Event::Time { busy: std::collections::BTreeSet::new() }));
    hear(&mut sync, &own);
    hear(&mut sync, &sent(other.handle(NOW, Event::Online)));
    assert_eq!((dropped(&sync, Dropped::Own), dropped(&sync, Dropped::Twin)), (1, 1));
    let mut stranger = Sync::new(settings(2, 3, Mode::ActiveActive, 1));
    hear(&mut sync, &sent(stranger.handle(NOW, Event::Online)));
    assert_eq!(dropped(&sync, Dropped::Stranger), 1);
}

#[test]
fn what_was_recorded_before_our_start_does_not_count() {
    // Somebody plays to our fourth start what was sent to the third.
    let mut sync = Sync::new(settings(0, 2, Mode::ActiveActive, 4));
    sync.handle(NOW, Event::Online);
    hear(&mut sync, &golden("hello"));
    hear(&mut sync, &golden("agents"));
    assert!(sync.table().is_empty() && sync.peers(NOW).all(|peer| !peer.alive));
    assert_eq!(dropped(&sync, Dropped::Unproven), 2);
    // The other one names our start.
    let body = br#"{"stage":"serving","heard":{"site-1.gc":[4,0]}}"#;
    hear(&mut sync, &sealed(&keys(1), "main", 7, 10, "hello", body));
    assert!(sync.peers(NOW).all(|peer| peer.alive));
}

#[test]
fn a_connector_whose_clock_went_back_is_heard_all_the_same() {
    let mut sync = first();
    let body = br#"{"stage":"serving","heard":{"site-1.gc":[900,0]}}"#;
    let orders = hear(&mut sync, &sealed(&keys(1), "main", 7, 1, "hello", body));
    let [Order::Send(None, bytes)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(seal::head(bytes).unwrap().0.epoch, 901);
}

#[test]
fn a_missing_message_is_noticed_and_the_whole_is_asked_for() {
    let mut sync = first();
    let orders = hear(&mut sync, &hello(1));
    assert!(!orders.contains(&Order::Blind(None)), "what it knew before is not known yet");
    let ask = sync.handle(NOW + secs(1), Event::Time { busy: std::collections::BTreeSet::new() });
    let kinds: Vec<String> = ask.iter().filter_map(kind).collect();
    assert_eq!(kinds, ["hello", "ask"]);
    let piece = |sequence, pull: u64| {
        let body = format!(r#"{{"to":"site-1.gc","pull":{pull},"from":{{"agents":""}},"horizon":5}}"#);
        sealed(&keys(1), "main", 7, sequence, "piece", body.as_bytes())
    };
    // Not what was asked for.
    assert!(!hear(&mut sync, &piece(2, 2)).contains(&Order::Blind(None)));
    let orders = hear(&mut sync, &piece(3, 1));
    assert!(orders.contains(&Order::Joined(Some(Duration::from_nanos(5)))) && orders.contains(&Order::Blind(None)));
    assert_eq!(hear(&mut sync, &hello(4)), []);
    assert_eq!(hear(&mut sync, &hello(6)), [Order::Blind(Some(Duration::MAX))]);
}

#[test]
fn whoever_is_not_heard_is_listened_to_anew() {
    let time = |sync: &mut Sync, since: u64| -> bool {
        let orders = sync.handle(NOW + secs(since), Event::Time { busy: std::collections::BTreeSet::new() });
        orders.contains(&Order::Listen)
    };
    let mut sync = first();
    let moments: Vec<u64> = (0..=130).filter(|since| time(&mut sync, *since)).collect();
    assert_eq!(moments, [5, 65, 125]);
    // Whoever is heard is listened to, until they are dead.
    let mut sync = first();
    hear(&mut sync, &hello(1));
    let moments: Vec<u64> = (0..=30).filter(|since| time(&mut sync, *since)).collect();
    assert_eq!(moments, [10]);
}

#[test]
fn after_an_outage_nothing_is_known_before_the_next_message() {
    let mut sync = first();
    hear(&mut sync, &hello(1));
    sync.handle(NOW, Event::Time { busy: std::collections::BTreeSet::new() });
    let body = br#"{"to":"site-1.gc","pull":1,"from":{"agents":""},"horizon":5}"#;
    assert!(hear(&mut sync, &sealed(&keys(1), "main", 7, 2, "piece", body)).contains(&Order::Blind(None)));
    for (number, is_whole) in [(3, true), (5, false)] {
        sync.handle(NOW, Event::Offline);
        assert!(
            sync.handle(NOW, Event::Online).contains(&Order::Blind(Some(Duration::MAX))),
            "it may have claimed something"
        );
        assert_eq!(hear(&mut sync, &hello(number)).contains(&Order::Blind(None)), is_whole);
    }
}

#[test]
fn who_knows_something_else_all_the_time_is_asked_for_everything() {
    let mut sync = first();
    let pulls = |sync: &mut Sync, sequence: u64, digest: u64| {
        let body = format!(r#"{{"stage":"serving","digest":{digest},"heard":{{"site-1.gc":[3,0]}}}}"#);
        hear(sync, &sealed(&keys(1), "main", 7, sequence, "hello", body.as_bytes()));
        let orders = sync.handle(NOW, Event::Time { busy: std::collections::BTreeSet::new() });
        orders.iter().filter_map(kind).filter(|kind| kind == "ask").count()
    };
    assert_eq!(pulls(&mut sync, 1, 0), 1);
    let body = br#"{"to":"site-1.gc","pull":1,"from":{"agents":""},"horizon":5}"#;
    hear(&mut sync, &sealed(&keys(1), "main", 7, 2, "piece", body));
    // The same, or on its way: it changes.
    assert_eq!((3..13).map(|sequence| pulls(&mut sync, sequence, 0)).sum::<usize>(), 0);
    assert_eq!((13..23).map(|sequence| pulls(&mut sync, sequence, sequence)).sum::<usize>(), 0);
    assert_eq!((23..27).map(|sequence| pulls(&mut sync, sequence, 9)).sum::<usize>(), 1);
}

#[test]
fn what_could_not_be_sent_is_sent_later_or_said_to_be_missing() {
    let numbers = |orders: &[Order]| -> Vec<u64> {
        let sent = orders.iter().filter_map(|order| match order {
            Order::Send(_, bytes) => Some(seal::head(bytes).unwrap().0.sequence),
            _ => None,
        });
        sent.collect()
    };
    for (records, kept) in [(10, 10), (5000, 4096)] {
        let mut sync = first();
        sync.handle(NOW, Event::Offline);
        for number in 0..records {
            let record = Record::Claimed { id: number.to_string(), at: NOW };
            assert_eq!(sync.handle(NOW, Event::Record(None, record)), []);
        }
        assert_eq!(sync.kept(), kept);
        let numbers = numbers(&sync.handle(NOW, Event::Online));
        assert_eq!((numbers.len(), numbers[0] == 2), (kept + 1, records == kept));
    }
}

fn kind(order: &Order) -> Option<String> {
    match order {
        Order::Send(_, bytes) => seal::head(bytes).ok().map(|(head, _)| head.kind),
        _ => None,
    }
}

#[test]
fn a_key_has_64_digits() {
    let text = "00ff".repeat(16);
    assert_eq!(Key::read(&format!(" {text}\n")), Ok(Key::new(std::array::from_fn(|place| [0, 255][place % 2]))));
    for wrong in ["", "hunter2", &text[1..], &format!("{text}0"), &text.replacen('f', "g", 1), &"ä".repeat(32)] {
        assert_eq!(Key::read(wrong), Err(NoKey), "{wrong}");
    }
    assert!(!format!("{:?}", settings(0, 2, Mode::ActiveActive, 1)).contains("1, 1, 1"));
}

#[test]
fn no_message_and_no_state_shows_a_secret() {
    let others = Others::Heard(Box::new(settings(0, 2, Mode::ActiveActive, 3)));
    let mut deployment = Deployment::new(connector(0, 2, 3), others, NOW);
    let mut shown = String::new();
    let mut tell = |event: Happens, shown: &mut String| {
        let orders = deployment.handle(NOW, event);
        for order in &orders {
            if let Does::Send(_, bytes) = order {
                assert!(!bytes.windows(7).any(|text| text == b"hunter2"));
            }
        }
        *shown += &format!("{orders:?} {deployment:?}");
        orders
    };
    tell(Happens::Online, &mut shown);
    tell(Happens::Heard(hello(1)), &mut shown);
    let orders = tell(Happens::Requested(Box::new(message(1, "a", "Connect#1001", "desk,hunter2"))), &mut shown);
    let ticket = orders.iter().find_map(|order| match order {
        Does::Prove(ticket, ..) => Some(*ticket),
        _ => None,
    });
    let orders = tell(Happens::Proved(ticket.unwrap(), topoc_core::connector::Proof::Right), &mut shown);
    assert!(orders.iter().any(|order| matches!(order, Does::Send(..))), "the others are told");
    let read = Message::read("agents", &Message::Agents(vec![]).write());
    shown += &format!("{read:?}");
    assert!(!shown.contains("hunter2"));
}

proptest! {
    #[test]
    fn any_bytes_are_counted(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut sync = first();
        for bytes in &messages {
            prop_assert_eq!(hear(&mut sync, bytes), []);
        }
        prop_assert_eq!(sync.dropped().values().sum::<u64>(), messages.len() as u64);
        prop_assert_eq!(sync.kept(), 0);
    }

    /// As one would write it who has the key, and means ill or is broken.
    #[test]
    fn any_body_is_survived(
        bodies in prop::collection::vec((0..7_usize, prop::collection::vec(any::<u8>(), 0..60), 0..9_usize), 0..20),
    ) {
        const KINDS: [&str; 7] = ["hello", "agents", "records", "ask", "piece", "bye", "other"];
        const JSON: [&str; 8] = [
            "{}", "[]", "null", r#"{"heard":{"site-1.gc":[18446744073709551615,18446744073709551615],"site-2.gc":[9,0],"x":[1,2]}}"#,
            r#"[{"agent":"","term":1,"owner":"","version":1,"writer":""},{"agent":"1001","term":18446744073709551615,"priority":-128,"owner":"nobody","version":18446744073709551615,"writer":"x","client":"a,b"}]"#,
            r#"[{"id":"","at":0},{"id":"a","at":18446744073709551615,"answer":7}]"#,
            r#"{"of":"site-1.gc","pull":18446744073709551615,"from":{"records":[18446744073709551615,"z"]}}"#,
            r#"{"to":"site-1.gc","pull":1,"from":{"agents":""},"next":{"agents":""},"horizon":18446744073709551615}"#,
        ];
        let others = Others::Heard(Box::new(settings(0, 2, Mode::ActiveActive, 3)));
        let mut deployment = Deployment::new(connector(0, 2, 3), others, NOW);
        deployment.handle(NOW, Happens::Online);
        deployment.handle(NOW, Happens::Heard(hello(1)));
        for (place, (kind, bytes, json)) in bodies.iter().enumerate() {
            let body = JSON.get(*json).map_or(bytes.as_slice(), |text| text.as_bytes());
            let now = NOW + millis(place as u64 * 700);
            let sequence = place as u64 + 2;
            deployment.handle(now, Happens::Heard(sealed(&keys(1), "main", 7, sequence, KINDS[*kind], body)));
            deployment.handle(now, Happens::Time);
        }
        prop_assert!(deployment.sync().unwrap().kept() <= 3);
        prop_assert!(deployment.connector().recent().len() <= 1);
    }

    #[test]
    fn a_snapshot_goes_on_behind_its_cursor(places in prop::collection::vec(0..1000_u64, 1..8)) {
        let mut cursors: Vec<Cursor> = places.iter().map(|at| Cursor::Records(*at, String::new())).collect();
        cursors.push(Cursor::Agents("1".to_owned()));
        cursors.sort();
        prop_assert_eq!(&cursors[0], &Cursor::Agents("1".to_owned()));
    }
}
