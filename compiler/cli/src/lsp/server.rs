//! The server as a value: messages in, messages out. Documents, projects, and what the client has been told.

use super::findings::Findings;
use super::project::{Document, Documents, Entry, Project, is_overlay, mains};
use super::requests;
use super::text::{Encoding, Text};
use super::types::{
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, TextDocumentContentChangeEvent,
};
use super::uri;
use super::wire::{Json, Outgoing};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use topoc_compiler::Analysis;

/// Where the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    New,
    Running,
    ShutDown,
    Exited {
        after_shutdown: bool,
    },
}

/// Why a request is not answered: the protocol's code, and words.
pub(super) type Refusal = (ErrorCode, String);

/// What the client can do, as far as it matters.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Abilities {
    pub(super) encoding: Encoding,
    /// It asks for findings itself.
    pub(super) pulls: bool,
    /// It can be told to ask again.
    pub(super) refreshes: bool,
    /// It takes edits with the version of the text that they are for.
    pub(super) versioned_edits: bool,
}

/// The language server.
#[derive(Debug, Default)]
pub struct Server {
    stage: Stage,
    pub(super) can: Abilities,
    pub(super) roots: Vec<PathBuf>,
    pub(super) documents: Documents,
    projects: BTreeMap<Entry, Project>,
    /// Topologies as they were before they changed: what is still true of them need not be found out again.
    before: BTreeMap<Entry, Analysis>,
    /// Which project each open file belongs to.
    homes: BTreeMap<PathBuf, Entry>,
    /// Files that changed since the projects were last looked at.
    changed: BTreeSet<PathBuf>,
    /// What the client has been told of each file that is open or has findings.
    told: BTreeMap<PathBuf, (Option<i32>, Arc<Findings>)>,
    requests_made: i32,
}

impl Server {
    /// Whether the client said exit, and if so whether it had said shutdown before.
    #[must_use]
    pub fn exited(&self) -> Option<bool> {
        match self.stage {
            Stage::Exited { after_shutdown } => Some(after_shutdown),
            Stage::New | Stage::Running | Stage::ShutDown => None,
        }
    }

    /// Takes the messages that wait, in their order, and says what is to be sent.
    pub fn handle(&mut self, messages: Vec<Message>) -> Vec<Outgoing> {
        let cancelled: HashSet<RequestId> = messages.iter().filter_map(cancels).collect();
        let mut out = Vec::new();
        for message in messages {
            match message {
                Message::Request(request) if cancelled.contains(&request.id) => {
                    let said = "the client cancelled the request".to_owned();
                    out.push(Outgoing::refusal(Some(&request.id), (ErrorCode::RequestCanceled, said)));
                }
                Message::Request(request) => out.push(self.answer(request)),
                Message::Notification(note) => self.notified(note),
                Message::Response(_) => {}
            }
            if self.exited().is_some() {
                return out;
            }
        }
        if self.stage == Stage::Running && catch_unwind(AssertUnwindSafe(|| self.settle())).is_ok() {
            self.tell(&mut out);
        }
        out
    }

    fn answer(&mut self, request: Request) -> Outgoing {
        let Request { id, method, params } = request;
        let outcome = match (self.stage, method.as_str()) {
            (Stage::New, "initialize") => self.initialize(params),
            (Stage::New, _) => Err((ErrorCode::ServerNotInitialized, "`initialize` comes first".to_owned())),
            (Stage::Running, "shutdown") => {
                self.stage = Stage::ShutDown;
                Ok(Json::default().text("null"))
            }
            (Stage::Running, "initialize") => {
                Err((ErrorCode::InvalidRequest, "`initialize` was sent before".to_owned()))
            }
            // Whatever goes wrong in one request is that request's.
            (Stage::Running, method) => catch_unwind(AssertUnwindSafe(|| {
                self.settle();
                requests::answer(self, method, params)
            }))
            .unwrap_or_else(|_| Err((ErrorCode::InternalError, format!("`{method}` failed inside topoc")))),
            (Stage::ShutDown | Stage::Exited { .. }, _) => {
                Err((ErrorCode::InvalidRequest, "nothing is answered after `shutdown`".to_owned()))
            }
        };
        Outgoing::answer(&id, outcome)
    }

