//! What a written value means for a field of some type, or why it does not fit.

use crate::diagnostic::{Edit, Fix, Loc, Safety};
use crate::language::Type;
use crate::release::{LINES, Target};
use crate::suggest;
use std::borrow::Cow;
use std::collections::HashMap;
use topoc_dsl::syntax::{Value, ValueKind, decode, quote};
use topoc_dsl::{FileId, Span};

/// A value and the file it is written in.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The file.
    pub file: FileId,
    /// Its text.
    pub text: &'a str,
    /// The value in it.
    pub value: &'a Value,
}

/// Values with a name, from `let`.
pub type Lets<'a> = HashMap<&'a str, Written<'a>>;

/// What a value means.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning<'a> {
    /// A text, a word, or a number as ActiveMQ would read it.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; durations in milliseconds, sizes in bytes.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// Texts in order, each with its place.
    Texts(Vec<(Loc, String)>),
    /// Names in order, each with its place.
    Names(Vec<(Loc, &'a str)>),
    /// A secret, by reference or (refused later) as it is.
    Secret(Secret),
}

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// From an environment variable of this name.
    Env(String),
    /// From a file.
    File(String),
    /// Written into the topology. Its text is not kept.
    Literal,
}

/// As a variable that whoever reads the artifact fills in.
impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Secret::Env(name) => write!(f, "${{{name}}}"),
            Secret::File(path) => write!(f, "${{file:{path}}}"),
            // `literal-password` is an error, so no checked model has one; its text was never kept.
            Secret::Literal => Ok(()),
        }
    }
}

/// Why a value does not fit.
#[derive(Debug)]
pub struct Mismatch {
    /// What is wrong, as the end of a sentence that begins with the field's name.
    pub message: String,
    /// The place, where it is not the whole value.
    pub at: Option<Loc>,
    /// What to write instead.
    pub help: Option<String>,
    /// A change that does it.
    pub fix: Option<Fix>,
}

/// Milliseconds per unit.
pub const DURATIONS: &[(&str, i64)] = &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
/// Bytes per unit.
pub const SIZES: &[(&str, i64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// Longer texts are not repeated in messages.
const MAX_SHOWN: usize = 40;

/// With more `let`s than this none is suggested: thousands of unknown names would be compared with each.
const MOST_COMPARED: usize = 1000;

/// How deep `let`s may refer to each other.
const MAX_LETS: usize = 16;

impl<'a> Written<'a> {
    /// Where it is.
    #[must_use]
    pub fn at(&self) -> Loc {
        Loc { file: self.file, span: self.value.span }
    }

    fn source(&self) -> &'a str {
        self.value.span.of(self.text)
    }

    fn with(&self, value: &'a Value) -> Self {
        Self { value, ..*self }
    }

    fn place(&self, span: Span) -> Loc {
        Loc { file: self.file, span }
    }

    /// The value that a `$name` stands for, or itself.
    fn resolved(self, lets: &Lets<'a>) -> Result<Self, Mismatch> {
        let mut written = self;
        for _ in 0..MAX_LETS {
            if written.value.kind != ValueKind::Variable {
                return Ok(written);
            }
            let name = written.source().trim_start_matches('$');
            let Some(next) = lets.get(name) else {
                let known = lets.keys().copied().filter(|_| lets.len() <= MOST_COMPARED);
                let near = suggest::suggest(name, known);
                let help = match near {
                    Some(near) => format!("did you mean `${near}`?"),
                    None => format!("define it at the top level: `let {name} = ...`"),
                };
                return Err(Mismatch {
                    help: Some(help),
                    ..mismatch(format!("refers to `${name}`, which no `let` defines"))
                });
            };
            written = *next;
        }
        Err(mismatch(format!("refers to `{}`, which refers to itself", self.source())))
    }
}

/// What `written` means where a field of type `ty` is expected.
///
/// # Errors
/// Why it does not fit.
pub fn mean<'a>(written: Written<'a>, ty: Type, lets: &Lets<'a>) -> Result<Meaning<'a>, Mismatch> {
    let written = written.resolved(lets)?;
    match ty {
        Type::Text | Type::Uri => text(written).map(Meaning::Text),
        Type::Word(words) => word(written, words),
        Type::Bool => boolean(written),
        Type::Integer(min, max) => integer(written, min, max),
        Type::Number => number(written),
        Type::Duration(unlimited) => duration(written, unlimited),
        Type::Size => size(written),
        Type::Port => port(written),
        Type::Socket => socket(written),
        Type::Texts => texts(written, lets),
        Type::Refs(_) => names(written, lets),
        Type::Ref(_) => name(written).map(|name| Meaning::Names(vec![(written.at(), name)])),
        Type::Secret => secret(written),
        Type::Release => release(written),
        Type::Loose => loose(written),
    }
}

fn text<'a>(written: Written<'a>) -> Result<Cow<'a, str>, Mismatch> {
    match written.value.kind {
        ValueKind::Text | ValueKind::Raw => decoded(written).and_then(writable),
        ValueKind::Path | ValueKind::Number => {
            let source = written.source();
            let fix = replace(&written, "put the text in quotes", quote(source));
            Err(Mismatch {
                help: Some(format!("write {}", quote(source))),
                fix,
                ..mismatch("takes a text in quotes".into())
            })
        }
        _ => Err(mismatch(format!("takes a text in quotes, not {}", written.noun()))),
    }
}

