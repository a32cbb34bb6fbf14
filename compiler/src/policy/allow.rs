//! `// topoc: allow(RULE, ...) until=DAY reason="..."`: findings that somebody has looked at.
//!
//! At the end of a line it is about the statements that begin on that line, else about the one it stands in; on a line of
//! its own about the next statement beside it. What is nested in a statement belongs to it. A comment without a reason,
//! or whose day has passed, holds nothing.

use super::day::Day;
use crate::Analysis;
use crate::diagnostic::{Diagnostic, Edit, Loc};
use crate::rules::{self, Rule, allow_without_reason, expired_allow, unknown_rule, unused_allow};
use crate::sources::Source;
use topoc_dsl::syntax::Statement;
use topoc_dsl::{FileId, Span};

/// How such a comment begins, behind `//` and blanks.
pub(super) const MARK: &str = "topoc:";

/// A comment that allows something.
#[derive(Debug)]
struct Allow {
    /// `// topoc: ... reason="..."`, without what may follow.
    at: Loc,
    /// What it is about.
    covers: Option<Span>,
    names: Vec<Name>,
    until: Option<(Span, Option<Day>)>,
    reason: bool,
    /// Where the words end that make sense.
    trouble: Option<Span>,
}

/// A name between the parentheses.
#[derive(Debug)]
struct Name {
    at: Loc,
    rule: Option<&'static Rule>,
    used: bool,
}

/// Takes away what is allowed, and says what is wrong with what allows it.
pub(super) fn judge(analysis: &mut Analysis, today: Option<Day>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut allows = Vec::new();
    for (id, source) in (0..).zip(&analysis.sources.files) {
        for comment in &source.tree.comments {
            if comment.block {
                found.extend(in_block(source, Loc { file: FileId(id), span: comment.span }));
                continue;
            }
            let Some(allow) = read(source, FileId(id), comment.span) else { continue };
            complain(&allow, source, today, &mut found);
            allows.push(allow);
        }
    }
    if allows.is_empty() {
        return found;
    }
    take(&mut allows, &mut analysis.diagnostics, today);
    // What could not be read may hide what is allowed.
    if !analysis.unread {
        found.extend(allows.iter().flat_map(|allow| unused(allow, &analysis.sources.files, today)));
    }
    found
}

/// Takes away what is allowed. Every comment that is about a finding is asked, and no other: there may be many of both.
fn take(allows: &mut [Allow], diagnostics: &mut Vec<Diagnostic>, today: Option<Day>) {
    allows.sort_by_key(Allow::start);
    // How far into its file any comment up to this one reaches.
    let mut reach: Vec<(FileId, u32)> = Vec::with_capacity(allows.len());
    for allow in allows.iter() {
        let end = allow.covers.map_or(0, |span| span.end.max(span.start + 1));
        let before = reach.last().filter(|(file, _)| *file == allow.at.file).map_or(0, |(_, end)| *end);
        reach.push((allow.at.file, before.max(end)));
    }
    diagnostics.retain(|finding| {
        let at = finding.primary();
        let behind = allows.partition_point(|allow| allow.start() <= (at.file, Some(at.span.start)));
        let before = allows.iter_mut().zip(&reach).take(behind).rev();
        let near = before.take_while(|(_, (file, end))| *file == at.file && *end > at.span.start);
        near.filter_map(|(allow, _)| allow.takes(finding, today).then_some(())).count() == 0
    });
}

impl Allow {
    fn start(&self) -> (FileId, Option<u32>) {
        (self.at.file, self.covers.map(|span| span.start))
    }

    fn expired(&self, today: Option<Day>) -> bool {
        match (self.until, today) {
            (Some((_, Some(until))), Some(today)) => today > until,
            (Some((_, None)), _) => true,
            _ => false,
        }
    }

    fn holds(&self, today: Option<Day>) -> bool {
        self.reason && self.trouble.is_none() && !self.expired(today)
    }

    /// Whether it takes a finding away.
    fn takes(&mut self, finding: &Diagnostic, today: Option<Day>) -> bool {
        let at = finding.primary();
        let covers =
            self.covers.is_some_and(|span| span.start <= at.span.start && at.span.start < span.end.max(span.start + 1));
        if at.file != self.at.file || !covers || finding.rule.is_fixed() || !self.holds(today) {
            return false;
        }
        let named = self.names.iter_mut().filter(|name| name.rule.is_some_and(|rule| rule.code == finding.rule.code));
        named.map(|name| name.used = true).count() > 0
    }
}

