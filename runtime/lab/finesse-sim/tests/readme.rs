//! The README's table of commands is the one that the API, scenarios and the page read.

use std::fmt::Write;

use topoc_finesse_sim::commands::{COMMANDS, Kind};

#[test]
fn the_readme_lists_the_commands() {
    let mut table = String::from("| command | does | fields |\n| --- | --- | --- |\n");
    for command in COMMANDS {
        let fields: Vec<String> = command
            .fields
            .iter()
            .map(|field| {
                let words = match field.kind {
                    Kind::Word(words) => format!(" (`{}`)", words.join("`, `")),
                    _ => String::new(),
                };
                let optional = if field.optional { ", if wanted" } else { "" };
                format!("`{}`{words}: {}{optional}", field.name, field.help)
            })
            .collect();
        writeln!(table, "| `{}` | {} | {} |", command.name, command.summary, fields.join("; ")).unwrap();
    }
    let readme = include_str!("../README.md");
    assert!(readme.contains(&table), "the README should say:\n{table}");
}
