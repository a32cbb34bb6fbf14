//! How much memory a session takes, with TLS: there are thousands in one process.

mod support;

use std::fs;

use support::{login, prosody, server};
use topoc_finesse::xmpp::Session;
use topoc_finesse_proto::xmpp::options::{Options, Transport};
use topoc_finesse_proto::xmpp::sasl::Mechanism;

/// Enough to drown what is there anyway.
const SESSIONS: usize = 200;

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
    let prosody = prosody("memory");
    for (transport, port, path) in [
        (Transport::DirectTls, prosody.tls(), "/"),
        (Transport::WebSocket { tls: true }, prosody.https(), "/xmpp-websocket"),
    ] {
        let server = server(port).path(path);
        let options = Options { mechanisms: vec![Mechanism::Plain], ..Options::new(transport) };
        let mut sessions = Vec::new();
        let mut before = 0;
        for at in 0..SESSIONS + 20 {
            // The first ones warm what all share.
            if at == 20 {
                before = resident();
            }
            let login = login("1001", &format!("r{at}"));
            sessions.push(Session::open(&server, login, options.clone()).await.unwrap());
        }
        let each = resident().saturating_sub(before) / SESSIONS;
        println!("{transport:?}: {each} bytes a session");
        assert!(each < MOST, "{transport:?}: {each} bytes a session");
    }
}
