//! Entry point of the connector: the program that `topoc build` puts a plan into.

use std::process::ExitCode;

use topoc_connector::command;
use topoc_plan::slot::Slot;

/// As `topoc` has it: thousands of sessions are small values that come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The place that a plan is put into.
#[used]
static SLOT: Slot = Slot::empty();

fn main() -> ExitCode {
    command::main(&SLOT.read(), std::env::args_os())
}
