//! Where in the source a part of a raw URI stands.

use super::Context;
use crate::diagnostic::Loc;
use crate::model::RawUri;
use std::ops::Range;
use topoc_dsl::Span;

/// The place of `range` of a raw URI's text. Where the text is written with escapes, the place of the whole text.
pub(super) fn inside(context: &Context<'_>, raw: &RawUri, range: Range<usize>) -> Loc {
    let whole = raw.text.at;
    let start = whole.span.start as usize + 1;
    let span = Span::new(start + range.start, start + range.end);
    let as_written = Span::new(start, start + raw.text.value.len());
    let plain = context.sources.text(Loc { span: as_written, ..whole }) == raw.text.value;
    if plain { Loc { span, ..whole } } else { whole }
}
