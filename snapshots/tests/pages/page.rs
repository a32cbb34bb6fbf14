//! Reads a rule's page: its headings, its example blocks, and the findings that are marked in them.

use std::collections::HashMap;
use topoc_compiler::policy::Day;

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Every heading with its `#`s.
    pub(crate) headings: Vec<String>,
    /// The examples that are executed, in their order.
    pub(crate) examples: Vec<Example>,
    /// What cannot be read.
    pub(crate) problems: Vec<String>,
}

/// What is said of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Has exactly the marked findings.
    Fail,
    /// Has no finding at error or warning level.
    Pass,
    /// Is what the fixes make of the fail block before it.
    Fixed,
}

/// A topology of a page.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// What is said of it.
    pub(crate) kind: Kind,
    /// The line of the page where it starts.
    pub(crate) line: usize,
    /// By name; the entry is [`MAIN`].
    pub(crate) files: HashMap<String, String>,
    /// Names of the other files in their order.
    pub(crate) others: Vec<String>,
    /// Names of those that are overlays.
    pub(crate) overlays: Vec<String>,
    /// The day on which it is looked at.
    pub(crate) today: Option<Day>,
    /// The file that a fixed block shows.
    pub(crate) shows: &'static str,
}

/// The name of a main block's file.
pub(crate) const MAIN: &str = "main.topo";
/// The name of the file with a project's settings.
pub(crate) const SETTINGS: &str = "topoc.toml";

impl Example {
    /// The main block's text.
    pub(crate) fn main(&self) -> &str {
        &self.files[MAIN]
    }

    /// The text of the file that it is about.
    pub(crate) fn shown(&self) -> &str {
        &self.files[self.shows]
    }
}

/// A marked finding: file, line, severity and code.
pub(crate) type Mark = (String, u32, String, String);

/// Reads a page. A block `file=NAME` or `overlay=NAME` belongs to the next main block, which may state `today=DAY`.
pub(crate) fn read(text: &str) -> Page {
    let mut page = Page::default();
    let (mut files, mut others, mut overlays) = (HashMap::new(), Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') {
            page.headings.push(line.to_owned());
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: String =
            lines.by_ref().take_while(|(_, line)| *line != "```").map(|(_, line)| format!("{line}\n")).collect();
        let mut add = |name: &str| {
            files.insert(name.to_owned(), body.clone());
            others.push(name.to_owned());
        };
        let (info, day) = info.split_once(" today=").map_or((info, None), |(info, day)| (info, Some(day)));
        let today = day.and_then(Day::parse);
        if day.is_some() && today.is_none() {
            page.problems.push(format!("line {}: `{}` is no day", number + 1, day.unwrap_or_default()));
        }
        let mut shows = MAIN;
        let kind = match info.split_once(' ') {
            Some(("toml", "file=topoc.toml")) => {
                add(SETTINGS);
                continue;
            }
            Some(("toml", "fixed")) => {
                shows = SETTINGS;
                Kind::Fixed
            }
            Some(("topo", "fail")) => Kind::Fail,
            Some(("topo", "pass")) => Kind::Pass,
            Some(("topo", "fixed")) => Kind::Fixed,
            Some(("topo", other)) => {
                match other.split_once('=') {
                    Some(("file", name)) => add(name),
                    Some(("overlay", name)) => {
                        add(name);
                        overlays.push(name.to_owned());
                    }
                    _ => page.problems.push(format!("line {}: no block is called `{info}`", number + 1)),
                }
                continue;
            }
            _ if info.starts_with("topo") => {
                page.problems.push(format!("line {}: say `topo fail`, `topo pass` or `topo fixed`", number + 1));
                continue;
            }
            _ => continue,
        };
        files.insert(shows.to_owned(), body);
        page.examples.push(Example {
            kind,
            line: number + 1,
            files: std::mem::take(&mut files),
            others: std::mem::take(&mut others),
            overlays: std::mem::take(&mut overlays),
            today,
            shows,
        });
    }
    if !files.is_empty() {
        page.problems.push("a `file=` or `overlay=` block has no main block behind it".to_owned());
    }
    page
}

/// The findings that the lines of an example announce: `// error[TOPO0101]`, more than one with a blank between them.
pub(crate) fn marks(example: &Example) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for (name, text) in &example.files {
        for (number, line) in (1..).zip(text.lines()) {
            let words = line.split_whitespace().rev().map_while(mark);
            marks.extend(words.map(|(severity, code)| (name.clone(), number, severity.to_owned(), code.to_owned())));
        }
    }
    marks.sort();
    marks
}

/// `error[TOPO0101]`
fn mark(word: &str) -> Option<(&str, &str)> {
    let (severity, code) = word.strip_suffix(']')?.split_once('[')?;
    let known = matches!(severity, "error" | "warning" | "note") && code.len() == 8 && code.starts_with("TOPO");
    known.then_some((severity, code))
}
