//! TLS for the clients of this workspace: whom to believe, and who one is. rustls does the rest.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

pub use tokio_rustls;

/// What is wrong with certificates, keys, or the files that they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

/// Whom to believe, and who one is. By default the certificate authorities of the system, and nobody.
#[derive(Clone, Default)]
pub struct TlsConfig {
    roots: Option<Vec<CertificateDer<'static>>>,
    client: Option<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>)>,
    believe_anybody: bool,
}

/// Without keys.
impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("roots", &self.roots.as_ref().map_or("of the system".to_owned(), |roots| roots.len().to_string()))
            .field("client", &self.client.is_some())
            .field("believe_anybody", &self.believe_anybody)
            .finish()
    }
}

impl TlsConfig {
    /// Believes the certificate authorities in this PEM text, and no others.
    ///
    /// # Errors
    /// [`TlsError`] when there is none in it, or it cannot be read.
    pub fn roots_pem(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        self.roots.get_or_insert_default().extend(certificates(pem)?);
        Ok(self)
    }

    /// Believes the certificate authorities in a PEM file, and no others.
    ///
    /// # Errors
    /// As [`TlsConfig::roots_pem`], with the path.
    pub fn roots_file(self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        self.roots_pem(&read(path)?).map_err(|error| at(path, &error))
    }

    /// Shows this certificate, with the chain above it, to servers that ask (`needClientAuth` of ActiveMQ), and proves it with this key.
    ///
    /// # Errors
    /// [`TlsError`] when there is no certificate or no private key in the texts.
    pub fn client_pem(mut self, certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError(format!("no private key: {error}")))?;
        self.client = Some((certificates(certificate)?, Arc::new(key)));
        Ok(self)
    }

    /// The same with PEM files.
    ///
    /// # Errors
    /// As [`TlsConfig::client_pem`], with the path.
    pub fn client_files(self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        let texts = (read(certificate)?, read(key)?);
        self.client_pem(&texts.0, &texts.1).map_err(|error| at(certificate, &error))
    }

    /// Believes anybody who answers, whatever certificate it shows. Whoever is on the way can then read and change
    /// everything, passwords included: each connection logs a warning.
    #[must_use]
    pub fn danger_believe_anybody(mut self) -> Self {
        self.believe_anybody = true;
        self
    }

    /// Whether [`TlsConfig::danger_believe_anybody`] was asked for: who opens a connection warns then.
    #[must_use]
    pub fn believes_anybody(&self) -> bool {
        self.believe_anybody
    }

    /// What rustls wants to know, with the provider ring.
    ///
    /// # Errors
    /// [`TlsError`] when the system has no certificate authorities, or rustls refuses a certificate or key.
    pub fn build(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError(error.to_string()))?;
        let builder = if self.believe_anybody {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        } else {
            builder.with_root_certificates(self.root_store()?)
        };
        let config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| TlsError(format!("the client's certificate: {error}")))?,
        };
        Ok(Arc::new(config))
    }

    fn root_store(&self) -> Result<RootCertStore, TlsError> {
        let mut store = RootCertStore::empty();
        match &self.roots {
            Some(roots) => {
                for root in roots {
                    store.add(root.clone()).map_err(|error| TlsError(format!("a root certificate: {error}")))?;
                }
            }
            None => {
                let native = rustls_native_certs::load_native_certs();
                if native.certs.is_empty() {
                    let why = native.errors.first().map_or_else(String::new, |error| format!(": {error}"));
                    return Err(TlsError(format!("the system has no certificate authorities{why}")));
                }
                store.add_parsable_certificates(native.certs);
            }
        }
        Ok(store)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if found.is_empty() => Err(TlsError("no certificate in the PEM text".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(TlsError(format!("a certificate cannot be read: {error}"))),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError(format!("{}: {error}", path.display())))
}

fn at(path: &Path, error: &TlsError) -> TlsError {
    TlsError(format!("{}: {error}", path.display()))
}

/// Believes every certificate; that the peer has its key is still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, tokio_rustls::rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
