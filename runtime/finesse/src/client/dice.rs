//! Chance for the machines: that of TLS, which nobody can guess.

use std::sync::Arc;

use topoc_finesse_proto::chance::Chance;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

/// A source of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) Arc<ClientConfig>);

impl Chance for Dice {
    fn below(&mut self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        // Where the system has none, TLS fails too.
        let _ = self.0.crypto_provider().secure_random.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit.max(1)
    }
}
