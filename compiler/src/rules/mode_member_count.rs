//! TOPO0406 mode-member-count: a deployment whose mode does not go with its connectors.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::model::{ConnectorId, Deployment, Mode, Model, Set, SiteId};
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0406",
    name: "mode-member-count",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a deployment with too few or too many connectors for its mode",
    page: include_str!("mode_member_count.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for deployment in context.model.deployments.iter().filter(|deployment| !deployment.damaged) {
        let distinct: HashSet<ConnectorId> = deployment.connectors.iter().map(|connector| connector.value).collect();
        match (deployment.mode, distinct.len()) {
            (Mode::Simplex, 1) | (Mode::ActivePassive, 2..) => {}
            (Mode::Simplex, count) => report.add(not_one(deployment, count)),
            (Mode::ActivePassive | Mode::ActiveActive, count @ ..2) => {
                report.add(too_few(context.model, deployment, count));
            }
            (Mode::ActiveActive, _) => one_site(context.model, deployment, report),
        }
    }
}

fn not_one(deployment: &Deployment, count: usize) -> Diagnostic {
    let name = &deployment.name.value;
    let message = format!("simplex deployment `{name}` has {}, and takes one", connectors(count));
    let second = deployment.connectors.get(1).map_or(deployment.at, |connector| connector.at);
    let diagnostic = Diagnostic::new(&RULE, second, message);
    match count {
        0 => diagnostic.here("no connector is named").help("name one: `connectors = [gc-1]`"),
        _ => diagnostic.here("one more than simplex takes").also(deployment.at, "simplex is written here").help(format!(
            "write `deployment {name} active-passive`, or keep one connector and give each other one a deployment of its own"
        )),
    }
}

fn too_few(model: &Model, deployment: &Deployment, count: usize) -> Diagnostic {
    let (name, mode) = (&deployment.name.value, mode(deployment.mode));
    let message = format!("{mode} deployment `{name}` has {}, and takes two or more", connectors(count));
    let diagnostic = Diagnostic::new(&RULE, deployment.at, message);
    let Some(only) = deployment.connectors.first() else {
        return diagnostic.here("no connector is named").help("name two: `connectors = [gc-1, gc-2]`");
    };
    let only_name = &model.connector(only.value).dialer.name.value;
    diagnostic
        .here("nobody takes over when its connector fails")
        .also(only.at, "the only connector")
        .help(format!("add a second one to `connectors`, or write `deployment {name} simplex`; `{only_name}` is alone"))
}

/// Active-active is one connector per site: a second one at the same broker would share the work by priority alone.
fn one_site(model: &Model, deployment: &Deployment, report: &mut Report) {
    let mut seen: HashMap<SiteId, &Set<ConnectorId>> = HashMap::new();
    for connector in &deployment.connectors {
        let site = model.connector(connector.value).dialer.site;
        match seen.get(&site) {
            Some(first) if first.value != connector.value => {
                report.add(same_site(model, deployment, first, connector).level(Severity::Warning));
            }
            Some(_) => {}
            None => drop(seen.insert(site, connector)),
        }
    }
}

fn same_site(
    model: &Model,
    deployment: &Deployment,
    first: &Set<ConnectorId>,
    second: &Set<ConnectorId>,
) -> Diagnostic {
    let name = |id: ConnectorId| &model.connector(id).dialer.name.value;
    let site = &model.site(model.connector(second.value).dialer.site).name.value;
    let message = format!(
        "`{}` and `{}` of active-active deployment `{}` are both in site `{site}`",
        name(first.value),
        name(second.value),
        deployment.name.value
    );
    Diagnostic::new(&RULE, second.at, message)
        .here("gets requests only while the other cannot take more")
        .also(first.at, "the first one of that site")
        .help("keep one connector for each site, or give this one a deployment and a request queue of its own")
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Simplex => "simplex",
        Mode::ActivePassive => "active-passive",
        Mode::ActiveActive => "active-active",
    }
}

fn connectors(count: usize) -> String {
    match count {
        0 => "no connector".to_owned(),
        1 => "one connector".to_owned(),
        count => format!("{count} connectors"),
    }
}
