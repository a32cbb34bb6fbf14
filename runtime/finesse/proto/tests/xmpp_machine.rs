//! A session in virtual time: how it comes about, what it answers, and every way that it ends.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use std::time::Duration;

use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xml::{self, Limits};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::jid::Jid;
use topoc_finesse_proto::xmpp::machine::{Event, Machine, Order, Phase};
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};
use topoc_finesse_proto::xmpp::sasl::Mechanism;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const PLAIN: &str = "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                     <mechanism>PLAIN</mechanism></mechanisms></features>";
const BIND: &str =
    "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>";
const SESSION: &str = "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
                       <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></features>";
const ANNOUNCED: &str = "<iq xmlns='jabber:client' type='result' id='announced'/>";
const BOUND: &str = "<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                     <jid>1001@a.test/given</jid></bind></iq>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

/// A session and its clock.
struct Case {
    machine: Machine,
    now: Duration,
}

impl Case {
    fn new(transport: Transport) -> Self {
        Self::with(Options::new(transport))
    }

    fn with(options: Options) -> Self {
        let jid = Jid::of_agent("1001", "a.test", "topoc").unwrap();
        let machine = Machine::new(Login { jid, password: Secret::new("pencil") }, options);
        Self { machine, now: Duration::from_secs(100) }
    }

    fn tell(&mut self, event: Event) -> Vec<Order> {
        self.machine.handle(self.now, event, &mut |bytes| bytes.fill(7))
    }

    fn hear(&mut self, stanza: &str) -> Vec<Order> {
        self.tell(Event::Received(Piece::Stanza(xml::read(stanza, Limits::default()).unwrap())))
    }

    /// Lets time pass until the next moment, and says what happens then.
    fn wake(&mut self) -> Vec<Order> {
        self.now = self.machine.wakes_at().expect("it waits for something");
        self.tell(Event::Timer)
    }

    /// One that is ready.
    fn live() -> Self {
        let mut case = Self::new(Transport::DirectTls);
        case.tell(Event::Start);
        for stanza in [PLAIN, SUCCESS, BIND, BOUND, ANNOUNCED] {
            case.hear(stanza);
        }
        assert_eq!(case.machine.phase(), Phase::Live);
        case
    }
}

/// What is said, as text; other orders by their names.
fn words(orders: &[Order]) -> Vec<String> {
    let word = |order: &Order| match order {
        Order::Send(stanza) => stanza.0.to_string_within("jabber:client"),
        other => format!("{other:?}"),
    };
    orders.iter().map(word).collect()
}

fn ended(orders: &[Order]) -> End {
    match orders.last() {
        Some(Order::End(end)) => end.clone(),
        _ => panic!("no end: {orders:?}"),
    }
}

#[test]
fn a_session_comes_about_within_tls() {
    let mut case = Case::new(Transport::DirectTls);
    assert_eq!(case.tell(Event::Start), [Order::OpenStream]);
    let auth = "<auth xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\" mechanism=\"PLAIN\">ADEwMDEAcGVuY2ls</auth>";
    assert_eq!(words(&case.hear(PLAIN)), [auth]);
    assert_eq!(case.hear(SUCCESS), [Order::OpenStream]);
    let bind = "<iq type=\"set\" id=\"bind\"><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"><resource>topoc</resource></bind></iq>";
    assert_eq!(words(&case.hear(SESSION)), [bind]);
    let session = "<iq type=\"set\" id=\"session\"><session xmlns=\"urn:ietf:params:xml:ns:xmpp-session\"/></iq>";
    assert_eq!(words(&case.hear(BOUND)), [session]);
    assert_eq!(
        words(&case.hear("<iq xmlns='jabber:client' type='result' id='session'/>")),
        [
            "<presence><priority>0</priority></presence>",
            "<presence type=\"subscribe\" to=\"finesse@a.test\"/>",
            "<iq type=\"get\" id=\"announced\" to=\"a.test\"><ping xmlns=\"urn:xmpp:ping\"/></iq>",
        ]
    );
    assert_eq!(words(&case.hear(ANNOUNCED)), ["Ready(\"1001@a.test/given\")"]);
}

