//! Two minutes of random faults under load; longer ones by the same command, whose options `--help` lists:
//!
//!   cargo test --release -p topoc-connector --test soak -- --minutes 60 --rate 200 --seed 7
//!
//! What is held to what is said in the crate `topoc-soak`.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use topoc_soak::{Options, run};

fn main() -> ExitCode {
    if run(&Options::parse(), Path::new(env!("CARGO_BIN_EXE_topoc-connector"))) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
