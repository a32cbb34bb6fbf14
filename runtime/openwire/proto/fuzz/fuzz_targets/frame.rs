//! Any bytes are read as frames or refused; what was read can be written, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topoc_openwire_proto::command::Command;
use topoc_openwire_proto::frame::{self, Decoder};

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new(1 << 20);
    decoder.feed(bytes);
    while let Ok(Some(command)) = decoder.next() {
        let written = frame::encode(&command).expect("what was read has room");
        let mut again = Decoder::new(1 << 24);
        again.feed(&written);
        let read = again.next().expect("what was written can be read").expect("and is a whole frame");
        assert_eq!(frame::encode(&read).as_ref(), Ok(&written));
        if let Command::Message(message) = &command {
            let _ = message.properties();
            let _ = message.body(1 << 20);
        }
    }
});
