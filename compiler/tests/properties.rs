//! Any damage to a real topology is survived: places, fixes, artifacts and the formatter keep their promises. `TOPOC_LONG=1` for more
//! cases.
#![expect(clippy::disallowed_methods, reason = "tests read the examples and the environment")]
#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use topoc_compiler::diagnostic::{Diagnostic, Fix, Loc, Safety};
use topoc_compiler::emit::{self, Artifact, write::properties};
use topoc_compiler::{Analysis, analyze};

/// The files of a topology by their paths; `main.topo` is the entry.
type Files = HashMap<String, String>;

const ENTRY: &str = "main.topo";

/// Every example, the broken one too.
static EXAMPLES: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let examples: Vec<Files> = folders.iter().filter(|path| path.is_dir()).map(|folder| files_below(folder)).collect();
    assert!(examples.len() >= 10, "there are ten examples and {} were found", examples.len());
    examples
});

fn files_below(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "topo") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// Cases per property.
fn cases() -> ProptestConfig {
    let cases = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 5000 } else { 64 };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() }
}

fn example() -> impl Strategy<Value = Files> {
    (0..EXAMPLES.len()).prop_map(|index| EXAMPLES[index].clone())
}

/// Pairs of sites with connectors and clients, in the variety that the language allows.
fn generated() -> impl Strategy<Value = Files> {
    let release = select(vec!["5.15.16", "5.18", "6.2", "6.3.1"]);
    let listener = select(vec![
        "listen openwire { port = 61616 }",
        "listen openwire { port = 61616 }\n    listen ssl { port = 61617 }",
        "listen openwire { uri = \"tcp://0.0.0.0:61616?maximumConnections=1000\" }",
        "listen openwire { port = 61616; raw-xml = \"\"\"<!-- own -->\"\"\" }",
    ]);
    let connector =
        select(vec!["timeout = 10s", "user = \"gc\"\n    password = secret(\"env:GC_PASSWORD\")", "backup = true", ""]);
    let bridge = select(vec![
        "bridge amq-N-a <-> amq-N-b",
        "bridge amq-N-a -> amq-N-b\nbridge amq-N-b -> amq-N-a",
        "bridge amq-N-a <-> amq-N-b {\n  networkTTL = 2\n}",
        "bridge amq-N-a <-> amq-N-b { dynamic = [\"queue:GC.>\"] }",
    ]);
    let mode = select(vec!["active-active", "active-passive"]);
    let pair = (listener, connector, bridge, mode, select(vec!["amq", "ämq", "AMQ_", "-amq"]));
    (release, vec(pair, 1..4)).prop_map(|(release, pairs)| {
        let mut text = format!("topology generated {{\n  activemq = \"{release}\"\n  finesse = \"12.6\"\n}}\n");
        for (n, (listener, connector, bridge, mode, host)) in pairs.into_iter().enumerate() {
            for (own, other, priority) in [("a", "b", 127), ("b", "a", 100)] {
                text += &format!(
                    "site s-{n}-{own} {{\n  broker amq-{n}-{own} {{\n    host = \"{host}-{n}-{own}\"\n    {listener}\n  }}\n  \
                     finesse fin-{n}-{own} {{ host = \"fin-{n}-{own}\" }}\n  connector gc-{n}-{own} {{\n    \
                     brokers = [amq-{n}-{own}, amq-{n}-{other}]\n    finesse = [fin-{n}-{own}, fin-{n}-{other}]\n    \
                     priority = {priority}\n    {connector}\n  }}\n  client c-{n}-{own} {{ brokers = [amq-{n}-{own}, \
                     amq-{n}-{other}] }}\n}}\n"
                );
            }
            text += &bridge.replace('N', &n.to_string());
            text += &format!("\ndeployment d-{n} {mode} {{ connectors = [gc-{n}-a, gc-{n}-b] }}\n");
        }
        Files::from([(ENTRY.to_owned(), text)])
    })
}

