//! `topoc up` where it is not there.

use crate::args::UpArgs;
use crate::failure::Failure;
use crate::terminal::Io;

pub(super) fn run(_: &UpArgs, _: &mut Io<'_>) -> Result<u8, Failure> {
    Err(Failure::new(
        "`topoc up` needs Linux: nowhere else can it be sure to end what it has started when it is killed",
    )
    .help("run it on a Linux machine, in a virtual machine or in a container; `check`, `build` and `lsp` work here"))
}
