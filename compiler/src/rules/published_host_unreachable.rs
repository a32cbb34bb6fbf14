//! TOPO0111 published-host-unreachable: clients are told a host that may lead them nowhere.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::addresses::{is_loopback, is_wildcard};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::dialling::{pushes_list, speaks_openwire};
use crate::model::{Broker, Listener, Setting, SettingsExt};
use std::collections::HashSet;
use std::net::IpAddr;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0111",
    name: "published-host-unreachable",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "clients are told a host that may lead them nowhere",
    page: include_str!("published_host_unreachable.md"),
    check: Check::Model(check),
};

/// What a broker tells of itself instead of its `host`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The name that its machine has for itself.
    OwnName,
    /// An address that means another machine to everybody else.
    Loopback,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for broker in context.model.brokers.iter().filter(|broker| !context.model.incomplete && !broker.damaged) {
        for listener in broker.listeners.iter().filter(|listener| pushes_list(listener) && speaks_openwire(listener)) {
            let Some(pushes) = listener.settings.find("updateClusterClients") else { continue };
            if let Some(told) = told(&broker.host.value, listener)
                && seen.insert(pushes.at)
            {
                report.add(found(context, broker, listener, pushes, told));
            }
        }
    }
}

/// What clients are told, where that is not the broker's `host`. A broker whose host is loopback is for its own machine.
fn told(host: &str, listener: &Listener) -> Option<Told> {
    let bound = listener.bound_host().filter(|_| !is_loopback(host) && !host.contains("${"))?;
    if listener.settings.find("hostMapping").is_some() {
        return None;
    }
    match strategy(listener).as_str() {
        _ if is_loopback(bound) => Some(Told::Loopback),
        _ if !is_wildcard(bound) => None,
        "DEFAULT" => Some(Told::OwnName),
        "HOSTNAME" | "FQDN" if is_address(host) => Some(Told::OwnName),
        _ => None,
    }
}

/// `PublishedAddressPolicy.PublishedHostStrategy`, in any case of letters.
fn strategy(listener: &Listener) -> String {
    let written = listener.settings.find("publishedHostStrategy").map(|setting| setting.value.to_string());
    written.unwrap_or_else(|| "DEFAULT".to_owned()).to_ascii_uppercase()
}

/// The strategy that comes nearest to a host as it is written.
fn fitting(host: &str) -> &'static str {
    match host {
        host if is_address(host) => "IPADDRESS",
        host if host.contains('.') => "FQDN",
        _ => "HOSTNAME",
    }
}

fn is_address(host: &str) -> bool {
    host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

fn found(context: &Context<'_>, broker: &Broker, listener: &Listener, pushes: &Setting, told: Told) -> Diagnostic {
    let host = &broker.host.value;
    let instead = match told {
        Told::OwnName => "its machine's own name",
        Told::Loopback => "a loopback address",
    };
    let message = format!(
        "listener `{}` of broker `{}` tells clients {instead} instead of `{host}`",
        listener.name.value, broker.name.value
    );
    let diagnostic = Diagnostic::new(&RULE, pushes.at, message)
        .here("clients try this list before their own")
        .also(broker.host.at, "how others reach it");
    if told == Told::Loopback {
        return diagnostic.help("bind `host = \"0.0.0.0\"` or the address that others reach, or push no list");
    }
    let strategy = fitting(host);
    let diagnostic = diagnostic.help(format!(
        "write `published-host-strategy = \"{strategy}\"` once the machine gives that, or bind its address"
    ));
    let edit = match listener.settings.find("publishedHostStrategy") {
        Some(written) => Some(Edit { at: written.value_at, text: quote(strategy).into() }),
        None => place::before(context, pushes.at, &format!("published-host-strategy = \"{strategy}\"")),
    };
    match edit {
        Some(edit) => diagnostic.fix_all("say which host is published", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
