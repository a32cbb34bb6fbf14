//! Any text is read as a notification of Finesse or refused; each says that something happened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::notification::{self, Update};
use topoc_finesse_proto::xml::{self, Limits};

fuzz_target!(|text: &str| {
    let Ok(element) = xml::read(text, Limits::default()) else { return };
    assert!(!Update::read(&element).events.is_empty());
    for item in notification::in_message(&element, Limits::default()) {
        if let Ok(update) = item.update {
            assert!(!update.events.is_empty());
        }
    }
});
