//! Bytes from strangers, for everything that reads XMPP: random ones and damaged ones are read or refused, and never take more
//! memory than they may. `TOPOC_LONG=1` for ten million.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use std::time::Duration;

use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xml::{self, Limits};
use topoc_finesse_proto::xmpp::bosh::{Bosh, Input, Output};
use topoc_finesse_proto::xmpp::jid::Jid;
use topoc_finesse_proto::xmpp::machine::{Event, Machine, Order};
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};
use topoc_finesse_proto::xmpp::tcp::Splitter;
use topoc_finesse_proto::xmpp::websocket::frame::{Decoder, Message};
use topoc_finesse_proto::xmpp::{Piece, websocket};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const LIMITS: Limits = Limits { bytes: 2_000, depth: 8, elements: 50, attributes: 8 };

/// xorshift64*: the same bytes each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }
}

/// A conversation of a server, from which damaged ones are made.
const STANZAS: [&str; 9] = [
    "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
     <mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>\
     <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></features>",
    "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj1meWtvLHM9UVNYQ1IrUTZzZWs4YmY5MixpPTQwOTY=</challenge>",
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>",
    "<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind></iq>",
    "<iq xmlns='jabber:client' type='get' id='7' from='a.test'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<message xmlns='jabber:client' from='pubsub.a.test'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
     <items node='/n'><item id='1'><notification xmlns='urn:xmpp:push:0'>&lt;a&gt;<![CDATA[<b>]]></notification></item></items></event></message>",
    "<presence xmlns='jabber:client' from='finesse@a.test/1' type='unavailable'/>",
    "<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
];

/// What is put in: what XML, frames and HTTP take for something.
const BITS: [&[u8]; 16] = [
    b"<",
    b">",
    b"/>",
    b"</",
    b"'",
    b"\"",
    b"&",
    b"&amp;",
    b"&x;",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE a [",
    b"<?",
    b"\xff",
    b"\x81\x7e",
    b"xmlns:a='b'",
];

fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..chance.below(4) {
        let at = chance.below(bytes.len().max(1)).min(bytes.len());
        match chance.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, BITS[chance.below(BITS.len())].iter().copied())),
            2 => drop(bytes.drain(at..(at + chance.below(9)).min(bytes.len()))),
            3 => {
                let copy = bytes[at..(at + chance.below(60)).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            _ if at < bytes.len() => bytes[at] = (chance.next() & 0xff) as u8,
            _ => {}
        }
    }
}

fn stanza(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = STANZAS[chance.below(STANZAS.len())].as_bytes().to_vec();
    damage(&mut bytes, chance);
    bytes
}

/// Counts what was read and what was refused: both are to be tried.
#[derive(Default)]
struct Tally {
    read: u32,
    refused: u32,
}

fn tcp(chance: &mut Chance, tally: &mut Tally) {
    let mut bytes =
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
            .to_vec();
    if chance.below(20) == 0 {
        damage(&mut bytes, chance);
    }
    for _ in 0..chance.below(3) {
        bytes.extend(stanza(chance));
    }
    bytes.extend_from_slice(if chance.below(3) == 0 { b"</stream:stream>" } else { b"" });
    let mut splitter = Splitter::new(LIMITS);
    for mut piece in bytes.chunks(chance.below(200) + 1) {
        loop {
            match splitter.next(&mut piece) {
                Ok(Some(_)) => tally.read += 1,
                Ok(None) => break,
                Err(error) => {
                    tally.refused += 1;
                    return assert!(!error.to_string().is_empty());
                }
            }
            assert!(splitter.kept() <= LIMITS.bytes);
        }
    }
}

fn frames(chance: &mut Chance, tally: &mut Tally) {
    let mut bytes = Vec::new();
    for _ in 0..chance.below(3) + 1 {
        let payload = stanza(chance);
        bytes.push([0x81, 0x81, 0x81, 0x01, 0x80, 0x89, 0x88][chance.below(7)]);
        bytes.push(126);
        bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        bytes.extend(payload);
    }
    damage(&mut bytes, chance);
    let mut decoder = Decoder::new(LIMITS.bytes);
    for mut piece in bytes.chunks(chance.below(200) + 1) {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(Message::Text(text))) => match websocket::read(&text, LIMITS) {
                    Ok(_) => tally.read += 1,
                    Err(_) => tally.refused += 1,
                },
                Ok(Some(_)) => tally.read += 1,
                Ok(None) => break,
                Err(_) => return tally.refused += 1,
            }
        }
    }
}

