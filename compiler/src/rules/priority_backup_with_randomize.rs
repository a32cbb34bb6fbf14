//! TOPO0303 priority-backup-with-randomize: going back to a first broker in a list that is shuffled.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::Dialling;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0303",
    name: "priority-backup-with-randomize",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "going back to a first broker in a list that is shuffled",
    page: include_str!("priority_backup_with_randomize.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        let meant = dialling.goes_back() && dialling.shuffles() && dialling.choices(context.model) > 1;
        let at = place(context, dialling);
        if meant && seen.insert(at) {
            report.add(found(context, dialling, at));
        }
    }
}

/// Where the shuffling is written; where it is ActiveMQ's default, where going back is.
fn place(context: &Context<'_>, dialling: &Dialling<'_>) -> Loc {
    let written = dialling.option("randomize").or_else(|| dialling.option("priorityBackup"));
    written.map_or(dialling.dialer.at, |option| dialled::loc(context, dialling, &option.at))
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, at: Loc) -> Diagnostic {
    let message = format!("{} goes back to a first broker, but its list is shuffled", dialling.who());
    let here = match dialling.option("randomize") {
        Some(_) => "so any broker may come first",
        None => "`randomize` is not written here, and ActiveMQ's default is true",
    };
    let backup = dialling.option("priorityBackup").map(|option| dialled::loc(context, dialling, &option.at));
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(here)
        .also_at(backup.filter(|backup| *backup != at), "this goes back")
        .help(help(dialling));
    match dialled::set(context, dialling, "randomize", "false") {
        Some(edit) => diagnostic.fix_all("keep the order of the brokers", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

fn help(dialling: &Dialling<'_>) -> &'static str {
    match (dialling.dialer.raw.is_some(), dialling.connector.is_some()) {
        (true, _) => "write `randomize=false`; where any broker will do, write `priorityBackup=false`",
        (false, true) => "write `randomize = false`; where any broker will do, write `priority-backup = false`",
        (false, false) => "write `randomize = false`; where any broker will do, write `returns = never`",
    }
}
