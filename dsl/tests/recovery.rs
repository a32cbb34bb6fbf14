//! What is said about broken files, where, and what is kept of them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};
use topoc_dsl::parse;
use topoc_dsl::syntax::{Statement, Tail};

/// A broken text, its errors as `line:column message`, and what is kept: `head=` for a field, `head{...}` for a block.
struct Case {
    name: &'static str,
    text: &'static str,
    errors: &'static [&'static str],
    kept: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "fields with other marks",
        text: "topology t {\n  activemq = 6.2.1\n  finesse: \"12.6\"\n  x : 1\n  y = 2\n}",
        errors: &["3:10 a field is set with `=`", "4:5 a field is set with `=`"],
        kept: "topology t{activemq=; y=}",
    },
    Case {
        name: "single and curly quotes",
        text: "a { host = 'amq-1'; b = 1 }\nhost = “amq-1”\nc = 2",
        errors: &["1:12 text is written in double quotes, `\"`", "2:8 text is written in double quotes, `\"`"],
        kept: "a{b=}; c=",
    },
    Case {
        name: "a blank that is none",
        text: "a {\n  host\u{a0}= 1\n  b = 2\n}",
        errors: &["2:7 an invisible character, U+00A0, that is no ordinary blank"],
        kept: "a{b=}",
    },
    Case {
        name: "values that want quotes",
        text: "a {\n  host = amq-1:61616\n  path = /var/lib\n  name = my host\n  mail = a@b.c\n  b = 2\n}",
        errors: &[
            "2:10 `amq-1:61616` needs quotes",
            "3:10 `/var/lib` needs quotes",
            "4:10 `my host` needs quotes",
            "5:10 `a@b.c` needs quotes",
        ],
        kept: "a{b=}",
    },
    Case {
        name: "a blank between a number and its unit",
        text: "a {\n  store = 10 GiB\n  timeout = 500 ms\n  name = 10 downing street\n  b = 2\n}",
        errors: &[
            "2:11 a blank between `10` and its unit",
            "3:13 a blank between `500` and its unit",
            "4:10 `10 downing street` needs quotes",
        ],
        kept: "a{b=}",
    },
    Case {
        name: "values that want brackets",
        text: "a {\n  z = 10 20\n  y = a, b\n  x = \"a\" \"b\"\n  b = 2\n}",
        errors: &["2:7 `z` has several values", "3:7 `y` has several values", "4:7 `x` has several values"],
        kept: "a{b=}",
    },
    Case {
        name: "a comma is missing",
        text: "a {\n  brokers = [a b, c]\n  list = [\n    1,\n    2\n    3\n  ]\n  call = secret(\"a\" \"b\")\n  b = 2\n}",
        errors: &[
            "2:16 a `,` is missing in this list",
            "6:5 a `,` is missing in this list",
            "8:21 a `,` is missing in this list",
        ],
        kept: "a{b=}",
    },
    Case {
        name: "a comma too many",
        text: "a { x = [1,, 2]; y = [,]; b = 2 }",
        errors: &["1:12 a value is missing in front of this `,`", "1:23 a value is missing in front of this `,`"],
        kept: "a{b=}",
    },
    Case {
        name: "lists that are never closed",
        text: "a {\n  y = [1, 2\n  z = [\n    1,\n    2\n  b = 2\n}\nc = [3",
        errors: &["2:7 this list is never closed", "3:7 this list is never closed", "8:5 this list is never closed"],
        kept: "a{b=}",
    },
    Case {
        name: "brackets that were never opened",
        text: "a { y = 1, 2]; x = f 3); b = 2 }",
        errors: &["1:13 this `]` closes nothing", "1:23 this `)` closes nothing"],
        kept: "a{b=}",
    },
    Case {
        name: "brackets of two kinds",
        text: "a { y = [1, f(2]; x = (1); b = 2 }",
        errors: &["1:16 this `]` closes nothing", "1:23 unexpected `(1)`"],
        kept: "a{b=}",
    },
    Case {
        name: "names",
        text: "site s {\n  broker amq#1 { host = \"x\" }\n  broker amq-1- { host = \"y\" }\n  user@host = 1\n  1st = 2\n  wire.format = 3\n  größe = 4\n  b = 2\n}",
        errors: &[
            "2:13 `#` cannot be part of a name",
            "3:15 a name cannot start or end with `-`",
            "4:7 `@` cannot be part of a name",
            "5:3 a statement cannot start with `1st`",
            "6:3 `wire.format` cannot start a statement",
            "7:5 `ö` cannot be part of a name",
        ],
        kept: "site s{broker{host=}; broker{host=}; b=}",
    },
    Case {
        name: "two statements on one line",
        text: "a = 1 b = 2\nc { d = 1 e = \"x\" }\nf { g = [1] h { i = 1 } }\nj = 2",
        errors: &[
            "1:7 two statements on one line",
            "2:11 two statements on one line",
            "3:13 two statements on one line",
        ],
        kept: "c{}; f{g{i=}}; j=",
    },
    Case {
        name: "two equals signs",
        text: "a == 1\nb = c = 2\n= 3\nd = 4",
        errors: &["1:4 there is a second `=`", "2:7 there is a second `=`", "3:1 this `=` has no name in front of it"],
        kept: "d=",
    },
    Case {
        name: "a block with an equals sign",
        text: "site s {\n  limits = {\n    memory = 1\n  }\n  b = 2\n}",
        errors: &["2:10 a block is written without `=`"],
        kept: "site s{limits{memory=}; b=}",
    },
    Case {
        name: "no value",
        text: "a {\n  port =\n  listen x { port = }\n  b = 2\n}",
        errors: &["2:3 `port` has no value", "3:14 `port` has no value"],
        kept: "a{listen x{}; b=}",
    },
    Case {
        name: "no header",
        text: "{ a = 1 }\nsite s {\n  { c = 1 }\n  b = 2\n}",
        errors: &["1:1 this `{` has no block in front of it", "3:3 this `{` has no block in front of it"],
        kept: "{a=}; site s{{c=}; b=}",
    },
    Case {
        name: "a text that is never closed",
        text: "a {\n  x = \"abc\n  y = \"abc;\n  z = [\"a, b]\n  b = 2\n}\nc = 3",
        errors: &["2:7 this text is never closed", "3:7 this text is never closed", "4:8 this text is never closed"],
        kept: "a{b=}; c=",
    },
    Case {
        name: "a raw text that is never closed",
        text: "a = 1\nb = \"\"\"\nc = 3\n",
        errors: &["2:5 this raw text is never closed"],
        kept: "a=",
    },
    Case {
        name: "a comment that is never closed",
        text: "a = 1\nb = 2 /* x\nc = 3\n",
        errors: &["2:7 this comment is never closed"],
        kept: "a=",
    },
    Case {
        name: "a brace too many",
        text: "a { b = 1 }\n}\nc = 2\n} d = 3",
        errors: &["2:1 this `}` closes nothing", "4:1 this `}` closes nothing"],
        kept: "a{b=}; c=; d=",
    },
    Case {
        name: "a site shows that a brace was forgotten",
        text: "site a {\n  broker b {\n    x = 1\n  }\nsite c {\n  d = 2\n}",
        errors: &["1:8 `site a` is never closed"],
        kept: "site a{broker b{x=}}; site c{d=}",
    },
    Case {
        name: "indentation shows which brace was forgotten",
        text: "site a {\n  broker b {\n    x = 1\n  finesse f { y = 2 }\n}\nsite c { }",
        errors: &["2:12 `broker b` is never closed"],
        kept: "site a{broker b{x=}; finesse f{y=}}; site c{}",
    },
    Case {
        name: "two braces forgotten",
        text: "site a {\n  broker b {\n    listen l {\n      x = 1\n  finesse f { y = 2 }\n}\nsite c { }",
        errors: &["3:14 `listen l` is never closed"],
        kept: "site a{broker b{listen l{x=}}; finesse f{y=}}; site c{}",
    },
    Case {
        name: "more braces forgotten than there are blanks",
        text: "site a {\n b { c { d { e = 1\n f = 2\n}\n",
        errors: &["2:8 `c` is never closed"],
        kept: "site a{b{c{d{e=; f=}}}}",
    },
    Case {
        name: "the last brace of the file",
        text: "site a {\n  b = 1\n",
        errors: &["1:8 `site a` is never closed"],
        kept: "site a{b=}",
    },
    Case {
        name: "a header without its brace",
        text: "x = 0\nsite a\n  host = 1\n  broker b { c = 2 }\n}\nd = 3",
        errors: &["2:1 a `{` is missing behind `site a`"],
        kept: "x=; site a{host=; broker b{c=}}; d=",
    },
    Case {
        name: "a header without its brace inside a block",
        text: "site s {\n  broker a\n    host = 1\n  }\n  b = 2\n}\nd = 3",
        errors: &["2:3 a `{` is missing behind `broker a`"],
        kept: "site s{broker a{host=}; b=}; d=",
    },
    Case {
        name: "an arrow without an end",
        text: "bridge a <-> b\nbridge a <- b\nbridge a => b\nc = 1",
        errors: &["2:10 `<-` is no arrow", "3:10 `=>` is no arrow"],
        kept: "bridge a <-> b; c=",
    },
    Case {
        name: "a semicolon inside a list",
        text: "a { x = [1; 2]; b = 2 }",
        errors: &["1:11 a `;` inside a list"],
        kept: "a{b=}",
    },
    Case {
        name: "marks that are not in the language",
        text: "a { % }\nb = 1\n?\nc = 2",
        errors: &["1:5 unexpected `%`", "3:1 unexpected `?`"],
        kept: "a{}; b=; c=",
    },
    Case {
        name: "text beside a name",
        text: "a = \"x\"y\nb = 10.0.0.1:61616\nc = 2",
        errors: &["1:8 unexpected `y`", "2:5 `10.0.0.1:61616` needs quotes"],
        kept: "c=",
    },
    Case {
        name: "a call over lines",
        text: "a {\n  p = secret(\n    \"env:X\" \"y\"\n  )\n  b = 2\n}",
        errors: &["3:13 a `,` is missing in this list"],
        kept: "a{b=}",
    },
    Case {
        name: "arrows of other languages",
        text: "bridge a => b\nbridge a --> b\nbridge a <=> b\nbridge a <-- b\nx = \"=>\"\nc = 1",
        errors: &["1:10 `=>` is no arrow", "2:10 `-->` is no arrow", "3:10 `<=>` is no arrow", "4:10 `<-` is no arrow"],
        kept: "x=; c=",
    },
    Case {
        name: "a control character before a semicolon",
        text: "\u{85};a = 1",
        errors: &["1:1 an invisible character, U+0085, that is no ordinary blank"],
        kept: "a=",
    },
    Case {
        name: "a text that hides a brace",
        text: "a {\n  listen x { port = \"1 }\n  b = 2\n}\nc = 3",
        errors: &["2:21 this text is never closed"],
        kept: "a{listen x{}; b=}; c=",
    },
    Case {
        name: "a text that hides an opening brace",
        text: "a {\n  broker \"x {\n    b = 2\n  }\n  d = 4\n}\nc = 3",
        errors: &["2:10 this text is never closed"],
        kept: "a{broker{b=}; d=}; c=",
    },
];

