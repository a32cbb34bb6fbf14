//! The verbs: each is a file, and returns the exit code.

mod build;
mod check;
mod completions;
mod explain;
mod fmt;
#[cfg(target_os = "linux")]
mod guard;
mod lsp;
mod man;
mod new;
#[cfg_attr(not(target_os = "linux"), path = "command/up_elsewhere.rs")]
mod up;

use crate::args::{Args, Verb};
use crate::failure::Failure;
use crate::terminal::Io;

/// Does what the arguments ask for.
pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<u8, Failure> {
    match &args.verb {
        Verb::Check(args) => check::run(args, io),
        Verb::Build(args) => build::run(args, io),
        Verb::Fmt(args) => fmt::run(args, io),
        Verb::Explain(args) => explain::run(args, io),
        Verb::New(args) => new::run(args, io),
        Verb::Completions(args) => completions::run(args, io),
        Verb::Man(args) => man::run(args, io),
        Verb::Lsp(args) => lsp::run(args, io),
        Verb::Up(args) => up::run(args, io),
        #[cfg(target_os = "linux")]
        Verb::Guard(args) => guard::run(args),
    }
}