/// Refuses what no XML file can hold, escaped or not (XML 1.0, 2.2): another text would be written in its place.
fn writable(text: Cow<'_, str>) -> Result<Cow<'_, str>, Mismatch> {
    let control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}');
    match text.chars().find(|c| control(*c)) {
        None => Ok(text),
        Some(found) => Err(Mismatch {
            help: Some("remove it; it was most likely pasted by accident".into()),
            ..mismatch(format!("holds the character U+{:04X}, which no XML file can hold", u32::from(found)))
        }),
    }
}

fn decoded<'a>(written: Written<'a>) -> Result<Cow<'a, str>, Mismatch> {
    decode(written.source()).map_err(|range| {
        let start = written.value.span.start as usize;
        let span = Span::new(start + range.start, start + range.end);
        Mismatch {
            at: Some(written.place(span)),
            help: Some("use \\\", \\\\, \\n, \\t, \\r or \\u{...}; a text between \"\"\" needs no escapes".into()),
            ..mismatch(format!("has an escape that does not exist: `{}`", span.of(written.text)))
        }
    })
}

fn word<'a>(written: Written<'a>, words: &'static [&'static str]) -> Result<Meaning<'a>, Mismatch> {
    let given = match written.value.kind {
        ValueKind::Path => written.source(),
        ValueKind::Text => written.source().trim_matches('"'),
        _ => "",
    };
    if let Some(word) = words.iter().find(|word| **word == given) {
        return Ok(Meaning::Text(Cow::Borrowed(word)));
    }
    let near = suggest::suggest(given, words.iter().copied());
    let fix = near.and_then(|near| replace(&written, &format!("write `{near}`"), near.to_owned()));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    Err(Mismatch { help, fix, ..mismatch(format!("is one of {}, not {}", list(words), written.noun())) })
}

fn boolean<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    match (written.value.kind == ValueKind::Path, written.source()) {
        (true, "true") => Ok(Meaning::Bool(true)),
        (true, "false") => Ok(Meaning::Bool(false)),
        (_, source) => {
            let meant = match source.trim_matches('"').to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some("true"),
                "false" | "no" | "off" | "0" => Some("false"),
                _ => None,
            };
            let fix = meant.and_then(|meant| replace(&written, &format!("write `{meant}`"), meant.to_owned()));
            let help = match meant {
                Some(meant) => format!("write `{meant}`"),
                None => "write `true` or `false`, without quotes".to_owned(),
            };
            let message = format!("takes `true` or `false`, not {}", written.noun());
            Err(Mismatch { help: Some(help), fix, ..mismatch(message) })
        }
    }
}