fn bosh(chance: &mut Chance, tally: &mut Tally) {
    let mut bosh = Bosh::new("a.test", chance.next());
    let mut now = Duration::ZERO;
    let mut under_way = Vec::new();
    let mut outputs = bosh.handle(now, Input::Open);
    for _ in 0..6 {
        for output in outputs.drain(..) {
            match output {
                Output::Post(id, _) => under_way.push(id),
                Output::Received(_) => tally.read += 1,
                Output::Failed(_) => return tally.refused += 1,
            }
        }
        assert!(under_way.len() <= 2, "{under_way:?}");
        now = bosh.wakes_at().unwrap_or(now);
        if under_way.is_empty() {
            outputs = bosh.handle(now, Input::Timer);
            continue;
        }
        let id = under_way.swap_remove(chance.below(under_way.len()));
        let mut body = b"<body xmlns='http://jabber.org/protocol/httpbind' sid='s' requests='2' hold='1'>".to_vec();
        body.extend(stanza(chance));
        body.extend_from_slice(b"</body>");
        if chance.below(10) == 0 {
            damage(&mut body, chance);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        outputs = bosh.handle(
            now,
            match chance.below(12) {
                0 => Input::Broken(id, "reset".to_owned()),
                1 => Input::Answered(id, 502, body),
                _ => Input::Answered(id, 200, body),
            },
        );
    }
}

fn session(chance: &mut Chance, tally: &mut Tally) {
    let jid = Jid::of_agent("1001", "a.test", "topoc").unwrap();
    let transport = [Transport::DirectTls, Transport::StartTls, Transport::Plain][chance.below(3)];
    let mut machine = Machine::new(Login { jid, password: Secret::new("pencil") }, Options::new(transport));
    let mut orders = machine.handle(Duration::ZERO, Event::Start, &mut |_| {});
    let mut now = Duration::ZERO;
    for round in 0..12 {
        if orders.iter().any(|order| matches!(order, Order::End(_))) {
            tally.refused += 1;
            assert_eq!(machine.wakes_at(), None);
            return;
        }
        let event = match chance.below(12) {
            0 => Event::Timer,
            1 => Event::Secured,
            2 => Event::Subscribe(format!("/n/{round}")),
            3 if chance.below(4) == 0 => Event::Stop,
            _ => {
                // In the order of a conversation more often than not, so that some get far.
                let next = if chance.below(3) > 0 { round % STANZAS.len() } else { chance.below(STANZAS.len()) };
                let mut bytes = STANZAS[next].as_bytes().to_vec();
                if chance.below(4) == 0 {
                    damage(&mut bytes, chance);
                }
                match xml::read(&String::from_utf8_lossy(&bytes), LIMITS) {
                    Ok(stanza) => Event::Received(Piece::Stanza(stanza)),
                    Err(error) => Event::Malformed(error),
                }
            }
        };
        now += Duration::from_secs(chance.below(4) as u64);
        orders = machine.handle(now, event, &mut |bytes| bytes.fill(7));
        tally.read += 1;
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let rounds = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 10_000_000 } else { 100_000 };
    let readers: [fn(&mut Chance, &mut Tally); 4] = [tcp, frames, bosh, session];
    let mut tallies: [Tally; 4] = Default::default();
    let mut chance = Chance(SEED);
    for round in 0..rounds {
        readers[round % 4](&mut chance, &mut tallies[round % 4]);
    }
    for (at, Tally { read, refused }) in tallies.iter().enumerate() {
        let few = u32::try_from(rounds / 100).unwrap();
        assert!(*read > few && *refused > few, "{at}: {read} were read and {refused} refused: both are to be tried");
    }
}
