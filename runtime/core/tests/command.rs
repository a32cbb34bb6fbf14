//! What clients send, read: both forms, what is wrong with others, and what Finesse is asked.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use topoc_core::command::{
    Becomes, COMMANDS, Fault, Kind, LONGEST_BODY, LONGEST_TYPE, NOT_COMMANDS, Origin, Problem, Request, Subject, Value,
    find,
};
use topoc_finesse_proto::rest;

fn read(jms_type: &str, body: &str) -> Result<Request, Fault> {
    Request::read(Some(jms_type), body.as_bytes())
}

fn fault(jms_type: &str, body: &str) -> String {
    let fault = read(jms_type, body).unwrap_err();
    format!("{}: {fault}", fault.code())
}

#[test]
fn every_row_of_the_table_is_sound() {
    for row in COMMANDS {
        let name = row.name;
        assert_eq!(COMMANDS.iter().filter(|other| other.name.eq_ignore_ascii_case(name)).count(), 1, "{name}");
        assert_eq!(find(&name.to_uppercase()), Some(row));
        assert!(!row.says.is_empty() && row.fields.iter().all(|field| !field.says.is_empty()), "{name}");
        let optional = row.fields.iter().position(|field| !field.required).unwrap_or(row.fields.len());
        assert!(row.fields[optional..].iter().all(|field| !field.required), "{name}: optional fields come last");
        let is_system = matches!(row.becomes, Becomes::Status);
        assert_eq!(row.subject == Subject::Destination, is_system, "{name}");
        // What needs a call names one, and the other way round.
        assert_eq!(row.action().is_some(), row.fields.iter().any(|field| field.kind == Kind::Dialog), "{name}");
        for field in row.fields {
            assert_eq!(field.name == "password", field.kind == Kind::Secret, "{name}: a password is a secret");
            assert_ne!(field.name, "data", "{name}: `data` is the enclosed form");
        }
    }
    // Names that no document shows.
    let ours = COMMANDS.iter().filter(|row| matches!(row.origin, Origin::Ours(_))).map(|row| row.name);
    let known = [
        "Disconnect",
        "LogoutWithReason",
        "MakeWorkReady",
        "MakeWorkNotReady",
        "GetDialogState",
        "ConsultCall",
        "WrapUpCall",
    ];
    assert_eq!(ours.collect::<Vec<_>>(), known);
    assert!(NOT_COMMANDS.iter().all(|one| one.instead.split('`').nth(1).and_then(find).is_some()));
}

