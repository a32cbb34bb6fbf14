//! What thousands of agents cost one connector: memory for each, the time to sign all in, and how long requests take.
//!
//!   cargo bench -p topoc-connector              10,000 agents, some three minutes
//!   cargo bench -p topoc-connector -- 2000      so many
//!
//! The connector is its program, in a process of its own; a real broker, too. The simulated Finesse and the client are in this
//! process, and take processor time beside the connector's.
//!
//! **agents**: each is connected and signed in by commands on the queue, with so many requests on their way at once. What is
//! resident when all are signed in, less what was before the first, divided by the agents: sessions over TLS, lines of requests,
//! what the connector knows of each, and what the allocator keeps.
//!
//! **requests**: so many a second at times that are set before, all agents in turn: one that asks, then one that changes the
//! agent's state. The time of a request is from when it was due to its answer at the client: two ways over the broker, the
//! connector and Finesse.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first thing that fails"
)]

#[path = "../../tests/harness/mod.rs"]
mod harness;

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{MOON, PASSWORD, REQUESTS, Running};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use topoc_finesse_sim::Simulator;
use topoc_openwire::{AckMode, Config, Destination, Outgoing, Producer};

/// Agents, where nobody says how many.
const AGENTS: usize = 10_000;
/// Requests on their way while agents sign in: fewer than the connector takes in hand.
const AT_ONCE: usize = 200;
/// Clients among whom requests are shared out: a broker writes the persistent ones of one connection to its disk one by one.
const CLIENTS: usize = 8;
/// Requests a second, and for how long.
const RATE: usize = 1000;
const SECONDS: usize = 15;
/// Longer than anything takes that goes well.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let agents = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(AGENTS);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { timeout(2 * PATIENCE, measure(agents)).await.expect("it hangs") });
}

async fn measure(agents: usize) {
    let (dir, port) = (harness::folder("agents"), harness::port());
    let _broker = harness::broker(&dir, port);
    let sim = harness::centre(agents).await;
    let connector = Running::start_quiet(&dir, &harness::plan(&[port], &sim));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::open(port, number).await);
    }
    let client = &clients[0];
    let hello = client.ask("Hello#BENCH.EVENTS".to_owned(), String::new()).await;
    assert_eq!(hello["event"], "SystemStatus", "{hello}");
    println!("load of this machine: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    let before = connector.resident();
    let took = sign_in(client, agents).await;
    settled(&sim, agents).await;
    let after = connector.resident();
    println!(
        "{agents} agents: signed in within {:.1} s; {:.1} KB each (at most 64), {:.1} MB before",
        took.as_secs_f64(),
        (after - before) as f64 / agents as f64,
        before as f64 / 1024.0,
    );
    for persistent in [false, true] {
        requests(&clients, agents, persistent).await.print(if persistent { "persistent" } else { "not persistent" });
    }
    println!("resident after that: {:.1} KB for each agent", (connector.resident() - before) as f64 / agents as f64);
}

