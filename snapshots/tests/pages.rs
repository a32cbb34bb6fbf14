//! Executes the page of every rule: its examples have the findings that they mark, and its fixes do what they say.

#[path = "pages/page.rs"]
mod page;
#[path = "pages/text.rs"]
mod text;

use page::{Example, Kind, MAIN, Mark, Page, SETTINGS};
use std::collections::HashMap;
use topoc_compiler::diagnostic::{Diagnostic, Edit, Safety, Severity};
use topoc_compiler::policy::{Policy, Project, judge};
use topoc_compiler::rules::{AREAS, FixKind, RULES, Rule};
use topoc_compiler::sources::{FileError, Files, MAX_FILE_BYTES};
use topoc_compiler::{Analysis, analyze, emit};
use topoc_dsl::FileId;

const SECTIONS: &[&str] = &["## What it finds", "## Why it is bad", "## Example", "## Use instead", "## Source"];

/// Rules whose fault cannot stand in a page, with files that have it. Only these may be here.
const OFF_PAGE: &[(&str, Made)] = &[
    ("bad-encoding", Made { says: "7 bytes: `site \\xfc`", read: || Ok(b"site \xfc".to_vec()) }),
    (
        "file-too-large",
        Made { says: "a file of 33 MiB", read: || Err(FileError::TooLarge(MAX_FILE_BYTES + (1 << 20))) },
    ),
];

/// A file that a page cannot show.
struct Made {
    says: &'static str,
    read: fn() -> Result<Vec<u8>, FileError>,
}

impl Files for Made {
    fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
        (self.read)()
    }
}

