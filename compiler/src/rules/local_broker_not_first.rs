//! TOPO0405 local-broker-not-first: a connector that prefers a broker of another site.

use super::{Check, Context, FixKind, Level, Rule, broker_order};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{BrokerId, ConnectorId, Deployment, Dialer, Mode, SiteId};
use std::collections::HashMap;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0405",
    name: "local-broker-not-first",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a connector whose first broker is of another site although its own has one",
    page: include_str!("local_broker_not_first.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    let locals = broker_order::local_brokers(model);
    for deployment in model.deployments.iter().filter(|deployment| !deployment.damaged) {
        for (place, connector) in deployment.connectors.iter().enumerate() {
            if place == 0 || deployment.mode == Mode::ActiveActive {
                report.diagnostics.extend(judge(context, deployment, connector.value, &locals));
            }
        }
    }
}

fn judge(
    context: &Context<'_>,
    deployment: &Deployment,
    connector: ConnectorId,
    locals: &HashMap<SiteId, BrokerId>,
) -> Option<Diagnostic> {
    let model = context.model;
    let dialer = &model.connector(connector).dialer;
    let first = dialer.brokers.first().filter(|_| broker_order::matters(dialer))?;
    let local = locals.get(&dialer.site).filter(|_| !broker_order::is_in(model, first, dialer.site))?;
    let (name, far) = (&dialer.name.value, context.sources.text(first.at));
    let message = match deployment.mode {
        Mode::ActiveActive => format!("active connector `{name}` prefers `{far}`, which is not of its own site"),
        Mode::ActivePassive | Mode::Simplex => {
            format!("primary connector `{name}` prefers `{far}`, which is not of its own site")
        }
    };
    let local = model.broker(*local);
    let diagnostic = Diagnostic::new(&RULE, first.at, message)
        .here(format!("a broker of site `{}`", model.site(model.broker(first.broker).site).name.value))
        .also(local.name.at, format!("the broker of its own site, `{}`", model.site(dialer.site).name.value));
    Some(with_order(context, diagnostic, dialer, &local.name.value))
}

/// Says which list to write: the local broker moved to the front, or put there.
fn with_order(context: &Context<'_>, diagnostic: Diagnostic, dialer: &Dialer, local: &str) -> Diagnostic {
    let Some(place) = broker_order::local_place(context.model, dialer) else {
        let others: Vec<&str> = dialer.brokers.iter().map(|endpoint| context.sources.text(endpoint.at)).collect();
        return diagnostic.help(format!("write `brokers = [{local}, {}]`", others.join(", ")));
    };
    let diagnostic = diagnostic.help(format!("write `brokers = {}`", broker_order::with_first(context, dialer, place)));
    match broker_order::to_front(context, dialer, place) {
        Some(edits) => diagnostic.fix_all("list the local broker first", Safety::Unsafe, edits),
        None => diagnostic,
    }
}
