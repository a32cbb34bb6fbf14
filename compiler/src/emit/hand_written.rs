//! Properties that have no field, and secrets by reference: what connector and client properties share.

use super::write::properties::Properties;
use crate::model::{Dialer, PropertyValue};

/// The properties that were written with `property "KEY" = ...`.
pub(super) fn properties(dialer: &Dialer, out: &mut Properties) {
    if !dialer.properties.is_empty() {
        out.blank();
    }
    for (key, value) in &dialer.properties {
        match value {
            PropertyValue::Text(text) => out.entry(&key.value, &text.value),
            PropertyValue::Secret(secret) => out.entry(&key.value, &secret.value.to_string()),
        };
    }
}
