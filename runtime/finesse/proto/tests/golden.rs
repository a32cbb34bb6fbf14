//! What goes over the wire is what Cisco's documents and captures of real servers show. The first line of each file of
//! `tests/golden` names its source.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::dialog::{Action, CallVariable, Dialog};
use topoc_finesse_proto::notification::{self, Event};
use topoc_finesse_proto::reason_code::{ReasonCategory, ReasonCode, WrapUpReason};
use topoc_finesse_proto::rest::{Answer, COMMANDS, Command, Form, HttpResponse, Origin, Refusal, Request};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::system_info::SystemInfo;
use topoc_finesse_proto::uri::Resource;
use topoc_finesse_proto::user::{MobileAgent, MobileMode, User, UserState};
use topoc_finesse_proto::xml::{self, Element, Limits, Node};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.xml"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn golden(name: &str) -> Element {
    xml::read(&text(name), Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Without the space between elements, which people put there.
fn packed(element: &Element) -> Element {
    let has_elements = element.elements().next().is_some();
    let keep = |node: &&Node| !has_elements || matches!(node, Node::Element(_));
    let pack = |node: &Node| match node {
        Node::Element(element) => Node::Element(packed(element)),
        Node::Text(text) => Node::Text(text.clone()),
    };
    Element { children: element.children.iter().filter(keep).map(pack).collect(), ..element.clone() }
}

/// Every text with the path to it, the root's name left out. Capitals do not matter, nor does the order.
fn leaves(element: &Element) -> Vec<String> {
    fn collect(element: &Element, path: &str, leaves: &mut Vec<String>) {
        for child in element.elements() {
            let path = format!("{path}{}", child.name.to_lowercase());
            match child.elements().next() {
                Some(_) => collect(child, &format!("{path}/"), leaves),
                None if child.text().trim().is_empty() => {}
                None => leaves.push(format!("{path}={}", child.text().trim())),
            }
        }
    }
    let mut found = Vec::new();
    collect(element, "", &mut found);
    found.sort();
    found
}

/// All that is in the text was read, except for what its second line says, and nothing else.
fn assert_read(name: &str, source: &Element, written: &Element) {
    let file = text(name);
    let unread: BTreeSet<String> = match file.lines().nth(1).and_then(|line| line.strip_prefix("<!-- unread: ")) {
        Some(line) => line.trim_end_matches(" -->").split(' ').map(str::to_lowercase).collect(),
        None => BTreeSet::new(),
    };
    let path = |leaf: &String| leaf.split_once('=').map(|(path, _)| path.to_owned()).unwrap_or_default();
    let (left_out, wanted): (Vec<_>, Vec<_>) =
        leaves(source).into_iter().partition(|leaf| unread.contains(&path(leaf)));
    assert_eq!(leaves(written), wanted, "{name}");
    assert_eq!(left_out.iter().map(path).collect::<BTreeSet<_>>(), unread, "{name}: what is said to be unread");
}

fn command(name: &str) -> Command {
    let (agent, dialog, extension) = (|| "1001".to_owned(), || "16804377".to_owned(), || "2001".to_owned());
    let variable = |name: &str, value: &str| CallVariable { name: name.into(), value: value.into() };
    let act = |action| Command::Act { dialog: dialog(), extension: extension(), action };
    match name {
        "sign-in" => Command::SignIn { agent: agent(), extension: extension(), mobile: None },
        "sign-in-mobile" => Command::SignIn {
            agent: agent(),
            extension: extension(),
            mobile: Some(MobileAgent { mode: Some(MobileMode::CallByCall), dial_number: Some("4085551234".into()) }),
        },
        "ready" => Command::ChangeState { agent: agent(), state: UserState::Ready, reason: None },
        "not-ready-reason" => Command::ChangeState { agent: agent(), state: UserState::NotReady, reason: Some(16) },
        "sign-out" => Command::SignOut { agent: agent(), reason: None },
        "sign-out-reason" => Command::SignOut { agent: agent(), reason: Some(17) },
        "make-call" => {
            Command::MakeCall { agent: agent(), extension: extension(), number: "3000".into(), variables: Vec::new() }
        }
        "make-call-variables" => Command::MakeCall {
            agent: agent(),
            extension: extension(),
            number: "3000".into(),
            variables: vec![variable("callVariable1", "Order 12 & 13"), variable("user.account", "")],
        },
        "answer" => act(Action::Answer),
        "hold" => act(Action::Hold),
        "retrieve" => act(Action::Retrieve),
        "drop" => act(Action::Drop),
        "conference" => act(Action::Conference),
        "transfer" => act(Action::Transfer),
        "consult" => Command::Consult { dialog: dialog(), extension: extension(), number: "3001".into() },
        "transfer-single-step" => {
            Command::TransferSingleStep { dialog: dialog(), extension: extension(), number: "3001".into() }
        }
        "wrap-up" => {
            Command::UpdateCallData { dialog: dialog(), reason: Some("Happy customer".into()), variables: Vec::new() }
        }
        "update-call-data" => Command::UpdateCallData {
            dialog: dialog(),
            reason: Some("Happy customer".into()),
            variables: vec![variable("callVariable1", "123456789")],
        },
        "send-dtmf" => Command::SendDtmf { dialog: dialog(), extension: extension(), tones: Secret::new("777") },
        "system-info" => Command::SystemInfo,
        "user" => Command::User { agent: agent() },
        "dialogs" => Command::Dialogs { agent: agent() },
        "dialog" => Command::Dialog { dialog: dialog() },
        "reason-codes" => Command::ReasonCodes { agent: agent(), category: ReasonCategory::NotReady },
        "wrap-up-reasons" => Command::WrapUpReasons { agent: agent() },
        other => panic!("no command for {other}"),
    }
}

fn request(name: &str) -> Request {
    Request::new(&command(name)).expect("the ids are some")
}

fn files() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let name = |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".xml")?.to_owned());
    let mut files: Vec<String> = entries.filter_map(|entry| name(entry.ok()?)).collect();
    files.sort();
    files
}

