//! Feeds any text to the parser, with the properties of `dsl/tests/common`.
#![no_main]

#[path = "../../tests/common/mod.rs"]
#[allow(dead_code, reason = "each target uses its half")]
mod common;

libfuzzer_sys::fuzz_target!(|text: &str| common::check_parse(text));
