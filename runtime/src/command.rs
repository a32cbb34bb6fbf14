//! What the program can be asked for on its command line.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use topoc_plan::{Plan, decode};

/// Exit codes, as the program's own help lists them.
pub mod exit {
    /// All is well.
    pub const OK: u8 = 0;
    /// Wrong arguments or settings.
    pub const USAGE: u8 = 2;
    /// There is no plan in the program, or it cannot be used.
    pub const NO_PLAN: u8 = 4;
}

const EXAMPLES: &str = "\
Examples:
  gc-1 plan
      prints what the program was built to do, as JSON

Exit codes: 0 done, 2 wrong arguments or settings, 4 no plan in the program, or a damaged one.";

/// A connector between ActiveMQ brokers and Cisco Finesse, built by topoc for one place in one topology.
#[derive(Parser)]
#[command(name = "topoc-connector", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the plan that is inside
    Plan,
}

/// Does what the arguments say with the plan's bytes.
#[must_use]
pub fn main(plan: &[u8], arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing can be said if the terminal is gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::OK });
        }
    };
    let plan = match decode(plan) {
        Ok(plan) => plan,
        Err(error) => {
            say(&format!("error: {error}"));
            return ExitCode::from(exit::NO_PLAN);
        }
    };
    match arguments.verb {
        Verb::Plan => print(&plan),
    }
}

fn print(plan: &Plan) -> ExitCode {
    let text = serde_json::to_string_pretty(plan).unwrap_or_default();
    let done = writeln!(std::io::stdout().lock(), "{text}");
    ExitCode::from(if done.is_ok() { exit::OK } else { exit::USAGE })
}

/// Says something to a person. If nobody can hear it there is nothing else to be done.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
