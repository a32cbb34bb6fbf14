//! A client whose agent has a token of single sign-on. The simulator has none, so that its notification service stands beside a
//! REST interface of the test's own.

mod centre;
mod https;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use centre::{PATIENCE, nodes};
use https::{IDENTITY, answer, request};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use topoc_finesse::client::{Client, Login, Node, Options, Told};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Answer, Command, Credentials, Token};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection, End};
use topoc_finesse_proto::user::UserState;
use topoc_finesse_sim::Simulator;
use topoc_tls::tokio_rustls::TlsAcceptor;

/// The one password of the simulator's notification service: the only token that it lets in.
const PASSWORD: &str = "secret";

/// What the REST interface takes and gives, and what it was asked.
struct Sso {
    takes: String,
    /// New tokens, the next one first. When there are no more, it refuses.
    gives: VecDeque<&'static str>,
    given: usize,
    /// Requests with a token that it does not take, of whichever kind.
    refused: usize,
}

fn reply(sso: &Mutex<Sso>, head: &str) -> (u16, String) {
    let mut sso = sso.lock().expect("no test panics with it");
    if head.contains("/SystemInfo") {
        return (200, "<SystemInfo><status>IN_SERVICE</status></SystemInfo>".to_owned());
    }
    if head.contains("/sso/token") {
        let Some(new) = sso.gives.pop_front() else { return (400, String::new()) };
        sso.given += 1;
        new.clone_into(&mut sso.takes);
        return (200, format!(r#"{{"token": "{}", "refresh_token": "r", "expires_in": 3600}}"#, sso.takes));
    }
    if !head.to_lowercase().contains(&format!("authorization: bearer {}\r", sso.takes)) {
        sso.refused += 1;
        return (401, String::new());
    }
    match head {
        _ if head.starts_with("PUT") => (202, String::new()),
        _ if head.contains("/Dialogs") => (200, "<Dialogs/>".to_owned()),
        _ => (200, "<User><loginId>1001</loginId><state>NOT_READY</state></User>".to_owned()),
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, sso: Arc<Mutex<Sso>>) -> std::io::Result<()> {
    let (mut stream, mut bytes) = (tls.accept(stream).await?, Vec::new());
    while let Some(text) = request(&mut stream, &mut bytes).await {
        let (status, body) = reply(&sso, &text);
        stream.write_all(answer(status, &body).as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// A client of both, and what the REST interface is: it takes the first token, and gives these for it.
async fn start(gives: &[&'static str]) -> (Simulator, Client, Arc<Mutex<Sso>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let rest_port = listener.local_addr().expect("it is bound").port();
    let sso = Sso { takes: PASSWORD.to_owned(), gives: gives.iter().copied().collect(), given: 0, refused: 0 };
    let sso = Arc::new(Mutex::new(sso));
    let (acceptor, of) = (TlsAcceptor::from(Arc::clone(&IDENTITY.server)), Arc::clone(&sso));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&of)));
        }
    });
    let sim = Simulator::start(topoc_finesse_sim::Options::new(1, 1)).await.expect("a simulator");
    let ca = sim.announcement()["ca"].as_str().expect("a file").to_owned();
    let tls = IDENTITY.roots.clone().roots_file(ca).expect("a root").build().expect("a configuration");
    let places: Vec<Node> = nodes(&sim).into_iter().map(|node| Node { rest_port, ..node }).collect();
    let client = Client::start(&places, &tls, Options::default());
    (sim, client, sso)
}

fn token(access: &str, lasts: Duration) -> Token {
    Token { access: Secret::new(access), refresh: Some(Secret::new("r")), lasts, user: None }
}

fn ready() -> Command {
    Command::ChangeState { agent: "1001".to_owned(), state: UserState::Ready, reason: None }
}

fn given(sso: &Mutex<Sso>) -> usize {
    sso.lock().expect("no test panics with it").given
}

/// What the REST interface takes from now on.
fn take(sso: &Mutex<Sso>, token: &str) {
    token.clone_into(&mut sso.lock().expect("no test panics with it").takes);
}

/// Waits until this is told.
async fn until<T>(told: &mut mpsc::Receiver<Told>, mut look: impl FnMut(Told) -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look(told.recv().await.expect("more is told")) {
                return found;
            }
        }
    };
    timeout(PATIENCE, looking).await.expect("it is told in time")
}

