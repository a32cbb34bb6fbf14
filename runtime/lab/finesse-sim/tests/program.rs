//! The program itself: its first line, its control API, and its end.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use topoc_finesse_sim::{Options, Simulator};
use topoc_lab::{PATIENCE, Program};

/// Everybody's password, of the list that nothing may print (`runtime/lab/unmistakable-secrets`).
const PASSWORD: &str = "Tn8-simulated";

/// It ends with the test, and what it logs is searched then.
struct World {
    program: Program,
    first: Value,
    _folder: TempDir,
}

fn start(arguments: &[&str]) -> World {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-sim"));
    command.args(["--password", PASSWORD, "--verbose", "--end-with-stdin"]).args(arguments);
    let mut program = Program::start(command, folder.path()).unwrap();
    // It tells the password to whoever starts it, and to nobody else.
    let first = serde_json::from_str(&program.line(PATIENCE).unwrap()).unwrap();
    World { program, first, _folder: folder }
}

impl World {
    fn address(&self, pointer: &str) -> String {
        self.first.pointer(pointer).unwrap().as_str().unwrap().split("//").last().unwrap().to_owned()
    }

    /// The status and the body.
    fn http(&self, method: &str, path: &str, host: Option<&str>, body: &str) -> (u16, String) {
        exchange(&self.address("/control"), method, path, host, body)
    }

    fn post(&self, command: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.http("POST", &format!("/api/{command}"), None, body);
        (status, serde_json::from_str(&text).unwrap())
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.http("GET", "/api/state", None, "").1).unwrap()
    }

    fn until(&self, what: &str, seen: impl Fn(&Value) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !seen(&self.state()) {
            assert!(Instant::now() < end, "{what}: {}", self.state());
        }
    }
}

fn exchange(address: &str, method: &str, path: &str, host: Option<&str>, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).unwrap();
    let (host, length) = (host.unwrap_or(address), body.len());
    let head = "Content-Type: application/json\r\nConnection: close";
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, if status == 301 { head.to_owned() } else { body.to_owned() })
}

#[test]
fn the_first_line_says_where_everything_is() {
    let world = start(&["--agents", "500", "--nodes", "2"]);
    assert_eq!(world.first["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(world.first["agents"]["first"], "1001");
    assert_eq!(world.first["agents"]["count"], 500);
    for name in ["tls", "starttls"] {
        assert!(
            TcpStream::connect(world.address(&format!("/nodes/1/xmpp/{name}")).replace("localhost", "127.0.0.1"))
                .is_ok()
        );
    }
    let ca = std::fs::read_to_string(world.first["ca"].as_str().unwrap()).unwrap();
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"));
    let (status, head) = exchange(&world.address("/nodes/0/http"), "GET", "/finesse/api/SystemInfo", None, "");
    let rest = world.first["nodes"][0]["rest"].as_str().unwrap();
    assert_eq!(status, 301);
    assert!(head.contains(&format!("location: {rest}/finesse/api/SystemInfo")), "{head}");
}

#[test]
fn the_control_api_does_what_it_lists_and_says_what_is_wrong() {
    let world = start(&["--agents", "3", "--nodes", "1"]);
    assert_eq!(world.http("GET", "/api/journal?after=0", None, ""), (200, "{\"accepted\":[]}\n".to_owned()));
    assert_eq!(world.http("GET", "/api/journal?after=x", None, "").0, 400);
    let (status, table) = world.http("GET", "/api", None, "");
    let table: Value = serde_json::from_str(&table).unwrap();
    assert_eq!(status, 200);
    assert_eq!(table["commands"].as_array().unwrap().len(), topoc_finesse_sim::commands::COMMANDS.len());
    for (command, body, says) in [
        ("brake", "{}", "there is no command `brake`"),
        ("break", "{}", "`break` needs `node`"),
        ("break", r#"{"node":2,"service":"cti"}"#, "`node` cannot be 2: it is the number of a node, 1 to 1"),
        ("break", r#"{"node":1,"service":"cti","hwo":"down"}"#, "`break` has no field `hwo`"),
        ("call", r#"{"from":"1","to":"2001"}"#, "nobody has signed in at `2001`"),
        ("answer", r#"{"call":"5"}"#, "there is no call `5`"),
        ("break", "[", "this is no JSON object"),
    ] {
        let (status, answer) = world.post(command, body);
        assert_eq!(status, 400, "{command} {body}");
        assert!(answer["error"].as_str().unwrap().contains(says), "{answer}");
    }
    assert_eq!(world.http("GET", "/api/state", Some("evil.test"), "").0, 403, "under another name");
    assert_eq!(world.post("break", r#"{"node":1,"service":"tomcat"}"#).0, 200);
    assert_eq!(world.state()["nodes"][0]["tomcat"], "down");
    let rest = world.address("/nodes/0/rest").replace("localhost", "127.0.0.1");
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(&rest).is_ok() {
        assert!(Instant::now() < end, "Tomcat is down, and listens");
    }
    assert_eq!(world.post("restore", r#"{"node":1,"service":"tomcat"}"#).0, 200);
    while TcpStream::connect(&rest).is_err() {
        assert!(Instant::now() < end, "Tomcat is back, and does not listen");
    }
}

#[test]
fn a_scenario_is_played_and_a_wrong_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, "[[step]]\nat = \"1s\"\ndo = \"break\"\nnode = 1\nservice = \"cti\"\n").unwrap();
    let path = file.to_str().unwrap();
    let world = start(&["--speed", "10", "--scenario", path]);
    world.until("the scenario takes CTI down", |state| state["nodes"][0]["status"] == "OUT_OF_SERVICE");
    for (text, says) in [
        ("[[step]]\nat = \"1s\"\ndo = \"brake\"\n", "step 1: there is no command `brake`"),
        ("[[step]]\nat = \"soon\"\ndo = \"break\"\n", "`soon` is no time"),
        ("[[steps]]\n", "there is nothing named `steps`"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut wrong = Command::new(env!("CARGO_BIN_EXE_finesse-sim"));
        wrong.args(["--scenario", path, "--password", PASSWORD]);
        let output = topoc_lab::output(wrong).unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(says) && !told.contains('\u{1b}'), "no colour where there is no terminal: {output:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn it_runs_inside_of_another_program() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let simulator = Simulator::start(Options::new(3, 2)).await.unwrap();
        let fields = serde_json::json!({"node": 2, "service": "cti"});
        simulator.command("break", fields.as_object().unwrap()).unwrap();
        assert_eq!(simulator.state()["nodes"][1]["status"], "OUT_OF_SERVICE");
        let control = simulator.announcement()["control"].as_str().unwrap().replace("http://localhost", "127.0.0.1");
        assert!(TcpStream::connect(&control).is_ok());
        simulator.stop().await;
        assert!(TcpStream::connect(&control).is_err(), "its ports are closed");
    });
}

#[test]
fn it_ends_well_when_told_to() {
    let world = start(&[]);
    world.program.close_stdin();
    assert_eq!(world.program.wait_exit(PATIENCE).unwrap().code(), Some(0), "its standard input has ended");
    let world = start(&[]);
    assert_eq!(world.program.terminate(PATIENCE).unwrap().code(), Some(0), "SIGTERM");
    assert!(world.program.errors().unwrap().contains("ends"), "it says so");
}
