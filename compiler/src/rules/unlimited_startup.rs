//! TOPO0311 unlimited-startup: a client that must not hang at start, and tries for ever.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::Dialling;
use crate::release::{Release, zero_attempts_means_forever};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0311",
    name: "unlimited-startup",
    level: Level::Note,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a client that must not hang at start, and tries for ever",
    page: include_str!("unlimited_startup.md"),
    check: Check::Model(check),
};

const STARTUP: &str = "startupMaxReconnectAttempts";

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        let said = dialling.client.and_then(|client| client.fail_fast.as_ref()).filter(|said| said.value);
        if let Some(said) = said.filter(|said| !seen.contains(&said.at))
            && dialling.fails_over()
            && is_unlimited(dialling, context.model.release())
        {
            seen.insert(said.at);
            report.add(found(context, dialling, said.at));
        }
    }
}

/// Before 5.6, 0 is for ever too; from then on -1 leaves it to `maxReconnectAttempts`.
fn is_unlimited(dialling: &Dialling<'_>, release: Release) -> bool {
    match dialling.number(STARTUP) {
        Some(0) if zero_attempts_means_forever(release) => true,
        Some(-1) | None => dialling.tries_for_ever(release),
        Some(_) => false,
    }
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, said: Loc) -> Diagnostic {
    let written = dialling.option(STARTUP).map(|option| dialled::loc(context, dialling, &option.at));
    let message = format!("{} waits at start for as long as no broker is there", dialling.who());
    let diagnostic = Diagnostic::new(&RULE, said, message).here("must not hang").also_at(written, "without limit");
    let (help, edit) = match dialling.dialer.raw {
        Some(_) => {
            ("add `startupMaxReconnectAttempts=3` behind the list", dialled::set(context, dialling, STARTUP, "3"))
        }
        None if written.is_some() || dialling.dialer.failover.is_empty() => (
            "write `failover { startup-max-reconnect-attempts = 3 }`",
            dialled::set(context, dialling, STARTUP, "3").or_else(|| {
                place::into_block(context, dialling.dialer.at, "failover { startup-max-reconnect-attempts = 3 }")
            }),
        ),
        None => ("write `startup-max-reconnect-attempts = 3` into its `failover { }`", None),
    };
    let diagnostic = diagnostic.help(help);
    match edit {
        Some(edit) => diagnostic.fix_all("give up after three passes", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
