//! All agents of one client, in a process of their own: signs them in, says what they take, and sends their commands.

use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, UnboundedSender};
use topoc_finesse::client::{Agent, Client, Login, Node, Options, Told};
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Answer, Command, Credentials};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::Change;
use topoc_finesse_proto::user::UserState;
use topoc_finesse_proto::xmpp::options::Transport;
use topoc_tls::TlsConfig;

use crate::bare::Bare;
use crate::measure::{self, Load, Settled};

/// Longer than anything takes that is not broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// A bit longer than the time between two pings: each session has said and heard something since it began.
const ROUND: Duration = Duration::from_secs(12);

/// Who changes state: their number, and what they are asked to be.
pub(crate) fn due(number: usize, agents: usize) -> (usize, UserState) {
    let state = if (number / agents).is_multiple_of(2) { UserState::NotReady } else { UserState::Ready };
    (number % agents, state)
}

/// The id of an agent of the simulator.
pub(crate) fn id(agent: usize) -> String {
    (1001 + agent).to_string()
}

/// Signs all in and says what they take; then each line of standard input is a load: `ours` or `bare`, how many a second, for
/// how many seconds.
pub(crate) fn run(transport: &str, count: usize, announcement: &str) {
    measure::allow_files();
    let announcement: Value = serde_json::from_str(announcement).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let ca = announcement["ca"].as_str().unwrap();
    let tls = TlsConfig::default().roots_file(ca).unwrap().build().unwrap();
    let _guard = runtime.enter();
    let client = Client::start(&nodes(&announcement, transport), &tls, Options::default());
    let before_kb = measure::resident("VmRSS:");
    let began = Instant::now();
    let password = announcement["agents"]["password"].as_str().unwrap();
    let agents = runtime.block_on(all_ready(&client, count, password));
    let (seconds, cpu_seconds) = (began.elapsed().as_secs_f64(), measure::cpu_seconds());
    std::thread::sleep(ROUND);
    let settled = Settled {
        agents: count as u64,
        before_kb,
        after_kb: measure::resident("VmRSS:"),
        peak_kb: measure::resident("VmHWM:"),
        seconds,
        cpu_seconds,
    };
    println!("{}", settled.json());
    let bare = Arc::new(Bare::new(port(&announcement["nodes"][0]["rest"]), tls, password));
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let [who, rate, seconds] = words[..] else { panic!("no load: {line}") };
        let (rate, seconds) = (rate.parse().unwrap(), seconds.parse().unwrap());
        let load = if who == "ours" {
            offer(&runtime, rate, seconds, |number| {
                let (agent, state) = due(number, agents.len());
                change(Arc::clone(&agents[agent]), id(agent), state)
            })
        } else {
            offer(&runtime, rate, seconds, |number| {
                let (agent, state) = due(number, count);
                Arc::clone(&bare).change(id(agent), state)
            })
        };
        println!("{}", load.json());
    }
}

/// Where the servers are.
fn nodes(announcement: &Value, transport: &str) -> Vec<Node> {
    let node = |node: &Value| {
        let at = &node["xmpp"];
        let (transport, address) = match transport {
            "tls" => (Transport::DirectTls, &at["tls"]),
            "wss" => (Transport::WebSocket { tls: true }, &at["ws"]),
            _ => (Transport::Bosh { tls: true }, &at["bosh"]),
        };
        let path = address.as_str().unwrap().split('/').next_back().unwrap();
        Node {
            rest_port: port(&node["rest"]),
            transport,
            xmpp_port: port(address),
            xmpp_path: format!("/{path}"),
            ..Node::new("localhost")
        }
    };
    announcement["nodes"].as_array().unwrap().iter().map(node).collect()
}

/// The port of an address.
pub(crate) fn port(address: &Value) -> u16 {
    let behind = address.as_str().unwrap().split("localhost:").nth(1).unwrap();
    behind.split('/').next().unwrap().parse().unwrap()
}

