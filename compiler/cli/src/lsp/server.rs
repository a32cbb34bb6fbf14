//! The server as a value: messages in, messages out. Documents, projects, and what the client has been told.

use super::findings;
use super::project::{Document, Documents, Entry, Project, is_overlay, mains};
use super::requests;
use super::text::{Encoding, Text};
use super::types::{
    Diagnostic, DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, PublishDiagnosticsParams, TextDocumentContentChangeEvent,
};
use super::uri;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

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

/// The language server.
#[derive(Debug)]
pub struct Server {
    stage: Stage,
    pub(super) encoding: Encoding,
    /// The client asks for findings itself.
    pub(super) pulls: bool,
    /// The client can be told to ask again.
    refreshes: bool,
    pub(super) roots: Vec<PathBuf>,
    pub(super) documents: Documents,
    projects: BTreeMap<Entry, Project>,
    /// Which project each open file belongs to.
    homes: BTreeMap<PathBuf, Entry>,
    /// Files that changed since the projects were last looked at.
    changed: BTreeSet<PathBuf>,
    /// What the client has been told of each file that is open or has findings.
    told: BTreeMap<PathBuf, (Option<i32>, Vec<Diagnostic>)>,
    requests_made: i32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            stage: Stage::New,
            encoding: Encoding::Utf16,
            pulls: false,
            refreshes: false,
            roots: Vec::new(),
            documents: Documents::new(),
            projects: BTreeMap::new(),
            homes: BTreeMap::new(),
            changed: BTreeSet::new(),
            told: BTreeMap::new(),
            requests_made: 0,
        }
    }
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
    pub fn handle(&mut self, messages: Vec<Message>) -> Vec<Message> {
        let cancelled: HashSet<RequestId> = messages.iter().filter_map(cancels).collect();
        let mut out = Vec::new();
        for message in messages {
            match message {
                Message::Request(request) if cancelled.contains(&request.id) => {
                    let said = "the client cancelled the request".to_owned();
                    out.push(Response::new_err(request.id, ErrorCode::RequestCanceled as i32, said).into());
                }
                Message::Request(request) => out.push(self.answer(request).into()),
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

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let outcome = match (self.stage, method.as_str()) {
            (Stage::New, "initialize") => self.initialize(params),
            (Stage::New, _) => Err((ErrorCode::ServerNotInitialized, "`initialize` comes first".to_owned())),
            (Stage::Running, "shutdown") => {
                self.stage = Stage::ShutDown;
                Ok(serde_json::Value::Null)
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
        match outcome {
            Ok(result) => Response::new_ok(id, result),
            Err((code, message)) => Response::new_err(id, code as i32, message),
        }
    }

    fn initialize(&mut self, params: serde_json::Value) -> Result<serde_json::Value, Refusal> {
        let result = requests::initialize(self, params)?;
        self.stage = Stage::Running;
        Ok(result)
    }

    /// What the client can do, as far as it matters.
    pub(super) fn client(&mut self, encoding: Encoding, pulls: bool, refreshes: bool, roots: Vec<PathBuf>) {
        self.encoding = encoding;
        self.pulls = pulls;
        self.refreshes = refreshes;
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
        let text = Text::new(item.text, self.encoding);
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
        self.projects.retain(|_, project| !changed.iter().any(|path| project.depends_on(path)));
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
    }

    /// The nearest `main.topo` that imports a file or that it overlays, else the file itself.
    fn home(&mut self, path: &Path) -> Entry {
        let overlay = self.documents.get(path).is_some_and(|document| is_overlay(document.text.text()));
        for main in mains(path, &self.roots, &self.documents) {
            let entry = Entry { path: main, overlay: None };
            let project = self.look(&entry);
            if project.file(path).is_some() {
                return entry;
            }
            if overlay {
                return Entry { overlay: Some(path.to_owned()), ..entry };
            }
        }
        Entry { path: path.to_owned(), overlay: None }
    }

    fn look(&mut self, entry: &Entry) -> &Project {
        let documents = &self.documents;
        self.projects.entry(entry.clone()).or_insert_with(|| Project::look(entry, documents))
    }

    /// The findings of every file of every project. An overlay's project tells of the overlay only: the rest is told by
    /// the topology that lies below it.
    pub(super) fn findings(&self) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
        let mut all: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
        for (entry, project) in &self.projects {
            let mut found = findings::by_file(project, &self.documents, self.encoding);
            if let Some(overlay) = &entry.overlay {
                found.retain(|path, _| path == overlay);
            }
            for (path, found) in found {
                // A file of two topologies has the findings of both, each once.
                let told = all.entry(path).or_default();
                let new: Vec<Diagnostic> = found.into_iter().filter(|one| !told.contains(one)).collect();
                told.extend(new);
            }
        }
        all
    }

    /// Tells the client what is new, and that what it was told is gone.
    fn tell(&mut self, out: &mut Vec<Message>) {
        let version = |path: &PathBuf| self.documents.get(path).map(|document| document.version);
        let mut now: BTreeMap<PathBuf, (Option<i32>, Vec<Diagnostic>)> =
            self.findings().into_iter().map(|(path, found)| (path.clone(), (version(&path), found))).collect();
        now.retain(|path, (_, found)| !found.is_empty() || self.documents.contains_key(path));
        if self.pulls {
            let others = |told: &BTreeMap<PathBuf, (Option<i32>, Vec<Diagnostic>)>| -> Vec<Vec<Diagnostic>> {
                told.values().map(|(_, found)| found.clone()).collect()
            };
            if self.refreshes && self.documents.len() > 1 && others(&now) != others(&self.told) {
                self.requests_made += 1;
                let id = RequestId::from(format!("topoc-{}", self.requests_made));
                out.push(Request::new(id, "workspace/diagnostic/refresh".to_owned(), serde_json::Value::Null).into());
            }
            self.told = now;
            return;
        }
        for path in self.told.keys().filter(|path| !now.contains_key(*path)) {
            out.push(self.publication(path, None, Vec::new()));
        }
        for (path, told) in &now {
            if self.told.get(path) != Some(told) {
                out.push(self.publication(path, told.0, told.1.clone()));
            }
        }
        self.told = now;
    }

    fn publication(&self, path: &Path, version: Option<i32>, diagnostics: Vec<Diagnostic>) -> Message {
        let params = PublishDiagnosticsParams { uri: self.uri(path).into(), version, diagnostics };
        Notification::new("textDocument/publishDiagnostics".to_owned(), params).into()
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
