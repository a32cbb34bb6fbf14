//! How the output formats are spelled: escaping, order and layout, the same bytes for the same content.

pub mod properties;
pub mod xml;
