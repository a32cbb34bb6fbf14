//! Findings with the text they are about, drawn by miette.
//!
//! miette looks for lines from the start of the text it is given, and joins labels of one text only. So it is given only
//! the few lines around each label, of whichever file, as if they stood in one long text: [`Excerpts`].

use super::shown;
use crate::terminal::{Io, Screen};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::ops::Range;
use topoc_compiler::diagnostic::{Diagnostic, Label, Loc, Severity};
use topoc_compiler::secrets;
use topoc_compiler::sources::{Position, Source, Sources};
use topoc_dsl::FileId;

/// What of the findings is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    /// The lowest severity.
    pub(crate) least: Severity,
    /// How many of those; 0 for all.
    pub(crate) max: usize,
}

/// Writes the worst of the findings that are chosen, in the order of their places; says how many it left out.
pub(crate) fn write(
    sources: &Sources,
    diagnostics: &[Diagnostic],
    choice: Choice,
    screen: Screen,
    out: &mut impl Write,
) -> io::Result<usize> {
    let all: Vec<&Diagnostic> = diagnostics.iter().filter(|finding| finding.severity >= choice.least).collect();
    let count = all.len();
    let chosen = worst(all, if choice.max == 0 { usize::MAX } else { choice.max });
    for diagnostic in &chosen {
        writeln!(out, "{}", one(sources, diagnostic, screen))?;
    }
    Ok(count - chosen.len())
}

/// Counts what is below the severity that is shown, and says how to see it.
pub(crate) fn unshown(diagnostics: &[Diagnostic], notes: usize, least: Severity) -> Option<String> {
    let below = [Severity::Note, Severity::Warning].into_iter().filter(|severity| *severity < least);
    let more = |severity| if severity == Severity::Note { notes } else { 0 };
    let count = |severity| diagnostics.iter().filter(|finding| finding.severity == severity).count() + more(severity);
    let counts: Vec<(usize, Severity)> =
        below.map(|severity| (count(severity), severity)).filter(|(count, _)| *count > 0).collect();
    let (_, lowest) = counts.first()?;
    let words: Vec<String> =
        counts.iter().rev().map(|(count, severity)| super::counted(*count, severity.word())).collect();
    let them = if counts.iter().map(|(count, _)| count).sum::<usize>() == 1 { "it" } else { "them" };
    Some(format!("{}: `topoc check --show {}` lists {them}", words.join(", "), lowest.word()))
}

/// The address of a finding's rule.
pub(crate) fn url(diagnostic: &Diagnostic) -> String {
    format!("urn:topoc:rule:{}", diagnostic.rule.name)
}

/// Says how many findings were left out.
pub(crate) fn write_hidden(hidden: usize, io: &mut Io<'_>) -> io::Result<()> {
    if hidden == 0 {
        return Ok(());
    }
    io.stdout.flush()?;
    writeln!(io.stderr, "... and {hidden} more: `topoc check --max 0` shows all")
}

/// Where to read on about what was shown, behind a summary.
pub(crate) fn more(diagnostics: &[Diagnostic], least: Severity) -> String {
    let worst = worst(diagnostics.iter().filter(|finding| finding.severity >= least).collect(), 1);
    worst.first().map_or_else(String::new, |worst| format!("; `topoc explain {}` says more", worst.rule.code))
}

fn worst(diagnostics: Vec<&Diagnostic>, max: usize) -> Vec<&Diagnostic> {
    let mut chosen: Vec<(usize, &Diagnostic)> = diagnostics.into_iter().enumerate().collect();
    if chosen.len() > max {
        chosen.sort_by_key(|(_, diagnostic)| std::cmp::Reverse(diagnostic.severity));
        chosen.truncate(max);
        chosen.sort_by_key(|(place, _)| *place);
    }
    chosen.into_iter().map(|(_, diagnostic)| diagnostic).collect()
}

fn one(sources: &Sources, diagnostic: &Diagnostic, screen: Screen) -> String {
    let finding = Finding::new(sources, diagnostic);
    let handler = GraphicalReportHandler::new_themed(theme(&finding, screen))
        .with_urls(false)
        .with_width(screen.width)
        .with_context_lines(CONTEXT);
    let mut text = String::new();
    match handler.render_report(&mut text, &finding) {
        Ok(()) => text,
        // Only a fault of the excerpts can do that. The finding is said all the same.
        Err(_) => format!("{}\n", finding.message),
    }
}

/// Severities as words instead of signs, and the fault itself in the colour of its severity.
fn theme(finding: &Finding<'_>, screen: Screen) -> GraphicalTheme {
    let characters = if screen.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let mut styles = if screen.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let own = match finding.diagnostic.severity {
        Severity::Error => styles.error,
        Severity::Warning => styles.warning,
        Severity::Note => styles.advice,
    };
    let style = |label: &LabeledSpan| if label.primary() { own } else { styles.help };
    styles.highlights = finding.labels.iter().map(style).collect();
    let characters =
        ThemeCharacters { error: "error:".into(), warning: "warning:".into(), advice: "note:".into(), ..characters };
    GraphicalTheme { characters, styles }
}

