//! What thousands of agents cost: memory for each, and the time that a command takes, beside clients of others in the same run.
//!
//!   cargo bench -p topoc-finesse                 all of it, some five minutes
//!   cargo bench -p topoc-finesse -- memory       or `commands`: one part
//!   cargo bench -p topoc-finesse -- 10000        so many agents, not 5000
//!
//! The simulator, our client and every rival are processes of their own.
//!
//! **memory**: all agents of one client, signed in and READY, each with its session over TLS. What is resident after a round of
//! pings, less what was resident before the first agent, divided by the agents: sessions, lines of requests, the connections
//! for REST that all share, what the allocator keeps, and the task that this program has for each agent to take what is told.
//! Buffers of the kernel are in no process and are not counted. The rival is Smack, the XMPP client of Cisco's own samples, with
//! fewer sessions and no REST.
//! Who is not signed in at once asks again after a second and says so on standard error (`asks again`): on a quiet machine such
//! a line is a finding.
//!
//! **commands**: agents change between READY and NOT_READY, so many commands a second at times that are set before, all agents
//! in turn; what each brings about is told to each agent meanwhile. The time of a command is from when it was due to its
//! outcome: a late one makes no other wait. It includes the network and the server. What is the client's own is less, so the
//! first figure to be reached holds for all of it. `bare` is what hyper takes by itself for the same requests, over as
//! many connections: the server, the network and HTTP, without lines, retries and reading. What we take longer is ours alone.
//! Java is its own `HttpClient`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first thing that fails"
)]

/// The one that topoc's programs have.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod agents;
mod bare;
mod measure;
mod process;
mod rivals;
mod simulator;

use measure::{Load, Settled};
use process::Process;

/// Agents, where nobody says how many.
const AGENTS: usize = 5000;

/// Sessions of Smack: enough to tell what one takes.
const SMACK: usize = 300;

/// How many commands a second, and for how long.
const RATE: usize = 1000;
const SECONDS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["simulate", agents] => return simulator::run(agents.parse().unwrap()),
        ["agents", transport, count, announcement] => {
            return agents::run(transport, count.parse().unwrap(), announcement);
        }
        _ => {}
    }
    let agents = words.iter().find_map(|word| word.parse().ok()).unwrap_or(AGENTS);
    let parts: Vec<&str> = words.into_iter().filter(|word| word.parse::<usize>().is_err()).collect();
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    println!("load of this machine before: {}", measure::load_average());
    if wanted("memory") {
        memory(agents);
    }
    if wanted("commands") {
        commands(agents);
    }
    println!("load of this machine after: {}", measure::load_average());
}

fn memory(agents: usize) {
    println!("memory: {agents} agents of one client, READY; at most 48 KB for each");
    println!(
        "  {:<10} {:>9} {:>9} {:>9} {:>12} {:>9}",
        "transport", "KB each", "at peak", "MB before", "all ready in", "cpu"
    );
    let mut ours = 0.0;
    for transport in ["tls", "wss", "bosh"] {
        let mut simulator = Process::this(&["simulate", &agents.to_string()]);
        let announcement = simulator.line();
        let mut client = Process::this(&["agents", transport, &agents.to_string(), &announcement]);
        let settled: Settled = Settled::read(&client.line());
        settled.print(transport);
        if transport == "tls" {
            ours = settled.each();
        }
    }
    let mut simulator = Process::this(&["simulate", &SMACK.to_string()]);
    let smack = rivals::sessions(&simulator.line(), SMACK);
    println!("  Smack 4.4.8 over TLS, {SMACK} sessions without REST: {smack:.1} KB each, ratio {:.3}", ours / smack);
}

fn commands(agents: usize) {
    let mut simulator = Process::this(&["simulate", &agents.to_string()]);
    let announcement = simulator.line();
    let mut client = Process::this(&["agents", "tls", &agents.to_string(), &announcement]);
    client.line();
    println!("commands: {RATE} a second for {SECONDS} s, {agents} agents over TLS; 99 of 100 within 5 ms");
    println!(
        "  {:<8} {:>10} {:>10} {:>10} {:>12} {:>16} {:>8}",
        "", "median, us", "p99, us", "max, us", "a second", "cpu, us each", "failed"
    );
    let mut rounds: Vec<[Load; 3]> = Vec::new();
    for _ in 0..2 {
        let mut ask = |name: &str| {
            let load = Load::read(&client.ask(&format!("{name} {RATE} {SECONDS}")));
            load.print(name);
            load
        };
        let (ours, bare) = (ask("ours"), ask("bare"));
        let java = rivals::requests(&announcement, agents, RATE, SECONDS);
        java.print("Java");
        rounds.push([ours, bare, java]);
    }
    for [ours, bare, java] in &rounds {
        println!(
            "  ours more than bare: median {:+} us, p99 {:+} us; ratio to Java: median {:.2}, p99 {:.2}",
            ours.median_us - bare.median_us,
            ours.p99_us - bare.p99_us,
            ours.median_us as f64 / java.median_us as f64,
            ours.p99_us as f64 / java.p99_us as f64,
        );
    }
}
