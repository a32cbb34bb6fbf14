//! TOPO0313 zero-attempts-meaning: `max-reconnect-attempts = 0`, which once meant for ever.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::Dialling;
use crate::release::zero_attempts_means_forever;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0313",
    name: "zero-attempts-meaning",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "`max-reconnect-attempts = 0`, which means never or for ever",
    page: include_str!("zero_attempts_meaning.md"),
    check: Check::Model(check),
};

const ATTEMPTS: &str = "maxReconnectAttempts";

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context).filter(|dialling| dialling.number(ATTEMPTS) == Some(0)) {
        let at = dialling.option(ATTEMPTS).map(|option| dialled::loc(context, dialling, &option.at));
        if let Some(at) = at.filter(|at| seen.insert(*at)) {
            report.add(found(context, dialling, at));
        }
    }
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, at: Loc) -> Diagnostic {
    let (does, here) = match zero_attempts_means_forever(context.model.release()) {
        true => ("tries for ever, and would give up at once from ActiveMQ 5.6 on", "for ever before 5.6, never after"),
        false => ("does not connect again when its broker fails", "never from 5.6 on, for ever before"),
    };
    let message = format!("{} {does}", dialling.who());
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(here)
        .help("write -1 for ever, which every release understands, or the number of passes over the list");
    match dialled::set(context, dialling, ATTEMPTS, "-1") {
        Some(edit) => diagnostic.fix_all("try for ever", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