    fn initialize(&mut self, params: serde_json::Value) -> Result<Json, Refusal> {
        let result = requests::initialize(self, params)?;
        self.stage = Stage::Running;
        Ok(result)
    }

    /// Notes what the client can do and which folders it has.
    pub(super) fn client(&mut self, can: Abilities, roots: Vec<PathBuf>) {
        self.can = can;
        self.roots = roots;
    }

    fn notified(&mut self, note: Notification) {
        if note.method == "exit" {
            self.stage = Stage::Exited { after_shutdown: self.stage == Stage::ShutDown };
        }
        if self.stage != Stage::Running {
            return;
        }
        match note.method.as_str() {
            "textDocument/didOpen" => read(note).into_iter().for_each(|params| self.opened(params)),
            "textDocument/didChange" => read(note).into_iter().for_each(|params| self.edited(&params)),
            "textDocument/didClose" => read(note).into_iter().for_each(|params| self.closed(&params)),
            "workspace/didChangeWorkspaceFolders" => read(note).into_iter().for_each(|params| self.folders(&params)),
            // Files changed on the disk; which ones is not worth knowing.
            "workspace/didChangeWatchedFiles" | "textDocument/didSave" => {
                let known = self.projects.values().flat_map(|project| project.paths.iter().cloned());
                self.changed.extend(known);
            }
            _ => {}
        }
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let item = params.text_document;
        let path = self.path(&item.uri.0);
        let on_disk = uri::path(&item.uri.0).is_some();
        let text = Text::new(item.text, self.can.encoding);
        self.documents.insert(path.clone(), Document { uri: item.uri.0, version: item.version, text, on_disk });
        self.changed.insert(path);
    }