#[test]
fn every_slip_is_named_and_the_rest_is_kept() {
    for case in CASES {
        let tree = parse(case.text);
        let found: Vec<String> =
            tree.errors.iter().map(|error| place(case.text, error.span.start) + &error.message).collect();
        assert_eq!(found, case.errors, "{}:\n{}", case.name, case.text);
        assert_eq!(outline(case.text, &tree.statements), case.kept, "{}:\n{}", case.name, case.text);
    }
}

/// A repair is obvious, so the file has one error less with it.
#[test]
fn every_repair_repairs() {
    for case in CASES {
        let tree = parse(case.text);
        for error in &tree.errors {
            let Some(repair) = &error.repair else { continue };
            let range = repair.span.start as usize..repair.span.end as usize;
            let mut repaired = case.text.to_owned();
            repaired.replace_range(range, &repair.text);
            let left = parse(&repaired).errors.len();
            assert!(left < tree.errors.len(), "{}, {}: {left} errors in\n{repaired}", case.name, repair.title);
        }
    }
}

/// Twenty mistakes that people make, one statement each.
const MISTAKES: [&str; 20] = [
    "host = 'single'",
    "host: \"colon\"",
    "host = amq-1:61616",
    "path = /var/lib",
    "name = two words",
    "brokers = [a b, c]",
    "brokers = [a,, b]",
    "brokers = [a, b",
    "brokers = a, b",
    "port = 10 20",
    "port =",
    "port == 1",
    "port = 1 host = \"x\"",
    "= 1",
    "text = \"open",
    "user@host = 1",
    "1st = 2",
    "wire.format = 3",
    "path = [secret(\"a\" \"b\")]",
    "broker amq#1 { }",
];

