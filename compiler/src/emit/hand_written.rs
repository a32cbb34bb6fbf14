//! Properties that have no field, and secrets by reference: what connector and client properties share.

use super::write::properties::Properties;
use crate::model::{Dialer, PropertyValue};
use crate::value::Secret;

/// The properties that were written with `property "KEY" = ...`.
pub(super) fn properties(dialer: &Dialer, out: &mut Properties) {
    if !dialer.properties.is_empty() {
        out.blank();
    }
    for (key, value) in &dialer.properties {
        match value {
            PropertyValue::Text(text) => out.entry(&key.value, &text.value),
            PropertyValue::Secret(secret) => out.entry(&key.value, &variable(&secret.value)),
        };
    }
}

/// A secret as a variable that whoever reads the file fills in.
pub(super) fn variable(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("${{{name}}}"),
        Secret::File(path) => format!("${{file:{path}}}"),
        // `literal-password` is an error, so no checked model has one; its text was never kept.
        Secret::Literal => String::new(),
    }
}
