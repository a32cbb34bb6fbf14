//! The chapters in their order: what `SUMMARY.md` lists, and a page for each rule.

use crate::{finesse, reference};
use std::path::Path;
use std::{fs, io};

/// The guide.
#[derive(Debug)]
pub struct Book {
    /// In the order of the sidebar; rules' pages stand behind the list of rules.
    pub chapters: Vec<Chapter>,
}

/// A page of the guide.
#[derive(Debug)]
pub struct Chapter {
    /// As the sidebar calls it.
    pub title: String,
    /// Where it stands, from the guide's folder: `guide/bridges.md`.
    pub path: String,
    /// The heading that it stands under in the sidebar.
    pub part: String,
    /// Whether it is a rule's page, which the sidebar shows only beside other rules.
    pub of_rule: bool,
    /// Markdown.
    pub text: String,
}

impl Book {
    /// Reads the summary and every page that it names.
    ///
    /// # Errors
    /// Where one of them cannot be read; the message names it.
    pub fn read(docs: &Path) -> io::Result<Self> {
        let mut chapters = Vec::new();
        let mut part = String::new();
        for line in read(docs, "SUMMARY.md")?.lines().skip(1) {
            if let Some(heading) = line.strip_prefix("# ") {
                part = heading.to_owned();
            }
            let Some((title, path)) = link(line) else { continue };
            let text = match reference::generated(path) {
                Some(text) => text,
                None => included(docs, path, &read(docs, path)?)?,
            };
            let (title, path) = (title.to_owned(), path.to_owned());
            let lists_rules = path == reference::RULES_PAGE;
            chapters.push(Chapter { title, path, part: part.clone(), of_rule: false, text });
            if lists_rules {
                chapters.extend(reference::rule_pages(&part));
            }
        }
        Ok(Self { chapters })
    }
}

/// `- [title](path)`
fn link(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim_start().trim_start_matches("- ").strip_prefix('[')?;
    inner.strip_suffix(')')?.split_once("](")
}

/// A line `{{#include FILE}}` becomes the text of the file, named from the page's folder, and a line `{{#drawing NAME}}` a drawing
/// of a table.
fn included(docs: &Path, page: &str, text: &str) -> io::Result<String> {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut whole = String::with_capacity(text.len());
    for line in text.lines() {
        let told = |what| line.strip_prefix(what).and_then(|rest| rest.strip_suffix("}}"));
        match (told("{{#include "), told("{{#drawing ")) {
            (Some(file), _) => whole += &read(&docs.join(folder), file)?,
            (_, Some(name)) => {
                let unknown = || io::Error::other(format!("{page}: there is no drawing `{name}`"));
                whole += &finesse::drawing(name).ok_or_else(unknown)?;
            }
            _ => whole.extend([line, "\n"]),
        }
    }
    Ok(whole)
}

fn read(folder: &Path, file: &str) -> io::Result<String> {
    let path = folder.join(file);
    fs::read_to_string(&path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
