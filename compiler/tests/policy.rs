//! What a policy makes of findings: levels, areas, folders, and what `allow` comments cover.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::HashMap;
use topoc_compiler::policy::{Day, Policy, Project, judge};
use topoc_compiler::{Analysis, analyze};

const TOPOLOGY: &str = r#"topology t { activemq = "6.2" }
site east {
  broker amq-1 { host = "amq-1"; listen openwire { port = 61616 } }
  connector gc-1 { brokers = [amq-1]; user = "gc"; password = "secret" }
}
"#;

fn judged(main: &str, settings: Option<&str>, today: &str) -> Analysis {
    judged_at("main.topo", main, settings, today)
}

fn judged_at(path: &str, main: &str, settings: Option<&str>, today: &str) -> Analysis {
    let files = HashMap::from([(path.to_owned(), main.to_owned())]);
    let project = settings.map(|text| Project::read("topoc.toml", text, "/p", "/p"));
    judge(analyze(path, &[], &files), &Policy { project, today: Day::parse(today) })
}

/// Errors and warnings as `severity name`, by place.
fn said(analysis: &Analysis) -> Vec<String> {
    let word = |word: &'static str| word.chars().next().unwrap();
    let told = analysis.diagnostics.iter().filter(|found| {
        ["literal-password", "connector-in-no-deployment"].contains(&found.rule.name)
            || found.rule.area() == "09"
            || found.rule.area() == "00"
    });
    told.map(|found| format!("{} {}", word(found.severity.word()), found.rule.name)).collect()
}

#[test]
fn levels_are_those_of_the_settings() {
    for (settings, expected) in [
        ("", &["w connector-in-no-deployment", "e literal-password"][..]),
        ("[rules]\nliteral-password = \"off\"", &["w connector-in-no-deployment"]),
        ("[rules]\nTOPO0701 = \"note\"", &["w connector-in-no-deployment", "n literal-password"]),
        ("[rules]\n\"topo0701\" = \"warning\"", &["w connector-in-no-deployment", "w literal-password"]),
        ("[rules]\n\"07\" = \"off\"\nroles = \"error\"", &["e connector-in-no-deployment"]),
        // What is said of a rule wins, wherever it stands.
        ("[rules]\nTOPO0701 = \"warning\"\nsecrets = \"off\"", &["w connector-in-no-deployment", "w literal-password"]),
        (
            "[rules]\n\"07\" = \"off\"\nliteral-password = \"warning\"",
            &["w connector-in-no-deployment", "w literal-password"],
        ),
        // An override wins over that, and the last over those before.
        (
            "[rules]\nliteral-password = \"error\"\n[[overrides]]\npaths = [\"*.topo\"]\nrules = { \"07\" = \"note\" }",
            &["w connector-in-no-deployment", "n literal-password"],
        ),
        (
            "[[overrides]]\npaths = [\"*\"]\nrules = { \"07\" = \"note\" }\n[[overrides]]\npaths = [\"**\"]\nrules = { \"07\" = \"off\" }",
            &["w connector-in-no-deployment"],
        ),
        (
            "[[overrides]]\npaths = [\"lab/**\"]\nrules = { \"07\" = \"off\" }",
            &["w connector-in-no-deployment", "e literal-password"],
        ),
    ] {
        assert_eq!(said(&judged(TOPOLOGY, Some(settings), "2026-11-23")), expected, "{settings}");
    }
}

#[test]
fn folders_have_levels_of_their_own() {
    let settings = "[[overrides]]\npaths = [\"lab/**\"]\nrules = { literal-password = \"off\" }";
    let lab = judged_at("lab/a/main.topo", TOPOLOGY, Some(settings), "2026-11-23");
    assert_eq!(said(&lab), ["w connector-in-no-deployment"]);
    assert!(lab.checked().is_some());
    let absolute = judged_at("/p/lab/main.topo", TOPOLOGY, Some(settings), "2026-11-23");
    assert_eq!(said(&absolute), ["w connector-in-no-deployment"]);
    assert!(judged_at("prod/main.topo", TOPOLOGY, Some(settings), "2026-11-23").checked().is_none());
    assert!(judged_at("/q/lab/main.topo", TOPOLOGY, Some(settings), "2026-11-23").checked().is_none());
}

