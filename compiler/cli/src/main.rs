//! Entry point of the `topoc` binary.
fn main() {}
