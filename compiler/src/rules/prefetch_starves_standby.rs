//! TOPO0413 prefetch-starves-standby: a prefetch that hands work to the wrong connector, or holds too much of it.

use super::equal_priorities::members;
use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Connector, Deployment, Mode, Set};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0413",
    name: "prefetch-starves-standby",
    level: Level::Note,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a prefetch that hands work to the wrong connector, or holds too much of it",
    page: include_str!("prefetch_starves_standby.md"),
    check: Check::Model(check),
};

/// Below it a connector is full so often that the next one works along: at 100 requests a second of 60 ms each, prefetch 1
/// and 10 gave two connectors half each, on 5.17.2.
const ENOUGH: i64 = 100;

/// ActiveMQ's own, which topoc leaves as it is.
const USUAL: i64 = 1000;

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    let deployments = context.model.deployments.iter();
    for deployment in deployments.filter(|deployment| deployment.mode != Mode::Simplex) {
        let last = members(context, deployment).map(Connector::effective_priority).min();
        for connector in members(context, deployment) {
            let Some(prefetch) = &connector.prefetch else { continue };
            let takes_over = deployment.mode == Mode::ActiveActive || Some(connector.effective_priority()) > last;
            let label = match prefetch.value {
                0 if takes_over => "a consumer without prefetch that waits for messages is given none",
                1..ENOUGH if takes_over => "once it is full, the next connector gets requests although this one lives",
                n if n > USUAL => "so many requests wait behind this connector when it hangs",
                _ => continue,
            };
            if seen.insert(prefetch.at) {
                report.add(found(deployment, connector, prefetch, label));
            }
        }
    }
}

fn found(deployment: &Deployment, connector: &Connector, prefetch: &Set<i64>, label: &str) -> Diagnostic {
    let message = format!(
        "connector `{}` of deployment `{}` has a prefetch of {}",
        connector.dialer.name.value, deployment.name.value, prefetch.value
    );
    Diagnostic::new(&RULE, prefetch.at, message)
        .here(label.to_owned())
        .help(format!("leave it out, or write `prefetch = {USUAL}`"))
        .fix(format!("hand over up to {USUAL}"), Safety::Unsafe, prefetch.at, USUAL.to_string())
}
