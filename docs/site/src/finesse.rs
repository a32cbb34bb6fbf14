//! The pages that are made from the tables of the Finesse client, as Markdown: requests, transitions, and our reading.

use std::fmt::{Debug, Write};

use topoc_finesse_proto::our_reading::READINGS;
use topoc_finesse_proto::rest::{COMMANDS, Object, Repeat, Row};
use topoc_finesse_proto::{cluster, session};

use crate::drawing;
use crate::page::escape;

const REQUESTS_PAGE: &str = "reference/finesse-requests.md";
const TRANSITIONS_PAGE: &str = "reference/finesse-transitions.md";
const READING_PAGE: &str = "reference/finesse-our-reading.md";

/// The text of a page that is made here.
pub(crate) fn generated(path: &str) -> Option<String> {
    match path {
        REQUESTS_PAGE => Some(requests()),
        TRANSITIONS_PAGE => Some(transitions()),
        READING_PAGE => Some(reading()),
        _ => None,
    }
}

/// A drawing that a page asks for by its name.
pub(crate) fn drawing(name: &str) -> Option<String> {
    match name {
        "finesse-servers" => {
            let what =
                "How the choice of a server goes from phase to phase; the same is in the table of all transitions";
            Some(drawing::drawing(cluster::TRANSITIONS, &cluster::Cause::Stop, what, |name| words(&name)))
        }
        _ => None,
    }
}

fn requests() -> String {
    let mut page = String::from(
        "# Requests to Finesse\n\nAll requests that the client knows. Finesse does those of one queue one after the other. When a \
         server fails before it has answered, what does no harm twice is sent again to the next one; of everything else the program \
         is told that nobody knows whether it was done. `{name}` stands for what a program gives. The Developer Guide is Cisco's, \
         release 12.5(1).\n\n\
         | request | over HTTP | queue | yes | no | twice | source |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in COMMANDS {
        let Row { name, path, source, .. } = row;
        let queue = match row.object {
            Object::None => "none",
            Object::User => "the agent's",
            Object::Dialog => "the call's",
        };
        let twice = if row.repeat == Repeat::Harmless { "harmless" } else { "harmful" };
        let (method, yes, no) = (row.method.as_str(), list(row.accepted), list(row.refused));
        let _ = writeln!(page, "| {name} | `{method} {path}` | {queue} | {yes} | {no} | {twice} | {source} |");
    }
    page.push_str("\n## Bodies\n");
    for row in COMMANDS.iter().filter(|row| !row.body.is_empty()) {
        let _ = writeln!(page, "\n{}:\n\n```text\n{}\n```", row.name, row.body);
    }
    page
}

fn list(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn transitions() -> String {
    let mut page = String::from(
        "# How the Finesse client goes from one state to another\n\nBoth machines go by these tables, and what is not in them does \
         not happen.\n\n## Which server is in use\n\nOne machine for all agents of a process.\n\n",
    );
    drawn(&mut page, cluster::TRANSITIONS);
    page.push_str("\n## One agent\n\n");
    drawn(&mut page, session::TRANSITIONS);
    page
}

fn drawn<P: Debug + PartialEq, C: Debug>(page: &mut String, rows: &[(P, C, P)]) {
    page.push_str("| from | when | to |\n| --- | --- | --- |\n");
    let mut before = None;
    for (from, cause, to) in rows {
        let name = if before == Some(from) { String::new() } else { words(from) };
        before = Some(from);
        let _ = writeln!(page, "| {name} | {} | {} |", words(cause), words(to));
    }
}

/// `ReadingUser` as words.
fn words(name: &impl Debug) -> String {
    let mut words = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn reading() -> String {
    let mut page = String::from(
        "# Our reading of Finesse\n\nWhere Cisco's documents do not say enough, and what the client does there. None of this could be \
         tried at a real Finesse. If yours behaves otherwise, please tell us: what was sent, what came back (without passwords and \
         customers' data), and the release.\n\n| about | the client | because |\n| --- | --- | --- |\n",
    );
    for reading in READINGS {
        let (about, done, because) = (cell(reading.about), cell(reading.done), cell(reading.because));
        let _ = writeln!(page, "| {about} | {done} | {because} |");
    }
    page
}

/// Text whose code stays code.
fn cell(text: &str) -> String {
    let mut outside = true;
    let parts = text
        .replace('|', "\\|")
        .split('`')
        .map(|part| {
            let shown = if outside { escape(part).replace("&quot;", "\"") } else { part.to_owned() };
            outside = !outside;
            shown
        })
        .collect::<Vec<_>>();
    parts.join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_table_is_on_its_page() {
        let page = requests();
        for row in COMMANDS {
            assert!(
                page.contains(&format!("| {} | `{} {}` |", row.name, row.method.as_str(), row.path)),
                "{}",
                row.name
            );
            assert!(page.contains(row.body), "{}", row.name);
        }
        assert_eq!(reading().lines().filter(|line| line.starts_with("| ")).count(), READINGS.len() + 2);
        let rows = cluster::TRANSITIONS.len() + session::TRANSITIONS.len();
        assert_eq!(transitions().lines().filter(|line| line.starts_with("| ")).count(), rows + 4);
    }

    #[test]
    fn names_of_states_are_words() {
        assert_eq!(words(&session::Phase::ReadingUser), "reading user");
    }
}
