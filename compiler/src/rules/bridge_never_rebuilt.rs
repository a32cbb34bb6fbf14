//! TOPO0203 bridge-never-rebuilt: `failover:` inside a bridge that hides the loss of a connection from the bridge.

use super::{Check, Context, FixKind, Level, Rule, bridges, place};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Bridge, RawUri};
use crate::network::duplex;
use crate::options;
use crate::release::{Release, zero_attempts_means_forever};
use crate::uri::{Uri, UriKind, UriOption};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0203",
    name: "bridge-never-rebuilt",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "`failover:` inside a bridge that is not rebuilt after a crash",
    page: include_str!("bridge_never_rebuilt.md"),
    check: Check::Model(check),
};

pub(super) const ATTEMPTS: &str = "maxReconnectAttempts";

fn check(context: &Context<'_>, report: &mut Report) {
    let release = context.model.release();
    for (bridge, raw, uri) in bridges::by_hand(context) {
        let source = &raw.text.value;
        let agent = options::discovery_scheme(uri.scheme.text(source)).is_some_and(|agent| agent.takes_list);
        if !agent {
            continue;
        }
        for inner in uri.members().iter().filter(|member| member.scheme.text(source) == "failover") {
            // An option that stands on the agent instead has a rule of its own, which says so.
            let outside = uri.find_option(source, ATTEMPTS).filter(|_| inner.find_option(source, ATTEMPTS).is_none());
            if outside.is_none() && reconnects(release, inner, source) {
                report.add(found(context, bridge, raw, inner));
            }
        }
    }
}

/// Whether the transport itself connects again, so that the bridge never learns that its connection was lost.
pub(super) fn reconnects(release: Release, failover: &Uri, source: &str) -> bool {
    let written = failover.find_option(source, ATTEMPTS).map(|option| failover.decoded(source, option.value));
    let Some(attempts) = written.map(|value| value.trim().parse::<i64>().ok()) else { return true };
    match zero_attempts_means_forever(release) {
        true => attempts.is_none_or(|attempts| attempts <= 0),
        false => attempts != Some(0),
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, raw: &RawUri, failover: &Uri) -> Diagnostic {
    let old = zero_attempts_means_forever(context.model.release());
    let wanted = if old { "1" } else { "0" };
    let source = &raw.text.value;
    let written = failover.find_option(source, ATTEMPTS);
    let at = written.map_or(failover.scheme.range(), |option| option.range.clone());
    let label = match (written, old) {
        (None, _) => "connects again without telling the bridge",
        (Some(_), true) => "before 5.6, 0 means for ever: the bridge is never told",
        (Some(_), false) => "connects again this often without telling the bridge",
    };
    // What the owner sends does cross again: failover restores the subscription that draws it.
    let lost = if duplex(bridge) { "; what the far broker has for this one then stays there" } else { "" };
    let label = format!("{label}{lost}");
    let title = bridges::title(context.model, bridge);
    let message = format!("bridge `{title}` is never rebuilt after a crash of the far broker");
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, at), message).here(label).help(format!(
        "put `{ATTEMPTS}={wanted}` behind the parenthesis of `failover:(...)`, or leave `uri` out: topoc writes it"
    ));
    match edit(context, raw, failover, written, wanted) {
        Some(edit) => diagnostic.fix_all(format!("add `{ATTEMPTS}={wanted}`"), Safety::Safe, vec![edit]),
        None => diagnostic,
    }
}

fn edit(
    context: &Context<'_>,
    raw: &RawUri,
    failover: &Uri,
    written: Option<&UriOption>,
    wanted: &str,
) -> Option<Edit> {
    if let Some(option) = written {
        return bridges::edit(context, raw, option.range.clone(), format!("{ATTEMPTS}={wanted}"));
    }
    // Without parentheses an option would belong to the last broker.
    let parenthesised = matches!(failover.kind, UriKind::Composite { parenthesised: true, .. });
    let join = if failover.options.is_empty() { '?' } else { '&' };
    let end = failover.range.end;
    bridges::edit(context, raw, end..end, format!("{join}{ATTEMPTS}={wanted}")).filter(|_| parenthesised)
}
