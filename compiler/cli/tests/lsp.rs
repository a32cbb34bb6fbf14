//! The language server as a value: every request gets an answer, findings are those of `check`, edits mend what they say.
#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

#[path = "common/mistakes.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the scale benchmark takes the rest")]
mod mistakes;

use lsp_server::{Message, Notification, Request, RequestId};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use topoc::lsp::Server;
use topoc::terminal::{Io, Out, Screen};

/// A client that keeps what it is told.
struct Client {
    server: Server,
    last_id: i32,
    version: i32,
    /// Everything the server sent on its own account.
    notes: Vec<(String, Value)>,
}

impl Client {
    fn new(root: &Path, capabilities: &Value) -> Self {
        let mut client = Self { server: Server::default(), last_id: 0, version: 0, notes: Vec::new() };
        let folders = json!([{ "uri": uri(root), "name": "root" }]);
        let params =
            json!({ "processId": null, "rootUri": null, "capabilities": capabilities, "workspaceFolders": folders });
        client.request("initialize", params).unwrap();
        client.notify("initialized", json!({}));
        client
    }

    fn send(&mut self, messages: Vec<Message>) -> Vec<lsp_server::Response> {
        let mut responses = Vec::new();
        for message in self.server.handle(messages) {
            let mut wire = Vec::new();
            message.write(&mut wire).unwrap();
            match Message::read(&mut wire.as_slice()).unwrap().unwrap() {
                Message::Response(response) => responses.push(response),
                Message::Notification(note) => self.notes.push((note.method, note.params)),
                Message::Request(request) => self.notes.push((request.method, request.params)),
            }
        }
        responses
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(vec![Notification { method: method.into(), params }.into()]);
    }

    fn message(&mut self, method: &str, params: Value) -> Message {
        self.last_id += 1;
        Request { id: self.last_id.into(), method: method.into(), params }.into()
    }

    /// The result, or the code of the error.
    fn request(&mut self, method: &str, params: Value) -> Result<Value, i32> {
        let message = self.message(method, params);
        let mut responses = self.send(vec![message]);
        assert_eq!(responses.len(), 1, "{method} has one answer");
        let response = responses.remove(0);
        assert_eq!(response.id, RequestId::from(self.last_id));
        response.response_result.map_err(|error| error.code)
    }

    fn open(&mut self, path: &Path, text: &str) {
        self.version += 1;
        let item = json!({ "uri": uri(path), "languageId": "topo", "version": self.version, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": item }));
    }

    /// Puts `new` in the place of one line.
    fn edit(&mut self, path: &Path, line: usize, new: &str) {
        self.version += 1;
        let document = json!({ "uri": uri(path), "version": self.version });
        let changes = json!([{ "range": { "start": at(line, 0), "end": at(line + 1, 0) }, "text": new }]);
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    fn replace(&mut self, path: &Path, text: &str) {
        self.version += 1;
        let document = json!({ "uri": uri(path), "version": self.version });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.notify("textDocument/didChange", params);
    }

    /// What was said last about a file.
    fn told(&self, path: &Path) -> Option<&Value> {
        let about = |note: &&(String, Value)| {
            note.0 == "textDocument/publishDiagnostics" && note.1["uri"] == Value::String(uri(path))
        };
        self.notes.iter().rev().find(about).map(|(_, params)| params)
    }

    fn codes(&self, path: &Path) -> Vec<String> {
        let found = self.told(path).map(|told| told["diagnostics"].as_array().unwrap().clone()).unwrap_or_default();
        found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    }

    /// Code and first line of each finding of a file.
    fn messages(&self, path: &Path) -> Vec<String> {
        let found = self.told(path).map(|told| told["diagnostics"].as_array().unwrap().clone()).unwrap_or_default();
        let line = |one: &Value| one["message"].as_str().unwrap().lines().next().unwrap().to_owned();
        found.iter().map(|one| format!("{} {}", one["code"].as_str().unwrap(), line(one))).collect()
    }

    fn actions(&mut self, path: &Path, range: &Value, only: Option<&str>) -> Vec<Value> {
        let mut context = json!({ "diagnostics": [] });
        if let Some(only) = only {
            context["only"] = json!([only]);
        }
        let params = json!({ "textDocument": { "uri": uri(path) }, "range": range, "context": context });
        self.request("textDocument/codeAction", params).unwrap().as_array().unwrap().clone()
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn whole() -> Value {
    json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99_999, "character": 0 } })
}

fn at(line: usize, character: usize) -> Value {
    json!({ "line": line, "character": character })
}

/// Applies edits to ASCII text, from the end so that places stay.
fn applied(text: &str, edits: &Value) -> String {
    let offset = |at: &Value| {
        let line = usize::try_from(at["line"].as_u64().unwrap()).unwrap();
        let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        before + usize::try_from(at["character"].as_u64().unwrap()).unwrap()
    };
    let mut edits: Vec<(usize, usize, String)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap().to_owned())
        })
        .collect();
    edits.sort();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, &new);
    }
    text
}

