//! Keys and certificates for TLS in tests, made anew by the JDK's keytool.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LabError;
use crate::cache::{client_class_path, run};
use crate::process::java_command;

/// An authority of a test's own, and what it has certified: a server at `localhost` and 127.0.0.1, and a client.
///
/// Valid for 30 days. The folder then holds, for Java, `server.p12`, `client.p12` (a key each) and
/// `trust.p12` (the authority), all with [`Certificates::PASSWORD`]; for others `ca.pem`, and
/// `server.pem`, `server-key.pem`, `client.pem` and `client-key.pem` (PKCS #8; the server's key is one on a curve as Java writes
/// it, which OpenSSL takes and ring does not).
#[derive(Clone, Debug)]
pub struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    /// The password of every store.
    pub const PASSWORD: &'static str = "password";

    /// Makes them in a folder, which takes some seconds.
    ///
    /// # Errors
    ///
    /// `Io` when the folder is not there or keytool fails.
    pub fn make(dir: &Path) -> Result<Self, LabError> {
        let dir = dir.canonicalize().map_err(|cause| LabError::at("find", dir, cause))?;
        let all = dir.join("all.p12");
        let authority =
            ["-alias", "ca", "-dname", "CN=authority of a test", "-ext", "bc:c", "-ext", "ku:c=keyCertSign"];
        keytool(&all, &[&P256[..], &authority].concat())?;
        let certified = ["-signer", "ca", "-ext", "ku:c=digitalSignature"];
        let names = "san=dns:localhost,ip:127.0.0.1";
        let server = ["-alias", "server", "-dname", "CN=localhost", "-ext", names, "-ext", "eku=serverAuth"];
        keytool(&all, &[&P256[..], &certified, &server].concat())?;
        let client = ["-alias", "client", "-dname", "CN=client", "-ext", "eku=clientAuth"];
        keytool(&all, &[&RSA[..], &certified, &client].concat())?;
        let mut split = java_command();
        split.arg("-cp").arg(client_class_path()?).arg("SplitStore").arg(&all).arg(Self::PASSWORD);
        run(split, "split a key store")?;
        Ok(Self { dir })
    }

    /// The certificate of the authority, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// The certificate of the client, as PEM.
    #[must_use]
    pub fn client_pem(&self) -> PathBuf {
        self.dir.join("client.pem")
    }

    /// The key of the client, as PEM.
    #[must_use]
    pub fn client_key_pem(&self) -> PathBuf {
        self.dir.join("client-key.pem")
    }

    /// The certificate of the server, as PEM.
    #[must_use]
    pub fn server_pem(&self) -> PathBuf {
        self.dir.join("server.pem")
    }

    /// The key of the server, as PEM.
    #[must_use]
    pub fn server_key_pem(&self) -> PathBuf {
        self.dir.join("server-key.pem")
    }

    /// What a broker shows to its clients: its key and certificate.
    #[must_use]
    pub fn server_store(&self) -> PathBuf {
        self.dir.join("server.p12")
    }

    /// Whom Java trusts: the authority.
    #[must_use]
    pub fn trust_store(&self) -> PathBuf {
        self.dir.join("trust.p12")
    }

    /// What a Java client shows to a broker: its key and certificate.
    #[must_use]
    pub fn client_store(&self) -> PathBuf {
        self.dir.join("client.p12")
    }
}

const P256: [&str; 4] = ["-keyalg", "EC", "-groupname", "secp256r1"];
// For the key that others than Java read: Java's PKCS #8 of a key on a curve lacks its public half, and ring refuses it.
const RSA: [&str; 4] = ["-keyalg", "RSA", "-keysize", "2048"];

fn keytool(store: &Path, arguments: &[&str]) -> Result<(), LabError> {
    let mut command = Command::new("keytool");
    // As for all short-lived Java here: quick starts before quick running.
    command.args(["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"]);
    command.args(["-genkeypair", "-storetype", "PKCS12", "-storepass", Certificates::PASSWORD, "-validity", "30"]);
    command.arg("-keystore").arg(store).args(arguments);
    run(command, "make a key with keytool (Debian: openjdk-17-jdk-headless)")
}