async fn until_connection(told: &mut mpsc::Receiver<Told>, connection: Connection) {
    until(told, |told| (told == Told::Change(Change::Connection(connection))).then_some(())).await;
}

async fn renewed(told: &mut mpsc::Receiver<Told>) -> Box<Token> {
    until(told, |told| {
        let shown = format!("{told:?}");
        if let Told::Renewed(token) = told {
            assert!(!shown.contains(token.access.expose()), "{shown}");
            return Some(token);
        }
        None
    })
    .await
}

const LIVE: Connection = Connection::Live(NodeId(0));
const ENDED: Connection = Connection::Ended(End::WrongPassword);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_renewed_before_it_expires_and_when_it_is_refused() {
    let (_sim, client, sso) = start(&["fresh-1", "fresh-2"]).await;
    let login = Login::with_token("1001", token(PASSWORD, Duration::from_secs(4)));
    let (agent, mut told) = client.agent(login).expect("an agent");
    until_connection(&mut told, LIVE).await;
    // Nobody asks for anything: its age alone renews it.
    let new = renewed(&mut told).await;
    assert_eq!((new.access.expose(), new.lasts), ("fresh-1", Duration::from_secs(3600)));
    assert_eq!(new.refresh.as_ref().map(Secret::expose), Some("r"), "whoever takes the agent over can renew it");
    assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
    assert_eq!(given(&sso), 1, "what is fresh is not renewed");
    take(&sso, "another");
    assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
    assert_eq!((given(&sso), renewed(&mut told).await.access.expose()), (2, "fresh-2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_no_new_token_is_given_the_session_ends_at_once_and_a_new_one_begins_it_again() {
    let (_sim, client, sso) = start(&[]).await;
    let login = Login::with_token("1001", token(PASSWORD, Duration::from_secs(600)));
    let (agent, mut told) = client.agent(login).expect("an agent");
    until_connection(&mut told, LIVE).await;
    take(&sso, "another");
    let outcome = agent.ask(ready(), None, PATIENCE).await.expect("an id");
    assert!(matches!(outcome, Outcome::NotDone(_) | Outcome::Refused(_)), "{outcome:?}");
    until_connection(&mut told, ENDED).await;
    assert_eq!(
        sso.lock().expect("no test panics with it").refused,
        1,
        "nothing is tried again with a token that is dead"
    );
    take(&sso, PASSWORD);
    agent.start_again(Some(Credentials::Bearer(Secret::new(PASSWORD))), None).await;
    until_connection(&mut told, LIVE).await;
    assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
    assert_eq!(given(&sso), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_no_session_is_opened_for_is_renewed_first() {
    // It expired while there was no server; or the server does not know it any more.
    for lasts in [Duration::ZERO, Duration::from_secs(600)] {
        let (_sim, client, sso) = start(&[PASSWORD]).await;
        let (agent, mut told) = client.agent(Login::with_token("1001", token("stale", lasts))).expect("an agent");
        assert_eq!(renewed(&mut told).await.access.expose(), PASSWORD);
        until_connection(&mut told, LIVE).await;
        assert_eq!(agent.ask(ready(), None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)));
        assert_eq!(given(&sso), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_any_token_that_is_accepted_ends() {
    let (_sim, client, sso) = start(&["stale-2"]).await;
    let (_agent, mut told) =
        client.agent(Login::with_token("1001", token("stale", Duration::from_secs(600)))).expect("an agent");
    // The new one is not renewed at once: nobody is asked for ever.
    until_connection(&mut told, ENDED).await;
    assert_eq!(given(&sso), 1);
}
