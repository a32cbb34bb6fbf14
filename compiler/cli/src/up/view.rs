//! What a person sees of a topology that runs: one table, drawn again and again on a terminal, and told in changes elsewhere.

use super::player::Seen;
use crate::terminal::Paint;
use std::collections::BTreeMap;

/// How a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It runs, and does not listen yet.
    Starting,
    /// It listens.
    Up,
    /// It was killed from here.
    Killed,
    /// It ended by itself.
    Ended,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Starting => "waiting",
            Self::Up => "up",
            Self::Killed => "killed",
            Self::Ended => "ended",
        }
    }
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// None for clients, which are no programs.
    pub(super) state: Option<State>,
    pub(super) says: String,
    /// What of it is worth a line where there is no table.
    pub(super) news: String,
}

impl Row {
    /// A program's line.
    pub(super) fn of_part(kind: &'static str, name: &str, state: State, says: String) -> Self {
        let says_more = if says.is_empty() { String::new() } else { format!(" ({says})") };
        let news = format!("{kind} {name}: {}{says_more}", state.word());
        Self { kind, name: name.to_owned(), state: Some(state), says, news }
    }

    /// A client's line.
    pub(super) fn of_client(name: &str, agent: Option<&str>, seen: &Seen) -> Self {
        let at = seen.at.as_deref().map_or_else(|| "looks for a broker".to_owned(), |at| format!("at {at}"));
        let by = seen.by.as_deref().map(|by| format!(", answered by {by}")).unwrap_or_default();
        let took = if seen.answered > 0 { format!(" in {} ms", seen.took.as_millis()) } else { String::new() };
        let state = seen.state.as_deref().map(|state| format!(" {state}")).unwrap_or_default();
        let trouble = seen.trouble.as_deref().map(|trouble| format!("; {trouble}")).unwrap_or_default();
        let agent = agent.map(|agent| {
            format!("{by}{took}; agent {agent}{state}; {} answered, {} not", seen.answered, seen.unanswered)
        });
        let agent = agent.unwrap_or_default();
        Self {
            kind: "client",
            name: name.to_owned(),
            state: None,
            says: format!("{at}{agent}{trouble}"),
            news: format!("client {name}: {at}{by}{trouble}"),
        }
    }
}

/// The table, a line for each row.
pub(super) fn table(rows: &[Row], width: usize, paint: Paint) -> String {
    let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let state = row.state.map_or("", State::word);
        let plain = format!("{:9}  {:widest$}  {state:7}  {}", row.kind, row.name, row.says);
        let cut = cut(&plain, width);
        text += &match row.state {
            Some(State::Up) | None => cut,
            Some(State::Starting) => paint.dim(&cut),
            Some(State::Killed | State::Ended) => paint.red(&cut),
        };
        text.push('\n');
    }
    text
}

/// As much of a line as a terminal has room for: one that wraps would be drawn over another one.
pub(super) fn cut(line: &str, width: usize) -> String {
    line.chars().take(width.saturating_sub(1)).collect()
}

/// What has become different since it was asked last.
#[derive(Debug, Default)]
pub(super) struct News(BTreeMap<String, String>);

impl News {
    pub(super) fn of(&mut self, rows: &[Row]) -> Vec<String> {
        let fresh = rows.iter().filter(|row| self.0.get(&row.name) != Some(&row.news));
        let fresh: Vec<String> = fresh.map(|row| row.news.clone()).collect();
        self.0.extend(rows.iter().map(|row| (row.name.clone(), row.news.clone())));
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn rows() -> Vec<Row> {
        let seen = Seen {
            at: Some("amq-1".to_owned()),
            by: Some("gc-1".to_owned()),
            took: Duration::from_millis(3),
            state: Some("READY".to_owned()),
            answered: 12,
            unanswered: 1,
            trouble: None,
        };
        vec![
            Row::of_part("broker", "amq-1", State::Up, "port 1".to_owned()),
            Row::of_part("connector", "gc-1", State::Killed, String::new()),
            Row::of_client("desktop-1", Some("1001"), &seen),
        ]
    }

    #[test]
    fn a_table_has_columns_and_no_line_is_longer_than_the_terminal() {
        let text = table(&rows(), 200, Paint(false));
        assert_eq!(
            text,
            "broker     amq-1      up       port 1\n\
             connector  gc-1       killed   \n\
             client     desktop-1           at amq-1, answered by gc-1 in 3 ms; agent 1001 READY; 12 answered, 1 not\n"
        );
        assert!(table(&rows(), 40, Paint(false)).lines().all(|line| line.chars().count() < 40));
    }

    #[test]
    fn only_what_is_new_is_news() {
        let mut news = News::default();
        let mut rows = rows();
        assert_eq!(news.of(&rows).len(), 3);
        assert!(news.of(&rows).is_empty());
        rows[1].news = "connector gc-1: up".to_owned();
        assert_eq!(news.of(&rows), ["connector gc-1: up"]);
    }
}