/// A folder with one file `main.topo`.
fn project(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("main.topo");
    fs::write(&path, text).unwrap();
    (folder, path)
}

const GOOD: &str = "topology t {\n  activemq = \"6.2\"\n}\n\nsite a {\n  broker b {\n    host = \"b\"\n    listen openwire { port = 61616; host = \"127.0.0.1\"; maximum-connections = 9 }\n    store kahadb { directory = \"/srv/b\" }\n    users {\n      user gc { password = secret(\"env:GC_PASSWORD\") }\n    }\n  }\n}\n";

#[test]
fn findings_are_pushed_with_their_version_and_cleared_when_gone() {
    let (_folder, path) = project(GOOD);
    let mut client = Client::new(path.parent().unwrap(), &json!({}));
    let bad = GOOD.replacen("host =", "hots =", 1);
    client.open(&path, &bad);
    let told = client.told(&path).unwrap().clone();
    assert_eq!(told["version"], 1);
    let found = &told["diagnostics"][0];
    assert_eq!((&found["range"]["start"], &found["source"]), (&at(6, 4), &json!("topoc")), "{found}");
    assert!(found["message"].as_str().unwrap().contains("`hots`"), "{found}");
    client.replace(&path, GOOD);
    assert_eq!(client.told(&path).unwrap()["version"], 2);
    assert_eq!(client.codes(&path), [""; 0]);
}

#[test]
fn a_fix_mends_the_text_and_formatting_lays_it_out() {
    let (_folder, path) = project(GOOD);
    let mut client = Client::new(path.parent().unwrap(), &json!({}));
    let bad = GOOD.replacen("host =", "hots=", 1);
    client.open(&path, &bad);
    let actions = client.actions(&path, &whole(), Some("quickfix"));
    let fix = actions.iter().find(|action| action["isPreferred"] == true).unwrap();
    assert_eq!(fix["diagnostics"][0], client.told(&path).unwrap()["diagnostics"][0], "it says what it mends");
    let mended = applied(&bad, &fix["edit"]["changes"][uri(&path)]);
    assert_eq!(mended, GOOD.replacen("host =", "host=", 1));
    let all = client.actions(&path, &whole(), Some("source"));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["kind"], "source.fixAll.topoc");
    assert_eq!(applied(&bad, &all[0]["edit"]["changes"][uri(&path)]), mended);

    client.replace(&path, &mended);
    assert!(client.codes(&path).is_empty());
    let params = json!({ "textDocument": { "uri": uri(&path) }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = client.request("textDocument/formatting", params.clone()).unwrap();
    assert_eq!(edits.as_array().unwrap().len(), 1, "only the line that changes: {edits}");
    assert_eq!(applied(&mended, &edits), GOOD);
    client.replace(&path, "site a {{\n");
    assert_eq!(client.request("textDocument/formatting", params), Err(-32803), "what has syntax errors is left alone");
}

#[test]
fn edits_are_for_one_version_where_the_client_takes_that() {
    let (_folder, path) = project(GOOD);
    let bad = GOOD.replacen("host =", "hots =", 1);
    let edits = |capabilities: &Value| {
        let mut client = Client::new(path.parent().unwrap(), capabilities);
        client.open(&path, GOOD);
        client.replace(&path, &bad);
        let actions = client.actions(&path, &whole(), Some("quickfix"));
        actions.iter().find(|action| action["isPreferred"] == true).unwrap()["edit"].clone()
    };
    let plain = edits(&json!({}));
    let versioned = edits(&json!({ "workspace": { "workspaceEdit": { "documentChanges": true } } }));
    let document = json!({ "uri": uri(&path), "version": 2 });
    let list = &plain["changes"][uri(&path)];
    assert_eq!(applied(&bad, list), GOOD);
    assert_eq!(versioned, json!({ "documentChanges": [{ "textDocument": document, "edits": list }] }));
    assert_eq!(plain.get("documentChanges"), None);
}

#[test]
fn allowing_puts_a_comment_above_the_statement_in_its_own_column() {
    let (_folder, path) = project("");
    let text = GOOD.replace("port = 61616", "uri = \"failover:(tcp://b:61616)\"");
    let mut client = Client::new(path.parent().unwrap(), &json!({}));
    client.open(&path, &text);
    assert!(client.codes(&path).contains(&"TOPO0101".to_owned()), "{:?}", client.codes(&path));
    let actions = client.actions(&path, &whole(), None);
    let allow = actions.iter().find(|action| action["title"].as_str().unwrap().contains("Allow TOPO0101")).unwrap();
    let allowed = applied(&text, &allow["edit"]["changes"][uri(&path)]);
    let line = allowed.lines().find(|line| line.contains("allow(TOPO0101)")).unwrap();
    assert!(line.starts_with("    // topoc: allow(TOPO0101) reason=\""), "{line}");
}

#[test]
fn a_file_is_seen_from_the_topology_that_imports_it_with_unsaved_text() {
    let (folder, main) =
        project("import \"sites/b.topo\"\ntopology t { activemq = \"6.2\" }\nsite a { broker x { host = \"x\" } }\n");
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir(root.join("sites")).unwrap();
    let part = root.join("sites/b.topo");
    fs::write(&part, "").unwrap();
    let mut client = Client::new(&root, &json!({}));
    // The file alone would have neither a release nor a broker `x`.
    client.open(&part, "bridge x -> y\n");
    assert_eq!(client.messages(&part), ["TOPO0012 there is no broker or pair `y`"]);
    client.open(&main, "import \"sites/b.topo\"\ntopology t { activemq = \"6.2\" }\nsite a { broker x { host = \"x\" }; broker y { host = \"y\" } }\n");
    assert_eq!(client.messages(&part), [""; 0], "the unsaved file has `y`");
    let params = json!({ "textDocument": { "uri": uri(&part) }, "position": at(0, 12) });
    let found = client.request("textDocument/definition", params).unwrap();
    assert_eq!(found["uri"], json!(uri(&main)));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri(&main) } }));
    assert_eq!(client.messages(&part), ["TOPO0012 there is no broker or pair `y`"], "the saved file has no `y`");
}

