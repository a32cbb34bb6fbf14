//! TOPO0211 bridge-prefetch-zero: a bridge with a prefetch below 1.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::SettingsExt;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0211",
    name: "bridge-prefetch-zero",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a bridge with a prefetch below 1",
    page: include_str!("bridge_prefetch_zero.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    // A value that stands in `defaults` is one mistake, however many bridges take it.
    let mut said = HashSet::new();
    for bridge in &context.model.bridges {
        let prefetch = bridge.settings.integer("prefetchSize").zip(bridge.settings.find("prefetchSize"));
        let Some((size, setting)) = prefetch.filter(|(size, _)| *size < 1) else { continue };
        if !said.insert(setting.value_at) {
            continue;
        }
        let title = bridges::title(context.model, bridge);
        let message = format!("bridge `{title}` cannot fetch {size} messages ahead");
        let diagnostic = Diagnostic::new(&RULE, setting.value_at, message)
            .here("the broker does not load its file: `prefetchSize must be > 0`")
            .help("remove it: the default is 1000; 1 is the least that a bridge can do with")
            .fix("fetch one message ahead", Safety::Unsafe, setting.value_at, "1");
        report.add(diagnostic);
    }
}
