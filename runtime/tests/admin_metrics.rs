//! Metrics, and what is built on them: the text that Prometheus takes, alerts, the dashboard, and their pages of the guide.
//!
//! Needs Debian's package `prometheus`, for `promtool`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use topoc_connector::admin::metrics::{self, Kind, METRICS, Row, Scene};
use topoc_connector::admin::{
    BOUNDS, DROPPED, Identity, JUDGEMENTS, Life, Limits, Outcome, Peer, Place, Process, REASONS, Server, Session,
    Stage, Status,
};
use topoc_connector::logs::Missing;
use topoc_core::sync::Dropped;
use topoc_finesse_proto::cluster::Judgement;

/// What Prometheus adds to everything it scrapes, or reads in rules.
const OF_PROMETHEUS: [&str; 5] = ["job", "instance", "le", "alertname", "alertstate"];
const METRICS_OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];

/// A connector of which everything is known, with names that try to get out of their quotes.
fn full() -> Status {
    let text = |text: &str| text.to_owned();
    let mut status = Status {
        identity: Identity {
            topology: text("t\"} 1\nup 1 \\ é"),
            site: text("site-1"),
            connector: text("gc-1"),
            deployment: text("main"),
            plan: text("abc"),
            epoch: 3,
        },
        stage: Stage::Draining,
        paused: true,
        pauses: 4,
        sent: 5,
        unsent: 6,
        sessions: Session::ALL.into_iter().zip(1..).collect(),
        known: 20,
        peers: vec![Peer { name: text("gc-2"), life: Life::Dead }],
        dropped: BTreeMap::from([("forged", 2)]),
        recent: 7,
        limits: Limits { requests: 256, agents: 4000, unsent: 1024, recent: 10_000 },
        ..Status::default()
    };
    status.broker.connected = Some(Place::new("ssl://user:moonshine@amq-1:61617?a=b", Some("amq \"1\"")));
    status.finesse.servers = [("fin-a", Judgement::OutOfService), ("fin-b", Judgement::Good)]
        .map(|(host, judgement)| Server { host: text(host), judgement })
        .into();
    status.finesse.used = Some(1);
    status.requests.answered("MakeReady", Outcome::Done, 0.02);
    status.requests.answered("MakeReady", Outcome::Unknown, 12.0);
    status.requests.answered("FormatDisk", Outcome::Invalid, 100.0);
    status
}

fn rendered(status: &Status) -> String {
    let process = Process::read(Path::new("/proc"));
    let missing = Missing { left_out: 9, lost: 8 };
    metrics::text(&Scene { status, process: &process, beat: Duration::from_millis(1500), still: true, missing })
}

fn promtool(arguments: &[&str], input: &str) -> Output {
    let mut promtool = Command::new("promtool")
        .args(arguments)
        .current_dir(ops())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is needed: install the Debian package `prometheus`");
    promtool.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("promtool reads");
    promtool.wait_with_output().expect("promtool ends")
}

fn ops() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ops")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(ops().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn content(output: &Output) {
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_table_keeps_to_prometheus_conventions() {
    let mut names = BTreeSet::new();
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
    };
    for Row { name, kind, help, labels, .. } in METRICS {
        assert!(names.insert(name), "{name} is there twice");
        assert!(is_name(name) && (name.starts_with("topoc_connector_") || name.starts_with("process_")), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert!(help.ends_with('.') && help.len() > 15, "{name}: {help}");
        assert!(labels.iter().all(|label| is_name(label) && !OF_PROMETHEUS.contains(label)), "{name}");
    }
}

#[test]
fn promtool_finds_nothing_to_say() {
    for status in [full(), Status::default()] {
        let output = promtool(&["check", "metrics"], &rendered(&status));
        content(&output);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
    let wrong = promtool(&["check", "metrics"], "# TYPE a counter\na{b=\"} 1\n");
    assert!(!wrong.status.success(), "it looks");
}

/// Name, labels, value.
type Sample = (String, Vec<(String, String)>, f64);

/// Reads a line. It reads nothing that is not exactly in the format.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, quoted) = rest.split_once("=\"")?;
            let (mut value, mut letters) = (String::new(), quoted.char_indices());
            let end = loop {
                match letters.next()? {
                    (_, '\\') => value.push(match letters.next()?.1 {
                        'n' => '\n',
                        one @ ('\\' | '"') => one,
                        _ => return None,
                    }),
                    (at, '"') => break at,
                    (_, one) => value.push(one),
                }
            };
            labels.push((label.to_owned(), value));
            rest = &quoted[end + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.strip_prefix(' ')?;
    Some((name.to_owned(), labels, value.parse().ok()?))
}

type Samples = BTreeMap<String, Vec<(BTreeMap<String, String>, f64)>>;

fn samples(text: &str) -> Samples {
    let mut all = Samples::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels, value) = sample(line).unwrap_or_else(|| panic!("{line}"));
        all.entry(name).or_default().push((labels.into_iter().collect(), value));
    }
    all
}

