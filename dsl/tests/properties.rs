//! Any well-formed file in any layout is read, formatted and kept; any garbage is survived. `TOPOC_LONG=1` for more cases.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Cases per property.
#[allow(clippy::disallowed_methods, reason = "tests may look at the environment")]
fn cases() -> ProptestConfig {
    let cases = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 20_000 } else { 256 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-zA-Z][a-zA-Z0-9_]{0,7}(--?[a-z0-9]{1,3}){0,2}", 1 => select(vec!["listen", "broker", "true", "x"]).prop_map(str::to_owned)]
}

fn path() -> impl Strategy<Value = String> {
    vec(name(), 1..3).prop_map(|parts| parts.join("."))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => r#""([ -!#-\[\]-~äß→]|\\[nt"\\]|//|/\*|[{}\[\];=]){0,10}""#,
        1 => Just("\"\"".to_owned()),
        1 => Just(format!("\"{}\"", "long ".repeat(15))),
    ]
}

fn raw() -> impl Strategy<Value = String> {
    "([ -!#-~é]|\n|\r\n|\"[a-z]|\\\\|//|/\\*){0,12}".prop_map(|inner| format!("\"\"\"{inner}\"\"\""))
}

fn number() -> impl Strategy<Value = String> {
    "-?[0-9]{1,4}(\\.[0-9]{1,2}){0,2}(ms|s|KiB|%)?"
}

/// Blanks inside a statement, now and then with a comment among them.
fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just(" ".to_owned()),
        2 => "[ \t]{1,3}",
        1 => select(vec![" /* c */ ", "/**/", " /* \"{ */", " /* a\n * b\r\n */ "]).prop_map(str::to_owned),
    ]
}

/// Blanks where line ends may stand: in lists, around statements.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => blank(),
        6 => Just(String::new()),
        3 => select(vec!["\n", "\r\n", "\n\n", "\n \n\n  ", "\n\t"]).prop_map(str::to_owned),
        2 => select(vec![" // c\n", "// { \"\r\n", "\n  // own line  \n", "\n/* x */ // y\n", " /* a */ /* b\n */ "])
            .prop_map(str::to_owned),
    ]
}

/// What ends a statement.
fn end() -> impl Strategy<Value = String> {
    (
        blank(),
        prop_oneof![3 => Just("\n"), 1 => Just("\r\n"), 1 => Just(";"), 1 => Just("// c\n"), 1 => Just(";;\n")],
        vec(space(), 0..3),
    )
        .prop_map(|(blank, end, spaces)| format!("{blank}{end}{}", spaces.concat()))
}

/// `items` between two marks, with commas, and with one behind the last where `comma` says so.
fn enclosed(open: char, items: Vec<(String, String, String)>, comma: bool, close: char) -> String {
    let mut text = format!("{open}");
    let count = items.len();
    for (index, (before, item, after)) in items.into_iter().enumerate() {
        text.push_str(&format!("{before}{item}{after}"));
        if comma || index + 1 < count {
            text.push(',');
        }
    }
    text.push(close);
    text
}

fn value() -> impl Strategy<Value = String> {
    let simple = prop_oneof![4 => path(), 2 => text(), 2 => number(), 1 => raw(), 1 => name().prop_map(|name| format!("${name}"))];
    simple.prop_recursive(3, 24, 6, |inner| {
        let items = || vec((space(), inner.clone(), space()), 0..6);
        prop_oneof![
            3 => (items(), any::<bool>()).prop_map(|(items, comma)| enclosed('[', items, comma, ']')),
            1 => (path(), items()).prop_map(|(name, items)| name + &enclosed('(', items, false, ')')),
        ]
    })
}

fn header() -> impl Strategy<Value = String> {
    let argument = prop_oneof![
        6 => path(), 1 => text(), 1 => raw(), 1 => number(), 1 => Just("->".to_owned()), 1 => Just("<->".to_owned()), 1 => Just(",".to_owned())
    ];
    let head = prop_oneof![6 => name(), 1 => "\"[a-z.]{0,12}\""];
    (head, vec((blank(), argument), 0..4)).prop_map(|(head, arguments)| {
        arguments.into_iter().fold(head, |header, (blank, argument)| header + &blank + &argument)
    })
}

