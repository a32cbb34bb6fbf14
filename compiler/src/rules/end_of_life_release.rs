//! TOPO0804 end-of-life-release: a line of releases that gets no fixes any more.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::release::{Line, Release, Target, supported_after};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0804",
    name: "end-of-life-release",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a line of releases that gets no fixes any more",
    page: include_str!("end_of_life_release.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let Some(target) = &context.model.topology.activemq else { return };
    let line = target.value.release.line().filter(|line| !line.supported);
    report.diagnostics.extend(line.map(|line| found(context, target.value, target.at, line)));
}

fn found(context: &Context<'_>, target: Target, at: Loc, line: &Line) -> Diagnostic {
    let diagnostic = Diagnostic::new(&RULE, at, format!("ActiveMQ {line} gets no fixes any more"))
        .here(format!("its last release is {}", line.newest_release()));
    let Some(next) = supported_after(target.release) else { return diagnostic };
    let text = spelled(target, next);
    upgrade(context, diagnostic.help(format!("move to ActiveMQ {next}: write `activemq = {text}`")), at, next, text)
}

/// The newest release of a line, in the way in which the topology says its release: with its patch level or without.
pub(super) fn spelled(target: Target, line: &Line) -> String {
    let newest: Release = line.newest_release();
    if target.stated_patch { format!("\"{newest}\"") } else { format!("\"{line}\"") }
}

/// Offers the newer release where the old one is written in that place, and not behind a `let`.
pub(super) fn upgrade(context: &Context<'_>, diagnostic: Diagnostic, at: Loc, line: &Line, text: String) -> Diagnostic {
    let direct = context.sources.text(at).starts_with('"');
    if direct { diagnostic.fix(format!("target ActiveMQ {line}"), Safety::Unsafe, at, text) } else { diagnostic }
}