#[test]
fn a_file_of_two_topologies_has_the_findings_of_both_each_once() {
    let (folder, shared) = project("");
    let root = folder.path().canonicalize().unwrap();
    fs::remove_file(&shared).unwrap();
    let shared = root.join("shared.topo");
    fs::write(&shared, "site s { broker b { host = \"b\"; hots = 1 } }\nbridge b -> c\nbridge b -> d\n").unwrap();
    let mut client = Client::new(&root, &json!({}));
    for (name, broker) in [("one", "c"), ("two", "d")] {
        fs::create_dir(root.join(name)).unwrap();
        let main = root.join(name).join("main.topo");
        let other = format!("site {name} {{ broker {broker} {{ host = \"{broker}\" }} }}\n");
        client.open(&main, &format!("import \"../shared.topo\"\ntopology t {{ activemq = \"6.2\" }}\n{other}"));
    }
    let mut messages = client.messages(&shared);
    messages.sort();
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages[0].starts_with("TOPO0003") && messages[0].contains("`hots`"), "{messages:?}");
    assert!(messages[1].ends_with("pair `c`") && messages[2].ends_with("pair `d`"), "{messages:?}");
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri(&root.join("two/main.topo")) } }));
    assert_eq!(client.messages(&shared).len(), 2, "nobody looks at the other one any more");
}

#[test]
fn an_overlay_is_seen_over_its_topology() {
    let (folder, main) = project(GOOD);
    let root = folder.path().canonicalize().unwrap();
    let overlay = root.join("dev.topo");
    let mut client = Client::new(&root, &json!({}));
    client.open(&overlay, "override broker b {\n  host = \"127.0.0.1\"\n}\n");
    assert!(client.codes(&overlay).is_empty(), "{:?}", client.codes(&overlay));
    client.replace(&overlay, "override broker ghost {\n  host = \"127.0.0.1\"\n}\n");
    assert_eq!(client.codes(&overlay).len(), 1);
    assert!(client.told(&main).is_none(), "what lies below is not told twice");
}

