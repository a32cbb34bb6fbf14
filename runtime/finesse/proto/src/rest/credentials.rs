//! How an agent proves who they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What is sent with every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password (RFC 7617; Developer Guide 12.5(1), "API Authentication").
    Basic {
        /// The agent's id.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token of single sign-on (RFC 6750).
    Bearer(Secret),
}

impl Credentials {
    /// The value of the header `Authorization`.
    #[must_use]
    pub fn header(&self) -> Secret {
        match self {
            Self::Basic { user, password } => {
                let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
                Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            }
            Self::Bearer(token) => Secret::new(format!("Bearer {}", token.expose())),
        }
    }
}
