//! `topoc lsp`: serves an editor until it says exit.

use crate::args::LspArgs;
use crate::failure::Failure;
use crate::lsp;
use crate::terminal::Io;

pub(super) fn run(_: &LspArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    lsp::serve(std::io::stdin(), &mut io.stdout)
        .map_err(|error| Failure::new(format!("the connection with the editor failed: {error}")))
}
