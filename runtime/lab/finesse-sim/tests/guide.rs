//! The guide's page is true: its table of commands is the one that the API, scenarios and the page read, its scenarios are read,
//! and its options exist; and the page in the browser has all commands, too.

use std::fmt::Write;
use std::process::Command;

use topoc_finesse_sim::cluster::{Cluster, Config, NOT_HERE};
use topoc_finesse_sim::commands::{COMMANDS, Kind};
use topoc_finesse_sim::scenario;

const GUIDE: &str = include_str!("../../../../docs/guide/finesse-simulator.md");

#[test]
fn the_guide_lists_the_commands() {
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
    assert!(GUIDE.contains(&table), "the guide should say:\n{table}");
}

#[test]
fn every_command_has_a_control_of_its_own_on_the_page() {
    const PAGE: &str = include_str!("../src/page.html");
    for command in COMMANDS {
        assert!(PAGE.contains(&format!("\"{}\"", command.name)), "{} is for the form at the end only", command.name);
    }
}

#[test]
fn the_guide_lists_what_is_not_there() {
    let mut table = String::from("| not simulated | resources |\n| --- | --- |\n");
    for (about, names) in NOT_HERE {
        writeln!(table, "| {about} | `{}` |", names.join("`, `")).unwrap();
    }
    assert!(GUIDE.contains(&table), "the guide should say:\n{table}");
}

#[test]
fn the_scenarios_of_the_guide_are_read() {
    let cluster = Cluster::new(Config::new(10, &["a.test", "b.test"]), 0);
    let blocks: Vec<&str> = GUIDE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        assert!(!scenario::read(block, &cluster).unwrap().is_empty(), "{block}");
    }
}

#[test]
fn the_options_of_the_guide_exist() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_finesse-sim"));
    program.arg("--help");
    let output = topoc_lab::output(program).unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let options: Vec<&str> = GUIDE
        .split(|c: char| !(c == '-' || c.is_ascii_alphanumeric()))
        .filter(|word| word.len() > 3 && word.starts_with("--") && !word.starts_with("---"))
        .collect();
    assert!(options.len() > 10, "{options:?}");
    for option in options {
        assert!(help.contains(option), "there is no {option}");
    }
}
