//! How a request is read.

use topoc_finesse_proto::secret::Secret;

use super::fault::{Fault, Part, Problem};
use super::json::{self, Json};
use super::request::{Request, Value};
use super::table::{self, COMMANDS, Field, Kind, Row, Subject};
use crate::destination::Destination;

/// Longest `JMSType`, in bytes. Ours: the longest command with the longest destination.
pub const LONGEST_TYPE: usize = 512;
/// Longest body, in bytes. Ours: a token of single sign-on fits several times.
pub const LONGEST_BODY: usize = 64 * 1024;
/// Longest id of an agent, in bytes. Ours.
const LONGEST_AGENT: usize = 128;
/// What the REST façade has beside `type` and `body` (Generic Connector, JSON API 4.4.12): where to answer over HTTP.
const PASSED_OVER: [&str; 3] = ["sessionUrl", "callbackFqdn", "callbackEndpoint"];

impl Request {
    /// Reads a message: what `JMSType` says, if it has one, and its body.
    ///
    /// # Errors
    ///
    /// [`Fault`] for the sender. It repeats no value.
    pub fn read(jms_type: Option<&str>, body: &[u8]) -> Result<Self, Fault> {
        if jms_type.is_some_and(|text| text.len() > LONGEST_TYPE) {
            return Err(Fault::TooLong(Part::Type));
        }
        if body.len() > LONGEST_BODY {
            return Err(Fault::TooLong(Part::Body));
        }
        let body = std::str::from_utf8(body).map_err(|_| Fault::NotText(Part::Body))?.trim();
        let named = jms_type.filter(|text| !text.trim().is_empty()).map(head).transpose()?;
        if !body.starts_with('{') {
            let (row, subject) = named.ok_or(Fault::NoCommand)?;
            return Ok(Self { row, subject, values: commas(row, body)? });
        }
        match json::read(body)? {
            Json::Object(fields) => match enclosed(&fields) {
                Some(data) => Self::from_data(named, data),
                None => {
                    let (row, subject) = named.ok_or(Fault::NoCommand)?;
                    Ok(Self { row, subject, values: by_name(row, &fields)? })
                }
            },
            _ => Err(Fault::Data),
        }
    }