#[test]
fn what_cannot_be_read_stays_an_error() {
    let broken = TOPOLOGY.replace("[amq-1]", "[amq-9]");
    for settings in ["[rules]\nunknown-name = \"off\"", "[rules]\n\"00\" = \"off\"", "[rules]\nsyntax = \"note\""] {
        let analysis = judged(&broken, Some(settings), "2026-11-23");
        let said = said(&analysis);
        assert!(
            said.contains(&"e unknown-name".to_owned()) && said.contains(&"e unknown-setting".to_owned()),
            "{said:?}"
        );
        assert!(analysis.checked().is_none());
    }
    // Saying what is so anyway is no fault.
    assert!(judged(&broken, Some("[rules]\nunknown-name = \"error\""), "2026-11-23").checked().is_none());
    let allowed = broken.replace("\n  connector", "\n  // topoc: allow(unknown-name) reason=\"later\"\n  connector");
    assert!(said(&judged(&allowed, None, "2026-11-23")).contains(&"e unknown-name".to_owned()));
    // Settings that are not understood stop a build too.
    let sound = TOPOLOGY.replace("\"secret\"", "secret(\"env:P\")");
    assert!(judged(&sound, Some("profile = \"strict\""), "2026-11-23").checked().is_some());
    assert!(judged(&sound, Some("profile = 1"), "2026-11-23").checked().is_none());
    assert_eq!(
        said(&judged(&sound, Some("profile = "), "2026-11-23")),
        ["w connector-in-no-deployment", "e syntax-error"]
    );
}

#[test]
fn an_allow_covers_its_statements_and_nothing_else() {
    let allow = |names: &str| format!("// topoc: allow({names}) reason=\"a lab\"");
    let both = allow("literal-password, TOPO0407");
    let connector = "  connector gc-1 {";
    for (text, expected) in [
        // At the end of the line, and before it.
        (TOPOLOGY.replace("\"secret\" }", &format!("\"secret\" }} {both}")), &[][..]),
        (TOPOLOGY.replace(connector, &format!("  {both}\n{connector}")), &[]),
        (TOPOLOGY.replace(connector, &format!("  {both}\n\n  // why\n{connector}")), &[]),
        (TOPOLOGY.replace("site east", &format!("{both}\nsite east")), &[]),
        (TOPOLOGY.replace("site east {", &format!("site east {{ {both}")), &[]),
        // By the name, the other stays.
        (
            TOPOLOGY.replace(connector, &format!("  {}\n{connector}", allow("literal-password"))),
            &["w connector-in-no-deployment"],
        ),
        // Inside the connector's braces it is about the field behind it.
        (
            TOPOLOGY
                .replace("password =", &format!("{}\n password =", allow("literal-password")))
                .replace("; //", "\n//"),
            &["w connector-in-no-deployment"],
        ),
        // Beside it, not about it.
        (
            TOPOLOGY.replace("  broker", &format!("  {}\n  broker", allow("literal-password"))),
            &["w unused-allow", "w connector-in-no-deployment", "e literal-password"],
        ),
        (
            TOPOLOGY.replace(
                "  connector",
                &format!(
                    "  broker amq-2 {{ host = \"amq-2\"; listen openwire {{ port = 61616 }} }} {}\n  connector",
                    allow("literal-password")
                ),
            ),
            &["w unused-allow", "w connector-in-no-deployment", "e literal-password"],
        ),
        // In a text it is no comment.
        (
            TOPOLOGY.replace("user = \"gc\"", "user = \"// topoc: allow(literal-password) reason=.\""),
            &["w connector-in-no-deployment", "e literal-password"],
        ),
        // Behind a closing brace it is about what the brace closes.
        (TOPOLOGY.replace("\"secret\" }", &format!("\"secret\"\n  }} {both}")), &[]),
    ] {
        assert_eq!(said(&judged(&text, None, "2026-11-23")), expected, "{text}");
    }
}

