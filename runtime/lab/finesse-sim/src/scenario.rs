//! Scripted scenarios: commands of the control API, each at its time.
//!
//! ```toml
//! [[step]]
//! at = "5s"
//! do = "break"
//! node = 1
//! service = "tomcat"
//! ```

use serde_json::{Map, Value};

use crate::cluster::{Cluster, Millis};
use crate::commands;

/// A command and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the start, in simulated time.
    pub at: Millis,
    /// The command's name.
    pub command: String,
    /// Its fields.
    pub fields: Map<String, Value>,
}

/// Reads a scenario, and holds every step to what this contact centre has. The steps come back in the order of their times.
///
/// # Errors
/// What is wrong with it, in a sentence that names the step.
pub fn read(text: &str, cluster: &Cluster) -> Result<Vec<Step>, String> {
    let mut table: Map<String, Value> = toml::from_str(text).map_err(|error| error.to_string())?;
    let steps = table.remove("step").unwrap_or(Value::Array(Vec::new()));
    if let Some(unknown) = table.keys().next() {
        return Err(format!("there is nothing named `{unknown}`: a scenario is made of [[step]]"));
    }
    let Value::Array(steps) = steps else { return Err("`step` is a list: write [[step]]".to_owned()) };
    let steps = steps.into_iter().enumerate();
    let mut steps: Vec<Step> = steps
        .map(|(index, value)| step(value, cluster).map_err(|error| format!("step {}: {error}", index + 1)))
        .collect::<Result<_, String>>()?;
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

fn step(value: Value, cluster: &Cluster) -> Result<Step, String> {
    let Value::Object(mut fields) = value else { return Err("it is no table".to_owned()) };
    let mut word = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("`{name}` is text, and not {other}")),
        None => Err(format!("`{name}` is missing")),
    };
    let (at, command) = (word("at")?, word("do")?);
    let at = duration(&at).ok_or_else(|| format!("`{at}` is no time: write `500ms`, `5s` or `2m`"))?;
    commands::checked(cluster, &command, &fields)?;
    Ok(Step { at, command, fields })
}

/// A whole number with `ms`, `s`, `m` or `h` behind it.
#[must_use]
pub fn duration(text: &str) -> Option<Millis> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
