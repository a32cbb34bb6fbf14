//! TOPO0702 anonymous-broker: a broker that takes whoever connects.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::Broker;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0702",
    name: "anonymous-broker",
    level: Level::Hygiene,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a broker that takes whoever connects",
    page: include_str!("anonymous_broker.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    // Notes about hygiene are for topologies that can be read.
    if context.model.incomplete {
        return;
    }
    for broker in &context.model.brokers {
        match &broker.users {
            None if !is_guarded_by_hand(broker) => report.add(without_users(broker)),
            Some(users) => report.diagnostics.extend(users.anonymous.map(|at| let_in(broker, at))),
            None => {}
        }
    }
}

/// Plugins in XML written by hand may ask for a password, a certificate or a directory.
fn is_guarded_by_hand(broker: &Broker) -> bool {
    broker.raw_xml.iter().any(|raw| raw.value.contains("<plugins") || raw.value.contains("Plugin"))
}

fn without_users(broker: &Broker) -> Diagnostic {
    Diagnostic::new(&RULE, broker.at, format!("broker `{}` has no users", broker.name.value))
        .here("whoever reaches a listener may send and receive")
        .help("write `users { user gc { password = secret(\"env:GC_PASSWORD\") } }`")
}

fn let_in(broker: &Broker, at: Loc) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("broker `{}` has users, and lets others in as well", broker.name.value))
        .here("whoever reaches a listener may send and receive")
        .help("take it out, and give everyone who connects a user")
        .fix("let in users only", Safety::Unsafe, at, "false")
}
