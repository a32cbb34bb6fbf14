//! The tests that own every snapshot live in `tests/`; this crate has no code of its own.