/// Connects all and signs them in.
async fn sign_in(client: &Client, agents: usize) -> Duration {
    let (began, room) = (Instant::now(), Arc::new(Semaphore::new(AT_ONCE)));
    let mut tasks = tokio::task::JoinSet::new();
    for agent in 1001..1001 + agents {
        let (client, permit) = (client.clone(), Arc::clone(&room).acquire_owned().await.unwrap());
        tasks.spawn(async move {
            let answer = client.ask(format!("Connect#{agent}"), format!("BENCH.EVENTS,{PASSWORD}")).await;
            assert_eq!(answer["event"], "ConnectStatus", "{answer}");
            drop(permit);
            let answer = client.ask(format!("Login#{agent}"), format!("{PASSWORD},{}", agent + 1000)).await;
            assert_eq!(answer["event"], "Outcome", "{answer}");
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    began.elapsed()
}

/// Waits until Finesse has one session of each agent, who is signed in.
async fn settled(sim: &Simulator, agents: usize) {
    let until = Instant::now() + PATIENCE;
    loop {
        let state = sim.state();
        let is_in = |agent: &&Value| {
            agent["state"] != "LOGOUT" && agent["sessions"].as_array().is_some_and(|all| all.len() == 1)
        };
        if state["agents"].as_array().unwrap().iter().filter(is_in).count() == agents {
            return;
        }
        assert!(Instant::now() < until, "not all agents are signed in");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What requests took.
struct Load {
    /// In microseconds, the quickest first.
    took: Vec<u128>,
    failed: usize,
    seconds: f64,
}

impl Load {
    fn print(&self, what: &str) {
        let at = |share: usize| self.took[(self.took.len() - 1) * share / 1000] as f64 / 1000.0;
        println!(
            "{} {what} requests, {:.0} a second: median {:.1} ms, p99 {:.1} ms (at most 50), p99.9 {:.1} ms, longest {:.1} ms, {} failed",
            self.took.len(),
            self.took.len() as f64 / self.seconds,
            at(500),
            at(990),
            at(999),
            at(1000),
            self.failed,
        );
    }
}

async fn requests(clients: &[Client], agents: usize, persistent: bool) -> Load {
    let began = Instant::now() + Duration::from_millis(200);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..RATE * SECONDS {
        let due = began + Duration::from_micros(1_000_000 * number as u64 / RATE as u64);
        let (agent, round) = (1001 + number / 2 % agents, number / 2 / agents);
        let command = match (number % 2, round % 2) {
            (0, _) => "GetState",
            (_, 0) => "MakeReady",
            _ => "MakeNotReady",
        };
        sleep_until(due).await;
        let client = clients[number % clients.len()].clone();
        tasks.spawn(async move {
            let outgoing = Outgoing::text("").message_type(format!("{command}#{agent}")).persistent(persistent);
            let answer = client.send(outgoing).await;
            (due.elapsed().as_micros(), answer["event"] != "Error")
        });
    }
    let mut load = Load { took: Vec::new(), failed: 0, seconds: 0.0 };
    while let Some(done) = tasks.join_next().await {
        let (took, worked) = done.unwrap();
        load.took.push(took);
        load.failed += usize::from(!worked);
    }
    load.seconds = began.elapsed().as_secs_f64();
    load.took.sort_unstable();
    load
}

/// Answers that are waited for, by their correlation.
type Waiting = Arc<Mutex<HashMap<String, mpsc::Sender<Value>>>>;

/// A client with many requests on their way.
#[derive(Clone)]
struct Client {
    producer: Arc<Producer>,
    replies: Destination,
    waiting: Waiting,
}

impl Client {
    async fn open(port: u16, number: usize) -> Self {
        let config = Config::new(&format!("tcp://127.0.0.1:{port}")).unwrap().user("gc", MOON);
        let session = config.connect().await.unwrap().session(AckMode::Auto).await.unwrap();
        let replies = Destination::queue(format!("BENCH.REPLIES.{number}"));
        let mut consumer = session.consumer(&replies).open().await.unwrap();
        let producer = Arc::new(session.producer(&Destination::queue(REQUESTS)).await.unwrap());
        let waiting = Waiting::default();
        let client = Self { producer, replies, waiting: Arc::clone(&waiting) };
        tokio::spawn(async move {
            while let Ok(delivery) = consumer.receive().await {
                let event: Value = serde_json::from_str(&delivery.text().unwrap().unwrap()).unwrap();
                let waits = waiting.lock().unwrap().remove(event["correlation"].as_str().unwrap());
                // Whoever asked may have given up.
                let _ = waits.unwrap().try_send(event);
            }
            drop(session);
        });
        client
    }

    async fn ask(&self, kind: String, body: String) -> Value {
        self.send(Outgoing::text(body).message_type(kind).persistent(false)).await
    }

    /// Sends a request and waits for its answer.
    async fn send(&self, outgoing: Outgoing) -> Value {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let correlation = format!("b-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let (tell, mut told) = mpsc::channel(1);
        self.waiting.lock().unwrap().insert(correlation.clone(), tell);
        let outgoing = outgoing.correlation_id(&correlation).reply_to(self.replies.clone());
        let sending = self.producer.hand_over(&Destination::queue(REQUESTS), outgoing).await;
        // The answer says that the broker had it.
        drop(sending.unwrap());
        timeout(PATIENCE, told.recv()).await.expect("no answer came").unwrap()
    }
}
