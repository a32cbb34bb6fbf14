//! TOPO0508 mixed-finesse-deployments: a connector whose Finesse nodes are of UCCE and of UCCX.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report};
use crate::model::{Connector, Finesse, FinesseId, Model, Set};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0508",
    name: "mixed-finesse-deployments",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a connector whose Finesse nodes are of UCCE and of UCCX",
    page: include_str!("mixed_finesse_deployments.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for connector in &context.model.connectors {
        report.diagnostics.extend(mixed(context.model, connector));
    }
}

fn mixed(model: &Model, connector: &Connector) -> Option<Diagnostic> {
    let (first, rest) = connector.finesse.split_first()?;
    let other = rest.iter().find(|node| word(model, node) != word(model, first))?;
    let name = &connector.dialer.name.value;
    let (a, b) = (node(model, first), node(model, other));
    let message = format!(
        "connector `{name}` has Finesse nodes of two contact centres: `{}` of {}, `{}` of {}",
        a.name.value,
        word(model, first),
        b.name.value,
        word(model, other)
    );
    let written = |node: &Finesse| node.deployment.as_ref().map_or(node.at, |deployment| deployment.at);
    Some(
        Diagnostic::new(&RULE, other.at, message)
            .here("agents of one contact centre are not known at the other")
            .also(written(a), format!("{} here", word(model, first)))
            .also(written(b), format!("{} here", word(model, other)))
            .help("write the same `deployment` for both nodes, or give each contact centre a connector of its own"),
    )
}

fn node<'m>(model: &'m Model, id: &Set<FinesseId>) -> &'m Finesse {
    &model.finesse[id.value.index()]
}

fn word<'m>(model: &'m Model, id: &Set<FinesseId>) -> &'m str {
    node(model, id).deployment.as_ref().map_or("ucce", |deployment| &deployment.value)
}
