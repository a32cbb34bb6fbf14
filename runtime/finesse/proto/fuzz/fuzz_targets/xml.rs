//! Any text is read as XML or refused; what was read is written so that it is read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::xml::{self, Limits};

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    if let Ok((open, scope)) = xml::read_open(text, limits) {
        let scope: Vec<(&str, &str)> = scope.iter().map(|(prefix, name)| (prefix.as_str(), name.as_str())).collect();
        // An element of the same prefix, inside of the one that is open, is of the same namespace.
        let inside = xml::read_within("<a/>", &scope, limits).expect("it is well-formed");
        assert!(open.namespace == inside.namespace || text.contains(':'));
    }
    let Ok(element) = xml::read(text, limits) else { return };
    // Written it may be longer, since every namespace is spelled out.
    let roomy = Limits { bytes: usize::MAX, ..limits };
    assert_eq!(xml::read(&element.to_string(), roomy).as_ref(), Ok(&element));
    let within = element.to_string_within("jabber:client");
    assert_eq!(xml::read_within(&within, &[("", "jabber:client")], roomy).as_ref(), Ok(&element));
});
