//! What the program can be asked for on its command line.

mod plan;
mod run;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use topoc_plan::{Plan, decode};

use crate::check;
use crate::settings::{Problem, Settings, System};

/// Exit codes, as the program's own help lists them.
pub mod exit {
    /// All is well.
    pub const OK: u8 = 0;
    /// `check` has found something that is wrong, or `run` could not go on.
    pub const WRONG: u8 = 1;
    /// Wrong arguments or settings.
    pub const USAGE: u8 = 2;
    /// There is no plan in the program, or it cannot be used.
    pub const NO_PLAN: u8 = 4;
}

const EXAMPLES: &str = "\
Examples:
  gc-1 plan
      prints what the program was built to do, as JSON
  gc-1 check --properties /etc/gc-1.properties
      tries every broker and every Finesse server, and says what is wrong
  gc-1 run
      works until SIGTERM or Ctrl-C, then finishes what it has in hand; a second one ends it at once

Properties, for those in the plan or beside them:
  ActiveMq_Timeout       has no effect: answers and events wait for a broker, and are bounded in number
  GRC_CONSUMER_PRIORITY  the consumer priority, from 0 to 127
  RANDOMIZE              whether the order of brokers is shuffled
  PRIORITY_BACKUP        whether the connector goes back to its first broker
  ActiveMq_URL_N         broker N, as HOST:PORT
  SERVER_ADDRESS_N       Finesse server N, by its full name

Exit codes: 0 done, 1 something is wrong (check) or there is no broker any more (run), 2 wrong arguments or settings, \
4 no plan in the program, or a damaged one.";

/// A connector between ActiveMQ brokers and Cisco Finesse, built by topoc for one place in one topology.
#[derive(Parser)]
#[command(name = "topoc-connector", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    /// Print the licences of everything that is inside
    #[arg(long)]
    licenses: bool,
    /// Change the plan by the properties in this file, whose names are the Generic Connector's own
    #[arg(long, value_name = "FILE", global = true)]
    properties: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the plan that is inside, as properties change it
    Plan,
    /// Try every broker and every Finesse server, and say what is wrong
    Check,
    /// Take requests from the brokers, and have Finesse do them
    Run,
}

/// The notices of everything that the program is made of.
const LICENSES: &str = include_str!("../THIRD-PARTY.txt");

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
    if arguments.licenses {
        return print(LICENSES.trim_end());
    }
    let plan = match decode(plan) {
        Ok(plan) => plan,
        Err(error) => {
            say(&format!("error: {error}\n  help: build the connector anew with `topoc build`"));
            return ExitCode::from(exit::NO_PLAN);
        }
    };
    match work(plan, &arguments) {
        Ok(code) => code,
        Err(problems) => {
            problems.iter().for_each(|problem| say(&problem.to_string()));
            ExitCode::from(exit::USAGE)
        }
    }
}

fn work(plan: Plan, arguments: &Arguments) -> Result<ExitCode, Vec<Problem>> {
    let properties = arguments.properties.as_deref();
    let settings = |plan| Settings::read(plan, properties, &System);
    match arguments.verb {
        None | Some(Verb::Plan) => plan::print_settled(plan, properties),
        Some(Verb::Check) => {
            let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let findings = runtime()?.block_on(check::all(&settings(plan)?));
            let shown: Vec<String> = findings.iter().map(|finding| finding.shown(coloured)).collect();
            let code = print(&shown.join("\n"));
            let wrong = findings.iter().any(|finding| finding.wrong.is_some());
            Ok(if wrong { ExitCode::from(exit::WRONG) } else { code })
        }
        Some(Verb::Run) => run::run(&settings(plan)?, &runtime()?),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Vec<Problem>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        let what = format!("the system gives no threads or timers: {error}");
        vec![Problem::new(what, "raise the limits of processes and of open files")]
    })
}

fn print(text: &str) -> ExitCode {
    let done = writeln!(std::io::stdout().lock(), "{text}");
    ExitCode::from(if done.is_ok() { exit::OK } else { exit::USAGE })
}

/// Says something to a person. If nobody can hear it there is nothing else to be done.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
