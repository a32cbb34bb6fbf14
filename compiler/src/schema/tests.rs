//! The tables against the data that they were made of, and the releases at which people stumble.

use serde_json::Value;

use super::*;

const SCHEMA: &str = include_str!("../../data/activemq-schema.json");
const EXACT: &str = include_str!("../../data/activemq-exact.json");

fn release(text: &str) -> Release {
    let numbers: Vec<u8> = text.split('.').map(|n| n.parse().unwrap()).collect();
    Release::new(numbers[0], numbers[1], numbers[2])
}

fn releases(values: &Value) -> Vec<Release> {
    values.as_array().into_iter().flatten().map(|v| release(v.as_str().unwrap())).collect()
}

/// What the samples say about one name in one sampled release.
fn sampled(facts: &Value, at: Release) -> Availability {
    let named = |field: &str| facts[field].as_str().map(release);
    if let Some(since) = named("since").filter(|&since| at < since) {
        return Availability::NotYet { since };
    }
    if let Some(since) = named("gone").filter(|&gone| at >= gone) {
        return Availability::Gone { since };
    }
    match releases(&facts["holes"]).contains(&at) {
        true => Availability::Hole { since: named("since"), from: at, until: at },
        false => Availability::Present,
    }
}

/// Equal facts when only the samples speak; with an exact row, equal answers in every sampled release.
fn check_presence(name: &str, presence: &Presence, facts: &Value, exact: bool, element: Option<&Value>) {
    if !exact {
        assert_eq!(presence.since, facts["since"].as_str().map(release), "{name}");
        assert_eq!(presence.gone, facts["gone"].as_str().map(release), "{name}");
        assert_eq!(presence.absent.is_empty(), facts["holes"].is_null(), "{name}");
    }
    for &at in sampled_releases() {
        if element.is_some_and(|element| !sampled(element, at).is_present()) {
            continue; // Without the element, the schema says nothing about what would be in it.
        }
        assert_eq!(presence.in_release(at).is_present(), sampled(facts, at).is_present(), "{name} in {at}");
    }
}

#[test]
fn every_name_of_the_samples_is_found_with_its_facts() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let exact: Value = serde_json::from_str(EXACT).unwrap();
    let is_exact = |element: &str, kind: &str, name: &str| {
        exact["rows"].as_array().unwrap().iter().any(|row| {
            row["element"] == element
                && if kind.is_empty() {
                    row["attribute"].is_null() && row["child"].is_null()
                } else {
                    row[kind] == name
                }
        })
    };
    assert_eq!(sampled_releases(), releases(&schema["releases"]));
    let all = schema["elements"].as_object().unwrap();
    assert_eq!(elements().len(), all.len());
    for (name, facts) in all {
        let element = element(name).unwrap();
        assert_eq!((element.name, element.class), (name.as_str(), facts["class"].as_str().unwrap()));
        check_presence(name, &element.presence, facts, is_exact(name, "", ""), None);
        let attributes = facts["attributes"].as_object().unwrap();
        assert_eq!(element.attributes.len(), attributes.len(), "{name}");
        for (attribute, inner) in attributes {
            let found = element.attribute(attribute).unwrap();
            let path = format!("{name} @{attribute}");
            assert_eq!(type_name(found.ty), inner["type"].as_str().unwrap(), "{path}");
            let was: Vec<_> = found.was.iter().map(|&ty| Value::from(type_name(ty))).collect();
            assert_eq!(was, inner["type-was"].as_array().cloned().unwrap_or_default(), "{path}");
            check_presence(&path, &found.presence, inner, is_exact(name, "attribute", attribute), Some(facts));
        }
        let children = facts["children"].as_object().unwrap();
        assert_eq!(element.children.len(), children.len(), "{name}");
        for (child, inner) in children {
            let found = element.child(child).unwrap();
            let path = format!("{name} > {child}");
            let mut elements: Vec<_> =
                inner["elements"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
            elements.sort_unstable();
            assert_eq!(found.elements, elements, "{path}");
            check_presence(&path, &found.presence, inner, is_exact(name, "child", child), Some(facts));
        }
    }
}

fn type_name(ty: AttrType) -> &'static str {
    match ty {
        AttrType::Boolean => "boolean",
        AttrType::Short => "short",
        AttrType::Integer => "integer",
        AttrType::Long => "long",
        AttrType::Float => "float",
        AttrType::Double => "double",
        AttrType::Text => "string",
        AttrType::Id => "ID",
    }
}

#[test]
fn every_list_is_sorted_without_repetition() {
    let sorted = |names: Vec<&str>| assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    sorted(elements().iter().map(|e| e.name).collect());
    for element in elements() {
        sorted(element.attributes.iter().map(|a| a.name).collect());
        sorted(element.children.iter().map(|c| c.name).collect());
    }
}

#[test]
fn every_element_named_by_a_child_exists() {
    for element in elements() {
        for name in element.children.iter().flat_map(|child| child.elements) {
            assert!(super::element(name).is_some(), "{} > {name}", element.name);
        }
    }
}