/// Runs a check on every page and says everything that is wrong at once.
fn check_pages(mut check: impl FnMut(&'static Rule, &Page, &mut Vec<String>)) {
    let mut problems = Vec::new();
    for rule in RULES {
        let mut found = Vec::new();
        check(rule, &page::read(rule.page), &mut found);
        problems.extend(found.iter().map(|problem| format!("{}: {problem}", rule.name)));
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

/// Runs a check on every example of one kind.
fn check_examples(kind: Kind, check: impl Fn(&'static Rule, &Example) -> Vec<String>) {
    check_pages(|rule, page, problems| {
        for example in page.examples.iter().filter(|example| example.kind == kind) {
            problems
                .extend(check(rule, example).iter().map(|problem| format!("page line {}: {problem}", example.line)));
        }
    });
}

#[test]
fn pages_have_their_sections() {
    check_pages(|rule, page, problems| {
        problems.extend(page.problems.iter().cloned());
        let headings: Vec<&str> = page.headings.iter().map(String::as_str).collect();
        let expected: Vec<String> =
            std::iter::once(format!("# {}", rule.name)).chain(SECTIONS.iter().map(|&title| title.to_owned())).collect();
        if headings != expected {
            problems.push(format!("headings are {headings:?}, not {expected:?}"));
        }
    });
}

#[test]
fn pages_have_the_examples_that_a_reader_needs() {
    check_pages(|rule, page, problems| {
        let has = |kind| page.examples.iter().any(|example| example.kind == kind);
        if !has(Kind::Fail) && made(rule).is_none() {
            problems.push("has no `topo fail` block".to_owned());
        }
        if !has(Kind::Pass) {
            problems.push("has no `topo pass` block".to_owned());
        }
        if matches!(rule.fix, FixKind::Safe | FixKind::Unsafe) && !has(Kind::Fixed) {
            problems.push(format!("offers {} fixes and has no `topo fixed` block", rule.fix.word()));
        }
    });
}

#[test]
fn fail_blocks_have_exactly_the_marked_findings() {
    check_examples(Kind::Fail, |rule, example| {
        let marked = page::marks(example);
        let said = found(rule, example, &marked);
        let found: Vec<Mark> = said.iter().map(|(mark, _)| mark.clone()).collect();
        let message = |mark: &Mark| said.iter().find(|(found, _)| found == mark).map_or("", |(_, message)| message);
        let mut problems = Vec::new();
        if !marked.iter().any(|(_, _, _, code)| code == rule.code) {
            problems.push(format!("marks no {}", rule.code));
        }
        let missed = without(&found, &marked);
        problems.extend(missed.iter().map(|mark| format!("not marked: {} {}", show(mark), message(mark))));
        problems.extend(without(&marked, &found).iter().map(|mark| format!("not found: {}", show(mark))));
        problems
    });
}

#[test]
fn pass_blocks_have_no_findings() {
    check_examples(Kind::Pass, |_, example| {
        let analysis = analysis(example);
        let bad = analysis.diagnostics.iter().filter(|found| found.severity.word() != "note");
        bad.map(|found| format!("{}[{}]: {}", found.severity.word(), found.rule.code, found.message)).collect()
    });
}

#[test]
fn fixed_blocks_are_what_the_fixes_make() {
    check_pages(|rule, page, problems| {
        for (index, example) in page.examples.iter().enumerate().filter(|(_, example)| example.kind == Kind::Fixed) {
            let Some(broken) = index.checked_sub(1).map(|before| &page.examples[before]) else { continue };
            let at = format!("page line {}", example.line);
            if broken.kind != Kind::Fail {
                problems.push(format!("{at}: the block before is no `topo fail` block"));
            }
            let fixed = fixed(rule, broken, example.shows);
            if fixed != example.shown() {
                problems.push(format!("{at}: the fixes make something else:\n{fixed}"));
            }
            let again = Example { files: with(broken, example.shows, fixed.clone()), ..broken.clone() };
            if self::fixed(rule, &again, example.shows) != fixed {
                problems.push(format!("{at}: there is still something to fix"));
            }
        }
    });
}

#[test]
fn rules_offer_the_kind_of_fix_that_they_announce() {
    check_pages(|rule, page, problems| {
        if made(rule).is_some() {
            return;
        }
        let mut best = FixKind::None;
        for example in page.examples.iter().filter(|example| example.kind == Kind::Fail) {
            for finding in analysis(example).diagnostics.iter().filter(|finding| finding.rule.code == rule.code) {
                best = finding.fixes.iter().map(|fix| fix.safety).fold(best, better);
            }
        }
        if best != rule.fix {
            problems.push(format!("says that it offers {}, and the page shows {}", rule.fix.word(), best.word()));
        }
    });
}

#[test]
fn only_what_cannot_stand_in_a_page_is_tested_elsewhere() {
    for (name, made) in OFF_PAGE {
        assert!(["bad-encoding", "file-too-large", "nesting-too-deep"].contains(name), "{name} can stand in a page");
        let analysis = analyze(MAIN, &[], made);
        let names: Vec<&str> = analysis.diagnostics.iter().map(|finding| finding.rule.name).collect();
        assert_eq!(names, [*name]);
    }
}

/// Levels and allows decide what is said, and never hand the emitters what they cannot write.
#[test]
fn whatever_is_judged_away_builds_or_is_refused() {
    let off: String = AREAS.iter().map(|(digits, _)| format!("\"{digits}\" = \"off\"\n")).collect();
    let text = format!("[rules]\n{off}");
    let mut built = 0;
    check_pages(|_, page, problems| {
        for example in page.examples.iter().filter(|example| example.kind == Kind::Fail) {
            let files = with(example, SETTINGS, text.clone());
            let analysis = analyze(MAIN, &example.overlays, &files);
            let sound = analysis.checked().is_some();
            let unread =
                analysis.diagnostics.iter().any(|found| found.rule.is_fixed() && found.severity == Severity::Error);
            let mut judged = judge(analysis, &policy(&Example { files, ..example.clone() }));
            judged.diagnostics.retain(|found| !matches!(found.rule.name, "unknown-setting" | "unknown-rule"));
            let Some(checked) = judged.checked() else {
                if sound || !unread {
                    problems.push(format!("page line {}: refused although nothing is left", example.line));
                }
                continue;
            };
            if unread {
                problems.push(format!("page line {}: builds what could not be read", example.line));
            }
            built += usize::from(!sound);
            let artifacts = emit::artifacts(checked);
            let mut paths: Vec<&str> = artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
            paths.dedup();
            if paths.len() != artifacts.len() {
                problems.push(format!("page line {}: two artifacts have one path", example.line));
            }
            for artifact in artifacts.iter().filter(|artifact| artifact.path.ends_with(".xml")) {
                let text = String::from_utf8_lossy(&artifact.bytes);
                if let Err(error) = roxmltree::Document::parse(&text) {
                    problems.push(format!("page line {}: {} is no XML: {error}", example.line, artifact.path));
                }
            }
        }
    });
    assert!(built >= 20, "only {built} topologies with errors were built");
}

/// One file per rule for whoever reviews its words: the first fail block and all that is said of it.
#[test]
fn rules_say_what_they_said() {
    let mut changed = Vec::new();
    for rule in RULES {
        let Some(text) = first_example(rule) else { continue };
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../rules");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let name = rule.name;
        if settings.bind(|| std::panic::catch_unwind(|| insta::assert_snapshot!(name, text))).is_err() {
            changed.push(name);
        }
    }
    assert!(changed.is_empty(), "review the snapshots of {changed:?}");
}

fn first_example(rule: &Rule) -> Option<String> {
    if let Some(made) = made(rule) {
        return Some(format!("{}\n\n{}", made.says, text::findings(&analyze(MAIN, &[], made))));
    }
    let page = page::read(rule.page);
    let example = page.examples.iter().find(|example| example.kind == Kind::Fail)?;
    let others: String = example.others.iter().map(|name| format!("--- {name}\n{}\n", example.files[name])).collect();
    let day = example.today.map_or_else(String::new, |day| format!("on {day}\n\n"));
    let main = if others.is_empty() { day } else { format!("--- {MAIN}\n{day}") };
    let mut analysis = analysis(example);
    analysis.diagnostics.retain(|finding| finding.severity.word() != "note" || finding.rule.code == rule.code);
    Some(format!("{others}{main}{}\n{}", example.main(), text::findings(&analysis)))
}

fn made(rule: &Rule) -> Option<&'static Made> {
    OFF_PAGE.iter().find(|(name, _)| *name == rule.name).map(|(_, made)| made)
}

fn analysis(example: &Example) -> Analysis {
    judge(analyze(MAIN, &example.overlays, &example.files), &policy(example))
}

fn policy(example: &Example) -> Policy {
    let project = example.files.get(SETTINGS).map(|text| Project::read(SETTINGS, text, "/project", "/project"));
    Policy { project, today: example.today }
}

/// What is found in an example, each with its message. A note of another rule counts only where it is marked:
/// every small topology has some.
fn found(rule: &Rule, example: &Example, marked: &[Mark]) -> Vec<(Mark, String)> {
    let analysis = analysis(example);
    let said = analysis.diagnostics.iter().map(|finding| (mark(&analysis, finding), finding.message.clone()));
    said.filter(|(mark, _)| mark.2 != "note" || mark.3 == rule.code || marked.contains(mark)).collect()
}

fn mark(analysis: &Analysis, finding: &Diagnostic) -> Mark {
    let at = finding.primary();
    let source = analysis.sources.file(at.file).expect("findings are in files");
    let line = source.position(at.span.start).line;
    (source.path.clone(), line, finding.severity.word().to_owned(), finding.rule.code.to_owned())
}

/// What of `these` is not among `those`, each counted as often as it is there.
fn without(these: &[Mark], those: &[Mark]) -> Vec<Mark> {
    let mut left = those.to_vec();
    let mut is_left =
        |mark: &Mark| left.iter().position(|other| other == mark).map(|at| left.swap_remove(at)).is_some();
    these.iter().filter(|mark| !is_left(mark)).cloned().collect()
}

fn show((file, line, severity, code): &Mark) -> String {
    format!("{file}:{line} {severity}[{code}]")
}

/// A file after the first fix of every finding of the rule, where that may be applied.
fn fixed(rule: &Rule, example: &Example, name: &str) -> String {
    let analysis = analysis(example);
    let file = (0..).zip(&analysis.sources.files).find(|(_, file)| file.path == name).map(|(id, _)| FileId(id));
    let of_rule = analysis.diagnostics.iter().filter(|finding| finding.rule.code == rule.code);
    let fixes = of_rule.filter_map(|finding| finding.fixes.first()).filter(|fix| fix.safety != Safety::Shown);
    let mut edits: Vec<&Edit> = fixes.flat_map(|fix| &fix.edits).filter(|edit| Some(edit.at.file) == file).collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.at));
    let mut text = example.files[name].clone();
    for edit in edits {
        text.replace_range(edit.at.span.start as usize..edit.at.span.end as usize, &edit.text);
    }
    text
}

fn with(example: &Example, name: &str, text: String) -> HashMap<String, String> {
    let mut files = example.files.clone();
    files.insert(name.to_owned(), text);
    files
}

/// The kind of fix to announce for a rule that offers both.
fn better(kind: FixKind, safety: Safety) -> FixKind {
    match (kind, safety) {
        (FixKind::Safe, _) | (_, Safety::Safe) => FixKind::Safe,
        (FixKind::Unsafe, _) | (_, Safety::Unsafe) => FixKind::Unsafe,
        (FixKind::Shown | FixKind::None, Safety::Shown) => FixKind::Shown,
    }
}
