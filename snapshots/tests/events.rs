//! What the connector tells its clients, one example of each event: as people read it, and as its published schema says.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use topoc_core::command::{COMMANDS, Request};
use topoc_core::event::{
    AgentInfo, AgentState, Call, ConnectStatus, Event, Happened, Outcome, Result as Came, Service, SystemStatus, Told,
};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::dialog::Dialog;
use topoc_finesse_proto::reason_code::{ReasonCategory, ReasonCode, WrapUpReason};
use topoc_finesse_proto::session::{Connection, End};
use topoc_finesse_proto::user::User;
use topoc_finesse_proto::xml::{self, Element, Limits};

fn element(text: &str) -> Element {
    xml::read(text, Limits::default()).unwrap()
}

fn dialog(call_type: &str) -> Dialog {
    Dialog::read(&element(&format!(
        "<Dialog><id>77</id><fromAddress>+4930123</fromAddress><toAddress>2001</toAddress><state>ACTIVE</state><mediaProperties>\
         <callType>{call_type}</callType><queueName>Sales</queueName><wrapUpReason>Sold</wrapUpReason><callvariables><CallVariable>\
         <name>callVariable1</name><value>C-7</value></CallVariable></callvariables></mediaProperties><participants><Participant>\
         <actions><action>HOLD</action><action>DROP</action></actions><mediaAddress>2001</mediaAddress><state>ACTIVE</state>\
         </Participant><Participant><mediaAddress>+4930123</mediaAddress></Participant></participants></Dialog>"
    )))
}

/// Every event.
fn events() -> Vec<Event> {
    let user = User::read(&element(
        "<User><loginId>1001</loginId><loginName>ada</loginName><firstName>Ada</firstName><lastName>Byron</lastName>\
         <extension>2001</extension><mobileAgent><mode>CALL_BY_CALL</mode><dialNumber>0170</dialNumber></mobileAgent>\
         <teamName>Sales</teamName><roles><role>Agent</role></roles><state>NOT_READY</state><pendingState>READY</pendingState>\
         <stateChangeTime>2026-01-01T08:00:00.000Z</stateChangeTime><reasonCodeId>16</reasonCodeId><ReasonCode><code>3</code>\
         <label>Lunch</label></ReasonCode></User>",
    ));
    let call = |happened, call_type: &str| Told::of_call(happened, Call::new(&dialog(call_type)).unwrap());
    let reason = ReasonCode::read(&element(
        "<ReasonCode><uri>/finesse/api/ReasonCode/16</uri><code>3</code><label>Lunch</label></ReasonCode>",
    ));
    let sold = WrapUpReason::read(&element("<WrapUpReason><label>Sold</label></WrapUpReason>"));
    let fault = Request::read(Some("Login#1001"), b",2001").unwrap_err();
    let outcome = |outcome| Told::Outcome(Outcome { command: "HoldCall".to_owned(), outcome });
    let told = [
        Told::ConnectStatus(ConnectStatus::from(Connection::Live(NodeId(0)))),
        Told::ConnectStatus(ConnectStatus::from(Connection::Interrupted)),
        Told::ConnectStatus(ConnectStatus::from(Connection::Ended(End::WrongPassword))),
        Told::AgentInfo(AgentInfo::from(&user)),
        Told::AgentState(AgentState::from(&user)),
        Told::AgentState(AgentState::from(&User::default())),
        Told::of_calls(&[dialog("ACD_IN")]),
        Told::of_calls(&[]),
        call(Happened::Added, "ACD_IN"),
        call(Happened::Changed, "CONSULT_OFFERED"),
        call(Happened::Changed, "TRANSFER"),
        call(Happened::Removed, "CONFERENCE"),
        Told::of_reasons(&ReasonCategory::NotReady, &[reason]),
        Told::of_wrap_up_reasons(&[sold]),
        Told::of_fault(&fault),
        outcome(Came::Accepted),
        outcome(Came::OutcomeUnknown),
    ];
    let mut events: Vec<Event> = told.into_iter().map(|told| Event::of("1001", told)).collect();
    (events[0].sequence, events[0].connector, events[0].epoch) = (Some(1), Some("gc-1".to_owned()), Some(3));
    events[15].correlation = Some("ID:desk-1".to_owned());
    let status = Told::SystemStatus(SystemStatus { status: Service::InService });
    events.push(Event::new(status));
    events
}

