//! The simulated Finesse: started, and read for where it is.

use super::interrupts::Interrupts;
use super::process::{Recipe, Running};
use crate::failure::Failure;
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ChildStdout;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Between two looks whether somebody has had enough.
const LOOK: Duration = Duration::from_millis(50);
/// A simulator listens within a second; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it says of itself.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) nodes: Vec<Ports>,
    /// The page that shows it and lets a person break it.
    pub(super) control: String,
    /// The file of the authority of its certificates.
    pub(super) ca: String,
    /// The first agent's id.
    pub(super) first: u32,
    pub(super) password: String,
}

/// The ports of a node.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) rest: u16,
    tls: u16,
    websocket: u16,
    bosh: u16,
}

impl Ports {
    /// The port of notifications, by the topology's word for how they are fetched.
    pub(super) fn xmpp(&self, how: Option<&str>) -> u16 {
        match how {
            Some("websocket") => self.websocket,
            Some("bosh") => self.bosh,
            _ => self.tls,
        }
    }
}

#[derive(Deserialize)]
struct Announcement {
    nodes: Vec<Node>,
    control: String,
    ca: String,
    agents: Agents,
}

#[derive(Deserialize)]
struct Node {
    rest: String,
    xmpp: Xmpp,
}

#[derive(Deserialize)]
struct Xmpp {
    tls: String,
    ws: String,
    bosh: String,
}

#[derive(Deserialize)]
struct Agents {
    first: String,
    password: String,
}

/// What there is to be of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) agents: usize,
    /// The word for the product that it belongs to.
    pub(super) product: &'static str,
}

/// Starts it, and waits until it listens; none where that was interrupted.
pub(super) fn start(
    program: &Path,
    size: Size,
    folder: &Path,
    interrupts: &Interrupts,
) -> Result<Option<(Running, Simulated)>, Failure> {
    let (agents, nodes) = (size.agents.to_string(), size.nodes.to_string());
    let arguments = ["--agents", &agents, "--nodes", &nodes, "--deployment", size.product].map(Into::into);
    let recipe = Recipe {
        name: "finesse-sim".to_owned(),
        program: program.to_owned(),
        arguments: arguments.into(),
        environment: Vec::new(),
        folder: folder.to_owned(),
        log: folder.join("finesse-sim.log"),
    };
    let (running, stdout) = recipe.start(true)?;
    let line = stdout.and_then(|stdout| first_line(stdout, interrupts)).unwrap_or_default();
    match serde_json::from_str(&line).ok().and_then(read) {
        Some(simulated) => Ok(Some((running, simulated))),
        None if interrupts.came() => Ok(None),
        None => Err(did_not_start(program, &running.last_words())),
    }
}

fn did_not_start(program: &Path, says: &str) -> Failure {
    let says = if says.is_empty() { "it says nothing" } else { says };
    Failure::new(format!(
        "`{}` is started as the simulated Finesse and does not tell where it listens: {says}",
        program.display()
    ))
    .help("name the `finesse-sim` that came with topoc, with `--simulator FILE`")
}

/// The first line, if it comes in time. What follows is read and dropped, so that the simulator can go on writing.
fn first_line(stdout: ChildStdout, interrupts: &Interrupts) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        let _ = sender.send(lines.next().and_then(Result::ok));
        lines.for_each(drop);
    });
    let until = Instant::now() + PATIENCE;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(line) => return line,
            Err(RecvTimeoutError::Timeout) if Instant::now() < until && !interrupts.came() => {}
            Err(_) => return None,
        }
    }
}

fn read(said: Announcement) -> Option<Simulated> {
    let ports = |node: &Node| {
        Some(Ports {
            rest: port(&node.rest)?,
            tls: port(&node.xmpp.tls)?,
            websocket: port(&node.xmpp.ws)?,
            bosh: port(&node.xmpp.bosh)?,
        })
    };
    Some(Simulated {
        nodes: said.nodes.iter().map(ports).collect::<Option<_>>()?,
        control: said.control,
        ca: said.ca,
        first: said.agents.first.parse().ok()?,
        password: said.agents.password,
    })
}

/// Of `https://127.0.0.1:8445/x` and of `127.0.0.1:5223`.
fn port(address: &str) -> Option<u16> {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, _) = host.split_once('/').unwrap_or((host, ""));
    host.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn an_address_has_a_port() {
        assert_eq!(port("https://127.0.0.1:8445"), Some(8445));
        assert_eq!(port("wss://localhost:7443/ws/"), Some(7443));
        assert_eq!(port("127.0.0.1:5223"), Some(5223));
        assert_eq!(port("https://localhost/"), None);
    }
}
