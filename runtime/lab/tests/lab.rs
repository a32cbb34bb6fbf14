//! The lab against real brokers: they start, carry messages, fail as known, and never outlive their test.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use topoc_lab::{Broker, Java, LabError, Launch, PATIENCE, Plain, Release, ports, release, schema, validate_xml};

/// Passwords of the list that no program may print.
const RIGHT: &str = "Mh4-moonlit";
const WRONG: &str = "Sd6-sunlit";

const RELEASES: [&str; 4] = ["5.15.16", "5.17.6", "5.18.3", "6.3.1"];

/// A broker's file around the elements that matter to a test.
fn activemq_xml(name: &str, uri: &str, more: &str) -> String {
    Plain::new(name).persistent().listen(uri, &[]).element(more).xml()
}

fn tcp(port: u16) -> String {
    format!("tcp://127.0.0.1:{port}")
}

fn start(release: &Release, dir: &Path, xml: &str) -> Broker {
    fs::write(dir.join("activemq.xml"), xml).unwrap();
    Broker::start(release, &dir.join("activemq.xml"), dir).unwrap()
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or(status.signal().map(|signal| -signal)).unwrap()
}

fn process_exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn each_release_starts_and_carries_a_message() {
    let java_dir = tempfile::tempdir().unwrap();
    let java = Java::start(java_dir.path()).unwrap();
    let brokers = RELEASES.map(|name| {
        let dir = tempfile::tempdir().unwrap();
        let uri = tcp(ports(1).unwrap()[0]);
        let broker = start(&release(name).unwrap(), dir.path(), &activemq_xml("alone", &uri, ""));
        (broker, uri, dir)
    });
    for (broker, uri, _) in &brokers {
        broker.wait_started(PATIENCE).unwrap();
        let receiver = java.receiver(uri, "GC.REQUESTS").unwrap();
        assert_eq!(receiver.wait_ready(PATIENCE).unwrap().as_deref(), Some("alone"));
        java.send(uri, "GC.REQUESTS", &["first", "tab\t, backslash \\, grün"], PATIENCE).unwrap();
        let messages = receiver.wait_messages(2, PATIENCE).unwrap();
        let texts: Vec<_> = messages.iter().map(|message| message.text.as_deref().unwrap()).collect();
        assert_eq!(texts, ["first", "tab\t, backslash \\, grün"]);
        receiver.close(PATIENCE).unwrap();
    }
    for (broker, ..) in &brokers {
        assert_eq!(code(broker.terminate(PATIENCE).unwrap()), 143);
    }
}

#[test]
fn a_request_crosses_a_duplex_bridge_and_its_answer_returns() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let java = Java::start(dirs[0].path()).unwrap();
    let uris: Vec<String> = ports(2).unwrap().into_iter().map(tcp).collect();
    let release = release("6.3.1").unwrap();
    let bridge = format!(
        r#"<networkConnectors><networkConnector name="to-b" duplex="true" uri="static:({})"/></networkConnectors>"#,
        uris[1]
    );
    let b = start(&release, dirs[1].path(), &activemq_xml("b", &uris[1], ""));
    let a = start(&release, dirs[0].path(), &activemq_xml("a", &uris[0], &bridge));
    a.wait_bridges(1, PATIENCE).unwrap();
    b.wait_bridges(1, PATIENCE).unwrap();

    let connector = java.echo("gc-1", &uris[1], "GC.REQUESTS?consumer.priority=127").unwrap();
    connector.wait_ready(PATIENCE).unwrap();
    let answers = java.request(&uris[0], "GC.REQUESTS", Some("GC.REPLY.desktop-1"), &["hello"], PATIENCE).unwrap();
    assert_eq!(answers[0].as_ref().and_then(|answer| answer.text.as_deref()), Some("gc-1 hello"));
    assert_eq!(connector.messages()[0].path.len(), 1, "the request passed one broker before b");

    let mark = a.mark().unwrap();
    b.kill();
    let b = Broker::start(&release, &dirs[1].path().join("activemq.xml"), dirs[1].path()).unwrap();
    b.wait_started(PATIENCE).unwrap();
    a.wait_log_since(mark, "has been established", PATIENCE).unwrap();
}

#[test]
fn a_listener_on_failover_does_not_start() {
    for name in ["5.15.16", "6.3.1"] {
        let dir = tempfile::tempdir().unwrap();
        let uri = format!("failover:({})", tcp(ports(1).unwrap()[0]));
        let broker = start(&release(name).unwrap(), dir.path(), &activemq_xml("fa", &uri, ""));
        let error = broker.wait_started(PATIENCE).unwrap_err();
        let LabError::Exited { status, .. } = &error else { panic!("{name}: {error}") };
        assert_eq!(code(*status), 1);
        assert!(error.to_string().contains(&format!("Invalid server URI: {uri}")), "{name}: {error}");
        assert!(broker.log().unwrap().contains("Failed to start Apache ActiveMQ"));
    }
}

