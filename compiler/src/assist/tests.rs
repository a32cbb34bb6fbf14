use super::*;
use crate::sources::Files;
use crate::{Analysis, analyze};
use std::collections::HashMap;
use topoc_dsl::FileId;

/// A topology with `|` where the cursor is.
fn at(text: &str) -> (Analysis, u32) {
    let offset = text.find('|').unwrap();
    let files = HashMap::from([
        ("main.topo".to_owned(), text.replacen('|', "", 1)),
        ("east.topo".to_owned(), "site east { broker amq-e { host = \"e\" } }\n".to_owned()),
    ]);
    let files: &dyn Files = &files;
    (analyze("main.topo", &[], files), u32::try_from(offset).unwrap())
}

fn labels(text: &str) -> Vec<String> {
    let (analysis, offset) = at(text);
    complete(&analysis, FileId(0), offset).into_iter().map(|candidate| candidate.label).collect()
}

fn said(text: &str) -> Option<String> {
    let (analysis, offset) = at(text);
    hover(&analysis, FileId(0), offset).map(|hover| hover.text)
}

fn defined(text: &str) -> Option<String> {
    let (analysis, offset) = at(text);
    let at = define(&analysis, FileId(0), offset)?;
    let file = analysis.sources.file(at.file)?;
    Some(format!("{}:{}:{}", file.path, file.position(at.span.start).line, file.slice(at.span)))
}

#[test]
fn blocks_and_fields_are_offered_where_they_may_stand() {
    for (text, first, absent) in [
        ("|", "bridge", "broker"),
        ("site a {\n  |\n}", "bridge", "site"),
        ("site a {\n  broker b { | }\n}", "host", "topology"),
        ("site a {\n  broker b {\n    host = \"x\"\n    |", "broker-name", "host"),
        ("site a {\n  broker b {\n    ho|\n  }\n}", "host", "site"),
        ("defaults connector {\n  |\n}", "brokers", "host"),
        ("site a { broker b { host = \"x\"; store | } }", "jdbc", "host"),
        ("deployment main |", "active-active", "main"),
        ("site a { client c { returns = | } }", "never", "true"),
        ("site a { client c { randomize = | } }", "false", "never"),
    ] {
        let labels = labels(text);
        assert_eq!(labels.first().map(String::as_str), Some(first), "{text}: {labels:?}");
        assert!(!labels.iter().any(|label| label == absent), "{text}: {labels:?}");
    }
}

const SITES: &str =
    "import \"east.topo\"\nlet fast = 500ms\nsite a { broker amq-1 { host = \"a\" }; broker amq-3 { host = \"c\" } }\n";

#[test]
fn names_in_scope_are_offered_and_not_those_already_there() {
    let labels_of = |rest: &str| labels(&format!("{SITES}{rest}"));
    let found = labels_of("site b {\n  broker amq-2 { host = \"b\" }\n  connector gc { brokers = [amq-1, |] }\n}");
    assert_eq!(found, ["amq-2", "amq-3", "amq-e", "$fast"]);
    assert_eq!(labels_of("bridge amq-1 -> |"), ["amq-3", "amq-e"]);
    assert_eq!(labels_of("site b {\n  client c { timeout = |\n  }\n}"), ["$fast"]);
    assert!(labels_of("site b { client c { reply-queue = \"|\" } }").is_empty());
    assert!(labels_of("// |").is_empty());
}

#[test]
fn a_name_of_two_sites_is_offered_with_its_site() {
    let found = labels("site a { broker x { host = \"a\" } }\nsite b { broker x { host = \"b\" } }\nbridge |");
    assert_eq!(found, ["a.x", "b.x"]);
}

#[test]
fn fields_blocks_names_and_variables_are_explained() {
    let field = said("site a { broker b { listen openwire { update-cluster-cl|ients = true } } }").unwrap();
    for part in ["dynamic failover", "true | false", "default: false", "`updateClusterClients`", "in every release"] {
        assert!(field.contains(part), "{part}: {field}");
    }
    assert!(said("defaults bridge { gc-sweep-t|ime = 1 }").unwrap().contains("since ActiveMQ 5."));
    assert!(said("si|te a { }").unwrap().contains("parts fail together"));
    let name = said(&format!("{SITES}bridge amq-1 -> am|q-3")).unwrap();
    assert!(name.contains("broker `amq-3` of site `a`") && name.contains("host = \"c\""), "{name}");
    assert!(said(&format!("{SITES}site b {{ client c {{ timeout = $fa|st }} }}")).unwrap().contains("500ms"));
    assert_eq!(said("site a { | }"), None);
}

#[test]
fn names_variables_and_imports_lead_to_where_they_are_declared() {
    for (rest, expected) in [
        ("bridge amq-1 -> am|q-3", "main.topo:3:amq-3"),
        ("bridge a.am|q-1 -> amq-3", "main.topo:3:amq-1"),
        ("site b { client c { brokers = [amq-3, amq|-e] } }", "east.topo:1:amq-e"),
        ("site b { client c { timeout = $f|ast } }", "main.topo:2:fast"),
        ("import \"ea|st.topo\"", "east.topo:1:"),
    ] {
        assert_eq!(defined(&format!("{SITES}{rest}")).as_deref(), Some(expected), "{rest}");
    }
    assert_eq!(defined(&format!("{SITES}bridge amq-1 -> ghost|")), None);
}

#[test]
fn the_outline_nests_as_the_text_does() {
    let (analysis, _) = at("site a {\n  broker b {\n    host = \"x\"\n    listen openwire { }\n  }\n}\nlet x = 1|");
    let outline = symbols(&analysis.sources.files[0]);
    let names: Vec<&str> = outline.iter().map(|symbol| symbol.name.as_str()).collect();
    assert_eq!(names, ["a", "x"]);
    assert_eq!(outline[0].children[0].name, "b");
    assert_eq!(outline[0].children[0].children[0].name, "openwire");
}
