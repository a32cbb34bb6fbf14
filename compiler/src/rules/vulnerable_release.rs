//! TOPO0803 vulnerable-release: a patch level with known vulnerabilities that a later one of its line has not.

use super::end_of_life_release::{spelled, upgrade};
use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::release::{Line, Release, Target};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0803",
    name: "vulnerable-release",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a patch level with known vulnerabilities that a later one of its line has not",
    page: include_str!("vulnerable_release.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let Some(target) = context.model.topology.activemq.as_ref().filter(|target| target.value.stated_patch) else {
        return;
    };
    let release = target.value.release;
    let Some(line) = release.line() else { return };
    if release < line.least_vulnerable_release() {
        report.add(found(context, target.value, target.at, line));
    }
}

fn found(context: &Context<'_>, target: Target, at: Loc, line: &Line) -> Diagnostic {
    let (release, newest) = (target.release, line.newest_release());
    let diagnostic = Diagnostic::new(&RULE, at, message(context, release)).here(match line.first_safe_release() {
        Some(safe) => format!("{safe} is the first {line} without a known vulnerability"),
        None => format!("the last {line} is {newest}, and even that one has some that stay open"),
    });
    // One change of the release is enough: a line that has ended offers its own.
    if !line.supported {
        return diagnostic.help(format!("update to {newest} today, and plan for a line that gets fixes"));
    }
    let text = spelled(target, line);
    upgrade(context, diagnostic.help(format!("write `activemq = {text}`, and update the brokers")), at, line, text)
}

fn message(context: &Context<'_>, release: Release) -> String {
    // Debian keeps the number of the release and closes this hole in it.
    let open_to_all = context.model.brokers.iter().any(|broker| broker.debian.is_none());
    if release.has_remote_code_execution() && open_to_all {
        return format!("whoever reaches a port of ActiveMQ {release} can run code in the broker (CVE-2023-46604)");
    }
    format!("ActiveMQ {release} has known vulnerabilities")
}
