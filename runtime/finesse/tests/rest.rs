//! REST over real sockets: a server that answers, refuses, moves, hangs, says too much and breaks off, as it is told to.

mod https;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use https::{IDENTITY, Identity, answer, request};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use topoc_finesse::rest::{Agent, AskError, Notice, Options, Server, Wish};
use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::line::{LineOptions, Outcome, Trouble, Why};
use topoc_finesse_proto::rest::{Answer, Command, Credentials, Origin, Refusal, Request, Unreadable};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::user::UserState;
use topoc_finesse_proto::xml::{Limits, XmlError};
use topoc_tls::tokio_rustls::TlsAcceptor;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does with a request.
enum Reply {
    /// Answers, and takes the next one.
    Answer(u16, String),
    /// Writes this and closes.
    Break(String),
    /// Writes this, and nothing more.
    Hang(String),
    /// Answers, waits until it may go on, and closes.
    Close(u16, String),
}

type Script = dyn Fn(usize, &str) -> Reply + Send + Sync;

/// A server of a test's own.
struct Fake {
    port: u16,
    /// Every request, head and body, in the order of arrival.
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    most_open: Arc<AtomicUsize>,
}

static CLIENT: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| IDENTITY.roots.build().expect("a configuration"));

impl Fake {
    async fn start(tls: bool, script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let fake = Self {
            port: listener.local_addr().expect("it is bound").port(),
            seen: Arc::default(),
            connections: Arc::default(),
            open: Arc::default(),
            most_open: Arc::default(),
        };
        let (seen, connections) = (Arc::clone(&fake.seen), Arc::clone(&fake.connections));
        let (open, most_open) = (Arc::clone(&fake.open), Arc::clone(&fake.most_open));
        let script: Arc<Script> = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                most_open.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let (seen, script, open) = (Arc::clone(&seen), Arc::clone(&script), Arc::clone(&open));
                tokio::spawn(async move {
                    if tls {
                        let accepting = TlsAcceptor::from(Arc::clone(&IDENTITY.server)).accept(stream);
                        if let Ok(stream) = accepting.await {
                            serve(stream, &seen, &*script).await;
                        }
                    } else {
                        serve(stream, &seen, &*script).await;
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        fake
    }

    fn origin(&self, tls: bool) -> Origin {
        Origin { tls, host: "localhost".to_owned(), port: self.port }
    }

    fn server(&self, tls: bool) -> Server {
        Server::new(self.origin(tls), Arc::clone(&CLIENT), Options::default())
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no test panics here").clone()
    }

    /// The first line of each request.
    fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|text| text.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

/// Reads one request after the other.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, seen: &Mutex<Vec<String>>, script: &Script) {
    let mut bytes = Vec::new();
    loop {
        let Some(text) = request(&mut stream, &mut bytes).await else { return };
        let place = {
            let mut seen = seen.lock().expect("no test panics here");
            seen.push(text.clone());
            seen.len() - 1
        };
        let (written, goes_on) = match script(place, &text) {
            Reply::Answer(status, body) => (answer(status, &body), true),
            Reply::Close(status, body) => (answer(status, &body), false),
            Reply::Break(text) => (text, false),
            Reply::Hang(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.flush().await;
                std::future::pending().await
            }
        };
        if stream.write_all(written.as_bytes()).await.is_err() || stream.flush().await.is_err() || !goes_on {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

const USER: &str = "<User><loginId>1001</loginId><state>READY</state></User>";
const OUT: &str = "<ApiErrors><ApiError><ErrorType>Service Unavailable</ErrorType><ErrorMessage>SERVER_OUT_OF_SERVICE</ErrorMessage></ApiError></ApiErrors>";

fn user() -> Request {
    Request::new(&Command::User { agent: "1001".into() }).expect("an id")
}

fn ready() -> Request {
    let state = UserState::Ready;
    Request::new(&Command::ChangeState { agent: "1001".into(), state, reason: None }).expect("an id")
}

fn hold() -> Request {
    let (dialog, extension) = ("7".to_owned(), "2001".to_owned());
    Request::new(&Command::Act { dialog, extension, action: Action::Hold }).expect("an id")
}

fn password() -> Secret {
    Credentials::Basic { user: "1001".into(), password: Secret::new("geheim") }.header()
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

async fn ask(server: &Server, request: &Request) -> Result<Answer, AskError> {
    timeout(PATIENCE, server.ask(request, Some(&password()), Some("r-1"), soon())).await.expect("an answer")
}

async fn wish(agent: &Agent, request: Request) -> Outcome {
    timeout(PATIENCE, agent.ask(request, Wish::until(soon()))).await.expect("an outcome")
}

fn is_user(answer: &Answer) -> bool {
    matches!(answer, Answer::User(user) if user.id() == Some("1001"))
}

#[tokio::test]
async fn requests_over_tls_share_a_connection() {
    let fake = Fake::start(true, |_, text| match text.starts_with("GET") {
        true => Reply::Answer(200, USER.into()),
        false => Reply::Answer(202, String::new()),
    })
    .await;
    let server = fake.server(true);
    for _ in 0..10 {
        assert!(is_user(&ask(&server, &user()).await.expect("a user")));
        assert_eq!(ask(&server.clone(), &ready()).await, Ok(Answer::Accepted));
    }
    assert_eq!(fake.connections.load(Ordering::SeqCst), 1);
    let seen = fake.seen();
    let (head, body) = seen[1].split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<String> = head.lines().map(str::to_owned).collect();
    lines[1..].sort_by_key(|line| line.to_lowercase());
    assert_eq!(
        lines,
        [
            "PUT /finesse/api/User/1001 HTTP/1.1".to_owned(),
            "Accept: application/xml, application/json;q=0.5".into(),
            "Authorization: Basic MTAwMTpnZWhlaW0=".into(),
            format!("Content-Length: {}", body.len()),
            "Content-Type: application/xml".into(),
            format!("Host: localhost:{}", fake.port),
            "Requestid: r-1".into(),
        ]
    );
    assert_eq!(body, "<User><state>READY</state></User>");
    assert!(!format!("{server:?}").contains("MTAw"));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let fake = Fake::start(true, |_, _| Reply::Answer(200, USER.into())).await;
    let other = Identity::new().roots;
    let server = Server::new(fake.origin(true), other.build().expect("a configuration"), Options::default());
    let error = ask(&server, &user()).await.expect_err("no answer");
    assert!(matches!(&error, AskError::NotSent(why) if why.contains("certificate")), "{error}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let origin = Origin { tls: false, host: "localhost".into(), port };
    let server = Server::new(origin, Arc::clone(&CLIENT), Options::default());
    assert!(matches!(ask(&server, &hold()).await, Err(AskError::NotSent(_))));
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_rested_is_replaced() {
    let fake = Fake::start(false, |_, _| Reply::Close(202, String::new())).await;
    let server = fake.server(false);
    for _ in 0..20 {
        // The server may close just when it is asked: then nobody knows.
        let asked = ask(&server, &hold()).await;
        assert!(matches!(asked, Ok(Answer::Accepted) | Err(AskError::Lost(_))), "{asked:?}");
    }
    assert!(fake.seen().len() <= 20, "nothing is sent twice: {:?}", fake.lines());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_lost_unless_all_that_matters_came() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<User>";
    let fake = Fake::start(false, move |_, _| Reply::Break(head.to_owned())).await;
    let server = fake.server(false);
    assert!(matches!(ask(&server, &user()).await, Err(AskError::Lost(_))));
    assert_eq!(ask(&server, &hold()).await, Ok(Answer::Accepted));
    let fake = Fake::start(false, |_, _| Reply::Break(String::new())).await;
    assert!(matches!(ask(&fake.server(false), &hold()).await, Err(AskError::Lost(_))));
    let fake = Fake::start(false, |_, _| Reply::Break("SSH-2.0-OpenSSH_9.2\r\n".into())).await;
    assert!(matches!(ask(&fake.server(false), &hold()).await, Err(AskError::Lost(_))));
}

#[tokio::test]
async fn too_much_is_not_read() {
    let fake = Fake::start(false, |_, _| Reply::Answer(200, " ".repeat(3 << 20))).await;
    let server = fake.server(false);
    let too_much = Unreadable::Xml(XmlError::TooMuch("bytes"));
    assert_eq!(ask(&server, &user()).await, Err(AskError::Refused(Refusal::Unreadable(too_much))));
    assert_eq!(ask(&server, &hold()).await, Ok(Answer::Accepted));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(1 << 20));
    let fake = Fake::start(false, move |_, _| Reply::Hang(long.clone())).await;
    assert!(matches!(ask(&fake.server(false), &user()).await, Err(AskError::Lost(_))));
    assert_eq!(Limits::default().bytes, 1 << 20);
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_does_not_spoil_the_next() {
    let hanging = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<User>";
    let fake = Fake::start(false, move |place, _| match place {
        0 => Reply::Hang(hanging.to_owned()),
        _ => Reply::Answer(200, USER.into()),
    })
    .await;
    let server = fake.server(false);
    let request = user();
    let dropped = timeout(PATIENCE, async {
        tokio::select! {
            asked = ask(&server, &request) => panic!("{asked:?}"),
            () = async { while fake.seen().is_empty() { tokio::task::yield_now().await } } => {}
        }
    });
    dropped.await.expect("the request arrives");
    assert!(is_user(&ask(&server, &user()).await.expect("a user")));
    assert_eq!(fake.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn agents_share_as_many_connections_as_there_may_be() {
    let fake = Fake::start(false, |_, _| Reply::Answer(200, USER.into())).await;
    let options = Options { connections: 3, ..Options::default() };
    let server = Server::new(fake.origin(false), Arc::clone(&CLIENT), options);
    let mut asking = JoinSet::new();
    for _ in 0..200 {
        let server = server.clone();
        asking.spawn(async move { ask(&server, &user()).await.map(|answer| is_user(&answer)) });
    }
    assert!(asking.join_all().await.into_iter().all(|asked| asked == Ok(true)));
    assert!(fake.most_open.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn an_agent_is_led_from_http_to_https() {
    let there = Fake::start(true, |_, _| Reply::Answer(202, String::new())).await;
    let location = format!("https://localhost:{}/finesse/api/User/1001", there.port);
    let here = Fake::start(false, move |_, _| Reply::Answer(301, location.clone())).await;
    let server = here.server(false);
    let (agent, _notices) = Agent::new(server.clone(), password(), LineOptions::default());
    for _ in 0..3 {
        assert_eq!(wish(&agent, ready()).await, Outcome::Answer(Answer::Accepted));
    }
    assert_eq!((here.seen().len(), there.seen().len()), (1, 3));
    assert!(
        there.seen().iter().all(|text| text.starts_with("PUT") && text.ends_with("<User><state>READY</state></User>"))
    );
    assert_eq!(server.origin(), there.origin(true));
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let fake = Fake::start(false, |_, _| Reply::Answer(401, String::new())).await;
    let (agent, mut notices) = Agent::new(fake.server(false), password(), LineOptions::default());
    let outcomes = tokio::join!(wish(&agent, ready()), wish(&agent, hold()), wish(&agent, user()));
    assert_eq!(outcomes.0, Outcome::Refused(Refusal::Unauthorized(Vec::new())));
    assert_eq!((outcomes.1, outcomes.2), (Outcome::NotDone(Why::Stopped), Outcome::NotDone(Why::Stopped)));
    assert_eq!(notices.recv().await, Some(Notice::Stopped(Vec::new())));
    assert_eq!(wish(&agent, ready()).await, Outcome::NotDone(Why::Stopped));
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_and_the_request_sent_once_more() {
    let fake = Fake::start(false, |_, text| match text.contains("Bearer new") {
        true => Reply::Answer(202, String::new()),
        false => Reply::Answer(401, String::new()),
    })
    .await;
    let options = LineOptions { renewable: true, ..LineOptions::default() };
    let old = Credentials::Bearer(Secret::new("old")).header();
    let (agent, mut notices) = Agent::new(fake.server(false), old, options);
    let renewing = async {
        assert_eq!(notices.recv().await, Some(Notice::Renew));
        agent.use_credentials(Credentials::Bearer(Secret::new("new")).header()).await;
    };
    let (outcome, ()) = tokio::join!(wish(&agent, hold()), renewing);
    assert_eq!(outcome, Outcome::Answer(Answer::Accepted));
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn what_one_server_could_not_do_the_next_one_does_in_order() {
    let (first, second) = (
        Fake::start(false, |_, _| Reply::Answer(503, OUT.into())).await,
        Fake::start(true, |_, _| Reply::Answer(202, String::new())).await,
    );
    let (agent, mut notices) = Agent::new(first.server(false), password(), LineOptions::default());
    let switching = async {
        assert_eq!(notices.recv().await, Some(Notice::Trouble(Trouble::OutOfService)));
        agent.use_server(second.server(true)).await;
    };
    let (held, made_ready, ()) = tokio::join!(wish(&agent, hold()), wish(&agent, ready()), switching);
    assert_eq!((held, made_ready), (Outcome::Answer(Answer::Accepted), Outcome::Answer(Answer::Accepted)));
    assert_eq!(first.seen().len(), 1);
    assert_eq!(
        second.lines(),
        ["PUT /finesse/api/Dialog/7 HTTP/1.1", "PUT /finesse/api/User/1001 HTTP/1.1"],
        "in the order in which they were asked for"
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_asked_again_only_if_that_does_no_harm() {
    let fake = Fake::start(false, |place, _| match place {
        0 | 2 => Reply::Hang(String::new()),
        _ => Reply::Answer(202, String::new()),
    })
    .await;
    let options = LineOptions { patience: Duration::from_millis(200), ..LineOptions::default() };
    let (agent, mut notices) = Agent::new(fake.server(false), password(), options);
    assert_eq!(wish(&agent, ready()).await, Outcome::Answer(Answer::Accepted));
    assert_eq!(notices.recv().await, Some(Notice::Trouble(Trouble::Silent)));
    assert_eq!(wish(&agent, hold()).await, Outcome::Unknown(Why::Trouble(Trouble::Silent)));
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_nobody_waiting() {
    let fake = Fake::start(false, |_, _| Reply::Break(String::new())).await;
    let (agent, _notices) = Agent::new(fake.server(false), password(), LineOptions::default());
    let broken = Outcome::Unknown(Why::Trouble(Trouble::Broken));
    assert_eq!(wish(&agent, hold()).await, broken);
    assert_eq!(wish(&agent, hold()).await, broken);
    assert_eq!(fake.seen().len(), 2, "each was sent once");
}

/// A server with one connection, which is taken for as long as the test lasts, and the task that has it.
async fn one_connection_taken() -> (Fake, Server, JoinSet<Result<Answer, AskError>>) {
    let fake = Fake::start(false, |_, _| Reply::Hang(String::new())).await;
    let options = Options { connections: 1, ..Options::default() };
    let server = Server::new(fake.origin(false), Arc::clone(&CLIENT), options);
    let (mut holding, taken) = (JoinSet::new(), server.clone());
    holding.spawn(async move { ask(&taken, &user()).await });
    let arriving = async {
        while fake.seen().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, arriving).await.expect("the request arrives");
    (fake, server, holding)
}

#[tokio::test]
async fn what_waits_for_a_connection_was_not_done_however_long_it_waits() {
    let (fake, server, _holding) = one_connection_taken().await;
    let options = LineOptions { patience: Duration::from_millis(50), ..LineOptions::default() };
    let (agent, mut notices) = Agent::new(server, password(), options);
    let wish = Wish::until(Instant::now() + Duration::from_millis(500));
    let outcome = timeout(PATIENCE, agent.ask(hold(), wish)).await.expect("an outcome");
    assert_eq!(outcome, Outcome::NotDone(Why::Late));
    assert!(notices.try_recv().is_err(), "nothing is known of the server");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn what_waits_for_a_connection_goes_to_the_next_server() {
    let (fake, server, _holding) = one_connection_taken().await;
    let second = Fake::start(false, |_, _| Reply::Answer(202, String::new())).await;
    for fails in [true, false] {
        let (agent, _notices) = Agent::new(server.clone(), password(), LineOptions::default());
        let moving = async {
            if fails {
                agent.move_to_server(second.server(false)).await;
            } else {
                agent.change_server(second.server(false)).await;
            }
            agent.use_server(second.server(false)).await;
        };
        let (outcome, ()) = tokio::join!(wish(&agent, hold()), moving);
        assert_eq!(outcome, Outcome::Answer(Answer::Accepted));
    }
    assert_eq!((fake.seen().len(), second.seen().len()), (1, 2));
}

#[tokio::test]
async fn a_request_without_a_line_that_finds_no_connection_free_was_not_sent() {
    let (_fake, server, _holding) = one_connection_taken().await;
    let asked = server.ask(&hold(), Some(&password()), None, Instant::now() + Duration::from_millis(100)).await;
    assert_eq!(asked, Err(AskError::NotSent("no connection was free in time".to_owned())));
}
