//! What the writer spells, and that the reader takes back any text. The JDK itself is asked in `tests/properties_jdk.rs`.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check_entry(key: &str, value: &str, expected: &str) {
    let written = Properties::new().entry(key, value).write();
    assert_eq!(written, format!("{expected}\n"));
    assert_eq!(parse(&written).unwrap(), [(key.to_owned(), value.to_owned())]);
}

#[test]
fn plain_keys_and_addresses_stay_as_they_are() {
    check_entry("ActiveMq_URL_1", "amq-1:61616", "ActiveMq_URL_1=amq-1:61616");
    check_entry("url", "failover:(tcp://a:1)?randomize=false&x=#!", "url=failover:(tcp://a:1)?randomize=false&x=#!");
}

#[test]
fn blanks_count_in_keys_and_at_the_start_of_values() {
    check_entry(" a b ", "  x y ", "\\ a\\ b\\ =\\  x y ");
    check_entry("a", "\tx\t", "a=\\tx\\t");
    check_entry("a", " ", "a=\\ ");
}

#[test]
fn separators_and_comment_signs_are_escaped_in_keys() {
    check_entry("#a", "#", "\\#a=#");
    check_entry("!a=b:c", "=:", "\\!a\\=b\\:c==:");
}

#[test]
fn empty_keys_and_values() {
    check_entry("", "", "=");
    check_entry("", "x", "=x");
    check_entry("a", "", "a=");
}

#[test]
fn line_ends_and_backslashes() {
    check_entry("a\nb", "c\r\nd\u{C}", "a\\nb=c\\r\\nd\\f");
    check_entry("a\\", "C:\\x\\", "a\\\\=C:\\\\x\\\\");
    check_entry("u", "\\u0041", "u=\\\\u0041");
}

#[test]
fn what_is_not_printable_ascii_is_escaped_as_utf_16() {
    check_entry("Zürich", "漢😀\0\u{7F}\u{FFFF}", "Z\\u00FCrich=\\u6F22\\uD83D\\uDE00\\u0000\\u007F\\uFFFF");
}

#[test]
fn comments_stay_comments_whatever_they_say() {
    let comment = "first\nkey=value\r\n!\rä\u{2028}x=1\u{85}\0end\\\n\n";
    let written = Properties::new().comment(comment).entry("a", "b").blank().comment("").write();
    assert_eq!(written, "# first\n# key=value\n# !\n# ä\n# x=1\n# \u{FFFD}end\\\n#\n#\na=b\n\n#\n");
    assert_eq!(parse(&written).unwrap(), [("a".into(), "b".into())]);
}

#[track_caller]
fn check_read(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    assert_eq!(parse(text).unwrap(), expected, "{text:?}");
}

#[test]
fn every_separator_that_java_takes() {
    for text in ["a=b", "a:b", "a b", "a\tb", "  a  =  b", "a\u{C}:b", "\\a=\\b", "a=\\\n   b", "a\\\r\n =b", "a=b\\"] {
        check_read(text, &[("a", "b")]);
    }
    check_read("a = = b", &[("a", "= b")]);
    check_read("a", &[("a", "")]);
    check_read("a=b \n", &[("a", "b ")]);
}

#[test]
fn lines_that_say_nothing_are_left_out() {
    check_read("\n\r\n  \n# a=b\n ! c=d\r#e\n", &[]);
    check_read("a=\\\n# b\nc=d", &[("a", "# b"), ("c", "d")]);
    check_read("a=\\\n\nb=c", &[("a", ""), ("b", "c")]);
    check_read("\\\n# a\nb=c", &[("b", "c")]);
}

#[test]
fn half_a_surrogate_pair_becomes_a_replacement_character() {
    check_read("a=\\uD83Dx", &[("a", "\u{FFFD}x")]);
    check_read("a=\\uD83D\\uDE00", &[("a", "😀")]);
}

#[test]
fn malformed_escapes_are_refused_with_their_line() {
    for text in ["x=1\n\na=\\u12", "x=1\n#\na\\uGGGG=1", "\r\n\na=\\u+123", "#\n#\r\na=\\\n\\u"] {
        assert_eq!(parse(text), Err(MalformedEscape { line: 3 }), "{text:?}");
    }
    assert!(MalformedEscape { line: 3 }.to_string().starts_with("line 3: `\\u` needs"));
}

fn text() -> impl Strategy<Value = String> {
    let special = " \t\n\r\u{C}\u{B}=:#!\\ut\"'\0\u{7F}\u{85}\u{A0}\u{2028}éÿ漢😀\u{FFFF}0";
    let one = prop_oneof![3 => proptest::sample::select(special.chars().collect::<Vec<_>>()), 1 => any::<char>()];
    proptest::collection::vec(one, 0..12).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(entries in proptest::collection::vec((text(), text(), text()), 0..6)) {
        let mut file = Properties::new();
        for (comment, key, value) in &entries {
            file.comment(comment).entry(key, value);
        }
        let expected: Vec<_> = entries.into_iter().map(|(_, key, value)| (key, value)).collect();
        let written = file.write();
        prop_assert_eq!(parse(&written), Ok(expected.clone()));
        let listed: Vec<_> = file.entries().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(listed, expected);
        prop_assert!(written.lines().all(|line| line.starts_with('#') || line.is_ascii()));
    }
}
