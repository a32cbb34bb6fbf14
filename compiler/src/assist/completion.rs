//! What may be typed at a place: blocks, fields that are not there yet, words, names in scope.
//!
//! The tree says which block the place is in. What stands before the place in its own statement is read from the text,
//! because a statement that is being typed is most often broken.

use super::cursor::Cursor;
use super::{hover, names};
use crate::Analysis;
use crate::language::{self, BLOCKS, FORMS, Field, Kind, Label, Type};
use crate::release;
use topoc_dsl::{FileId, Span};

/// One thing that may be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is shown, and matched with what was typed.
    pub label: String,
    /// What is put in.
    pub insert: String,
    /// What it is.
    pub kind: CandidateKind,
    /// In a few words.
    pub detail: String,
    /// Markdown.
    pub doc: String,
    /// The lower, the further up.
    pub rank: u8,
    /// What is replaced: the part of the word that is there already.
    pub span: Span,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// The keyword of a block or statement.
    Keyword,
    /// A field.
    Field,
    /// One of the words that a field or header takes.
    Word,
    /// The name of something.
    Name,
    /// A `$variable`.
    Variable,
}

/// What may be typed at `offset`, the most likely first.
#[must_use]
pub fn complete(analysis: &Analysis, file: FileId, offset: u32) -> Vec<Candidate> {
    let Some(source) = analysis.sources.file(file) else { return Vec::new() };
    let cursor = Cursor::at(source, offset);
    let Some(typed) = Typed::before(&cursor) else { return Vec::new() };
    let mut found = Found { analysis, cursor, span: typed.word, all: Vec::new() };
    match typed.tokens.as_slice() {
        [] => found.statements(),
        [head, "=", values @ ..] => found.values(head, values),
        [head, words @ ..] if !words.contains(&"=") => found.header(head, words),
        _ => {}
    }
    let mut all = found.all;
    all.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    all.dedup_by(|a, b| a.label == b.label);
    all
}

/// What stands before a place in its statement.
struct Typed<'a> {
    /// The words and signs before the one being typed.
    tokens: Vec<&'a str>,
    /// The word being typed; empty where none is.
    word: Span,
}

impl<'a> Typed<'a> {
    /// Nothing inside comments and texts.
    fn before(cursor: &Cursor<'a>) -> Option<Self> {
        let text: &'a str = &cursor.source.text;
        let end = cursor.offset as usize;
        let rest = text.get(from(cursor)..end)?;
        let mut tokens: Vec<&'a str> = Vec::new();
        let (mut depth, mut at) = (0usize, 0usize);
        while let Some(c) = rest[at..].chars().next() {
            let here = &rest[at..];
            let length = match c {
                '/' if here.starts_with("//") => here.find('\n')?,
                '/' if here.starts_with("/*") => here.find("*/")? + 2,
                '"' if here.starts_with("\"\"\"") => 6 + here[3..].find("\"\"\"")?,
                '"' => text_length(here)?,
                '-' | '<' if here.starts_with("->") || here.starts_with("<->") => here.find('>').unwrap_or(0) + 1,
                c if is_word(c) => here.find(|c: char| !is_word(c)).unwrap_or(here.len()),
                c => c.len_utf8(),
            };
            match c {
                '\n' | ';' if depth == 0 => tokens.clear(),
                '{' | '}' => {
                    tokens.clear();
                    depth = 0;
                }
                '[' | '(' => depth += 1,
                ']' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if !c.is_whitespace() && !matches!(c, ';' | '{' | '}' | '/') {
                tokens.push(&here[..length]);
            }
            at += length;
        }
        let typing = rest.ends_with(is_word) && !tokens.is_empty();
        let word = if typing { tokens.pop()? } else { "" };
        Some(Self { tokens, word: Span::new(end - word.len(), end) })
    }
}

/// The end of what stands whole before the place: the sibling before it, or the brace of the block.
fn from(cursor: &Cursor<'_>) -> usize {
    let brace = cursor.blocks.last().and_then(|block| block.body()).map_or(0, |body| body.span.start + 1);
    let bom = if cursor.source.text.starts_with('\u{feff}') { 3 } else { 0 };
    let line_end = |end: u32| cursor.source.text[end as usize..].starts_with(['\n', '\r', ';']);
    let whole = cursor.siblings().iter().take_while(|statement| statement.span.end < cursor.offset);
    let before = whole.filter(|statement| !statement.broken && line_end(statement.span.end)).last();
    before.map_or(brace.max(bom), |statement| statement.span.end) as usize
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '$')
}

