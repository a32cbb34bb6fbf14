//! Clients of others, in Java.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::measure::Load;
use crate::process::Process;

/// A command that runs a class of ours, which is compiled before.
fn java(class: &str, libraries: &Path) -> Command {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scale/java");
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scale-java");
    let mut javac = Command::new("javac");
    javac.arg("-d").arg(&classes).arg("-cp").arg(libraries);
    javac.args(["Trust", class].map(|name| sources.join(name).with_extension("java")));
    assert!(javac.status().unwrap().success(), "{class} cannot be compiled");
    let path = std::env::join_paths([classes.as_path(), libraries]).unwrap();
    let mut java = Command::new("java");
    java.arg("-cp").arg(path).arg(class);
    java
}

/// The same changes of state with Java's own `HttpClient`.
pub(crate) fn requests(announcement: &str, agents: usize, rate: usize, seconds: usize) -> Load {
    let announcement: Value = serde_json::from_str(announcement).unwrap();
    let text = |pointer: &str| announcement.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let numbers = [agents, rate, seconds].map(|number| number.to_string());
    let mut java = Process::start(
        java("Requests", Path::new(""))
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
        java("Sessions", &cache.join("finesse-sim/smack/lib/*"))
            .args([text("/ca"), text("/nodes/0/xmpp/tls"), text("/nodes/0/host"), text("/agents/password")])
            .arg(count.to_string()),
    );
    java.line().trim().parse().unwrap()
}
