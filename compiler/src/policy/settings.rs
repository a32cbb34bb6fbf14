//! `topoc.toml`: what is in it, and what is wrong with it.

use super::glob;
use super::levels::{Choice, Choices, Selector};
use crate::diagnostic::{Diagnostic, Loc, Severity};
use crate::rules::{self, unknown_rule, unknown_setting};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use topoc_dsl::{FileId, Span};

/// What a project says about its findings and its files. Paths are relative to the folder of `topoc.toml`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `profile = "strict"`: hygiene is a warning.
    pub strict: bool,
    /// The topologies that are meant when none is named.
    pub targets: Vec<String>,
    /// `[check] fail-level`
    pub fail_level: Option<Severity>,
    /// `[check] baseline`
    pub baseline: Option<String>,
    /// `[build] out`
    pub out: Option<String>,
    /// `[rules]`
    pub(super) rules: Choices,
    /// `[[overrides]]` in their order.
    pub(super) overrides: Vec<Override>,
    /// What is wrong with the text. The file is put in when it has an id.
    pub(super) findings: Vec<Diagnostic>,
}

/// Levels for some of the files.
#[derive(Debug, Clone, Default)]
pub(super) struct Override {
    paths: Vec<String>,
    pub(super) rules: Choices,
}

impl Override {
    pub(super) fn is_for(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| glob::matches(pattern, path))
    }
}

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Word(&'static [&'static str]),
    Rules,
    Table,
    Tables,
}

/// Every setting by its full name, and what it means.
const SETTINGS: &[(&str, Kind)] = &[
    ("profile", Kind::Word(&["standard", "strict"])),
    ("targets", Kind::Texts),
    ("rules", Kind::Rules),
    ("overrides", Kind::Tables),
    ("overrides.paths", Kind::Texts),
    ("overrides.rules", Kind::Rules),
    ("check", Kind::Table),
    ("check.fail-level", Kind::Word(&["error", "warning", "note"])),
    ("check.baseline", Kind::Text),
    ("build", Kind::Table),
    ("build.out", Kind::Text),
];

const LEVELS: &[&str] = &["error", "warning", "note", "off"];

impl Settings {
    /// Reads the text of a `topoc.toml`. What cannot be understood is left out and said when findings are judged.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader { settings: Self::default(), place: None };
        reader.table("", table.get_ref());
        let syntax = errors.iter().map(|error| {
            let at = loc(&error.span().unwrap_or(text.len()..text.len()));
            rules::syntax_error::settings(at, error.message())
        });
        // Where the text cannot be read to its end, what seems wrong in the rest may only follow from that.
        if !errors.is_empty() {
            reader.settings.findings = syntax.collect();
        }
        reader.settings
    }

    /// How often the text is no TOML.
    #[must_use]
    pub fn syntax_errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.rule.area() == "00").count()
    }

    /// What is wrong with the text, as findings in `file`.
    pub(super) fn findings(&self, file: FileId) -> impl Iterator<Item = Diagnostic> {
        self.findings.iter().cloned().map(move |mut finding| {
            let edits = finding.fixes.iter_mut().flat_map(|fix| &mut fix.edits).map(|edit| &mut edit.at);
            finding.labels.iter_mut().map(|label| &mut label.at).chain(edits).for_each(|at| at.file = file);
            finding
        })
    }
}

/// Follows the text and fills the settings.
struct Reader {
    settings: Settings,
    /// The `[[overrides]]` that is being read.
    place: Option<usize>,
}

