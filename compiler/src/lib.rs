//! Syntax to model, model to diagnostics, model to artifacts. Pure: no files, no clock, no environment.

pub mod emit;
pub mod kebab;
pub mod options;
pub mod release;
pub mod schema;
pub mod suggest;
pub mod uri;