#[test]
fn every_file_names_its_source() {
    for name in files() {
        let text = text(&name);
        let source = text.lines().next().and_then(|line| line.strip_prefix("<!-- source: ")).unwrap_or_default();
        assert!(source.len() > 20, "{name} names no source");
    }
}

#[test]
fn requests_are_written_as_documented() {
    let names: Vec<String> =
        files().iter().filter_map(|name| Some(name.strip_prefix("request-")?.to_owned())).collect();
    let mut seen = BTreeSet::new();
    for name in &names {
        let request = request(name);
        let body = request.body.as_ref().map_or("", |body| body.expose());
        let written = xml::read(body, Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}: {body}"));
        assert_eq!(written, packed(&golden(&format!("request-{name}"))), "{name}");
        assert_eq!(request.content_type(), Some("application/xml"));
        seen.insert(request.row.name);
    }
    let with_xml: BTreeSet<&str> = COMMANDS.iter().filter(|row| row.form == Form::Xml).map(|row| row.name).collect();
    assert_eq!(seen, with_xml, "every command with a body has a document");
}

#[test]
fn requests_go_to_documented_paths() {
    for (name, method, path, object) in [
        ("system-info", "GET", "/finesse/api/SystemInfo", None),
        ("user", "GET", "/finesse/api/User/1001", Some(Resource::User("1001".into()))),
        ("dialogs", "GET", "/finesse/api/User/1001/Dialogs", Some(Resource::User("1001".into()))),
        ("dialog", "GET", "/finesse/api/Dialog/16804377", Some(Resource::Dialog("16804377".into()))),
        (
            "reason-codes",
            "GET",
            "/finesse/api/User/1001/ReasonCodes?category=NOT_READY",
            Some(Resource::User("1001".into())),
        ),
        ("wrap-up-reasons", "GET", "/finesse/api/User/1001/WrapUpReasons", Some(Resource::User("1001".into()))),
        ("sign-in", "PUT", "/finesse/api/User/1001", Some(Resource::User("1001".into()))),
        ("ready", "PUT", "/finesse/api/User/1001", Some(Resource::User("1001".into()))),
        ("sign-out", "PUT", "/finesse/api/User/1001", Some(Resource::User("1001".into()))),
        ("make-call", "POST", "/finesse/api/User/1001/Dialogs", Some(Resource::User("1001".into()))),
        ("hold", "PUT", "/finesse/api/Dialog/16804377", Some(Resource::Dialog("16804377".into()))),
        ("consult", "PUT", "/finesse/api/Dialog/16804377", Some(Resource::Dialog("16804377".into()))),
    ] {
        let request = request(name);
        assert_eq!(
            (request.method().as_str(), request.path.as_str(), request.object),
            (method, path, object),
            "{name}"
        );
    }
}

