//! Where the fetched brokers, the Java client and the schemas are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LabError;
use crate::schema::{Schema, schema};

/// A broker release that can be started.
#[derive(Clone, Debug)]
pub struct Release {
    name: String,
    home: PathBuf,
    jars: Vec<PathBuf>,
    archive: PathBuf,
}

/// Finds the broker release of this name, as `runtime/lab/fetch` left it: "5.15.16", "5.17.6", "5.18.3" or "6.3.1".
///
/// # Errors
///
/// `NotFetched` when it is not in the cache.
pub fn release(name: &str) -> Result<Release, LabError> {
    let home = piece(&format!("brokers/{name}"))?;
    let jars = jars_under(&home.join("lib"))?;
    let archive = cache().join("archives").join(name).join("classes.jsa");
    Ok(Release { name: name.to_owned(), home, jars, archive })
}

impl Release {
    /// "5.18.3".
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder that ActiveMQ calls its home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The schema of this release's `activemq.xml`.
    ///
    /// # Errors
    ///
    /// `NotFetched` when it is not in the cache.
    pub fn schema(&self) -> Result<Schema, LabError> {
        schema(&self.name)
    }

    /// The class archive that makes starts quicker, if there is one; Java ignores one that does not fit.
    pub(crate) fn archive(&self) -> Option<&Path> {
        self.archive.exists().then_some(self.archive.as_path())
    }

    /// The broker's libraries, then the lab's own classes, then what a test adds.
    pub(crate) fn class_path(&self, more: &[PathBuf]) -> Result<OsString, LabError> {
        let mut jars = self.jars.clone();
        jars.push(lab_classes()?);
        jars.extend_from_slice(more);
        join(&jars)
    }
}

/// The Java client's libraries and the lab's own classes.
pub(crate) fn client_class_path() -> Result<OsString, LabError> {
    let mut jars = jars_under(&piece("client")?.join("lib"))?;
    jars.push(lab_classes()?);
    join(&jars)
}

/// The database, its driver and a connection pool.
pub(crate) fn database_jars() -> Result<Vec<PathBuf>, LabError> {
    jars_under(&piece("database")?.join("lib"))
}

/// The same with the lab's own classes.
pub(crate) fn database_class_path() -> Result<OsString, LabError> {
    let mut jars = database_jars()?;
    jars.push(lab_classes()?);
    join(&jars)
}

/// A fetched folder. It is whole when it has its recipe: `fetch` renames it into place only then.
pub(crate) fn piece(name: &str) -> Result<PathBuf, LabError> {
    let place = cache().join(name);
    if place.join("recipe").exists() { Ok(place) } else { Err(LabError::NotFetched(place)) }
}

fn cache() -> PathBuf {
    match env::var_os("TOPOC_LAB_CACHE") {
        Some(place) => PathBuf::from(place),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache"),
    }
}

/// The folder's own jars, then those of its sub-folders, by name: the order that `fetch` gives to the class archive.
fn jars_under(lib: &Path) -> Result<Vec<PathBuf>, LabError> {
    let lib = lib.canonicalize().map_err(|cause| LabError::at("find", lib, cause))?;
    let (mut jars, mut folders) = (Vec::new(), Vec::new());
    let entries = fs::read_dir(&lib).map_err(|cause| LabError::at("list", &lib, cause))?;
    for entry in entries {
        let path = entry.map_err(|cause| LabError::at("list", &lib, cause))?.path();
        if path.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "jar") {
            jars.push(path);
        }
    }
    jars.sort();
    folders.sort();
    for folder in folders {
        jars.extend(jars_under(&folder)?);
    }
    Ok(jars)
}

fn join(jars: &[PathBuf]) -> Result<OsString, LabError> {
    env::join_paths(jars).map_err(|cause| LabError::io("make a class path", std::io::Error::other(cause)))
}

const SOURCES: [(&str, &str); 10] = [
    ("DatabaseMain.java", include_str!("../java/DatabaseMain.java")),
    ("Frames.java", include_str!("../java/Frames.java")),
    ("Json.java", include_str!("../java/Json.java")),
    ("LabMain.java", include_str!("../java/LabMain.java")),
    ("Load.java", include_str!("../java/Load.java")),
    ("LoadProperties.java", include_str!("../java/LoadProperties.java")),
    ("Messages.java", include_str!("../java/Messages.java")),
    ("Peer.java", include_str!("../java/Peer.java")),
    ("SplitStore.java", include_str!("../java/SplitStore.java")),
    ("Watch.java", include_str!("../java/Watch.java")),
];

/// The lab's Java classes in one jar, compiled when their sources have changed since the last time.
fn lab_classes() -> Result<PathBuf, LabError> {
    let mut hasher = DefaultHasher::new();
    SOURCES.hash(&mut hasher);
    let folder = cache().join("java");
    let jar = folder.join(format!("lab-{:016x}.jar", hasher.finish()));
    if !jar.exists() {
        compile(&folder, &jar)?;
    }
    jar.canonicalize().map_err(|cause| LabError::at("find", &jar, cause))
}

fn compile(folder: &Path, jar: &Path) -> Result<(), LabError> {
    let client = join(&jars_under(&piece("client")?.join("lib"))?)?;
    fs::create_dir_all(folder).map_err(|cause| LabError::at("make", folder, cause))?;
    // Others may compile at the same moment: each in a folder of its own, and whoever renames last wins nothing new.
    let work = tempfile::tempdir_in(folder).map_err(|cause| LabError::at("make a folder in", folder, cause))?;
    let path = |name: &str| work.path().join(name);
    for (name, text) in SOURCES {
        fs::write(path(name), text).map_err(|cause| LabError::at("write", &path(name), cause))?;
    }
    let mut javac = Command::new("javac");
    javac.arg("-cp").arg(client).arg("-d").arg(path("classes")).args(SOURCES.map(|(name, _)| path(name)));
    run(javac, "compile the lab's Java classes with javac (Debian: openjdk-17-jdk-headless)")?;
    let mut pack = Command::new("jar");
    pack.arg("--create").arg("--file").arg(path("lab.jar")).arg("-C").arg(path("classes")).arg(".");
    run(pack, "pack the lab's Java classes with jar (Debian: openjdk-17-jdk-headless)")?;
    fs::rename(path("lab.jar"), jar).map_err(|cause| LabError::at("write", jar, cause))
}

/// Runs a program to its end; an error shows what it said.
pub(crate) fn run(mut command: Command, doing: &str) -> Result<(), LabError> {
    let output = command.output().map_err(|cause| LabError::io(doing, cause))?;
    if output.status.success() {
        return Ok(());
    }
    // keytool complains on standard output.
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    Err(LabError::io(doing, std::io::Error::other(said)))
}
