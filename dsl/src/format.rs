//! Text to canonical text: the same statements and comments, laid out one way. Formatting twice changes nothing.

use crate::parse;
use crate::span::Span;
use crate::syntax::{ArgumentKind, Body, Comment, Statement, SyntaxError, Tail, Value, ValueKind};

/// Columns that a list or block may take on one line, in characters. A longer one goes over several lines.
const WIDTH: usize = 100;

/// Blanks per level of nesting.
const INDENT: usize = 2;

/// Lays `text` out canonically: names, order, values and comments stay; blanks, line ends and `;` do not.
///
/// # Errors
/// The syntax errors of `text`. A file that cannot be read as a whole is left to its author.
pub fn format(text: &str) -> Result<String, Vec<SyntaxError>> {
    let tree = parse(text);
    if !tree.errors.is_empty() {
        return Err(tree.errors);
    }
    let mut formatter = Formatter { text, comments: &tree.comments, lines: Vec::new() };
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let (_, items) = formatter.items(Span::new(start, text.len()), &tree.statements, false);
    formatter.write_items(&items, 0);
    Ok(written(formatter.lines))
}

/// A line to be written; raw text and block comments can make it more than one.
#[derive(Default)]
struct Line {
    indent: usize,
    /// A blank line stands before it.
    blank: bool,
    text: String,
    /// Comments behind it.
    trailing: String,
}

/// What stands between two braces, or at the top level.
struct Item<'t> {
    blank: bool,
    content: Content<'t>,
    trailing: String,
}

enum Content<'t> {
    Comment(String),
    Statement(&'t Statement),
}

struct Formatter<'t> {
    text: &'t str,
    comments: &'t [Comment],
    lines: Vec<Line>,
}

impl<'t> Formatter<'t> {
    /// Statements and comments between two braces, and the comments that stand behind the first brace on its line.
    fn items(&self, inside: Span, statements: &'t [Statement], braces: bool) -> (String, Vec<Item<'t>>) {
        let mut items: Vec<Item<'t>> = Vec::new();
        let mut opening = String::new();
        let mut last = inside.start;
        for index in 0..=statements.len() {
            let next = statements.get(index);
            let until = next.map_or(inside.end, |next| next.span.start);
            let mut trails = braces || index > 0;
            for comment in self.comments_in(last, until) {
                trails &= !self.has_line_end(last, comment.span.start)
                    && (next.is_none() || self.has_line_end(comment.span.end, until));
                let text = self.comment(comment);
                match items.last_mut() {
                    Some(item) if trails => append(&mut item.trailing, &text),
                    None if trails => append(&mut opening, &text),
                    before => {
                        let blank = before.is_some() && self.has_blank_line(last, comment.span.start);
                        items.push(Item { blank, content: Content::Comment(text), trailing: String::new() });
                    }
                }
                last = comment.span.end;
            }
            let Some(statement) = next else { break };
            let mut blank = !items.is_empty() && self.has_blank_line(last, until);
            for comment in self.displaced(statement) {
                let content = Content::Comment(self.comment(comment));
                items.push(Item { blank: std::mem::take(&mut blank), content, trailing: String::new() });
            }
            items.push(Item { blank, content: Content::Statement(statement), trailing: String::new() });
            last = statement.span.end;
        }
        (opening, items)
    }

