//! What holds for every text, read or formatted. The tests and the fuzz targets share it.

use topoc_dsl::Span;
use topoc_dsl::syntax::{Body, Statement, Tail, Tree, Value, ValueKind};

/// Reads any text and checks what a tree promises.
pub(crate) fn check_parse(text: &str) {
    let tree = topoc_dsl::parse(text);
    let whole = Span::new(0, text.len());
    for error in &tree.errors {
        inside(text, whole, error.span);
        error.related.iter().for_each(|(span, _)| inside(text, whole, *span));
        error.repair.iter().for_each(|repair| inside(text, whole, repair.span));
        assert!(!error.message.is_empty() && !error.label.is_empty(), "{error:?}");
    }
    let mut last = 0;
    for comment in &tree.comments {
        inside(text, whole, comment.span);
        assert!(comment.span.start >= last, "comments overlap");
        last = comment.span.end;
    }
    statements(text, whole, &tree.statements);
}

/// Formats any text and checks what the formatter promises.
pub(crate) fn check_format(text: &str) {
    let once = match topoc_dsl::format(text) {
        Ok(once) => once,
        Err(errors) => return assert!(!errors.is_empty()),
    };
    let (before, after) = (topoc_dsl::parse(text), topoc_dsl::parse(&once));
    assert_eq!(after.errors, [], "the formatter broke\n{text}\nas\n{once}");
    assert_eq!(shape(text, &before), shape(&once, &after), "the tree of\n{text}\nis another one in\n{once}");
    assert_eq!(comments(text, &before), comments(&once, &after), "comments differ");
    assert_eq!(topoc_dsl::format(&once).as_ref(), Ok(&once), "formatting is not stable for\n{text}");
    assert!(once.is_empty() || once.ends_with('\n') && !once.ends_with("\n\n") && !once.starts_with('\n'), "{once:?}");
}

/// The texts of all comments, with line feeds for line ends.
pub(crate) fn comments(text: &str, tree: &Tree) -> Vec<String> {
    let lines =
        |comment: &str| comment.split('\n').map(|line| line.trim_end_matches('\r')).collect::<Vec<_>>().join("\n");
    tree.comments.iter().map(|comment| lines(comment.span.of(text))).collect()
}

/// A tree without places: two texts of the same shape say the same.
pub(crate) fn shape(text: &str, tree: &Tree) -> String {
    let mut out = String::new();
    shapes(text, &tree.statements, &mut out);
    out
}

fn shapes(text: &str, statements: &[Statement], out: &mut String) {
    for statement in statements {
        let Statement { head, arguments, broken, .. } = statement;
        out.push_str(&format!("{:?}{}{}", head.span.of(text), head.quoted, broken));
        for argument in arguments {
            out.push_str(&format!(" {:?}{:?}", argument.kind, argument.span.of(text)));
        }
        match &statement.tail {
            Tail::Nothing => {}
            Tail::Value(value) => {
                out.push('=');
                value_shape(text, value, out);
            }
            Tail::Body(Body { statements, damaged, .. }) => {
                out.push_str(&format!("{damaged}{{"));
                shapes(text, statements, out);
                out.push('}');
            }
        }
        out.push('\n');
    }
}

fn value_shape(text: &str, value: &Value, out: &mut String) {
    match &value.kind {
        ValueKind::List(values) | ValueKind::Call { arguments: values, .. } => {
            let name = if let ValueKind::Call { name, .. } = value.kind { name.of(text) } else { "" };
            out.push_str(&format!("{name:?}["));
            for value in values {
                value_shape(text, value, out);
                out.push(',');
            }
            out.push(']');
        }
        kind => out.push_str(&format!("{kind:?}{:?}", value.span.of(text))),
    }
}

fn inside(text: &str, outer: Span, inner: Span) {
    assert!(outer.start <= inner.start && inner.start <= inner.end && inner.end <= outer.end, "{inner:?} in {outer:?}");
    assert!(text.get(inner.start as usize..inner.end as usize).is_some(), "{inner:?} cuts a character of {text:?}");
}

fn statements(text: &str, outer: Span, all: &[Statement]) {
    let mut last = outer.start;
    for statement in all {
        inside(text, outer, statement.span);
        assert!(statement.span.start >= last, "statements overlap in {text:?}");
        last = statement.span.end;
        inside(text, statement.span, statement.head.span);
        statement.arguments.iter().for_each(|argument| inside(text, statement.span, argument.span));
        match &statement.tail {
            Tail::Nothing => {}
            Tail::Value(value) => values(text, statement.span, value),
            Tail::Body(body) => {
                inside(text, statement.span, body.span);
                statements(text, body.span, &body.statements);
            }
        }
    }
}

fn values(text: &str, outer: Span, value: &Value) {
    inside(text, outer, value.span);
    match &value.kind {
        ValueKind::List(all) => all.iter().for_each(|inner| values(text, value.span, inner)),
        ValueKind::Call { name, arguments } => {
            inside(text, value.span, *name);
            arguments.iter().for_each(|inner| values(text, value.span, inner));
        }
        _ => {}
    }
}