impl Reader {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name =
                if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
            match SETTINGS.iter().find(|(known, _)| *known == name) {
                Some((name, kind)) => self.setting(name, *kind, value),
                None => self.unknown(prefix, key),
            }
        }
    }

    fn unknown(&mut self, prefix: &str, key: &Spanned<std::borrow::Cow<'_, str>>) {
        let known = SETTINGS.iter().filter_map(|(name, _)| {
            let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
            (table == prefix).then_some(key)
        });
        let known: Vec<&str> = known.collect();
        self.settings.findings.push(unknown_setting::key(loc(&key.span()), prefix, key.get_ref(), &known));
    }

    fn setting(&mut self, name: &'static str, kind: Kind, value: &Spanned<DeValue<'_>>) {
        let understood = match (kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) => self.text(name, text),
            (Kind::Texts, DeValue::Array(values)) => self.texts(name, values.iter()),
            (Kind::Word(words), DeValue::String(text)) if words.contains(&text.as_ref()) => self.word(name, text),
            (Kind::Rules, DeValue::Table(table)) => self.rules(table),
            (Kind::Table, DeValue::Table(table)) => self.nested(name, table),
            (Kind::Tables, DeValue::Array(tables)) => self.overrides(name, tables.iter()),
            _ => false,
        };
        if !understood {
            self.settings.findings.push(unknown_setting::value(loc(&value.span()), name, &wanted(kind)));
        }
    }

    fn text(&mut self, name: &str, text: &str) -> bool {
        match name {
            "check.baseline" => self.settings.baseline = Some(text.to_owned()),
            _ => self.settings.out = Some(text.to_owned()),
        }
        !text.is_empty()
    }

    fn texts<'v>(&mut self, name: &str, values: impl Iterator<Item = &'v Spanned<DeValue<'v>>>) -> bool {
        let Some(texts) = values.map(|value| value.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        match (name, self.place.and_then(|place| self.settings.overrides.get_mut(place))) {
            ("overrides.paths", Some(current)) => current.paths = texts,
            _ => self.settings.targets = texts,
        }
        true
    }

    fn word(&mut self, name: &str, word: &str) -> bool {
        match name {
            "profile" => self.settings.strict = word == "strict",
            _ => self.settings.fail_level = severity(word),
        }
        true
    }

    fn nested(&mut self, name: &str, table: &DeTable<'_>) -> bool {
        self.table(name, table);
        true
    }

    fn overrides<'v>(&mut self, name: &str, tables: impl Iterator<Item = &'v Spanned<DeValue<'v>>>) -> bool {
        for table in tables {
            let Some(table) = table.get_ref().as_table() else { return false };
            self.place = Some(self.settings.overrides.len());
            self.settings.overrides.push(Override::default());
            self.table(name, table);
        }
        self.place = None;
        true
    }

    fn rules(&mut self, table: &DeTable<'_>) -> bool {
        for (key, value) in table {
            let at = loc(&key.span());
            let Some(selector) = Selector::find(key.get_ref()) else {
                self.settings.findings.push(unknown_rule::in_settings(at, key.get_ref()));
                continue;
            };
            match value.get_ref().as_str().filter(|word| LEVELS.contains(word)) {
                Some(word) => self.choose(selector, severity(word), at, loc(&value.span())),
                None => {
                    let name = format!("rules.{}", key.get_ref());
                    let found = unknown_setting::value(loc(&value.span()), &name, &wanted(Kind::Word(LEVELS)));
                    self.settings.findings.push(found);
                }
            }
        }
        true
    }

    fn choose(&mut self, selector: Selector, level: Option<Severity>, key: Loc, value: Loc) {
        if level != Some(Severity::Error) && selector.is_fixed() {
            self.settings.findings.push(unknown_setting::fixed(key, value, &selector.to_string()));
            return;
        }
        let choice = Choice { selector, level };
        match self.place.and_then(|place| self.settings.overrides.get_mut(place)) {
            Some(current) => current.rules.add(choice),
            None => self.settings.rules.add(choice),
        }
    }
}

/// What to write, behind "write".
fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Text => "a text in quotes".into(),
        Kind::Texts => "a list of texts: `[\"...\"]`".into(),
        Kind::Word(words) => crate::value::list(&words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>()),
        Kind::Rules => "a table of rules and levels: `equal-priorities = \"error\"`".into(),
        Kind::Table => "a table".into(),
        Kind::Tables => "one `[[overrides]]` for each group of files, with `paths` and `rules`".into(),
    }
}

/// None is `off`.
fn severity(word: &str) -> Option<Severity> {
    [Severity::Error, Severity::Warning, Severity::Note].into_iter().find(|severity| severity.word() == word)
}

/// A place in `topoc.toml`, before that file has an id.
fn loc(range: &Range<usize>) -> Loc {
    Loc { file: FileId::default(), span: Span::new(range.start, range.end) }
}
