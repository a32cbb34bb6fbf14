//! Whatever a server says, a session goes on or ends, and has nothing to wait for once it has ended.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::xml::{self, Limits};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::jid::Jid;
use topoc_finesse_proto::xmpp::machine::{Event, Machine, Phase};
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};
use topoc_finesse_proto::secret::Secret;

fuzz_target!(|text: &str| {
    let jid = Jid::of_agent("1001", "a.test", "topoc").expect("a good one");
    let login = Login { jid, password: Secret::new("pencil") };
    let mut machine = Machine::new(login, Options::new(Transport::DirectTls));
    machine.handle(Duration::ZERO, Event::Start, &mut |_| {});
    for (second, line) in text.lines().enumerate() {
        let event = match xml::read(line, Limits::default()) {
            Ok(stanza) => Event::Received(Piece::Stanza(stanza)),
            Err(_) if line.is_empty() => Event::Timer,
            Err(_) => Event::Subscribe(line.to_owned()),
        };
        machine.handle(Duration::from_secs(second as u64), event, &mut |_| {});
        assert!(machine.phase() != Phase::Ended || machine.wakes_at().is_none());
    }
});