    /// The enclosed form.
    fn from_data(named: Option<(&'static Row, String)>, data: &Json) -> Result<Self, Fault> {
        let Json::Object(data) = data else { return Err(Fault::Data) };
        let (mut kind, mut body) = (None, None);
        for (name, value) in data {
            match (name.as_str(), value) {
                (passed, _) if PASSED_OVER.contains(&passed) => {}
                ("type", Json::Text(text)) if kind.is_none() => kind = Some(text),
                ("body", Json::Null) if body.is_none() => {}
                ("body", value @ (Json::Text(_) | Json::Object(_))) if body.is_none() => body = Some(value),
                _ => return Err(Fault::Data),
            }
        }
        let own = kind.map(|text| head(text.expose())).transpose()?;
        let (row, subject) = match (named, own) {
            (Some(named), Some(own)) if named != own => return Err(Fault::TwoCommands),
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => return Err(Fault::NoCommand),
        };
        let values = match body {
            Some(Json::Object(fields)) => by_name(row, fields)?,
            Some(Json::Text(text)) => commas(row, text.expose())?,
            _ => commas(row, "")?,
        };
        Ok(Self { row, subject, values })
    }
}

/// What `data` holds, if that is all there is.
fn enclosed(fields: &[(String, Json)]) -> Option<&Json> {
    match fields {
        [(name, data)] if name == "data" => Some(data),
        _ => None,
    }
}

/// Reads `Command#agent`.
fn head(text: &str) -> Result<(&'static Row, String), Fault> {
    if text.len() > LONGEST_TYPE {
        return Err(Fault::TooLong(Part::Type));
    }
    let (name, subject) = text.split_once('#').unwrap_or((text, ""));
    let (name, subject) = (name.trim(), subject.trim());
    let row = table::find(name)
        .ok_or_else(|| Fault::UnknownCommand { near: nearest(name, COMMANDS.iter().map(|row| row.name)) })?;
    let problem = |problem| Fault::Subject(row, problem);
    if subject.is_empty() {
        return Err(problem(Problem::Empty));
    }
    let subject = match row.subject {
        Subject::Agent => agent(subject).map(str::to_owned),
        Subject::Destination => destination(subject),
    };
    Ok((row, subject.map_err(problem)?))
}

/// An agent's id. It becomes part of a path and of an XMPP address, and stands beside `#` and `,` here.
fn agent(id: &str) -> Result<&str, Problem> {
    let has_meaning = |letter: char| letter.is_control() || letter.is_whitespace() || "#,|/?@".contains(letter);
    match id {
        id if id.len() > LONGEST_AGENT => Err(Problem::TooLong(LONGEST_AGENT)),
        "." | ".." => Err(Problem::Character),
        id if id.chars().any(has_meaning) => Err(Problem::Character),
        id => Ok(id),
    }
}

fn destination(text: &str) -> Result<String, Problem> {
    text.parse().map(|one: Destination| one.to_string()).map_err(Problem::Destination)
}

/// Reads fields in their order.
fn commas(row: &'static Row, body: &str) -> Result<Vec<Option<Value>>, Fault> {
    let body = body.trim();
    let most = row.fields.len();
    let mut parts = (!body.is_empty()).then(|| body.splitn(most + 1, ',')).into_iter().flatten();
    let mut values = Vec::with_capacity(most);
    for field in row.fields {
        let text = parts.next().unwrap_or_default().trim();
        values.push(taken(row, field, (!text.is_empty()).then_some(text))?);
    }
    if parts.next().is_some() { Err(Fault::TooMany(row)) } else { Ok(values) }
}

/// Reads fields by their names.
fn by_name(row: &'static Row, fields: &[(String, Json)]) -> Result<Vec<Option<Value>>, Fault> {
    let mut given: Vec<Option<&Json>> = vec![None; row.fields.len()];
    for (name, value) in fields {
        let Some(place) = row.fields.iter().position(|field| field.name == name) else {
            return Err(Fault::UnknownField { row, near: nearest(name, row.fields.iter().map(|field| field.name)) });
        };
        if given[place].replace(value).is_some() {
            return Err(Fault::Twice(row, row.fields[place].name));
        }
    }
    row.fields.iter().zip(given).map(|(field, value)| from_json(row, field, value)).collect()
}

fn from_json(row: &'static Row, field: &'static Field, value: Option<&Json>) -> Result<Option<Value>, Fault> {
    match (value, field.kind) {
        (None | Some(Json::Null), _) => taken(row, field, None),
        (Some(Json::Text(text)), _) => taken(row, field, (!text.expose().is_empty()).then_some(text.expose())),
        (Some(Json::Number(id)), Kind::Reason) if *id >= 0 => Ok(Some(Value::Reason(*id))),
        (Some(Json::Flag(flag)), Kind::Flag) => Ok(Some(Value::Flag(*flag))),
        // As good as not said.
        (Some(Json::Flag(false)), Kind::Sso) => Ok(None),
        (Some(Json::Flag(true)), Kind::Sso) => Ok(Some(Value::Flag(true))),
        _ => Err(Fault::Wrong(row, field.name, Problem::Not(field.kind))),
    }
}

/// Takes the text of a field.
fn taken(row: &'static Row, field: &'static Field, text: Option<&str>) -> Result<Option<Value>, Fault> {
    match text {
        Some(text) => value(field.kind, text).map(Some).map_err(|problem| Fault::Wrong(row, field.name, problem)),
        None if field.required => Err(Fault::Missing(row, field.name)),
        None => Ok(None),
    }
}

fn value(kind: Kind, text: &str) -> Result<Value, Problem> {
    if text.len() > kind.longest() {
        return Err(Problem::TooLong(kind.longest()));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::Character);
    }
    let is_phone =
        |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.*()@_".contains(letter));
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    let otherwise = Problem::Not(kind);
    match kind {
        Kind::Secret => Ok(Value::Secret(Secret::new(text))),
        Kind::Destination => destination(text).map(Value::Text),
        Kind::Sso if text.eq_ignore_ascii_case("SSO") => Ok(Value::Flag(true)),
        Kind::Flag if text.eq_ignore_ascii_case("true") => Ok(Value::Flag(true)),
        Kind::Flag if text.eq_ignore_ascii_case("false") => Ok(Value::Flag(false)),
        Kind::Reason if text.bytes().all(|digit| digit.is_ascii_digit()) => {
            text.parse().map(Value::Reason).map_err(|_| otherwise)
        }
        Kind::Phone if is_phone(text) => Ok(Value::Text(text.to_owned())),
        Kind::Dialog if text.chars().all(is_word) && !matches!(text, "." | "..") => Ok(Value::Text(text.to_owned())),
        Kind::Label if !text.trim().is_empty() => Ok(Value::Text(text.to_owned())),
        Kind::Sso | Kind::Flag | Kind::Reason | Kind::Phone | Kind::Dialog | Kind::Label => Err(otherwise),
    }
}

/// The name that was probably meant: at most a third of its letters differ.
fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    const LONGEST: usize = 48;
    let wanted = (name.len() <= LONGEST).then(|| name.to_lowercase())?;
    let allowed = wanted.chars().count() / 3;
    let far = |candidate: &'static str| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate);
    candidates.map(far).min().filter(|(distance, _)| *distance <= allowed).map(|(_, candidate)| candidate)
}