fn statement() -> impl Strategy<Value = String> {
    let field =
        || (header(), blank(), blank(), value()).prop_map(|(header, a, b, value)| format!("{header}{a}={b}{value}"));
    let simple = prop_oneof![1 => header(), 4 => field()];
    simple.prop_recursive(4, 40, 6, |inner| {
        let tight = vec(inner.clone(), 0..4).prop_map(|inner| format!("{{{}}}", inner.join("; ")));
        let loose = (space(), vec((inner, end()), 0..6)).prop_map(|(space, inner)| {
            format!("{{{space}{}}}", inner.into_iter().map(|(a, b)| a + &b).collect::<String>())
        });
        (header(), blank(), prop_oneof![tight, loose])
            .prop_map(|(header, blank, body)| format!("{header}{blank}{body}"))
    })
}

fn file() -> impl Strategy<Value = String> {
    let start = select(vec!["", "\u{feff}", "\n\n", "// first\n", "/* a\r\n  b */"]);
    (start, vec((statement(), end()), 0..8))
        .prop_map(|(start, all)| start.to_owned() + &all.into_iter().map(|(a, b)| a + &b).collect::<String>())
}

/// A slice of the file is removed, repeated, replaced or put elsewhere.
fn mutate(text: &str, changes: &[(u8, Index, Index, Index, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (kind, from, length, to, new) in changes {
        let from = from.index(chars.len() + 1);
        let end = (from + length.index(30)).min(chars.len());
        let to = to.index(chars.len() + 1);
        let slice: Vec<char> = chars[from..end].to_vec();
        match kind % 4 {
            0 => drop(chars.drain(from..end)),
            1 => drop(chars.splice(to..to, slice)),
            2 => drop(chars.splice(from..end, new.chars())),
            _ => drop(chars.splice(to..to, new.chars())),
        }
    }
    chars.into_iter().collect()
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => select(vec!["{", "}", "[", "]", "(", ")", "=", ",", ";", "\n", "\r\n", "\"", "\"\"\"", "\\", "//", "/*", "*/", "->", "<->", "$", "-", ".", "'", ":", "#", " ", "\t", "\u{feff}", "ä", "→", "\0"]).prop_map(str::to_owned),
        2 => select(vec!["site a", "broker b {", "x = 1", "\nsite", "topology t {\n  ", "  a b\n    c = 1\n  }\n", "secret(\"env:X\")", "[a, b]"]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn well_formed_files_are_read_and_formatted(text in file()) {
        prop_assert_eq!(topoc_dsl::parse(&text).errors, vec![]);
        common::check_parse(&text);
        common::check_format(&text);
    }

    #[test]
    fn garbage_is_survived(text in soup()) {
        common::check_parse(&text);
        common::check_format(&text);
    }

    #[test]
    fn bytes_are_survived(bytes in vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        common::check_parse(&text);
        common::check_format(&text);
    }

    #[test]
    fn damaged_files_are_survived(
        text in file(),
        changes in vec((any::<u8>(), any::<Index>(), any::<Index>(), any::<Index>(), soup()), 1..4),
    ) {
        let text = mutate(&text, &changes);
        common::check_parse(&text);
        common::check_format(&text);
    }
}

proptest! {
    // Each of them reads a file twice for every change of a session.
    #![proptest_config(ProptestConfig { cases: cases().cases / 20 + 64, ..cases() })]

    /// An editor's session: the tree of each revision is made from the tree of the one before.
    #[test]
    fn reading_again_after_any_change_is_reading_afresh(
        start in prop_oneof![3 => vec(file(), 1..6).prop_map(|files| files.concat()), 1 => soup()],
        session in vec(
            vec((any::<u8>(), any::<Index>(), any::<Index>(), any::<Index>(), prop_oneof![soup(), file()]), 1..3),
            1..16,
        ),
    ) {
        let mut tree = topoc_dsl::parse(&start);
        let mut text = start;
        for changes in session {
            let now = mutate(&text, &changes);
            tree = topoc_dsl::parse_again(&now, &text, tree);
            prop_assert_eq!(&tree, &topoc_dsl::parse(&now), "{:?}\nwas\n{:?}", now, text);
            text = now;
        }
    }
}
