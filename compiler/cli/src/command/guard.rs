//! `topoc guard`: becomes a program that ends with whoever started it. For `topoc up` alone.

use crate::args::GuardArgs;
use crate::failure::Failure;
use crate::up::process;

pub(super) fn run(args: &GuardArgs) -> Result<u8, Failure> {
    Err(process::become_guarded(args.parent, &args.command))
}
