//! Chance that nobody can guess, from the provider of TLS.

use topoc_tls::tokio_rustls::rustls::ClientConfig;

/// Fills bytes with chance. Where the system has none, they stay as they are, and TLS fails too.
pub(crate) fn fill(tls: &ClientConfig, bytes: &mut [u8]) {
    let _ = tls.crypto_provider().secure_random.fill(bytes);
}

/// As many bytes of chance.
pub(crate) fn bytes<const N: usize>(tls: &ClientConfig) -> [u8; N] {
    let mut bytes = [0; N];
    fill(tls, &mut bytes);
    bytes
}
