//! TOPO0306 priority-uri-not-listed: a preferred broker that is not among those that are dialled.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::addresses::Addresses;
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::dialling::{self, At, DialledAddress, Dialling, WrittenOption};
use crate::suggest;
use crate::uri;
use crate::value::list;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0306",
    name: "priority-uri-not-listed",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a priority-uri that is not among the failover addresses",
    page: include_str!("priority_uri_not_listed.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete {
        return;
    }
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        let Some(option) = dialling.option("priorityURIs").filter(|_| is_plain(dialling)) else { continue };
        let entries = entries(option, context.addresses);
        let texts: Vec<&str> = entries.iter().map(|(text, _)| *text).collect();
        let value = dialled::loc(context, dialling, &option.value_at);
        let places = dialled::inside_value(context, value, &texts);
        for ((text, entry), at) in entries.iter().zip(places) {
            if !text.contains("${") && !is_listed(dialling, entry.as_ref()) && seen.insert(at) {
                report.add(found(dialling, text, entry.as_ref(), at));
            }
        }
    }
}

/// Whether every address is known: behind a placeholder may be any.
fn is_plain(dialling: &Dialling<'_>) -> bool {
    let plain = |address: &DialledAddress| address.port.is_some() && !address.host.contains("${");
    !dialling.addresses.is_empty() && dialling.addresses.iter().all(plain)
}

/// The URIs of the option, and what those dial that can be read. ActiveMQ cuts at commas and trims nothing.
pub(super) fn entries<'o>(
    option: &'o WrittenOption<'_>,
    addresses: &Addresses,
) -> Vec<(&'o str, Option<DialledAddress>)> {
    let texts = option.value.split(',').filter(|text| !text.is_empty());
    texts.map(|text| (text, uri::parse(text).ok().and_then(|uri| dialling::dialled(&uri, text, addresses)))).collect()
}

/// As ActiveMQ compares: host and port alone (`FailoverTransport.compareURIs`).
fn is_listed(dialling: &Dialling<'_>, entry: Option<&DialledAddress>) -> bool {
    let Some(entry) = entry else { return false };
    let same = |address: &DialledAddress| {
        let same_listener =
            entry.listener.is_some() && (entry.broker, entry.listener) == (address.broker, address.listener);
        same_listener || address.authority().eq_ignore_ascii_case(&entry.authority())
    };
    dialling.addresses.iter().any(same)
}

fn found(dialling: &Dialling<'_>, text: &str, entry: Option<&DialledAddress>, at: Loc) -> Diagnostic {
    let who = dialling.who();
    if entry.is_none() {
        return Diagnostic::new(&RULE, at, format!("{who} prefers `{text}`, which is no address"))
            .here("ActiveMQ logs that it cannot be read, and goes on without it")
            .help(format!("write an address of the list, such as `{}`", first(dialling)));
    }
    let listed: Vec<String> = dialling.addresses.iter().map(written).collect();
    let names = || listed.iter().map(String::as_str);
    let help = match suggest::suggest(text, names()).filter(|_| suggest::only_near(text, names())) {
        Some(near) => format!("did you mean `{near}`? Otherwise add its broker to the list"),
        None => format!("add its broker to the list, or prefer one that is there: {}", some(&listed)),
    };
    let list = match dialling.addresses.first().map(|address| &address.at) {
        Some(At::Source(_)) => Some(dialling.dialer.brokers_at),
        _ => None,
    };
    Diagnostic::new(&RULE, at, format!("{who} prefers `{text}`, which it never dials"))
        .here("not among its addresses")
        .also_at(list, format!("these are {}", some(&listed)))
        .help(help)
}

fn first(dialling: &Dialling<'_>) -> String {
    dialling.addresses.first().map(written).unwrap_or_default()
}

/// As many as a reader takes in.
pub(super) fn some(names: &[String]) -> String {
    list(names.get(..4).unwrap_or(names))
}

fn written(address: &DialledAddress) -> String {
    format!("{}://{}", address.scheme, address.authority())
}