/// What is wrong with a comment, whatever is found.
fn complain(allow: &Allow, source: &Source, today: Option<Day>, found: &mut Vec<Diagnostic>) {
    if let Some(trouble) = allow.trouble {
        found.push(unused_allow::unreadable(Loc { span: trouble, ..allow.at }, trouble.of(&source.text)));
        return;
    }
    for name in allow.names.iter().filter(|name| name.rule.is_none()) {
        found.push(unknown_rule::in_allow(name.at, name.at.span.of(&source.text)));
    }
    if !allow.reason {
        found.push(allow_without_reason::found(allow.at));
    }
    match (allow.until, today) {
        (Some((span, None)), _) => found.push(expired_allow::no_day(Loc { span, ..allow.at }, span.of(&source.text))),
        (Some((span, Some(until))), Some(today)) if today > until => {
            found.push(expired_allow::found(Loc { span, ..allow.at }, until, today));
        }
        _ => {}
    }
}

/// What a comment names in vain.
fn unused(allow: &Allow, files: &[Source], today: Option<Day>) -> Vec<Diagnostic> {
    let Some(source) = files.get(allow.at.file.0 as usize).filter(|_| allow.holds(today)) else { return Vec::new() };
    let idle = |name: &&Name| !name.used && name.rule.is_some();
    let all = allow.names.iter().all(|name| idle(&name));
    let found = |name: &Name| {
        let rule = name.rule?;
        let edit = if all { whole(allow, &source.text) } else { entry(allow, name, &source.text) };
        Some(unused_allow::found(name.at, rule, edit))
    };
    allow.names.iter().filter(idle).filter_map(found).collect()
}

/// Removes the comment: with its line where nothing else is on it.
fn whole(allow: &Allow, text: &str) -> Edit {
    let (start, end) = (allow.at.span.start as usize, allow.at.span.end as usize);
    let before = text.get(..start).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let blank = before.trim_end_matches([' ', '\t']).len();
    let rest = text.get(end..).unwrap_or("");
    let rest_of_line = rest.find('\n').map_or(rest, |newline| rest.get(..newline).unwrap_or(""));
    let span = match (blank <= line, rest_of_line.trim().is_empty()) {
        (true, true) => Span::new(line, (end + rest_of_line.len() + 1).min(text.len())),
        (false, true) => Span::new(blank, end),
        // A comment about something else follows.
        (_, false) => Span::new(start, end + rest_of_line.len() - rest_of_line.trim_start().len()),
    };
    Edit { at: Loc { span, ..allow.at }, text: String::new().into() }
}

/// Removes one name and a comma.
fn entry(allow: &Allow, name: &Name, text: &str) -> Edit {
    let at = allow.names.iter().position(|other| std::ptr::eq(other, name)).unwrap_or(0);
    let next = allow.names.get(at + 1).map(|next| Span { start: name.at.span.start, end: next.at.span.start });
    let before = at.checked_sub(1).and_then(|before| allow.names.get(before));
    let before = before.map(|before| Span { start: before.at.span.end, end: name.at.span.end });
    let span = next.or(before).unwrap_or(name.at.span);
    debug_assert!(!span.of(text).is_empty(), "a name has letters");
    Edit { at: Loc { span, ..allow.at }, text: String::new().into() }
}

/// `/* topoc: allow(...) */`, which allows nothing: such a comment may stand in the middle of a line or go over many, and
/// then nobody sees what it is about.
fn in_block(source: &Source, at: Loc) -> Option<Diagnostic> {
    let text = at.span.of(&source.text);
    let words = text.strip_prefix("/*")?.strip_suffix("*/")?.trim_matches(|c: char| c == '*' || c.is_whitespace());
    words.strip_prefix(MARK)?.trim_start().strip_prefix("allow")?;
    let behind = source.text.get(at.span.end as usize..).unwrap_or("");
    let is_last = behind.lines().next().is_none_or(|rest| rest.trim().is_empty());
    let edit = (is_last && !words.contains('\n')).then(|| Edit { at, text: format!("// {words}").into() });
    Some(unused_allow::in_block(at, edit))
}

/// Reads a comment, if it is addressed to topoc.
fn read(source: &Source, file: FileId, comment: Span) -> Option<Allow> {
    let text = comment.of(&source.text);
    let words = text.trim_start_matches('/').trim_start();
    let rest = words.strip_prefix(MARK)?;
    let start = comment.start as usize;
    let mut reader = Words { text, at: text.len() - rest.len(), base: start };
    let mut allow = Allow {
        at: Loc { file, span: comment },
        covers: covered(source, comment),
        names: Vec::new(),
        until: None,
        reason: false,
        trouble: None,
    };
    allow.trouble = reader.allow(&mut allow).err();
    allow.at.span = Span::new(start, start + reader.at);
    Some(allow)
}

