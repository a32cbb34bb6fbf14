//! XMPP on real connections: what is refused, who is cut off, and what services that are down, hang or are slow look like from
//! outside.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod bosh;
mod cors;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use topoc_finesse_sim::{Options, Simulator};

const PATIENCE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(300);

/// Everybody's password, of the list that nothing may print (`runtime/lab/unmistakable-secrets`).
const PASSWORD: &str = "Tn8-simulated";
/// Nobody's.
const WRONG: &str = "Sd6-sunlit";

struct World {
    runtime: tokio::runtime::Runtime,
    simulator: Simulator,
}

type Secure = StreamOwned<ClientConnection, TcpStream>;

impl World {
    fn start() -> Self {
        Self::start_with(Options::new(3, 1))
    }

    fn start_with(mut options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        options.config.password = PASSWORD.to_owned();
        let simulator = runtime.block_on(Simulator::start(options)).unwrap();
        Self { runtime, simulator }
    }

    fn command(&self, name: &str, fields: &Value) {
        let _inside = self.runtime.enter();
        self.simulator.command(name, fields.as_object().unwrap()).unwrap();
    }

    fn dial(&self, pointer: &str) -> std::io::Result<TcpStream> {
        let text = self.simulator.announcement().pointer(pointer).unwrap().as_str().unwrap();
        let port = text.rsplit(':').next().unwrap().split('/').next().unwrap();
        let stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    fn secure(&self, stream: TcpStream) -> Secure {
        let pem = std::fs::read(self.simulator.announcement()["ca"].as_str().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("finesse1.localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
    }

    fn open(&self) -> Secure {
        let mut stream = self.secure(self.dial("/nodes/0/xmpp/tls").unwrap());
        say(&mut stream, OPEN);
        hear(&mut stream, "</stream:features>");
        stream
    }

    /// A session that is bound and there.
    fn enter(&self, user: &str, resource: &str) -> Secure {
        let mut stream = self.open();
        say(&mut stream, &auth(user, PASSWORD));
        hear(&mut stream, "<success");
        say(&mut stream, OPEN);
        hear(&mut stream, "<bind");
        let resource = format!("<resource>{resource}</resource>");
        say(
            &mut stream,
            &format!("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{resource}</bind></iq>"),
        );
        hear(&mut stream, "</jid>");
        say(&mut stream, "<presence><priority>0</priority></presence>");
        hear(&mut stream, "<presence from=\"finesse@finesse1.localhost/");
        stream
    }
}

const OPEN: &str = "<?xml version='1.0'?><stream:stream to='finesse1.localhost' xmlns='jabber:client' \
                    xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

fn auth(user: &str, password: &str) -> String {
    let text = STANDARD.encode(format!("\0{user}\0{password}"));
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>")
}

fn say(stream: &mut impl Write, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
    stream.flush().unwrap();
}

/// Reads until this has come: gives everything until then.
fn hear(stream: &mut impl Read, what: &str) -> String {
    let mut heard = String::new();
    let mut buffer = [0; 4096];
    while !heard.contains(what) {
        let count = stream.read(&mut buffer).unwrap_or_else(|error| panic!("no `{what}` in `{heard}`: {error}"));
        assert!(count > 0, "no `{what}` before the end: `{heard}`");
        heard.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    heard
}

/// Whether the connection ends, and is not only quiet.
fn ends(stream: &mut impl Read) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                let late = matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
                return !late;
            }
        }
    }
}

#[test]
fn nothing_is_said_before_tls() {
    let world = World::start();
    let mut plain = world.dial("/nodes/0/xmpp/starttls").unwrap();
    say(&mut plain, OPEN);
    let features = hear(&mut plain, "</stream:features>");
    assert!(features.contains("<required/>") && !features.contains("mechanism"), "{features}");
    say(&mut plain, &auth("1001", PASSWORD));
    hear(&mut plain, "<policy-violation");
}

