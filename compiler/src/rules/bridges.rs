//! What rules about bridges share: what a bridge is called, its URI written by hand, and how a field is added to it.

use super::{Context, place};
use crate::diagnostic::{Edit, Loc};
use crate::model::{Bridge, BridgeId, Endpoint, Model, RawUri, Remote};
use crate::uri::Uri;
use std::ops::Range;
use topoc_dsl::Span;

/// A bridge as it is written: `amq-1 -> amq-2`.
pub(super) fn title(model: &Model, bridge: &Bridge) -> String {
    let arrow = if bridge.duplex { "<->" } else { "->" };
    let near = endpoint(model, &bridge.from);
    match &bridge.to {
        Remote::Broker(far) => format!("{near} {arrow} {}", endpoint(model, far)),
        Remote::Discovery(raw) => format!("{near} {arrow} discovery \"{}\"", raw.text.value),
    }
}

/// The name of a broker or a pair.
pub(super) fn endpoint<'a>(model: &'a Model, endpoint: &Endpoint) -> &'a str {
    match endpoint.pair {
        Some(pair) => &model.pair(pair).name.value,
        None => &model.broker(endpoint.broker).name.value,
    }
}

/// A bridge by its id.
pub(super) fn of<'a>(context: &Context<'a>, id: BridgeId) -> Option<&'a Bridge> {
    context.model.bridges.get(id.index())
}

/// The bridges whose URI was written by hand and can be read.
pub(super) fn by_hand<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a Bridge, &'a RawUri, &'a Uri)> {
    let raws = context.model.bridges.iter().filter_map(|bridge| Some((bridge, bridge.uri_by_hand()?)));
    raws.filter_map(|(bridge, raw)| Some((bridge, raw, raw.uri.as_ref().ok()?)))
}

/// An edit of a part of a URI; none where the text has escapes or stands behind a `let`.
pub(super) fn edit(context: &Context<'_>, raw: &RawUri, range: Range<usize>, text: impl Into<String>) -> Option<Edit> {
    let at = place::inside(context, raw, range);
    (at != raw.text.at).then(|| Edit { at, text: text.into().into() })
}

/// An edit that adds a field to a bridge, with or without a block behind its header.
pub(super) fn add_field(context: &Context<'_>, bridge: &Bridge, field: &str) -> Option<Edit> {
    add_to_block(context, bridge.at, field)
}

/// The same for the block behind any header.
pub(super) fn add_to_block(context: &Context<'_>, header: Loc, field: &str) -> Option<Edit> {
    let source = context.sources.file(header.file)?;
    let end = header.span.end as usize;
    let behind = source.text.get(end..)?;
    let brace = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    let (at, text) = match behind.get(brace..).and_then(|rest| rest.strip_prefix('{')) {
        None => (end, format!(" {{ {field} }}")),
        Some(inner) if inner.trim_start_matches([' ', '\t']).starts_with('}') => (end + brace + 1, format!(" {field}")),
        Some(inner) => {
            let line = inner.trim_start_matches([' ', '\t', '\r']);
            let indent =
                line.strip_prefix('\n').map(|next| &next[..next.len() - next.trim_start_matches([' ', '\t']).len()]);
            (end + brace + 1, indent.map_or_else(|| format!(" {field};"), |indent| format!("\n{indent}{field}")))
        }
    };
    Some(Edit { at: Loc { file: header.file, span: Span::at(at) }, text: text.into() })
}

/// An edit that takes a statement out: its whole line, or itself with the `;` that parts it from a neighbour.
pub(super) fn remove(context: &Context<'_>, at: Loc) -> Option<Edit> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let text = &context.sources.file(at.file)?.text;
    let (start, end) = (at.span.start as usize, at.span.end as usize);
    let (before, behind) = (text.get(..start)?, text.get(end..)?);
    let indent = before.trim_end_matches(BLANKS).len();
    let rest = behind.trim_start_matches([' ', '\t', ';', '\r']);
    let parted = behind.trim_start_matches(BLANKS).starts_with(';');
    let span = match before[..indent].chars().next_back() {
        None | Some('\n') if rest.is_empty() => Span::new(indent, text.len()),
        None | Some('\n') if rest.starts_with('\n') => Span::new(indent, text.len() - rest.len() + 1),
        None | Some('\n') if rest.starts_with("//") => Span::new(start, text.len() - rest.len()),
        Some(';') if !parted => Span::new(indent - 1, end),
        _ if parted => Span::new(start, text.len() - rest.len()),
        _ => Span::new(start, end),
    };
    Some(Edit { at: Loc { file: at.file, span }, text: String::new().into() })
}

#[cfg(test)]
mod tests;
