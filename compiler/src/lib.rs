//! Syntax to model, model to diagnostics, model to artifacts. Pure: no files, no clock, no environment.

pub mod emit;
pub mod release;
pub mod schema;