#[test]
fn every_metric_has_samples_with_just_its_labels() {
    let all = samples(&rendered(&full()));
    for Row { name, kind, labels, .. } in METRICS {
        if *kind == Kind::Histogram {
            continue;
        }
        let of = all.get(*name).unwrap_or_else(|| panic!("{name} has no sample"));
        let wanted: BTreeSet<_> = labels.iter().map(|label| (*label).to_owned()).collect();
        let mut seen = BTreeSet::new();
        for (labels, _) in of {
            assert_eq!(labels.keys().cloned().collect::<BTreeSet<_>>(), wanted, "{name}");
            assert!(seen.insert(labels.clone()), "{name} has a sample twice: {labels:?}");
        }
    }
    let known: BTreeSet<_> = METRICS.iter().map(|row| row.name).collect();
    let of_histogram = |name: &str| name.starts_with("topoc_connector_request_seconds_");
    assert!(all.keys().all(|name| known.contains(name.as_str()) || of_histogram(name)), "{:?}", all.keys());
}

/// The value of a sample with this label.
fn value(all: &Samples, name: &str, label: (&str, &str)) -> f64 {
    let found = all[name].iter().find(|(labels, _)| labels.get(label.0).is_some_and(|value| value == label.1));
    found.unwrap_or_else(|| panic!("{name}{label:?}")).1
}

#[test]
fn values_are_those_of_the_status() {
    let all = samples(&rendered(&full()));
    let one = |name: &str| all[name][0].1;
    assert_eq!(value(&all, "topoc_connector_info", ("topology", "t\"} 1\nup 1 \\ é")), 1.0);
    assert_eq!((one("topoc_connector_ready"), one("topoc_connector_draining")), (0.0, 1.0));
    let unready = |reason| value(&all, "topoc_connector_unready", ("reason", reason));
    assert_eq!(["draining", "still", "no-broker", "no-finesse", "starting"].map(unready), [1.0, 1.0, 0.0, 0.0, 0.0]);
    assert_eq!((one("topoc_connector_paused"), one("topoc_connector_held")), (1.0, 0.0));
    assert_eq!((one("topoc_connector_loop_age_seconds"), one("topoc_connector_log_left_out_total")), (1.5, 9.0));
    assert_eq!(one("topoc_connector_log_lost_total"), 8.0);
    let session = |session: Session| value(&all, "topoc_connector_agents", ("session", session.word()));
    assert_eq!(Session::ALL.map(session), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(value(&all, "topoc_connector_broker_info", ("address", "ssl://amq-1:61617")), 1.0);
    assert_eq!(value(&all, "topoc_connector_finesse_used", ("server", "fin-b")), 1.0);
    assert_eq!(
        (one("topoc_connector_finesse_usable"), value(&all, "topoc_connector_limit", ("of", "agents"))),
        (1.0, 4000.0)
    );
    assert!(!rendered(&full()).contains("moonshine"), "no password of an address");

    let dropped = |reason| value(&all, "topoc_connector_sync_dropped_total", ("reason", reason));
    assert_eq!((dropped("forged"), dropped("stranger")), (2.0, 0.0), "each from 0 on");
    assert_eq!(samples(&rendered(&Status::default())).get("topoc_connector_sync_dropped_total"), None, "nobody tells");

    let requests = &all["topoc_connector_requests_total"];
    let is_of = |command: &str, outcome: &str| {
        let found = requests.iter().find(|(labels, _)| labels["command"] == command && labels["outcome"] == outcome);
        found.map(|(_, value)| *value)
    };
    assert_eq!(
        (is_of("MakeReady", "done"), is_of("MakeReady", "unknown"), is_of("MakeReady", "busy")),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    assert_eq!(
        (is_of("none", "invalid"), is_of("FormatDisk", "invalid")),
        (Some(1.0), None),
        "names of strangers are no labels"
    );
    assert_eq!(requests.len(), 2 * Outcome::ALL.len());
}

#[test]
fn each_server_is_judged_one_thing_and_each_judgement_has_one_word() {
    let all = samples(&rendered(&full()));
    for (host, word) in [("fin-a", "out-of-service"), ("fin-b", "good")] {
        let of = all["topoc_connector_finesse_server"].iter().filter(|(labels, _)| labels["server"] == host);
        let is: Vec<_> =
            of.filter(|(_, value)| *value == 1.0).map(|(labels, _)| labels["judgement"].as_str()).collect();
        assert_eq!(is, [word]);
    }
    let words: BTreeSet<_> = JUDGEMENTS.iter().map(|(_, word)| word).collect();
    let judgements: BTreeSet<_> = JUDGEMENTS.iter().map(|(judgement, _)| judgement).collect();
    // In their order, the last one is the worst: `Unknown` is the ninth.
    assert_eq!((words.len(), judgements.len(), Judgement::Unknown as usize), (9, 9, 8));
}

#[test]
fn the_histogram_adds_up() {
    let all = samples(&rendered(&full()));
    let bucket = |bound: &str| value(&all, "topoc_connector_request_seconds_bucket", ("le", bound));
    assert_eq!(["0.01", "0.025", "10", "30", "+Inf"].map(bucket), [0.0, 1.0, 1.0, 2.0, 3.0]);
    assert_eq!(all["topoc_connector_request_seconds_bucket"].len(), BOUNDS.len() + 1);
    assert_eq!(all["topoc_connector_request_seconds_count"][0].1, 3.0);
    assert!((all["topoc_connector_request_seconds_sum"][0].1 - 112.02).abs() < 1e-9);
}

/// The metrics that an expression names, and for each the labels that it is asked for, with their values.
fn used(expression: &str) -> Vec<(String, Vec<(String, String)>)> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (bytes, mut at, mut all) = (expression.as_bytes(), 0, Vec::new());
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_of_name(**byte)).count();
        let word = &expression[at..at + length];
        at += length.max(1);
        let is_metric = ["topoc_connector_", "process_"].iter().any(|prefix| word.starts_with(prefix));
        if !is_metric && !METRICS_OF_PROMETHEUS.contains(&word) {
            continue;
        }
        let inside =
            expression[at..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        let matcher = |text: &str| {
            let (label, value) = text.split_once('=').unwrap_or_else(|| panic!("{expression}"));
            (label.trim_end_matches('!').to_owned(), value.trim_start_matches('~').trim_matches('"').to_owned())
        };
        all.push((word.to_owned(), inside.split(',').filter(|one| !one.is_empty()).map(matcher).collect()));
    }
    all
}

