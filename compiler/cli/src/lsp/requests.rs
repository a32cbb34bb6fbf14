//! Each request of the protocol and what answers it.

use super::actions::{self, FIX_ALL};
use super::assist;
use super::findings::Findings;
use super::project::{Document, Project};
use super::server::{Abilities, Refusal, Server};
use super::text::Encoding;
use super::types::{
    CodeActionParams, CompletionParams, DefinitionParams, DocumentDiagnosticParams, DocumentFormattingParams,
    DocumentSymbolParams, HoverParams, InitializeParams, PositionEncodingKind, TextDocumentPositionParams,
};
use super::uri;
use super::wire::Json;
use lsp_server::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use topoc_dsl::FileId;

/// What the client can do is noted, and told what the server can do.
pub(super) fn initialize(server: &mut Server, params: Value) -> Result<Json, Refusal> {
    let params: InitializeParams = read(params)?;
    let can = &params.capabilities;
    let encodings = can.general.as_ref().and_then(|general| general.position_encodings.as_ref());
    let utf8 = encodings.is_some_and(|encodings| encodings.contains(&PositionEncodingKind::UTF8));
    let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
    let pulls = can.text_document.as_ref().is_some_and(|document| document.diagnostic.is_some());
    let workspace = can.workspace.as_ref().and_then(|workspace| workspace.diagnostics.as_ref());
    let refreshes = workspace.is_some_and(|diagnostics| diagnostics.refresh_support == Some(true));
    let edits = can.workspace.as_ref().and_then(|workspace| workspace.workspace_edit.as_ref());
    let versioned_edits = edits.is_some_and(|edits| edits.document_changes == Some(true));
    server.client(Abilities { encoding, pulls, refreshes, versioned_edits }, roots(&params));
    let sync = json!({ "openClose": true, "change": 2, "save": { "includeText": false } });
    write(json!({
        "capabilities": {
            "positionEncoding": if utf8 { "utf-8" } else { "utf-16" },
            "textDocumentSync": sync,
            "hoverProvider": true,
            "definitionProvider": true,
            "documentSymbolProvider": true,
            "documentFormattingProvider": true,
            "completionProvider": { "triggerCharacters": ["=", "[", ",", "$", "<", ">", "{"] },
            "codeActionProvider": { "codeActionKinds": ["quickfix", FIX_ALL] },
            "diagnosticProvider":
                { "identifier": "topoc", "interFileDependencies": true, "workspaceDiagnostics": true },
            "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
        },
        "serverInfo": { "name": "topoc", "version": env!("CARGO_PKG_VERSION") },
    }))
}

#[expect(deprecated, reason = "clients without workspace folders say rootUri")]
fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let named = serde_json::to_value(&params.workspace_folders_initialize_params.workspace_folders).unwrap_or_default();
    let folders = named.as_array().into_iter().flatten().filter_map(|folder| folder.get("uri")?.as_str());
    let roots: Vec<PathBuf> = folders.filter_map(uri::path).collect();
    if roots.is_empty() { params.root_uri.iter().filter_map(|root| uri::path(&root.0)).collect() } else { roots }
}

/// Answers one request. The projects are up to date.
pub(super) fn answer(server: &Server, method: &str, params: Value) -> Result<Json, Refusal> {
    match method {
        "textDocument/hover" => {
            let params: HoverParams = read(params)?;
            let place = Place::find(server, &params.text_document_position_params)?;
            write(place.and_then(|place| assist::hover(&place)))
        }
        "textDocument/definition" => {
            let params: DefinitionParams = read(params)?;
            let place = Place::find(server, &params.text_document_position_params)?;
            write(place.and_then(|place| assist::definition(server, &place)))
        }
        "textDocument/completion" => {
            let params: CompletionParams = read(params)?;
            let place = Place::find(server, &params.text_document_position_params)?;
            write(place.map(|place| assist::completion(&place)))
        }
        "textDocument/documentSymbol" => {
            let params: DocumentSymbolParams = read(params)?;
            let (project, file, document) = home(server, &params.text_document.uri.0)?;
            write(assist::symbols(project, file, document))
        }
        "textDocument/codeAction" => {
            let params: CodeActionParams = read(params)?;
            let (project, file, document) = home(server, &params.text_document.uri.0)?;
            let place = (file, document.text.span(params.range));
            let only = params.context.only.as_deref();
            write(actions::actions(server, project, place, only))
        }
        "textDocument/formatting" => {
            let params: DocumentFormattingParams = read(params)?;
            let (_, _, document) = home(server, &params.text_document.uri.0)?;
            write(actions::format(&document.text).map_err(|said| (ErrorCode::RequestFailed, said))?)
        }
        "textDocument/diagnostic" => {
            let params: DocumentDiagnosticParams = read(params)?;
            home(server, &params.text_document.uri.0)?;
            let path = server.path(&params.text_document.uri.0);
            Ok(report(Json::default().text("{"), &server.findings().remove(&path).unwrap_or_default()))
        }
        "workspace/diagnostic" => {
            let mut items = Json::default().text("{\"items\":[");
            for (index, (path, found)) in server.findings().into_iter().enumerate() {
                let version = server.documents.get(&path).map(|document| document.version);
                items = items.text(if index == 0 { "{\"uri\":" } else { ",{\"uri\":" }).value(server.uri(&path));
                items = report(items.text(",\"version\":").value(version).text(","), &found);
            }
            Ok(items.text("]}"))
        }
        other => Err((ErrorCode::MethodNotFound, format!("topoc does not know `{other}`"))),
    }
}

/// Where in which topology a request points.
pub(super) struct Place<'a> {
    pub(super) project: &'a Project,
    pub(super) file: FileId,
    pub(super) document: &'a Document,
    pub(super) offset: u32,
}

impl<'a> Place<'a> {
    fn find(server: &'a Server, at: &TextDocumentPositionParams) -> Result<Option<Self>, Refusal> {
        let (project, file, document) = home(server, &at.text_document.uri.0)?;
        let offset = document.text.offset(at.position);
        Ok(u32::try_from(offset).ok().map(|offset| Place { project, file, document, offset }))
    }
}

/// An open document and its place in its topology.
fn home<'a>(server: &'a Server, uri: &str) -> Result<(&'a Project, FileId, &'a Document), Refusal> {
    let path = server.path(uri);
    let unknown = || (ErrorCode::InvalidParams, format!("`{uri}` is not open"));
    let document = server.documents.get(&path).ok_or_else(unknown)?;
    let project = server.project(&path).ok_or_else(unknown)?;
    let file = project.file(&path).ok_or_else(unknown)?;
    Ok((project, file, document))
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))
}

/// The rest of a report on a file.
fn report(start: Json, found: &Arc<Findings>) -> Json {
    start.text("\"kind\":\"full\",\"items\":").findings(found).text("}")
}

fn write(result: impl Serialize) -> Result<Json, Refusal> {
    Json::of(&result).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}