#[test]
fn a_session_is_ready_when_the_server_has_heard_that_it_is_there() {
    let mut case = Case::new(Transport::DirectTls);
    case.tell(Event::Start);
    for stanza in [PLAIN, SUCCESS, BIND, BOUND] {
        case.hear(stanza);
    }
    assert_eq!(case.machine.phase(), Phase::Announcing);
    // Who is there is told as soon as anything is; notifications that come before are older than all that is read later.
    let presence = |kind: &str| format!("<presence xmlns='jabber:client' from='finesse@a.test/1' {kind}/>");
    assert!(case.hear(&presence("")).is_empty());
    let notified = "<message xmlns='jabber:client' from='pubsub.a.test'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
                    <items node='/n'><item id='1'><x xmlns='y'>z</x></item></items></event></message>";
    assert!(case.hear(notified).is_empty());
    assert!(case.hear("<iq xmlns='jabber:client' type='result' id='other'/>").is_empty());
    // A server that knows no pings has heard it as well.
    let unknown = ANNOUNCED.replace("result", "error");
    assert_eq!(words(&case.hear(&unknown)), ["Ready(\"1001@a.test/given\")", "Watched(true)"]);
    assert_eq!(case.hear(&presence("type='unavailable'")), [Order::Watched(false)]);
}

#[test]
fn a_server_that_does_not_say_that_it_has_heard_is_given_up() {
    let mut case = Case::new(Transport::DirectTls);
    case.tell(Event::Start);
    for stanza in [PLAIN, SUCCESS, BIND, BOUND] {
        case.hear(stanza);
    }
    assert_eq!(ended(&case.wake()), End::Slow(Phase::Announcing));
}

