//! Whatever comes, nothing panics, both forms say the same, and no secret is repeated.

use proptest::prelude::*;
use topoc_core::command::{COMMANDS, Kind, Request, Row, Subject};

fn row() -> impl Strategy<Value = &'static Row> {
    (0..COMMANDS.len()).prop_map(|place| &COMMANDS[place])
}

/// A value that the field takes, in JSON.
fn value(kind: Kind) -> BoxedStrategy<String> {
    let text = |pattern: &'static str| pattern.prop_map(|text| serde_json::Value::from(text).to_string()).boxed();
    match kind {
        Kind::Destination => text("(queue://)?[a-zA-Z][a-zA-Z0-9._-]{0,20}"),
        Kind::Secret => text("[ -~é€😀]{1,20}"),
        Kind::Sso | Kind::Flag => any::<bool>().prop_map(|flag| flag.to_string()).boxed(),
        Kind::Phone => text("[+0-9a-z*]{1,20}"),
        Kind::Dialog => text("[0-9]{1,12}"),
        Kind::Reason => (0..i64::MAX).prop_map(|id| id.to_string()).boxed(),
        Kind::Label => text("[a-z]([ -~é€]{0,20}[a-z])?"),
    }
}

/// A request with everything that its row allows.
fn request() -> impl Strategy<Value = Request> {
    row().prop_flat_map(|row| {
        let subject = match row.subject {
            Subject::Agent => "[a-zA-Z0-9._-]{3,10}",
            Subject::Destination => "(queue://)?[a-z]{1,9}",
        };
        let values: Vec<_> = row.fields.iter().map(|field| value(field.kind)).collect();
        (subject, values).prop_map(move |(subject, values)| {
            let fields: Vec<String> =
                row.fields.iter().zip(values).map(|(field, value)| format!("\"{}\": {value}", field.name)).collect();
            let body = format!("{{{}}}", fields.join(", "));
            let jms_type = format!(" {} # {subject} ", row.name.to_lowercase());
            Request::read(Some(&jms_type), body.as_bytes()).unwrap_or_else(|fault| panic!("{jms_type} {body}: {fault}"))
        })
    })
}

/// Something that looks like a request, with a marker wherever a secret can be.
fn nearly() -> impl Strategy<Value = (String, String)> {
    let pieces = proptest::collection::vec(
        prop_oneof![
            Just("SECRET"),
            Just("{"),
            Just("}"),
            Just("\""),
            Just(":"),
            Just(","),
            Just("\"password\""),
            Just("\"data\""),
            Just("\"type\""),
            Just("\"body\""),
            Just("\"Login#1001\""),
            Just("2001"),
            Just(" "),
            Just("["),
            Just("]"),
            Just("\n"),
            Just("é"),
            Just("\u{0}"),
            Just("true"),
            Just("\"SECRET\""),
            Just("{\"data\":{\"type\":\"Login#1\",\"body\":"),
        ],
        0..16,
    );
    (row(), pieces).prop_map(|(row, pieces)| (format!("{}#1001", row.name), pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(jms_type in any::<Option<String>>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(fault) = Request::read(jms_type.as_deref(), &body) {
            prop_assert!(!fault.code().is_empty() && !fault.to_string().is_empty());
        }
    }

    #[test]
    fn both_forms_say_the_same(request in request()) {
        let jms_type = request.jms_type();
        let json = Request::read(Some(&jms_type), request.to_json().expose().as_bytes());
        prop_assert_eq!(json.as_ref(), Ok(&request));
        match request.to_commas() {
            Ok(body) => {
                let commas = Request::read(Some(&jms_type), body.expose().as_bytes());
                prop_assert_eq!(commas.as_ref(), Ok(&request));
            }
            Err(unwritable) => {
                let text = request.text(unwritable.0).or_else(|| request.password().map(|secret| secret.expose()));
                let text = text.unwrap_or_default();
                prop_assert!(text.contains(',') || text.trim() != text || text.starts_with('{'), "{:?}", unwritable);
            }
        }
    }

    #[test]
    fn no_fault_and_no_log_repeats_a_secret((jms_type, body) in nearly()) {
        let shown = match Request::read(Some(&jms_type), body.as_bytes()) {
            Err(fault) => format!("{fault} {fault:?} {}", fault.code()),
            // Phones and the like are shown, a password is not, wherever the marker stands.
            Ok(request) => format!("{:?}", request.password()),
        };
        prop_assert!(!shown.contains("SECRET"), "{}", shown);
    }

    #[test]
    fn a_wrong_letter_in_a_name_is_noticed(row in row(), place in 0usize..6, letter in "[a-z]") {
        let mut name = row.name.to_owned();
        let place = place.min(name.len() - 1);
        name.replace_range(place..=place, &letter);
        let found = Request::read(Some(&format!("{name}#1001")), b"").map(|request| request.row());
        if let Err(topoc_core::command::Fault::UnknownCommand { near }) = found {
            prop_assert!(name.len() < 6 || near.is_some(), "{}", name);
        }
    }
}
