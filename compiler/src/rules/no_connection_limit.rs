//! TOPO0114 no-connection-limit: a listener that takes any number of connections.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Broker, Listener, RawUri};
use crate::options;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0114",
    name: "no-connection-limit",
    level: Level::Hygiene,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a listener that takes any number of connections",
    page: include_str!("no_connection_limit.md"),
    check: Check::Model(check),
};

const OPTION: &str = "maximumConnections";

fn check(context: &Context<'_>, report: &mut Report) {
    // Notes about hygiene are for topologies that can be read.
    if context.model.incomplete {
        return;
    }
    for broker in &context.model.brokers {
        for listener in broker.listeners.iter().filter(|listener| takes_a_limit(listener) && !is_limited(listener)) {
            report.add(found(context, broker, listener));
        }
    }
}

/// Whether the scheme knows the option at all: what Jetty serves does not.
fn takes_a_limit(listener: &Listener) -> bool {
    options::listener_scheme(&listener.scheme.value).is_some_and(|scheme| !scheme.open_options)
}

fn is_limited(listener: &Listener) -> bool {
    let in_uri = |raw: &RawUri| raw.uri.as_ref().is_ok_and(|uri| uri.find_option(&raw.text.value, OPTION).is_some());
    listener.settings.iter().any(|setting| options::same_name(&setting.real, OPTION))
        || listener.raw.as_ref().is_some_and(in_uri)
}

fn found(context: &Context<'_>, broker: &Broker, listener: &Listener) -> Diagnostic {
    let message =
        format!("listener `{}` of broker `{}` takes any number of connections", listener.name.value, broker.name.value);
    let diagnostic = Diagnostic::new(&RULE, listener.at, message)
        .here("without a limit")
        .help("write `maximum-connections = 1000`, as ActiveMQ's own configuration has it");
    let edit = match &listener.raw {
        Some(raw) => in_uri(context, raw),
        None => place::into_block(context, listener.at, "maximum-connections = 1000"),
    };
    match edit {
        Some(edit) => diagnostic.fix_all("take a thousand", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

fn in_uri(context: &Context<'_>, raw: &RawUri) -> Option<Edit> {
    let uri = raw.uri.as_ref().ok()?;
    let join = if uri.options.is_empty() { '?' } else { '&' };
    let at = dialled::editable(context, raw, uri.range.end..uri.range.end)?;
    Some(Edit { at, text: format!("{join}{OPTION}=1000").into() })
}
