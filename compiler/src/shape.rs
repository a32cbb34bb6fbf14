//! Whether each statement is one that exists where it stands, and each value fits its field. Looks at one file at a time.

use crate::diagnostic::{Diagnostic, Loc};
use crate::language::{self, Block, Field, Form, Kind, Label, Place, Type};
use crate::model::StoreKind;
use crate::rules::{duplicate_field, missing_field, syntax_error, unknown_block, unknown_field, wrong_type};
use crate::sources::{Source, Sources};
use crate::value::{self, Lets, Mismatch, Written};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use topoc_dsl::syntax::{Argument, ArgumentKind, Body, Part, Statement, Tail, ValueKind};
use topoc_dsl::{FileId, Span};

/// Checks every file. What needs no second look is told apart: for each file, which of its parts.
pub(crate) fn check(sources: &Sources, lets: &Lets<'_>) -> (Vec<Diagnostic>, Vec<Vec<bool>>) {
    let mut all = Vec::new();
    let mut passed = Vec::new();
    for (index, source) in sources.files.iter().enumerate() {
        let shape = Shape { file: FileId(u32::try_from(index).unwrap_or(u32::MAX)), source, lets };
        all.extend(source.tree.errors.iter().map(|error| syntax_error::read(shape.file, error)));
        let parts: Vec<Part<'_>> = source.tree.parts().collect();
        let found: Vec<Vec<Diagnostic>> = parts.par_iter().with_min_len(64).map(|part| shape.part(part)).collect();
        passed
            .push(parts.iter().zip(&found).map(|(part, found)| found.is_empty() && shape.stands_alone(part)).collect());
        all.extend(found.into_iter().flatten());
    }
    (all, passed)
}

/// The block that statements stand in.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    kind: Kind,
    /// The kind of store, inside one.
    store: &'a str,
}

/// The first statement of each head in a block: fields by themselves, blocks by themselves.
#[derive(Default)]
struct Firsts<'a> {
    few: Vec<(&'a str, bool, &'a Statement)>,
    many: FxHashMap<(&'a str, bool), &'a Statement>,
}

impl<'a> Firsts<'a> {
    /// The one that was there first, if any. Blocks are nearly always small, and looking through a few is quicker.
    fn add(&mut self, head: &'a str, is_field: bool, statement: &'a Statement) -> Option<&'a Statement> {
        const FEW: usize = 16;
        let same = |(other, field, _): &&(&str, bool, &Statement)| *other == head && *field == is_field;
        if let Some((_, _, first)) = self.few.iter().find(same) {
            return Some(first);
        }
        if self.few.len() < FEW {
            self.few.push((head, is_field, statement));
            return None;
        }
        let first = *self.many.entry((head, is_field)).or_insert(statement);
        (!std::ptr::eq(first, statement)).then_some(first)
    }
}

struct Shape<'a> {
    file: FileId,
    source: &'a Source,
    lets: &'a Lets<'a>,
}

