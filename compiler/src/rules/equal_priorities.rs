//! TOPO0401 equal-priorities: two connectors of one deployment with one priority.

use super::{Check, Context, FixKind, Level, Rule, exclusive_at_127, priority_out_of_range};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Connector, Deployment, Mode, Set, default_priority};
use std::collections::HashMap;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0401",
    name: "equal-priorities",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "two connectors of one deployment with one priority",
    page: include_str!("equal_priorities.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let deployments = context.model.deployments.iter();
    for deployment in deployments.filter(|deployment| deployment.mode != Mode::Simplex) {
        check_deployment(context, deployment, report);
    }
}

fn check_deployment(context: &Context<'_>, deployment: &Deployment, report: &mut Report) {
    let mut first: HashMap<i64, &Connector> = HashMap::new();
    for connector in members(context, deployment) {
        let priority = connector.effective_priority();
        if !priority_out_of_range::fits(priority) {
            continue;
        }
        match first.get(&priority) {
            None => drop(first.insert(priority, connector)),
            Some(other) if std::ptr::eq(*other, connector) => {}
            // These do worse than alternate, which is said elsewhere.
            Some(other) if exclusive_at_127::takes_over(other) && exclusive_at_127::takes_over(connector) => {}
            Some(other) => report.diagnostics.extend(found(context, deployment, other, connector, priority)),
        }
    }
}

/// The members that could be read, in order.
pub(super) fn members<'a>(context: &Context<'a>, deployment: &'a Deployment) -> impl Iterator<Item = &'a Connector> {
    let model = context.model;
    let connectors = deployment.connectors.iter().map(|connector| model.connector(connector.value));
    connectors.filter(|connector| !connector.dialer.damaged)
}

/// One of the two was written by hand, since defaults differ; that is where the finding belongs.
fn found(
    context: &Context<'_>,
    deployment: &Deployment,
    first: &Connector,
    second: &Connector,
    priority: i64,
) -> Option<Diagnostic> {
    let (here, written, there) = match (&second.priority, &first.priority) {
        (Some(written), _) => (second, written, first),
        (None, Some(written)) => (first, written, second),
        (None, None) => return None,
    };
    let (name, other) = (&here.dialer.name.value, &there.dialer.name.value);
    let message =
        format!("connectors `{name}` and `{other}` of deployment `{}` have equal priority", deployment.name.value);
    let elsewhere = match &there.priority {
        Some(priority) => (priority.at, format!("as `{other}` has")),
        None => (there.dialer.at, format!("`{other}` has {priority} by its place in the deployment")),
    };
    let diagnostic = Diagnostic::new(&RULE, written.at, message)
        .here(format!("{priority}: at one broker, requests alternate between the two"))
        .also(elsewhere.0, elsewhere.1);
    Some(with_advice(context, deployment, diagnostic, here, written))
}

/// Says which priority is free for a connector.
pub(super) fn with_advice(
    context: &Context<'_>,
    deployment: &Deployment,
    diagnostic: Diagnostic,
    connector: &Connector,
    written: &Set<i64>,
) -> Diagnostic {
    let taken: Vec<i64> = members(context, deployment).map(Connector::effective_priority).collect();
    let place = connector.deployment.map_or(0, |(_, place)| place);
    let Some(free) = (place..100).map(default_priority).find(|priority| !taken.contains(priority)) else {
        return diagnostic.help("give each connector of a deployment a priority of its own");
    };
    // One value in `defaults` is that of several: whatever is written there, they stay equal.
    let at = |member: &Connector| member.priority.as_ref().map(|priority| priority.at);
    if members(context, deployment).filter(|member| at(member) == Some(written.at)).count() > 1 {
        return diagnostic.help(format!("write `priority = {free}` in `{}` itself", connector.dialer.name.value));
    }
    diagnostic.help(format!("write `priority = {free}`: the connector that comes first has the highest")).fix(
        format!("write {free}"),
        Safety::Unsafe,
        written.at,
        free.to_string(),
    )
}