fn answer(name: &str, status: u16) -> Result<Answer, Refusal> {
    let text = text(name);
    let response = HttpResponse { status, location: None, body: text.as_bytes() };
    let asked = if name.starts_with("error") || name == "user-reason" { "user" } else { name };
    request(asked).read(&Origin::new("fin-a.example.test"), response, Limits::default())
}

#[test]
fn objects_are_read_to_their_last_element() {
    let written = |name: &str| match answer(name, 200) {
        Ok(Answer::User(user)) => user.to_element(),
        Ok(Answer::SystemInfo(info)) => info.to_element(),
        Ok(Answer::Dialog(dialog)) => dialog.to_element(),
        Ok(Answer::Dialogs(all)) => list("Dialogs", all.iter().map(Dialog::to_element)),
        Ok(Answer::ReasonCodes(all)) => list("ReasonCodes", all.iter().map(ReasonCode::to_element)),
        Ok(Answer::WrapUpReasons(all)) => list("WrapUpReasons", all.iter().map(WrapUpReason::to_element)),
        other => panic!("{name}: {other:?}"),
    };
    for name in ["user", "user-reason", "system-info", "dialog", "dialogs", "reason-codes", "wrap-up-reasons"] {
        assert_read(name, &golden(name), &written(name));
    }
}

fn list(name: &str, items: impl Iterator<Item = Element>) -> Element {
    items.fold(Element::new(name, ""), Element::containing)
}

#[test]
fn refusals_carry_finesses_own_words() {
    let shown = |name, status| answer(name, status).map_err(|refusal| (refusal.to_string(), refusal));
    let refused = |name, status| shown(name, status).expect_err("a no");
    let (text, refusal) = refused("error-401", 401);
    assert!(matches!(refusal, Refusal::Unauthorized(_)));
    assert_eq!(text, "Finesse does not accept the credentials (401): Authorization Failure: UNAUTHORIZED (1001)");
    let (text, refusal) = refused("error-401-other-user", 401);
    assert!(matches!(refusal, Refusal::Refused { status: 401, .. }), "the password was right: {text}");
    let (text, refusal) = refused("error-404", 404);
    assert!(matches!(refusal, Refusal::Refused { status: 404, .. }));
    assert_eq!(text, "Finesse refuses the request (404): User Not Found: UNKNOWN_USER (4023)");
    let (text, refusal) = refused("error-503", 503);
    assert!(matches!(&refusal, Refusal::OutOfService(errors) if errors[0].is_out_of_service()), "{text}");
    for name in ["error-401", "error-401-other-user", "error-404", "error-503"] {
        let errors = ApiError::read_list(&golden(name));
        assert_read(name, &golden(name), &list("ApiErrors", errors.iter().map(ApiError::to_element)));
    }
}