impl<'a> Shape<'a> {
    fn part(&self, part: &Part<'a>) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        for statement in part.statements.iter().filter(|_| !part.passed) {
            self.statement(statement, Scope { kind: Kind::File, store: "" }, &mut out);
        }
        out
    }

    /// What a value means may hang on a `let` somewhere else. Nothing else is outside the part's own text.
    fn stands_alone(&self, part: &Part<'_>) -> bool {
        part.passed || !self.text(part.span).contains('$')
    }

    fn at(&self, span: Span) -> Loc {
        Loc { file: self.file, span }
    }

    fn text(&self, span: Span) -> &'a str {
        self.source.slice(span)
    }

    fn statement(&self, statement: &'a Statement, scope: Scope<'a>, out: &mut Vec<Diagnostic>) {
        let head = statement.head.text(&self.source.text);
        if statement.broken {
            if let (Some(block), Some(body)) = (language::block_of(head), statement.body()) {
                self.body(body, Scope { kind: block.kind, store: "" }, out);
            }
            return;
        }
        let is_field = statement.arguments.is_empty() && matches!(statement.tail, Tail::Value(_));
        if is_field {
            return self.field(statement, head, scope, out);
        }
        if let Some(form) = language::form_of(head).filter(|_| !statement.head.quoted) {
            return self.form(statement, form, scope, out);
        }
        match language::block_of(head).filter(|_| !statement.head.quoted) {
            Some(block) => self.block(statement, block, scope, out),
            None => {
                out.push(unknown_block::found(self.at(statement.head.span), head, scope.kind, self.source, statement));
            }
        }
    }

    fn block(&self, statement: &'a Statement, block: &'static Block, scope: Scope<'a>, out: &mut Vec<Diagnostic>) {
        let at = self.at(statement.header());
        if !block.within.contains(&scope.kind) {
            out.push(unknown_block::misplaced(at, block, scope.kind));
        }
        if let Tail::Value(_) = statement.tail {
            out.push(syntax_error::block_with_value(self.at(statement.span), block));
            return;
        }
        if let Err(fault) = self.label(statement, block) {
            out.push(fault);
        }
        if block.kind == Kind::Override && !self.source.overlay {
            out.push(unknown_block::override_outside_overlay(at));
        }
        let Some(body) = statement.body() else {
            if block.kind != Kind::Bridge {
                out.push(missing_field::body(at, block));
            }
            return;
        };
        // Whose fields they are is unknown where the kind is.
        let Some(inner) = self.inner_scope(statement, block) else { return };
        self.body(body, inner, out);
        let partial = matches!(block.kind, Kind::Defaults | Kind::Override) || self.source.overlay || body.damaged;
        if !partial {
            // Fields that `defaults` or an overlay may give are looked for once everything is put together.
            self.empty_events(body, inner.kind, at, out);
        }
    }

    /// What the statements of a block's body are checked as.
    fn inner_scope(&self, statement: &'a Statement, block: &'static Block) -> Option<Scope<'a>> {
        let first = statement.arguments.first().map_or("", |argument| self.text(argument.span));
        match block.kind {
            Kind::Defaults | Kind::Override => {
                language::block_of(first).map(|block| Scope { kind: block.kind, store: "" })
            }
            Kind::Store => language::STORES.contains(&first).then_some(Scope { kind: Kind::Store, store: first }),
            kind => Some(Scope { kind, store: "" }),
        }
    }

    fn empty_events(&self, body: &Body, kind: Kind, at: Loc, out: &mut Vec<Diagnostic>) {
        let expects = body.statements.iter().any(|statement| statement.head.text(&self.source.text) == "expect");
        if kind == Kind::Scenario && !expects {
            out.push(missing_field::expectation(at, self.text(at.span)));
        }
    }

    fn body(&self, body: &'a Body, scope: Scope<'a>, out: &mut Vec<Diagnostic>) {
        let mut first = Firsts::default();
        for statement in &body.statements {
            self.statement(statement, scope, out);
            self.repeated(&mut first, statement, scope, out);
        }
    }

    /// The same field twice, or a block that can be there only once.
    fn repeated(&self, firsts: &mut Firsts<'a>, statement: &'a Statement, scope: Scope<'_>, out: &mut Vec<Diagnostic>) {
        let head = self.text(statement.head.span);
        let is_field = statement.arguments.is_empty() && matches!(statement.tail, Tail::Value(_));
        let single = matches!(
            language::block_of(head).map(|block| block.kind),
            Some(Kind::Store | Kind::Limits | Kind::Users | Kind::Options | Kind::Failover)
        );
        if !is_field && !single || scope.kind == Kind::File || statement.broken {
            return;
        }
        if let Some(first) = firsts.add(head, is_field, statement) {
            out.push(duplicate_field::found(
                self.at(statement.span),
                self.at(first.span),
                head,
                statement,
                self.source,
            ));
        }
    }

    fn field(&self, statement: &'a Statement, name: &'a str, scope: Scope<'a>, out: &mut Vec<Diagnostic>) {
        let at = self.at(statement.head.span);
        let Some(value) = statement.value() else { return };
        let written = Written { file: self.file, text: &self.source.text, value };
        if scope.kind == Kind::Options {
            if let Err(fault) = value::mean(written, Type::Loose, self.lets) {
                out.push(self.mismatch(fault, written, name));
            }
            return;
        }
        let known = language::field(scope.kind, name).filter(|field| belongs(field, scope));
        let Some(field) = known.filter(|_| !statement.head.quoted) else {
            out.push(unknown_field::found(at, name, scope.kind, scope.store, statement, self.source));
            return;
        };
        if let Err(fault) = value::mean(written, field.ty, self.lets) {
            out.push(self.mismatch(fault, written, name));
        }
    }

    fn mismatch(&self, fault: Mismatch, written: Written<'_>, name: &str) -> Diagnostic {
        wrong_type::found(fault.at.unwrap_or(written.at()), name, fault)
    }

    fn form(&self, statement: &'a Statement, form: &'static Form, scope: Scope<'a>, out: &mut Vec<Diagnostic>) {
        let at = self.at(statement.span);
        if !form.within.contains(&scope.kind) {
            out.push(unknown_block::form_misplaced(self.at(statement.head.span), form, scope.kind));
            return;
        }
        if !self.is_well_formed(statement, form.keyword) {
            out.push(match statement.arguments.as_slice() {
                [path] if form.keyword == "import" && path.kind == ArgumentKind::Path => {
                    syntax_error::unquoted_import(self.at(path.span), self.text(path.span))
                }
                _ => syntax_error::form(at, form),
            });
            return;
        }
        if let Some(value) = statement.value() {
            let ty = match form.keyword {
                "property" if !matches!(value.kind, ValueKind::Call { .. }) => Type::Loose,
                "property" => Type::Secret,
                "address" => Type::Text,
                // What a `let` means is known where it is used.
                _ => return,
            };
            let written = Written { file: self.file, text: &self.source.text, value };
            if let Err(fault) = value::mean(written, ty, self.lets) {
                out.push(self.mismatch(fault, written, form.keyword));
            }
        }
    }

    fn is_well_formed(&self, statement: &Statement, keyword: &str) -> bool {
        use ArgumentKind::{Both, Comma, Path, Raw, Text, To};
        let kinds: Vec<ArgumentKind> = statement.arguments.iter().map(|argument| argument.kind).collect();
        let has_value = matches!(statement.tail, Tail::Value(_));
        let nothing = matches!(statement.tail, Tail::Nothing);
        let plain = |argument: &Argument| !self.text(argument.span).contains('.');
        match keyword {
            "import" => nothing && kinds == [Text],
            "let" => has_value && kinds == [Path] && statement.arguments.iter().all(plain),
            "property" => has_value && kinds == [Text],
            "address" => {
                let from = statement.arguments.first().is_some_and(|first| self.text(first.span) == "from");
                has_value && kinds == [Path, Path] && from
            }
            "raw-xml" => nothing && matches!(kinds.as_slice(), [Raw | Text]),
            "fail" | "restore" | "hang" | "out-of-service" => nothing && is_list(&kinds, Comma),
            "cut" | "heal" => nothing && kinds == [Path, Both, Path],
            "settle" => nothing && self.words(statement) == ["before", "fail-back"],
            "expect" => nothing && kinds.len() > 2 && is_list(&kinds, To),
            _ => false,
        }
    }

    fn words(&self, statement: &Statement) -> Vec<&'a str> {
        statement.arguments.iter().map(|argument| self.text(argument.span)).collect()
    }

    /// Whether what stands between the keyword and the brace is what the block wants there.
    fn label(&self, statement: &Statement, block: &'static Block) -> Result<(), Diagnostic> {
        use ArgumentKind::{Both, Path, Text, To};
        let kinds: Vec<ArgumentKind> = statement.arguments.iter().map(|argument| argument.kind).collect();
        let words = self.words(statement);
        let at = self.at(statement.header());
        let plain = |index: usize| words.get(index).is_some_and(|word| !word.contains('.'));
        let one_of = |index: usize, list: &'static [&'static str]| match words.get(index) {
            Some(word) if list.contains(word) => Ok(()),
            Some(word) => Err(wrong_type::label(self.at(statement.arguments[index].span), block, word, list)),
            None => Err(missing_field::label(at, block)),
        };
        let fits = match block.label {
            Label::None => kinds.is_empty(),
            Label::Name => kinds == [Path] && plain(0),
            Label::NameOrText => kinds == [Text] || kinds == [Path],
            Label::Title => kinds == [Text] || kinds == [Path],
            Label::Word(list) => {
                one_of(0, list)?;
                kinds == [Path]
            }
            Label::NameAndWord(list) => {
                one_of(1, list)?;
                kinds == [Path, Path] && plain(0)
            }
            Label::Ends => {
                kinds == [Path, To, Path] || kinds == [Path, Both, Path] || self.is_discovery(&kinds, &words)
            }
            Label::Block => {
                self.known_block(statement, block)?;
                kinds == [Path]
            }
            Label::BlockAndName => {
                self.known_block(statement, block)?;
                kinds == [Path, Path] || kinds == [Path, Text] || words == ["limits"] || words == ["users"]
            }
        };
        if fits {
            return Ok(());
        }
        let missing = statement.arguments.is_empty() && block.label != Label::None;
        Err(if missing { missing_field::label(at, block) } else { syntax_error::label(at, block) })
    }

    fn is_discovery(&self, kinds: &[ArgumentKind], words: &[&str]) -> bool {
        kinds == [ArgumentKind::Path, ArgumentKind::To, ArgumentKind::Path, ArgumentKind::Text]
            && words.get(2) == Some(&"discovery")
    }

    fn known_block(&self, statement: &Statement, block: &'static Block) -> Result<(), Diagnostic> {
        let Some(first) = statement.arguments.first() else {
            return Err(missing_field::label(self.at(statement.header()), block));
        };
        let word = self.text(first.span);
        let usable = |block: &Block| !matches!(block.kind, Kind::Defaults | Kind::Override | Kind::File);
        match language::block_of(word).filter(|block| usable(block)) {
            Some(_) => Ok(()),
            None => Err(unknown_block::unknown_kind(self.at(first.span), word)),
        }
    }
}

/// `a`, or `a SEPARATOR b SEPARATOR c`.
fn is_list(kinds: &[ArgumentKind], separator: ArgumentKind) -> bool {
    let at = |index: usize| if index.is_multiple_of(2) { ArgumentKind::Path } else { separator };
    kinds.len() % 2 == 1 && kinds.iter().enumerate().all(|(index, kind)| *kind == at(index))
}

/// A store has the fields of its own kind only.
fn belongs(field: &Field, scope: Scope<'_>) -> bool {
    if scope.kind != Kind::Store {
        return true;
    }
    match field.place {
        Place::Attribute(_) => {
            StoreKind::of(scope.store).is_none_or(|kind| kind.place_of(field.real, crate::release::newest()).is_some())
        }
        _ => match field.name.as_str() {
            "directory" => matches!(scope.store, "kahadb" | "leveldb" | ""),
            "url" | "driver" | "user" | "password" => matches!(scope.store, "jdbc" | ""),
            _ => scope.store != "memory",
        },
    }
}
