//! TOPO0315 order-overridden-by-broker: an order of brokers that lists pushed by brokers replace.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::{Dialling, pushes_list};
use crate::model::{Broker, Listener, SettingsExt};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0315",
    name: "order-overridden-by-broker",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "an order of brokers that lists pushed by brokers replace",
    page: include_str!("order_overridden_by_broker.md"),
    check: Check::Model(check),
};

const UPDATE: &str = "updateURIsSupported";

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for dialling in dialled::settled(context) {
        let ordered = dialling.fails_over() && !dialling.shuffles() && dialling.choices(context.model) > 1;
        // Where nothing is written topoc writes false, except into a raw URI.
        if !ordered || !dialling.flag(UPDATE).unwrap_or(dialling.dialer.raw.is_some()) {
            continue;
        }
        if let Some(pushing) = pushing(context, dialling) {
            let at = place(context, dialling);
            if seen.insert(at) {
                report.add(found(context, dialling, pushing, at));
            }
        }
    }
}

/// The first listener that it connects to and that pushes lists.
fn pushing<'c>(context: &Context<'c>, dialling: &Dialling<'_>) -> Option<(&'c Broker, &'c Listener)> {
    let listeners = dialling.addresses.iter().filter_map(|address| {
        let broker = context.model.broker(address.broker?);
        Some((broker, broker.listeners.get(address.listener?)?))
    });
    listeners.into_iter().find(|(_, listener)| pushes_list(listener))
}

/// Where it is told to follow; in a raw URI that says nothing of it, the whole of that.
fn place(context: &Context<'_>, dialling: &Dialling<'_>) -> Loc {
    let whole = dialling.dialer.raw.as_ref().map_or(dialling.dialer.at, |raw| raw.text.at);
    dialling.option(UPDATE).map_or(whole, |option| dialled::loc(context, dialling, &option.at))
}

fn found(
    context: &Context<'_>,
    dialling: &Dialling<'_>,
    (broker, listener): (&Broker, &Listener),
    at: Loc,
) -> Diagnostic {
    let message = format!("{} loses the order of its brokers to the list of `{}`", dialling.who(), broker.name.value);
    let here = match dialling.option(UPDATE) {
        Some(_) => "pushed brokers come before its own",
        None => "`updateURIsSupported` is not written here, and ActiveMQ's default is true",
    };
    let pushes = listener.settings.find("updateClusterClients").map_or(listener.at, |setting| setting.at);
    let help = match dialling.dialer.raw {
        Some(_) => "add `updateURIsSupported=false`; where the order means nothing, `randomize=true`",
        None => "write `update-uris-supported = false`; where the order means nothing, `randomize = true`",
    };
    let diagnostic = Diagnostic::new(&RULE, at, message).here(here).also(pushes, "pushes a list").help(help);
    match dialled::set(context, dialling, UPDATE, "false") {
        Some(edit) => diagnostic.fix_all("keep to its own list", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
