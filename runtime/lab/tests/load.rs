//! The load program: what it counts is true. How quick anything is, is no matter of tests.

use topoc_lab::{Java, LabError, Load, PATIENCE, Plain, load, ports, release};

#[test]
fn loads_count_what_really_passed() {
    let dir = tempfile::tempdir().unwrap();
    let port = ports(1).unwrap()[0];
    let broker = Plain::new("loaded").tcp(port).start(&release("5.18.3").unwrap(), dir.path()).unwrap();
    broker.wait_started(PATIENCE).unwrap();
    let uri = format!("tcp://127.0.0.1:{port}");
    let java = Java::start(dir.path()).unwrap();
    let waiting = |queue: &str| java.browse(&uri, queue, "", PATIENCE).unwrap();
    let arguments = |verb: &'static str, queue: &'static str, more: &[&'static str]| -> Vec<String> {
        let common = [verb, "--uri", &uri, "--queue", queue, "--warmup", "7", "--count", "93"];
        common.iter().chain(more).map(|&word| word.to_owned()).collect()
    };
    let run = |arguments: &[String]| {
        load(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), dir.path(), PATIENCE).unwrap()
    };

    let more = ["--size", "10", "--persistent", "--priority", "7", "--connections", "3"];
    let report = run(&arguments("send", "L", &more));
    assert_eq!((report.messages, report.broker.as_deref()), (93, Some("loaded")));
    assert!(report.seconds > 0.0 && report.cpu_seconds > 0.0 && report.peak_rss_kb > 10_000, "{report:?}");
    assert!(report.first_ms <= report.last_ms && report.latency_us.is_none(), "{report:?}");
    let messages = waiting("L");
    assert_eq!(messages.len(), 100);
    assert!(messages.iter().all(|message| message.persistent && message.priority == 7));
    assert_eq!(messages[99].body, topoc_lab::Body::Text(Some("x".repeat(10))));

    let report = run(&arguments("receive", "L", &["--connections", "2", "--prefetch", "10"]));
    assert_eq!(report.messages, 93);
    assert_eq!(waiting("L"), []);

    let echo = arguments("echo", "R", &["--connections", "2"]);
    let echo = Load::start(&echo.iter().map(String::as_str).collect::<Vec<_>>(), dir.path()).unwrap();
    echo.wait_ready(PATIENCE).unwrap();
    let report = run(&arguments("request", "R", &["--size", "100", "--connections", "2"]));
    let latency = report.latency_us.unwrap();
    assert!(latency.median > 0 && latency.median <= latency.p99 && latency.p99 <= latency.max, "{latency:?}");
    assert_eq!(echo.wait_report(PATIENCE).unwrap().messages, 93);

    broker.kill();
    let arguments = arguments("send", "L", &[]);
    let error = load(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), dir.path(), PATIENCE).unwrap_err();
    assert!(matches!(error, LabError::Exited { .. }) && error.to_string().contains("Connection refused"), "{error}");
}
