//! Two minutes of random faults under load. `--help` lists what else there is; an hour is:
//!
//!   cargo test --release -p topoc-connector --test soak -- --minutes 60 --seed 7
//!
//! What it is held to, the crate `topoc-soak` says.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use topoc_soak::{Options, run};

fn main() -> ExitCode {
    let options = Options::parse();
    let right = !options.wants("soak") || run(&options, Path::new(env!("CARGO_BIN_EXE_topoc-connector")));
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
