//! TOPO0414 exclusive-at-127: two exclusive consumers of one queue, each of which takes it from the other.

use super::equal_priorities::{members, with_advice};
use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::{BrokerId, Connector, Deployment};
use std::collections::HashMap;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0414",
    name: "exclusive-at-127",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "two exclusive consumers at priority 127, each of which takes the queue from the other",
    page: include_str!("exclusive_at_127.md"),
    check: Check::Model(check),
};

/// The priority with which an exclusive consumer takes over from any other (ActiveMQ, `Queue.addSubscription`:
/// `Byte.MAX_VALUE`).
const ALWAYS: i64 = 127;

/// Where two connectors can come to be on one queue of one broker.
#[derive(PartialEq, Eq, Hash)]
enum Meeting<'a> {
    /// Members of one deployment.
    Deployment(usize),
    /// Consumers of a queue who list the same broker.
    Queue(&'a str, BrokerId),
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut first: HashMap<Meeting<'_>, &Connector> = HashMap::new();
    for (index, deployment) in context.model.deployments.iter().enumerate() {
        for connector in members(context, deployment).filter(|connector| takes_over(connector)) {
            let brokers = connector.dialer.brokers.iter();
            let queues = brokers.map(|endpoint| Meeting::Queue(&deployment.requests, endpoint.broker));
            let mut other = None;
            for meeting in std::iter::once(Meeting::Deployment(index)).chain(queues) {
                let there = *first.entry(meeting).or_insert(connector);
                other = other.or(Some(there).filter(|there| !std::ptr::eq(*there, connector)));
            }
            report.diagnostics.extend(other.and_then(|other| found(context, deployment, other, connector)));
        }
    }
}

/// Whether it takes the queue from whoever has it.
pub(super) fn takes_over(connector: &Connector) -> bool {
    connector.effective_priority() == ALWAYS && is_exclusive(connector).is_some()
}

fn is_exclusive(connector: &Connector) -> Option<Loc> {
    connector.exclusive.as_ref().filter(|exclusive| exclusive.value).map(|exclusive| exclusive.at)
}

fn found(context: &Context<'_>, deployment: &Deployment, first: &Connector, second: &Connector) -> Option<Diagnostic> {
    let (name, other) = (&second.dialer.name.value, &first.dialer.name.value);
    let message = format!(
        "exclusive connectors `{name}` and `{other}` both have priority {ALWAYS}, and each takes queue `{}` from the other",
        deployment.requests
    );
    let at =
        |connector: &Connector| connector.priority.as_ref().map(|priority| priority.at).or(is_exclusive(connector));
    let label = "at 127 a newcomer always becomes the one consumer";
    let diagnostic = Diagnostic::new(&RULE, at(second)?, message).here(label).also_at(at(first), format!("`{other}`"));
    Some(match &second.priority {
        Some(written) => with_advice(context, deployment, diagnostic, second, written),
        None => diagnostic
            .help(format!("write `priority = 100` in `{name}`: an exclusive consumer keeps the queue from lower ones")),
    })
}
