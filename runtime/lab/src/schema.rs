//! Holds an `activemq.xml` against the XML schema of a release, with xmllint.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LabError;
use crate::cache::{Release, piece};

/// What a release lets an `activemq.xml` say: its own schema and that of Spring's beans.
#[derive(Clone, Debug)]
pub struct Schema {
    release: String,
    file: PathBuf,
}

/// Finds the schema of a release: those that can be started, and "5.6.0".
///
/// # Errors
///
/// `NotFetched` when it is not in the cache.
pub fn schema(release: &str) -> Result<Schema, LabError> {
    let file = piece(&format!("schemas/{release}"))?.join("all.xsd");
    Ok(Schema { release: release.to_owned(), file })
}

/// Validates a file against the schema of a release that can be started.
///
/// # Errors
///
/// See [`Schema::validate`].
pub fn validate_xml(release: &Release, file: &Path) -> Result<(), LabError> {
    release.schema()?.validate(file)
}

impl Schema {
    /// The file with ActiveMQ's own elements alone, for a validator other than xmllint.
    #[must_use]
    pub fn activemq(&self) -> PathBuf {
        self.file.with_file_name("activemq.xsd")
    }

    /// Validates a file.
    ///
    /// # Errors
    ///
    /// `NotValid` with xmllint's complaints, each with its line number; `Io` when xmllint cannot be run.
    pub fn validate(&self, file: &Path) -> Result<(), LabError> {
        let output = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .arg(&self.file)
            .arg(file)
            .output()
            .map_err(|cause| LabError::io("run xmllint (Debian: libxml2-utils)", cause))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let complaints = said.lines().filter(|line| !line.ends_with("fails to validate")).map(str::to_owned).collect();
        Err(LabError::NotValid { file: file.to_path_buf(), release: self.release.clone(), complaints })
    }
}