/// The words behind the mark.
struct Words<'t> {
    text: &'t str,
    at: usize,
    /// Where the text begins in the file.
    base: usize,
}

impl<'t> Words<'t> {
    /// `allow(NAMES) until=DAY reason="TEXT"`, the two in any order. The error is the place of what is not understood.
    fn allow(&mut self, allow: &mut Allow) -> Result<(), Span> {
        self.blanks();
        self.take("allow").and_then(|()| self.take("(")).map_err(|()| self.rest())?;
        let list = self.until(')').ok_or_else(|| self.rest())?;
        let mut at = self.at - 1 - list.len();
        for part in list.split(',') {
            let name = part.trim();
            let start = self.base + at + (part.len() - part.trim_start().len());
            let span = Span::new(start, start + name.len());
            allow.names.push(Name { at: Loc { span, ..allow.at }, rule: rules::find(name), used: false });
            at += part.len() + 1;
        }
        loop {
            let end = self.at;
            self.blanks();
            if self.left().is_empty() || self.left().starts_with("//") {
                self.at = end;
                return Ok(());
            }
            self.pair(allow)?;
        }
    }

    fn pair(&mut self, allow: &mut Allow) -> Result<(), Span> {
        if self.take("until=").is_ok() {
            let day = self.left().split_whitespace().next().unwrap_or("");
            self.at += day.len();
            let span = Span::new(self.base + self.at - day.len(), self.base + self.at);
            allow.until = Some((span, Day::parse(day.trim_matches('"'))));
            return Ok(());
        }
        self.take("reason=\"").map_err(|()| self.rest())?;
        let reason = self.until('"').ok_or_else(|| self.rest())?;
        allow.reason = !reason.trim().is_empty();
        Ok(())
    }

    fn left(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.left().trim_start().len();
    }

    fn take(&mut self, word: &str) -> Result<(), ()> {
        self.left().starts_with(word).then(|| self.at += word.len()).ok_or(())
    }

    /// Everything before `end`, which is passed too.
    fn until(&mut self, end: char) -> Option<&'t str> {
        let (before, _) = self.left().split_once(end)?;
        self.at += before.len() + end.len_utf8();
        Some(before)
    }

    fn rest(&self) -> Span {
        Span::new(self.base + self.at, self.base + self.text.len())
    }
}

/// What a comment is about.
fn covered(source: &Source, comment: Span) -> Option<Span> {
    let start = comment.start as usize;
    let before = source.text.get(..start).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let typed = before.get(line..).unwrap_or("");
    let statements = &source.tree.statements;
    if typed.trim_matches([' ', '\t', '\u{feff}']).is_empty() {
        return following(statements, comment.end);
    }
    let first = Span::new(line + typed.len() - typed.trim_start().len(), start);
    beginning(statements, first).or_else(|| innermost(statements, first.start))
}

/// From the first to the last of the statements that begin within a place.
fn beginning(statements: &[Statement], within: Span) -> Option<Span> {
    let from = statements.partition_point(|statement| statement.span.start < within.start);
    let to = statements.partition_point(|statement| statement.span.start < within.end);
    match statements.get(from..to) {
        Some([first, .., last]) => Some(first.span.to(last.span)),
        Some([only]) => Some(only.span),
        _ => beginning(&around(statements, within.start)?.body()?.statements, within),
    }
}

/// The statement behind a place, beside it.
fn following(statements: &[Statement], place: u32) -> Option<Span> {
    match around(statements, place).and_then(Statement::body) {
        Some(body) if body.span.start < place && place < body.span.end => following(&body.statements, place),
        _ => {
            let next = statements.partition_point(|statement| statement.span.start < place);
            statements.get(next).map(|statement| statement.span)
        }
    }
}

fn innermost(statements: &[Statement], place: u32) -> Option<Span> {
    let outer = around(statements, place)?;
    outer.body().and_then(|body| innermost(&body.statements, place)).or(Some(outer.span))
}

/// The statement that a place is in.
pub(super) fn around(statements: &[Statement], place: u32) -> Option<&Statement> {
    let behind = statements.partition_point(|statement| statement.span.start <= place);
    let last = behind.checked_sub(1).and_then(|last| statements.get(last));
    last.filter(|statement| statement.span.touches(place))
}