#[test]
fn an_allow_needs_its_reason_and_ends_with_its_day() {
    let with = |rest: &str| {
        TOPOLOGY.replace("  connector", &format!("  // topoc: allow(literal-password){rest}\n  connector"))
    };
    let found = ["w connector-in-no-deployment", "e literal-password"];
    for (rest, today, expected) in [
        (" reason=\"a lab\"", "2026-11-23", None),
        (" until=2027-01-31 reason=\"a lab\"", "2027-01-31", None),
        (" reason=\"a lab\" until=2027-01-31", "2027-01-31", None),
        (" until=2027-01-31 reason=\"a lab\"", "2027-02-01", Some("e expired-allow")),
        (" until=2027-02-31 reason=\"a lab\"", "2026-11-23", Some("e expired-allow")),
        ("", "2026-11-23", Some("e allow-without-reason")),
        (" reason=\" \"", "2026-11-23", Some("e allow-without-reason")),
        (" reason=\"open", "2026-11-23", Some("w unused-allow")),
        (" because=\"x\"", "2026-11-23", Some("w unused-allow")),
    ] {
        let analysis = judged(&with(rest), None, today);
        match expected {
            None => assert_eq!(said(&analysis), found[..1], "{rest}"),
            Some(complaint) => assert_eq!(said(&analysis), [&[complaint], &found[..]].concat(), "{rest}"),
        }
        assert_eq!(analysis.checked().is_some(), expected.is_none(), "{rest}");
    }
}

#[test]
fn an_allow_in_a_block_comment_allows_nothing_and_is_said() {
    let found = ["w connector-in-no-deployment", "e literal-password"];
    for (comment, fixed) in [
        ("/* topoc: allow(TOPO0701) reason=\"x\" */", Some("// topoc: allow(TOPO0701) reason=\"x\"")),
        ("/** topoc:allow(TOPO0701) **/", Some("// topoc:allow(TOPO0701)")),
        ("/*\n * topoc: allow(TOPO0701)\n * reason=\"x\"\n */", None),
        ("/* topoc: allow(TOPO0701) reason=\"x\" */ /* more */", None),
    ] {
        let text = TOPOLOGY.replace("  connector", &format!("{comment}\n  connector"));
        let analysis = judged(&text, None, "2026-11-23");
        assert_eq!(said(&analysis), [&["w unused-allow"], &found[..]].concat(), "{comment}");
        let allow = analysis.diagnostics.iter().find(|found| found.rule.name == "unused-allow").unwrap();
        let edits = allow.fixes.iter().flat_map(|fix| &fix.edits);
        let texts: Vec<&str> = edits.map(|edit| edit.text.as_ref()).collect();
        assert_eq!(texts, Vec::from_iter(fixed), "{comment}");
    }
    for comment in ["/* topoc: a word about it */", "/* allow(TOPO0701) */", "/* see topoc: allow(TOPO0701) */"] {
        let text = TOPOLOGY.replace("  connector", &format!("{comment}\n  connector"));
        assert_eq!(said(&judged(&text, None, "2026-11-23")), found, "{comment}");
    }
}

#[test]
fn what_is_said_of_allows_has_levels_too() {
    let text = TOPOLOGY.replace("  broker", "  // topoc: allow(TOPO0404) reason=\"x\"\n  broker");
    for (settings, first) in [
        ("", Some("w unused-allow")),
        ("[rules]\nproject = \"error\"", Some("e unused-allow")),
        ("[rules]\nunused-allow = \"off\"", None),
    ] {
        let said = said(&judged(&text, Some(settings), "2026-11-23"));
        assert_eq!(said.iter().map(String::as_str).find(|said| said.ends_with("-allow")), first, "{settings}");
    }
}

#[test]
fn what_removes_an_allow_leaves_the_rest() {
    for (text, expected) in [
        ("site a { }\n  // topoc: allow(TOPO0701) reason=\"x\"\nsite b { }\n", "site a { }\nsite b { }\n"),
        ("site a { } // topoc: allow(TOPO0701) reason=\"x\"\nsite b { }\n", "site a { }\nsite b { }\n"),
        ("site a { } // topoc: allow(TOPO0701) reason=\"x\"", "site a { }"),
        ("// topoc: allow(TOPO0701) reason=\"x\"\r\nsite a { }\r\n", "site a { }\r\n"),
    ] {
        let text = format!("topology t {{ activemq = \"6.2\" }}\n{text}");
        let expected = format!("topology t {{ activemq = \"6.2\" }}\n{expected}");
        let analysis = judged(&text, None, "2026-11-23");
        let fixes = analysis
            .diagnostics
            .iter()
            .filter(|found| found.rule.name == "unused-allow")
            .flat_map(|found| &found.fixes);
        let edits: Vec<_> = fixes.flat_map(|fix| &fix.edits).collect();
        let [edit] = edits.as_slice() else { panic!("{text}: {edits:?}") };
        let mut fixed = text.clone();
        fixed.replace_range(edit.at.span.start as usize..edit.at.span.end as usize, &edit.text);
        assert_eq!(fixed, expected);
    }
}
