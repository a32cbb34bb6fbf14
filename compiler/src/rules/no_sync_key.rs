//! TOPO0705 no-sync-key: connectors that stand in for each other and have no key to tell each other of agents with.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report};
use crate::model::{ConnectorId, Deployment, Model};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0705",
    name: "no-sync-key",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "connectors of one deployment that have no key to tell each other of agents with",
    page: include_str!("no_sync_key.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for deployment in context.model.deployments.iter().filter(|deployment| !deployment.damaged) {
        if deployment.sync_key.is_none() && has_agents_to_share(context.model, deployment) {
            report.add(found(deployment));
        }
    }
}

/// Without Finesse there are no agents, and one connector has nobody to tell.
fn has_agents_to_share(model: &Model, deployment: &Deployment) -> bool {
    let ids = || deployment.connectors.iter().map(|connector| connector.value);
    let distinct: HashSet<ConnectorId> = ids().collect();
    distinct.len() > 1 && ids().any(|id| !model.connector(id).finesse.is_empty())
}

fn found(deployment: &Deployment) -> Diagnostic {
    let name = &deployment.name.value;
    match &deployment.other_sync_key {
        Some(other) => {
            let message = format!("deployment `{name}` has `other-sync-key` and no `sync-key`");
            Diagnostic::new(&RULE, other.at, message)
                .here("opens what is sealed with it, and nothing is sealed")
                .help("write `sync-key` for the one that seals")
        }
        None => {
            Diagnostic::new(&RULE, deployment.name.at, format!("the connectors of deployment `{name}` share no key"))
                .here("they tell each other nothing: agents of one that fails must connect again")
                .help("write `sync-key = secret(\"env:SYNC_KEY\")`, and make a key with `openssl rand -hex 32`")
        }
    }
}
