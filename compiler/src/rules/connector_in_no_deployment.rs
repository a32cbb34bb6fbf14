//! TOPO0407 connector-in-no-deployment: a connector that no deployment names.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report};
use crate::model::{Connector, Model};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0407",
    name: "connector-in-no-deployment",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a connector that no deployment names",
    page: include_str!("connector_in_no_deployment.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    if model.incomplete {
        return;
    }
    for connector in model.connectors.iter().filter(|connector| connector.deployment.is_none()) {
        report.add(found(model, connector));
    }
}

fn found(model: &Model, connector: &Connector) -> Diagnostic {
    let name = &connector.dialer.name.value;
    let alone = format!("`deployment {name} simplex {{ connectors = [{name}] }}`");
    let diagnostic =
        Diagnostic::new(&RULE, connector.dialer.name.at, format!("connector `{name}` is in no deployment"))
            .here("takes requests with priority 127 beside whoever else does");
    match model.deployments.first() {
        Some(deployment) => diagnostic
            .also(deployment.at, "add it to `connectors` here if it belongs to these")
            .help(format!("add `{name}` to `connectors` of `{}`, or write {alone}", deployment.name.value)),
        None => diagnostic.help(format!("write {alone}")),
    }
}
