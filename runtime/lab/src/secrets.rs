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

#[cfg(test)]
mod tests {
    use super::*;

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
