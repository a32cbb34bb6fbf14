//! The program of connectors, which every connector gets with its own plan inside: where it lies, and what is made of it.

use crate::failure::Failure;
use crate::store::Bytes;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use topoc_plan::Plan;
use topoc_plan::slot::{EmbedError, Place};

/// The program's own name, as it is built and installed.
pub const NAME: &str = "topoc-connector";
/// Where it lies seen from the folder of `topoc` itself: beside it, as `cargo` puts both, or where a package keeps programs
/// that nobody calls (Filesystem Hierarchy Standard 3.0, 4.6 and 4.7).
const PLACES: [&str; 3] = ["", "../lib/topoc", "../libexec/topoc"];

/// Licences of everything that is in the program, which must go where it goes.
pub const THIRD_PARTY: &str = include_str!("../../../runtime/THIRD-PARTY.txt");

/// Where the program may lie: at the one place that was named, or else at those that follow from where `topoc` itself is.
#[must_use]
pub fn places(named: Option<OsString>, topoc: Option<&Path>) -> Vec<PathBuf> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return vec![named.into()];
    }
    let file = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    let folder = topoc.and_then(Path::parent);
    folder.into_iter().flat_map(|folder| PLACES.map(|place| folder.join(place).join(&file))).collect()
}

/// The program, found and looked at.
#[derive(Debug)]
pub(crate) struct Template {
    path: PathBuf,
    bytes: Arc<[u8]>,
    place: Place,
}

impl Template {
    /// Finds the program at the place that is `named`, or else at the first of `places` where there is one, relative to
    /// `folder`. Where there is none, the help ends with what else one can do, `instead`.
    pub(crate) fn find(
        named: Option<&PathBuf>,
        places: &[PathBuf],
        folder: &Path,
        instead: &str,
    ) -> Result<Self, Failure> {
        let places = named.map_or(places, std::slice::from_ref);
        for place in places {
            match std::fs::read(folder.join(place)) {
                Ok(bytes) => return Self::of(place, bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::system("read the program of connectors", place, &error)),
            }
        }
        Err(missing(places, instead))
    }

    fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        let place = Place::of(&bytes).map_err(|error| unusable(path, error))?;
        Ok(Self { path: path.to_owned(), bytes: bytes.into(), place })
    }

    /// The program with a plan inside.
    pub(crate) fn with(&self, plan: &Plan) -> Result<Bytes, Failure> {
        let patch = topoc_plan::encode(plan);
        match self.place.take(&patch) {
            Ok(at) => Ok(Bytes::Patched { base: Arc::clone(&self.bytes), at, patch }),
            Err(EmbedError::TooLong { plan: length, room }) => Err(too_long(plan, length, room)),
            Err(error) => Err(unusable(&self.path, error)),
        }
    }
}

fn missing(places: &[PathBuf], instead: &str) -> Failure {
    let looked = places.iter().map(|place| format!("`{}`", place.display())).collect::<Vec<_>>().join(", ");
    let looked = if looked.is_empty() { "nowhere".to_owned() } else { format!("at {looked}") };
    Failure::new(format!("the program of connectors, `{NAME}`, is missing; it was looked for {looked}")).help(format!(
        "install topoc with its `install`, which puts it in place; or name it with `--template FILE` or TOPOC_TEMPLATE{instead}"
    ))
}

fn unusable(path: &Path, error: EmbedError) -> Failure {
    let failure = Failure::new(format!("`{}` is no program to put a plan into: {error}", path.display()));
    failure.help(match error {
        EmbedError::AlreadyFilled => {
            format!("name a `{NAME}` as it was installed, not one that was built for a connector")
        }
        EmbedError::NoSlot | EmbedError::SeveralSlots => format!("name the `{NAME}` that came with topoc"),
        EmbedError::OtherVersion { .. } => {
            format!("install topoc and `{NAME}` of one version; this topoc is {}", env!("CARGO_PKG_VERSION"))
        }
        _ => format!("install `{NAME}` again: the file is not what was installed"),
    })
}

/// Most of a long plan are the other connectors of its deployment.
fn too_long(plan: &Plan, length: usize, room: usize) -> Failure {
    let peers = plan.deployment.as_ref().map_or(0, |deployment| deployment.connectors.len());
    let message =
        format!("the plan of connector `{}` has {length} bytes, and its program has room for {room}", plan.connector);
    Failure::new(message).help(format!(
        "divide its deployment of {peers} connectors into smaller ones, or leave programs out with `--no-binaries`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_named_is_the_only_one() {
        let topoc = || Some(Path::new("/opt/bin/topoc"));
        assert_eq!(places(Some("/x/y".into()), topoc()), [PathBuf::from("/x/y")]);
        let found = places(Some("".into()), topoc());
        assert_eq!(found.len(), PLACES.len());
        assert!(found[0].ends_with(format!("bin/{NAME}{}", std::env::consts::EXE_SUFFIX)), "{found:?}");
        assert_eq!(places(None, None), [] as [PathBuf; 0]);
    }
}