    fn edited(&mut self, params: &DidChangeTextDocumentParams) {
        let path = self.path(&params.text_document.text_document_identifier.uri.0);
        let Some(document) = self.documents.get_mut(&path) else { return };
        for change in &params.content_changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    document.text.change(Some(part.range), &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    document.text.change(None, &whole.text);
                }
            }
        }
        document.version = params.text_document.version;
        self.changed.insert(path);
    }

    fn closed(&mut self, params: &DidCloseTextDocumentParams) {
        let path = self.path(&params.text_document.uri.0);
        self.documents.remove(&path);
        self.homes.remove(&path);
        self.changed.insert(path);
    }

    fn folders(&mut self, params: &DidChangeWorkspaceFoldersParams) {
        for gone in &params.event.removed {
            let path = uri::path(&gone.uri.0);
            self.roots.retain(|root| Some(root) != path.as_ref());
        }
        self.roots.extend(params.event.added.iter().filter_map(|folder| uri::path(&folder.uri.0)));
        self.changed.extend(self.documents.keys().cloned());
    }

    /// The path of a document. One that is not on the disk gets a place where no file is.
    pub(super) fn path(&self, uri: &str) -> PathBuf {
        uri::path(uri).unwrap_or_else(|| Path::new("/").join(uri.replace('/', "_")))
    }

    /// The topology that an open file belongs to.
    pub(super) fn project(&self, path: &Path) -> Option<&Project> {
        self.projects.get(self.homes.get(path)?)
    }

    /// Looks at what changed: every project with a changed file, and which project the changed files belong to.
    pub(super) fn settle(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        let stale = |project: &Project| changed.iter().any(|path| project.depends_on(path));
        for (entry, project) in self.projects.extract_if(.., |_, project| stale(project)) {
            self.before.insert(entry, project.analysis);
        }
        let open: Vec<PathBuf> = self.documents.keys().cloned().collect();
        for path in open {
            let stays = self.homes.get(&path).is_some_and(|home| {
                !changed.contains(&path) && self.projects.contains_key(home) && home.overlay.is_none()
            });
            if !stays {
                let home = self.home(&path);
                self.look(&home);
                self.homes.insert(path, home);
            }
        }
        let homes: BTreeSet<&Entry> = self.homes.values().collect();
        self.projects.retain(|entry, _| homes.contains(entry));
        // Nothing is kept of what nobody looks at any more.
        self.before.clear();
    }

    /// The nearest `main.topo` that imports a file or that it overlays, else the file itself.
    fn home(&mut self, path: &Path) -> Entry {
        let overlay =
            |server: &Self| server.documents.get(path).is_some_and(|document| is_overlay(document.text.text()));
        for main in mains(path, &self.roots, &self.documents) {
            let entry = Entry { path: main, overlay: None };
            let project = self.look(&entry);
            if project.file(path).is_some() {
                return entry;
            }
            if overlay(self) {
                return Entry { overlay: Some(path.to_owned()), ..entry };
            }
        }
        Entry { path: path.to_owned(), overlay: None }
    }

    fn look(&mut self, entry: &Entry) -> &Project {
        let (documents, before, encoding) = (&self.documents, &mut self.before, self.can.encoding);
        let look = || Project::look(entry, documents, encoding, before.remove(entry));
        self.projects.entry(entry.clone()).or_insert_with(look)
    }

    /// The findings of every file of every project. An overlay's project tells of the overlay only: the rest is told by
    /// the topology that lies below it.
    pub(super) fn findings(&self) -> BTreeMap<PathBuf, Arc<Findings>> {
        let mut all: BTreeMap<PathBuf, Arc<Findings>> = BTreeMap::new();
        for (entry, project) in &self.projects {
            let about = |path: &&PathBuf| entry.overlay.as_ref().is_none_or(|overlay| overlay == *path);
            for (path, found) in project.found.iter().filter(|(path, _)| about(path)) {
                match all.get_mut(path) {
                    // A file of two topologies has the findings of both, each once.
                    Some(known) => Arc::make_mut(known).merge(found),
                    None => drop(all.insert(path.clone(), Arc::clone(found))),
                }
            }
        }
        all
    }

    /// Tells the client what is new, and that what it was told is gone.
    fn tell(&mut self, out: &mut Vec<Outgoing>) {
        let version = |path: &PathBuf| self.documents.get(path).map(|document| document.version);
        let mut now: BTreeMap<PathBuf, (Option<i32>, Arc<Findings>)> =
            self.findings().into_iter().map(|(path, found)| (path.clone(), (version(&path), found))).collect();
        now.retain(|path, (_, found)| !found.is_empty() || self.documents.contains_key(path));
        if self.can.pulls {
            let others = now.values().map(|(_, found)| found).ne(self.told.values().map(|(_, found)| found));
            if self.can.refreshes && self.documents.len() > 1 && others {
                self.requests_made += 1;
                out.push(Outgoing::request(&format!("topoc-{}", self.requests_made), "workspace/diagnostic/refresh"));
            }
            self.told = now;
            return;
        }
        for path in self.told.keys().filter(|path| !now.contains_key(*path)) {
            out.push(self.publication(path, None, &Arc::default()));
        }
        for (path, told) in &now {
            if self.told.get(path) != Some(told) {
                out.push(self.publication(path, told.0, &told.1));
            }
        }
        self.told = now;
    }

    fn publication(&self, path: &Path, version: Option<i32>, findings: &Arc<Findings>) -> Outgoing {
        let mut params = Json::default().text("{\"uri\":").value(self.uri(path));
        if let Some(version) = version {
            params = params.text(",\"version\":").value(version);
        }
        let params = params.text(",\"diagnostics\":").findings(findings).text("}");
        Outgoing::notification("textDocument/publishDiagnostics", params)
    }

    /// A file as the client calls it.
    pub(super) fn uri(&self, path: &Path) -> String {
        self.documents.get(path).map_or_else(|| uri::of(path), |document| document.uri.clone())
    }
}

/// What a notification says; nothing where it is not what the protocol says it is.
fn read<T: DeserializeOwned>(note: Notification) -> Option<T> {
    serde_json::from_value(note.params).ok()
}

/// The request that a message cancels.
fn cancels(message: &Message) -> Option<RequestId> {
    match message {
        Message::Notification(note) if note.method == "$/cancelRequest" => {
            serde_json::from_value(note.params.get("id")?.clone()).ok()
        }
        _ => None,
    }
}