#[test]
fn a_broker_dies_with_its_handle_when_a_test_panics() {
    let dir = tempfile::tempdir().unwrap();
    let uri = tcp(ports(1).unwrap()[0]);
    let broker = start(&release("6.3.1").unwrap(), dir.path(), &activemq_xml("alone", &uri, ""));
    let pid = broker.pid();
    assert!(process_exists(pid));
    let panicked = std::thread::spawn(move || {
        broker.wait_started(PATIENCE).unwrap();
        panic!("as a failing test does (this message belongs here)");
    });
    assert!(panicked.join().is_err());
    assert!(!process_exists(pid));
}

#[test]
fn a_broker_dies_when_the_test_process_is_killed() {
    // This test starts itself again as the process to be killed.
    const IN_CHILD: &str = "TOPOC_LAB_TEST_CHILD";
    if let Some(dir) = std::env::var_os(IN_CHILD) {
        let dir = Path::new(&dir);
        let broker = start(&release("6.3.1").unwrap(), dir, &activemq_xml("alone", &tcp(ports(1).unwrap()[0]), ""));
        broker.wait_started(PATIENCE).unwrap();
        fs::write(dir.join("pid.tmp"), broker.pid().to_string()).unwrap();
        fs::rename(dir.join("pid.tmp"), dir.join("pid")).unwrap();
        broker.wait_exit(PATIENCE).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_broker_dies_when_the_test_process_is_killed"])
        .env(IN_CHILD, dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let until = |what: &str, seen: &dyn Fn() -> bool| {
        let end = Instant::now() + PATIENCE;
        while !seen() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    until("the broker did not start", &|| dir.path().join("pid").exists());
    let pid: u32 = fs::read_to_string(dir.path().join("pid")).unwrap().parse().unwrap();
    assert!(process_exists(pid));
    child.kill().unwrap();
    child.wait().unwrap();
    // An orphan is reaped by somebody else, at some time: a zombie has ended too.
    until("the broker outlived its test", &|| {
        fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    });
}

#[test]
fn a_secret_comes_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let java = Java::start(dir.path()).unwrap();
    let uri = tcp(ports(1).unwrap()[0]);
    let xml = Plain::new("alone").listen(&uri, &[]).user("gc", "${GC_PASSWORD}").write(dir.path()).unwrap();
    let release = release("5.18.3").unwrap();
    let broker = Launch::new(&release, &xml, dir.path()).env("GC_PASSWORD", RIGHT).start().unwrap();
    broker.wait_started(PATIENCE).unwrap();
    let with = |password: &str| format!("{uri}?jms.userName=gc&jms.password={password}");
    java.send(&with(RIGHT), "Q", &["hello"], PATIENCE).unwrap();
    let refused = java.send(&with(WRONG), "Q", &["hello"], PATIENCE).unwrap_err();
    assert!(refused.to_string().contains("SecurityException"), "{refused}");
}

#[test]
fn a_call_to_a_broker_that_is_down_ends() {
    let dir = tempfile::tempdir().unwrap();
    let java = Java::start(dir.path()).unwrap();
    let uri = tcp(ports(1).unwrap()[0]);
    let refused = java.send(&uri, "Q", &["hello"], PATIENCE).unwrap_err();
    assert!(refused.to_string().contains("Connection refused"), "{refused}");
    let waits = java.receiver(&format!("failover:({uri})"), "Q").unwrap();
    let late = waits.wait_ready(Duration::from_millis(300)).unwrap_err();
    assert!(matches!(late, LabError::TooLate { .. }), "{late}");
}

#[test]
fn the_schema_of_each_release_knows_its_own_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("activemq.xml");
    let replay = r#"<networkConnectors><networkConnector uri="static:(tcp://b:61616)" {}="true"/></networkConnectors>"#;
    let write = |attribute: &str| {
        let xml = activemq_xml("a", "tcp://0.0.0.0:61616", &replay.replace("{}", attribute));
        fs::write(&file, xml).unwrap();
    };
    write("duplex");
    for name in RELEASES {
        validate_xml(&release(name).unwrap(), &file).unwrap();
    }
    schema("5.6.0").unwrap().validate(&file).unwrap();

    write("duplx");
    for name in RELEASES {
        let error = validate_xml(&release(name).unwrap(), &file).unwrap_err();
        let LabError::NotValid { complaints, .. } = &error else { panic!("{error}") };
        assert_eq!(complaints.len(), 1, "{error}");
        assert!(complaints[0].contains("activemq.xml:10: ") && complaints[0].contains("duplx"), "{error}");
    }
}

#[test]
fn java_reads_properties_as_java_does() {
    let dir = tempfile::tempdir().unwrap();
    let java = Java::start(dir.path()).unwrap();
    let file = dir.path().join("connector.properties");
    fs::write(&file, "# a comment\nplain = value\nlong = first \\\n  second\nspaced\\ key : gr\\u00fcn\n").unwrap();
    let loaded = java.load_properties(&file).unwrap();
    let loaded: Vec<(&str, &str)> = loaded.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(loaded, [("long", "first second"), ("plain", "value"), ("spaced key", "grün")]);

    fs::write(&file, "bad = \\u00zz\n").unwrap();
    let error = java.load_properties(&file).unwrap_err();
    assert!(error.to_string().contains("Malformed \\uxxxx encoding"), "{error}");
}