fn integer<'a>(written: Written<'a>, min: i64, max: i64) -> Result<Meaning<'a>, Mismatch> {
    let value = match quantity(&written) {
        Some(Quantity::Whole(value) | Quantity::Millis(value) | Quantity::Bytes(value)) => value,
        Some(Quantity::TooBig) => return Err(mismatch(format!("is out of range: {}", written.source()))),
        _ => return Err(unquoted_number(&written, mismatch(format!("takes a whole number, not {}", written.noun())))),
    };
    if value < min || value > max {
        return Err(mismatch(format!("takes a number from {min} to {max}, not {value}")));
    }
    Ok(Meaning::Integer(value))
}

fn number<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    match quantity(&written) {
        Some(Quantity::Whole(value)) => Ok(Meaning::Integer(value)),
        Some(Quantity::Fraction(value)) => Ok(Meaning::Number(value)),
        _ => Err(unquoted_number(&written, mismatch(format!("takes a number, not {}", written.noun())))),
    }
}

fn duration<'a>(written: Written<'a>, unlimited: bool) -> Result<Meaning<'a>, Mismatch> {
    match quantity(&written) {
        Some(Quantity::Millis(value)) => Ok(Meaning::Integer(value)),
        Some(Quantity::Whole(-1)) if unlimited => Ok(Meaning::Integer(-1)),
        Some(Quantity::Whole(0)) => Ok(Meaning::Integer(0)),
        Some(Quantity::Whole(value)) => Err(Mismatch {
            help: Some(format!("write `{value}ms` or `{value}s`")),
            fix: replace(&written, "count it in milliseconds", format!("{value}ms"))
                .map(|fix| Fix { safety: Safety::Unsafe, ..fix }),
            ..mismatch("needs a unit: ms, s, m or h".into())
        }),
        Some(Quantity::Unit(unit)) => Err(bad_unit(&written, unit, DURATIONS, "a duration")),
        Some(Quantity::TooBig) => Err(mismatch(format!("is out of range: {}", written.source()))),
        _ => {
            Err(unquoted_number(&written, mismatch(format!("takes a duration such as `10s`, not {}", written.noun()))))
        }
    }
}

fn size<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    match quantity(&written) {
        Some(Quantity::Bytes(value) | Quantity::Whole(value)) if value >= 0 => Ok(Meaning::Integer(value)),
        Some(Quantity::Unit(unit)) => Err(bad_unit(&written, unit, SIZES, "a size")),
        Some(Quantity::TooBig) => Err(mismatch(format!("is out of range: {}", written.source()))),
        _ => Err(unquoted_number(&written, mismatch(format!("takes a size such as `64MiB`, not {}", written.noun())))),
    }
}

fn port<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    match quantity(&written) {
        Some(Quantity::Whole(value)) if (1..=65535).contains(&value) => Ok(Meaning::Integer(value)),
        _ => {
            let message = format!("takes a number from 1 to 65535, not {}", written.noun());
            Err(unquoted_number(&written, mismatch(message)))
        }
    }
}

/// An IP address with its port. Names are refused: what they stand for may be another address tomorrow.
fn socket<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    let bare = written.source().trim_matches('"');
    let parsed = |text: &str| text.parse::<std::net::SocketAddr>().ok().filter(|address| address.port() != 0);
    if written.value.kind == ValueKind::Text && parsed(bare).is_some() {
        return Ok(Meaning::Text(Cow::Borrowed(bare)));
    }
    let local = bare.strip_prefix("localhost:");
    let port = local.or(bare.strip_prefix(':')).unwrap_or(bare);
    // A port alone may be meant for every address.
    let safety = if local.is_some() { Safety::Safe } else { Safety::Unsafe };
    let meant = Some(format!("127.0.0.1:{port}")).filter(|meant| parsed(meant).is_some());
    let help = match &meant {
        Some(meant) => format!("write `\"{meant}\"`"),
        None => "write an IP address and a port in quotes: `\"127.0.0.1:9464\"`".to_owned(),
    };
    let fix = meant.and_then(|meant| replace(&written, "name the address", quote(&meant)));
    let fix = fix.map(|fix| Fix { safety, ..fix });
    let message = format!("takes an IP address and a port, not {}", written.noun());
    Err(Mismatch { help: Some(help), fix, ..mismatch(message) })
}

