//! TOPO0302 option-on-last-broker: options behind a failover list without parentheses.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety, Severity};
use crate::dialling::{Dialling, is_failover};
use crate::model::RawUri;
use crate::options;
use crate::uri::{Uri, UriKind, UriOption};
use std::ops::Range;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0302",
    name: "option-on-last-broker",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "options behind a failover list without parentheses belong to its last broker",
    page: include_str!("option_on_last_broker.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for dialling in dialled::all(context) {
        if let Some((raw, uri)) = dialling.uri().filter(|(raw, uri)| is_one(uri, &raw.text.value)) {
            report.diagnostics.extend(found(context, dialling, raw, uri));
        }
    }
}

/// Whether a failover list has no parentheses and what stands behind it is not meant for its only broker.
pub(super) fn is_one(uri: &Uri, text: &str) -> bool {
    let bare = matches!(uri.kind, UriKind::Composite { parenthesised: false, .. });
    let Some(last) = last(uri).filter(|last| bare && is_failover(uri, text) && !last.options.is_empty()) else {
        return false;
    };
    uri.members().len() > 1 || last.options.iter().any(|option| !belongs_to_broker(last, option, text))
}

fn last(uri: &Uri) -> Option<&Uri> {
    uri.members().last().filter(|last| matches!(last.kind, UriKind::Address { .. }))
}

fn belongs_to_broker(broker: &Uri, option: &UriOption, text: &str) -> bool {
    options::client_option(broker.scheme.text(text), &broker.decoded(text, option.key)).is_some()
}

fn belongs_to_list(broker: &Uri, option: &UriOption, text: &str) -> bool {
    let name = broker.decoded(text, option.key);
    options::failover_option(&name).is_some() || name.starts_with("jms.")
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, raw: &RawUri, uri: &Uri) -> Option<Diagnostic> {
    let text = &raw.text.value;
    let last = last(uri)?;
    let options = last.options.first()?.range.start..last.options.last()?.range.end;
    let behind = &text[options.clone()];
    let address = &text[last.range.start..options.start - 1];
    let list = uri.members().first()?.range.start..options.start - 1;
    let message = format!("the options of {} belong to its last broker only", dialling.who());
    let refused = last.options.iter().find(|option| !belongs_to_broker(last, option, text));
    let here = match refused {
        Some(option) => {
            let option = format!("{}={}", last.decoded(text, option.key), last.decoded(text, option.value));
            format!("`{address}` is never reached: `Invalid connect parameters: {{{option}}}`")
        }
        None => format!("for `{address}` alone"),
    };
    let right = format!("{}({})?{behind}", &text[uri.range.start..list.start], &text[list.clone()]);
    let level = if refused.is_some() { Severity::Error } else { Severity::Warning };
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, options), message).here(here).level(level);
    let ours = last.options.iter().all(|option| belongs_to_list(last, option, text));
    if !ours {
        return Some(
            diagnostic.help("put the list in parentheses, options of failover behind it, others behind each broker"),
        );
    }
    let diagnostic = diagnostic.help(format!("put the list in parentheses: `{right}`"));
    Some(match parentheses(context, raw, list) {
        Some(edits) => diagnostic.fix_all("put the list in parentheses", Safety::Safe, edits),
        None => diagnostic,
    })
}

fn parentheses(context: &Context<'_>, raw: &RawUri, list: Range<usize>) -> Option<Vec<Edit>> {
    let open = dialled::editable(context, raw, list.start..list.start)?;
    let close = dialled::editable(context, raw, list.end..list.end)?;
    Some(vec![Edit { at: open, text: "(".into() }, Edit { at: close, text: ")".into() }])
}
