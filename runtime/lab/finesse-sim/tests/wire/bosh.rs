//! BOSH on real connections: what comes again, too early, too late or never (XEP-0124).

use std::io::{Read, Write};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use topoc_finesse_sim::Options;

use super::{PASSWORD, PATIENCE, SOON, Secure, World};

const BODY: &str = "<body xmlns='http://jabber.org/protocol/httpbind'";

/// A session, as its client sees it.
struct Bosh<'a> {
    world: &'a World,
    sid: String,
}

impl World {
    /// A request on a connection of its own, which may wait for its answer.
    fn post(&self, body: &str) -> Secure {
        let mut stream = self.secure(self.dial("/nodes/0/xmpp/bosh").unwrap());
        let length = body.len();
        write!(stream, "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        stream.flush().unwrap();
        stream
    }

    /// A session that begins with request 10, with these attributes more; and the answer to that.
    fn bosh(&self, more: &str) -> (Bosh<'_>, String) {
        let welcome = answer(&mut self.post(&format!("{BODY} rid='10' to='finesse1.localhost' ver='1.6' {more}/>")));
        (Bosh { world: self, sid: attribute(&welcome, "sid") }, welcome)
    }

    fn sessions(&self) -> u64 {
        self.simulator.state()["nodes"][0]["sessions"].as_u64().unwrap()
    }
}

impl Bosh<'_> {
    fn ask(&self, rid: u64, inside: &str) -> Secure {
        self.world.post(&format!("{BODY} rid='{rid}' sid='{}'>{inside}</body>", self.sid))
    }

    /// Signs in with requests 11 and 12.
    fn enter(self) -> Self {
        assert!(answer(&mut self.ask(11, &auth())).contains("<success"));
        let bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
        assert!(answer(&mut self.ask(12, bind)).contains("</jid>"));
        self
    }
}

fn auth() -> String {
    let text = STANDARD.encode(format!("\x001001\0{PASSWORD}"));
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>")
}

fn ping(id: &str) -> String {
    format!("<iq xmlns='jabber:client' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
}

/// The body of the answer, once all of it is there.
fn answer(stream: &mut Secure) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return body.to_owned();
            }
        }
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended after `{text}`");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
}

fn attribute(text: &str, name: &str) -> String {
    let rest = text.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no `{name}` in {text}")).1;
    rest.split('"').next().unwrap().to_owned()
}

fn is_the_end(text: &str, condition: &str) -> bool {
    text.contains(&format!("type=\"terminate\" condition=\"{condition}\""))
}

#[test]
fn the_same_request_again_gets_the_same_answer_and_is_not_dealt_with_twice() {
    let world = World::start();
    let session = world.bosh("").0;
    let first = answer(&mut session.ask(11, &auth()));
    assert!(first.contains("<success"), "{first}");
    assert_eq!(answer(&mut session.ask(11, &auth())), first);
    assert_eq!(answer(&mut session.ask(11, &auth())), first, "as often as it is asked");
}