    /// Comments inside a statement for which its canonical form has no place: they go before it.
    fn displaced(&self, statement: &Statement) -> impl Iterator<Item = &'t Comment> {
        let kept = match &statement.tail {
            Tail::Body(body) => body.span,
            Tail::Value(value) if matches!(value.kind, ValueKind::List(_)) => value.span,
            Tail::Value(_) | Tail::Nothing => Span::at(statement.span.end as usize),
        };
        let before = self.comments_in(statement.span.start, kept.start);
        before.iter().chain(self.comments_in(kept.end, statement.span.end))
    }

    fn write_items(&mut self, items: &[Item<'t>], indent: usize) {
        let values = self.one_line_values(items, indent);
        let widths = self.key_widths(items, &values);
        for (index, item) in items.iter().enumerate() {
            let first = self.lines.len();
            match &item.content {
                Content::Comment(text) => self.line(indent, text.clone()),
                Content::Statement(statement) => {
                    self.statement(statement, indent, values[index].as_deref(), widths[index]);
                }
            }
            if let Some(line) = self.lines.get_mut(first) {
                line.blank = item.blank;
            }
            if let Some(line) = self.lines.last_mut() {
                append(&mut line.trailing, &item.trailing);
            }
        }
    }

    /// For every field the value it has on one line, where that is possible.
    fn one_line_values(&self, items: &[Item<'t>], indent: usize) -> Vec<Option<String>> {
        let mut values: Vec<Option<String>> = items.iter().map(|item| self.one_line_value(item)).collect();
        // Keys are aligned, which can make a list too long; without that list keys are aligned less, so once is enough.
        let widths = self.key_widths(items, &values);
        for (index, item) in items.iter().enumerate() {
            let Content::Statement(Statement { tail: Tail::Value(value), .. }) = item.content else { continue };
            let length = values[index].as_deref().map_or(0, columns);
            let is_list = matches!(&value.kind, ValueKind::List(values) if !values.is_empty());
            if is_list && indent * INDENT + widths[index] + " = ".len() + length > WIDTH {
                values[index] = None;
            }
        }
        values
    }

    fn one_line_value(&self, item: &Item<'t>) -> Option<String> {
        let Content::Statement(Statement { tail: Tail::Value(value), .. }) = item.content else { return None };
        self.fits_one_line(value).then(|| self.value(value)).filter(|text| !text.contains('\n'))
    }

    /// For every item the columns of its key: those of the longest key among the fields beside it.
    fn key_widths(&self, items: &[Item<'t>], values: &[Option<String>]) -> Vec<usize> {
        let mut widths = vec![0; items.len()];
        let mut start = 0;
        while start < items.len() {
            let rest = 1..items.len() - start;
            let is_beside = |step: &usize| values[start + step].is_some() && !items[start + step].blank;
            let end = if values[start].is_some() { start + 1 + rest.take_while(is_beside).count() } else { start + 1 };
            let header = |item: &Item<'t>| match item.content {
                Content::Statement(statement) => columns(&self.header(statement)),
                Content::Comment(_) => 0,
            };
            let width = items[start..end].iter().map(header).max().unwrap_or(0);
            widths[start..end].fill(width);
            start = end;
        }
        widths
    }

    fn statement(&mut self, statement: &'t Statement, indent: usize, value: Option<&str>, width: usize) {
        let header = self.header(statement);
        match &statement.tail {
            Tail::Nothing => self.line(indent, header),
            Tail::Body(body) => self.block(&header, body, indent),
            Tail::Value(full) => match (value, &full.kind) {
                (Some(value), _) => {
                    let gap = " ".repeat(width - columns(&header));
                    self.line(indent, format!("{header}{gap} = {value}"));
                }
                (None, ValueKind::List(elements)) => {
                    self.list(&format!("{header} = "), full.span, elements, indent, "");
                }
                (None, _) => self.line(indent, format!("{header} = {}", self.value(full))),
            },
        }
    }

    fn block(&mut self, header: &str, body: &'t Body, indent: usize) {
        let has_comment = !self.comments_in(body.span.start, body.span.end).is_empty();
        if body.statements.is_empty() && !has_comment {
            return self.line(indent, format!("{header} {{}}"));
        }
        let one_line = if has_comment { None } else { self.one_line_block(header, body) };
        if let Some(text) = one_line.filter(|text| indent * INDENT + columns(text) <= WIDTH) {
            return self.line(indent, text);
        }
        let inside = Span { start: body.span.start + 1, end: body.span.end.saturating_sub(1) };
        let (opening, items) = self.items(inside, &body.statements, true);
        self.lines.push(Line { indent, text: format!("{header} {{"), trailing: opening, blank: false });
        self.write_items(&items, indent + 1);
        self.line(indent, "}".into());
    }

    fn one_line_block(&self, header: &str, body: &Body) -> Option<String> {
        if body.span.of(self.text).contains('\n') {
            return None;
        }
        let mut fields = Vec::with_capacity(body.statements.len());
        for statement in &body.statements {
            let is_raw = statement.arguments.iter().any(|argument| argument.kind == ArgumentKind::Raw);
            let header = self.header(statement);
            match &statement.tail {
                Tail::Body(_) => return None,
                _ if is_raw => return None,
                Tail::Value(value) if has_raw(value) => return None,
                Tail::Value(value) => fields.push(format!("{header} = {}", self.value(value))),
                Tail::Nothing => fields.push(header),
            }
        }
        Some(format!("{header} {{ {} }}", fields.join("; ")))
    }

    /// A list with one element per line. `before` stands before its `[`, `after` behind its `]`.
    fn list(&mut self, before: &str, span: Span, elements: &'t [Value], indent: usize, after: &str) {
        self.line(indent, format!("{before}["));
        let mut last = span.start + 1;
        for index in 0..=elements.len() {
            let next = elements.get(index);
            let until = next.map_or(span.end.saturating_sub(1), |next| next.span.start);
            let mut trails = index > 0;
            for comment in self.comments_in(last, until) {
                trails &= !self.has_line_end(last, comment.span.start)
                    && (next.is_none() || self.has_line_end(comment.span.end, until));
                let text = self.comment(comment);
                match self.lines.last_mut() {
                    Some(line) if trails => append(&mut line.trailing, &text),
                    _ => self.line(indent + 1, text),
                }
                last = comment.span.end;
            }
            let Some(element) = next else { break };
            self.element(element, indent + 1);
            last = element.span.end;
        }
        self.line(indent, format!("]{after}"));
    }

    fn element(&mut self, element: &'t Value, indent: usize) {
        if let ValueKind::List(elements) = &element.kind {
            let text = self.fits_one_line(element).then(|| self.value(element));
            match text.filter(|text| elements.is_empty() || indent * INDENT + columns(text) < WIDTH) {
                Some(text) => self.line(indent, format!("{text},")),
                None => self.list("", element.span, elements, indent, ","),
            }
            return;
        }
        for comment in self.comments_in(element.span.start, element.span.end) {
            self.line(indent, self.comment(comment));
        }
        self.line(indent, format!("{},", self.value(element)));
    }

    /// Whether nothing in a value asks for more than one line.
    fn fits_one_line(&self, value: &Value) -> bool {
        let ValueKind::List(elements) = &value.kind else { return true };
        let is_bare = self.comments_in(value.span.start, value.span.end).is_empty();
        is_bare && (elements.is_empty() || !value.span.of(self.text).contains('\n'))
    }

    /// A value on one line, but for raw text.
    fn value(&self, value: &Value) -> String {
        match &value.kind {
            ValueKind::List(elements) => format!("[{}]", self.values(elements)),
            ValueKind::Call { name, arguments } => format!("{}({})", name.of(self.text), self.values(arguments)),
            _ => value.span.of(self.text).to_owned(),
        }
    }

    fn values(&self, values: &[Value]) -> String {
        values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(", ")
    }

    fn header(&self, statement: &Statement) -> String {
        let mut header = statement.head.span.of(self.text).to_owned();
        for argument in &statement.arguments {
            if argument.kind != ArgumentKind::Comma {
                header.push(' ');
            }
            header.push_str(argument.span.of(self.text));
        }
        header
    }

    /// A comment as typed, with line feeds for line ends.
    fn comment(&self, comment: &Comment) -> String {
        let lines = comment.span.of(self.text).split('\n').map(|line| line.trim_end_matches('\r'));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The comments that start between two places.
    fn comments_in(&self, start: u32, end: u32) -> &'t [Comment] {
        let first = self.comments.partition_point(|comment| comment.span.start < start);
        let past = self.comments.partition_point(|comment| comment.span.start < end);
        self.comments.get(first..past).unwrap_or_default()
    }

    fn has_line_end(&self, start: u32, end: u32) -> bool {
        Span { start, end }.of(self.text).contains('\n')
    }

    fn has_blank_line(&self, start: u32, end: u32) -> bool {
        let lines: Vec<&str> = Span { start, end }.of(self.text).split('\n').collect();
        lines.len() > 2 && lines[1..lines.len() - 1].iter().any(|line| line.trim().is_empty())
    }

    fn line(&mut self, indent: usize, text: String) {
        self.lines.push(Line { indent, text, ..Line::default() });
    }
}

fn has_raw(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Raw => true,
        ValueKind::List(values) | ValueKind::Call { arguments: values, .. } => values.iter().any(has_raw),
        _ => false,
    }
}

