//! `plan`: what the program was built to do.

use std::path::Path;
use std::process::ExitCode;

use topoc_plan::Plan;

use crate::settings::{Problem, System, settled};

/// Prints the plan as JSON: as it is, or as properties change it where there is a file of them.
pub(super) fn print_settled(plan: Plan, properties: Option<&Path>) -> Result<ExitCode, Vec<Problem>> {
    let plan = if properties.is_some() { settled(plan, properties, &System)? } else { plan };
    Ok(super::print(&serde_json::to_string_pretty(&plan).unwrap_or_default()))
}
