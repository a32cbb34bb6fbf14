//! TOPO0218 static-bridge-without-destinations: a static bridge that is told of nothing to forward.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Bridge, Setting, SettingsExt};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0218",
    name: "static-bridge-without-destinations",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "`static-bridge = true` and no statically included destination",
    page: include_str!("static_bridge_without_destinations.md"),
    check: Check::Model(check),
};

const SETTING: &str = "staticBridge";

fn check(context: &Context<'_>, report: &mut Report) {
    // A value that stands in `defaults` is one mistake, however many bridges take it.
    let mut said = HashSet::new();
    for bridge in context.model.bridges.iter().filter(|bridge| bridge.fixed.is_empty()) {
        let on = bridge.settings.bool(SETTING) == Some(true);
        if let Some(setting) = bridge.settings.find(SETTING).filter(|setting| on && said.insert(setting.value_at)) {
            report.add(found(context, bridge, setting));
        }
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, setting: &Setting) -> Diagnostic {
    let title = bridges::title(context.model, bridge);
    let mut diagnostic =
        Diagnostic::new(&RULE, setting.value_at, format!("bridge `{title}` is static and forwards nothing"))
            .here("it asks for no advisories, and no destination is named");
    if let Some((at, _)) = bridge.dynamic.first() {
        diagnostic = diagnostic.also(*at, "counts only for a bridge that is not static");
    }
    diagnostic
        .help(
            "name what has to cross in `statically-included`, \
             or write `false`: the bridge then forwards what is asked for",
        )
        .fix("forward what is asked for", Safety::Unsafe, setting.value_at, "false")
}
