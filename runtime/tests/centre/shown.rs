//! What a client is told, as the course writes it: one line, with parts for phones and names for calls.

use serde_json::Value;

/// What stands for what.
pub(crate) trait Names {
    /// The letter of the part whose phone this is; the number itself where it is nobody's.
    fn phone(&self, number: &str) -> String;
    /// The name of a call: numbered as they come.
    fn call(&mut self, id: &str) -> String;
}

/// An answer or an event: its name, and what its data says.
pub(crate) fn shown(event: &Value, names: &mut impl Names) -> String {
    let (name, data) = (text(&event["event"]), &event["data"]);
    let mut words = vec![name.to_owned()];
    match name {
        "SystemStatus" => words.push(text(&data["status"]).to_owned()),
        "ConnectStatus" => words.extend([&data["status"], &data["reason"]].into_iter().filter_map(word)),
        "AgentInfo" => {
            words.extend(data["extension"].as_str().map(|number| names.phone(number)));
            words.extend(data["mobile_number"].as_str().map(|number| format!("mobile {number}")));
        }
        "AgentState" => words.extend(state(data)),
        "DialogState" => {
            for call in data["dialogs"].as_array().unwrap() {
                words.extend(self::call(call, names));
            }
        }
        "ReasonCodes" => {
            words.push(text(&data["category"]).to_owned());
            words.extend(data["reasons"].as_array().unwrap().iter().map(reason));
        }
        "Error" => words.push(text(&data["code"]).to_owned()),
        "Outcome" => words.extend([&data["command"], &data["outcome"]].into_iter().filter_map(word)),
        _ => {
            words.push(text(&data["change"]).to_owned());
            words.extend(call(&data["dialog"], names));
        }
    }
    words.join(" ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn state(data: &Value) -> Vec<String> {
    assert!(data["since"].is_string(), "{data}");
    let mut words = vec![text(&data["state"]).to_owned()];
    words.extend(word(&data["pending_state"]).map(|state| format!("then {state}")));
    words.extend(data["reason"].is_object().then(|| format!("because {}", reason(&data["reason"]))));
    words
}

/// `16:Break`; reasons of calls have no id.
fn reason(reason: &Value) -> String {
    let id = reason["id"].as_i64().map(|id| format!("{id}:")).unwrap_or_default();
    format!("{id}{}", text(&reason["label"]))
}

/// `call-1 AGENT_INSIDE A>B ACTIVE A=HELD+ B=ACTIVE`. A `+` says that the call may be joined with another one.
fn call(call: &Value, names: &mut impl Names) -> Vec<String> {
    let name = names.call(text(&call["id"]));
    let (from, to) = (names.phone(text(&call["from"])), names.phone(text(&call["to"])));
    let mut words = vec![name, text(&call["call_type"]).to_owned(), format!("{from}>{to}")];
    words.push(text(&call["state"]).to_owned());
    for party in call["participants"].as_array().unwrap() {
        words.push(format!("{}={}", names.phone(text(&party["address"])), self::party(party)));
    }
    words.extend(word(&call["wrap_up_reason"]).map(|reason| format!("about {reason}")));
    words
}

/// What a participant in a state may do ("State (Participant) Parameter Values" in Cisco's Finesse Developer Guide, and for
/// `TRANSFER_SST` the simulator's reading of it).
const ALLOWED: &[(&str, &[&str])] = &[
    ("INITIATING", &["DROP", "UPDATE_CALL_DATA"]),
    ("INITIATED", &["DROP", "UPDATE_CALL_DATA"]),
    ("ALERTING", &["ANSWER"]),
    ("ACTIVE", &["HOLD", "DROP", "UPDATE_CALL_DATA", "CONSULT_CALL", "TRANSFER_SST", "SEND_DTMF"]),
    ("HELD", &["RETRIEVE", "DROP", "UPDATE_CALL_DATA"]),
    ("WRAP_UP", &["UPDATE_CALL_DATA"]),
    ("DROPPED", &[]),
];
/// What one who holds a call may do besides, while they speak with somebody else about it.
const JOINING: [&str; 2] = ["TRANSFER", "CONFERENCE"];

fn party(party: &Value) -> String {
    let state = text(&party["state"]);
    let actions: Vec<&str> = party["actions"].as_array().unwrap().iter().map(text).collect();
    let (_, allowed) = ALLOWED.iter().find(|(one, _)| *one == state).unwrap_or_else(|| panic!("{party}"));
    if actions == *allowed {
        return state.to_owned();
    }
    assert_eq!(actions, [*allowed, &JOINING].concat(), "{party}");
    format!("{state}+")
}
