//! A topology that was looked at before is found to be what it is, whatever has changed. `TOPOC_LONG=1` for longer sessions.
#![expect(clippy::disallowed_methods, reason = "the environment says how many, and examples are files")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use topoc_compiler::policy::{Policy, judge};
use topoc_compiler::sources::Sources;
use topoc_compiler::{Analysis, Notes, analyze_again, analyze_with};

/// xorshift64*: the same sessions on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }
}

type Files = HashMap<String, String>;

/// The examples: each a folder of files of which `main.topo` is the entry, with what else a file may be.
fn examples() -> Vec<Files> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut folders = vec![root];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut files = Files::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "topo") {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
        if let Some(main) = files.get_mut("main.topo") {
            *main = format!("import \"part.topo\"\n{main}");
            files.insert("part.topo".into(), PART.into());
            files.insert("over.topo".into(), "let far = 9s\noverride broker amq-1 { host = \"over\" }\n".into());
            all.push(files);
        }
    }
    assert!(all.len() > 3);
    all
}

const PART: &str = "let far = 7s\nsite part {\n  broker part-1 {\n    host = \"part\"\n    listen openwire { port = 61616 }\n  }\n  connector gc-part { brokers = [part-1]; timeout = $far }\n}\n";

/// What may be typed anywhere.
const TYPED: &[&str] = &[
    "x",
    "}",
    "{",
    "\n",
    ";",
    "\"",
    "\"\"\"",
    "/*",
    "*/",
    "// ",
    "$",
    "[",
    "=",
    "\r\n",
    "\u{feff}",
    "ä",
    "site new { broker b { host = \"b\" } }\n",
    "let far = 8s\n",
    "import \"over.topo\"\n",
    "import \"nowhere.topo\"\n",
    "priority = $far\n",
    "override broker amq-1 { host = \"x\" }\n",
    "// topoc: allow(literal-password) reason=\"lab\"\n",
];

/// A place in a text that is between two characters.
fn place(text: &str, chance: &mut Chance) -> usize {
    let at = chance.below(text.len() + 1);
    (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap()
}

/// One change as an editor makes it: typed, deleted, moved, or undone to what the text was at first.
fn change(text: &mut String, first: &str, chance: &mut Chance) {
    let at = place(text, chance);
    let end = (at + chance.below(40)).min(text.len());
    let end = (end..=text.len()).find(|&end| text.is_char_boundary(end)).unwrap();
    match chance.below(6) {
        0 | 1 => text.insert_str(at, TYPED[chance.below(TYPED.len())]),
        2 => text.replace_range(at..end, ""),
        3 => {
            let piece = text[at..end].to_owned();
            let to = place(text, chance);
            text.insert_str(to, &piece);
        }
        4 => {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let line = chance.below(lines.len().max(1));
            *text = lines.iter().enumerate().filter(|(index, _)| *index != line).map(|(_, line)| *line).collect();
        }
        _ => *text = first.to_owned(),
    }
}

/// Everything that is said of a topology, and what is meant by it.
fn said(analysis: &Analysis) -> Vec<String> {
    let found = analysis.diagnostics.iter().map(|found| {
        let words = (found.rule.code, found.severity, &found.message, &found.help);
        format!("{words:?} {:?} {:?}", found.labels, found.fixes)
    });
    let trees = analysis.sources.files.iter().map(|file| format!("{} {:?}", file.path, file.tree.statements));
    found.chain(trees).chain([format!("{:?}", analysis.model), format!("{:?}", analysis.counted)]).collect()
}

#[test]
fn after_random_edits_a_second_look_says_what_a_first_one_says() {
    let rounds = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 1000 } else { 150 };
    let mut kept = 0;
    for (number, first) in (1..).zip(examples()) {
        let mut chance = Chance(number * 0x9e37_79b9);
        let mut files = first.clone();
        let mut before = Sources::default();
        for round in 0..rounds {
            let names = ["main.topo", "main.topo", "part.topo", "over.topo"];
            let name = names[chance.below(names.len())];
            change(files.get_mut(name).unwrap(), &first[name], &mut chance);
            let overlays: &[String] = if chance.below(4) == 0 { &["over.topo".to_owned()] } else { &[] };
            let notes = if chance.below(2) == 0 { Notes::Kept } else { Notes::Counted };
            let fresh = judge(analyze_with("main.topo", overlays, &files, notes), &Policy::default());
            let again = judge(analyze_again(before, "main.topo", overlays, &files, notes), &Policy::default());
            assert_eq!(said(&again), said(&fresh), "example {number}, round {round}: {files:#?}");
            before = again.sources;
            kept += before.files[0].tree.parts().filter(|part| part.passed).count();
        }
    }
    assert!(kept > 1000, "only {kept} parts needed no second look");
}

#[test]
fn what_was_an_overlay_and_is_imported_now_is_looked_at_again() {
    let main = "import \"over.topo\"\ntopology t { activemq = \"6.2\" }\nsite a { broker b { host = \"b\" } }\n";
    let over = "override broker b { host = \"over\" }\n";
    let files = Files::from([("main.topo".into(), main.into()), ("over.topo".into(), over.into())]);
    let mut before = Sources::default();
    for (overlays, errors) in [(&["over.topo".to_owned()][..], 0), (&[], 1), (&["over.topo".to_owned()], 0)] {
        let again = analyze_again(before, "main.topo", overlays, &files, Notes::Kept);
        assert_eq!(said(&again), said(&analyze_with("main.topo", overlays, &files, Notes::Kept)));
        let outside = again.diagnostics.iter().filter(|found| found.message.contains("override"));
        assert_eq!(outside.count(), errors, "{:?}", said(&again));
        before = again.sources;
    }
}