/// The row of a metric, also of a part of a histogram.
fn row(name: &str) -> Option<&'static Row> {
    let parts = ["_bucket", "_sum", "_count"];
    let whole = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
    METRICS.iter().find(|row| row.name == name || (row.kind == Kind::Histogram && row.name == whole && name != whole))
}

/// The words that a label may have, where these are known.
fn words(label: &str) -> Option<Vec<&'static str>> {
    Some(match label {
        // Of two metrics.
        "reason" => REASONS.iter().map(|row| row.word).chain(DROPPED.map(Dropped::word)).collect(),
        "outcome" => Outcome::ALL.map(Outcome::word).into(),
        "session" => Session::ALL.map(Session::word).into(),
        "judgement" => JUDGEMENTS.iter().map(|(_, word)| *word).collect(),
        "life" => Life::ALL.map(Life::word).into(),
        "of" => vec!["requests", "agents", "unsent", "recent"],
        _ => return None,
    })
}

/// The metrics of the table that an expression uses; whatever it uses must be there.
fn checked(expression: &str) -> BTreeSet<&'static str> {
    let mut known = BTreeSet::new();
    for (name, matchers) in used(expression) {
        let row = row(&name);
        assert!(row.is_some() || METRICS_OF_PROMETHEUS.contains(&name.as_str()), "there is no {name}: {expression}");
        for (label, value) in matchers {
            let labels = row.map(|row| row.labels).unwrap_or_default();
            let is_label = labels.contains(&label.as_str()) || OF_PROMETHEUS.contains(&label.as_str());
            assert!(is_label, "{name} has no {label}: {expression}");
            let Some(words) = words(&label) else { continue };
            assert!(value.split('|').all(|word| words.contains(&word)), "{label} is never {value}: {expression}");
        }
        known.extend(row.map(|row| row.name));
    }
    known
}

/// An alert as `alerts.yml` has it.
#[derive(Debug, Default)]
struct Alert {
    name: String,
    expression: String,
    severity: String,
    summary: String,
    first: String,
}