/// One request of every command, as documents and this table write it, and the path and body of what Finesse gets.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("Hello#crm.desk-1", "", ""),
    ("BEAT#queue://crm.desk-1", "", ""),
    ("Connect#1001", "crm.desk-1,secret", ""),
    ("Connect#1001", "queue://crm.desk-1,token,sso", ""),
    ("Disconnect#1001", "", ""),
    ("LOGIN#1001", "secret,2001", "/User/1001 <User><state>LOGIN</state><extension>2001</extension></User>"),
    (
        "MOBILEAGENTLOGIN#1001",
        "secret,2001,+4930123,true",
        "/User/1001 <User><state>LOGIN</state><extension>2001</extension><mobileAgent><mode>CALL_BY_CALL</mode><dialNumber>+4930123</dialNumber></mobileAgent></User>",
    ),
    (
        "MobileAgentLogin#1001",
        "secret,2001,0123,FALSE",
        "/User/1001 <User><state>LOGIN</state><extension>2001</extension><mobileAgent><mode>NAILED_CONNECTION</mode><dialNumber>0123</dialNumber></mobileAgent></User>",
    ),
    ("Logout#1001", "", "/User/1001 <User><state>LOGOUT</state></User>"),
    ("LogoutWithReason#1001", "3", "/User/1001 <User><state>LOGOUT</state><reasonCodeId>3</reasonCodeId></User>"),
    ("MakeReady#1001", "", "/User/1001 <User><state>READY</state></User>"),
    ("MakeNotReady#1001", "", "/User/1001 <User><state>NOT_READY</state></User>"),
    (
        "MakeNotReadyWithReason#1001",
        "16",
        "/User/1001 <User><state>NOT_READY</state><reasonCodeId>16</reasonCodeId></User>",
    ),
    ("MakeWorkReady#1001", "", "/User/1001 <User><state>WORK_READY</state></User>"),
    ("MakeWorkNotReady#1001", "", "/User/1001 <User><state>WORK</state></User>"),
    ("GetState#1001", "", "/User/1001 "),
    ("GetDialogState#1001", "", "/User/1001/Dialogs "),
    (
        "MakeCall# 1001",
        "3000",
        "/User/1001/Dialogs <Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>2009</fromAddress><toAddress>3000</toAddress></Dialog>",
    ),
    (
        "AnswerCall#1001",
        "77",
        "/Dialog/77 <Dialog><targetMediaAddress>2009</targetMediaAddress><requestedAction>ANSWER</requestedAction></Dialog>",
    ),
    (
        "HoldCall#1001",
        "77",
        "/Dialog/77 <Dialog><targetMediaAddress>2009</targetMediaAddress><requestedAction>HOLD</requestedAction></Dialog>",
    ),
    (
        "RetrieveCall#1001",
        "77",
        "/Dialog/77 <Dialog><targetMediaAddress>2009</targetMediaAddress><requestedAction>RETRIEVE</requestedAction></Dialog>",
    ),
    (
        "ReleaseCall#1001",
        "77",
        "/Dialog/77 <Dialog><targetMediaAddress>2009</targetMediaAddress><requestedAction>DROP</requestedAction></Dialog>",
    ),
    (
        "Transfer_sst#1001",
        "3000,77",
        "/Dialog/77 <Dialog><requestedAction>TRANSFER_SST</requestedAction><toAddress>3000</toAddress><targetMediaAddress>2009</targetMediaAddress></Dialog>",
    ),
    (
        "ConsultCall#1001",
        "3000 , 77",
        "/Dialog/77 <Dialog><requestedAction>CONSULT_CALL</requestedAction><toAddress>3000</toAddress><targetMediaAddress>2009</targetMediaAddress></Dialog>",
    ),
    (
        "TransferCall#1001",
        "2002,77",
        "/Dialog/77 <Dialog><targetMediaAddress>2009</targetMediaAddress><requestedAction>TRANSFER</requestedAction></Dialog>",
    ),
    (
        "Conferencecall#1001",
        "2002,77",
        "/Dialog/77 <Dialog><targetMediaAddress>2009</targetMediaAddress><requestedAction>CONFERENCE</requestedAction></Dialog>",
    ),
    (
        "WrapUpCall#1001",
        "Sold & happy,77",
        "/Dialog/77 <Dialog><requestedAction>UPDATE_CALL_DATA</requestedAction><mediaProperties><wrapUpReason>Sold &amp; happy</wrapUpReason></mediaProperties></Dialog>",
    ),
    ("wrapupreasoncode#1001", "", "/User/1001/WrapUpReasons "),
    ("reasoncodelogout#1001", "", "/User/1001/ReasonCodes?category=LOGOUT "),
    ("reasoncodenotready#1001", "", "/User/1001/ReasonCodes?category=NOT_READY "),
];