/// A finding as miette sees it.
#[derive(Debug)]
struct Finding<'a> {
    diagnostic: &'a Diagnostic,
    message: String,
    excerpts: Excerpts<'a>,
    /// In the order of their places in the excerpts.
    labels: Vec<LabeledSpan>,
}

impl<'a> Finding<'a> {
    fn new(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Self {
        let (excerpts, labels) = Excerpts::around(sources, &diagnostic.labels);
        Self { diagnostic, message: shown(&diagnostic.message).into_owned(), excerpts, labels }
    }
}

impl Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding<'_> {}

impl miette::Diagnostic for Finding<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let rule = self.diagnostic.rule;
        Some(Box::new(format!("{} {}", rule.code, rule.name)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(shown(help)) as Box<dyn Display>)
    }

    fn url<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(url(self.diagnostic)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpts)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Lines shown above and below a label.
const CONTEXT: usize = 1;
/// How much of a line is shown before and behind a label, in bytes. Whoever has longer lines did not type them.
const REACH: usize = 300;
/// A label over more lines than this is shown by its first.
const TALLEST: u32 = 6;

/// The lines around the labels of one finding, as parts of one text that exists nowhere.
#[derive(Debug)]
struct Excerpts<'a> {
    parts: Vec<Excerpt<'a>>,
    /// Where each label begins in that text, and where it really is.
    places: Vec<(usize, Position)>,
}

/// Adjoining lines of one file.
#[derive(Debug)]
struct Excerpt<'a> {
    source: &'a Source,
    file: FileId,
    /// Byte range in the file.
    start: usize,
    end: usize,
    /// Number of the first line, from 1.
    line: u32,
    /// Where it begins in the text that exists nowhere.
    base: usize,
    /// As long as the range in the file, without anything that a terminal would obey.
    text: String,
}

/// A label, cut to what is shown of it.
#[derive(Debug)]
struct Mark<'a> {
    label: &'a Label,
    source: &'a Source,
    start: usize,
    end: usize,
    /// The first is the fault itself.
    primary: bool,
}

impl<'a> Excerpts<'a> {
    fn around(sources: &'a Sources, labels: &'a [Label]) -> (Self, Vec<LabeledSpan>) {
        let mut marks: Vec<Mark<'_>> =
            labels.iter().enumerate().filter_map(|(index, label)| mark(sources, label, index == 0)).collect();
        // The file of the fault itself comes first, then the others as they are named.
        let file_order = |mark: &Mark<'_>| labels.iter().position(|label| label.at.file == mark.label.at.file);
        marks.sort_by_key(|mark| (file_order(mark), mark.start, mark.end));
        let mut excerpts = Self { parts: Vec::new(), places: Vec::new() };
        for mark in &marks {
            excerpts.cover(mark);
        }
        excerpts.lay_out(&sources.secrets);
        let labels = marks.iter().map(|mark| excerpts.label(mark)).collect();
        (excerpts, labels)
    }

    /// Takes the lines around a mark in; they come in the order of their places.
    fn cover(&mut self, mark: &Mark<'a>) {
        let lines = lines_around(mark);
        match self.parts.last_mut() {
            Some(last) if last.file == lines.file && lines.start <= last.end + 1 => last.end = last.end.max(lines.end),
            _ => self.parts.push(lines),
        }
    }

    fn lay_out(&mut self, secrets: &[Loc]) {
        let mut base = 0;
        for part in &mut self.parts {
            part.base = base;
            part.text = harmless(&masked(part, secrets));
            // Labels may sit one past the end, so parts do not adjoin.
            base += part.text.len() + 2;
        }
    }

    fn label(&mut self, mark: &Mark<'_>) -> LabeledSpan {
        let part = self.parts.iter().find(|part| part.holds(mark.label.at.file, mark.start));
        let offset = part.map_or(0, |part| part.base + mark.start - part.start);
        self.places.push((offset, mark.source.position(mark.label.at.span.start)));
        let text = Some(shown(&mark.label.message).into_owned()).filter(|text| !text.is_empty());
        let length = mark.end - mark.start;
        if mark.primary {
            LabeledSpan::new_primary_with_span(text, (offset, length))
        } else {
            LabeledSpan::new_with_span(text, (offset, length))
        }
    }
}

impl Excerpt<'_> {
    fn holds(&self, file: FileId, offset: usize) -> bool {
        self.file == file && (self.start..=self.end).contains(&offset)
    }
}

