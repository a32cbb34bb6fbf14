//! TOPO0410 broker-name-characters: a broker-name with characters that the broker replaces by `_`.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::Broker;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0410",
    name: "broker-name-characters",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a broker-name with characters that the broker replaces",
    page: include_str!("broker_name_characters.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for broker in &context.model.brokers {
        let replaced: String = broker.broker_name.value.chars().map(kept).collect();
        if replaced != broker.broker_name.value {
            report.add(found(broker, &replaced));
        }
    }
}

/// ActiveMQ `BrokerService.setBrokerName`, 5.6 to 6.3.1: what is not in `[a-zA-Z0-9._\-:]` becomes `_`.
fn kept(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':') { c } else { '_' }
}

fn found(broker: &Broker, replaced: &str) -> Diagnostic {
    let (name, written) = (&broker.name.value, &broker.broker_name);
    let message = format!("broker `{name}` will call itself `{replaced}`, not `{}`", written.value);
    Diagnostic::new(&RULE, written.at, message)
        .here("has characters that the broker replaces by `_`")
        .help(format!("write `broker-name = {}`: letters, digits and `.` `_` `-` `:` are kept", quote(replaced)))
        .fix(format!("write `{replaced}`"), Safety::Safe, written.at, quote(replaced))
}
