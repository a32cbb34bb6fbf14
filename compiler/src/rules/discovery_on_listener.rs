//! TOPO0102 discovery-on-listener: a scheme that finds brokers where a broker listens.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Listener};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0102",
    name: "discovery-on-listener",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a scheme that finds brokers where a broker listens",
    page: include_str!("discovery_on_listener.md"),
    check: Check::Model(check),
};

/// What ActiveMQ says to a scheme here: `doBind` of the first kind always fails, of the second there is none
/// (`TransportFactory.findTransportFactory`, 5.6 to 6.3.1).
const FINDERS: &[(&str, &str)] = &[
    ("discovery", "Invalid server URI"),
    ("fanout", "Invalid server URI"),
    ("static", "Transport scheme NOT recognized"),
    ("simple", "Transport scheme NOT recognized"),
    ("masterslave", "Transport scheme NOT recognized"),
    ("zeroconf", "Transport scheme NOT recognized"),
];

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for broker in &context.model.brokers {
        for listener in &broker.listeners {
            let known = FINDERS.iter().find(|(scheme, _)| *scheme == listener.scheme.value);
            if let Some((_, refusal)) = known.filter(|_| seen.insert(listener.scheme.at)) {
                report.add(found(context, broker, listener, refusal));
            }
        }
    }
}

/// Whether a listener of this scheme is reported here.
pub(super) fn is_finder(scheme: &str) -> bool {
    FINDERS.iter().any(|(finder, _)| *finder == scheme)
}

fn found(context: &Context<'_>, broker: &Broker, listener: &Listener, refusal: &str) -> Diagnostic {
    let scheme = &listener.scheme.value;
    let message =
        format!("listener `{}` of broker `{}` cannot listen on `{scheme}:`", listener.name.value, broker.name.value);
    let at = match &listener.raw {
        Some(raw) => place::inside(context, raw, raw.uri.as_ref().map_or(0..0, |uri| uri.scheme.range())),
        None => listener.scheme.at,
    };
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(format!("the broker stops here with `{refusal}`"))
        .help(help(broker, scheme));
    match &listener.raw {
        Some(raw) => diagnostic.fix("listen on the usual port", Safety::Unsafe, raw.text.at, "\"tcp://0.0.0.0:61616\""),
        None => diagnostic.fix("listen on tcp", Safety::Unsafe, listener.scheme.at, "\"tcp\""),
    }
}

fn help(broker: &Broker, scheme: &str) -> String {
    let instead = match scheme {
        "discovery" => "and list the brokers in the `brokers` of who connects".to_owned(),
        "fanout" => "and let who sends to several brokers connect with `fanout:`".to_owned(),
        "zeroconf" => "and announce the broker with `discovery-uri = \"zeroconf:...\"`".to_owned(),
        _ => format!("and write `bridge {} -> OTHER` to reach another broker", broker.name.value),
    };
    format!("a listener says where this broker is reached: listen on `tcp`, {instead}")
}
