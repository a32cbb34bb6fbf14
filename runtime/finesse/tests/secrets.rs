//! Nothing that a whole run says, at the most talkative level, holds a secret: not what goes through `tracing` and `log`, not a
//! panic, not the `Debug` and `Display` of what the client is made of and of what goes wrong. In a program of its own, because
//! whoever listens to what is said listens to all of it.

mod centre;

use std::fmt::{Arguments, Debug, Display, Write as _};
use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use centre::{Centre, PATIENCE, basic, nodes_over, tls};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use topoc_finesse::client::{Login, Options, Told};
use topoc_finesse::rest::{self, AskError};
use topoc_finesse::xmpp::{self, Session};
use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::line::{Event as LineEvent, LineOptions, Order as LineOrder};
use topoc_finesse_proto::notification::Update;
use topoc_finesse_proto::rest::{Answer, Command, Credentials, HttpResponse, Origin, Request, Token, Tokens};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::UserState;
use topoc_finesse_proto::xml::{self, Limits};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::bosh::Input;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::jid::Jid;
use topoc_finesse_proto::xmpp::machine::{Event, Machine, Order};
use topoc_finesse_proto::xmpp::options::{Login as SessionLogin, Options as SessionOptions, Transport};
use topoc_finesse_proto::xmpp::sasl::Mechanism;

/// What `./test` looks for in all that it prints.
const LISTED: &str = include_str!("../../lab/unmistakable-secrets");

const PASSWORD: &str = "Zx9-unmistakable";
const WRONG: &str = "Qy7-mistaken";
const TONES: &str = "7391904628";
const VARIABLE: &str = "account-of-a-customer";
const REFRESH: &str = "Rw5-unforgettable";
const SECRETS: [&str; 5] = [PASSWORD, WRONG, TONES, VARIABLE, REFRESH];

/// Each way to a server, and to prove who one is: with SCRAM, which the simulator offers first, no password goes over the wire.
const RUNS: [(Transport, &[Mechanism]); 6] = [
    (Transport::DirectTls, &Mechanism::ALL),
    (Transport::DirectTls, &[Mechanism::Plain]),
    (Transport::WebSocket { tls: true }, &Mechanism::ALL),
    (Transport::WebSocket { tls: true }, &[Mechanism::Plain]),
    (Transport::Bosh { tls: true }, &Mechanism::ALL),
    (Transport::Bosh { tls: true }, &[Mechanism::Plain]),
];

/// What was said on one way out of the program.
struct Said(Mutex<Vec<u8>>);

impl Said {
    const fn nothing() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Panics are heard here too, so one does no harm.
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: Arguments<'_>) {
        writeln!(self.bytes(), "{line}").expect("there is room");
    }

    fn take(&self) -> String {
        String::from_utf8_lossy(&mem::take(&mut *self.bytes())).into_owned()
    }
}

impl Write for &Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static TRACING: Said = Said::nothing();
static LOG: Said = Said::nothing();
static PANICS: Said = Said::nothing();

/// The simulator lives in this process, and its WebSocket is tungstenite, which logs whole frames. The client has none of it, for
/// this very reason: `deny.toml` gives it to nobody else.
static TUNGSTENITE: Said = Said::nothing();

/// Whoever uses `log` and not `tracing`: rustls does.
struct Ear;

impl Log for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let whose = record.target().split("::").next().unwrap_or_default();
        let said = if matches!(whose, "tungstenite" | "tokio_tungstenite") { &TUNGSTENITE } else { &LOG };
        said.add(format_args!("{} {}: {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn listen() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(|| &TRACING)
        .init();
    log::set_logger(&Ear).expect("nobody else listens");
    log::set_max_level(LevelFilter::Trace);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.add(format_args!("{panic}"));
        before(panic);
    }));
}

