//! A client whose agent has a token of single sign-on. The simulator has none, so that its notification service stands beside a
//! REST interface of the test's own.

mod centre;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use centre::{PATIENCE, nodes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use topoc_finesse::client::{Client, Login, Node, Options, Told};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Answer, Command, Credentials, Token};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection, End};
use topoc_finesse_proto::user::UserState;
use topoc_finesse_sim::Simulator;
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::TlsAcceptor;
use topoc_tls::tokio_rustls::rustls::ServerConfig;
use topoc_tls::tokio_rustls::rustls::crypto::ring;
use topoc_tls::tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What the REST interface takes, and how often it gave a new token.
struct Sso {
    takes: String,
    gives: bool,
    given: usize,
}

fn reply(sso: &Mutex<Sso>, head: &str) -> (u16, String) {
    let mut sso = sso.lock().expect("no test panics with it");
    if head.contains("/SystemInfo") {
        return (200, "<SystemInfo><status>IN_SERVICE</status></SystemInfo>".to_owned());
    }
    if head.contains("/sso/token") {
        if !sso.gives {
            return (400, String::new());
        }
        sso.given += 1;
        sso.takes = format!("fresh-{}", sso.given);
        return (200, format!(r#"{{"token": "{}", "refresh_token": "r", "expires_in": 3600}}"#, sso.takes));
    }
    if !head.to_lowercase().contains(&format!("authorization: bearer {}\r", sso.takes)) {
        return (401, String::new());
    }
    match head {
        _ if head.starts_with("PUT") => (202, String::new()),
        _ if head.contains("/Dialogs") => (200, "<Dialogs/>".to_owned()),
        _ => (200, "<User><loginId>1001</loginId><state>NOT_READY</state></User>".to_owned()),
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, sso: Arc<Mutex<Sso>>) -> std::io::Result<()> {
    let mut stream = tls.accept(stream).await?;
    let (mut bytes, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut some).await?;
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let (status, body) = reply(&sso, &format!("{head}\r\n"));
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await?;
                stream.flush().await?;
                bytes.clear();
            }
        }
        if count == 0 {
            return Ok(());
        }
    }
}

/// A client of both, and what the REST interface is.
async fn start() -> (Simulator, Client, Arc<Mutex<Sso>>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows the versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they fit");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let rest_port = listener.local_addr().expect("it is bound").port();
    // The notification service takes the first token for the password that it is.
    let sso = Arc::new(Mutex::new(Sso { takes: "secret".to_owned(), gives: true, given: 0 }));
    let (acceptor, of) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&sso));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&of)));
        }
    });
    let sim = Simulator::start(topoc_finesse_sim::Options::new(1, 1)).await.expect("a simulator");
    let ca = sim.announcement()["ca"].as_str().expect("a file").to_owned();
    let roots = TlsConfig::default().roots_file(ca).expect("a root").roots_pem(made.cert.pem().as_bytes());
    let tls = roots.expect("a root").build().expect("a configuration");
    let places: Vec<Node> = nodes(&sim).into_iter().map(|node| Node { rest_port, ..node }).collect();
    let client = Client::start(&places, &tls, Options::default());
    (sim, client, sso)
}

fn token(lasts: Duration) -> Token {
    Token { access: Secret::new("secret"), refresh: Some(Secret::new("r")), lasts, user: None }
}

fn ready() -> Command {
    Command::ChangeState { agent: "1001".to_owned(), state: UserState::Ready, reason: None }
}

fn given(sso: &Mutex<Sso>) -> usize {
    sso.lock().expect("no test panics with it").given
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_renewed_before_it_expires_and_when_it_is_refused() {
    let (_sim, client, sso) = start().await;
    let (agent, mut told) = client.agent(Login::with_token("1001", token(Duration::from_secs(4)))).expect("an agent");
    let live = Told::Change(Change::Connection(Connection::Live(NodeId(0))));
    while told.recv().await.expect("more is told") != live {}
    // Nobody asks for anything: its age alone renews it.
    let deadline = Instant::now() + PATIENCE;
    while given(&sso) == 0 {
        assert!(Instant::now() < deadline, "no new token was asked for");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
    assert_eq!(given(&sso), 1, "what is fresh is not renewed");
    "another".clone_into(&mut sso.lock().expect("no test panics with it").takes);
    assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
    assert_eq!(given(&sso), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_no_new_token_is_given_the_session_ends_and_a_new_one_begins_it_again() {
    let (_sim, client, sso) = start().await;
    let (agent, mut told) = client.agent(Login::with_token("1001", token(Duration::from_secs(600)))).expect("an agent");
    let live = Told::Change(Change::Connection(Connection::Live(NodeId(0))));
    while told.recv().await.expect("more is told") != live {}
    let set = |takes: &str, gives: bool| {
        let mut sso = sso.lock().expect("no test panics with it");
        takes.clone_into(&mut sso.takes);
        sso.gives = gives;
    };
    set("another", false);
    let outcome = agent.ask(ready(), None, PATIENCE).await.expect("an id");
    assert!(matches!(outcome, Outcome::NotDone(_) | Outcome::Refused(_)), "{outcome:?}");
    let ended = Told::Change(Change::Connection(Connection::Ended(End::WrongPassword)));
    while told.recv().await.expect("more is told") != ended {}
    set("secret", false);
    agent.start_again(Some(Credentials::Bearer(Secret::new("secret"))), None).await;
    while told.recv().await.expect("more is told") != live {}
    assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
    assert_eq!(given(&sso), 0);
}
