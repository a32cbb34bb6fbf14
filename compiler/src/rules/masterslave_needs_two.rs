//! TOPO0204 masterslave-needs-two: `masterslave:` with fewer than two addresses.

use super::{Check, Context, FixKind, Level, Rule, bridges, place};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Bridge, RawUri};
use crate::uri::{Uri, UriFault};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0204",
    name: "masterslave-needs-two",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "`masterslave:` with fewer than two addresses",
    page: include_str!("masterslave_needs_two.md"),
    check: Check::Model(check),
};

const SCHEME: &str = "masterslave";

fn check(context: &Context<'_>, report: &mut Report) {
    for bridge in &context.model.bridges {
        let Some(raw) = bridge.uri_by_hand() else { continue };
        match &raw.uri {
            Ok(uri) if uri.scheme.text(&raw.text.value) == SCHEME && uri.members().len() < 2 => {
                report.add(found(context, bridge, raw, Some(uri)));
            }
            Err(error) if error.fault == UriFault::EmptyList && raw.text.value.starts_with("masterslave:") => {
                report.add(found(context, bridge, raw, None));
            }
            _ => {}
        }
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, raw: &RawUri, uri: Option<&Uri>) -> Diagnostic {
    let title = bridges::title(context.model, bridge);
    let how_many = if uri.is_some() { "one address" } else { "no address" };
    let message = format!("bridge `{title}` gives `masterslave:` {how_many}");
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, 0..SCHEME.len()), message)
        .here("the broker does not load its file: `Expecting at least 2 arguments`")
        .help("list master and slave; or write `static:(...)` for one broker that has no slave");
    match uri.and_then(|_| bridges::edit(context, raw, 0..SCHEME.len(), "static")) {
        Some(edit) => diagnostic.fix_all("dial the one broker", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
