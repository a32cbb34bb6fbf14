//! A topology as a test starts it: compiled with an overlay that puts every address on loopback and every store in one folder.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use topoc_compiler::diagnostic::Severity;
use topoc_compiler::emit;
use topoc_compiler::loopback::{self, HOST, Machine};
use topoc_compiler::model::{Broker as BrokerModel, Model, Store, StoreKind};
use topoc_compiler::{Analysis, analyze};
use topoc_lab::{self as lab, Broker, Database, Launch, Release, release};

const ENTRY: &str = "main.topo";
const OVERLAY: &str = "loopback.topo";

/// The sources of a topology, by path.
#[derive(Debug)]
pub struct Topology(HashMap<String, String>);

impl From<HashMap<String, String>> for Topology {
    /// Files by their paths, `main.topo` first of all.
    fn from(files: HashMap<String, String>) -> Self {
        Self(files)
    }
}

impl Topology {
    /// One that a test has written.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self::from(HashMap::from([(ENTRY.to_owned(), text.into())]))
    }

    /// An overlay that has it run on a release.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn on_release(&self, release: &str) -> String {
        let name = self.analyze("").model.topology.name;
        format!("override topology {name} {{ activemq = \"{release}\" }}\n")
    }

    /// What the compiler makes of it with an overlay laid over it.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn analyze(&self, overlay: &str) -> Analysis {
        let mut files = self.0.clone();
        files.insert(OVERLAY.to_owned(), overlay.to_owned());
        analyze(ENTRY, &[OVERLAY.to_owned()], &files)
    }

    /// The same for a topology that must be without errors.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn compile(&self, overlay: &str) -> Analysis {
        let analysis = self.analyze(overlay);
        let errors = analysis.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let errors: Vec<String> = errors
            .map(|error| {
                format!("{}: {} at `{}`", error.rule.name, error.message, analysis.sources.text(error.primary()))
            })
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "with the overlay\n{overlay}");
        analysis
    }
}

/// What is around brokers. By itself it is nothing.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// More to put on top, as the text of a topology file.
    pub overlay: String,
    /// [`Machine::finesse`].
    pub finesse: Vec<(u16, u16)>,
    /// [`Machine::finesse_roots`].
    pub finesse_roots: Option<String>,
    /// [`Machine::admin`].
    pub admin: Vec<u16>,
}

/// A topology with its artifacts written, every broker ready to start. Brokers are named as in the topology.
#[derive(Debug)]
pub struct Loopback {
    /// What the compiler made of it, as it stands on loopback.
    pub analysis: Analysis,
    /// What the brokers run.
    pub release: Release,
    ports: BTreeMap<String, u16>,
    dir: TempDir,
}

impl Loopback {
    /// Compiles a topology for a release. Whatever the topology says, its brokers then listen on ports of their own.
    ///
    /// # Panics
    ///
    /// When the topology has errors, here or as it stands.
    #[must_use]
    pub fn of(topology: &Topology, release_name: &str) -> Self {
        Self::with(topology, release_name, |_, _| Surroundings::default())
    }

    /// The same with more than brokers: what is there is told the model and the port of each broker's first listener.
    ///
    /// # Panics
    ///
    /// When the topology has errors, here or as it stands.
    #[must_use]
    pub fn with(
        topology: &Topology,
        release_name: &str,
        surroundings: impl FnOnce(&Model, &BTreeMap<String, u16>) -> Surroundings,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plain = topology.compile(&topology.on_release(release_name));
        let brokers = &plain.model.brokers;
        let listeners: Vec<Vec<u16>> =
            brokers.iter().map(|broker| lab::ports(broker.listeners.len()).unwrap()).collect();
        let ports = brokers.iter().zip(&listeners);
        let ports = ports.filter_map(|(broker, ports)| Some((broker.name.value.clone(), *ports.first()?))).collect();
        let stores = dir.path().join("stores");
        let around = surroundings(&plain.model, &ports);
        let machine = Machine {
            stores: stores.to_str().unwrap(),
            listeners: &listeners,
            finesse: &around.finesse,
            finesse_roots: around.finesse_roots.as_deref(),
            admin: &around.admin,
        };
        let overlay = topology.on_release(release_name) + &loopback::overlay(&plain.model, &machine) + &around.overlay;
        let analysis = topology.compile(&overlay);
        for artifact in emit::artifacts(analysis.checked().unwrap()) {
            let path = dir.path().join(&artifact.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, artifact.bytes).unwrap();
        }
        Self { analysis, release: release(release_name).unwrap(), ports, dir }
    }

    /// The folder of everything that was written.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A broker's `activemq.xml`.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn xml(&self, broker: &str) -> PathBuf {
        let broker = self.broker(broker);
        let site = &self.analysis.model.site(broker.site).name.value;
        self.dir.path().join(site).join(&broker.name.value).join("activemq.xml")
    }

    /// Starts a broker in the folder of its file. A variable that the file names holds [`Loopback::secret`].
    /// A broker on a database gets its driver.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn start(&self, broker: &str) -> Broker {
        self.start_with(broker, &[])
    }

    /// The same with arguments for the Java virtual machine, such as more memory.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn start_with(&self, broker: &str, jvm: &[&str]) -> Broker {
        let xml = self.xml(broker);
        let text = fs::read_to_string(&xml).unwrap();
        let launch = Launch::new(&self.release, &xml, xml.parent().unwrap())
            // Java reads variables as the locale says; without one it knows ASCII only.
            .env("LC_ALL", "C.UTF-8")
            // Bridges then say what they forward, and which consumers they do it for.
            .jvm("-Dorg.slf4j.simpleLogger.log.org.apache.activemq.network=debug");
        let launch = jvm.iter().fold(launch, |launch, argument| launch.jvm(argument));
        let launch = variables(&text).into_iter().fold(launch, |launch, name| launch.env(name, Self::secret(name)));
        let on_database = |store: &Store| store.kind == StoreKind::Jdbc;
        let needs_driver = self.broker(broker).store.as_ref().is_some_and(on_database);
        let launch = if needs_driver { Database::driver(launch).unwrap() } else { launch };
        launch.start().unwrap()
    }

    /// The address of a broker's first listener.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn address(&self, broker: &str) -> String {
        format!("tcp://{HOST}:{}", self.ports[broker])
    }

    /// What a variable of this name holds: more than letters and digits, since passwords have more.
    #[must_use]
    pub fn secret(name: &str) -> String {
        format!("{name}: ü<\"]]>")
    }

    /// A broker of the topology.
    ///
    /// # Panics
    ///
    /// When there is no such thing, or it cannot be done.
    #[must_use]
    pub fn broker(&self, name: &str) -> &BrokerModel {
        let mut all = self.analysis.model.brokers.iter();
        all.find(|broker| broker.name.value == name).unwrap_or_else(|| panic!("no broker {name}"))
    }
}

/// The variables that a file names, other than those that the lab sets anyway.
fn variables(text: &str) -> Vec<&str> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.filter(|name| !name.contains('.')).collect()
}
