//! TOPO0221 bridge-handshake-bug: a release whose bridges die for good on an error during the handshake.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::release::{Line, Release, handshake_error_kills_bridge};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0221",
    name: "bridge-handshake-bug",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a release whose bridges die for good on an error during the handshake",
    page: include_str!("bridge_handshake_bug.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let Some(target) = &context.model.topology.activemq else { return };
    let release = target.value.release;
    if let Some(bridge) = context.model.bridges.first().filter(|_| handshake_error_kills_bridge(release)) {
        let message = format!("bridges of ActiveMQ {release} may die for good");
        let diagnostic = Diagnostic::new(&RULE, target.at, message)
            .here("a connection lost while two brokers introduce themselves ends the bridge until the broker restarts")
            .also(bridge.at, "the first of them");
        report.add(match mended(release) {
            Some(mended) => diagnostic
                .help(format!("write `activemq = \"{mended}\"`, the newest of its line, and update the brokers"))
                .fix(format!("target {mended}"), Safety::Unsafe, target.at, format!("\"{mended}\"")),
            None => {
                diagnostic.help("move to 5.19.9, 6.2.8, 6.3.0 or newer: this line has no release without the mistake")
            }
        });
    }
}

/// The newest release of the same line, where that has the mistake no more.
fn mended(release: Release) -> Option<Release> {
    release.line().map(Line::newest_release).filter(|newest| !handshake_error_kills_bridge(*newest))
}
