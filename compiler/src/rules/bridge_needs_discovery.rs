//! TOPO0201 bridge-needs-discovery: a bridge's URI whose scheme finds no brokers.

use super::{Check, Context, FixKind, Level, Rule, bridges, place};
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Bridge, RawUri};
use crate::options;
use crate::release::Release;
use crate::uri::{Uri, UriKind};
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0201",
    name: "bridge-needs-discovery",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a bridge's URI whose scheme finds no brokers",
    page: include_str!("bridge_needs_discovery.md"),
    check: Check::Model(check),
};

/// `masterslave:` came with 5.6.0 (AMQ-3564).
pub(super) const MASTERSLAVE_SINCE: Release = Release::new(5, 6, 0);

fn check(context: &Context<'_>, report: &mut Report) {
    for (bridge, raw, uri) in bridges::by_hand(context) {
        let known = options::discovery_scheme(uri.scheme.text(&raw.text.value)).is_some();
        if !known && !uri.is_placeholder() {
            report.add(found(context, bridge, raw, uri));
        }
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, raw: &RawUri, uri: &Uri) -> Diagnostic {
    let scheme = uri.scheme.text(&raw.text.value);
    let message = format!("bridge `{}` cannot find brokers with `{scheme}:`", bridges::title(context.model, bridge));
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, uri.scheme.range()), message)
        .here(format!("the broker does not load its file: `DiscoveryAgent scheme NOT recognized: [{scheme}]`"));
    match instead(context.model.release(), uri, &raw.text.value) {
        Some(text) => diagnostic.help(format!("write `{text}`, or leave `uri` out: topoc writes it")).fix(
            "use a discovery agent",
            Safety::Unsafe,
            raw.text.at,
            quote(&text),
        ),
        None => diagnostic.help("write `static:(...)` with one address for each bridge, or leave `uri` out"),
    }
}

/// What was meant: one bridge to one broker, or to whichever of several is up.
fn instead(release: Release, uri: &Uri, source: &str) -> Option<String> {
    let members = uri.members();
    let list = || members.iter().map(|member| &source[member.range.clone()]).collect::<Vec<_>>().join(",");
    match (&uri.kind, members) {
        (UriKind::Address { host, .. }, _) if !host.is_empty() => {
            Some(format!("static:({})", &source[uri.range.clone()]))
        }
        (UriKind::Composite { .. }, [only]) => Some(format!("static:({})", &source[only.range.clone()])),
        (UriKind::Composite { .. }, _) if release >= MASTERSLAVE_SINCE => Some(format!("masterslave:({})", list())),
        (UriKind::Composite { .. }, _) => {
            Some(format!("static:failover:({})?randomize=false&maxReconnectAttempts=1", list()))
        }
        (UriKind::Address { .. }, _) => None,
    }
}
