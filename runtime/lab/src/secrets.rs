//! Secrets that nothing may print: the list that tests take them from, and whether a text has one of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One on each line. `no-secret` reads the same list.
const LIST: &str = include_str!("../unmistakable-secrets");

/// Which secrets of `runtime/lab/unmistakable-secrets` a text has, as they are or within any Base64 (Basic, SASL): the number of
/// each and the line of the text where it is first, both from 1. The secrets themselves are told to nobody.
#[must_use]
pub fn secrets_in(text: &str) -> Vec<(usize, usize)> {
    let line = |form: &str| text.find(form).map(|at| text[..at].matches('\n').count() + 1);
    let found =
        |secret: &str| std::iter::once(secret.to_owned()).chain(in_base64(secret)).filter_map(|f| line(&f)).min();
    (1..).zip(LIST.lines()).filter_map(|(number, secret)| Some((number, found(secret)?))).collect()
}

/// What it looks like within a longer text in Base64: three ways, by where in a group of three bytes it begins. Only letters that
/// nothing around it decides.
fn in_base64(secret: &str) -> impl Iterator<Item = String> {
    (0..3_usize).map(move |before| {
        let encoded = STANDARD.encode(["xx".get(..before).unwrap_or_default(), secret].concat());
        encoded[(before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6].to_owned()
    })
}

/// How ActiveMQ begins to print a whole message, with what clients have written into it, when a bridge breaks while it is forwarded
/// (`DemandForwardingBridgeSupport`, seen with 6.3.1): nothing that is ours prints that, and nothing of ours can keep it from that.
const MESSAGE: &str = " on duplex forward of: ActiveMQ";

/// A log without messages that a broker has printed; its lines keep their numbers.
pub(crate) fn without_messages(text: &str) -> String {
    text.lines().map(|line| line.split_once(MESSAGE).map_or(line, |(before, _)| before)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broker_prints_of_a_message_does_not_count_and_all_else_does() {
        let secret = LIST.lines().next().unwrap_or_default();
        let line =
            |of: &str| format!("one\nERROR Exception: reset on duplex forward of: {of} {{text = 1001,{secret}}}\n");
        assert_eq!(secrets_in(&without_messages(&line("ActiveMQTextMessage"))), []);
        assert_eq!(secrets_in(&without_messages(&line("something else"))), [(1, 2)]);
        let before = format!("one\n{secret} on duplex forward of: ActiveMQTextMessage {{}}\n");
        assert_eq!(secrets_in(&without_messages(&before)), [(1, 2)]);
    }

    #[test]
    fn a_secret_is_found_wherever_it_begins_in_base64() {
        for (number, secret) in (1..).zip(LIST.lines()) {
            for before in ["", "1", "12", "123", "\0gc\0"] {
                for after in ["", "1", "12", "123"] {
                    let text = format!("one\ntwo {}\n", STANDARD.encode(format!("{before}{secret}{after}")));
                    assert_eq!(secrets_in(&text), [(number, 2)], "{before:?} {after:?}");
                }
            }
            assert_eq!(secrets_in(&format!("\n\n<{secret}>")), [(number, 3)]);
        }
    }

    #[test]
    fn what_is_near_a_secret_is_none() {
        let first = LIST.lines().next().expect("there are some");
        let changed = first.to_uppercase();
        for text in ["", "nothing\nhere", &first[1..], &changed, &STANDARD.encode(&changed)] {
            assert_eq!(secrets_in(text), []);
        }
    }
}
