//! JUnit's XML, which every CI server reads: a suite per file, a test case per finding. It satisfies the schema of Ant's own
//! JUnit task (Windy Road) and the one that Jenkins keeps (xunit-plugin, junit-10), of which the first asks for more.

use super::place::place;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};
use topoc_compiler::diagnostic::{Diagnostic, Severity};
use topoc_compiler::emit::write::xml::{XmlDocument, XmlElement};
use topoc_compiler::policy::Day;
use topoc_compiler::sources::Sources;
use topoc_dsl::FileId;

/// Writes the document. A finding at or above `level` is a failure; one below it is a skipped case, which fails no build.
/// `when` is the moment of the check.
pub(crate) fn write(
    sources: &Sources,
    diagnostics: &[Diagnostic],
    level: Severity,
    when: SystemTime,
    out: &mut impl Write,
) -> io::Result<()> {
    let when = moment(when);
    let mut suites = XmlElement::new("testsuites");
    for (number, file) in sources.files.iter().enumerate() {
        let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
        let found: Vec<&Diagnostic> = diagnostics.iter().filter(|found| found.primary().file == id).collect();
        suites.push(suite(sources, number, &file.path, &found, level, &when));
    }
    let document = XmlDocument { comments: Vec::new(), root: suites };
    out.write_all(document.write().as_bytes())
}

fn suite(
    sources: &Sources,
    number: usize,
    path: &str,
    found: &[&Diagnostic],
    level: Severity,
    when: &str,
) -> XmlElement {
    let failures = found.iter().filter(|diagnostic| diagnostic.severity >= level).count();
    let mut suite = XmlElement::new("testsuite")
        .with("id", number.to_string())
        .with("name", path)
        .with("package", "topoc")
        .with("hostname", "localhost")
        .with("timestamp", when)
        .with("time", "0")
        .with("tests", found.len().max(1).to_string())
        .with("failures", failures.to_string())
        .with("errors", "0")
        .with("skipped", (found.len() - failures).to_string());
    suite.push(XmlElement::new("properties"));
    if found.is_empty() {
        suite.push(case(path, "no findings"));
    }
    for diagnostic in found {
        suite.push(finding(sources, path, diagnostic, level));
    }
    suite.push(XmlElement::new("system-out"));
    suite.push(XmlElement::new("system-err"));
    suite
}

fn finding(sources: &Sources, path: &str, diagnostic: &Diagnostic, level: Severity) -> XmlElement {
    let rule = diagnostic.rule;
    let (_, range) = place(sources, diagnostic.primary());
    let (line, column) = (range.start.line, range.start.column);
    let mut case = case(path, &format!("{} {} at {line}:{column}", rule.code, rule.name));
    let message = format!("{}: {}", diagnostic.severity.word(), diagnostic.message);
    if diagnostic.severity < level {
        case.push(XmlElement::new("skipped").with("message", message));
        return case;
    }
    let mut failure = XmlElement::new("failure").with("type", rule.name).with("message", message.clone());
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    let others = diagnostic.labels.iter().skip(1).map(|label| {
        let (path, range) = place(sources, label.at);
        format!("\n{path}:{}:{}: {}", range.start.line, range.start.column, label.message)
    });
    failure.push(format!("{path}:{line}:{column}: {message}{help}{}", others.collect::<String>()));
    case.push(failure);
    case
}

/// `2026-11-23T00:00:00`, in UTC.
fn moment(when: SystemTime) -> String {
    let seconds = when.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}", Day::since_1970(days))
}

fn case(path: &str, name: &str) -> XmlElement {
    XmlElement::new("testcase").with("classname", path).with("name", name).with("time", "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_795_392_000, "2026-11-23T00:00:00"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(moment(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
