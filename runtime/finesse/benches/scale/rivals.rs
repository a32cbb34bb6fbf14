//! Clients of others, in Java, which `java` runs from their source.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::measure::Load;
use crate::process::Process;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scale/java").join(name)
}

/// The same changes of state with Java's own `HttpClient`.
pub(crate) fn requests(announcement: &str, agents: usize, rate: usize, seconds: usize) -> Load {
    let announcement: Value = serde_json::from_str(announcement).unwrap();
    let text = |pointer: &str| announcement.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let numbers = [agents, rate, seconds].map(|number| number.to_string());
    let mut java = Process::start(
        Command::new("java")
            .arg(source("Requests.java"))
            .args([text("/ca"), text("/nodes/0/rest"), text("/agents/password")])
            .args(numbers),
    );
    Load::read(&java.line())
}

/// What a session of Smack takes, in KB.
pub(crate) fn sessions(announcement: &str, count: usize) -> f64 {
    let announcement: Value = serde_json::from_str(announcement).unwrap();
    let text = |pointer: &str| announcement.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab/finesse-sim/tests/clients");
    assert!(Command::new(clients.join("fetch")).status().unwrap().success(), "Smack cannot be fetched");
    let cache =
        std::env::var_os("TOPOC_LAB_CACHE").map_or_else(|| clients.join("../../../../../.cache"), PathBuf::from);
    let mut java = Process::start(
        Command::new("java")
            .arg("-cp")
            .arg(cache.join("finesse-sim/smack/lib/*"))
            .arg(source("Sessions.java"))
            .args([text("/ca"), text("/nodes/0/xmpp/tls"), text("/nodes/0/host"), text("/agents/password")])
            .arg(count.to_string()),
    );
    java.line().trim().parse().unwrap()
}
