//! Colours for topologies, from the tree that the compiler's own parser makes: what it reads as a number is shown as one.

use crate::page::escape;
use topoc_compiler::language;
use topoc_dsl::Span;
use topoc_dsl::syntax::{ArgumentKind, Statement, Tail, Value, ValueKind};

/// Spans and their classes: `k` keyword, `f` field, `n` name, `s` text, `d` number, `o` arrow, `c` comment, and `e`, `w`,
/// `i` for comments that mark a finding.
type Marks = Vec<(Span, &'static str)>;

/// The text as HTML.
pub(crate) fn topology(text: &str) -> String {
    let tree = topoc_dsl::parse(text);
    let mut marks: Marks =
        tree.comments.iter().map(|comment| (comment.span, comment_class(comment.span.of(text)))).collect();
    tree.statements.iter().for_each(|one| statement(text, one, &mut marks));
    marks.sort_by_key(|(span, _)| span.start);
    let (mut html, mut at) = (String::with_capacity(text.len() * 2), 0);
    for (span, class) in marks {
        let (start, end) = (span.start as usize, span.end as usize);
        // Broken text can be marked twice.
        if start < at || end <= start {
            continue;
        }
        let (before, marked) = (escape(&text[at..start]), escape(&text[start..end]));
        html += &format!("{before}<span class=\"{class}\">{marked}</span>");
        at = end;
    }
    html + &escape(&text[at..])
}

fn comment_class(comment: &str) -> &'static str {
    let word = comment.trim_start_matches(['/', ' ']).split('[').next();
    match word {
        Some("error") => "c e",
        Some("warning") => "c w",
        Some("note") => "c i",
        _ => "c",
    }
}

fn statement(text: &str, from: &Statement, marks: &mut Marks) {
    let word = from.head.span.of(text);
    let known = language::block_of(word).is_some() || language::form_of(word).is_some();
    let head = match &from.tail {
        _ if from.head.quoted => "s",
        Tail::Body(_) => "k",
        Tail::Nothing | Tail::Value(_) if known && !from.arguments.is_empty() => "k",
        Tail::Value(_) => "f",
        Tail::Nothing => "n",
    };
    marks.push((from.head.span, head));
    for argument in &from.arguments {
        let class = match argument.kind {
            ArgumentKind::Path => "n",
            ArgumentKind::Text | ArgumentKind::Raw => "s",
            ArgumentKind::Number => "d",
            ArgumentKind::To | ArgumentKind::Both => "o",
            ArgumentKind::Comma => continue,
        };
        marks.push((argument.span, class));
    }
    match &from.tail {
        Tail::Nothing => {}
        Tail::Value(one) => value(text, one, marks),
        Tail::Body(body) => body.statements.iter().for_each(|one| statement(text, one, marks)),
    }
}

fn value(text: &str, from: &Value, marks: &mut Marks) {
    match &from.kind {
        ValueKind::Text | ValueKind::Raw => marks.push((from.span, "s")),
        ValueKind::Number => marks.push((from.span, "d")),
        ValueKind::Path if matches!(from.span.of(text), "true" | "false") => marks.push((from.span, "d")),
        ValueKind::Path | ValueKind::Variable => marks.push((from.span, "n")),
        ValueKind::List(values) => values.iter().for_each(|one| value(text, one, marks)),
        ValueKind::Call { name, arguments } => {
            marks.push((*name, "k"));
            arguments.iter().for_each(|one| value(text, one, marks));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(html: &str) -> String {
        let mut text = String::new();
        let mut rest = html;
        while let Some((before, tag)) = rest.split_once('<') {
            text += before;
            rest = tag.split_once('>').unwrap().1;
        }
        (text + rest).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    }

    #[test]
    fn every_kind_of_word_has_its_class() {
        let html =
            topology("bridge a <-> b { user = \"x & y\"; prefetch-size = 10; duplex = true } // error[TOPO0201]\n");
        for marked in [
            "<span class=\"k\">bridge</span>",
            "<span class=\"n\">a</span>",
            "<span class=\"o\">&lt;-&gt;</span>",
            "<span class=\"f\">user</span>",
            "<span class=\"s\">&quot;x &amp; y&quot;</span>",
            "<span class=\"d\">10</span>",
            "<span class=\"d\">true</span>",
            "<span class=\"c e\">// error[TOPO0201]</span>",
        ] {
            assert!(html.contains(marked), "{marked} is not in {html}");
        }
    }

    #[test]
    fn no_letter_is_lost_also_where_the_text_is_broken() {
        for text in ["site a {\n  broker b {\n", "a = \"\n\"x", "} }}\n[", "", "x = [1, \"</pre>\"", "// only\n"] {
            assert_eq!(plain(&topology(text)), text);
        }
    }
}