#[test]
fn spans_lie_within_the_life_of_their_name() {
    let check = |name: &str, presence: &Presence| {
        for &(from, until) in presence.absent {
            assert!(from < until, "{name}");
            assert!(presence.since.is_none_or(|since| since < from), "{name}");
            assert!(presence.gone.is_none_or(|gone| until < gone), "{name}");
        }
    };
    for element in elements() {
        check(element.name, &element.presence);
        element.attributes.iter().for_each(|a| check(a.name, &a.presence));
        element.children.iter().for_each(|c| check(c.name, &c.presence));
    }
}

/// `expected` in the words of an error message.
#[track_caller]
fn check(element: &str, attribute: &str, cases: &[(&str, &str)]) {
    let element = super::element(element).unwrap();
    let presence = if attribute.is_empty() { element.presence } else { element.attribute(attribute).unwrap().presence };
    for &(at, expected) in cases {
        assert_eq!(presence.in_release(release(at)).to_string(), expected, "{} {attribute} in {at}", element.name);
    }
}

#[test]
fn auto_start_skips_two_lines() {
    for element in ["transportConnector", "networkConnector"] {
        check(
            element,
            "autoStart",
            &[
                ("5.18.7", "needs 5.19.0"),
                ("5.19.0", "is there"),
                ("5.19.10", "is there"),
                ("6.0.0", "needs 5.19.0 or 6.2.0"),
                ("6.1.8", "needs 5.19.0 or 6.2.0"),
                ("6.2.0", "is there"),
                ("6.3.1", "is there"),
            ],
        );
    }
}

#[test]
fn leveldb_is_removed_in_5_17_0() {
    for element in ["levelDB", "replicatedLevelDB"] {
        check(
            element,
            "",
            &[
                ("5.16.7", "is there"),
                ("5.16.8", "is there"),
                ("5.17.0", "was removed in 5.17.0"),
                ("6.3.1", "was removed in 5.17.0"),
            ],
        );
    }
    check("replicatedLevelDB", "", &[("5.8.0", "needs 5.9.0"), ("5.9.0", "is there")]);
}

#[test]
fn bridges_count_messages_and_consumers_apart_from_5_9_0() {
    for attribute in ["messageTTL", "consumerTTL"] {
        check("networkConnector", attribute, &[("5.8.0", "needs 5.9.0"), ("5.9.0", "is there"), ("6.0.0", "is there")]);
    }
    check("networkConnector", "networkTTL", &[("5.5.0", "is there"), ("5.6.0", "is there")]);
    check("networkConnector", "decreaseNetworkConsumerPriority", &[("5.6.0", "is there"), ("6.3.1", "is there")]);
}

#[test]
fn a_published_address_can_be_set_from_5_8_0() {
    check("publishedAddressPolicy", "", &[("5.7.0", "needs 5.8.0"), ("5.8.0", "is there")]);
    check("transportConnector", "publishedAddressPolicy", &[("5.5.1", "needs 5.8.0"), ("5.8.0", "is there")]);
    let child = element("transportConnector").unwrap().child("publishedAddressPolicy").unwrap();
    assert_eq!(child.elements, ["publishedAddressPolicy"]);
}

#[test]
fn a_security_fix_brings_its_switch_to_two_lines() {
    check(
        "policyEntry",
        "allowTempDestinationStealing",
        &[
            ("5.19.7", "needs 5.19.8"),
            ("5.19.8", "is there"),
            ("6.1.8", "needs 5.19.8 or 6.2.7"),
            ("6.2.6", "needs 5.19.8 or 6.2.7"),
            ("6.2.7", "is there"),
            ("6.3.0", "is there"),
        ],
    );
}

#[test]
fn a_switch_that_one_release_lost() {
    check(
        "transportConnector",
        "allowLinkStealing",
        &[
            ("5.8.0", "needs 5.9.0"),
            ("5.15.16", "is there"),
            ("5.16.0", "needs 5.9.0 or 5.16.1"),
            ("5.16.1", "is there"),
        ],
    );
}

#[test]
fn releases_newer_than_the_newest_known_are_judged_by_it() {
    check(
        "transportConnector",
        "autoStart",
        &[("5.18.200", "needs 5.19.0"), ("6.1.200", "needs 5.19.0 or 6.2.0"), ("6.3.200", "is there")],
    );
}

#[test]
fn unknown_names_are_not_found() {
    for name in ["", "transportconnector", "TransportConnector", "transportConnectorX", "zzz", "é"] {
        assert!(element(name).is_none(), "{name}");
    }
    let connector = element("transportConnector").unwrap();
    assert!(
        connector.attribute("URI").is_none() && connector.attribute("").is_none() && connector.child("name").is_none()
    );
}

#[test]
fn a_million_lookups_all_succeed() {
    let mut found = 0;
    let mut rounds = 0;
    while found < 1_000_000 {
        for element in elements() {
            let element = super::element(element.name).unwrap();
            found += element.attributes.iter().filter(|a| element.attribute(a.name).is_some()).count();
        }
        rounds += 1;
    }
    let attributes: usize = elements().iter().map(|e| e.attributes.len()).sum();
    assert_eq!(found, rounds * attributes);
}
