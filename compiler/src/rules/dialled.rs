//! What the rules about connecting share: who connects and how, where that is written, and how to change it.

use super::{Context, option_on_last_broker, place, unknown_failover_option};
use crate::addresses::Addresses;
use crate::diagnostic::{Edit, Loc};
use crate::dialling::{At, Dialling, WrittenOption};
use crate::model::{Bridge, Model, RawUri, Remote};
use crate::options;
use crate::uri::Uri;
use std::ops::Range;
use topoc_dsl::Span;

/// How every connector and client connects that could be read in whole.
pub(super) fn all<'c>(context: &Context<'c>) -> impl Iterator<Item = &'c Dialling<'c>> {
    context.dialled.iter().map(|dialled| &dialled.how)
}

/// How one of them connects, looked at once for all rules.
#[derive(Debug)]
pub struct Dialled<'a> {
    how: Dialling<'a>,
    /// ActiveMQ would not take its URI.
    refused: bool,
}

/// How every connector and client of a model connects that could be read in whole.
#[must_use]
pub(crate) fn look<'a>(model: &'a Model, addresses: &Addresses) -> Vec<Dialled<'a>> {
    use rayon::prelude::*;
    let connectors = model.connectors.par_iter().map(|connector| Dialling::of_connector(model, addresses, connector));
    let clients = model.clients.par_iter().map(|client| Dialling::of_client(model, addresses, client));
    let whole = connectors.chain(clients).filter(|dialling| !dialling.dialer.damaged);
    whole.map(|how| Dialled { refused: is_refused(&how), how }).collect()
}

fn is_refused(dialling: &Dialling<'_>) -> bool {
    let Some(raw) = &dialling.dialer.raw else { return false };
    let Ok(uri) = &raw.uri else { return true };
    option_on_last_broker::is_one(uri, &raw.text.value) || unknown_failover_option::refuses(uri, &raw.text.value)
}

/// Those whose URI ActiveMQ would take: how a refused one would behave is not worth saying.
pub(super) fn settled<'c>(context: &Context<'c>) -> impl Iterator<Item = &'c Dialling<'c>> {
    context.dialled.iter().filter(|dialled| !dialled.refused).map(|dialled| &dialled.how)
}

/// The discovery URIs of bridges that were written by hand and name brokers: `static:`, `masterslave:`.
pub(super) fn bridge_lists<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a Bridge, &'a RawUri, &'a Uri)> {
    context.model.bridges.iter().filter_map(|bridge| {
        let raw = match (&bridge.raw, &bridge.to) {
            (Some(raw), _) | (None, Remote::Discovery(raw)) => raw,
            (None, Remote::Broker(_)) => return None,
        };
        let uri = raw.uri.as_ref().ok()?;
        let agent = options::discovery_scheme(uri.scheme.text(&raw.text.value))?;
        agent.takes_list.then_some((bridge, raw, uri))
    })
}

/// The place in the source of something that was dialled.
pub(super) fn loc(context: &Context<'_>, dialling: &Dialling<'_>, at: &At) -> Loc {
    match (at, &dialling.dialer.raw) {
        (At::Source(at), _) => *at,
        (At::Uri(range), Some(raw)) => place::inside(context, raw, range.clone()),
        (At::Uri(_), None) => dialling.dialer.at,
    }
}

/// The place of a part of a raw URI that an edit may replace: none where the text is written with escapes.
pub(super) fn editable(context: &Context<'_>, raw: &RawUri, range: Range<usize>) -> Option<Loc> {
    let at = place::inside(context, raw, range);
    (at != raw.text.at).then_some(at)
}

/// An edit that gives an option this value, where it is written or where the raw URI has room for it.
pub(super) fn set(context: &Context<'_>, dialling: &Dialling<'_>, name: &str, value: &str) -> Option<Edit> {
    match dialling.option(name) {
        Some(option) => replace(context, dialling, option, value),
        None => append(context, dialling, name, value),
    }
}

fn replace(context: &Context<'_>, dialling: &Dialling<'_>, option: &WrittenOption<'_>, value: &str) -> Option<Edit> {
    let at = match &option.value_at {
        At::Source(at) => *at,
        At::Uri(range) => editable(context, dialling.dialer.raw.as_ref()?, range.clone())?,
    };
    Some(Edit { at, text: value.to_owned().into() })
}

fn append(context: &Context<'_>, dialling: &Dialling<'_>, name: &str, value: &str) -> Option<Edit> {
    let (raw, uri) = dialling.uri()?;
    let parenthesised = matches!(uri.kind, crate::uri::UriKind::Composite { parenthesised: true, .. });
    let join = if uri.options.is_empty() { '?' } else { '&' };
    let at = editable(context, raw, uri.range.end..uri.range.end).filter(|_| parenthesised)?;
    Some(Edit { at, text: format!("{join}{name}={value}").into() })
}

/// The places of the texts in a value, in order: those of a list, or the parts of one text.
pub(super) fn inside_value(context: &Context<'_>, value: Loc, texts: &[&str]) -> Vec<Loc> {
    let source = context.sources.text(value);
    let mut from = 0;
    let find = |text: &&str| {
        let Some(found) = source.get(from..).and_then(|rest| rest.find(*text)).filter(|_| !text.is_empty()) else {
            return value;
        };
        let start = value.span.start as usize + from + found;
        from += found + text.len();
        Loc { span: Span::new(start, start + text.len()), ..value }
    };
    texts.iter().map(find).collect()
}
