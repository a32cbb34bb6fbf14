//! TOPO0310 slow-fail-back: going back to the first broker may take long.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::dialling::{At, Dialling};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0310",
    name: "slow-fail-back",
    level: Level::Note,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "going back to the first broker may take long",
    page: include_str!("slow_fail_back.md"),
    check: Check::Model(check),
};

/// Longer than this is worth knowing, in milliseconds.
const LONG: i64 = 5000;
/// ActiveMQ's own `maxReconnectDelay` (`FailoverTransport`); topoc writes a shorter one.
const DEFAULT: i64 = 30_000;

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        if !dialling.fails_over() || !dialling.goes_back() || dialling.choices(context.model) < 2 {
            continue;
        }
        if let Some(found) = longest_wait(dialling).and_then(|wait| found(context, dialling, wait))
            && seen.insert(found.primary())
        {
            report.add(found);
        }
    }
}

/// Which option decides how long it may wait between two looks for the first broker, and how long that is.
fn longest_wait(dialling: &Dialling<'_>) -> Option<(&'static str, i64)> {
    let (name, wait) = match dialling.flag("useExponentialBackOff") {
        Some(false) => ("initialReconnectDelay", dialling.number("initialReconnectDelay")?),
        _ => (
            "maxReconnectDelay",
            dialling.number("maxReconnectDelay").or(dialling.dialer.raw.as_ref().map(|_| DEFAULT))?,
        ),
    };
    (wait > LONG).then_some((name, wait))
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, (name, wait): (&'static str, i64)) -> Option<Diagnostic> {
    let written = dialling.option(name).or_else(|| dialling.option("priorityBackup"))?;
    let at = dialled::loc(context, dialling, &written.at);
    let seconds = wait / 1000;
    let here = match dialling.option(name) {
        Some(_) => "so long between two looks for the first broker",
        None => "`maxReconnectDelay` is not written here, and ActiveMQ's default is 30 s",
    };
    let (help, value) = match dialling.option(name).unwrap_or(written).at {
        At::Source(_) => ("write `500ms`: a broker that is there again is then found at once", "500ms"),
        At::Uri(_) => ("write `maxReconnectDelay=500`: a broker that is there again is then found at once", "500"),
    };
    let message = format!("{} may take {seconds} s to go back to its first broker", dialling.who());
    let diagnostic = Diagnostic::new(&RULE, at, message).here(here).help(help);
    Some(match dialled::set(context, dialling, name, value) {
        Some(edit) => diagnostic.fix_all("look every half second", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    })
}
