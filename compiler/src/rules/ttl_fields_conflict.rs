//! TOPO0213 ttl-fields-conflict: `network-ttl` beside another TTL, which it overrules.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Bridge, Setting, SettingsExt};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0213",
    name: "ttl-fields-conflict",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "`network-ttl` beside `message-ttl` or `consumer-ttl`, which it overrules",
    page: include_str!("ttl_fields_conflict.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    // What stands in `defaults` is one mistake, however many bridges take it.
    let mut said = HashSet::new();
    for bridge in &context.model.bridges {
        let Some(network) = bridge.settings.find("networkTTL") else { continue };
        let others = ["messageTTL", "consumerTTL"].into_iter().filter_map(|name| bridge.settings.find(name));
        // The same number is no conflict: the broker does what is written.
        let overruled: Vec<&Setting> = others.filter(|other| other.value != network.value).collect();
        if let Some(first) = overruled.first()
            && said.insert((first.value_at, network.value_at))
        {
            report.add(found(context, bridge, network, &overruled));
        }
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, network: &Setting, overruled: &[&Setting]) -> Diagnostic {
    let title = bridges::title(context.model, bridge);
    let names: Vec<String> = overruled.iter().map(|setting| format!("`{}`", setting.name)).collect();
    let (names, verb) = (names.join(" and "), if overruled.len() == 1 { "counts" } else { "count" });
    let at = overruled.first().map_or(network.value_at, |first| first.value_at);
    let message = format!("{names} of bridge `{title}` {verb} for nothing beside `{}`", network.name);
    let mut diagnostic = Diagnostic::new(&RULE, at, message)
        .here(format!("the broker reads {} here", network.value))
        .also(network.value_at, "overrules it, in whatever order the two are written");
    for other in overruled.iter().skip(1) {
        diagnostic = diagnostic.also(other.value_at, format!("the broker reads {} here, too", network.value));
    }
    let diagnostic = diagnostic.help(format!(
        "remove {names} to keep what happens now, or write `message-ttl` and `consumer-ttl` without `{}`",
        network.name
    ));
    let edits: Option<Vec<Edit>> = overruled.iter().map(|setting| bridges::remove(context, setting.at)).collect();
    match edits {
        Some(edits) => diagnostic.fix_all(format!("remove {names}"), Safety::Unsafe, edits),
        None => diagnostic,
    }
}
