//! What must never be read in a log: passwords and tokens.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A password or a token. It shows itself to nobody who does not call [`Secret::expose`]; copies share the one text, which is
/// overwritten when the last of them goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Keeps a text secret from here on. The caller's own copies are the caller's.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text itself, for the place that sends it and for no other.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `[secret]`, and not even its length.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