/// Signs so many in, and waits until each has been told to be READY.
async fn all_ready(client: &Client, count: usize, password: &str) -> Vec<Arc<Agent>> {
    let (tell, mut ready) = mpsc::unbounded_channel();
    let mut agents = Vec::with_capacity(count);
    for number in 0..count {
        let id = id(number);
        let credentials = Credentials::Basic { user: id.clone(), password: Secret::new(password) };
        let (agent, told) = client.agent(Login::new(&id, credentials)).unwrap();
        let agent = Arc::new(agent);
        agents.push(Arc::clone(&agent));
        tokio::spawn(begin(agent, id, (2001 + number).to_string(), tell.clone(), told));
    }
    for _ in 0..count {
        tokio::time::timeout(PATIENCE, ready.recv()).await.expect("all are ready in time").unwrap();
    }
    agents
}

/// Signs in, becomes ready, and takes what is told from then on.
async fn begin(
    agent: Arc<Agent>,
    id: String,
    extension: String,
    tell: UnboundedSender<()>,
    mut told: mpsc::Receiver<Told>,
) {
    let sign_in = Command::SignIn { agent: id.clone(), extension, mobile: None };
    let ready = Command::ChangeState { agent: id, state: UserState::Ready, reason: None };
    // Boxed, so that the task is no larger than it needs to be afterwards.
    Box::pin(until_done(&agent, sign_in)).await;
    Box::pin(until_done(&agent, ready)).await;
    let mut waits = Some(tell);
    while let Some(told) = told.recv().await {
        let is_ready = matches!(&told, Told::Change(Change::Agent(user)) if user.state == Some(UserState::Ready));
        if is_ready && let Some(tell) = waits.take() {
            tell.send(()).unwrap();
        }
    }
}

/// Asks again where a server that is very busy has not answered in time. That nobody is ever done is noticed elsewhere.
async fn until_done(agent: &Agent, command: Command) {
    loop {
        let outcome = agent.ask(command.clone(), None, PATIENCE).await.unwrap();
        if outcome == Outcome::Answer(Answer::Accepted) {
            return;
        }
        eprintln!("  asks again: {}: {outcome:?}", command.row().name);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn change(agent: Arc<Agent>, id: String, state: UserState) -> bool {
    does(&agent, Command::ChangeState { agent: id, state, reason: None }).await
}

async fn does(agent: &Agent, command: Command) -> bool {
    matches!(agent.ask(command, None, PATIENCE).await, Ok(Outcome::Answer(Answer::Accepted)))
}

/// Has so many requests made a second, each when it is due, whatever became of those before.
fn offer<F>(runtime: &Runtime, rate: usize, seconds: usize, request: impl Fn(usize) -> F) -> Load
where
    F: Future<Output = bool> + Send + 'static,
{
    let (tell, mut done) = mpsc::unbounded_channel();
    let (cpu, began) = (measure::cpu_seconds(), Instant::now());
    // A quarter of a second in which nothing is due yet.
    let first = began + Duration::from_millis(250);
    for number in 0..rate * seconds {
        let due = first + Duration::from_secs(1) * u32::try_from(number).unwrap() / u32::try_from(rate).unwrap();
        // Not the timer of the runtime, which is exact to a millisecond only.
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (request, tell) = (request(number), tell.clone());
        runtime.spawn(async move {
            let is_done = request.await;
            tell.send((due.elapsed(), is_done)).unwrap();
        });
    }
    drop(tell);
    let mut failed = 0;
    let mut times = Vec::with_capacity(rate * seconds);
    while let Some((took, is_done)) = done.blocking_recv() {
        times.push(i64::try_from(took.as_micros()).unwrap());
        failed += u64::from(!is_done);
    }
    let seconds = first.elapsed().as_secs_f64();
    Load::new(times, seconds, measure::cpu_seconds() - cpu, failed)
}
