//! Bytes from strangers: damaged answers and notifications are read or refused, and what was read is read the same again.
//! `TOPOC_LONG=1` for ten million.

use std::fs;

use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::dialog::Dialog;
use topoc_finesse_proto::notification::{self, Event, Update};
use topoc_finesse_proto::reason_code::{ReasonCategory, ReasonCode, WrapUpReason};
use topoc_finesse_proto::rest::{Answer, Command, HttpResponse, Origin, Refusal, Request};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::system_info::SystemInfo;
use topoc_finesse_proto::user::User;
use topoc_finesse_proto::xml::{self, Limits};

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }
}

/// The golden files, and tokens. Space between elements is taken out: damage is to hit what matters.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut names: Vec<_> =
        fs::read_dir(folder).expect("the folder is there").filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    let read = |path| fs::read_to_string(path).expect("a golden file is text");
    let packed =
        |text: String| text.lines().filter(|line| !line.starts_with("<!--")).map(str::trim).collect::<String>();
    let mut seeds: Vec<Vec<u8>> = names.into_iter().map(read).map(|text| packed(text).into_bytes()).collect();
    seeds.push(br#"{"token":"eyJ0.eyJ1.x-_","refresh_token":"eyJ2","expires_in":300,"user_id":"ada"}"#.to_vec());
    seeds
}

/// Pieces that mean something to an XML or JSON reader.
const PIECES: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"/>",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&#xD800;",
    b"&lt;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?",
    b"<!DOCTYPE a>",
    b"\"",
    b"'",
    b" xmlns='a'",
    b"\0",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"\r",
    b"\n",
    b"-1",
    b"99999999999999999999",
    b"{",
    b"[",
    b"\\u0000",
    b"DELETE",
    b"post",
    b"<data>",
    b"<dialogs>",
    b"<User/>",
    b"event",
    b" ",
];

fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let to = (at + chance.below(24)).min(bytes.len());
        match chance.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                // Some of it again, somewhere else.
                let again = bytes[at..to].to_vec();
                let place = chance.below(bytes.len() + 1);
                drop(bytes.splice(place..place, again));
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            4 if at < bytes.len() => bytes[at] = (chance.next() & 0xff) as u8,
            _ => drop(bytes.splice(at..at, PIECES[chance.below(PIECES.len())].iter().copied())),
        }
    }
}

fn requests() -> Vec<Request> {
    let (agent, dialog) = (|| "1001".to_owned(), || "7".to_owned());
    let commands = [
        Command::SystemInfo,
        Command::User { agent: agent() },
        Command::Dialogs { agent: agent() },
        Command::Dialog { dialog: dialog() },
        Command::ReasonCodes { agent: agent(), category: ReasonCategory::Logout },
        Command::WrapUpReasons { agent: agent() },
        Command::SignOut { agent: agent(), reason: None },
        Command::RefreshToken { user: agent(), token: Secret::new("a"), refresh: Secret::new("b") },
    ];
    commands.iter().map(|command| Request::new(command).expect("the ids are some")).collect()
}

/// What was read and is written reads the same again.
fn assert_kept(answer: &Answer) {
    match answer {
        Answer::SystemInfo(info) => assert_eq!(SystemInfo::read(&info.to_element()), **info),
        Answer::User(user) => assert_eq!(User::read(&user.to_element()), **user),
        Answer::Dialog(dialog) => assert_eq!(Dialog::read(&dialog.to_element()), **dialog),
        Answer::Dialogs(all) => all.iter().for_each(|it| assert_eq!(Dialog::read(&it.to_element()), *it)),
        Answer::ReasonCodes(all) => all.iter().for_each(|it| assert_eq!(ReasonCode::read(&it.to_element()), *it)),
        Answer::WrapUpReasons(all) => all.iter().for_each(|it| assert_eq!(WrapUpReason::read(&it.to_element()), *it)),
        _ => {}
    }
}

