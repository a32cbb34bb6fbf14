//! What topoc writes: one emitter per artifact. How the formats are spelled is in `write`.

pub mod write;