#[test]
fn who_pulls_is_not_pushed_to() {
    let (_folder, path) = project(GOOD);
    let can = json!({ "textDocument": { "diagnostic": {} }, "general": { "positionEncodings": ["utf-8", "utf-16"] } });
    let mut client = Client::new(path.parent().unwrap(), &can);
    client.open(&path, &GOOD.replacen("host", "hots", 1));
    assert!(client.told(&path).is_none());
    let params = json!({ "textDocument": { "uri": uri(&path) } });
    let report = client.request("textDocument/diagnostic", params).unwrap();
    assert_eq!((&report["kind"], report["items"].as_array().unwrap().len()), (&json!("full"), 1), "{report}");
    let all = client.request("workspace/diagnostic", json!({ "previousResultIds": [] })).unwrap();
    let whole = json!([{ "kind": "full", "uri": uri(&path), "version": 1, "items": report["items"] }]);
    assert_eq!(all, json!({ "items": whole }));
}

#[test]
fn columns_are_what_was_agreed_on() {
    let text = "topology t { activemq = \"6.2\" }\nsite a { /* 🦀ä */ brokre b { host = \"b\" } }\n";
    for (encodings, column) in [(json!(["utf-16"]), 19), (json!(["utf-16", "utf-8"]), 22), (json!(null), 19)] {
        let (_folder, path) = project(text);
        let mut client = Client::new(path.parent().unwrap(), &json!({ "general": { "positionEncodings": encodings } }));
        client.open(&path, text);
        assert_eq!(client.told(&path).unwrap()["diagnostics"][0]["range"]["start"], at(1, column), "{encodings}");
    }
}

#[test]
fn an_unsaved_new_file_is_checked_by_itself() {
    let (_folder, path) = project(GOOD);
    let mut client = Client::new(path.parent().unwrap(), &json!({}));
    let item = json!({ "uri": "untitled:Untitled-1", "languageId": "topo", "version": 7, "text": "site a { hots }\n" });
    client.notify("textDocument/didOpen", json!({ "textDocument": item }));
    let told = client.notes.iter().find(|note| note.1["uri"] == "untitled:Untitled-1").unwrap();
    assert_eq!(told.1["version"], 7);
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": "untitled:Untitled-1" } }));
    assert_eq!(
        client.notes.last().unwrap().1["diagnostics"],
        json!([]),
        "what was told of a closed file is taken back"
    );
}

#[test]
fn what_is_wrong_with_a_request_is_said_and_the_next_one_is_answered() {
    let (_folder, path) = project(GOOD);
    let mut client = Client::new(path.parent().unwrap(), &json!({}));
    client.open(&path, GOOD);
    let nowhere = json!({ "textDocument": { "uri": "file:///nowhere.topo" }, "position": at(0, 0) });
    assert_eq!(client.request("textDocument/hover", nowhere), Err(-32602));
    assert_eq!(client.request("textDocument/hover", json!({ "position": "x" })), Err(-32602));
    assert_eq!(client.request("textDocument/notThere", json!({})), Err(-32601));
    assert_eq!(client.request("initialize", json!({ "capabilities": {} })), Err(-32600));
    client.notify("textDocument/didChange", json!({ "nonsense": true }));
    client.notify("no/such/thing", json!(null));
    let here = json!({ "textDocument": { "uri": uri(&path) }, "position": at(6, 5) });
    let waiting = client.message("textDocument/hover", here.clone());
    let id = client.last_id;
    let cancel = Notification { method: "$/cancelRequest".into(), params: json!({ "id": id }) };
    let answers = client.send(vec![waiting, cancel.into()]);
    assert_eq!(answers[0].response_result.as_ref().unwrap_err().code, -32800);
    assert!(
        client.request("textDocument/hover", here).unwrap()["contents"]["value"].as_str().unwrap().contains("host")
    );
    assert_eq!(client.request("shutdown", json!(null)), Ok(Value::Null));
    assert_eq!(client.request("textDocument/hover", json!({})), Err(-32600));
    client.notify("exit", json!(null));
    assert_eq!(client.server.exited(), Some(true));
    let mut early = Server::default();
    early.handle(vec![Notification { method: "exit".into(), params: json!(null) }.into()]);
    assert_eq!(early.exited(), Some(false));
}