fn texts<'a>(written: Written<'a>, lets: &Lets<'a>) -> Result<Meaning<'a>, Mismatch> {
    let items: Vec<Written<'a>> = match &written.value.kind {
        ValueKind::List(items) => items.iter().map(|item| written.with(item)).collect(),
        _ => vec![written],
    };
    let texts = items.into_iter().map(|item| {
        let at = item.at();
        text(item.resolved(lets)?)
            .map(|text| (at, text.into_owned()))
            .map_err(|fault| Mismatch { at: Some(at), ..fault })
    });
    texts.collect::<Result<_, _>>().map(Meaning::Texts)
}

fn names<'a>(written: Written<'a>, lets: &Lets<'a>) -> Result<Meaning<'a>, Mismatch> {
    let ValueKind::List(items) = &written.value.kind else {
        return name(written).map(|name| Meaning::Names(vec![(written.at(), name)]));
    };
    let names = items.iter().map(|item| {
        let item = written.with(item);
        let at = item.at();
        name(item.resolved(lets)?).map(|name| (at, name)).map_err(|fault| Mismatch { at: Some(at), ..fault })
    });
    names.collect::<Result<_, _>>().map(Meaning::Names)
}

fn name<'a>(written: Written<'a>) -> Result<&'a str, Mismatch> {
    match written.value.kind {
        ValueKind::Path => Ok(written.source()),
        ValueKind::Text => {
            let bare = written.source().trim_matches('"').to_owned();
            // Not every text can stand without them.
            let is_name = reads_as(&bare, |kind| *kind == ValueKind::Path);
            Err(Mismatch {
                help: is_name.then(|| format!("write `{bare}`")),
                fix: replace(&written, "remove the quotes", bare).filter(|_| is_name),
                ..mismatch("takes names without quotes".into())
            })
        }
        _ => Err(mismatch(format!("takes names, not {}", written.noun()))),
    }
}

fn secret<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    let advice = || Some("write `secret(\"env:NAME\")` or `secret(\"file:PATH\")`".to_owned());
    match &written.value.kind {
        ValueKind::Text | ValueKind::Raw => Ok(Meaning::Secret(Secret::Literal)),
        ValueKind::Call { name, arguments } if name.of(written.text) == "secret" => match arguments.as_slice() {
            [only] if matches!(only.kind, ValueKind::Text | ValueKind::Raw) => reference(&decoded(written.with(only))?)
                .map(Meaning::Secret)
                .ok_or_else(|| unplaced_secret(&written, only)),
            _ => Err(Mismatch { help: advice(), ..mismatch("takes `secret(...)` with one text in quotes".into()) }),
        },
        ValueKind::Call { name, arguments } => {
            let place = name.of(written.text);
            let text = match arguments.as_slice() {
                [only] if matches!(place, "env" | "file") => written.with(only).source().trim_matches('"'),
                _ => "",
            };
            let meant = format!("secret({})", quote(&format!("{place}:{text}")));
            let fix = if text.is_empty() { None } else { replace(&written, &format!("write `{meant}`"), meant) };
            Err(Mismatch { help: advice(), fix, ..mismatch(format!("takes `secret(...)`, not `{place}(...)`")) })
        }
        _ => Err(Mismatch { help: advice(), ..mismatch(format!("takes `secret(...)`, not {}", written.kind())) }),
    }
}