/// How a secret looks as it is, as bytes in decimal and hexadecimal, and within a longer text in Base64, which is three ways.
fn disguises(secret: &str) -> Vec<String> {
    let mut hex = String::new();
    secret.bytes().for_each(|byte| write!(hex, "{byte:02x}").expect("there is room"));
    let decimal = format!("{:?}", secret.as_bytes());
    let mut all = vec![secret.to_owned(), hex, decimal.trim_matches(['[', ']']).to_owned()];
    for before in 0..3 {
        let encoded = STANDARD.encode(format!("{}{secret}", "x".repeat(before)));
        // Characters that share a byte with what is before or behind are not the secret's alone.
        all.push(encoded[(before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6].to_owned());
    }
    all
}

/// The first line that holds a secret, with something in its place: a test must not say it either.
fn line_with(text: &str, secret: &str, instead: &str) -> Option<String> {
    disguises(secret).iter().find_map(|disguise| {
        let line = text.lines().find(|line| line.contains(disguise))?;
        Some(line.replace(disguise, instead))
    })
}

/// The first line that holds any of them, which is named by its number.
fn first_secret(text: &str) -> Option<String> {
    let mut secrets = SECRETS.iter().enumerate();
    secrets.find_map(|(number, secret)| line_with(text, secret, &format!("[secret {}]", number + 1)))
}

/// How an error looks to those who print it.
fn looks(error: &(impl Debug + Display)) -> String {
    format!("{error}\n{error:?}\n")
}

fn token() -> Token {
    Token {
        access: Secret::new(PASSWORD),
        refresh: Some(Secret::new(REFRESH)),
        lasts: Duration::from_secs(600),
        user: None,
    }
}

/// Listens to an agent until they are given up: what was told.
async fn until_ended(told: &mut mpsc::Receiver<Told>) -> String {
    let mut all = String::new();
    loop {
        let next = timeout(PATIENCE, told.recv()).await.expect("the agent is given up").expect("more is told");
        writeln!(all, "{next:?}").expect("there is room");
        if matches!(next, Told::Change(Change::Connection(Connection::Ended(_)))) {
            return all;
        }
    }
}

/// Waits until something was said.
async fn until_heard(said: &Said, what: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !String::from_utf8_lossy(&said.bytes()).contains(what) {
        assert!(Instant::now() < deadline, "waited in vain for `{what}`");
        sleep(Duration::from_millis(10)).await;
    }
}

/// One client, one simulator, and everything between them that can go wrong with a secret in hand.
struct Run {
    transport: Transport,
    options: SessionOptions,
    centre: Centre,
}

impl Run {
    async fn start(transport: Transport, mechanisms: &[Mechanism]) -> Self {
        let mut options = topoc_finesse_sim::Options::new(3, 2);
        PASSWORD.clone_into(&mut options.config.password);
        let mut ours = Options::default();
        ours.session.mechanisms = mechanisms.to_vec();
        let options_of_session = SessionOptions { transport, ..ours.session.clone() };
        let centre = Centre::start_over(transport, options, ours).await;
        Self { transport, options: options_of_session, centre }
    }

    fn session_login(&self, id: &str, password: &str) -> SessionLogin {
        let announcement = self.centre.sim.announcement();
        let domain = announcement["nodes"][0]["host"].as_str().expect("a domain");
        let jid = Jid::of_agent(id, domain, "another").expect("a JID");
        SessionLogin { jid, password: Secret::new(password) }
    }

    /// The second server, which is up until [`Run::errors`].
    fn rest(&self) -> rest::Server {
        let node = &nodes_over(&self.centre.sim, self.transport)[1];
        let origin = Origin { tls: true, host: node.host.clone(), port: node.rest_port };
        rest::Server::new(origin, tls(&self.centre.sim), rest::Options::default())
    }

    fn xmpp(&self) -> xmpp::Server {
        let node = &nodes_over(&self.centre.sim, self.transport)[0];
        xmpp::Server::new(&node.host, node.xmpp_port, tls(&self.centre.sim)).path(&node.xmpp_path)
    }

    /// An agent's day, with everything typed, told and lost that should stay where it is: what was told of it, and came of it.
    async fn work(&mut self) -> String {
        self.centre.hire(1);
        let (centre, worker) = (&self.centre, Arc::clone(&self.centre.workers[0]));
        worker.does(worker.sign_in()).await;
        worker.until_state(UserState::NotReady).await;
        worker.does(worker.change(UserState::Ready, None)).await;
        worker.until_state(UserState::Ready).await;
        let call = json!({"from": "0170", "to": "2001", "variables": {"callVariable1": VARIABLE}});
        drop(centre.command("call", &call));
        let call = worker.until_call("ALERTING").await;
        worker.does(worker.act(&call, Action::Answer)).await;
        worker.until_call("ACTIVE").await;
        let mut came = format!("{:?}\n", worker.ask(tones(&call)).await);
        // What cannot be read, and what fails.
        let payload = json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": unreadable()});
        drop(centre.command("inject-event", &payload));
        until_heard(&TRACING, "a notification cannot be read").await;
        writeln!(came, "{:?}", worker.ask(worker.act("1", Action::Hold)).await).expect("there is room");
        let (agent, mut told) = centre.client.agent(Login::new("1002", basic("1002", WRONG))).expect("an agent");
        came += &until_ended(&mut told).await;
        agent.leave().await;
        // The notification service takes the token for the password that it is; REST does not, and has no new one.
        let (agent, _told) = centre.client.agent(Login::with_token("1003", token())).expect("an agent");
        until_heard(&TRACING, "/desktop/sso/token").await;
        agent.leave().await;
        centre.fault(0, "tomcat", true);
        centre.until_right(1).await;
        worker.does(worker.act(&call, Action::Drop)).await;
        worker.until("the end of the call", |seen| seen.dialogs.is_empty()).await;
        came + &worker.seen().told.join("\n")
    }

    /// Errors of those who had a secret to send or to read.
    async fn errors(&self) -> String {
        let mut all = String::new();
        let wrong = self.session_login("1002", WRONG);
        let end = Session::open(&self.xmpp(), wrong.clone(), self.options.clone()).await.expect_err("no such password");
        assert!(matches!(end, End::NotAuthorized { .. }), "{end}");
        all += &looks(&end);
        let elsewhere = xmpp::Server { port: self.rest().origin().port, ..self.xmpp() };
        let end = Session::open(&elsewhere, wrong, self.options.clone()).await.expect_err("nobody speaks XMPP there");
        all += &looks(&end);

        let (rest, header) = (self.rest(), basic("1001", WRONG).header());
        let request = Request::new(&tones("1")).expect("an id");
        let ask = |within| rest.ask(&request, Some(&header), Some("r-1"), Instant::now() + within);
        let error = ask(PATIENCE).await.expect_err("no such password");
        assert!(matches!(error, AskError::Refused(_)), "{error}");
        all += &looks(&error);
        self.centre.silence(1, "tomcat");
        all += &looks(&ask(Duration::from_millis(200)).await.expect_err("nobody answers"));
        self.centre.fault(1, "tomcat", true);
        all += &looks(&ask(PATIENCE).await.expect_err("nobody listens"));

        all += &looks(&Update::parse(&unreadable(), Limits::default()).expect_err("it has no end"));
        all += &looks(&xml::read(&format!("<a>&{PASSWORD};</a>"), Limits::default()).expect_err("no such entity"));
        for command in [refresh(), Command::User { agent: "1001".to_owned() }] {
            let request = Request::new(&command).expect("an id");
            for body in [unreadable(), format!("{{\"token\": \"{PASSWORD}\", \"refresh_token\": \"{REFRESH}\"}}")] {
                let response = HttpResponse { status: 200, location: None, body: body.as_bytes() };
                let refusal = request.read(&rest.origin(), response, Limits::default()).expect_err("it is of no use");
                all += &looks(&refusal);
            }
        }
        all
    }

    /// Panics as a slip would, with everything in its message that holds a secret: what whoever catches it gets.
    async fn panic(&self) -> String {
        let login = self.session_login("1001", PASSWORD);
        let session = Session::open(&self.xmpp(), login.clone(), self.options.clone()).await.expect("a session");
        let (machine, orders, inputs) = plain(login.clone(), self.options.clone());
        let commands = [tones("1"), refresh()];
        let requests = commands.each_ref().map(|command| Request::new(command).expect("an id"));
        let (ticket, deadline) = (1, Duration::from_secs(1));
        let wanted = LineEvent::Wanted { ticket, request: requests[0].clone(), deadline, recovery: false };
        let send = LineOrder::Send { ticket, request: requests[1].clone() };
        let (bearer, basic) = (Credentials::Bearer(token().access), basic("1001", PASSWORD));
        let logins = [Login::new("1001", basic.clone()), Login::with_token("1001", token())];
        let (line, _notices) = rest::Agent::new(self.rest(), basic.header(), LineOptions::default());
        let (tokens, header) = (Tokens::new("1001", token(), Duration::ZERO), basic.header());
        let answer = Answer::Token(token());
        let things: [&(dyn Debug + Send + Sync); 20] = [
            &self.centre.client,
            &self.centre.workers[0].agent,
            &self.xmpp(),
            &self.rest(),
            &self.options,
            &session,
            &login,
            &machine,
            &orders,
            &inputs,
            &commands,
            &requests,
            &wanted,
            &send,
            &(basic, bearer, header),
            &logins,
            &line,
            &tokens,
            &answer,
            &token(),
        ];
        let caught = panic::catch_unwind(AssertUnwindSafe(|| panic!("a panic on purpose: {things:#?}\n{things:?}")));
        let caught = caught.expect_err("it panics");
        session.close().await;
        let join = tokio::spawn(async move { panic!("a panic on purpose: {logins:?}") }).await;
        let join = join.expect_err("it panics");
        let caught = caught.downcast_ref::<String>().expect("a text");
        format!("{caught}\n{}", looks(&join))
    }
}

/// What says the password: the machine of a session with PLAIN, its orders, and what becomes of them with BOSH.
fn plain(login: SessionLogin, options: SessionOptions) -> (Machine, Vec<Order>, Vec<Input>) {
    let options = SessionOptions { mechanisms: vec![Mechanism::Plain], transport: Transport::DirectTls, ..options };
    let read = |text: &str| xml::read(text, Limits::default()).expect("XML");
    let opened = read("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1'/>");
    let features = read(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
           <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>\
         </stream:features>",
    );
    let mut machine = Machine::new(login, options);
    let events = [Event::Start, Event::Received(Piece::Opened(opened)), Event::Received(Piece::Stanza(features))];
    let orders: Vec<Order> = events
        .into_iter()
        .flat_map(|event| machine.handle(Duration::ZERO, event, &mut |bytes: &mut [u8]| bytes.fill(7)))
        .collect();
    let said = |order: &Order| match order {
        Order::Send(outgoing) => Some(Input::Send(outgoing.clone())),
        _ => None,
    };
    let inputs: Vec<Input> = orders.iter().filter_map(said).collect();
    let says_it =
        |input: &Input| matches!(input, Input::Send(outgoing) if first_secret(&outgoing.0.to_string()).is_some());
    assert!(inputs.iter().any(says_it), "the password is said");
    (machine, orders, inputs)
}

fn tones(dialog: &str) -> Command {
    Command::SendDtmf { dialog: dialog.to_owned(), extension: "2001".to_owned(), tones: Secret::new(TONES) }
}

fn refresh() -> Command {
    let Token { access: token, refresh, .. } = token();
    Command::RefreshToken { user: "1001".to_owned(), token, refresh: refresh.expect("one") }
}

fn unreadable() -> String {
    format!("<Update><data>{VARIABLE}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_said_holds_a_secret() {
    let listed: Vec<&str> = LISTED.lines().collect();
    SECRETS.iter().enumerate().for_each(|(number, secret)| {
        assert!(listed.contains(secret), "secret {} of this test is not in the list of ./test", number + 1);
    });
    listen();
    for (transport, mechanisms) in RUNS {
        let mut run = Run::start(transport, mechanisms).await;
        let told = run.work().await;
        let errors = run.errors().await;
        let debug = run.panic().await;
        drop(run);
        let (tracing, log, panics) = (TRACING.take(), LOG.take(), PANICS.take());
        let all = [
            ("tracing", tracing),
            ("log", log),
            ("panics", panics),
            ("Told", told),
            ("errors", errors),
            ("Debug", debug),
        ];
        for (what, text) in &all {
            assert_eq!(first_secret(text), None, "{transport:?} {mechanisms:?}: {what}");
        }

        // All that was heard, and what is looked for would have been found.
        let [(_, tracing), (_, log), (_, panics), ..] = &all;
        for heard in ["a Finesse server is used", "DEBUG", "a notification cannot be read", "could not be opened"] {
            assert!(tracing.contains(heard), "{transport:?}: `{heard}` is heard through tracing: {tracing}");
        }
        assert!(log.contains("TRACE rustls::client"), "{transport:?}: rustls is heard at its most talkative");
        assert_eq!(panics.matches("panicked at").count(), 2, "nothing panics that should not: {panics}");
        assert_eq!(panics.matches("a panic on purpose").count(), 2, "{panics}");
        let frames = TUNGSTENITE.take();
        match transport {
            Transport::WebSocket { .. } => {
                let secret = if mechanisms == [Mechanism::Plain] { PASSWORD } else { VARIABLE };
                assert!(line_with(&frames, secret, "").is_some(), "{mechanisms:?}: tungstenite says what it receives");
            }
            _ => assert!(frames.is_empty(), "{transport:?}: the simulator alone uses tungstenite"),
        }
    }
}
