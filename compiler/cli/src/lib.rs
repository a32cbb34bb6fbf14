//! The `topoc` command: files, terminal and process control. The only crate with IO on the compiler's side.
pub mod files;
pub mod store;