#[test]
fn changes_are_put_where_the_client_put_them() {
    let (_folder, path) = project(GOOD);
    let mut client = Client::new(path.parent().unwrap(), &json!({}));
    client.open(&path, GOOD);
    let range = |from: Value, to: Value| json!({ "start": from, "end": to });
    let changes = json!([
        { "range": range(at(6, 4), at(6, 8)), "text": "hots" },
        { "range": range(at(0, 0), at(0, 0)), "text": "// 🦀\r\n" },
        { "range": range(at(7, 4), at(7, 8)), "text": "host" },
    ]);
    let document = json!({ "uri": uri(&path), "version": 9 });
    client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    assert_eq!(client.told(&path).unwrap()["version"], 9);
    assert!(client.codes(&path).is_empty(), "{:?}", client.told(&path));
}

/// Every example's entry and files.
fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().unwrap();
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "topo") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() >= 13, "{found:?}");
    found
}

/// Asks everything about a place; each must have an answer, and only formatting may refuse.
fn ask_everything(client: &mut Client, path: &Path, line: usize, character: usize) {
    let document = json!({ "uri": uri(path) });
    let place = json!({ "textDocument": document, "position": at(line, character) });
    for method in ["textDocument/hover", "textDocument/completion", "textDocument/definition"] {
        client.request(method, place.clone()).unwrap();
    }
    client.request("textDocument/documentSymbol", json!({ "textDocument": document })).unwrap();
    client.request("textDocument/diagnostic", json!({ "textDocument": document })).unwrap();
    client.actions(path, &json!({ "start": at(line, 0), "end": at(line, character) }), None);
    let params = json!({ "textDocument": document, "options": { "tabSize": 2, "insertSpaces": true } });
    let formatted = client.request("textDocument/formatting", params);
    assert!(formatted.is_ok() || formatted == Err(-32803), "{formatted:?}");
}

#[test]
fn broken_examples_get_every_answer() {
    for path in examples() {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut client = Client::new(path.parent().unwrap(), &json!({}));
        client.open(&path, &text);
        for line in 0..lines.len() {
            client.replace(&path, &lines[..line].concat());
            ask_everything(&mut client, &path, line.saturating_sub(1), 200);
            let without: String =
                lines.iter().enumerate().filter(|(index, _)| *index != line).map(|(_, text)| *text).collect();
            client.replace(&path, &without);
            ask_everything(&mut client, &path, line, 6);
        }
    }
}

