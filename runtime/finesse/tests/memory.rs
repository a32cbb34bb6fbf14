//! How much memory a session takes, with TLS: there are thousands in one process.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

mod support;

use std::fs;

use support::{login, prosody_of, server};
use topoc_finesse::xmpp::Session;
use topoc_finesse_proto::xmpp::options::{Options, Transport};
use topoc_finesse_proto::xmpp::sasl::Mechanism;

/// Enough to drown what is there anyway.
const SESSIONS: usize = 200;

/// What all share is made by the first ones.
const WARM: usize = 20;

/// What an agent may take, in bytes.
const MOST: usize = 48 << 10;

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[tokio::test]
async fn a_session_within_tls_takes_less_than_48_kb() {
    // Each its own: sessions of one agent tell each other of their presence.
    let agents: Vec<String> = (0..SESSIONS + WARM).map(|at| format!("agent{at}")).collect();
    let prosody = prosody_of("memory", &agents.iter().map(String::as_str).collect::<Vec<_>>());
    // Kept to the end, so that none takes the memory that another has left.
    let mut sessions = Vec::new();
    for (transport, port, path) in [
        (Transport::DirectTls, prosody.tls(), "/"),
        (Transport::WebSocket { tls: true }, prosody.https(), "/xmpp-websocket"),
        // Two connections.
        (Transport::Bosh { tls: true }, prosody.https(), "/http-bind"),
    ] {
        let server = server(port).path(path);
        let options = Options { mechanisms: vec![Mechanism::Plain], ..Options::new(transport) };
        let mut before = 0;
        for (at, agent) in agents.iter().enumerate() {
            if at == WARM {
                before = resident();
            }
            sessions.push(Session::open(&server, login(agent, path), options.clone()).await.unwrap());
        }
        let each = resident().saturating_sub(before) / SESSIONS;
        println!("{transport:?}: {each} bytes a session");
        assert!(each > 1_000, "{transport:?}: {each} bytes a session cannot be measured right");
        assert!(each < MOST, "{transport:?}: {each} bytes a session");
    }
}