fn schema() -> (Schemas, SchemaIndex, Value) {
    let text: Value = serde_json::from_str(include_str!("../../schemas/event-1.schema.json")).unwrap();
    let (mut known, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("urn:topoc:schema:event:1", text.clone()).unwrap();
    let index = compiler.compile("urn:topoc:schema:event:1", &mut known).unwrap();
    (known, index, text)
}

/// The names in a document, and those that a schema describes.
fn names(value: &Value, below: Option<&str>, found: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let described = below.is_none_or(|only| key == only);
        let object = if below.is_some() { value.as_object() } else { None };
        match object.filter(|_| described) {
            Some(object) => found.extend(object.keys().cloned()),
            None if below.is_none() => drop(found.insert(key.clone())),
            None => {}
        }
        names(value, below, found);
    }
    value.as_array().into_iter().flatten().for_each(|one| names(one, below, found));
}

#[test]
fn events_are_what_the_schema_says() {
    let (known, index, text) = schema();
    let (mut described, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    names(&text, Some("properties"), &mut described);
    let mut shown = Vec::new();
    for event in events() {
        let document: Value = serde_json::from_str(&event.to_json()).unwrap();
        assert_eq!(known.validate(&document, index).err().map(|error| format!("{error:#}")), None, "{document}");
        assert_eq!(serde_json::from_value::<Event>(document.clone()).unwrap(), event, "what is written is read");
        let mut used = BTreeSet::new();
        names(&document, None, &mut used);
        assert_eq!(used.difference(&described).collect::<Vec<_>>(), [""; 0]);
        kinds.insert(document["event"].as_str().unwrap().to_owned());
        shown.push(serde_json::to_string_pretty(&document).unwrap());
    }
    let published: BTreeSet<String> = serde_json::from_value(text["properties"]["event"]["enum"].clone()).unwrap();
    assert_eq!(kinds, published, "every event has an example");
    let expected: BTreeSet<String> =
        COMMANDS.iter().flat_map(|row| row.events).map(|name| (*name).to_owned()).collect();
    assert!(expected.is_subset(&published), "commands lead to events that exist");
    insta::with_settings!({ snapshot_path => "../protocol", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("connector-events", shown.join("\n"));
    });
}

#[test]
fn events_that_are_wrong_are_refused() {
    let (known, index, _) = schema();
    let all: Vec<Value> = events().iter().map(|event| serde_json::from_str(&event.to_json()).unwrap()).collect();
    let of = |name: &str| all.iter().find(|event| event["event"] == name).unwrap();
    for (name, place, value) in [
        ("AgentState", "/version", json!(2)),
        ("ConnectStatus", "/connector", json!("")),
        ("ConnectStatus", "/epoch", json!(-1)),
        ("AgentState", "/event", json!("AgentMood")),
        ("AgentState", "/event", json!("Error")),
        ("AgentState", "/data", json!({})),
        ("AgentState", "/data/reason/id", json!("16")),
        ("InboundCall", "/data/change", json!("LOST")),
        ("InboundCall", "/data/dialog/id", json!("")),
        ("InboundCall", "/data/dialog/participants/0/actions", json!("HOLD")),
        ("Outcome", "/data/outcome", json!("perhaps")),
        ("Error", "/data/code", json!("")),
    ] {
        let mut wrong = of(name).clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert!(known.validate(&wrong, index).is_err(), "{name}: {wrong}");
    }
}
