//! A web server of a test's own: its certificate, and how it reads requests and writes answers.

#![allow(dead_code, reason = "each file of tests uses what it needs")]

use std::sync::{Arc, LazyLock};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::rustls::ServerConfig;
use topoc_tls::tokio_rustls::rustls::crypto::ring;
use topoc_tls::tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a server shows, and what a client believes.
pub(crate) struct Identity {
    pub(crate) server: Arc<ServerConfig>,
    /// Nothing but this server's certificate.
    pub(crate) roots: TlsConfig,
    /// The same as text.
    pub(crate) pem: String,
}

/// That of all servers of a file of tests, at `localhost`.
pub(crate) static IDENTITY: LazyLock<Identity> = LazyLock::new(Identity::new);

impl Identity {
    /// One that nobody else has.
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows the versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("they fit");
        let pem = made.cert.pem();
        let roots = TlsConfig::default().roots_pem(pem.as_bytes()).expect("a root");
        Self { server: Arc::new(server), roots, pem }
    }
}

/// The next request, head and body; `None` if none comes. What was read is in `bytes`: there is one request at a time.
pub(crate) async fn request<S: AsyncRead + Unpin>(stream: &mut S, bytes: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                bytes.clear();
                return Some(text);
            }
        }
        let mut some = [0; 4096];
        match stream.read(&mut some).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&some[..count]),
            _ => return None,
        }
    }
}

/// An answer; the body of a 301 says where to go.
pub(crate) fn answer(status: u16, body: &str) -> String {
    let (location, body) = match status {
        301 => (format!("Location: {body}\r\n"), ""),
        _ => (String::new(), body),
    };
    format!("HTTP/1.1 {status} X\r\n{location}Content-Length: {}\r\n\r\n{body}", body.len())
}