fn assert_update(update: &Update) {
    assert!(!update.events.is_empty(), "something happened");
    for event in &update.events {
        match event {
            Event::UserChanged(user) => assert_eq!(User::read(&user.to_element()), **user),
            Event::DialogAdded(dialog) | Event::DialogChanged(dialog) => {
                assert!(dialog.id().is_some());
                assert_eq!(Dialog::read(&dialog.to_element()), **dialog);
            }
            Event::Failed(error) => assert!(!error.to_string().is_empty() && *error != ApiError::default()),
            _ => {}
        }
    }
}

#[derive(Default)]
struct Tally {
    read: u64,
    refused: u64,
    notified: u64,
}

fn look(bytes: &[u8], requests: &[Request], chance: &mut Chance, tally: &mut Tally) {
    let server = Origin::new("fin-a.test");
    let status = [200, 200, 200, 202, 301, 400, 401, 503, 0, 65_535][chance.below(10)];
    let location = std::str::from_utf8(&bytes[..bytes.len().min(80)]).ok();
    let response = HttpResponse { status, location, body: bytes };
    let request = &requests[chance.below(requests.len())];
    match request.read(&server, response, Limits::default()) {
        Ok(answer) => {
            tally.read += 1;
            assert_kept(&answer);
        }
        Err(refusal) => {
            tally.refused += 1;
            assert!(!refusal.to_string().is_empty());
            if let Refusal::Moved(origin) = refusal {
                assert!(origin.tls && origin.host == server.host, "{origin}");
            }
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(element) = xml::read(text, Limits::default()) {
        assert_update(&Update::read(&element));
        for item in notification::in_message(&element, Limits::default()) {
            if let Ok(update) = &item.update {
                tally.notified += 1;
                assert_update(update);
            }
        }
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let rounds = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 10_000_000 } else { 40_000 };
    let (seeds, requests) = (seeds(), requests());
    let mut chance = Chance(0x1f0e_55e0_0000_0001);
    let mut tally = Tally::default();
    for _ in 0..rounds {
        let mut bytes = seeds[chance.below(seeds.len())].clone();
        damage(&mut bytes, &mut chance);
        look(&bytes, &requests, &mut chance, &mut tally);
    }
    let Tally { read, refused, notified } = tally;
    assert!(
        read > rounds / 100 && refused > rounds / 100 && notified > rounds / 1_000,
        "{read} were read, {refused} refused and {notified} notified: all are to be tried"
    );
    println!("{rounds} inputs: {read} answers read, {refused} refused; {notified} notifications read");
}

#[test]
fn random_bytes_are_refused() {
    let (requests, mut chance) = (requests(), Chance(7));
    let mut tally = Tally::default();
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..chance.below(80)).map(|_| (chance.next() & 0xff) as u8).collect();
        look(&bytes, &requests, &mut chance, &mut tally);
    }
    assert_eq!(tally.notified, 0);
}

#[test]
fn a_document_that_is_too_much_is_refused() {
    let request = &requests()[1];
    let body = format!("<User>{}</User>", "<a/>".repeat(30_000));
    let response = HttpResponse { status: 200, location: None, body: body.as_bytes() };
    let refusal = request.read(&Origin::new("fin-a.test"), response, Limits::default());
    assert!(matches!(refusal, Err(Refusal::Unreadable(_))), "{refusal:?}");
    let inner = format!("&lt;Update>{}&lt;/Update>", "&lt;a/>".repeat(30_000));
    let message = format!(
        "<message><event xmlns='{}'><items node='n'><item><notification xmlns='{}'>{inner}</notification></item></items></event></message>",
        notification::PUBSUB_EVENT,
        notification::PUSH,
    );
    let message = xml::read(&message, Limits::default()).expect("its text is one text");
    let items = notification::in_message(&message, Limits::default());
    assert!(matches!(&items[..], [item] if item.update.is_err()), "the text is bounded too");
}
