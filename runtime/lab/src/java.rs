//! A Java client at a test's command: one process that sends, receives, answers and asks, as many things at once as needed.

mod message;
mod receiver;
mod sender;
mod watcher;

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use message::{Body, Draft, Message, Value};
pub use receiver::{Acknowledge, Receiver, Tally};
pub use sender::{End, Numbers};
pub use watcher::{Seen, Sighting, Watcher};

use serde::Deserialize;

use crate::cache::client_class_path;
use crate::process::{Output, Process, java_command, option};
use crate::{Certificates, LabError};

/// A running Java client (`activemq-client` 5.18.3). The process is killed when this and all its receivers are dropped.
///
/// URIs are those of the Java client; a password goes in as `?jms.userName=U&jms.password=P`. Queue names may carry
/// destination options, such as `Q?consumer.priority=127`; `topic://T` names a topic.
#[derive(Debug)]
pub struct Java {
    shared: Arc<Shared>,
}

/// What ActiveMQ's own OpenWire marshallers print when asked: see `java/Frames.java`.
///
/// # Errors
///
/// `NotFetched` when the client is not in the cache, `Io` when `java` is missing or fails; what it said is in the error.
pub fn frames(arguments: &[&str]) -> Result<String, LabError> {
    let mut command = java_command();
    let doing = || format!("run Frames {}", arguments.first().unwrap_or(&""));
    command.arg("-cp").arg(client_class_path()?).arg("Frames").args(arguments);
    let output = command.output().map_err(|cause| LabError::io(doing(), cause))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(LabError::io(doing(), std::io::Error::other(said)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[derive(Debug)]
struct Shared {
    process: Process,
    next: AtomicU64,
    answers: Arc<Mutex<HashMap<u64, Vec<Event>>>>,
}

#[derive(Debug)]
struct Task {
    shared: Arc<Shared>,
    number: u64,
    doing: String,
}

#[derive(Deserialize)]
struct Answer {
    task: u64,
    #[serde(flatten)]
    event: Event,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Ready { broker: Option<String> },
    Message { message: Box<Message> },
    Done(Outcome),
    Failed { reason: String },
    Sent { ms: u64 },
    Connected { ms: u64, address: String },
    Interrupted { ms: u64 },
    Lost { ms: u64, reason: String },
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    answers: Vec<Option<Message>>,
    ids: Vec<String>,
    messages: Vec<Message>,
    properties: BTreeMap<String, String>,
}

impl Java {
    /// Starts the process; `workdir` gets its log (`java.log`). The first start after a change compiles the Java sources.
    ///
    /// # Errors
    ///
    /// `NotFetched` when the client is not in the cache, `Io` when `java` or `javac` is missing.
    pub fn start(workdir: &Path) -> Result<Self, LabError> {
        Self::launch(java_command(), workdir)
    }

    /// The same for `ssl:` URIs: it trusts the authority of these certificates, and shows none of its own.
    ///
    /// # Errors
    ///
    /// As [`Java::start`].
    pub fn start_trusting(certificates: &Certificates, workdir: &Path) -> Result<Self, LabError> {
        Self::launch(with_store("trustStore", &certificates.trust_store(), java_command()), workdir)
    }

    /// The same with the client's certificate, which it shows to brokers that ask for one.
    ///
    /// # Errors
    ///
    /// As [`Java::start`].
    pub fn start_certified(certificates: &Certificates, workdir: &Path) -> Result<Self, LabError> {
        let trusting = with_store("trustStore", &certificates.trust_store(), java_command());
        Self::launch(with_store("keyStore", &certificates.client_store(), trusting), workdir)
    }

    fn launch(mut command: Command, workdir: &Path) -> Result<Self, LabError> {
        command.arg("-cp").arg(client_class_path()?).arg("Peer");
        let (process, stdout) =
            Process::start(command, "the Java client".to_owned(), &workdir.join("java.log"), Output::Pipe)?;
        let answers = Arc::default();
        if let Some(stdout) = stdout {
            let answers = Arc::clone(&answers);
            thread::spawn(move || collect(stdout, &answers));
        }
        Ok(Self { shared: Arc::new(Shared { process, next: AtomicU64::new(1), answers }) })
    }

    /// Sends requests one after the other and waits for each answer up to `each`; `None` where none came in that time.
    /// Answers come back by the queue `replies`, or by a temporary queue.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception; `TooLate` when the client hangs.
    pub fn request(
        &self,
        uri: &str,
        queue: &str,
        replies: Option<&str>,
        texts: &[&str],
        each: Duration,
    ) -> Result<Vec<Option<Message>>, LabError> {
        let patience = each.as_millis().to_string();
        let words = ["request", uri, queue, replies.unwrap_or_default(), &patience];
        let task = self.begin(format!("request from {queue} at {uri}"), &words, texts)?;
        let requests = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        Ok(task.wait_done(each.saturating_mul(requests).saturating_add(crate::PATIENCE))?.answers)
    }

    /// The messages that wait in a queue, and that a selector chooses (empty: all); they stay there. ActiveMQ shows no more
    /// than `maxBrowsePageSize` of them.
    ///
    /// # Errors
    ///
    /// `Java` with the client's exception, `TooLate` after `within`.
    pub fn browse(&self, uri: &str, queue: &str, selector: &str, within: Duration) -> Result<Vec<Message>, LabError> {
        let task = self.begin(format!("browse {queue} at {uri}"), &["browse", uri, queue, selector], &[])?;
        Ok(task.wait_done(within)?.messages)
    }

    /// What `java.util.Properties.load` makes of a file.
    ///
    /// # Errors
    ///
    /// `Java` when it cannot be loaded.
    pub fn load_properties(&self, file: &Path) -> Result<BTreeMap<String, String>, LabError> {
        let path = file.canonicalize().map_err(|cause| LabError::at("find", file, cause))?;
        let doing = format!("load the properties of {}", path.display());
        let task = self.begin(doing, &["properties", &path.to_string_lossy()], &[])?;
        Ok(task.wait_done(crate::PATIENCE)?.properties)
    }

    /// The id of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.shared.process.pid()
    }

    /// Kills the process (SIGKILL), as a power cut would take all its clients at once.
    pub fn kill(&self) {
        self.shared.process.kill();
    }

    fn begin(&self, doing: String, words: &[&str], more: &[&str]) -> Result<Task, LabError> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let task = Task { shared: Arc::clone(&self.shared), number, doing };
        task.shared.tell(number, words.iter().chain(more))?;
        Ok(task)
    }
}

/// Gives a Java process one of the two stores for TLS, by system property.
fn with_store(what: &str, store: &Path, mut command: Command) -> Command {
    command.arg(option(&format!("-Djavax.net.ssl.{what}="), store));
    command.arg(format!("-Djavax.net.ssl.{what}Password={}", Certificates::PASSWORD));
    command
}

impl Shared {
    fn tell<'a>(&self, number: u64, words: impl Iterator<Item = &'a &'a str>) -> Result<(), LabError> {
        let mut line = number.to_string();
        for word in words {
            line.push('\t');
            line.push_str(&escaped(word));
        }
        line.push('\n');
        let told = self.process.tell(line.as_bytes());
        told.map_err(|cause| LabError::io("tell the Java client what to do", cause))
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<u64, Vec<Event>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// Puts every answer where its task finds it, until the process ends.
fn collect(stdout: ChildStdout, answers: &Mutex<HashMap<u64, Vec<Event>>>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // Only the Java virtual machine itself can print anything else here; it is never an answer.
        if let Ok(Answer { task, event }) = serde_json::from_str(&line) {
            answers.lock().unwrap_or_else(PoisonError::into_inner).entry(task).or_default().push(event);
        }
    }
}

impl Task {
    /// The task's events so far.
    fn look<T>(&self, look: impl Fn(&[Event]) -> T) -> T {
        look(self.shared.answers().get(&self.number).map_or(&[][..], Vec::as_slice))
    }

    /// Waits until `look` finds something in the task's events; the task's failure ends the wait.
    fn wait_for<T>(&self, what: &str, within: Duration, look: impl Fn(&[Event]) -> Option<T>) -> Result<T, LabError> {
        self.shared.process.wait_for(&format!("{} ({what})", self.doing), within, || {
            let answers = self.shared.answers();
            let events = answers.get(&self.number).map_or(&[][..], Vec::as_slice);
            if let Some(found) = look(events) {
                return Ok(Some(found));
            }
            match events.iter().find_map(failure) {
                Some(reason) => Err(LabError::Java { doing: self.doing.clone(), reason: reason.to_owned() }),
                None => Ok(None),
            }
        })
    }

    fn wait_done(&self, within: Duration) -> Result<Outcome, LabError> {
        self.wait_for("done", within, |events| {
            events.iter().find_map(|event| match event {
                Event::Done(outcome) => Some(outcome.clone()),
                _ => None,
            })
        })
    }
}

fn failure(event: &Event) -> Option<&str> {
    match event {
        Event::Failed { reason } => Some(reason),
        _ => None,
    }
}
