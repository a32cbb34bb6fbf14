//! The page that is made from the table of commands, as Markdown: what clients may ask a connector for.

use std::fmt::Write;

use topoc_core::command::{COMMANDS, Category, Field, Kind, LONGEST_BODY, LONGEST_TYPE, NOT_COMMANDS, Row, Subject};

const COMMANDS_PAGE: &str = "reference/connector-commands.md";

/// The text of a page that is made here.
pub(crate) fn generated(path: &str) -> Option<String> {
    (path == COMMANDS_PAGE).then(commands)
}

/// Headings, in the order of the table.
const CATEGORIES: &[(Category, &str)] = &[
    (Category::System, "The connector"),
    (Category::AgentInfo, "Which client is whose"),
    (Category::AgentState, "What agents are doing"),
    (Category::AgentCall, "Calls"),
    (Category::AgentDialog, "What is known of calls"),
];

/// Every kind of field.
const KINDS: &[Kind] =
    &[Kind::Destination, Kind::Secret, Kind::Sso, Kind::Phone, Kind::Flag, Kind::Dialog, Kind::Reason, Kind::Label];

fn commands() -> String {
    let mut page = String::from(
        "# Commands\n\nAll that clients may ask a connector for. [Writing a client](../guide/clients.md) says how a request is sent and \
         what is answered. `JMSType` is `Command#agent`, or `Command#destination` where the table says so. Fields are in the order \
         of the form between commas; those in brackets may be left out.\n",
    );
    for (category, heading) in CATEGORIES {
        let _ = writeln!(page, "\n## {heading}\n\n| command | fields | does | told by |\n| --- | --- | --- | --- |");
        for row in COMMANDS.iter().filter(|row| row.category == *category) {
            let (subject, fields, does) = (subject(row), fields(row), row.says);
            let _ = writeln!(page, "| `{}#{subject}` | {fields} | {does} | {} |", row.name, told(row));
        }
    }
    page.push_str(
        "\n## Fields\n\n| field | of | takes | at most, in bytes | means |\n| --- | --- | --- | --- | --- |\n",
    );
    for kind in KINDS {
        for (field, rows) in by_field(*kind) {
            let (name, takes, longest, says) = (field.name, kind.expects(), kind.longest(), field.says);
            let _ = writeln!(page, "| `{name}` | {} | {takes} | {longest} | {says} |", rows.join(", "));
        }
    }
    let _ = writeln!(
        page,
        "\nA whole body may have {LONGEST_BODY} bytes, `JMSType` {LONGEST_TYPE}.\n\n## No commands\n\nThe documents of the Generic \
         Connector list these purposes, too:\n\n| purpose | instead |\n| --- | --- |"
    );
    for one in NOT_COMMANDS {
        let _ = writeln!(page, "| {} | {} |", one.purpose, one.instead);
    }
    page
}

fn subject(row: &Row) -> &'static str {
    match row.subject {
        Subject::Agent => "agent",
        Subject::Destination => "destination",
    }
}

/// `password,extension`, with those in brackets that may be missing.
fn fields(row: &Row) -> String {
    let mut text = String::new();
    for (place, field) in row.fields.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let _ = if field.required {
            write!(text, "{comma}{}", field.name)
        } else {
            write!(text, "[{comma}{}]", field.name)
        };
    }
    if text.is_empty() { text } else { format!("`{text}`") }
}

fn told(row: &Row) -> String {
    row.events.iter().map(|event| format!("`{event}`")).collect::<Vec<_>>().join(", ")
}

/// The fields of a kind that mean the same, with the commands that have them.
fn by_field(kind: Kind) -> Vec<(Field, Vec<String>)> {
    let mut found: Vec<(Field, Vec<String>)> = Vec::new();
    for row in COMMANDS {
        for field in row.fields.iter().filter(|field| field.kind == kind) {
            let name = format!("`{}`", row.name);
            match found.iter_mut().find(|(one, _)| one == field) {
                Some((_, rows)) => rows.push(name),
                None => found.push((*field, vec![name])),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_field_is_on_the_page() {
        let page = commands();
        for row in COMMANDS {
            assert!(page.contains(&format!("| `{}#{}` | {} |", row.name, subject(row), fields(row))), "{}", row.name);
            for field in row.fields {
                let row_of_field =
                    |line: &str| line.starts_with(&format!("| `{}` |", field.name)) && line.contains(field.says);
                assert!(page.lines().any(row_of_field), "{} of {}", field.name, row.name);
            }
        }
    }
}
