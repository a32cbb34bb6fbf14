//! What is written into a broker's file by hand: options that become attributes, and whole elements.

use std::collections::HashMap;
use topoc_compiler::analyze;

/// Errors and warnings as names of rules, of a topology whose broker `a` has these fields.
fn said(broker: &str) -> Vec<&'static str> {
    let text = format!(
        "topology t {{ activemq = \"6.2\" }}
site s {{
  broker a {{ host = \"a\"; listen openwire {{ port = 61616 }}; {broker} }}
  broker b {{ host = \"b\"; listen openwire {{ port = 61616 }} }}
}}
bridge a -> b"
    );
    let analysis = analyze("main.topo", &[], &HashMap::from([("main.topo".to_owned(), text)]));
    let rules = ["raw-xml-repeats-element", "wrong-type", "unknown-field"];
    let told = analysis.diagnostics.iter().filter(|found| rules.contains(&found.rule.name));
    told.map(|found| found.rule.name).collect()
}

#[test]
fn an_element_that_topoc_writes_is_not_written_again() {
    let users = "users { anonymous = true; user x { password = secret(\"env:X\") } }";
    for (written, element, lost) in [
        ("", "transportConnectors", true),
        ("", "networkConnectors", true),
        ("", "plugins", false),
        (users, "plugins", true),
        ("", "systemUsage", false),
        ("limits { memory = 1GiB }", "systemUsage", true),
        ("limits { message = 1MiB }", "systemUsage", false),
        ("", "persistenceAdapter", false),
        ("store memory { }", "persistenceAdapter", false),
        ("store kahadb { directory = \"d\" }", "persistenceAdapter", true),
        ("", "destinationPolicy", false),
        ("queue \"q\" { memory-limit = 1000000 }", "destinationPolicy", true),
        ("", "managementContext", false),
    ] {
        let expected: &[&str] = if lost { &["raw-xml-repeats-element"] } else { &[] };
        let raw = format!("{written}; raw-xml \"\"\"<{element}><x/></{element}>\"\"\"");
        assert_eq!(said(&raw), expected, "{raw}");
    }
    // Inside another element it is something else.
    assert_eq!(said("raw-xml \"\"\"<other><plugins/><transportConnectors/></other>\"\"\""), [""; 0]);
}

#[test]
fn options_of_a_broker_fit_their_attributes() {
    for (option, expected) in [
        ("\"startAsync\" = true", &[][..]),
        ("\"startAsync\" = \"true\"", &[]),
        ("\"startAsync\" = \"yes\"", &["wrong-type"]),
        ("\"startAsync\" = \"${ASYNC}\"", &["wrong-type"]),
        ("\"offlineDurableSubscriberTimeout\" = \"5\"", &[]),
        ("\"offlineDurableSubscriberTimeout\" = \"5s\"", &["wrong-type"]),
        ("\"tmpDataDirectory\" = \"${TMP}\"", &[]),
    ] {
        assert_eq!(said(&format!("options {{ {option} }}")), expected, "{option}");
    }
}