/// The alerts, read by the layout that the file keeps to. That it is YAML and a file of rules is promtool's to say.
fn alerts() -> Vec<Alert> {
    let (mut all, mut in_expression) = (Vec::<Alert>::new(), false);
    for line in file("alerts.yml").lines() {
        if let Some(name) = line.strip_prefix("      - alert: ") {
            all.push(Alert { name: name.to_owned(), ..Alert::default() });
        }
        let Some(alert) = all.last_mut() else { continue };
        in_expression &= line.starts_with("          ");
        if let Some(expression) = line.strip_prefix("        expr: ") {
            in_expression = expression == "|-";
            alert.expression = if in_expression { String::new() } else { expression.to_owned() };
        } else if in_expression {
            alert.expression += line.trim();
            alert.expression += " ";
        }
        let quoted = |text: &str| text.trim_matches('"').to_owned();
        if let Some(severity) = line.strip_prefix("          severity: ") {
            alert.severity = severity.to_owned();
        } else if let Some(summary) = line.strip_prefix("          summary: ") {
            alert.summary = quoted(summary);
        } else if let Some(first) = line.strip_prefix("          first: ") {
            alert.first = quoted(first);
        }
    }
    all
}

#[test]
fn alerts_are_rules_and_ring_when_they_should() {
    let output = promtool(&["check", "rules", "alerts.yml"], "");
    content(&output);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("{} rules found", alerts().len())), "all are read here: {said}");
    content(&promtool(&["test", "rules", "alerts-test.yml"], ""));
    for Alert { name, .. } in alerts() {
        assert!(file("alerts-test.yml").contains(&format!("alertname=\"{name}\"")), "{name} is never tried");
    }
}

#[test]
fn alerts_use_what_there_is_and_say_what_to_do() {
    let mut names = BTreeSet::new();
    for Alert { name, expression, severity, summary, first } in alerts() {
        checked(&expression);
        assert!(!used(&expression).is_empty(), "{name}: {expression}");
        assert!(["critical", "warning"].contains(&severity.as_str()), "{name}: {severity}");
        assert!(summary.contains("{{ $labels.instance }}") && !summary.ends_with('.'), "{name}: {summary}");
        assert!(first.len() > 30 && first.starts_with(char::is_uppercase) && !first.ends_with('.'), "{name}: {first}");
        for word in
            first.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("topoc_"))
        {
            assert!(row(word).is_some(), "{name} sends people to {word}, which is not there");
        }
        assert!(names.insert(name), "two alerts have one name");
    }
    assert!(names.len() > 20, "{names:?}");
}

#[test]
fn the_guide_has_a_part_for_each_alert_and_none_for_others() {
    let guide = std::fs::read_to_string(ops().join("../../docs/guide/operations.md")).expect("the page is there");
    let parts: BTreeSet<_> =
        guide.lines().filter_map(|line| line.strip_prefix("### Topoc")).map(|name| format!("Topoc{name}")).collect();
    assert_eq!(parts, alerts().into_iter().map(|alert| alert.name).collect());
}

/// What each panel and annotation of the dashboard asks for.
fn asked(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().expect("a list");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let annotations = dashboard["annotations"]["list"].as_array().expect("a list").iter();
    targets.chain(annotations).map(|one| one["expr"].as_str().expect("an expression").to_owned()).collect()
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&file("grafana-dashboard.json")).expect("JSON");
    let asked = asked(&dashboard);
    let shown: BTreeSet<_> = asked.iter().flat_map(|expression| checked(expression)).collect();
    let all: BTreeSet<_> = METRICS.iter().map(|row| row.name).collect();
    assert_eq!(all.difference(&shown).collect::<Vec<_>>(), [&""; 0], "no panel shows them");

    // promtool reads the expressions as those of rules.
    let mut rules = "groups: [{name: dashboard, rules: [".to_owned();
    for expression in &asked {
        let plain = expression.replace("$__rate_interval", "5m");
        rules += &format!("{{record: a:b, expr: {}}},", Value::from(plain));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rules.yml");
    std::fs::write(&path, rules + "]}]").expect("it can be written");
    let output = promtool(&["check", "rules", "--lint=none", path.to_str().expect("a plain path")], "");
    content(&output);
}

#[test]
fn the_dashboard_is_laid_out_without_gaps_and_explained() {
    let dashboard: Value = serde_json::from_str(&file("grafana-dashboard.json")).expect("JSON");
    let (mut taken, mut ids) = (BTreeMap::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().expect("a list") {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}");
        assert!(
            panel["type"] == "row" || panel["description"].as_str().is_some_and(|text| text.ends_with('.')),
            "{title}"
        );
        let number = |name: &str| panel["gridPos"][name].as_u64().expect("a number");
        let (x, y) = (number("x"), number("y"));
        for column in x..x + number("w") {
            for line in y..y + number("h") {
                let before = taken.insert((line, column), title);
                assert_eq!(before, None, "{title} lies over another panel");
            }
        }
    }
    let lines = taken.keys().map(|(line, _)| line + 1).max().unwrap_or_default();
    assert_eq!(taken.len() as u64, lines * 24, "each line is full");
}
