//! Where attributes of stores and their locks end up, and which values they and the broker's switches take.

use std::collections::HashMap;
use topoc_compiler::{analyze, emit};

fn topology(release: &str, broker: &str, store: &str) -> HashMap<String, String> {
    let text = format!(
        "topology t {{ activemq = \"{release}\" }}\nsite east {{\n  broker a {{ host = \"a\"; listen openwire {{ port = 1 }}; {store}; {broker} }}\n  broker b {{ host = \"b\"; listen openwire {{ port = 1 }}; {store} }}\n  pair p {{ master = a; slave = b }}\n}}\n"
    );
    HashMap::from([("main.topo".to_owned(), text)])
}

/// The codes of errors, or the file of broker `a`.
fn written(release: &str, broker: &str, store: &str) -> Result<String, Vec<&'static str>> {
    let analysis = analyze("main.topo", &[], &topology(release, broker, store));
    let codes = || analysis.diagnostics.iter().map(|diagnostic| diagnostic.rule.name).collect::<Vec<_>>();
    let checked = analysis.checked().ok_or_else(codes)?;
    let artifacts = emit::artifacts(checked);
    let file = artifacts.iter().find(|artifact| artifact.path == "east/a/activemq.xml").expect("broker a has a file");
    Ok(String::from_utf8_lossy(&file.bytes).into_owned())
}

#[test]
fn the_lock_is_the_store_s_or_its_locker_s() {
    for (release, store, expected) in [
        (
            "6.2",
            "store kahadb { directory = \"/d\"; fail-if-locked = true }",
            "<shared-file-locker failIfLocked=\"true\"",
        ),
        (
            "6.2",
            "store jdbc { url = \"jdbc:derby:d\"; fail-if-locked = true }",
            "<lease-database-locker failIfLocked=\"true\"",
        ),
        (
            "6.2",
            "store jdbc { url = \"jdbc:derby:d\"; lease-holder-id = \"a\" }",
            "<lease-database-locker leaseHolderId=\"a\"",
        ),
        (
            "5.15",
            "store leveldb { directory = \"/d\"; fail-if-locked = true }",
            "<shared-file-locker failIfLocked=\"true\"",
        ),
    ] {
        let file = written(release, "", store).unwrap();
        assert!(file.contains(expected), "{store}\n{file}");
    }
}

#[test]
fn a_pair_on_a_database_is_written_for_every_release() {
    let store = "store jdbc { url = \"jdbc:derby:d\" }";
    assert!(!written("5.6", "", store).unwrap().contains("locker"));
    assert!(written("6.2", "", store).unwrap().contains("<lease-database-locker"));
}

#[test]
fn the_master_of_a_pair_looks_after_its_lock_twice_as_often_as_the_slave_tries() {
    for (interval, expected) in [
        ("", "5000"),
        ("lock-acquire-sleep-interval = 2s", "1000"),
        ("lock-acquire-sleep-interval = 1m", "5000"),
        ("lock-keep-alive-period = 700ms; lock-acquire-sleep-interval = 1s", "700"),
    ] {
        let file = written("6.2", "", &format!("store kahadb {{ directory = \"/d\"; {interval} }}")).unwrap();
        assert!(file.contains(&format!("lockKeepAlivePeriod=\"{expected}\"")), "{interval}\n{file}");
    }
}

#[test]
fn switches_take_true_and_false() {
    let store = "store kahadb { directory = \"/d\" }";
    assert_eq!(written("6.2", "use-jmx = \"yes\"", store), Err(vec!["wrong-type"]));
    assert_eq!(written("6.2", "persistent = 1", store), Err(vec!["wrong-type"]));
    assert!(written("6.2", "use-jmx = false", store).unwrap().contains("useJmx=\"false\""));
}
