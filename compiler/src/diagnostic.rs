//! What topoc has to say about a topology: plain data, no renderer. The terminal, JSON and editors translate it.

use crate::rules::Rule;
use std::borrow::Cow;
use topoc_dsl::{FileId, Span};

/// Words that are mostly the same for every finding of a rule: of ten thousand, none has a copy of its own.
pub type Text = Cow<'static, str>;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Loc {
    /// The file.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
}

/// How bad a finding is. Ordered: a note is less than a warning is less than an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Likely to hurt.
    Warning,
    /// Will not work, or not as written.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The rule that found it: its code, name and page.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// One sentence about this thing by name, without a full stop.
    pub message: String,
    /// Where, and what the place is. First the fault itself, then what it contradicts.
    pub labels: Vec<Label>,
    /// What to do first.
    pub help: Option<Text>,
    /// Changes to the text that mend it.
    pub fixes: Vec<Fix>,
}

/// A place and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub at: Loc,
    /// In a few words.
    pub message: Text,
}

/// A change to the text that mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order.
    pub title: Text,
    /// Whether it may be applied without a person looking.
    pub safety: Safety,
    /// Disjoint replacements.
    pub edits: Vec<Edit>,
}

/// Whether a fix may be applied without a person looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// The meaning is what was plainly intended.
    Safe,
    /// May change who gets what, or who can connect.
    Unsafe,
    /// For display only.
    Shown,
}

impl Safety {
    /// `safe`, `unsafe` or `shown`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::Unsafe => "unsafe",
            Safety::Shown => "shown",
        }
    }
}

/// Replace the text at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub at: Loc,
    /// What is put there.
    pub text: Text,
}

impl Diagnostic {
    /// A finding of `rule` at its default level.
    #[must_use]
    pub fn new(rule: &'static Rule, at: Loc, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.level.severity(),
            message: exact(message.into()),
            labels: vec![Label { at, message: Text::default() }],
            help: None,
            fixes: Vec::new(),
        }
    }

    /// The place of the fault itself.
    #[must_use]
    pub fn primary(&self) -> Loc {
        self.labels.first().map(|label| label.at).unwrap_or_default()
    }

    /// Says what the primary place is.
    #[must_use]
    pub fn here(mut self, message: impl Into<Text>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.message = message.into();
        }
        self
    }

    /// Shows a second place.
    #[must_use]
    pub fn also(mut self, at: Loc, message: impl Into<Text>) -> Self {
        self.labels.push(Label { at, message: message.into() });
        self
    }

    /// Shows a second place where there is one.
    #[must_use]
    pub fn also_at(self, at: Option<Loc>, message: impl Into<Text>) -> Self {
        match at {
            Some(at) => self.also(at, message),
            None => self,
        }
    }

    /// Says what to do first.
    #[must_use]
    pub fn help(mut self, help: impl Into<Text>) -> Self {
        self.help = Some(exact_words(help.into()));
        self
    }

    /// Another level than the rule's own.
    #[must_use]
    pub fn level(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Offers a change of one place.
    #[must_use]
    pub fn fix(self, title: impl Into<Text>, safety: Safety, at: Loc, text: impl Into<Text>) -> Self {
        self.fix_all(title, safety, vec![Edit { at, text: text.into() }])
    }

    /// Offers a change of several places.
    #[must_use]
    pub fn fix_all(mut self, title: impl Into<Text>, safety: Safety, mut edits: Vec<Edit>) -> Self {
        edits.iter_mut().for_each(|edit| edit.text = exact_words(std::mem::take(&mut edit.text)));
        // One fix is the rule, and a list that grows by itself begins with room for four.
        self.fixes.reserve_exact(1);
        self.fixes.push(Fix { title: title.into(), safety, edits });
        self
    }
}

/// A text without room to grow, of which `format!` leaves as much again.
fn exact(text: String) -> String {
    if text.capacity() > text.len() { text.as_str().to_owned() } else { text }
}

fn exact_words(text: Text) -> Text {
    match text {
        Text::Owned(text) => Text::Owned(exact(text)),
        Text::Borrowed(_) => text,
    }
}

/// Findings as they come up.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order they were found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Adds a finding.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// The order in which findings are shown: by file, place and code, each only once.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    let key = |finding: &Diagnostic| (finding.primary(), finding.rule.code);
    let places = |finding: &Diagnostic| finding.labels.iter().map(|label| label.at).collect::<Vec<_>>();
    // In place: a copy of tens of thousands of findings would be most of what a check needs memory for.
    diagnostics.sort_unstable_by(|a, b| {
        let words = || (&a.message, places(a)).cmp(&(&b.message, places(b)));
        key(a).cmp(&key(b)).then_with(words)
    });
    diagnostics.dedup_by(|a, b| a.rule.code == b.rule.code && a.message == b.message && a.labels == b.labels);
}