/// What is done to a text: to one of its lines or tokens.
#[derive(Debug, Clone)]
struct Change {
    file: Index,
    lines: bool,
    kind: Kind,
    at: Index,
    other: Index,
}

#[derive(Debug, Clone)]
enum Kind {
    Delete,
    Duplicate,
    Swap,
    /// With another of the same text.
    Copy,
    Replace(&'static str),
}

/// What hostile hands put into a topology.
const HOSTILE: &[&str] = &[
    "",
    "{",
    "}",
    "[",
    "]",
    "=",
    "\"",
    "\"\"\"",
    "//",
    "/*",
    ";",
    ",",
    "->",
    "<->",
    "$",
    "$a",
    "let a = $a",
    "0",
    "-1",
    "65536",
    "99999999999999999999",
    "1ms",
    "10%",
    "true",
    "\"\"",
    "\"..\"",
    "\"../../x\"",
    "\"a/b\"",
    "\"&<>]]>'\"",
    "\"ü\\n\\t\"",
    "\"${X}\"",
    "\"failover:(tcp://a:1,tcp://b:2)\"",
    "\"static:(failover:(tcp://a:1))\"",
    "\"tcp://[::1]:61616?a=b\"",
    "\"%zz\"",
    "..",
    ".",
    "#x",
    "é",
    "\u{feff}",
    "\0",
    "\r",
    "secret(\"env:X\")",
    "secret(\"file:/x\")",
    "site",
    "broker",
    "bridge",
    "pair",
    "override",
    "defaults",
    "scenario",
    "guarantee",
    "raw-xml = \"\"\"<a>\"\"\"",
    "import \"main.topo\"",
    "import \"no.topo\"",
];

fn change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![
        2 => Just(Kind::Delete),
        2 => Just(Kind::Duplicate),
        2 => Just(Kind::Swap),
        3 => Just(Kind::Copy),
        3 => select(HOSTILE).prop_map(Kind::Replace),
    ];
    (any::<Index>(), any::<bool>(), kind, any::<Index>(), any::<Index>())
        .prop_map(|(file, lines, kind, at, other)| Change { file, lines, kind, at, other })
}

fn damaged(base: impl Strategy<Value = Files>) -> impl Strategy<Value = Files> {
    (base, vec(change(), 0..5)).prop_map(|(mut files, changes)| {
        changes.iter().for_each(|change| apply_change(&mut files, change));
        files
    })
}

fn apply_change(files: &mut Files, change: &Change) {
    let mut names: Vec<String> = files.keys().cloned().collect();
    names.sort();
    let text = files.get_mut(change.file.get(&names)).unwrap();
    let mut pieces: Vec<&str> = if change.lines { text.split_inclusive('\n').collect() } else { tokens(text) };
    if pieces.is_empty() {
        return;
    }
    let (at, other) = (change.at.index(pieces.len()), change.other.index(pieces.len()));
    match change.kind {
        Kind::Delete => drop(pieces.remove(at)),
        Kind::Duplicate => pieces.insert(at, pieces[at]),
        Kind::Swap => pieces.swap(at, other),
        Kind::Copy => pieces[at] = pieces[other],
        Kind::Replace(with) => pieces[at] = with,
    }
    *text = pieces.concat();
}

/// Words, texts in quotes, blanks and single signs.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let length = match first {
            '"' => rest[1..].find(['"', '\n']).map_or(rest.len(), |end| end + 2),
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Everything that holds for every topology.
fn check(files: &Files) {
    let analysis = analyze(ENTRY, &[], files);
    for diagnostic in &analysis.diagnostics {
        check_places(&analysis, diagnostic);
        diagnostic.fixes.iter().for_each(|fix| check_fix(files, &analysis, diagnostic, fix));
    }
    let artifacts = analysis.checked().map(emit::artifacts);
    artifacts.iter().flatten().for_each(check_artifact);
    check_format(files, &analysis, artifacts.as_deref());
}

