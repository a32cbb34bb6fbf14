//! `.topoc-build`: what a build is about to write, so that after a kill the next build knows these files as its own.
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::folder::Folder;
use super::manifest::{Digest, Row};
use super::paths;

/// What interrupted builds were about to write. One path may occur with several hashes, one from each build.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) rows: BTreeSet<Row>,
    hashes: HashMap<String, Vec<Digest>>,
}

#[derive(Serialize)]
struct Written<'a> {
    rows: &'a BTreeSet<Row>,
}

#[derive(Default, Deserialize)]
struct Read {
    rows: BTreeSet<Row>,
}

impl Journal {
    /// `None` when no build was interrupted.
    pub(super) fn load(folder: &Folder<'_>) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = folder.read_if_there(paths::JOURNAL)? else { return Ok(None) };
        // An unreadable journal claims nothing: at worst the build refuses to overwrite files.
        let Read { mut rows } = serde_json::from_slice(&bytes).unwrap_or_default();
        rows.retain(|row| paths::check(&row.path).is_ok());
        let mut hashes: HashMap<String, Vec<Digest>> = HashMap::new();
        for row in &rows {
            hashes.entry(row.path.clone()).or_default().push(row.sha256);
        }
        Ok(Some(Self { rows, hashes }))
    }

    pub(super) fn render(rows: &BTreeSet<Row>) -> Vec<u8> {
        serde_json::to_vec(&Written { rows }).expect("strings and numbers always have a JSON form")
    }

    pub(super) fn mentions(&self, path: &str) -> bool {
        self.hashes.contains_key(path)
    }

    /// Whether a file with this content at this path is what an interrupted build left. After a power loss a file that
    /// was just written may hold nothing, or only NULs.
    pub(super) fn knows(&self, path: &str, content: &[u8]) -> bool {
        self.hashes
            .get(path)
            .is_some_and(|hashes| content.iter().all(|byte| *byte == 0) || hashes.contains(&Digest::of(content)))
    }
}
