//! How soon findings follow a change, seen by a client over stdio, beside tombi on TOML of as many lines; start and memory.
//!
//! `cargo bench -p topoc --bench lsp`. tombi comes with the tests of the editors (`editors/tests/fetch`).
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::unwrap_used, reason = "what cannot be measured fails the benchmark")]

#[expect(dead_code, reason = "shared with the benchmark of checking, which also writes XML")]
#[path = "../scale/generate.rs"]
mod generate;

use lsp_server::{Message, Notification, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Changes of which the median counts.
const CHANGES: i32 = 60;
/// Starts of which the median counts.
const STARTS: usize = 7;

/// What a change, the start and the memory may take: lines, and milliseconds for a change.
const BOUNDS: [(usize, f64); 2] = [(1_000, 5.0), (10_000, 25.0)];
const START: f64 = 50.0;
const MEMORY: f64 = 64.0;

fn main() {
    // `cargo test --benches` runs this too; there is nothing to test in it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tombi = tombi();
    for (lines, bound) in BOUNDS {
        // A pair of sites takes 39 lines, and is two brokers.
        let topology = generate::topology(lines * 2 / 39);
        let ours =
            measure(Command::new(env!("CARGO_BIN_EXE_topoc")).arg("lsp"), &Text::topology(topology), folder.path());
        println!("{lines} lines");
        println!("  change to findings   topoc {:7.2} ms   {}", ours.change, verdict(ours.change, bound, "ms"));
        println!("  start to findings    topoc {:7.2} ms   {}", ours.start, verdict(ours.start, START, "ms"));
        println!("  memory               topoc {:7.1} MiB  {}", ours.memory, verdict(ours.memory, MEMORY, "MiB"));
        let Some(tombi) = &tombi else { continue };
        let theirs = measure(Command::new(tombi).args(["lsp", "--offline"]), &Text::toml(lines), folder.path());
        println!(
            "  change to findings   tombi {:7.2} ms   topoc takes {:.2} of it",
            theirs.change,
            ours.change / theirs.change
        );
        println!(
            "  start to findings    tombi {:7.2} ms   topoc takes {:.2} of it",
            theirs.start,
            ours.start / theirs.start
        );
        println!(
            "  memory               tombi {:7.1} MiB  topoc takes {:.2} of it",
            theirs.memory,
            ours.memory / theirs.memory
        );
    }
    if tombi.is_none() {
        println!("tombi is not in the cache: run editors/tests/fetch to compare with it");
    }
}

fn verdict(found: f64, bound: f64, unit: &str) -> String {
    format!("{} {bound} {unit}", if found < bound { "below" } else { "OVER" })
}

fn tombi() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cache = std::env::var_os("TOPOC_LAB_CACHE").map_or_else(|| repository.join(".cache"), PathBuf::from);
    Some(cache.join("editors/venv/bin/tombi")).filter(|path| path.exists())
}

/// A text, where one character of it is changed again and again, and what to.
struct Text {
    language: &'static str,
    text: String,
    at: (usize, usize),
    /// The first makes a finding, the second takes it away, so that each change is followed by another report.
    turns: [&'static str; 2],
}

impl Text {
    fn topology(text: String) -> Self {
        let line = text.lines().count() / 2;
        let (line, found) = text.lines().enumerate().skip(line).find(|(_, line)| line.contains("host =")).unwrap();
        let column = found.find("host").unwrap();
        Self { language: "topo", text, at: (line, column), turns: ["x", "h"] }
    }