#[test]
fn every_command_becomes_what_finesse_is_to_be_asked() {
    for (jms_type, body, expected) in EXAMPLES {
        let request = read(jms_type, body).unwrap_or_else(|fault| panic!("{jms_type}: {fault}"));
        let asked = request.command("2009").map(|command| {
            let asked = rest::Request::new(&command).unwrap();
            let body = asked.body.as_ref().map_or("", |body| body.expose());
            format!("{} {body}", asked.path.strip_prefix("/finesse/api").unwrap())
        });
        assert_eq!(asked.unwrap_or_default(), *expected, "{jms_type}");
        // The same in the other forms.
        let json = request.to_json();
        assert_eq!(read(&request.jms_type(), json.expose()), Ok(request.clone()));
        let data = format!(r#"{{"data": {{"type": "{jms_type}", "body": {}, "sessionUrl": "x"}}}}"#, json.expose());
        assert_eq!(Request::read(None, data.as_bytes()), Ok(request.clone()), "{jms_type}");
        let data = format!(r#"{{"data": {{"type": "{jms_type}", "body": "{body}"}}}}"#);
        assert_eq!(Request::read(None, data.as_bytes()), Ok(request.clone()), "{jms_type}");
        assert_eq!(read(jms_type, &data), Ok(request), "{jms_type}");
    }
    let missing = COMMANDS.iter().filter(|row| {
        !EXAMPLES.iter().any(|(jms_type, ..)| jms_type.split('#').next().is_some_and(|name| find(name) == Some(row)))
    });
    assert_eq!(missing.map(|row| row.name).collect::<Vec<_>>(), [""; 0], "commands without an example");
}

#[test]
fn a_value_with_a_comma_needs_json() {
    let request = read("Login#1001", r#"{"password": "a,b", "extension": "2001"}"#).unwrap();
    assert_eq!(request.password().unwrap().expose(), "a,b");
    assert_eq!(request.to_commas().unwrap_err().0, "password");
    assert_eq!(read("Login#1001", "a,b,2001").unwrap_err().code(), "TOO_MANY_FIELDS");
}

#[test]
fn passwords_are_kept_as_they_are_in_json_and_without_blanks_at_their_ends_between_commas() {
    let json = read("Login#1001", r#"{"password": " x ", "extension": "2001"}"#).unwrap();
    assert_eq!(json.password().unwrap().expose(), " x ");
    let commas = read("Login#1001", " x ,2001\r\n").unwrap();
    assert_eq!(commas.password().unwrap().expose(), "x");
}

#[test]
fn json_has_numbers_and_flags_where_they_mean_something() {
    let reason = read("MakeNotReadyWithReason#1001", r#"{"reason": 16}"#).unwrap();
    assert_eq!(reason.value("reason"), Some(&Value::Reason(16)));
    assert!(read("MakeNotReadyWithReason#1001", r#"{"reason": "16"}"#).is_ok());
    for wrong in ["-1", "1.5", "true", "[16]", "{}", r#""x""#, "99999999999999999999"] {
        let wrong = read("MakeNotReadyWithReason#1001", &format!(r#"{{"reason": {wrong}}}"#));
        assert_eq!(wrong.unwrap_err().code(), "INVALID_REASON");
    }
    let sso = |value: &str| {
        read("Connect#1", &format!(r#"{{"client_destination": "d", "password": "p", "sso": {value}}}"#))
            .map(|request| request.value("sso").cloned())
    };
    assert_eq!(sso("true"), Ok(Some(Value::Flag(true))));
    assert_eq!(sso("\"SSO\""), Ok(Some(Value::Flag(true))));
    assert_eq!(sso("false"), Ok(None));
    assert_eq!(sso("null"), Ok(None));
    // A number would lose the zeros in front of it.
    assert_eq!(read("MakeCall#1", r#"{"number": 49}"#).unwrap_err().code(), "INVALID_NUMBER");
}

#[test]
fn what_is_wrong_is_said_to_the_sender() {
    for (jms_type, body, expected) in [
        ("", "", "MISSING_COMMAND: the request names no command: set `JMSType` to `Command#agent`"),
        ("MakeReedy#1001", "", "UNKNOWN_COMMAND: there is no such command; did you mean `MakeReady`?"),
        ("Frobnicate#1001", "", "UNKNOWN_COMMAND: there is no such command"),
        (
            "MakeReady",
            "",
            "MISSING_AGENT: `MakeReady` needs the agent's id after `#`, as in `MakeReady#agent`: it is empty",
        ),
        (
            "MakeReady#10 01",
            "",
            "INVALID_AGENT: `MakeReady` needs the agent's id after `#`, as in `MakeReady#agent`: it has a character that cannot be in it",
        ),
        (
            "Hello#",
            "",
            "MISSING_CLIENT_DESTINATION: `Hello` needs the client's destination after `#`, as in `Hello#client_destination`: it is empty",
        ),
        (
            "Login#1001",
            ",2001",
            "MISSING_PASSWORD: `password` of `Login` is missing: the fields of `Login` are `password,extension`",
        ),
        (
            "Login#1001",
            "secret",
            "MISSING_EXTENSION: `extension` of `Login` is missing: the fields of `Login` are `password,extension`",
        ),
        (
            "Connect#1001",
            "",
            "MISSING_CLIENT_DESTINATION: `client_destination` of `Connect` is missing: the fields of `Connect` are `client_destination,password[,sso]`",
        ),
        (
            "Connect#1001",
            "ActiveMQ.Advisory.Queue,secret",
            "INVALID_CLIENT_DESTINATION: `client_destination` of `Connect` cannot be used: names that begin with `ActiveMQ.` are the broker's own",
        ),
        (
            "Connect#1001",
            "desks.>,secret",
            "INVALID_CLIENT_DESTINATION: `client_destination` of `Connect` cannot be used: it contains '>'",
        ),
        (
            "MakeReady#1001",
            "now",
            "TOO_MANY_FIELDS: there are too many fields: `MakeReady` has no fields; a value with a comma needs the JSON form",
        ),
        (
            "MobileAgentLogin#1001",
            "secret,2001,0123,yes",
            "INVALID_MODE: `mode` of `MobileAgentLogin` cannot be used: it has to be `true` or `false`",
        ),
        (
            "Login#1001",
            r#"{"pasword": "secret"}"#,
            "UNKNOWN_FIELD: there is a field that `Login` does not have: the fields of `Login` are `password,extension`; did you mean `password`?",
        ),
        ("Login#1001", r#"{"password": "a", "password": "b"}"#, "REPEATED_FIELD: `password` of `Login` is there twice"),
        (
            "Login#1001",
            "{\"password\": \"secret\",\n 2001}",
            "INVALID_JSON: the body begins with `{` and is no JSON: look at line 2, column 2",
        ),
        (
            "Login#1001",
            r#"{"data": {"type": "Logout#1001"}}"#,
            "TWO_COMMANDS: `JMSType` and `data.type` differ: send one of them, or the same in both",
        ),
        (
            "Login#1001",
            r#"{"data": 7}"#,
            "INVALID_DATA: `data` has to be an object with the text `type`, and a `body` that is a text or an object of fields",
        ),
        (
            "AnswerCall#1001",
            "../User/1",
            "INVALID_DIALOG_ID: `dialog_id` of `AnswerCall` cannot be used: it has to be the id of a call",
        ),
    ] {
        assert_eq!(fault(jms_type, body), expected);
    }
}

#[test]
fn limits_hold_on_both_sides_of_their_edges() {
    let type_of = |length: usize| format!("MakeReady#{}", "1".repeat(length - "MakeReady#".len()));
    assert!(matches!(read(&type_of(LONGEST_TYPE), ""), Err(Fault::Subject(_, Problem::TooLong(128)))));
    assert!(matches!(read(&type_of(LONGEST_TYPE + 1), ""), Err(Fault::TooLong(_))));
    assert!(read(&type_of(128 + "MakeReady#".len()), "").is_ok());
    let body = |length: usize| " ".repeat(length);
    assert!(read("MakeReady#1", &body(LONGEST_BODY)).is_ok());
    assert_eq!(read("MakeReady#1", &body(LONGEST_BODY + 1)).unwrap_err().code(), "TOO_LONG");
    assert!(Request::read(Some("MakeReady#1"), &vec![0; 1 << 20]).is_err());
    assert_eq!(Request::read(Some("Login#1"), &[0xff, 0xfe]).unwrap_err().code(), "NOT_TEXT");
    for (length, holds) in [(64, true), (65, false)] {
        assert_eq!(read("MakeCall#1", &"1".repeat(length)).is_ok(), holds);
    }
    let deep = format!("{{\"password\": {}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(read("Login#1", &deep).unwrap_err().code(), "INVALID_JSON");
}
