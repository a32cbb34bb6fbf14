//! What a connector reads of the machine that it runs on: properties, certificates, the environment.

use std::io;
use std::path::Path;
use std::sync::Arc;

use topoc_plan::{Plan, java, properties};
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

use super::problem::Problem;
use super::secrets;

/// Longest file of properties in bytes.
const LONGEST_PROPERTIES: usize = 1024 * 1024;

/// The environment and the files of the machine, as far as a connector reads them.
pub trait Outside {
    /// A variable of the environment, if it is set to a text.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// This machine.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Outside for System {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let length = std::fs::metadata(path)?.len();
        if length > LONGEST_PROPERTIES as u64 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than a megabyte"));
        }
        std::fs::read_to_string(path)
    }
}

/// The plan as its own properties change it, and then those of a file.
///
/// # Errors
/// What is wrong with them.
pub fn settled(plan: Plan, file: Option<&Path>, outside: &dyn Outside) -> Result<Plan, Vec<Problem>> {
    let own = plan.settled().map_err(|error| {
        let help = "correct the property in the topology, and build the connector anew";
        vec![Problem::new(format!("in the plan {error}"), help)]
    })?;
    let Some(path) = file else { return Ok(own) };
    let shown = path.display();
    let text = outside.file(path).map_err(|error| {
        let help = "name the file that `--properties` is to read, and let the user read it as whom the connector runs";
        vec![Problem::new(format!("`{shown}` cannot be read: {error}"), help)]
    })?;
    let read = java::parse(&text).map_err(|error| {
        let what = format!("`{shown}` has a `\\u` without four hexadecimal digits in line {}", error.line);
        vec![Problem::new(what, "write the backslash twice")]
    })?;
    let unknown: Vec<Problem> = read
        .iter()
        .filter(|(name, _)| properties::known(name).is_none())
        .map(|(name, _)| unknown(path, name))
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    own.with(&read).map_err(|error| {
        vec![Problem::new(format!("in `{shown}` {error}"), format!("correct `{}`, or leave it out", error.name))]
    })
}

fn unknown(path: &Path, name: &str) -> Problem {
    let what = format!("`{}` has the property `{name}`, which has no meaning here", path.display());
    let help = match properties::meant(name) {
        Some(meant) => format!("write `{meant}`"),
        None => "leave it out; `connector --help` lists those that have one".to_owned(),
    };
    Problem::new(what, help)
}

/// Whom brokers' certificates have to come from, and who the connector is to brokers that ask.
pub(super) fn broker_tls(plan: &Plan, outside: &dyn Outside, problems: &mut Vec<Problem>) -> TlsConfig {
    let mut tls = roots("brokers", plan.tls.broker_roots.as_deref(), outside, problems);
    if let Some(identity) = &plan.tls.broker_identity {
        let chain = text("the connector's certificate", &identity.certificate, outside, problems);
        let key = secrets::read("the private key of the connector's certificate", &identity.key, outside, problems);
        if let (Some(chain), Some(key)) = (chain, key) {
            match tls.clone().client_pem(chain.as_bytes(), key.expose().as_bytes()) {
                Ok(known) => tls = known,
                Err(error) => problems.push(Problem::new(
                    format!("the connector's certificate `{}` cannot be used: {error}", identity.certificate),
                    "write the certificate, its chain and its key as PEM",
                )),
            }
        }
    }
    if let Err(error) = tls.build() {
        problems.push(no_authorities(&error));
    }
    tls
}

/// Whom the certificates of Finesse servers have to come from.
pub(super) fn finesse_tls(
    plan: &Plan,
    outside: &dyn Outside,
    problems: &mut Vec<Problem>,
) -> Option<Arc<ClientConfig>> {
    let tls = roots("Finesse servers", plan.tls.finesse_roots.as_deref(), outside, problems);
    tls.build().map_err(|error| problems.push(no_authorities(&error))).ok()
}

fn no_authorities(error: &topoc_tls::TlsError) -> Problem {
    let help =
        "install the certificate authorities of the system (`ca-certificates`), or name a file of them in the topology";
    Problem::new(format!("TLS cannot be set up: {error}"), help)
}

fn roots(of: &str, path: Option<&str>, outside: &dyn Outside, problems: &mut Vec<Problem>) -> TlsConfig {
    let tls = TlsConfig::default();
    let Some(path) = path else { return tls };
    let Some(pem) = text(&format!("the certificate authorities of {of}"), path, outside, problems) else { return tls };
    tls.roots_pem(pem.as_bytes()).unwrap_or_else(|error| {
        let what = format!("the certificate authorities of {of} in `{path}` cannot be used: {error}");
        problems.push(Problem::new(what, "write at least one certificate there, as PEM"));
        TlsConfig::default()
    })
}

fn text(what: &str, path: &str, outside: &dyn Outside, problems: &mut Vec<Problem>) -> Option<String> {
    let read = outside.file(Path::new(path));
    read.map_err(|error| {
        let what = format!("{what} cannot be read from `{path}`: {error}");
        problems.push(Problem::new(what, "write the file there, or name another one in the topology"));
    })
    .ok()
}

/// What is wrong with the brokers' URI. It is not repeated: one that was written by hand may hold a password.
pub(super) fn unusable_uri(error: &topoc_openwire::Error) -> Problem {
    let what = match error {
        topoc_openwire::Error::Uri(error) => format!("the brokers' URI {}", error.reason),
        error => format!("the brokers' URI cannot be used: {error}"),
    };
    Problem::new(what, "correct it in the topology, and build the connector anew")
}
