//! The rows of the tables, as data.

use toml::Table;

/// A row.
pub(crate) struct Row {
    pub(crate) mode: String,
    pub(crate) number: i64,
    title: String,
    /// In order.
    pub(crate) events: Vec<String>,
    /// The ways of the requests of both clients after the last event.
    pub(crate) request: Vec<Vec<String>>,
}

impl Row {
    pub(crate) fn title(&self) -> String {
        format!("{} {}: {}", self.mode, self.number, self.title)
    }

    /// Whether its last event parts the sites.
    pub(crate) fn splits(&self) -> bool {
        self.events.last().is_some_and(|event| event.starts_with("cut"))
    }
}

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    let table: Table = include_str!("rows.toml").parse().unwrap();
    let rows: Vec<Row> = table["row"].as_array().unwrap().iter().map(|row| read(row.as_table().unwrap())).collect();
    assert_eq!(rows.len(), 15);
    rows
}

fn read(row: &Table) -> Row {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let texts =
        |list: &toml::Value| list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    let request = row["request"].as_table().unwrap();
    Row {
        mode: text("mode"),
        number: row["number"].as_integer().unwrap(),
        title: text("title"),
        events: texts(&row["events"]),
        request: ["C1", "C2"].map(|client| texts(&request[client])).into(),
    }
}
