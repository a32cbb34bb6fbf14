//! TOPO0403 priority-out-of-range: a consumer priority that does not fit, or that loses to a bridge.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::model::{Connector, Set};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0403",
    name: "priority-out-of-range",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a consumer priority that does not fit into a byte, or that is negative",
    page: include_str!("priority_out_of_range.md"),
    check: Check::Model(check),
};

/// What the document of consumer priorities allows.
const DOCUMENTED: std::ops::RangeInclusive<i64> = 0..=127;

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for connector in &context.model.connectors {
        let Some(priority) = &connector.priority else { continue };
        if !DOCUMENTED.contains(&priority.value) && seen.insert(priority.at) {
            report.add(found(connector, priority));
        }
    }
}

/// Whether a priority fits into the signed byte that OpenWire carries (`ConsumerInfo`).
pub(super) fn fits(priority: i64) -> bool {
    i8::try_from(priority).is_ok()
}

fn found(connector: &Connector, priority: &Set<i64>) -> Diagnostic {
    let (name, value) = (&connector.dialer.name.value, priority.value);
    if fits(value) {
        return Diagnostic::new(&RULE, priority.at, format!("the priority of connector `{name}` is negative"))
            .here("consumers behind a bridge have -5, and come before any below that")
            .help("write a number from 0 to 127, the higher for the connector that comes first")
            .level(Severity::Warning);
    }
    // Java's words for what does not even fit into an `int` differ.
    let java = match i32::try_from(value) {
        Ok(_) => format!("Value out of range. Value:\"{value}\" Radix:10"),
        Err(_) => format!("For input string: \"{value}\""),
    };
    Diagnostic::new(&RULE, priority.at, format!("the priority of connector `{name}` does not fit into a byte"))
        .here(format!("the consumer is never made: `NumberFormatException: {java}`"))
        .help("write a number from 0 to 127, the higher for the connector that comes first")
}