/// `secret("GC_PASSWORD")`
fn unplaced_secret(written: &Written<'_>, argument: &Value) -> Mismatch {
    let text = written.with(argument).source();
    let bare = text.trim_matches('"');
    // What is not written like a variable may be the secret itself.
    let is_variable = bare.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let help = match reference(&format!("env:{bare}")).filter(|_| is_variable) {
        Some(_) => format!("write `secret(\"env:{bare}\")` for an environment variable, `file:` for a file"),
        None => "write `secret(\"env:NAME\")` or `secret(\"file:PATH\")`".to_owned(),
    };
    Mismatch { help: Some(help), ..mismatch("does not say where the secret is: in `env:` or in `file:`".into()) }
}

fn reference(text: &str) -> Option<Secret> {
    if let Some(name) = text.strip_prefix("env:") {
        let mut chars = name.chars();
        let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        return (first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')).then(|| Secret::Env(name.to_owned()));
    }
    text.strip_prefix("file:").filter(|path| !path.is_empty()).map(|path| Secret::File(path.to_owned()))
}

fn release<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    let text = text(written)?;
    match Target::parse(&text) {
        Ok(_) => Ok(Meaning::Text(text)),
        Err(_) => {
            let lines: Vec<String> = LINES.iter().map(|line| format!("{}.{}", line.major, line.minor)).collect();
            let near = suggest::suggest(&text, lines.iter().map(String::as_str));
            let help = match near {
                Some(near) => format!("did you mean \"{near}\"? Known lines are {}", lines.join(", ")),
                None => format!(
                    "write a line or a release of one, \"6.2\" or \"5.17.6\"; known lines are {}",
                    lines.join(", ")
                ),
            };
            Err(Mismatch { help: Some(help), ..mismatch(format!("names no known release of ActiveMQ: \"{text}\"")) })
        }
    }
}

fn loose<'a>(written: Written<'a>) -> Result<Meaning<'a>, Mismatch> {
    match written.value.kind {
        ValueKind::Text | ValueKind::Raw => decoded(written).map(Meaning::Text),
        ValueKind::Number => match quantity(&written) {
            Some(Quantity::Whole(value) | Quantity::Millis(value) | Quantity::Bytes(value)) => {
                Ok(Meaning::Integer(value))
            }
            Some(Quantity::Fraction(value)) => Ok(Meaning::Number(value)),
            _ => text(written).map(Meaning::Text),
        },
        ValueKind::Path if matches!(written.source(), "true" | "false") => boolean(written),
        _ => text(written).map(Meaning::Text),
    }
}

/// What a number with or without a unit says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantity<'a> {
    Whole(i64),
    Fraction(f64),
    Millis(i64),
    Bytes(i64),
    /// A unit that does not exist.
    Unit(&'a str),
    TooBig,
    /// More than one dot, or a fraction with a unit.
    Malformed,
}

fn quantity<'a>(written: &Written<'a>) -> Option<Quantity<'a>> {
    if written.value.kind != ValueKind::Number {
        return None;
    }
    let source = written.source();
    let digits = source.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = &source[digits.len()..];
    let whole = digits.parse::<i64>();
    if digits.contains('.') {
        let fraction = digits.parse::<f64>().ok().filter(|_| unit.is_empty());
        return Some(fraction.map_or(Quantity::Malformed, Quantity::Fraction));
    }
    let Ok(whole) = whole else { return Some(Quantity::TooBig) };
    let scaled = |units: &[(&str, i64)]| {
        units.iter().find(|(name, _)| *name == unit).map(|(_, scale)| whole.checked_mul(*scale))
    };
    Some(match (unit, scaled(DURATIONS), scaled(SIZES)) {
        ("", _, _) => Quantity::Whole(whole),
        (_, Some(Some(millis)), _) => Quantity::Millis(millis),
        (_, _, Some(Some(bytes))) => Quantity::Bytes(bytes),
        (_, Some(None), _) | (_, _, Some(None)) => Quantity::TooBig,
        _ => Quantity::Unit(unit),
    })
}