#[test]
fn twenty_mistakes_are_twenty_errors_and_twenty_good_statements_stay() {
    let mut top = String::new();
    let mut block = "site s {\n".to_owned();
    for (number, mistake) in MISTAKES.iter().enumerate() {
        writeln!(top, "{mistake}\ngood{number} = [1, \"two\", three]").unwrap();
        writeln!(block, "  {mistake}\n  good{number} = [1, \"two\", three]").unwrap();
    }
    for text in [top, block + "}\n"] {
        let tree = parse(&text);
        let lines: Vec<usize> = tree.errors.iter().map(|error| line(&text, error.span.start)).collect();
        let first = if text.starts_with("site") { 2 } else { 1 };
        assert_eq!(lines, (0..20).map(|number| first + 2 * number).collect::<Vec<_>>(), "{:#?}", tree.errors);
        let kept = outline(&text, &tree.statements);
        for number in 0..20 {
            assert!(kept.contains(&format!("good{number}=")), "good{number} is lost: {kept}");
        }
    }
}

/// Far more than the slowest of these takes, a second for a megabyte in a test build on an idle machine: what is not linear
/// takes hours.
const DEADLINE: Duration = Duration::from_secs(20);

/// Parses a hostile text and returns how many errors it has.
#[allow(clippy::disallowed_methods, reason = "a guard against hangs needs a clock")]
fn survived(text: &str) -> usize {
    let start = Instant::now();
    let errors = parse(text).errors.len();
    assert!(start.elapsed() < DEADLINE, "{:?} for {} bytes", start.elapsed(), text.len());
    errors
}

