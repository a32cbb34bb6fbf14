//! The course, as data: who asks for what, what is answered, and who is told what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use toml::Table;
use topoc_core::command::{Field, Kind, Row, find};

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// Fields between commas.
    Commas,
    /// Fields by their names.
    Json,
    /// The same within `data`, with the command: there is no `JMSType`.
    Enclosed,
}

/// All forms.
pub(crate) const FORMS: [Form; 3] = [Form::Commas, Form::Json, Form::Enclosed];

/// Which commands were sent in which forms.
pub(crate) type Used = BTreeSet<(&'static str, Form)>;

/// A step.
pub(crate) struct Step {
    /// Who asks: 0 for A, and so on.
    pub(crate) by: usize,
    pub(crate) row: &'static Row,
    /// Its values, in the order of the row's fields.
    pub(crate) values: Vec<String>,
    /// What is answered, as [`shown`](crate::shown) writes it.
    pub(crate) answer: String,
    /// Who is told what, in order.
    pub(crate) told: BTreeMap<usize, Vec<String>>,
}

/// The whole course.
pub(crate) struct Course {
    /// What each agent does as A, with nobody else.
    pub(crate) begin: Vec<Step>,
    /// What four do together, each of them once in each part.
    pub(crate) calls: Vec<Step>,
    /// What each agent does as A, with nobody else.
    pub(crate) end: Vec<Step>,
    /// The same; nothing is told afterwards.
    pub(crate) gone: Vec<Step>,
}

/// The letters of the parts.
pub(crate) const PARTS: [&str; 4] = ["A", "B", "C", "D"];

impl Course {
    pub(crate) fn read() -> Self {
        let table: Table = include_str!("course.toml").parse().unwrap();
        let steps = |name: &str| {
            let steps = table[name].as_array().unwrap().iter().map(|step| read(step.as_table().unwrap()));
            steps.collect::<Vec<_>>()
        };
        Self { begin: steps("begin"), calls: steps("calls"), end: steps("end"), gone: steps("gone") }
    }
}

fn read(step: &Table) -> Step {
    let texts = |name: &str| {
        let list = step.get(name).map(|list| list.as_array().unwrap().as_slice()).unwrap_or_default();
        list.iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let row = find(step["command"].as_str().unwrap()).unwrap();
    let text = |name: &str| step.get(name).map(|text| text.as_str().unwrap().to_owned());
    let by = text("by").map_or(0, |by| PARTS.iter().position(|part| *part == by).unwrap());
    let answer = text("answer").unwrap_or_else(|| format!("Outcome {} accepted", row.name));
    let told = (0..).zip(PARTS).map(|(part, name)| (part, texts(name))).filter(|(_, told)| !told.is_empty());
    Step { by, row, values: texts("body"), answer, told: told.collect() }
}

/// The text of a body, and whether the command stands in it.
pub(crate) fn written(form: Form, row: &Row, subject: &str, values: &[String]) -> String {
    match form {
        Form::Commas => values.join(","),
        Form::Json => fields(row, values).to_string(),
        Form::Enclosed => {
            json!({"data": {"type": format!("{}#{subject}", row.name), "body": fields(row, values)}}).to_string()
        }
    }
}

fn fields(row: &Row, values: &[String]) -> Value {
    let value = |field: &Field, text: &String| match field.kind {
        Kind::Reason => json!(text.parse::<i64>().unwrap()),
        Kind::Flag => json!(text.parse::<bool>().unwrap()),
        _ => json!(text),
    };
    row.fields.iter().zip(values).map(|(field, text)| (field.name.to_owned(), value(field, text))).collect()
}
