//! The page that is made from the connector's tables, as Markdown: its metrics, and what keeps it from being ready.

use std::fmt::Write;

use topoc_connector::admin::metrics::{METRICS, Row};
use topoc_connector::admin::{JUDGEMENTS, Outcome, REASONS};

const METRICS_PAGE: &str = "reference/connector-metrics.md";

/// The text of a page that is made here.
pub(crate) fn generated(path: &str) -> Option<String> {
    (path == METRICS_PAGE).then(metrics)
}

fn metrics() -> String {
    let mut page = String::from(
        "# Metrics of a connector\n\nWhat `/metrics` shows, in the text format of Prometheus. Counters begin at 0 when the process \
         does. [Operations](../guide/operations.md) says what to do with them.\n\n\
         | metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n",
    );
    for Row { name, kind, help, labels, .. } in METRICS {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(page, "| `{name}` | {} | {} | {help} |", kind.word(), labels.join(", "));
    }
    page.push_str(
        "\n## Reasons\n\nWhat keeps a connector from being ready: in `/ready`, and as `reason` of `topoc_connector_unready`.\n\n\
         | reason | means | first |\n| --- | --- | --- |\n",
    );
    for row in &REASONS {
        let _ = writeln!(page, "| `{}` | {} | {} |", row.word, row.says, row.first);
    }
    let words = |words: Vec<&str>| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let outcomes = words(Outcome::ALL.map(Outcome::word).into());
    let judgements = words(JUDGEMENTS.iter().map(|(_, word)| *word).collect());
    let _ = writeln!(
        page,
        "\n## Words\n\nOutcomes of requests: {outcomes}.\n\nWhat Finesse servers are judged to be: {judgements}."
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_on_the_page() {
        let page = metrics();
        let rows = page.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, METRICS.len() + REASONS.len());
        for row in METRICS {
            assert!(page.contains(&format!("| `{}` | {} | ", row.name, row.kind.word())), "{}", row.name);
        }
    }
}
