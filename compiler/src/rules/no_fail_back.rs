//! TOPO0304 no-fail-back: a connector that stays where a failure has driven it.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::{At, Dialling};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0304",
    name: "no-fail-back",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a connector with ordered brokers that does not go back to the first",
    page: include_str!("no_fail_back.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        let ordered = !dialling.shuffles() && dialling.choices(context.model) > 1;
        let stays = dialling.connector.is_some() && ordered && !dialling.goes_back();
        let at = place(context, dialling);
        if stays && seen.insert(at) {
            report.add(found(context, dialling, at));
        }
    }
}

/// Where it is told to stay; in a raw URI that says nothing of it, the whole of that.
fn place(context: &Context<'_>, dialling: &Dialling<'_>) -> Loc {
    let whole = dialling.dialer.raw.as_ref().map_or(dialling.dialer.at, |raw| raw.text.at);
    dialling.option("priorityBackup").map_or(whole, |option| dialled::loc(context, dialling, &option.at))
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, at: Loc) -> Diagnostic {
    let Some(first) = dialling.addresses.first() else {
        return Diagnostic::new(&RULE, at, format!("{} does not go back", dialling.who()));
    };
    let name = first.broker.map_or_else(|| first.authority(), |broker| context.model.broker(broker).name.value.clone());
    let message = format!("{} stays away from `{name}` after a failover", dialling.who());
    let here = match dialling.option("priorityBackup") {
        Some(_) => "it stays at the next broker until that fails",
        None => "`priorityBackup` is not written here, and ActiveMQ's default is false",
    };
    let order = match &first.at {
        At::Source(at) => Some(*at),
        At::Uri(_) => None,
    };
    let diagnostic =
        Diagnostic::new(&RULE, at, message).here(here).also_at(order, "its first broker").help(help(dialling));
    match dialled::set(context, dialling, "priorityBackup", "true") {
        Some(edit) => diagnostic.fix_all("go back to the first broker", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

fn help(dialling: &Dialling<'_>) -> &'static str {
    match dialling.dialer.raw {
        Some(_) => "add `priorityBackup=true` behind the list; where the order means nothing, `randomize=true`",
        None => "remove `priority-backup = false`; where the order means nothing, write `randomize = true`",
    }
}
