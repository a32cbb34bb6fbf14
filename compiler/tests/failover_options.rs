//! The failover tables in code say what the data file says, row for row.

use toml::{Table, Value};
use topoc_compiler::options::{CLUSTER_ATTRIBUTES, FAILOVER, OptionSpec, OptionType, failover_wrong_name};

const DATA: &str = include_str!("data/failover-options.toml");

#[test]
fn failover_options_are_those_of_the_file() {
    let rows = rows("option");
    assert_eq!(names(FAILOVER), rows.iter().map(|row| text(row, "name")).collect::<Vec<_>>());
    for (spec, row) in FAILOVER.iter().zip(&rows) {
        assert_eq!(spec.ty, option_type(text(row, "type")), "{}", spec.name);
        check(spec, row);
        if let Some(wrong) = row.get("wrong_name").and_then(Value::as_str) {
            assert_eq!(failover_wrong_name(wrong).and_then(|it| it.right), Some(spec.name));
        }
    }
}

#[test]
fn cluster_attributes_are_those_of_the_file() {
    let rows = rows("listener");
    assert_eq!(names(CLUSTER_ATTRIBUTES), rows.iter().map(|row| text(row, "name")).collect::<Vec<_>>());
    for (spec, row) in CLUSTER_ATTRIBUTES.iter().zip(&rows) {
        check(spec, row);
        if let Some(needed) = row.get("needs").and_then(Value::as_str) {
            assert_eq!(spec.note, format!("needs {needed}"));
        }
    }
}

fn check(spec: &OptionSpec, row: &Table) {
    assert!(same_default(spec, &row["default"]), "{}: {} is not {}", spec.name, spec.default, row["default"]);
    if row.contains_key("note") && row["name"].as_str() != Some("updateClusterFilter") {
        assert_eq!(spec.note, text(row, "note"), "{}", spec.name);
    }
}

fn same_default(spec: &OptionSpec, default: &Value) -> bool {
    match default {
        Value::String(text) => spec.default == text,
        Value::Boolean(flag) => spec.default == flag.to_string(),
        Value::Integer(number) => spec.default == number.to_string(),
        Value::Float(number) => spec.default.parse() == Ok(*number),
        _ => false,
    }
}

fn option_type(name: &str) -> OptionType {
    match name {
        "milliseconds" => OptionType::Millis,
        "boolean" => OptionType::Boolean,
        "number" => OptionType::Number,
        "integer" => OptionType::Integer,
        "bytes" => OptionType::Bytes,
        "url" => OptionType::Url,
        "uri-list" => OptionType::UriList,
        "broker URI options" => OptionType::Text,
        other => panic!("no such type: {other}"),
    }
}

fn rows(kind: &str) -> Vec<Table> {
    let file: Table = DATA.parse().expect("the file is TOML");
    let rows = file[kind].as_array().expect("a list of rows");
    rows.iter().map(|row| row.as_table().expect("a row").clone()).collect()
}

fn names(specs: &[OptionSpec]) -> Vec<&str> {
    specs.iter().map(|spec| spec.name).collect()
}

fn text<'a>(row: &'a Table, key: &str) -> &'a str {
    row[key].as_str().expect("a text")
}
