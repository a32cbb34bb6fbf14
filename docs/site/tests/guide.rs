//! What the guide shows is true: its topologies are checked by the compiler, and each of its links leads somewhere.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use topoc_compiler::analyze;
use topoc_compiler::diagnostic::Severity;
use topoc_compiler::sources::{FileError, Files};
use topoc_docs::Book;
use topoc_docs::blocks::{Block, blocks};

const MAIN: &str = "main.topo";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The blocks of topologies on the pages that people write. Those of rules are executed with the rules, and the list of
/// fields shows the headers of blocks only.
fn topologies() -> Vec<(String, Block)> {
    let book = Book::read(&docs()).unwrap();
    let written = book.chapters.into_iter().filter(|chapter| !chapter.path.starts_with("reference/"));
    let of = |path: String, text: &str| blocks(text).into_iter().map(move |block| (path.clone(), block));
    let all = written.flat_map(|chapter| of(chapter.path, &chapter.text).collect::<Vec<_>>());
    all.filter(|(_, block)| block.info.split(' ').next() == Some("topo")).collect()
}

struct Shown(HashMap<String, String>);

impl Files for Shown {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or(FileError::NotFound)
    }
}

/// What is found, as `warning[TOPO0101] message`.
fn found(files: HashMap<String, String>, overlays: &[String]) -> Vec<(Severity, &'static str, String)> {
    let analysis = analyze(MAIN, overlays, &Shown(files));
    let said = analysis.diagnostics.into_iter();
    said.map(|one| (one.severity, one.rule.name, format!("{} {}", one.rule.code, one.message))).collect()
}

#[test]
fn whole_topologies_have_no_error_and_no_warning() {
    let (mut files, mut overlays, mut problems, mut checked) = (HashMap::new(), Vec::new(), Vec::new(), 0);
    for (page, Block { line, info, text }) in topologies() {
        let rest = info.strip_prefix("topo").unwrap().trim();
        match rest.split_once('=') {
            Some(("file", name)) => drop(files.insert(name.to_owned(), text)),
            Some(("overlay", name)) => {
                files.insert(name.to_owned(), text);
                overlays.push(name.to_owned());
            }
            None if rest.is_empty() => {
                files.insert(MAIN.to_owned(), text);
                let said = found(std::mem::take(&mut files), &std::mem::take(&mut overlays));
                let bad = said.into_iter().filter(|(severity, ..)| *severity != Severity::Note);
                problems.extend(bad.map(|(_, _, message)| format!("{page}:{line}: {message}")));
                checked += 1;
            }
            _ if rest.starts_with("fragment") => {}
            _ => problems.push(format!("{page}:{line}: no block is called `{info}`")),
        }
    }
    assert!(files.is_empty(), "a block of another file has no whole topology behind it");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked >= 8, "only {checked} topologies are on the pages");
}

/// What a fragment stands in, by its mark.
fn around(rest: &str, text: &str) -> Option<String> {
    let site = |inner: &str| format!("topology t {{ activemq = \"6.2\" }}\nsite s {{\n{inner}\n}}\n");
    match rest {
        "fragment in=site" => Some(site(text)),
        "fragment in=broker" => Some(site(&format!("broker b {{\nhost = \"b\"\n{text}\n}}"))),
        "fragment" => Some(text.to_owned()),
        _ => None,
    }
}

/// Names of other blocks may be missing around a fragment, but what is written must be there in the language.
const OF_THE_LANGUAGE: &[&str] =
    &["syntax-error", "unknown-block", "unknown-field", "wrong-type", "duplicate-field", "unknown-failover-option"];

#[test]
fn fragments_use_blocks_fields_and_values_that_exist() {
    let (mut problems, mut checked) = (Vec::new(), 0);
    for (page, block) in topologies() {
        let rest = block.info.strip_prefix("topo").unwrap().trim();
        let Some(whole) = rest.starts_with("fragment").then(|| around(rest, &block.text)) else { continue };
        let Some(whole) = whole else {
            problems.push(format!("{page}:{}: nothing is called `{}`", block.line, block.info));
            continue;
        };
        let said = found(HashMap::from([(MAIN.to_owned(), whole)]), &[]);
        let bad = said.into_iter().filter(|(_, name, _)| OF_THE_LANGUAGE.contains(name));
        problems.extend(bad.map(|(_, _, message)| format!("{page}:{}: {message}", block.line)));
        checked += 1;
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked >= 15, "only {checked} fragments are on the pages");
}

#[test]
fn every_block_is_laid_out_canonically() {
    let mut problems = Vec::new();
    for (page, block) in topologies() {
        match topoc_dsl::format(&block.text) {
            Err(errors) => problems.push(format!("{page}:{}: {}", block.line, errors[0].message)),
            Ok(formatted) if formatted != block.text => {
                problems.push(format!("{page}:{}: `topoc fmt` makes this of it:\n{formatted}", block.line));
            }
            Ok(_) => {}
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The values of an attribute in a page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The path that a link from a page leads to.
fn resolved(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Links that lead nowhere.
fn lost(site: &BTreeMap<String, String>) -> Vec<String> {
    let anchors: HashMap<&str, HashSet<&str>> =
        site.iter().map(|(path, text)| (path.as_str(), values(text, "id").into_iter().collect())).collect();
    let mut lost = Vec::new();
    for (page, text) in site.iter().filter(|(path, _)| path.ends_with(".html")) {
        for link in values(text, "href").into_iter().chain(values(text, "src")) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { page.clone() } else { resolved(page, path) };
            let known = anchors.get(target.as_str());
            if !known.is_some_and(|ids| anchor.is_none_or(|anchor| ids.contains(anchor))) {
                lost.push(format!("{page}: {link}"));
            }
        }
    }
    lost
}

#[test]
fn every_link_and_anchor_leads_somewhere() {
    let site = topoc_docs::site(&docs()).unwrap();
    let lost = lost(&site);
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert!(site.len() > 70, "only {} files", site.len());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let mut site = topoc_docs::site(&docs()).unwrap();
    let page = site.get_mut("guide/bridges.html").unwrap();
    page.push_str("<a href=\"../no-such.html\"></a><a href=\"pairs.html#no-such\"></a><a href=\"#bridges\"></a>");
    assert_eq!(lost(&site), ["guide/bridges.html: ../no-such.html", "guide/bridges.html: pairs.html#no-such"]);
}

#[test]
fn pages_need_nothing_from_elsewhere() {
    for (path, text) in topoc_docs::site(&docs()).unwrap() {
        assert!(!text.contains("<script"), "{path}");
        for link in values(&text, "href").into_iter().chain(values(&text, "src")) {
            assert!(!link.contains("://") && !link.starts_with("//"), "{path}: {link}");
        }
        assert!(!text.contains("@import") && !text.contains("url("), "{path}");
    }
}

#[test]
fn every_page_of_the_folder_is_in_the_summary() {
    let book = Book::read(&docs()).unwrap();
    for entry in std::fs::read_dir(docs().join("guide")).unwrap() {
        let path = format!("guide/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(book.chapters.iter().any(|chapter| chapter.path == path), "{path}");
    }
}