/// What an event says, shortly.
fn summary(event: &Event) -> String {
    let user =
        |user: &User| format!("{} {}", user.id().unwrap_or("?"), user.state.as_ref().map_or("?", |it| it.as_str()));
    let state = |dialog: &Dialog| dialog.state.as_ref().map_or("?", |it| it.as_str()).to_owned();
    match event {
        Event::UserChanged(changed) => format!("user {}", user(changed)),
        Event::UserRemoved { id } => format!("user {id} removed"),
        Event::DialogAdded(dialog) => format!("dialog {} added {}", dialog.id().unwrap_or("?"), state(dialog)),
        Event::DialogChanged(dialog) => format!("dialog {} changed {}", dialog.id().unwrap_or("?"), state(dialog)),
        Event::DialogRemoved { id, dialog } => {
            format!("dialog {id} removed {}", dialog.as_ref().map_or("?".into(), |dialog| state(dialog)))
        }
        Event::SystemInfo(info) => format!("server {}", info.status.as_ref().map_or("?", |it| it.as_str())),
        Event::Failed(error) => format!("failed {error} {:?}", error.peripheral_code),
        other => format!("{other:?}"),
    }
}

#[test]
fn notifications_are_read_as_events() {
    let mut seen = BTreeSet::new();
    for (name, source, request_id, events) in [
        ("sign-in", "/finesse/api/User/1001", None, "user 1001 NOT_READY"),
        ("sign-out", "/finesse/api/User/1001", None, "user 1001 LOGOUT"),
        ("ready", "/finesse/api/User/1001", None, "user 1001 READY"),
        ("user-document", "/finesse/api/User/1001", None, "user 1001 LOGOUT"),
        ("user-removed", "/finesse/api/User/1001", None, "user 1001 removed"),
        (
            "invalid-device",
            "/finesse/api/User/1001",
            None,
            "failed Invalid Device: CF_INVALID_LOGON_DEVICE_SPECIFIED (260) Some(10125)",
        ),
        (
            "call-failed",
            "/finesse/api/Dialog/16804377",
            Some("r-7"),
            "failed Call Operation Failure: CF_RESOURCE_OUT_OF_SERVICE (34) None",
        ),
        ("dialog-added", "/finesse/api/User/1001/Dialogs", Some("r-8"), "dialog 16804377 added ACTIVE"),
        ("dialog-removed", "/finesse/api/User/1001/Dialogs", None, "dialog 16804377 removed DROPPED"),
        ("dialog-changed", "/finesse/api/Dialog/16804377", Some("r-9"), "dialog 16804377 changed ACTIVE"),
        ("system-info", "/finesse/api/SystemInfo", None, "server OUT_OF_SERVICE"),
    ] {
        let name = format!("notification-{name}");
        let items = notification::in_message(&golden(&name), Limits::default());
        let [item] = &items[..] else { panic!("{name}: {items:?}") };
        let update = item.update.as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(update.source, Resource::read(source), "{name}");
        assert_eq!(update.request_id.as_deref(), request_id, "{name}");
        assert_eq!(update.events.iter().map(summary).collect::<Vec<_>>(), [events], "{name}");
        assert_eq!(item.id.as_deref(), Some("a6ca891f-8b34-443f-8c7d-dac020d41838330"));
        assert!(item.node.starts_with("/finesse/api/"), "{name}");
        seen.insert(name);
    }
    let all: BTreeSet<String> = files().into_iter().filter(|name| name.starts_with("notification-")).collect();
    assert_eq!(seen, all);
}

#[test]
fn what_was_written_is_read_as_it_was() {
    let user = User::read(&golden("user-reason"));
    assert_eq!(User::read(&user.to_element()), user);
    let info = SystemInfo::read(&golden("system-info"));
    assert_eq!(SystemInfo::read(&info.to_element()), info);
    let dialog = Dialog::read(&golden("dialog"));
    assert_eq!(Dialog::read(&dialog.to_element()), dialog);
}