/// What `topoc check --format json` says of `main.topo` in a folder: for each finding its code, severity, message and place.
fn checked(folder: &Path) -> Vec<(String, String, String, u64, u64)> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let screen = Screen { terminal: false, colour: false, unicode: true, width: 100 };
    let mut io = Io {
        stdin: &mut std::io::empty(),
        stdout: Out::new(&mut out),
        stderr: Out::forgiving(&mut err),
        out: screen,
        err: screen,
        folder: folder.to_owned(),
        templates: Vec::new(),
    };
    topoc::run(["topoc", "check", "main.topo", "--format", "json"].map(Into::into), &mut io);
    drop(io);
    let report: Value = serde_json::from_slice(&out).unwrap();
    let mut all: Vec<_> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            let start = &one["range"]["start"];
            let file = folder.join(text("file"));
            (
                format!("{} {}", file.display(), text("code")),
                text("severity"),
                text("message"),
                start["line"].as_u64().unwrap(),
                start["column"].as_u64().unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

/// What the server tells of the same. Columns are compared for text of one unit a character.
fn served(client: &Client) -> Vec<(String, String, String, u64, u64)> {
    let mut last = std::collections::BTreeMap::new();
    for (_, params) in &client.notes {
        last.insert(params["uri"].as_str().unwrap().to_owned(), params["diagnostics"].as_array().unwrap().clone());
    }
    let mut all: Vec<_> = last
        .into_iter()
        .flat_map(|(uri, found)| {
            found.into_iter().map(move |one| {
                let severity =
                    ["", "error", "warning", "note"][usize::try_from(one["severity"].as_u64().unwrap()).unwrap()];
                let start = &one["range"]["start"];
                let path = uri.strip_prefix("file://").unwrap().to_owned();
                (
                    format!("{path} {}", one["code"].as_str().unwrap()),
                    severity.to_owned(),
                    one["data"]["message"].as_str().unwrap().to_owned(),
                    start["line"].as_u64().unwrap() + 1,
                    start["character"].as_u64().unwrap() + 1,
                )
            })
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_example_has_the_findings_of_check() {
    for path in examples().into_iter().filter(|path| path.ends_with("main.topo")) {
        let folder = path.parent().unwrap();
        let mut client = Client::new(folder, &json!({}));
        client.open(&path, &fs::read_to_string(&path).unwrap());
        assert_eq!(served(&client), checked(folder), "{}", path.display());
    }
}

#[test]
fn of_200_topologies_with_mistakes_the_findings_are_those_of_check() {
    let (folder, path) = project("");
    let folder = folder.path().canonicalize().unwrap();
    let mut session = Client::new(&folder, &json!({}));
    session.open(&path, "");
    // The last ones have more findings than one thread writes.
    let small = (0..200).map(|seed| (2, seed));
    for (pairs, seed) in small.chain([(100, 200), (100, 201)]) {
        let (text, kinds) = mistakes::topology(pairs, seed);
        fs::write(&path, &text).unwrap();
        let mut client = Client::new(&folder, &json!({}));
        client.open(&path, &text);
        assert_eq!(served(&client), checked(&folder), "seed {seed}: {kinds:?}");
        // Whoever has seen other texts before says the same, down to the last byte.
        session.replace(&path, &text);
        assert_eq!(session.told(&path).unwrap()["diagnostics"], client.told(&path).unwrap()["diagnostics"]);
    }
}

/// What may be typed in the place of a line.
const TYPED: &[&str] = &[
    "",
    "}\n",
    "{\n",
    "  \n",
    "/*\n",
    "*/\n",
    "\"\n",
    "let pri = 100\n",
    "    priority = $pri\n",
    "site new {\n",
    "override broker amq-0-a { }\n",
    "    host = \"other\"\n",
    "// topoc: allow(TOPO0601) reason=\"x\"\n",
    "x = [\n",
    "    \"\"\"\n",
    "bridge amq-0-a <-> amq-1-b; bridge amq-0-b -> amq-1-a\r\n",
];

#[test]
fn a_session_of_edits_tells_what_a_new_server_tells() {
    let mut told_something = 0;
    for seed in 0..40 {
        let mut chance = mistakes::Chance(seed);
        let (mut text, _) = mistakes::topology(3, seed);
        let (_folder, path) = project("");
        let mut session = Client::new(path.parent().unwrap(), &json!({}));
        session.open(&path, &text);
        for round in 0..20 {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            let line = chance.below(lines.len());
            // Typed, doubled, taken from elsewhere, or written as it was: mistakes come and go.
            let sound = mistakes::topology(3, 1000 + seed).0;
            let other = sound.split_inclusive('\n').nth(chance.below(60)).unwrap().to_owned();
            let new = match chance.below(4) {
                0 => TYPED[chance.below(TYPED.len())].to_owned(),
                1 => lines[line].repeat(2),
                2 => lines[chance.below(lines.len())].to_owned(),
                _ => other,
            };
            lines[line] = &new;
            let now = lines.concat();
            session.edit(&path, line, &new);
            let mut fresh = Client::new(path.parent().unwrap(), &json!({}));
            fresh.open(&path, &now);
            let found = &fresh.told(&path).unwrap()["diagnostics"];
            assert_eq!(&session.told(&path).unwrap()["diagnostics"], found, "seed {seed}, round {round}:\n{now}");
            told_something += usize::from(found.as_array().is_some_and(|found| !found.is_empty()));
            text = now;
            if text.is_empty() {
                break;
            }
        }
    }
    assert!(told_something > 600, "only {told_something} revisions had findings");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lines of an example are lost, doubled and broken.
    #[test]
    fn random_files_have_the_findings_of_check(
        example in 0usize..9,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 0usize..7), 1..6),
    ) {
        let entries: Vec<PathBuf> = examples().into_iter().filter(|path| path.ends_with("main.topo")).collect();
        let text = fs::read_to_string(&entries[example % entries.len()]).unwrap();
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        for (index, change) in changes {
            let at = index.index(lines.len());
            match change {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines[at] = lines[at].replacen(['{', '}'], "", 1),
                3 => lines[at] = lines[at].replacen('=', "", 1),
                4 => lines[at] = lines[at].replacen('"', "", 1),
                5 => lines[at] = lines[at].replacen(['o', 'e'], "x", 1),
                _ => lines[at].insert_str(0, "\u{1}$ ["),
            }
            prop_assume!(!lines.is_empty());
        }
        let (_folder, path) = project(&lines.concat());
        let folder = path.parent().unwrap();
        let mut client = Client::new(folder, &json!({}));
        client.open(&path, &lines.concat());
        prop_assert_eq!(served(&client), checked(folder));
    }
}