#[test]
fn what_is_no_stream_is_refused() {
    let world = World::start();
    for (text, condition) in [
        ("<iq type='get' id='1'/>".to_owned(), "<not-authorized"),
        ("<!-- hello -->".to_owned(), "<restricted-xml"),
        ("<iq><a></b></iq>".to_owned(), "<not-well-formed"),
        (format!("<iq>{}", "x".repeat(70_000)), "<policy-violation"),
    ] {
        let mut stream = world.open();
        say(&mut stream, &text);
        hear(&mut stream, condition);
        assert!(ends(&mut stream), "{condition}");
    }
}

#[test]
fn wrong_passwords_are_refused_three_times_and_then_cut_off() {
    let world = World::start();
    let mut stream = world.open();
    for _ in 0..3 {
        say(&mut stream, &auth("1001", WRONG));
        hear(&mut stream, "<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><not-authorized/></failure>");
    }
    assert!(ends(&mut stream));
}

#[test]
fn the_same_full_jid_ends_the_older_session_and_another_resource_does_not() {
    let world = World::start();
    let mut first = world.enter("1001", "desktop");
    let mut other = world.enter("1001", "phone");
    let _second = world.enter("1001", "desktop");
    hear(&mut first, "<conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>");
    assert!(ends(&mut first));
    say(&mut other, "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    hear(&mut other, "<iq type=\"result\" id=\"p\"/>");
}

#[test]
fn services_that_go_take_their_connections_with_them_and_come_back() {
    let world = World::start();
    let mut session = world.enter("1001", "a");
    world.command("break", &json!({"node": 1, "service": "tomcat"}));
    hear(&mut session, "type=\"unavailable\"/>");
    world.command("restore", &json!({"node": 1, "service": "tomcat"}));
    hear(&mut session, "<presence from=\"finesse@finesse1.localhost/application\" to=\"1001@finesse1.localhost/a\"/>");
    world.command("break", &json!({"node": 1, "service": "notification"}));
    assert!(ends(&mut session));
    let end = Instant::now() + PATIENCE;
    while world.dial("/nodes/0/xmpp/tls").is_ok() {
        assert!(Instant::now() < end, "it is down, and listens");
    }
    world.command("restore", &json!({"node": 1, "service": "notification"}));
    while world.dial("/nodes/0/xmpp/tls").is_err() {
        assert!(Instant::now() < end, "it is back, and does not listen");
    }
    world.enter("1001", "a");
}

#[test]
fn services_that_hang_accept_and_never_answer() {
    let world = World::start();
    let mut session = world.enter("1001", "a");
    for service in ["notification", "tomcat"] {
        world.command("break", &json!({"node": 1, "service": service, "how": "silent"}));
    }
    say(&mut session, "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    session.sock.set_read_timeout(Some(SOON)).unwrap();
    assert!(!ends(&mut session), "it is quiet, and there");
    for pointer in ["/nodes/0/xmpp/tls", "/nodes/0/rest"] {
        let stream = world.dial(pointer).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut stream = world.secure(stream);
        assert!(stream.write_all(b"x").and_then(|()| stream.flush()).is_err(), "no TLS comes about");
    }
    world.command("restore", &json!({"node": 1, "service": "notification"}));
    session.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    say(&mut session, "<iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert!(!hear(&mut session, "id=\"q\"").contains("id=\"p\""), "what came while it hung is lost");
}

#[test]
fn who_is_connected_already_is_not_answered_while_tomcat_hangs_and_hung_up_on_behind_it() {
    let world = World::start();
    let mut rest = world.secure(world.dial("/nodes/0/rest").unwrap());
    let mut plain = world.dial("/nodes/0/http").unwrap();
    say(&mut rest, SYSTEM_INFO);
    hear(&mut rest, "</SystemInfo>");
    say(&mut plain, SYSTEM_INFO);
    hear(&mut plain, "301 ");
    world.command("break", &json!({"node": 1, "service": "tomcat", "how": "silent"}));
    say(&mut rest, SYSTEM_INFO);
    say(&mut plain, SYSTEM_INFO);
    for socket in [&rest.sock, &plain] {
        socket.set_read_timeout(Some(SOON)).unwrap();
    }
    let mut buffer = [0; 16];
    assert!(rest.read(&mut buffer).is_err(), "REST has answered");
    assert!(plain.read(&mut buffer).is_err(), "plain HTTP has answered");
    world.command("restore", &json!({"node": 1, "service": "tomcat"}));
    for socket in [&rest.sock, &plain] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    assert!(ends(&mut rest) && ends(&mut plain));
}

