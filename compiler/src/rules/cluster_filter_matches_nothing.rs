//! TOPO0110 cluster-filter-matches-nothing: an `update-cluster-filter` that no broker name matches.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Bridge, Broker, Listener, RawUri, Setting, SettingsExt};
use crate::options;
use regex_lite::Regex;
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0110",
    name: "cluster-filter-matches-nothing",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "an `update-cluster-filter` that no broker name matches",
    page: include_str!("cluster_filter_matches_nothing.md"),
    check: Check::Model(check),
};

/// What means more than itself in a Java regular expression.
const SIGNS: [char; 14] = ['\\', '.', '[', ']', '{', '}', '(', ')', '*', '+', '?', '^', '$', '|'];

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete || finds_others(context) {
        return;
    }
    let names: HashSet<&str> = context.model.brokers.iter().map(|broker| broker.broker_name.value.as_str()).collect();
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut judged: HashMap<String, bool> = HashMap::new();
    for broker in &context.model.brokers {
        for listener in &broker.listeners {
            let Some(filter) = listener.settings.find("updateClusterFilter") else { continue };
            if !seen.insert(filter.at) {
                continue;
            }
            let text = filter.value.to_string();
            let idle = *judged.entry(text).or_insert_with_key(|text| matches_nothing(text, &names));
            if idle {
                report.add(found(context, broker, listener, filter, &names));
            }
        }
    }
}

/// Whether a bridge leads to brokers that the topology need not know.
fn finds_others(context: &Context<'_>) -> bool {
    let lists = |raw: &RawUri| {
        let agent = raw.uri.as_ref().ok().and_then(|uri| options::discovery_scheme(uri.scheme.text(&raw.text.value)));
        agent.is_some_and(|agent| agent.takes_list)
    };
    context.model.bridges.iter().filter_map(Bridge::uri_by_hand).any(|raw| !lists(raw))
}

/// Whether none of the patterns is the whole of some name. One that cannot be read here may match anything.
fn matches_nothing(filter: &str, names: &HashSet<&str>) -> bool {
    let mut patterns = filter.split(',').filter(|pattern| !pattern.is_empty()).peekable();
    patterns.peek().is_some() && patterns.all(|pattern| matches(pattern, names) == Some(false))
}

fn matches(pattern: &str, names: &HashSet<&str>) -> Option<bool> {
    if !pattern.contains(SIGNS) {
        return Some(names.contains(pattern));
    }
    let regex = Regex::new(&format!("^(?:{pattern})$")).ok()?;
    Some(names.iter().any(|name| regex.is_match(name)))
}

fn found(
    context: &Context<'_>,
    broker: &Broker,
    listener: &Listener,
    filter: &Setting,
    names: &HashSet<&str>,
) -> Diagnostic {
    let message = format!(
        "`update-cluster-filter` of listener `{}` of broker `{}` matches no broker name",
        listener.name.value, broker.name.value
    );
    let diagnostic = Diagnostic::new(&RULE, filter.value_at, message).here("clients are told of no other broker");
    let text = filter.value.to_string();
    let patterns: Vec<&str> = text.split(',').filter(|pattern| !pattern.is_empty()).collect();
    let meant = patterns.iter().enumerate().find_map(|(place, pattern)| Some((place, meant(pattern, names)?)));
    let Some((place, meant)) = meant else {
        return diagnostic.help("write a Java regular expression for the whole of a name, such as `\"amq-.*\"`");
    };
    let places = dialled::inside_value(context, filter.value_at, &patterns);
    let at = places.get(place).copied().filter(|at| *at != filter.value_at);
    let diagnostic = diagnostic.help(format!("write `{meant}`: a pattern is a regular expression for the whole name"));
    match at {
        Some(at) => diagnostic.fix(format!("write `{meant}`"), Safety::Unsafe, at, meant),
        None => diagnostic,
    }
}

/// What was most likely meant: without blanks around it, as a pattern of file names, or as the beginning of names.
fn meant(pattern: &str, names: &HashSet<&str>) -> Option<String> {
    let bare = pattern.trim();
    let glob = bare.replace(".*", "*").replace('*', ".*");
    let candidates = [bare.to_owned(), glob, format!("{bare}.*")];
    candidates.into_iter().find(|candidate| candidate != pattern && matches(candidate, names) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> HashSet<&'static str> {
        HashSet::from(["amq-1", "amq-2", "hub"])
    }

    #[test]
    fn a_pattern_has_to_match_the_whole_of_a_name() {
        for (filter, right) in
            [("amq", Some("amq.*")), ("amq-*", Some("amq-.*")), (" hub", Some("hub")), ("spoke.*", None)]
        {
            assert!(matches_nothing(filter, &names()), "{filter}");
            assert_eq!(meant(filter, &names()).as_deref(), right, "{filter}");
        }
    }

    #[test]
    fn one_that_matches_is_enough_and_one_that_cannot_be_read_may() {
        for filter in ["amq-[12]", "hub", "hub|spoke", "spoke.*,hub", "(?!spoke).*", ""] {
            assert!(!matches_nothing(filter, &names()), "{filter}");
        }
    }
}
