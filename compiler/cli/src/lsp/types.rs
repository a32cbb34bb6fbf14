//! The only file that names the crate of protocol types: it is young, and another version may spell them another way.

pub(super) use gen_lsp_types::*;