fn append(comments: &mut String, more: &str) {
    if !comments.is_empty() && !more.is_empty() {
        comments.push(' ');
    }
    comments.push_str(more);
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

fn written(lines: Vec<Line>) -> String {
    let columns = comment_columns(&lines);
    let mut text = String::new();
    for (line, column) in lines.into_iter().zip(columns) {
        if line.blank {
            text.push('\n');
        }
        text.extend(std::iter::repeat_n(' ', line.indent * INDENT));
        text.push_str(&line.text);
        if !line.trailing.is_empty() {
            text.extend(std::iter::repeat_n(' ', column.saturating_sub(self::columns(&line.text)).max(2)));
            text.push_str(&line.trailing);
        }
        text.push('\n');
    }
    text
}

/// For every line the column, from its indentation, of the comment behind it: the same for lines that follow each other.
fn comment_columns(lines: &[Line]) -> Vec<usize> {
    let is_plain =
        |line: &Line| !line.trailing.is_empty() && !line.text.contains('\n') && !line.trailing.contains('\n');
    let mut all = vec![0; lines.len()];
    let mut start = 0;
    while start < lines.len() {
        let indent = lines[start].indent;
        let is_beside = |line: &&Line| is_plain(line) && !line.blank && line.indent == indent;
        let end = start + 1 + lines[start + 1..].iter().take_while(is_beside).count();
        let end = if is_plain(&lines[start]) { end } else { start + 1 };
        let column = lines[start..end].iter().map(|line| columns(&line.text) + 2).max().unwrap_or(0);
        all[start..end].fill(column);
        start = end;
    }
    all
}
