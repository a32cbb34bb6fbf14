//! Whatever a gateway of BOSH answers, no more than two requests are under way, and it ends or goes on.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::xmpp::bosh::{Bosh, Input, Output};

fuzz_target!(|text: &str| {
    let mut bosh = Bosh::new("a.test", 1);
    let mut under_way: Vec<u64> = Vec::new();
    let mut outputs = bosh.handle(Duration::ZERO, Input::Open);
    // A line for each answer; one that is empty is a connection that breaks.
    for line in text.lines() {
        for output in outputs.drain(..) {
            match output {
                Output::Post(id, _) => under_way.push(id),
                Output::Received(_) => {}
                Output::Failed(_) => return,
            }
        }
        assert!(under_way.len() <= 2);
        let now = bosh.wakes_at().unwrap_or_default();
        let input = match under_way.pop() {
            None => Input::Timer,
            Some(id) if line.is_empty() => Input::Broken(id, String::new()),
            Some(id) => Input::Answered(id, 200, line.to_owned()),
        };
        outputs = bosh.handle(now, input);
    }
});
