//! The programs that a topology needs on this machine: where each is looked for, and what to do about one that is missing.

use crate::failure::Failure;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use topoc_compiler::model::Model;
use topoc_compiler::release::{self, Release};

/// What was found.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) java: PathBuf,
    pub(super) activemq: ActiveMq,
    /// None where it is not needed.
    pub(super) simulator: Option<PathBuf>,
}

/// An installation of ActiveMQ.
#[derive(Debug)]
pub(super) struct ActiveMq {
    pub(super) home: PathBuf,
    /// "6.3.1".
    pub(super) release: String,
}

/// Where packages and people put it.
const USUAL: [&str; 4] = ["/opt/activemq", "/opt/apache-activemq", "/usr/local/activemq", "/usr/share/activemq"];

/// The folders of an installation's libraries, in the order in which its own script has them.
const LIBRARIES: [&str; 4] = ["lib", "lib/optional", "lib/web", "lib/extra"];

impl Tools {
    /// Finds everything that the topology needs, or says of each that is missing how to get it.
    pub(super) fn find(model: &Model, activemq: Option<&Path>, simulator: Option<&Path>) -> Result<Self, Failure> {
        let release = model.topology.activemq.as_ref().map_or(release::newest(), |set| set.value.release);
        let java = on_path("java").ok_or_else(|| {
            "there is no `java`: brokers need Java 17 or later, such as Debian's `openjdk-17-jre-headless`".to_owned()
        });
        let activemq = ActiveMq::find(activemq, release);
        let simulator = (!model.finesse.is_empty()).then(|| find_simulator(simulator)).transpose();
        match (java, activemq, simulator) {
            (Ok(java), Ok(activemq), Ok(simulator)) => Ok(Self { java, activemq, simulator }),
            (java, activemq, simulator) => {
                let missing = [java.err(), activemq.err(), simulator.err()];
                let missing: Vec<String> = missing.into_iter().flatten().collect();
                Err(Failure::new("this machine lacks what the topology needs").help(missing.join("\n        ")))
            }
        }
    }
}

impl ActiveMq {
    fn find(named: Option<&Path>, release: Release) -> Result<Self, String> {
        let get = || {
            format!(
                "unpack a distribution of ActiveMQ Classic, such as apache-activemq-{release}-bin.tar.gz from \
                 activemq.apache.org, anywhere, and say where: `--activemq DIR`, or the variable ACTIVEMQ_HOME"
            )
        };
        if let Some(named) = named {
            return Self::at(named).ok_or_else(|| {
                let at = named.display();
                format!("`{at}` is no ActiveMQ: it has no `lib/activemq-broker-*.jar`; {}", get())
            });
        }
        let set = env::var_os("ACTIVEMQ_HOME").map(PathBuf::from);
        // `bin/activemq` may be a link into the distribution.
        let script = on_path("activemq").and_then(|script| script.canonicalize().ok());
        let around = script.as_deref().and_then(Path::parent).and_then(Path::parent).map(Path::to_owned);
        let mut places = set.into_iter().chain(around).chain(USUAL.map(PathBuf::from));
        places.find_map(|place| Self::at(&place)).ok_or_else(|| format!("there is no ActiveMQ: {}", get()))
    }

    fn at(home: &Path) -> Option<Self> {
        let mut names = fs::read_dir(home.join("lib")).ok()?.flatten().map(|entry| entry.file_name());
        let release = names.find_map(|name| broker_release(&name))?;
        Some(Self { home: home.canonicalize().ok()?, release })
    }

    /// What `java` is told to start a broker with this file, in a folder of its own.
    pub(super) fn arguments(&self, xml: &Path, folder: &Path) -> Vec<OsString> {
        let set = |name: &str, path: &Path| joined(name, path.as_os_str());
        let mut class_path = OsString::new();
        for library in LIBRARIES.map(|name| self.home.join(name)).into_iter().filter(|folder| folder.is_dir()) {
            if !class_path.is_empty() {
                class_path.push(":");
            }
            class_path.push(library.join("*"));
        }
        vec![
            "-Xms64m".into(),
            "-Xmx256m".into(),
            "-XX:+UseSerialGC".into(),
            // The ports are on this address alone.
            "-Djava.net.preferIPv4Stack=true".into(),
            "-Djava.awt.headless=true".into(),
            set("-Dactivemq.home=", &self.home),
            set("-Dactivemq.base=", folder),
            set("-Dactivemq.conf=", folder),
            set("-Dactivemq.data=", &folder.join("data")),
            "-cp".into(),
            class_path,
            "org.apache.activemq.console.Main".into(),
            "start".into(),
            set("xbean:file:", xml),
        ]
    }
}

/// `activemq-broker-6.3.1.jar` is of 6.3.1.
fn broker_release(file: &OsStr) -> Option<String> {
    let version = file.to_str()?.strip_prefix("activemq-broker-")?.strip_suffix(".jar")?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

fn find_simulator(named: Option<&Path>) -> Result<PathBuf, String> {
    const NAME: &str = "finesse-sim";
    let beside = || env::current_exe().ok().map(|ours| ours.with_file_name(NAME)).filter(|path| is_program(path));
    let found = match named {
        Some(named) => Some(named.to_owned()).filter(|path| is_program(path)),
        None => beside().or_else(|| on_path(NAME)),
    };
    found.map(wherever).ok_or_else(|| match named {
        Some(path) => format!("`{}` is no program: name the `{NAME}` that came with topoc", path.display()),
        None => {
            format!("there is no `{NAME}` beside `topoc` or on the PATH: install topoc with its `install`, or name it with `--simulator FILE`")
        }
    })
}

/// A program by its name, as a shell finds it.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|path| is_program(path)).map(wherever)
}

/// A path that means the same in every folder: what is started runs in a folder of its own.
fn wherever(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn joined(start: &str, end: &OsStr) -> OsString {
    let mut whole = OsString::from(start);
    whole.push(end);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brokers_library_tells_its_release() {
        let release = |name: &str| broker_release(OsStr::new(name));
        assert_eq!(release("activemq-broker-6.3.1.jar").as_deref(), Some("6.3.1"));
        assert_eq!(release("activemq-broker-5.18.3.jar").as_deref(), Some("5.18.3"));
        assert_eq!(release("activemq-broker-api.jar"), None);
        assert_eq!(release("activemq-client-6.3.1.jar"), None);
    }
}
