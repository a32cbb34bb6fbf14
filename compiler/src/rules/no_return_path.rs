//! TOPO0209 no-return-path: requests can cross a bridge, and replies cannot come back.

use super::crossing::{Crossing, crossings};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::model::{Bridge, BrokerId, SettingsExt};
use crate::network::{Edge, node_name};
use std::collections::HashSet;
use topoc_dsl::Span;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0209",
    name: "no-return-path",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "requests can cross a bridge, and replies cannot come back",
    page: include_str!("no_return_path.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let groups = context.network.groups();
    let leads_back = |from: BrokerId, to: BrokerId| groups.get(&from) == groups.get(&to);
    if context.network.edges().iter().all(|edge| leads_back(edge.from, edge.to)) {
        return;
    }
    let mut said = HashSet::new();
    for crossing in crossings(context).filter(|crossing| !leads_back(crossing.from, crossing.to)) {
        let way = crossing.way();
        let one_way = way.iter().find(|edge| !leads_back(edge.from, edge.to));
        if let Some((edge, bridge)) = one_way.and_then(|edge| Some((edge, bridges::of(context, edge.bridge)?)))
            && said.insert(bridge.at)
        {
            report.add(found(context, bridge, *edge, &crossing));
        }
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, edge: Edge, crossing: &Crossing<'_>) -> Diagnostic {
    let name = |broker| node_name(context.model, broker);
    let (from, to) = (name(edge.from), name(edge.to));
    let (client, connector) = (&crossing.client.dialer.name.value, &crossing.connector.dialer.name.value);
    let message = format!(
        "replies of `{connector}` to `{client}` cannot come back over bridge `{}`",
        bridges::title(context.model, bridge)
    );
    let diagnostic = Diagnostic::new(&RULE, bridge.at, message)
        .here(format!("requests cross from `{from}` to `{to}`, nothing leads back"))
        .also(crossing.client.dialer.at, format!("sends requests to `{}`", name(crossing.from)))
        .also(crossing.connector.dialer.at, format!("handles them at `{}`", name(crossing.to)));
    match both_ways(context, bridge) {
        Some(edit) => diagnostic.help(format!("write `<->`, or add `bridge {to} -> {from}`")).fix_all(
            "bridge both ways",
            Safety::Unsafe,
            vec![edit],
        ),
        None => diagnostic.help(format!("add `bridge {to} -> {from}`")),
    }
}

/// The arrow in the bridge's header, made one for both ways.
fn both_ways(context: &Context<'_>, bridge: &Bridge) -> Option<Edit> {
    if bridge.settings.find("duplex").is_some() {
        return None;
    }
    // No name ends with `-`, so the first `->` is the arrow.
    let arrow = bridge.at.span.start as usize + context.sources.text(bridge.at).find("->")?;
    let at = Loc { file: bridge.at.file, span: Span::new(arrow, arrow + "->".len()) };
    (!bridge.duplex).then(|| Edit { at, text: "<->".to_owned().into() })
}
