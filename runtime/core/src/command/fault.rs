//! What is wrong with a request, for the one who sent it. Nothing here repeats a value: it may be a secret.

use std::fmt;

use super::read::{LONGEST_BODY, LONGEST_TYPE};
use super::table::{Kind, Row, Subject};
use crate::destination::NoDestination;

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This part is longer than its limit. Nothing of it was read.
    TooLong(Part),
    /// This part is not text in UTF-8.
    NotText(Part),
    /// Neither `JMSType` nor the body names a command.
    NoCommand,
    /// `JMSType` and `data.type` name different commands or agents.
    TwoCommands,
    /// There is no such command.
    UnknownCommand {
        /// The one that may have been meant.
        near: Option<&'static str>,
    },
    /// Nothing stands after `#`, or what stands there cannot be an agent or a destination.
    Subject(&'static Row, Problem),
    /// A required field is missing or empty.
    Missing(&'static Row, &'static str),
    /// There are more fields than the command has.
    TooMany(&'static Row),
    /// The command has no field of this name.
    UnknownField {
        /// The command.
        row: &'static Row,
        /// The field that may have been meant.
        near: Option<&'static str>,
    },
    /// A field is there twice.
    Twice(&'static Row, &'static str),
    /// The value of a field cannot be used.
    Wrong(&'static Row, &'static str, Problem),
    /// The body begins with `{` and is no JSON; line and column where that shows, from 1.
    NoJson {
        /// The line.
        line: usize,
        /// The column, in bytes.
        column: usize,
    },
    /// `data` is not an object with a text `type`, and a `body` that is a text or an object of fields.
    Data,
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `JMSType`.
    Type,
    /// The body.
    Body,
}

/// Why a value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is none.
    Empty,
    /// It is longer than so many bytes.
    TooLong(usize),
    /// It has a character that cannot be in it: a control character, or one with another meaning there.
    Character,
    /// It names no destination.
    Destination(NoDestination),
    /// It is something else than what is expected.
    Not(Kind),
}

impl Fault {
    /// A word for programs. `MISSING_PASSWORD` and `MISSING_EXTENSION` are the Generic Connector's own.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::TooLong(_) => "TOO_LONG",
            Self::NotText(_) => "NOT_TEXT",
            Self::NoCommand => "MISSING_COMMAND",
            Self::TwoCommands => "TWO_COMMANDS",
            Self::UnknownCommand { .. } => "UNKNOWN_COMMAND",
            Self::Subject(row, Problem::Empty) => match row.subject {
                Subject::Agent => "MISSING_AGENT",
                Subject::Destination => "MISSING_CLIENT_DESTINATION",
            },
            Self::Subject(row, _) => match row.subject {
                Subject::Agent => "INVALID_AGENT",
                Subject::Destination => "INVALID_CLIENT_DESTINATION",
            },
            Self::Missing(_, field) => return format!("MISSING_{}", field.to_ascii_uppercase()),
            Self::TooMany(_) => "TOO_MANY_FIELDS",
            Self::UnknownField { .. } => "UNKNOWN_FIELD",
            Self::Twice(..) => "REPEATED_FIELD",
            Self::Wrong(_, field, _) => return format!("INVALID_{}", field.to_ascii_uppercase()),
            Self::NoJson { .. } => "INVALID_JSON",
            Self::Data => "INVALID_DATA",
        }
        .to_owned()
    }
}

/// What a command's body looks like: `password,extension`.
struct Body(&'static Row);

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fields.is_empty() {
            return write!(f, "`{}` has no fields", self.0.name);
        }
        write!(f, "the fields of `{}` are `", self.0.name)?;
        for (place, field) in self.0.fields.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            if field.required { write!(f, "{comma}{}", field.name) } else { write!(f, "[{comma}{}]", field.name) }?;
        }
        f.write_str("`")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = |f: &mut fmt::Formatter<'_>, near: &Option<&str>| match near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        };
        match self {
            Self::TooLong(Part::Type) => write!(f, "`JMSType` is longer than {LONGEST_TYPE} bytes"),
            Self::TooLong(Part::Body) => write!(f, "the body is longer than {LONGEST_BODY} bytes"),
            Self::NotText(Part::Type) => write!(f, "`JMSType` is no text"),
            Self::NotText(Part::Body) => write!(f, "the body is no text in UTF-8"),
            Self::NoCommand => write!(f, "the request names no command: set `JMSType` to `Command#agent`"),
            Self::TwoCommands => write!(f, "`JMSType` and `data.type` differ: send one of them, or the same in both"),
            Self::UnknownCommand { near: it } => write!(f, "there is no such command").and_then(|()| near(f, it)),
            Self::Subject(row, problem) => {
                let (what, word) = match row.subject {
                    Subject::Agent => ("agent's id", "agent"),
                    Subject::Destination => ("client's destination", "client_destination"),
                };
                write!(f, "`{}` needs the {what} after `#`, as in `{}#{word}`: {problem}", row.name, row.name)
            }
            Self::Missing(row, field) => write!(f, "`{field}` of `{}` is missing: {}", row.name, Body(row)),
            Self::TooMany(row) => {
                write!(f, "there are too many fields: {}; a value with a comma needs the JSON form", Body(row))
            }
            Self::UnknownField { row, near: it } => {
                write!(f, "there is a field that `{}` does not have: {}", row.name, Body(row))
                    .and_then(|()| near(f, it))
            }
            Self::Twice(row, field) => write!(f, "`{field}` of `{}` is there twice", row.name),
            Self::Wrong(row, field, problem) => write!(f, "`{field}` of `{}` cannot be used: {problem}", row.name),
            Self::NoJson { line, column } => {
                write!(f, "the body begins with `{{` and is no JSON: look at line {line}, column {column}")
            }
            Self::Data => {
                write!(
                    f,
                    "`data` has to be an object with the text `type`, and a `body` that is a text or an object of fields"
                )
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::TooLong(limit) => write!(f, "it is longer than {limit} bytes"),
            Self::Character => write!(f, "it has a character that cannot be in it"),
            Self::Destination(why) => why.fmt(f),
            Self::Not(kind) => write!(f, "it has to be {}", kind.expects()),
        }
    }
}

impl std::error::Error for Fault {}

/// A field whose value the comma-separated form cannot say: it has a comma, or blanks at an end, or would look like JSON. Use the
/// JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritable(pub &'static str);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be written between commas: use the JSON form", self.0)
    }
}

impl std::error::Error for Unwritable {}