fn check_places(analysis: &Analysis, diagnostic: &Diagnostic) {
    assert!(!diagnostic.labels.is_empty(), "{diagnostic:?} is nowhere");
    assert!(!diagnostic.message.is_empty(), "{diagnostic:?} says nothing");
    diagnostic.labels.iter().for_each(|label| check_place(analysis, label.at, diagnostic));
}

fn check_place(analysis: &Analysis, at: Loc, diagnostic: &Diagnostic) {
    let source = analysis.sources.file(at.file).unwrap_or_else(|| panic!("{diagnostic:?} is in no file"));
    let found = source.text.get(at.span.start as usize..at.span.end as usize);
    assert!(found.is_some(), "{at:?} is not in {} or cuts a character: {diagnostic:?}", source.path);
}

fn check_fix(files: &Files, analysis: &Analysis, diagnostic: &Diagnostic, fix: &Fix) {
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| edit.at);
    edits.iter().for_each(|edit| check_place(analysis, edit.at, diagnostic));
    for pair in edits.windows(2) {
        let (one, other) = (pair[0].at, pair[1].at);
        assert!(one.file != other.file || one.span.end <= other.span.start, "edits overlap: {fix:?}");
    }
    if fix.safety != Safety::Safe {
        return;
    }
    let mut mended = files.clone();
    for edit in edits.iter().rev() {
        let path = &analysis.sources.file(edit.at.file).unwrap().path;
        let text = mended.get_mut(path).unwrap();
        text.replace_range(edit.at.span.start as usize..edit.at.span.end as usize, &edit.text);
    }
    let (before, after) = (syntax_errors(files), syntax_errors(&mended));
    assert!(after <= before, "{} makes {after} syntax errors of {before}: {fix:?}\n{files:?}", diagnostic.rule.name);
}

fn syntax_errors(files: &Files) -> usize {
    files.values().map(|text| topoc_dsl::parse(text).errors.len()).sum()
}

fn check_artifact(artifact: &Artifact) {
    let Artifact { path, bytes, .. } = artifact;
    let text = str::from_utf8(bytes).unwrap();
    let sound = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    assert!(path.split('/').all(sound), "{path:?} leads elsewhere");
    if path.ends_with(".xml") {
        let read = roxmltree::Document::parse(text);
        assert!(read.is_ok(), "{path}: {read:?}\n{text}");
    } else {
        let entries = properties::parse(text).unwrap_or_else(|error| panic!("{path}: {error:?}\n{text}"));
        let mut keys: Vec<_> = entries.iter().map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), entries.len(), "{path} has a key twice\n{text}");
    }
}

/// Another layout is the same topology.
fn check_format(files: &Files, analysis: &Analysis, artifacts: Option<&[Artifact]>) {
    let formatted: Option<Files> =
        files.iter().map(|(path, text)| Some((path.clone(), topoc_dsl::format(text).ok()?))).collect();
    let Some(formatted) = formatted else { return };
    let again = analyze(ENTRY, &[], &formatted);
    let codes = |analysis: &Analysis| -> Vec<&'static str> {
        let mut codes: Vec<_> = analysis.diagnostics.iter().map(|diagnostic| diagnostic.rule.code).collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(codes(&again), codes(analysis), "formatting changes what is found in\n{files:?}\nas\n{formatted:?}");
    let anew = again.checked().map(emit::artifacts);
    assert!(anew.as_deref() == artifacts, "formatting changes what is built of\n{files:?}\nas\n{formatted:?}");
}

#[test]
fn examples_as_they_are() {
    EXAMPLES.iter().for_each(check);
    let sound = EXAMPLES.iter().filter(|files| analyze(ENTRY, &[], *files).checked().is_some()).count();
    assert_eq!(sound, EXAMPLES.len() - 1, "all but the broken one are built");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn damaged_examples(files in damaged(example())) {
        check(&files);
    }

    #[test]
    fn generated_topologies(files in generated()) {
        check(&files);
    }

    #[test]
    fn damaged_generated_topologies(files in damaged(generated())) {
        check(&files);
    }
}
