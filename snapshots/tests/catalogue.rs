//! The table of rules against the catalogue of what topoc is to know: codes, names and levels.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};
use topoc_compiler::rules::{Level, RULES, Rule, find};

/// A rule as the catalogue has it.
struct Entry {
    code: String,
    level: Level,
}

/// The catalogue by name.
fn catalogue() -> BTreeMap<String, Entry> {
    let table: Table = toml::from_str(include_str!("../data/rules.toml")).unwrap();
    let mut entries = BTreeMap::new();
    for (area, rules) in &table {
        for (number, (name, entry)) in (1..).zip(rules.as_table().unwrap()) {
            let code = format!("TOPO{area}{number:02}");
            entries.insert(name.clone(), Entry { code, level: level(entry) });
        }
    }
    entries
}

fn level(entry: &Value) -> Level {
    let strict = entry.get("strict").is_some_and(|strict| strict.as_bool() == Some(true));
    match entry["level"].as_str().unwrap() {
        "error" => Level::Error,
        "warning" if strict => Level::Hygiene,
        "warning" => Level::Warning,
        "note" => Level::Note,
        other => panic!("no level `{other}`"),
    }
}

fn area(rule: &Rule) -> &str {
    &rule.code[4..6]
}

#[test]
fn the_table_is_in_code_order_and_nothing_is_in_it_twice() {
    for pair in RULES.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
    }
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len(), "two rules have one name");
}

#[test]
fn codes_and_levels_are_those_of_the_catalogue() {
    let catalogue = catalogue();
    for rule in RULES {
        match catalogue.get(rule.name) {
            Some(entry) => {
                assert_eq!(rule.code, entry.code, "code of {}", rule.name);
                assert_eq!(rule.level, entry.level, "level of {}", rule.name);
            }
            None => {
                let last = catalogue.values().map(|entry| entry.code.as_str()).filter(|code| &code[4..6] == area(rule));
                assert!(last.max().is_none_or(|last| rule.code > last), "{} takes the code of another rule", rule.name);
            }
        }
    }
}

#[test]
fn every_rule_of_the_catalogue_is_there() {
    let catalogue = catalogue();
    let missing: Vec<&String> = catalogue.keys().filter(|name| find(name).is_none()).collect();
    assert!(missing.is_empty(), "there is no rule for {missing:?}");
}

#[test]
fn rules_are_found_by_code_and_by_name() {
    for rule in RULES {
        assert_eq!(find(rule.name).map(|rule| rule.code), Some(rule.code));
        assert_eq!(find(&rule.code.to_lowercase()).map(|found| found.name), Some(rule.name));
    }
    assert!(find("TOPO9999").is_none());
}
