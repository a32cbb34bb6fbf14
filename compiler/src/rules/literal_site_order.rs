//! TOPO0404 literal-site-order: a standby that lists the primary's broker first, as the deployment document does.

use super::{Check, Context, FixKind, Level, Rule, broker_order};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Connector, Mode};
use crate::network::{node, seat};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0404",
    name: "literal-site-order",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a standby that lists the primary's broker first",
    page: include_str!("literal_site_order.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    for deployment in model.deployments.iter().filter(|found| found.mode == Mode::ActivePassive && !found.damaged) {
        let Some((primary, standbys)) = deployment.connectors.split_first() else { continue };
        let primary = model.connector(primary.value);
        for standby in standbys.iter().map(|standby| model.connector(standby.value)) {
            if standby.dialer.name != primary.dialer.name && broker_order::matters(&standby.dialer) {
                report.diagnostics.extend(judge(context, primary, standby));
            }
        }
    }
}

/// A finding where the standby sits at the primary's broker although it lists another.
fn judge(context: &Context<'_>, primary: &Connector, standby: &Connector) -> Option<Diagnostic> {
    let model = context.model;
    let shared = seat(model, primary).filter(|broker| seat(model, standby) == Some(*broker))?;
    let dialer = &standby.dialer;
    let first = dialer.brokers.first().filter(|first| !broker_order::is_in(model, first, dialer.site))?;
    let elsewhere = |endpoint| node(model, endpoint) != shared;
    let other = dialer.brokers.iter().position(|endpoint| elsewhere(endpoint.broker))?;
    let place = broker_order::local_place(model, dialer).unwrap_or(other);
    let message = format!(
        "standby `{}` lists `{}` first, as primary `{}` does: rows 6 and 7 of the deployment document's scenarios fail",
        dialer.name.value,
        context.sources.text(first.at),
        primary.dialer.name.value
    );
    let list = broker_order::with_first(context, dialer, place);
    let diagnostic = Diagnostic::new(&RULE, first.at, message)
        .here("the standby goes back to this broker whenever it can")
        .also_at(primary.dialer.brokers.first().map(|endpoint| endpoint.at), "the primary's first broker")
        .help(format!(
            "write `brokers = {list}`: then requests take the way that rows 6 (AMQ-1 restores while GC-1 is still down) and \
             7 (GC-1 is down while both AMQs are active) say"
        ));
    Some(match broker_order::to_front(context, dialer, place) {
        Some(edits) => diagnostic.fix_all("list the standby's own broker first", Safety::Unsafe, edits),
        None => diagnostic,
    })
}