#[test]
fn a_request_that_waits_and_comes_again_is_answered_where_it_came_last() {
    let world = World::start();
    let session = world.bosh("").0.enter();
    let mut first = session.ask(13, "<presence xmlns='jabber:client'/>");
    assert!(answer(&mut first).contains("<presence"));
    let mut lost = session.ask(14, "");
    lost.sock.set_read_timeout(Some(SOON)).unwrap();
    assert!(lost.read(&mut [0; 16]).is_err(), "it waits");
    let mut again = session.ask(14, "");
    lost.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(!lost.read(&mut [0; 16]).is_ok_and(|count| count > 0), "the older connection ends without an answer");
    world.command("inject-event", &json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": "<Update/>"}));
    assert!(answer(&mut again).contains("urn:xmpp:push:0"));
}

#[test]
fn requests_that_overtake_each_other_are_dealt_with_in_order() {
    let world = World::start();
    let session = world.bosh("wait='1'").0.enter();
    let mut second = session.ask(14, &ping("second"));
    second.sock.set_read_timeout(Some(SOON)).unwrap();
    assert!(second.read(&mut [0; 16]).is_err(), "the one before it has not come");
    let text = answer(&mut session.ask(13, &ping("first")));
    let places = (text.find("id=\"first\""), text.find("id=\"second\""));
    assert!(places.0.is_some() && places.0 < places.1, "{text}");
    second.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(answer(&mut second).ends_with("></body>"), "there was nothing left for it when its time was over");
}

#[test]
fn numbers_out_of_the_window_end_the_session() {
    for rid in [15, 9] {
        let world = World::start();
        let session = world.bosh("").0.enter();
        assert_eq!(world.sessions(), 1);
        assert!(is_the_end(&answer(&mut session.ask(rid, "")), "item-not-found"), "{rid}");
        assert!(is_the_end(&answer(&mut session.ask(13, "")), "item-not-found"), "there is none any more");
        assert_eq!(world.sessions(), 0);
    }
}

#[test]
fn a_client_that_wants_no_waiting_is_answered_at_once() {
    let world = World::start();
    let (session, welcome) = world.bosh("hold='0' wait='60'");
    assert_eq!((attribute(&welcome, "hold"), attribute(&welcome, "requests")), ("0".to_owned(), "1".to_owned()));
    let session = session.enter();
    assert!(answer(&mut session.ask(13, "")).ends_with("></body>"));
    assert!(is_the_end(&answer(&mut session.ask(15, "")), "item-not-found"), "its window is one request");
}

#[test]
fn limits_are_told_and_kept() {
    let world = World::start();
    let (session, welcome) = world.bosh("hold='5' wait='3600'");
    let told = ["hold", "requests", "wait", "inactivity"].map(|name| attribute(&welcome, name));
    assert_eq!(told, ["1", "2", "60", "120"]);
    let session = session.enter();
    let mut older = session.ask(13, "");
    let mut newer = session.ask(14, "");
    assert!(answer(&mut older).ends_with("></body>"), "one waits, and not two");
    newer.sock.set_read_timeout(Some(SOON)).unwrap();
    assert!(newer.read(&mut [0; 16]).is_err());
}

#[test]
fn a_client_that_does_not_come_again_is_gone() {
    let mut options = Options::new(3, 1);
    options.speed = 60.0;
    let world = World::start_with(options);
    let (session, welcome) = world.bosh("wait='1'");
    assert_eq!(attribute(&welcome, "inactivity"), "2", "in seconds of the clock on the wall");
    let session = session.enter();
    let end = Instant::now() + PATIENCE;
    while world.sessions() > 0 {
        assert!(Instant::now() < end, "the session is there still");
    }
    assert!(is_the_end(&answer(&mut session.ask(13, "")), "item-not-found"));
}

#[test]
fn what_is_no_request_of_a_session_is_refused() {
    let world = World::start();
    for (body, condition) in [
        ("<body".to_owned(), "bad-request"),
        (format!("{BODY} sid='x'/>"), "bad-request"),
        ("<message xmlns='jabber:client'/>".to_owned(), "bad-request"),
        (format!("{BODY} rid='1' sid='x'/>"), "item-not-found"),
    ] {
        let text = answer(&mut world.post(&body));
        assert!(is_the_end(&text, condition), "{body}: {text}");
    }
}

#[test]
fn a_client_that_says_so_has_gone() {
    let world = World::start();
    let session = world.bosh("").0.enter();
    let ending = format!("{BODY} rid='13' sid='{}' type='terminate'/>", session.sid);
    assert!(answer(&mut world.post(&ending)).contains("type=\"terminate\""));
    let end = Instant::now() + PATIENCE;
    while world.sessions() > 0 {
        assert!(Instant::now() < end, "the session is there still");
    }
}

#[test]
fn a_slow_notification_service_answers_late_here_too() {
    let world = World::start();
    let session = world.bosh("").0.enter();
    world.command("slow", &json!({"node": 1, "service": "notification", "ms": 500}));
    let asked = Instant::now();
    assert!(answer(&mut session.ask(13, &ping("p"))).contains("id=\"p\""));
    assert!(asked.elapsed().as_millis() >= 500);
}
