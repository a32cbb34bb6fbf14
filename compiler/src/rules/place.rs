//! Where a part of something stands in the text: of a raw URI.

use super::Context;
use crate::diagnostic::Loc;
use crate::model::RawUri;
use std::ops::Range;
use topoc_dsl::Span;

/// A part of a raw URI, as `uri` gives its range. The whole text where it has escapes or stands behind a `let`.
pub(super) fn inside(context: &Context<'_>, raw: &RawUri, range: Range<usize>) -> Loc {
    let whole = raw.text.at;
    let plain = context.sources.text(whole).strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if plain != Some(raw.text.value.as_str()) {
        return whole;
    }
    let start = whole.span.start as usize + 1;
    Loc { file: whole.file, span: Span::new(start + range.start, start + range.end) }
}
