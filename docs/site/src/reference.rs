//! The pages that are made from the compiler's tables, as Markdown: fields, rules, and a page for each rule.

use crate::book::Chapter;
use std::fmt::Write;
use topoc_compiler::language::{self, BLOCKS, Block, FORMS, Field, Kind};
use topoc_compiler::rules::{Level, RULES, Rule};

/// Where the list of rules stands.
pub(crate) const RULES_PAGE: &str = "reference/rules.md";
const FIELDS_PAGE: &str = "reference/fields.md";

/// Areas of rules by the two digits behind `TOPO`.
const AREAS: &[(&str, &str)] = &[
    ("00", "Syntax and names"),
    ("01", "Listeners"),
    ("02", "Bridges"),
    ("03", "Failover of connectors and clients"),
    ("04", "Priorities and roles"),
    ("05", "Finesse"),
    ("06", "Availability"),
    ("07", "Secrets"),
    ("08", "Releases"),
    ("09", "Project"),
];

/// The text of a page that is made here.
pub(crate) fn generated(path: &str) -> Option<String> {
    match path {
        FIELDS_PAGE => Some(fields()),
        RULES_PAGE => Some(rules()),
        _ => crate::finesse::generated(path)
            .or_else(|| crate::operations::generated(path))
            .or_else(|| crate::commands::generated(path)),
    }
}

/// Where a rule's page stands.
pub(crate) fn rule_path(rule: &Rule) -> String {
    format!("reference/rules/{}.md", rule.name)
}

/// The pages of all rules.
pub(crate) fn rule_pages(part: &str) -> impl Iterator<Item = Chapter> {
    RULES.iter().map(move |rule| Chapter {
        title: rule.name.to_owned(),
        path: rule_path(rule),
        part: part.to_owned(),
        of_rule: true,
        text: rule_page(rule),
    })
}

/// The rule's own page, with what the table says of it under its title.
fn rule_page(rule: &Rule) -> String {
    let (title, body) = rule.page.split_once('\n').unwrap_or((rule.page, ""));
    let (code, level, fix, since) = (rule.code, level(rule.level), rule.fix.word(), rule.since);
    let summary = sentence(rule.summary);
    format!("{title}\n\n{summary}\n\nCode {code} · level: {level} · fix: {fix} · since {since}\n{body}")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
        Level::Hygiene => "note, warning under the strict profile",
    }
}

fn rules() -> String {
    let mut page = String::from(
        "# Rules\n\nWhat `topoc check` looks for. Each rule has a page, which `topoc explain CODE` prints too: what it finds, why it \
         is bad, what a broker logs, and what to write instead. A fix is *safe* when the meaning is what was plainly intended, \
         *unsafe* when who gets what may change, *shown* when it is only to be looked at.\n",
    );
    for (digits, area) in AREAS {
        let rules: Vec<_> = RULES.iter().filter(|rule| rule.code[4..].starts_with(digits)).collect();
        if rules.is_empty() {
            continue;
        }
        let _ = writeln!(
            page,
            "\n## {area}\n\n| code | rule | level | fix | what it finds |\n| --- | --- | --- | --- | --- |"
        );
        for rule in rules {
            let Rule { code, name, summary, .. } = rule;
            let (level, fix) = (level(rule.level), rule.fix.word());
            let _ = writeln!(page, "| {code} | `{name}` | {level} | {fix} | {} |", cell(summary));
        }
    }
    page
}

fn fields() -> String {
    let mut page = String::from(
        "# Fields\n\nEvery block and every field, as `topoc explain --fields` prints them. A field that has a name in ActiveMQ is that name \
         in kebab-case: `networkTTL` is `network-ttl`. What has a dot in it, such as `wireFormat.maxFrameSize`, stands in an \
         `options { }` block under its own name in quotes.\n",
    );
    for block in BLOCKS {
        let _ = writeln!(page, "\n## {}\n\n{}\n", block.keyword, stands(block));
        let _ = writeln!(page, "```topo fragment\n{}\n```\n", block.example);
        let mut fields: Vec<&Field> = language::fields(block.kind).values().collect();
        fields.sort_by_key(|field| field.rank());
        let (known, plain): (Vec<_>, Vec<_>) = fields.into_iter().partition(|field| !field.doc.is_empty());
        if !known.is_empty() {
            page += "| field | takes | default | in ActiveMQ | meaning |\n| --- | --- | --- | --- | --- |\n";
            known.iter().for_each(|field| row(block, field, &mut page));
        }
        if !plain.is_empty() {
            let _ = writeln!(
                page,
                "\n<details><summary>{} more of ActiveMQ's own, with its defaults and meaning</summary>\n\n| field | takes | in ActiveMQ |\n| --- | --- | --- |",
                plain.len()
            );
            for field in plain {
                let Field { name, real, .. } = field;
                let _ = writeln!(page, "| {} | {} | {} |", name_cell(block, name), cell(&field.ty.words()), code(real));
            }
            page += "\n</details>\n";
        }
    }
    forms(&mut page);
    page
}

fn row(block: &Block, field: &Field, page: &mut String) {
    let (name, takes) = (name_cell(block, &field.name), cell(&field.ty.words()));
    let default = field.default_words();
    let (default, real, doc) = (cell(default.trim_matches('-')), code(field.real), cell(field.doc));
    let _ = writeln!(page, "| {name} | {takes} | {default} | {real} | {doc} |");
}

fn forms(page: &mut String) {
    page.push_str("\n## Other statements\n\n| statement | stands in | does |\n| --- | --- | --- |\n");
    for form in FORMS {
        let _ = writeln!(page, "| `{}` | {} | {} |", cell(form.example), within(form.within), cell(form.doc));
    }
}

/// With an anchor of its own: `#connector.priority`.
fn name_cell(block: &Block, name: &str) -> String {
    format!("<span id=\"{}.{name}\">`{name}`</span>", block.keyword)
}

fn code(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("`{name}`") }
}

fn stands(block: &Block) -> String {
    format!("{} Stands in {}.", sentence(block.doc), within(block.within))
}

fn within(kinds: &[Kind]) -> String {
    let word = |kind: &Kind| match kind {
        Kind::File => "a file".to_owned(),
        kind => language::spec(*kind).map_or_else(String::new, |block| format!("`{}`", block.keyword)),
    };
    kinds.iter().map(word).collect::<Vec<_>>().join(" or ")
}

/// Tables speak in clauses, pages in sentences.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map_or_else(String::new, |first| first.to_uppercase().to_string());
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// What would end a cell of a table or be read as a tag.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('*', "\\*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_an_area() {
        for rule in RULES {
            assert!(AREAS.iter().any(|(digits, _)| rule.code[4..].starts_with(digits)), "{}", rule.code);
            assert!(rules().contains(&format!("| {} | `{}` |", rule.code, rule.name)), "{}", rule.code);
        }
    }

    #[test]
    fn every_field_has_a_row() {
        let page = fields();
        for block in BLOCKS {
            for name in language::fields(block.kind).keys() {
                assert!(page.contains(&format!("id=\"{}.{name}\"", block.keyword)), "{} {name}", block.keyword);
            }
        }
    }
}