#[test]
fn a_body_that_is_no_text_or_too_long_is_refused_in_the_way_of_finesse() {
    let world = World::start();
    for body in [vec![0xff; 3], vec![b'x'; 70_000]] {
        let mut rest = world.secure(world.dial("/nodes/0/rest").unwrap());
        let head = "PUT /finesse/api/User/1001 HTTP/1.1\r\nHost: localhost\r\nContent-Length";
        say(&mut rest, &format!("{head}: {}\r\n\r\n", body.len()));
        // Where it is too long nobody may listen to its end.
        let _ = rest.write_all(&body).and_then(|()| rest.flush());
        let answer = hear(&mut rest, "</ApiErrors>");
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("<ErrorType>Bad Request<"), "{answer}");
    }
}

#[test]
fn sessions_are_dropped_and_events_invented() {
    let world = World::start();
    let mut session = world.enter("1001", "a");
    world.command("inject-event", &json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": "<Update>&"}));
    hear(&mut session, "<notification xmlns=\"urn:xmpp:push:0\">&lt;Update&gt;&amp;</notification>");
    world.command("drop-sessions", &json!({"node": 1, "agent": "1001"}));
    assert!(ends(&mut session));
}

const PING: &str = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
const SYSTEM_INFO: &str = "GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: finesse1.localhost\r\n\r\n";

#[test]
fn a_slow_notification_service_says_everything_late_and_rest_does_not() {
    let world = World::start();
    let mut session = world.enter("1001", "a");
    let late = Duration::from_millis(700);
    world.command("slow", &json!({"node": 1, "service": "notification", "ms": 700}));
    for (ask, answer) in [(PING, "id=\"p\""), ("", "urn:xmpp:push:0")] {
        let asked = Instant::now();
        if ask.is_empty() {
            world.command(
                "inject-event",
                &json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": "<Update/>"}),
            );
        }
        say(&mut session, ask);
        hear(&mut session, answer);
        assert!(asked.elapsed() >= late, "`{answer}` came after {:?}", asked.elapsed());
    }
    let asked = Instant::now();
    drop(world.open());
    assert!(asked.elapsed() >= late, "a stream begins late, too");
    // Far more than anybody waits for.
    world.command("slow", &json!({"node": 1, "service": "notification", "ms": 86_400_000}));
    let mut rest = world.secure(world.dial("/nodes/0/rest").unwrap());
    say(&mut rest, SYSTEM_INFO);
    hear(&mut rest, "IN_SERVICE");
}

#[test]
fn slow_rest_answers_late_and_the_notification_service_does_not() {
    let world = World::start();
    let mut session = world.enter("1001", "a");
    world.command("slow", &json!({"node": 1, "service": "tomcat", "ms": 86_400_000}));
    let mut rest = world.secure(world.dial("/nodes/0/rest").unwrap());
    say(&mut rest, SYSTEM_INFO);
    say(&mut session, PING);
    hear(&mut session, "id=\"p\"");
    rest.sock.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = [0; 16];
    assert!(rest.read(&mut buffer).is_err(), "it has answered");
}

#[test]
fn what_a_slow_service_says_keeps_its_order_to_the_last_word() {
    let world = World::start();
    let mut session = world.enter("1001", "a");
    world.command("slow", &json!({"node": 1, "service": "notification", "ms": 300}));
    for number in 1..=3 {
        world.command(
            "inject-event",
            &json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": format!("event {number}")}),
        );
    }
    // What is not slow any more goes behind what is on its way.
    world.command("slow", &json!({"node": 1, "service": "notification", "ms": 0}));
    world.command("inject-event", &json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": "event 4"}));
    let heard = hear(&mut session, "event 4");
    let places: Vec<usize> = (1..=4).map(|number| heard.find(&format!("event {number}")).unwrap()).collect();
    assert!(places.is_sorted(), "{heard}");
    world.command("slow", &json!({"node": 1, "service": "notification", "ms": 300}));
    say(&mut session, "<iq><a></b></iq>");
    hear(&mut session, "<not-well-formed");
    assert!(ends(&mut session), "it ends once everything has been said");
}
