//! A command as it goes over the wire.

use std::fmt::{self, Write as _};

use super::command::{Argument, Command};
use super::table::{Form, Method, Object, Row};
use crate::secret::Secret;
use crate::uri::Resource;
use crate::xml::{self, Element, Limits, Node};

/// A request, without the server that it goes to and without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The command's row: its method, how its answer is read, whether it may be repeated.
    pub row: &'static Row,
    /// Path and query, with everything escaped that needs it.
    pub path: String,
    /// The body. It may hold what an agent types into a call, so it is in no log.
    pub body: Option<Secret>,
    /// Which of Finesse's queues it goes through; `None` if none.
    pub object: Option<Resource>,
}

impl Request {
    /// The request for a command.
    ///
    /// # Errors
    ///
    /// [`NoId`] if an argument that is part of the path is none: it would be the path of something else.
    pub fn new(command: &Command) -> Result<Self, NoId> {
        let row = command.row();
        if let Some(name) = names(row.path).find(|name| !is_id(command.argument(name).as_ref())) {
            return Err(NoId { command: row.name, argument: name });
        }
        let text = |name: &str| command.argument(name).map(|argument| argument.text().to_owned());
        let object = match row.object {
            Object::None => None,
            Object::User => text("agent").map(Resource::User),
            Object::Dialog => text("dialog").map(Resource::Dialog),
        };
        let body = match row.form {
            Form::None => None,
            Form::Xml => Some(Secret::new(xml_body(row, command))),
            Form::Fields => Some(Secret::new(filled(row.body, command))),
        };
        Ok(Self { row, path: filled(row.path, command), body, object })
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.row.method
    }

    /// What `Content-Type` says of the body.
    #[must_use]
    pub const fn content_type(&self) -> Option<&'static str> {
        match self.row.form {
            Form::None => None,
            Form::Xml => Some("application/xml"),
            Form::Fields => Some("application/x-www-form-urlencoded"),
        }
    }
}

/// A command whose path would be another one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoId {
    /// The command's name.
    pub command: &'static str,
    /// The argument: `agent`, `dialog`.
    pub argument: &'static str,
}

impl fmt::Display for NoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` needs an id as its `{}`: not nothing, `.` or `..`", self.command, self.argument)
    }
}

impl std::error::Error for NoId {}

/// Whether it can be a part of a path: servers and proxies resolve dots, escaped or not.
fn is_id(argument: Option<&Argument<'_>>) -> bool {
    argument.is_some_and(|argument| !matches!(argument.text(), "" | "." | ".."))
}

/// The names between braces.
fn names(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
}

/// The body's template with every `{name}` replaced, and without the elements for which there was nothing.
fn xml_body(row: &Row, command: &Command) -> String {
    let mut body = xml::read(row.body, Limits::default()).expect("the table holds XML: a test reads each row");
    fill(&mut body, command);
    body.to_string()
}

/// Whether something is left in the element.
fn fill(element: &mut Element, command: &Command) -> bool {
    let mut filled = Element { children: Vec::new(), ..element.clone() };
    for node in std::mem::take(&mut element.children) {
        match node {
            Node::Text(text) => match text.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    if let Some(argument) = command.argument(name) {
                        argument.add_to(&mut filled);
                    }
                }
                None => filled.children.push(Node::Text(text)),
            },
            Node::Element(mut child) => {
                if fill(&mut child, command) {
                    filled.children.push(Node::Element(child));
                }
            }
        }
    }
    *element = filled;
    !element.children.is_empty()
}

/// A template with every `{name}` replaced, escaped for a path, a query or a form.
fn filled(template: &str, command: &Command) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        escape(command.argument(name).as_ref().map_or("", Argument::text), &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Escapes all but the unreserved characters of RFC 3986, 2.3.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