/// The length of a text with its quotes; nothing where it has no end on its line.
fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at + 1),
            '\n' => return None,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}

struct Found<'a> {
    analysis: &'a Analysis,
    cursor: Cursor<'a>,
    span: Span,
    all: Vec<Candidate>,
}

impl Found<'_> {
    fn add(&mut self, kind: CandidateKind, rank: u8, label: &str, insert: String, detail: &str, doc: String) {
        let candidate =
            Candidate { label: label.to_owned(), insert, kind, detail: detail.to_owned(), doc, rank, span: self.span };
        self.all.push(candidate);
    }

    /// Fields that are not there yet, blocks and other statements.
    fn statements(&mut self) {
        let kind = self.cursor.kind();
        let text = &self.cursor.source.text;
        // The word being typed is no field that is there already.
        let others = self.cursor.siblings().iter().filter(|other| !other.head.span.touches(self.cursor.offset));
        let taken: Vec<&str> =
            others.filter(|other| other.value().is_some()).map(|other| other.head.text(text)).collect();
        for field in language::fields(kind).values().filter(|field| !taken.contains(&field.name.as_str())) {
            let insert = format!("{} = ", field.name);
            let detail = field.ty.words();
            self.add(CandidateKind::Field, rank(kind, field), &field.name, insert, &detail, hover::field(field));
        }
        for block in BLOCKS.iter().filter(|block| block.within.contains(&kind)) {
            let insert = format!("{} ", block.keyword);
            self.add(CandidateKind::Keyword, 2, block.keyword, insert, block.doc, hover::block(block));
        }
        for form in FORMS.iter().filter(|form| form.within.contains(&kind)) {
            let insert = format!("{} ", form.keyword);
            self.add(CandidateKind::Keyword, 3, form.keyword, insert, form.doc, hover::form(form));
        }
    }

    fn words(&mut self, words: &[&str]) {
        for word in words {
            self.add(CandidateKind::Word, 0, word, (*word).to_owned(), "", String::new());
        }
    }

    /// What a field takes; `values` are those of a list that are there already.
    fn values(&mut self, head: &str, values: &[&str]) {
        let in_list = values.contains(&"[") && !values.contains(&"]");
        if matches!(values.last(), Some(last) if !in_list || !matches!(*last, "[" | ",")) {
            return;
        }
        if let Some(field) = language::field(self.cursor.kind(), head) {
            match field.ty {
                Type::Word(words) => self.words(words),
                Type::Bool => self.words(&["true", "false"]),
                Type::Ref(kinds) | Type::Refs(kinds) => self.names(kinds, values),
                Type::Secret => self.words(&["secret(\"env:\")", "secret(\"file:\")"]),
                Type::Release => self.releases(),
                _ => {}
            }
        }
        self.variables();
    }

    fn releases(&mut self) {
        let lines: Vec<String> = release::LINES.iter().rev().map(|line| release_line(line.newest_release())).collect();
        for line in lines {
            let text = format!("\"{line}\"");
            self.add(CandidateKind::Word, 0, &text, text.clone(), "", String::new());
        }
    }

    fn variables(&mut self) {
        for source in &self.analysis.sources.files {
            for statement in &source.tree.statements {
                let name = statement.arguments.first().map(|argument| argument.span.of(&source.text));
                if let (Some(name), "let", Some(value)) = (name, statement.head.text(&source.text), statement.value()) {
                    let label = format!("${name}");
                    let written = value.span.of(&source.text);
                    self.add(CandidateKind::Variable, 4, &label, label.clone(), written, String::new());
                }
            }
        }
    }

    /// Names of things, those of the own site first; qualified where the bare name would be ambiguous.
    fn names(&mut self, kinds: &[Kind], taken: &[&str]) {
        let analysis = self.analysis;
        let site = self.cursor.site().map(str::to_owned);
        let all = names::known(&analysis.model);
        let mut count = std::collections::HashMap::new();
        for known in &all {
            *count.entry((known.name, known.kind)).or_insert(0usize) += 1;
        }
        for known in all.iter().filter(|known| kinds.is_empty() || kinds.contains(&known.kind)) {
            let own = known.site.is_none() || known.site == site.as_deref();
            let bare = own || count.get(&(known.name, known.kind)) == Some(&1);
            let label = match known.site.filter(|_| !bare) {
                Some(site) => format!("{site}.{}", known.name),
                None => known.name.to_owned(),
            };
            if taken.contains(&label.as_str()) {
                continue;
            }
            let what = language::spec(known.kind).map_or("", |spec| spec.keyword);
            let detail = known.site.map_or_else(|| what.to_owned(), |site| format!("{what} of {site}"));
            self.add(CandidateKind::Name, u8::from(!own), &label, label.clone(), &detail, String::new());
        }
    }

    /// What stands between a keyword and its brace.
    fn header(&mut self, head: &str, words: &[&str]) {
        let arrow = matches!(words.last(), Some(&("->" | "<->")));
        let first = words.is_empty() || matches!(words.last(), Some(&","));
        let block = language::block_of(head).filter(|block| block.within.contains(&self.cursor.kind()));
        match (block.map(|block| block.label), head, words) {
            (Some(Label::Word(choice)), _, []) | (Some(Label::NameAndWord(choice)), _, [_]) => self.words(choice),
            (Some(Label::Block | Label::BlockAndName), _, []) => {
                let named = BLOCKS.iter().filter(|block| !matches!(block.kind, Kind::Defaults | Kind::Override));
                let named: Vec<&str> = named.map(|block| block.keyword).collect();
                self.words(&named);
            }
            (Some(Label::BlockAndName), _, [keyword]) => {
                let kinds: Vec<Kind> = language::block_of(keyword).iter().map(|block| block.kind).collect();
                self.names(&kinds, &[]);
            }
            (Some(Label::Ends), ..) if first || arrow => self.names(&[Kind::Broker, Kind::Pair], words),
            (Some(Label::Ends), _, [_]) => self.words(&["->", "<->"]),
            (None, "address", []) => self.words(&["from"]),
            (None, "address", ["from"]) => self.names(&[Kind::Site], &[]),
            (None, "settle", []) => self.words(&["before fail-back"]),
            (None, "out-of-service", _) if first => self.names(&[Kind::Finesse], words),
            (None, "expect", []) => self.names(&[Kind::Client], &[]),
            (None, "expect", _) if arrow => self.names(&[Kind::Broker, Kind::Pair, Kind::Connector], words),
            (None, "fail" | "restore" | "hang" | "cut" | "heal", _) if first || arrow => self.names(&[], words),
            _ => {}
        }
    }
}

/// Required fields first, then topoc's own, then what is known of ActiveMQ's, then the rest of ActiveMQ's.
fn rank(kind: Kind, field: &Field) -> u8 {
    let own = language::OWN.iter().any(|own| own.kind == kind && own.name == field.name);
    match (field.required, own, field.doc.is_empty()) {
        (true, ..) => 0,
        (false, true, _) => 1,
        (false, false, false) => 4,
        (false, false, true) => 5,
    }
}

fn release_line(release: release::Release) -> String {
    let text = release.to_string();
    text.rsplit_once('.').map_or(text.clone(), |(line, _)| line.to_owned())
}
