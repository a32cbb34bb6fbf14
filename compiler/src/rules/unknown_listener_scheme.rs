//! TOPO0103 unknown-listener-scheme: a scheme that no broker, or none of this release, can listen on.

use super::{Check, Context, FixKind, Level, Rule, discovery_on_listener, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Listener};
use crate::options::{self, LISTENER_SCHEMES, ListenerScheme};
use crate::release::{Release, Target};
use crate::suggest;
use crate::uri::{UriError, UriFault};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0103",
    name: "unknown-listener-scheme",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a scheme that no broker, or none of this release, can listen on",
    page: include_str!("unknown_listener_scheme.md"),
    check: Check::Model(check),
};

/// What other systems call a scheme, and what ActiveMQ calls it (the files `META-INF/services/org/apache/activemq/transport/*`).
const OTHER_NAMES: &[(&str, &str)] = &[
    ("amqps", "amqp+ssl"),
    ("mqtts", "mqtt+ssl"),
    ("openwire", "tcp"),
    ("stomps", "stomp+ssl"),
    ("tls", "ssl"),
    ("ws+ssl", "wss"),
];

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for broker in &context.model.brokers {
        for listener in &broker.listeners {
            if let Some(diagnostic) = look(context, broker, listener).filter(|_| seen.insert(listener.scheme.at)) {
                report.add(diagnostic);
            }
        }
    }
}

fn look(context: &Context<'_>, broker: &Broker, listener: &Listener) -> Option<Diagnostic> {
    if let Some(Err(fault)) = listener.raw.as_ref().map(|raw| &raw.uri) {
        return no_scheme(context, broker, listener, fault);
    }
    let scheme = listener.scheme.value.as_str();
    let elsewhere = scheme == "failover" || discovery_on_listener::is_finder(scheme);
    if scheme.is_empty() || scheme.contains("${") || elsewhere {
        return None;
    }
    let release = context.model.release();
    match options::listener_scheme(scheme) {
        Some(known) => too_new(known, release).map(|since| not_yet(context, broker, listener, since)),
        None => Some(unknown(context, broker, listener)),
    }
}

/// A raw URI that does not say its scheme. What else can be wrong with the text is not about schemes.
fn no_scheme(context: &Context<'_>, broker: &Broker, listener: &Listener, fault: &UriError) -> Option<Diagnostic> {
    let raw = listener.raw.as_ref()?;
    if !matches!(fault.fault, UriFault::NoScheme | UriFault::BadScheme) && !raw.text.value.is_empty() {
        return None;
    }
    let message = format!("{} has a `uri` without a scheme that a broker knows", whose(broker, listener));
    let at = place::inside(context, raw, fault.range.clone());
    Some(Diagnostic::new(&RULE, at, message).here("a scheme is missing here").help(fault.message.clone()))
}

fn unknown(context: &Context<'_>, broker: &Broker, listener: &Listener) -> Diagnostic {
    let scheme = &listener.scheme.value;
    let at = at(context, listener);
    let message = format!("{} cannot listen on `{scheme}:`", whose(broker, listener));
    let diagnostic = Diagnostic::new(&RULE, at, message);
    if let Some(client) = options::client_only_scheme(scheme) {
        return diagnostic
            .here("no broker can be reached at this")
            .help(format!("`{scheme}:` {}: listen on `tcp`", client.doc));
    }
    let diagnostic =
        diagnostic.here(format!("the broker stops here with `Transport scheme NOT recognized: [{scheme}]`"));
    match meant(scheme, context.model.release()) {
        Some((name, safety)) => {
            let is_raw = listener.raw.as_ref().is_some_and(|raw| raw.text.at != at);
            let text = if is_raw { name.to_owned() } else { format!("\"{name}\"") };
            let diagnostic = diagnostic.help(format!("did you mean `{name}`?"));
            let replaceable = listener.raw.is_none() || is_raw;
            if replaceable { diagnostic.fix(format!("listen on `{name}`"), safety, at, text) } else { diagnostic }
        }
        None => diagnostic.help("listen on `tcp`, `ssl`, `nio`, `auto`, `stomp`, `mqtt`, `amqp`, `ws` or `http`"),
    }
}

fn not_yet(context: &Context<'_>, broker: &Broker, listener: &Listener, since: Release) -> Diagnostic {
    let scheme = &listener.scheme.value;
    let release = context.model.release();
    let message =
        format!("{} cannot listen on `{scheme}:`, which ActiveMQ {release} does not have", whose(broker, listener));
    let running = context.model.topology.activemq.as_ref().map(|target| target.at);
    Diagnostic::new(&RULE, at(context, listener), message)
        .here(format!("the broker stops here with `Transport scheme NOT recognized: [{scheme}]`"))
        .also_at(running, format!("the brokers run {release}"))
        .help(format!("raise `activemq` to {since} or later, or remove this listener"))
}

fn whose(broker: &Broker, listener: &Listener) -> String {
    format!("listener `{}` of broker `{}`", listener.name.value, broker.name.value)
}

/// The scheme alone where it stands in a raw URI.
fn at(context: &Context<'_>, listener: &Listener) -> Loc {
    match &listener.raw {
        Some(raw) => place::inside(context, raw, raw.uri.as_ref().map_or(0..0, |uri| uri.scheme.range())),
        None => listener.scheme.at,
    }
}

/// The first release with this scheme, where `release` is older.
fn too_new(scheme: &ListenerScheme, release: Release) -> Option<Release> {
    let since = Target::parse(scheme.since).ok()?.release;
    (release < since).then_some(since)
}

/// The scheme that was most likely meant, among those of the release.
fn meant(scheme: &str, release: Release) -> Option<(&'static str, Safety)> {
    let known = || LISTENER_SCHEMES.iter().filter(|known| too_new(known, release).is_none()).map(|known| known.name);
    let lower = scheme.to_ascii_lowercase();
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == lower).map(|(_, name)| *name);
    let plain = other.or_else(|| known().find(|name| parts(name) == parts(&lower)));
    if let Some(name) = plain.filter(|name| known().any(|known| known == *name)) {
        return Some((name, Safety::Safe));
    }
    let near = suggest::suggest(scheme, known())?;
    let safety = if suggest::only_near(scheme, known()) { Safety::Safe } else { Safety::Shown };
    Some((near, safety))
}

/// `ssl+nio` has the parts of `nio+ssl`.
fn parts(scheme: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = scheme.split('+').collect();
    parts.sort_unstable();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scheme: &str, release: &str, expected: Option<(&str, Safety)>) {
        assert_eq!(meant(scheme, Target::parse(release).unwrap().release), expected, "{scheme} on {release}");
    }

    #[test]
    fn a_scheme_in_other_words_is_known() {
        check("TCP", "6.2", Some(("tcp", Safety::Safe)));
        check("amqps", "6.2", Some(("amqp+ssl", Safety::Safe)));
        check("ssl+nio", "6.2", Some(("nio+ssl", Safety::Safe)));
        check("Openwire", "6.2", Some(("tcp", Safety::Safe)));
    }

    #[test]
    fn a_misspelt_scheme_finds_its_nearest() {
        check("stmop", "6.2", Some(("stomp", Safety::Safe)));
        check("htps", "6.2", Some(("https", Safety::Safe)));
        check("wsx", "6.2", Some(("ws", Safety::Shown)));
        check("ftp", "6.2", None);
    }

    #[test]
    fn nothing_is_suggested_that_the_release_lacks() {
        check("amqps", "5.7", None);
        check("autoo", "5.12", None);
        check("autoo", "5.13", Some(("auto", Safety::Safe)));
    }
}
