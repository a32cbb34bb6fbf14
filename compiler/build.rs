//! Turns the two data files about ActiveMQ's broker XML into sorted Rust tables, so that nothing is parsed at run time.
#![expect(clippy::disallowed_methods, reason = "a build script reads its inputs and writes into OUT_DIR")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

const SCHEMA: &str = "data/activemq-schema.json";
const EXACT: &str = "data/activemq-exact.json";

type Failure = Box<dyn Error>;
type Release = (u8, u8, u8);

/// What is known about one name: first release with it, first without it, and spans `[from, until)` without it.
#[derive(Default)]
struct Presence {
    since: Option<Release>,
    gone: Option<Release>,
    absent: Vec<(Release, Release)>,
}

/// An element alone, or an element with an attribute or a child.
type Key = (String, Kind, String);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Element,
    Attribute,
    Child,
}

/// Everything that the tables are made of.
struct Source {
    samples: Vec<Release>,
    exact: BTreeMap<Key, Presence>,
}

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SCHEMA}");
    println!("cargo::rerun-if-changed={EXACT}");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(SCHEMA)?)?;
    let exact: Value = serde_json::from_str(&std::fs::read_to_string(EXACT)?)?;
    let mut source = Source { samples: samples(&schema)?, exact: exact_rows(&exact)? };
    let tables = tables(&schema, &mut source)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("schema_tables.rs");
    Ok(std::fs::write(out, tables)?)
}

fn tables(schema: &Value, source: &mut Source) -> Result<String, Failure> {
    let mut out = String::new();
    let samples: String = source.samples.iter().map(|&release| format!("{}, ", written(release))).collect();
    writeln!(out, "static SAMPLED: &[Release] = &[{samples}];")?;
    writeln!(out, "static ELEMENTS: &[Element] = &[")?;
    for (name, element) in sorted(&schema["elements"])? {
        write_element(&mut out, name, element, source)?;
    }
    writeln!(out, "];")?;
    if let Some(key) = source.exact.keys().next() {
        return Err(format!("{EXACT} has a row for {key:?}, which {SCHEMA} does not have").into());
    }
    Ok(out)
}

fn write_element(out: &mut String, name: &str, element: &Value, source: &mut Source) -> Result<(), Failure> {
    let class = text(element, "class")?;
    let presence = presence(element, &(name.into(), Kind::Element, String::new()), source)?;
    writeln!(out, "Element {{ name: {name:?}, class: {class:?}, presence: {presence}, attributes: &[")?;
    for (attribute, facts) in sorted(&element["attributes"])? {
        let presence = self::presence(facts, &(name.into(), Kind::Attribute, attribute.clone()), source)?;
        let ty = attr_type(text(facts, "type")?)?;
        let was = match &facts["type-was"] {
            Value::Array(types) => {
                types.iter().filter_map(Value::as_str).map(attr_type).collect::<Result<Vec<_>, _>>()?
            }
            _ => Vec::new(),
        };
        writeln!(
            out,
            "Attribute {{ name: {attribute:?}, ty: {ty}, was: &[{}], presence: {presence} }},",
            was.join(", ")
        )?;
    }
    writeln!(out, "], children: &[")?;
    for (child, facts) in sorted(&element["children"])? {
        let presence = self::presence(facts, &(name.into(), Kind::Child, child.clone()), source)?;
        let mut elements: Vec<&str> =
            facts["elements"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        elements.sort_unstable();
        writeln!(out, "Child {{ name: {child:?}, elements: &{elements:?}, presence: {presence} }},")?;
    }
    Ok(writeln!(out, "] }},")?)
}

/// The presence of one name as Rust text: the exact row if there is one, else what the samples say.
fn presence(facts: &Value, key: &Key, source: &mut Source) -> Result<String, Failure> {
    let known = match source.exact.remove(key) {
        Some(exact) => exact,
        // A sample cannot say where a hole begins and ends.
        None if !facts["holes"].is_null() => return Err(format!("{key:?} has holes and needs a row in {EXACT}").into()),
        None => Presence { since: release_in(facts, "since")?, gone: release_in(facts, "gone")?, absent: Vec::new() },
    };
    let option = |release: Option<Release>| release.map_or("None".into(), |r| format!("Some({})", written(r)));
    let absent: String =
        known.absent.iter().map(|&(from, until)| format!("({}, {}), ", written(from), written(until))).collect();
    Ok(format!("Presence {{ since: {}, gone: {}, absent: &[{absent}] }}", option(known.since), option(known.gone)))
}

fn exact_rows(exact: &Value) -> Result<BTreeMap<Key, Presence>, Failure> {
    let rows = exact["rows"].as_array().ok_or("no `rows`")?;
    rows.iter().map(exact_row).collect()
}

fn exact_row(row: &Value) -> Result<(Key, Presence), Failure> {
    let element = text(row, "element")?.to_owned();
    let key = match (&row["attribute"], &row["child"]) {
        (Value::String(attribute), _) => (element, Kind::Attribute, attribute.clone()),
        (_, Value::String(child)) => (element, Kind::Child, child.clone()),
        _ => (element, Kind::Element, String::new()),
    };
    let mut absent = Vec::new();
    for span in row["absent"].as_array().into_iter().flatten() {
        absent.push((release(span[0].as_str().unwrap_or_default())?, release(span[1].as_str().unwrap_or_default())?));
    }
    Ok((key, Presence { since: release_in(row, "since")?, gone: release_in(row, "gone")?, absent }))
}

fn samples(schema: &Value) -> Result<Vec<Release>, Failure> {
    let names = schema["releases"].as_array().ok_or("no `releases`")?;
    let mut samples =
        names.iter().map(|name| release(name.as_str().unwrap_or_default())).collect::<Result<Vec<_>, _>>()?;
    samples.sort_unstable();
    Ok(samples)
}

fn attr_type(name: &str) -> Result<&'static str, Failure> {
    Ok(match name {
        "boolean" => "AttrType::Boolean",
        "short" => "AttrType::Short",
        "integer" => "AttrType::Integer",
        "long" => "AttrType::Long",
        "float" => "AttrType::Float",
        "double" => "AttrType::Double",
        "string" => "AttrType::Text",
        "ID" => "AttrType::Id",
        other => return Err(format!("unknown attribute type `{other}`").into()),
    })
}

/// Object members in the byte order that binary search needs, whatever order the JSON library keeps.
fn sorted(object: &Value) -> Result<Vec<(&String, &Value)>, Failure> {
    let map: &Map<String, Value> = object.as_object().ok_or("not an object")?;
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|&(name, _)| name);
    Ok(members)
}

fn text<'v>(object: &'v Value, field: &str) -> Result<&'v str, Failure> {
    object[field].as_str().ok_or_else(|| format!("no `{field}` in {object}").into())
}

fn release_in(object: &Value, field: &str) -> Result<Option<Release>, Failure> {
    object[field].as_str().map(release).transpose()
}

fn release(name: &str) -> Result<Release, Failure> {
    let numbers = name.split('.').map(str::parse).collect::<Result<Vec<u8>, _>>()?;
    let &[major, minor, patch] = numbers.as_slice() else { return Err(format!("`{name}` is no release").into()) };
    Ok((major, minor, patch))
}

fn written((major, minor, patch): Release) -> String {
    format!("Release::new({major}, {minor}, {patch})")
}