fn bad_unit(written: &Written<'_>, unit: &str, units: &[(&str, i64)], what: &str) -> Mismatch {
    let known: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let same = known.iter().find(|name| {
        name.eq_ignore_ascii_case(unit) || (name.len() == 3 && name.replace('i', "").eq_ignore_ascii_case(unit))
    });
    let spoken = match unit.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "min" | "mins" | "minute" | "minutes" => Some("m"),
        "hour" | "hours" | "hr" => Some("h"),
        "milli" | "millis" | "msec" | "milliseconds" => Some("ms"),
        "mb" | "meg" => Some("MiB"),
        "gb" => Some("GiB"),
        "kb" | "k" => Some("KiB"),
        _ => None,
    };
    let near = same.copied().or(spoken.filter(|near| known.contains(near)));
    let number = written.source().trim_end_matches(unit);
    let fix = near.and_then(|near| replace(written, &format!("write `{number}{near}`"), format!("{number}{near}")));
    Mismatch {
        help: Some(match near {
            Some(near) => format!("write `{number}{near}`"),
            None => format!("{what} ends with {}", list(&known)),
        }),
        fix,
        ..mismatch(format!("has a unit that does not exist: `{unit}`"))
    }
}

/// A number that was put in quotes.
fn unquoted_number(written: &Written<'_>, mismatch: Mismatch) -> Mismatch {
    let bare = written.source().trim_matches('"');
    if written.value.kind != ValueKind::Text || !reads_as(bare, |kind| *kind == ValueKind::Number) {
        return mismatch;
    }
    Mismatch {
        help: Some(format!("write `{bare}`")),
        fix: replace(written, "remove the quotes", bare.to_owned()),
        ..mismatch
    }
}

/// Whether a text is a value of this kind when it stands by itself.
fn reads_as(bare: &str, kind: impl Fn(&ValueKind) -> bool) -> bool {
    const PREFIX: &str = "a = ";
    let tree = topoc_dsl::parse(&format!("{PREFIX}{bare}"));
    let [statement] = tree.statements.as_slice() else { return false };
    let whole = Span::new(PREFIX.len(), PREFIX.len() + bare.len());
    tree.errors.is_empty() && statement.value().is_some_and(|value| kind(&value.kind) && value.span == whole)
}

fn replace(written: &Written<'_>, title: &str, text: String) -> Option<Fix> {
    Some(Fix {
        title: title.to_owned().into(),
        safety: Safety::Safe,
        edits: vec![Edit { at: written.at(), text: text.into() }],
    })
}

fn mismatch(message: String) -> Mismatch {
    Mismatch { message, at: None, help: None, fix: None }
}

/// `a, b or c`, each in back quotes.
#[must_use]
pub fn list<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

impl Written<'_> {
    /// What kind of value was written; the value itself may be a secret.
    fn kind(&self) -> &'static str {
        match &self.value.kind {
            ValueKind::Text | ValueKind::Raw => "a text",
            ValueKind::Number => "a number",
            ValueKind::Path => "a name",
            ValueKind::Variable => "a `let`",
            ValueKind::List(_) => "a list",
            ValueKind::Call { .. } => "a call",
        }
    }

    /// What was written, in words.
    fn noun(&self) -> String {
        match &self.value.kind {
            ValueKind::Text if self.source().len() <= MAX_SHOWN => format!("the text {}", self.source()),
            ValueKind::Text | ValueKind::Raw => "a text".into(),
            ValueKind::Number => format!("`{}`", self.source()),
            ValueKind::Path => format!("the name `{}`", self.source()),
            ValueKind::Variable => format!("`{}`", self.source()),
            ValueKind::List(_) => "a list".into(),
            ValueKind::Call { name, .. } => format!("`{}(...)`", name.of(self.text)),
        }
    }
}