#[test]
fn a_thousand_unclosed_blocks() {
    assert_eq!(survived(&"site x {\n".repeat(1_000)), 1_000);
    let nested: String = (0..1_000).map(|level| format!("{}broker b {{\n", "  ".repeat(level))).collect();
    assert_eq!(survived(&nested), 1);
    assert_eq!(survived(&"a { ".repeat(1_000)), 1);
    assert_eq!(survived(&"a {\n".repeat(60)), 1);
    assert_eq!(survived(&format!("site s {{\n{}}}\n", "  broker b {\n    x = 1\n".repeat(1_000))), 1);
}

#[test]
fn ten_thousand_nested_marks() {
    for mark in ["{", "[", "(", "a {", "a = [", "a = f(", "a = [f(", "[)", "[(]", "([)", "[;", "x = [\"\\"] {
        assert!(survived(&mark.repeat(10_000)) > 0, "{mark}");
        assert!(survived(&format!("site s {{\n{}\n}}\n", mark.repeat(10_000))) > 0, "{mark}");
    }
    assert_eq!(survived(&"a {".repeat(10_000)), 1);
    let balanced = format!("{}{}", "a {".repeat(10_000), "}".repeat(10_000));
    assert_eq!(survived(&balanced), 1);
}

#[test]
fn sixty_four_levels_of_anything_are_read() {
    for (open, close) in [("a { ", "}"), ("[", "]"), ("f(", ")")] {
        let levels = if open == "a { " { 63 } else { 64 };
        let value = if open == "a { " { "b = 1" } else { "1" };
        let inner = format!("{}{value}{}", open.repeat(levels), close.repeat(levels));
        let text = if open == "a { " { inner } else { format!("x = {inner}") };
        assert_eq!(survived(&text), 0, "{text}");
    }
}

/// A whole megabyte once; the other kinds of it are shorter, because a test build takes a second for each.
#[test]
fn a_megabyte_of_garbage() {
    const PIECES: [&str; 24] = [
        "%",
        "} ",
        "a",
        "a ",
        "\"",
        "\\",
        "'",
        "ä",
        "[a = ",
        "= ",
        ";",
        "-",
        "a.",
        "/*/",
        "\u{a0}",
        "}\n",
        "a\n",
        "[\"\"\n",
        "= [\n\"\n",
        "a {\n}\n}\n",
        "a b\n  c\n}\n",
        "  x\n }\n",
        "( [ \n",
        "x = \"\n",
    ];
    for (pieces, bytes) in [(PIECES.as_slice(), 50_000), (&["a% \"} "], 1_000_000)] {
        for piece in pieces {
            let garbage = piece.repeat(bytes / piece.len());
            survived(&garbage);
            survived(&format!("site s {{\n{garbage}\n}}"));
        }
    }
}

#[test]
fn raw_text_and_comments_without_an_end_cost_only_their_own_statement() {
    for open in ["b = \"\"\"", "/*", "raw-xml \"\"\""] {
        let text = format!("a = 1\n{open}{}", "x\n".repeat(100_000));
        assert_eq!(survived(&text), 1);
        assert_eq!(outline(&text, &parse(&text).statements), "a=");
    }
}

/// Heads of statements, with `=` behind fields and the content of blocks in braces.
fn outline(text: &str, statements: &[Statement]) -> String {
    let one = |statement: &Statement| {
        let head = statement.header().of(text);
        match &statement.tail {
            Tail::Nothing => head.to_owned(),
            Tail::Value(_) => format!("{head}="),
            Tail::Body(body) => format!("{head}{{{}}}", outline(text, &body.statements)),
        }
    };
    statements.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn line(text: &str, offset: u32) -> usize {
    text[..offset as usize].matches('\n').count() + 1
}

/// `line:column `, the column in characters.
fn place(text: &str, offset: u32) -> String {
    let before = &text[..offset as usize];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    format!("{}:{} ", line(text, offset), before[start..].chars().count() + 1)
}