#[test]
fn tls_comes_before_anything_else_is_said() {
    let mut case = Case::new(Transport::StartTls);
    case.tell(Event::Start);
    let both = PLAIN.replace("<mechanisms", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><mechanisms");
    assert_eq!(words(&case.hear(&both)), ["<starttls xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>"]);
    assert_eq!(case.hear("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), [Order::StartTls]);
    assert_eq!(case.tell(Event::Secured), [Order::OpenStream]);
    assert!(words(&case.hear(PLAIN))[0].starts_with("<auth"));

    let mut case = Case::new(Transport::StartTls);
    case.tell(Event::Start);
    assert!(matches!(ended(&case.hear(PLAIN)), End::Tls(_)), "whoever is on the way can take TLS off the list");
}

#[test]
fn a_password_is_not_said_without_tls_unless_that_is_wanted() {
    let mut case = Case::new(Transport::Plain);
    case.tell(Event::Start);
    assert_eq!(ended(&case.hear(PLAIN)), End::NoMechanism(vec!["PLAIN".to_owned()]));
    let mut case = Case::with(Options { danger_plain_without_tls: true, ..Options::new(Transport::Plain) });
    case.tell(Event::Start);
    assert!(words(&case.hear(PLAIN))[0].starts_with("<auth"));
}

#[test]
fn a_refusal_is_the_end_and_nothing_else_is_tried() {
    let mut case = Case::new(Transport::DirectTls);
    case.tell(Event::Start);
    case.hear(&PLAIN.replace("<mechanism>", "<mechanism>SCRAM-SHA-1</mechanism><mechanism>"));
    let refused = format!("<failure xmlns='{SASL}'><not-authorized/><text>blocked</text></failure>");
    let orders = case.hear(&refused);
    assert_eq!(orders[0], Order::CloseStream);
    let end = ended(&orders);
    assert_eq!(end, End::NotAuthorized { condition: "not-authorized".to_owned(), text: "blocked".to_owned() });
    assert!(!end.is_worth_retrying());
    assert!(case.hear(PLAIN).is_empty() && case.machine.wakes_at().is_none(), "over is over");
}

#[test]
fn a_server_that_does_not_prove_itself_is_left() {
    let mut case = Case::with(Options { mechanisms: vec![Mechanism::ScramSha1], ..Options::new(Transport::DirectTls) });
    case.tell(Event::Start);
    case.hear(&PLAIN.replace("PLAIN", "SCRAM-SHA-1"));
    assert!(matches!(ended(&case.hear(SUCCESS)), End::NotProven(_)));
}

#[test]
fn every_error_of_the_stream_has_its_type() {
    let error = |condition: &str| {
        format!(
            "<error xmlns='http://etherx.jabber.org/streams'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"
        )
    };
    assert_eq!(ended(&Case::live().hear(&error("conflict"))), End::Conflict);
    for (condition, again) in [("system-shutdown", true), ("not-authorized", false), ("host-unknown", false)] {
        let end = ended(&Case::live().hear(&error(condition)));
        assert_eq!(end, End::Stream { condition: condition.to_owned(), text: String::new() });
        assert_eq!(end.is_worth_retrying(), again, "{condition}");
    }
    assert_eq!(ended(&Case::live().tell(Event::Received(Piece::Closed))), End::Closed);
}

#[test]
fn a_server_that_answers_pings_is_kept_and_one_that_does_not_is_left_after_three() {
    let mut case = Case::live();
    for _ in 0..100 {
        let before = case.now;
        let ping = words(&case.wake()).remove(0);
        assert_eq!(case.now - before, Duration::from_secs(10));
        assert!(ping.contains("to=\"a.test\"") && ping.contains("urn:xmpp:ping"), "{ping}");
        let id = ping.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(case.hear(&format!("<iq xmlns='jabber:client' from='a.test' type='result' id='{id}'/>")).is_empty());
    }
    let began = case.now;
    let pings: usize = (0..3).map(|_| words(&case.wake()).len()).sum();
    assert_eq!(pings, 3, "one and two retries");
    assert_eq!(ended(&case.wake()), End::Silent(3));
    assert_eq!(case.now - began, Duration::from_secs(40));
}

#[test]
fn a_server_that_is_too_slow_is_left() {
    let mut case = Case::new(Transport::DirectTls);
    case.tell(Event::Start);
    let began = case.now;
    case.hear(PLAIN);
    assert_eq!(ended(&case.wake()), End::Slow(Phase::Authenticating));
    assert_eq!(case.now - began, Duration::from_secs(20), "for all of the negotiation together");
}

#[test]
fn questions_of_others_are_answered() {
    let mut case = Case::live();
    let ping = "<iq xmlns='jabber:client' type='get' id='7' from='a.test'><ping xmlns='urn:xmpp:ping'/></iq>";
    assert_eq!(words(&case.hear(ping)), ["<iq type=\"result\" id=\"7\" to=\"a.test\"/>"]);
    let other = "<iq xmlns='jabber:client' type='set' id='8' from='a.test'><query xmlns='jabber:iq:roster'/></iq>";
    assert_eq!(
        words(&case.hear(other)),
        ["<iq type=\"error\" id=\"8\" to=\"a.test\"><error type=\"cancel\"><service-unavailable \
          xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></error></iq>"]
    );
    assert!(case.hear("<iq xmlns='jabber:client' type='result' id='nobody asked'/>").is_empty());
}

fn event(from: &str, items: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='/finesse/api/User/1001'>{items}</items></event></message>"
    )
}

#[test]
fn notifications_are_decoded_once_and_taken_of_the_publisher_only() {
    let item = "<item id='i1'><notification xmlns='urn:xmpp:push:0'>&lt;a>x &amp;amp; y&lt;/a></notification></item>";
    let two = event("pubsub.a.test", &format!("{item}<item><other/></item>{item}<retract id='i0'/>"));
    let orders = Case::live().hear(&two);
    let [Order::Deliver(one), Order::Deliver(_)] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!((one.node.as_str(), one.item.as_str()), ("/finesse/api/User/1001", "i1"));
    assert_eq!(one.text, "<a>x &amp; y</a>");
    assert!(!format!("{orders:?}").contains("amp"), "what it says of customers is not shown");
    assert!(Case::live().hear(&event("mallory@a.test", item)).is_empty());
    assert!(Case::live().hear(&event("", item)).is_empty());
}

fn answer(request: &str, from: &str, rest: &str) -> String {
    let id = request.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
    format!("<iq xmlns='jabber:client' from='{from}' id='{id}' {rest}</iq>")
}

#[test]
fn nodes_are_subscribed_with_the_full_address_and_given_back_at_the_end() {
    let mut case = Case::live();
    let asked = words(&case.tell(Event::Subscribe("/n".to_owned()))).remove(0);
    assert!(asked.contains("to=\"pubsub.a.test\"") && asked.contains("jid=\"1001@a.test/given\""), "{asked}");
    let granted = "type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription subid='s1'/></pubsub>";
    assert!(case.hear(&answer(&asked, "mallory@a.test", granted)).is_empty(), "only the publisher can answer");
    assert_eq!(case.hear(&answer(&asked, "pubsub.a.test", granted)), [Order::Subscribed("/n".to_owned())]);
    assert_eq!(case.tell(Event::Subscribe("/n".to_owned())), [Order::Subscribed("/n".to_owned())], "is one already");

    let refused = words(&case.tell(Event::Subscribe("/m".to_owned()))).remove(0);
    let no = "type='error'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    assert_eq!(
        case.hear(&answer(&refused, "pubsub.a.test", no)),
        [Order::NotDone("/m".to_owned(), "forbidden".to_owned())]
    );

    let asked = words(&case.tell(Event::Stop)).remove(0);
    assert!(asked.contains("<unsubscribe node=\"/n\"") && asked.contains("subid=\"s1\""), "{asked}");
    let orders = case.hear(&answer(&asked, "pubsub.a.test", "type='result'>"));
    assert_eq!(words(&orders), ["Unsubscribed(\"/n\")", "<presence type=\"unavailable\"/>", "CloseStream"],);
    assert_eq!(ended(&case.tell(Event::Received(Piece::Closed))), End::Asked);
}

#[test]
fn nobody_waits_for_ever() {
    let mut case = Case::live();
    case.tell(Event::Subscribe("/n".to_owned()));
    assert!(case.wake().contains(&Order::NotDone("/n".to_owned(), "remote-server-timeout".to_owned())));
    // And whoever leaves is not kept by a server that does not answer.
    let mut case = Case::live();
    case.tell(Event::Stop);
    let began = case.now;
    assert_eq!(ended(&case.wake()), End::Asked);
    assert_eq!(case.now - began, Duration::from_secs(3));
}

#[test]
fn no_more_is_awaited_than_there_is_room_for() {
    let mut case = Case::live();
    let no = |orders: &[Order]| matches!(orders, [Order::NotDone(..)]);
    let refused = (0..100).filter(|n| no(&case.tell(Event::Subscribe(format!("/n/{n}"))))).count();
    assert_eq!(refused, 36);
}

#[test]
fn finesse_is_there_while_one_of_its_sessions_is() {
    let mut case = Case::live();
    let presence = |from: &str, rest: &str| format!("<presence xmlns='jabber:client' from='{from}' {rest}/>");
    assert_eq!(case.hear(&presence("finesse@a.test/1", "")), [Order::Watched(true)]);
    assert!(case.hear(&presence("finesse@a.test/2", "")).is_empty());
    assert!(case.hear(&presence("finesse@a.test/1", "type='unavailable'")).is_empty());
    assert_eq!(case.hear(&presence("Finesse@A.test/2", "type='unavailable'")), [Order::Watched(false)]);
    assert!(case.hear(&presence("other@a.test/2", "")).is_empty());
}

#[test]
fn no_password_is_shown() {
    let mut case = Case::new(Transport::DirectTls);
    case.tell(Event::Start);
    let orders = case.hear(PLAIN);
    for secret in ["pencil", "ADEwMDEAcGVuY2ls"] {
        assert!(!format!("{orders:?} {:?}", case.machine).contains(secret));
    }
}
