//! What is a secret by the looks of it: names whose values nobody is to see, and such values in any text.
//!
//! The rule `literal-password` judges by these names, and whoever shows text hides by them: also where the text could not be
//! read as a topology.

use std::ops::Range;

/// Names whose value is a secret, by their last word.
const SECRET_WORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "secret", "token", "apikey"];
/// The same, by their last two.
const SECRET_KEYS: &[&str] = &["api", "private", "access", "secret", "encryption", "shared", "sync"];
/// What a bridge joins client ids with, and no secret (ActiveMQ, `NetworkBridgeConfiguration`).
const CLIENT_ID_TOKEN: [&str; 3] = ["client", "id", "token"];

/// Whether a name says that its value is a secret: `DB_PASSWORD`, `keyStorePassword`, `api.key`, `PASSWORD_2`.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    match words.as_slice() {
        all if *all == CLIENT_ID_TOKEN => false,
        [.., before, last] if last == "key" && SECRET_KEYS.contains(&before.as_str()) => true,
        [.., last] => SECRET_WORDS.iter().any(|word| last.ends_with(word)),
        [] => false,
    }
}

/// The words of a name in small letters, numbers left out.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        let boundary = !c.is_ascii_alphabetic() || (small && c.is_ascii_uppercase());
        small = c.is_ascii_lowercase();
        if boundary {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphabetic()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Not a placeholder, nor encrypted, nor a switch.
#[must_use]
pub fn is_literal(value: &str) -> bool {
    !value.is_empty() && !value.starts_with("${") && !value.starts_with("ENC(") && !matches!(value, "true" | "false")
}

/// Where any text has secrets: behind `password =` and names like it, whatever language that is, and in
/// `//user:password@host`. Quotes are not among it.
#[must_use]
pub fn in_text(text: &str) -> Vec<Range<usize>> {
    let by_name = text.match_indices('=').filter_map(|(sign, _)| {
        let before = text.get(..sign)?.trim_end_matches([' ', '\t', '"', '\'']);
        let start = before.rfind(|c: char| !is_part_of_a_name(c)).map_or(0, |other| other + 1);
        let name = before.get(start..).filter(|name| is_secret_name(name));
        name.and_then(|_| value(text, sign + 1))
    });
    let in_addresses = text.match_indices("://").filter_map(|(sign, _)| user_info(text, sign + "://".len()));
    by_name.chain(in_addresses).filter(|range| text.get(range.clone()).is_some_and(is_literal)).collect()
}

fn is_part_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The value that begins behind `from`: what stands in its quotes, or a word. References say only where a secret is.
fn value(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let start = from + rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let written = text.get(start..)?;
    if let Some(argument) = written.strip_prefix("secret(") {
        let named = argument.trim_start().trim_start_matches('"');
        let is_reference = named.starts_with("env:") || named.starts_with("file:");
        return if is_reference { None } else { value(text, start + "secret(".len()) };
    }
    match written.chars().next()? {
        '$' => None,
        quote @ ('"' | '\'') => Some(start + 1..start + 1 + quoted(text.get(start + 1..)?, quote)),
        _ => {
            let ends = |c: char| c.is_whitespace() || matches!(c, '&' | ';' | ',' | ')' | '}' | ']' | '"' | '\'' | '<');
            Some(start..start + written.find(ends).unwrap_or(written.len()))
        }
    }
}

/// How long a text is before its closing quote, or before the end of its line where that is lost.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let closes = |(_, c): &(usize, char)| {
        let closes = !escaped && (*c == quote || *c == '\n');
        escaped = !escaped && *c == '\\';
        closes
    };
    text.char_indices().find(closes).map_or(text.len(), |(end, _)| end)
}

/// The password of `//user:password@`.
fn user_info(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let authority = rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '(' | ')')).next()?;
    let (info, _) = authority.rsplit_once('@')?;
    let (user, password) = info.split_once(':')?;
    let start = from + user.len() + 1;
    Some(start..start + password.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_others() {
        for name in [
            "password",
            "DB_PASSWORD",
            "keyStorePassword",
            "FINESSEPASSWORD",
            "api.key",
            "PASSWORD_2",
            "authToken",
            "remote-password",
            "sync-key",
            "other-sync-key",
            "broker-private-key",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "",
            "user",
            "passwordFile",
            "TOKEN_TTL",
            "routing.key",
            "PASSWORD_MIN_LENGTH",
            "tokens.url",
            "client-id-token",
            "clientIdToken",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_secret_is_seen_in_any_language() {
        for (text, expected) in [
            ("password = \"x y\"", &["x y"][..]),
            ("password=\"x\\\"y\"; user = \"a\"", &["x\\\"y"]),
            ("password = x // a name", &["x"]),
            ("password = secret(\"x\")", &["x"]),
            ("property \"DB_PASSWORD\" = \"x\"", &["x"]),
            ("options { \"socket.keyStorePassword\" = \"x\" }", &["x"]),
            ("let far-password = \"x\"", &["x"]),
            ("password = \"x\npassword = \"y\"", &["x", "y"]),
            ("uri = \"failover:(tcp://gc:x@a:1,tcp://gc:y@b:1)?jms.password=z&timeout=3\"", &["z", "x", "y"]),
            ("uri = \"failover:(tcp://gc:x/y@a:1\"", &["x/y"]),
            ("url = \"jdbc:sqlserver://db;user=amq;Password=x;a=b\"", &["x"]),
            ("<bean user='a' password = 'x'/>", &["x"]),
            ("password = \"x", &["x"]),
        ] {
            let found: Vec<&str> = in_text(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "password = secret(\"env:GC_PASSWORD\")",
            "password = $far",
            "password=\"${DB_PASSWORD}\"",
            "users { user gc { groups = [\"a\"] } }",
            "client-id-token = \"_\"",
            "jdbc:postgresql://amq@db/amq",
            "password =",
            "= \"x\"",
        ] {
            assert_eq!(in_text(text), [0..0; 0], "{text}");
        }
    }
}