impl SourceCode for Excerpts<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let holds = |part: &&Excerpt<'_>| part.base <= start && end <= part.base + part.text.len();
        // An error where two labels are not in one part: that is how miette learns to draw them apart.
        let part = self.parts.iter().find(holds).ok_or(MietteError::OutOfBounds)?;
        let name = shown(&part.source.path).into_owned();
        let place = self.places.iter().find(|(offset, _)| *offset == start);
        if let (0, Some((_, position))) = (lines_before, place) {
            let (line, column) = (position.line as usize - 1, position.column as usize - 1);
            return Ok(Box::new(MietteSpanContents::new_named(name, &[], *span, line, column, 1)));
        }
        let whole = (part.base, part.text.len()).into();
        let count = part.text.lines().count();
        let data = part.text.as_bytes();
        Ok(Box::new(MietteSpanContents::new_named(name, data, whole, part.line as usize - 1, 0, count)))
    }
}

fn mark<'a>(sources: &'a Sources, label: &'a Label, primary: bool) -> Option<Mark<'a>> {
    let source = sources.file(label.at.file)?;
    let text: &str = &source.text;
    // miette draws no empty last line, so what is missing at the end of a file is shown behind the last line.
    let shown_end = text.trim_end_matches(['\n', '\r']).len();
    let start = floor(text, (label.at.span.start as usize).min(shown_end));
    let end = floor(text, (label.at.span.end as usize).clamp(start, shown_end.max(start)));
    let height = source.position(label.at.span.end).line - source.position(label.at.span.start).line;
    let tall = height >= TALLEST || end - start > REACH;
    let end = if tall { line_end(text, start).min(end) } else { end };
    Some(Mark { label, source, start, end, primary })
}

fn lines_around<'a>(mark: &Mark<'a>) -> Excerpt<'a> {
    let text: &str = &mark.source.text;
    let mut line = mark.source.position(u32::try_from(mark.start).unwrap_or(u32::MAX)).line;
    let mut start = line_start(text, mark.start);
    let mut end = line_end(text, mark.end);
    for _ in 0..CONTEXT {
        if start > 0 && text.as_bytes().get(start - 1) == Some(&b'\n') {
            start = line_start(text, start - 1);
            line -= 1;
        }
        if text.as_bytes().get(end) == Some(&b'\n') && end + 1 < text.len() {
            end = line_end(text, end + 1);
        }
    }
    Excerpt { source: mark.source, file: mark.label.at.file, start, end, line, base: 0, text: String::new() }
}

/// Where the line of `at` begins, or the first character within reach.
fn line_start(text: &str, at: usize) -> usize {
    let from = floor(text, at.saturating_sub(REACH));
    text.get(from..at).and_then(|before| before.rfind('\n')).map_or(from, |newline| from + newline + 1)
}

/// Where the line of `at` ends, its newline not included, or the last character within reach.
fn line_end(text: &str, at: usize) -> usize {
    let to = floor(text, (at + REACH).min(text.len()));
    text.get(at..to).and_then(|behind| behind.find('\n')).map_or(to, |newline| at + newline)
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The excerpt's text with `*` for each byte of a secret: reports are kept and sent around.
fn masked(part: &Excerpt<'_>, secrets: &[Loc]) -> String {
    let whole: &str = &part.source.text;
    // Lines that are cut may begin in the middle of one.
    let from = floor(whole, part.start.saturating_sub(REACH));
    let by_looks = secrets::in_text(whole.get(from..part.end).unwrap_or(""));
    let by_looks: Vec<_> = by_looks.into_iter().map(|range| range.start + from..range.end + from).collect();
    let of_file = secrets.iter().filter(|secret| secret.file == part.file);
    let by_place = of_file.map(|secret| inside_quotes(whole, secret.span.start as usize..secret.span.end as usize));
    // Of a URL with a password only that is hidden.
    let alone = |place: &Range<usize>| !by_looks.iter().any(|seen| place.start <= seen.start && seen.end <= place.end);
    let by_place: Vec<_> = by_place.filter(alone).collect();
    let mut text = whole.get(part.start..part.end).unwrap_or("").to_owned();
    for secret in by_looks.into_iter().chain(by_place) {
        let (start, end) = (secret.start.max(part.start), secret.end.min(part.end));
        if let Some(seen) = whole.get(start..end) {
            let stars: String = seen.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
            text.replace_range(start - part.start..end - part.start, &stars);
        }
    }
    text
}

fn inside_quotes(text: &str, range: Range<usize>) -> Range<usize> {
    match text.get(range.clone()) {
        Some(quoted) if quoted.len() > 1 && quoted.starts_with('"') && quoted.ends_with('"') => {
            range.start + 1..range.end - 1
        }
        _ => range,
    }
}

/// The same number of bytes without anything that a terminal would obey.
fn harmless(text: &str) -> String {
    if !text.contains(super::unsafe_to_show) {
        return text.to_owned();
    }
    let shown = |c: char| match c.len_utf8() {
        _ if c == '\r' || !super::unsafe_to_show(c) => c,
        1 => '?',
        2 => '\u{bf}',
        _ => '\u{fffd}',
    };
    text.chars().map(shown).collect()
}