    fn toml(lines: usize) -> Self {
        let mut text = String::new();
        for number in 0..lines / 5 {
            writeln!(text, "[broker-{number}]\nhost = \"amq-{number}\"\nport = 61616\nstore = [\"a\", \"b\"]\n")
                .unwrap();
        }
        let line = lines / 10 * 5 + 1;
        let found = text.lines().nth(line).unwrap();
        Self { language: "toml", at: (line, found.find('=').unwrap()), text, turns: ["?", "="] }
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Measured {
    change: f64,
    start: f64,
    memory: f64,
}

struct Client {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn send(&mut self, message: impl Into<Message>) {
        message.into().write(&mut self.input).unwrap();
    }

    fn stop(mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(Notification { method: method.into(), params });
    }

    /// Waits for a message, answering what the server asks on its own account.
    fn wait(&mut self, wanted: impl Fn(&Heard) -> bool) {
        loop {
            let heard = self.hear();
            if wanted(&heard) {
                return;
            }
            if let (Some(id), Some(_)) = (heard.id, heard.method) {
                self.send(lsp_server::Response::new_ok(id, Value::Null));
            }
        }
    }

    /// Reads a message to its end and through all its JSON, and keeps what it is about. What a client makes of thousands of
    /// findings is its own affair: a tree of them, as `Message::read` builds, takes longer than finding them.
    fn hear(&mut self) -> Heard {
        let mut length = 0;
        let mut header = String::new();
        while self.output.read_line(&mut header).expect("the server goes on") > 2 {
            if let Some(value) = header.trim_end().strip_prefix("Content-Length: ") {
                length = value.parse().unwrap();
            }
            header.clear();
        }
        let mut content = vec![0; length];
        self.output.read_exact(&mut content).expect("the server goes on");
        serde_json::from_slice(&content).unwrap()
    }

    fn findings(&mut self, version: i32) {
        self.wait(|heard| {
            let told = heard.params.as_ref().and_then(|params| params.version);
            heard.method.as_deref() == Some("textDocument/publishDiagnostics")
                && told.is_none_or(|told| told == version)
        });
    }
}

/// What is kept of a message.
#[derive(Deserialize)]
struct Heard {
    id: Option<lsp_server::RequestId>,
    method: Option<String>,
    params: Option<Told>,
}

#[derive(Deserialize)]
struct Told {
    version: Option<i32>,
}

/// Starts a server and waits for its first findings: the client, and how long that took in milliseconds.
fn start(command: &mut Command, text: &Text, uri: &str, folder: &Path) -> (Client, f64) {
    let began = Instant::now();
    let mut server =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
    let (input, output) = (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
    let mut client = Client { server, input, output };
    let root = json!([{ "uri": format!("file://{}", folder.display()), "name": "root" }]);
    let can = json!({ "textDocument": { "publishDiagnostics": { "versionSupport": true } } });
    let params = json!({ "processId": null, "rootUri": null, "capabilities": can, "workspaceFolders": root });
    client.send(Request { id: 1.into(), method: "initialize".into(), params });
    client.wait(|heard| heard.method.is_none());
    client.notify("initialized", json!({}));
    let item = json!({ "uri": uri, "languageId": text.language, "version": 0, "text": text.text });
    client.notify("textDocument/didOpen", json!({ "textDocument": item }));
    client.findings(0);
    (client, milliseconds(began.elapsed()))
}

fn measure(command: &mut Command, text: &Text, folder: &Path) -> Measured {
    let path = folder.join(if text.language == "topo" { "main.topo" } else { "main.toml" });
    fs::write(&path, &text.text).unwrap();
    let uri = format!("file://{}", path.display());
    let mut starts = Vec::new();
    for _ in 1..STARTS {
        let (client, took) = start(command, text, &uri, folder);
        client.stop();
        starts.push(took);
    }
    let (mut client, took) = start(command, text, &uri, folder);
    starts.push(took);

    let (line, character) = text.at;
    let range = json!({ "start": { "line": line, "character": character }, "end": { "line": line, "character": character + 1 } });
    let mut times: Vec<f64> = (1..=CHANGES)
        .map(|version| {
            let new = text.turns[usize::from(version % 2 == 0)];
            let document = json!({ "uri": uri, "version": version });
            let began = Instant::now();
            let changes = json!([{ "range": range, "text": new }]);
            client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
            client.findings(version);
            milliseconds(began.elapsed())
        })
        .collect();
    let memory = memory(client.server.id());
    client.stop();
    Measured { change: median(&mut times), start: median(&mut starts), memory }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The most memory that a process has had, in MiB.
fn memory(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
