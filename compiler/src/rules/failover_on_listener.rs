//! TOPO0101 failover-on-listener: a client's transport where a broker listens.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Broker, Listener};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0101",
    name: "failover-on-listener",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a client's failover transport where a broker listens",
    page: include_str!("failover_on_listener.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for broker in &context.model.brokers {
        for listener in broker.listeners.iter().filter(|listener| listener.scheme.value == "failover") {
            report.add(found(broker, listener));
        }
    }
}

fn found(broker: &Broker, listener: &Listener) -> Diagnostic {
    let message =
        format!("listener `{}` of broker `{}` cannot listen on `failover:`", listener.name.value, broker.name.value);
    let diagnostic = Diagnostic::new(&RULE, listener.scheme.at, message)
        .here("the broker stops here with `Invalid server URI`")
        .help("failover is for those who connect: listen on `tcp`, and list the brokers in the connector's `brokers`");
    match &listener.raw {
        Some(raw) => diagnostic.fix("listen on the usual port", Safety::Unsafe, raw.text.at, "\"tcp://0.0.0.0:61616\""),
        None => diagnostic.fix("listen on tcp", Safety::Unsafe, listener.scheme.at, "\"tcp\""),
    }
}
