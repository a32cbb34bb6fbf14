//! The transitions of a session with Finesse's notification service: its table, which random walks must follow and use up, and a
//! drawing.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xml::{self, Limits};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::jid::Jid;
use topoc_finesse_proto::xmpp::machine::{Cause, Event, Machine, Order, Phase, follows};
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};

const WALKS: u64 = 8_000;
const STEPS: usize = 24;

const PHASES: [Phase; 12] = [
    Phase::New,
    Phase::Opening,
    Phase::Asking,
    Phase::Securing,
    Phase::Authenticating,
    Phase::Binding,
    Phase::Establishing,
    Phase::Announcing,
    Phase::Live,
    Phase::Leaving,
    Phase::Closing,
    Phase::Ended,
];

const CAUSES: [Cause; 13] = [
    Cause::Start,
    Cause::TlsOffered,
    Cause::TlsGranted,
    Cause::TlsDone,
    Cause::MechanismsOffered,
    Cause::Authenticated,
    Cause::AddressOffered,
    Cause::SessionWanted,
    Cause::Announced,
    Cause::Ready,
    Cause::LeavesSubscriptions,
    Cause::Leaves,
    Cause::Over,
];

/// What a server says, by the name that the table has for it. `ID` stands for the number of the last request.
const SAID: [(&str, &str); 14] = [
    (
        "features: TLS",
        "<features xmlns='http://etherx.jabber.org/streams'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></features>",
    ),
    ("TLS granted", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    ("TLS refused", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    (
        "features: PLAIN",
        "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>PLAIN</mechanism></mechanisms></features>",
    ),
    ("authenticated", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    ("not authorized", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"),
    (
        "features: bind",
        "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>",
    ),
    (
        "features: bind, session",
        "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
         <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></features>",
    ),
    ("bound", "<iq xmlns='jabber:client' type='result' id='bind'/>"),
    ("session made", "<iq xmlns='jabber:client' type='result' id='session'/>"),
    ("presence heard", "<iq xmlns='jabber:client' type='result' id='announced'/>"),
    ("request done", "<iq xmlns='jabber:client' type='result' from='pubsub.a.test' id='ID'/>"),
    (
        "notification",
        "<message xmlns='jabber:client' from='pubsub.a.test'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='/n'><item id='1'><notification xmlns='urn:xmpp:push:0'>x</notification></item></items></event></message>",
    ),
    (
        "conflict",
        "<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
    ),
];

/// xorshift64*: the same walk each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }
}

/// What can happen in a phase that makes sense there; anything else is one event, `something else`.
fn events(phase: Phase, id: &str) -> Vec<(&'static str, Event)> {
    let said = |names: &[&str]| -> Vec<(&'static str, Event)> {
        let chosen = SAID.iter().filter(|(name, _)| names.contains(name));
        let read = |text: &str| xml::read(&text.replace("ID", id), Limits::default()).unwrap();
        chosen.map(|(name, text)| (*name, Event::Received(Piece::Stanza(read(text))))).collect()
    };
    let mut events = match phase {
        Phase::New => return vec![("start", Event::Start), ("stop", Event::Stop)],
        Phase::Opening => said(&["features: TLS", "features: PLAIN", "features: bind", "features: bind, session"]),
        Phase::Asking => said(&["TLS granted", "TLS refused"]),
        Phase::Securing => vec![("TLS made", Event::Secured)],
        Phase::Authenticating => said(&["authenticated", "not authorized"]),
        Phase::Binding => said(&["bound"]),
        Phase::Establishing => said(&["session made"]),
        Phase::Announcing => said(&["presence heard", "notification"]),
        Phase::Live => {
            let mut events = said(&["request done", "notification"]);
            events.push(("subscribe", Event::Subscribe(format!("/n/{id}"))));
            events
        }
        Phase::Leaving => said(&["request done", "notification"]),
        Phase::Closing | Phase::Ended => Vec::new(),
    };
    if phase != Phase::Securing {
        events.extend(said(&["conflict"]));
        events.push(("stream closed", Event::Received(Piece::Closed)));
    }
    events.push(("time is up", Event::Timer));
    events.push(("connection lost", Event::Failed(End::Lost("reset".to_owned()))));
    events.push(("stop", Event::Stop));
    events
}

fn word(order: &Order) -> String {
    match order {
        Order::Send(stanza) => format!("say {}", stanza.0.elements().next().unwrap_or(&stanza.0).name),
        Order::OpenStream => "open stream".to_owned(),
        Order::CloseStream => "close stream".to_owned(),
        Order::StartTls => "start TLS".to_owned(),
        Order::Ready(_) => "ready".to_owned(),
        Order::Deliver(_) => "deliver".to_owned(),
        Order::Watched(_) => "watched".to_owned(),
        Order::Subscribed(_) => "subscribed".to_owned(),
        Order::Unsubscribed(_) => "unsubscribed".to_owned(),
        Order::NotDone(..) => "not done".to_owned(),
        Order::End(end) => format!("end: {}", end.to_string().split(':').next().unwrap_or_default()),
    }
}

/// From, event, to, and what was ordered.
type Transition = (Phase, &'static str, Phase, String);

fn walk(transport: Transport, seed: u64, seen: &mut BTreeSet<Transition>) {
    let mut chance = Chance(seed * 2_654_435_761 + 97);
    let jid = Jid::of_agent("1001", "a.test", "topoc").unwrap();
    let mut machine = Machine::new(Login { jid, password: Secret::new("x") }, Options::new(transport));
    let (mut now, mut id) = (Duration::ZERO, "t0".to_owned());
    for _ in 0..STEPS {
        let from = machine.phase();
        let mut choices = events(from, &id);
        // Rarely what ends it, so that walks are long.
        let ends = ["stop", "conflict", "stream closed", "connection lost", "not authorized", "TLS refused"];
        let is_slow = |name: &str| name == "time is up" && from < Phase::Live;
        if from != Phase::Closing && chance.below(8) > 0 {
            choices.retain(|(name, _)| !ends.contains(name) && !is_slow(name));
        }
        let (name, event) = choices.swap_remove(chance.below(choices.len()));
        now = machine.wakes_at().filter(|_| event == Event::Timer).unwrap_or(now);
        let orders = machine.handle(now, event, &mut |_| {});
        for order in &orders {
            if let Order::Send(stanza) = order {
                id = stanza.0.attribute("id").map_or(id, str::to_owned);
            }
        }
        let mut words: Vec<String> = orders.iter().map(word).collect();
        words.dedup();
        seen.insert((from, name, machine.phase(), words.join(", ")));
        if machine.phase() == Phase::Ended {
            return;
        }
    }
}

fn table(seen: &BTreeSet<Transition>) -> String {
    let mut text = format!("{:14}  {:23}  {:14}  orders\n", "from", "event", "to");
    for (from, event, to, orders) in seen {
        let (from, to) = (format!("{from:?}"), format!("{to:?}"));
        text += format!("{from:14}  {event:23}  {to:14}  {orders}").trim_end();
        text.push('\n');
    }
    text
}

/// Mermaid, which code hosts draw; of the table that the machine follows.
fn drawing() -> String {
    let mut text = "stateDiagram-v2\n  [*] --> New\n".to_owned();
    for from in PHASES {
        for cause in CAUSES.into_iter().filter(|cause| *cause != Cause::Over) {
            if let Some(to) = follows(from, cause) {
                writeln!(text, "  {from:?} --> {to:?}: {cause:?}").unwrap();
            }
        }
    }
    text + "  Closing --> Ended: Over, as from everywhere\n  Ended --> [*]\n"
}

#[test]
fn a_session_goes_from_phase_to_phase_as_its_table_says() {
    let mut seen = BTreeSet::new();
    for transport in [Transport::DirectTls, Transport::StartTls, Transport::Bosh { tls: true }] {
        (0..WALKS).for_each(|seed| walk(transport, seed, &mut seen));
    }
    let gone: BTreeSet<(Phase, Phase)> = seen.iter().map(|(from, _, to, _)| (*from, *to)).collect();
    let mut possible: BTreeMap<(Phase, Phase), Cause> = BTreeMap::new();
    for (from, cause) in PHASES.into_iter().flat_map(|from| CAUSES.map(|cause| (from, cause))) {
        if let Some(to) = follows(from, cause) {
            possible.insert((from, to), cause);
        }
    }
    let unused: Vec<_> = possible.iter().filter(|(way, _)| !gone.contains(way)).collect();
    assert!(unused.is_empty(), "no walk goes there: {unused:?}");
    let unknown: Vec<_> = gone.iter().filter(|way| way.0 != way.1 && !possible.contains_key(way)).collect();
    assert!(unknown.is_empty(), "the table does not have {unknown:?}");
    insta::with_settings!({ snapshot_path => "../protocol", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("xmpp-table", table(&seen));
        insta::assert_snapshot!("xmpp-drawing", drawing());
    });
}
