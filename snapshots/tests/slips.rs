//! Slips that everybody makes, and what `topoc check` says about them: it must be enough to go on without a document.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use support::topoc;

/// A sound topology, into which each slip is put.
const SOUND: &str = r#"topology contact-centre {
  activemq = "6.2"
  finesse  = "12.6"
}

site site-1 {
  broker amq-1 {
    host = "amq-1"
    listen openwire { port = 61616 }
    store kahadb { directory = "/var/lib/activemq/amq-1" }
  }
  finesse finesse-1 { host = "finesse-1" }
  connector gc-1 {
    brokers  = [amq-1, amq-2]
    finesse  = [finesse-1, finesse-2]
    priority = 127
    timeout  = 10s
  }
  client desktop-1 { brokers = [amq-1, amq-2] }
}

site site-2 {
  broker amq-2 {
    host = "amq-2"
    listen openwire { port = 61616 }
    store kahadb { directory = "/var/lib/activemq/amq-2" }
  }
  finesse finesse-2 { host = "finesse-2" }
  connector gc-2 {
    brokers  = [amq-2, amq-1]
    finesse  = [finesse-2, finesse-1]
    priority = 100
    timeout  = 10s
  }
  client desktop-2 { brokers = [amq-2, amq-1] }
}

bridge amq-1 <-> amq-2

deployment main active-active {
  connectors = [gc-1, gc-2]
  sync-key   = secret("env:SYNC_KEY")
}
"#;

/// What was meant and what was typed, by the name of the slip.
fn slips() -> BTreeMap<String, Slip> {
    toml::from_str(include_str!("../data/slips.toml")).unwrap()
}

#[derive(serde::Deserialize)]
struct Slip {
    meant: String,
    typed: String,
}

#[test]
fn what_is_said_is_enough_to_go_on() {
    for (name, Slip { meant, typed }) in slips() {
        assert!(SOUND.contains(&meant), "{name}");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.topo"), SOUND.replacen(&meant, &typed, 1)).unwrap();
        let lines = |sign: &str, text: &str| text.lines().map(|line| format!("{sign}{line}\n")).collect::<String>();
        let (minus, plus) = (lines("-", &meant), lines("+", &typed));
        insta::with_settings!({ snapshot_path => "../slips", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.as_str(), format!("{minus}{plus}\n$ topoc check\n{}", check(folder.path())));
        });
    }
}

#[test]
fn without_a_slip_there_are_only_notes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.topo"), SOUND).unwrap();
    let said = check(folder.path());
    assert!(!said.contains("error:") && !said.contains("warning:") && said.ends_with("exit 0\n"), "{said}");
}

/// What a terminal shows.
fn check(folder: &Path) -> String {
    let output = topoc(&["check"], folder);
    assert!(output.stderr.is_empty(), "{}", output.stderr);
    format!("{}exit {}\n", output.stdout, output.code)
}
