//! TOPO0312 send-may-block: a client whose sends wait for as long as no broker is there.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::dialling::{At, Dialling};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0312",
    name: "send-may-block",
    level: Level::Note,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a client whose sends wait for as long as no broker is there",
    page: include_str!("send_may_block.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete {
        return;
    }
    let release = context.model.release();
    for dialling in dialled::settled(context).filter(|dialling| dialling.client.is_some()) {
        let bounded =
            dialling.option("timeout").is_some_and(|_| dialling.number("timeout").is_none_or(|wait| wait > 0));
        if dialling.fails_over() && !bounded && dialling.tries_for_ever(release) {
            report.add(found(context, dialling));
        }
    }
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>) -> Diagnostic {
    let written = dialling.option("timeout");
    let at = written.map_or(dialling.dialer.at, |option| dialled::loc(context, dialling, &option.at));
    let message = format!("{} blocks in a send for as long as no broker is there", dialling.who());
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(if written.is_some() { "without limit" } else { "without `timeout`" })
        .help("write `timeout = 10s`: the send then fails");
    let edit = match written {
        Some(option) => {
            let value = if matches!(option.at, At::Source(_)) { "10s" } else { "10000" };
            dialled::set(context, dialling, "timeout", value)
        }
        None => place::into_block(context, dialling.dialer.at, "timeout = 10s"),
    };
    match edit {
        Some(edit) => diagnostic.fix_all("fail after 10 s", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
