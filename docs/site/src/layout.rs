//! What stands around a page: head, sidebar, and the way to the pages before and behind it.

use crate::book::{Book, Chapter};
use crate::page::{address, escape, way};
use crate::reference::RULES_PAGE;

/// The style of all pages.
pub(crate) const STYLE: &str = include_str!("style.css");

/// A whole page.
pub(crate) fn frame(book: &Book, number: usize, body: &str) -> String {
    let chapter = &book.chapters[number];
    let (title, style) = (escape(&chapter.title), way(&chapter.path, "style.css"));
    let (home, sidebar, turn) = (way(&chapter.path, "index.html"), sidebar(book, chapter), turn(book, number));
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{title} · topoc</title>
<link rel=\"stylesheet\" href=\"{style}\">
</head>
<body>
<a class=\"skip\" href=\"#content\">To the text</a>
<header><a class=\"home\" href=\"{home}\">topoc</a><label for=\"menu\">Contents</label></header>
<input type=\"checkbox\" id=\"menu\" aria-label=\"Show the contents\">
<nav class=\"sidebar\" aria-label=\"Contents\">
{sidebar}</nav>
<main id=\"content\">
{body}{turn}</main>
</body>
</html>
"
    )
}

/// Rules are too many for every sidebar: their pages are listed beside each other only.
fn sidebar(book: &Book, current: &Chapter) -> String {
    let with_rules = current.of_rule || current.path == RULES_PAGE;
    let mut html = String::new();
    let mut part = "";
    html += "<ul>\n";
    for chapter in book.chapters.iter().filter(|chapter| with_rules || !chapter.of_rule) {
        if chapter.part != part {
            part = &chapter.part;
            html += &format!("</ul>\n<h2>{}</h2>\n<ul>\n", escape(part));
        }
        html += &entry(chapter, current);
    }
    html + "</ul>\n"
}

fn entry(chapter: &Chapter, current: &Chapter) -> String {
    let here = if chapter.path == current.path { " aria-current=\"page\"" } else { "" };
    let class = if chapter.of_rule { " class=\"rule\"" } else { "" };
    let (way, title) = (way(&current.path, &address(&chapter.path)), escape(&chapter.title));
    format!("<li{class}><a href=\"{way}\"{here}>{title}</a></li>\n")
}

fn turn(book: &Book, number: usize) -> String {
    let from = &book.chapters[number].path;
    let link = |other: Option<&Chapter>, rel: &str, arrow: [&str; 2]| {
        other.map_or_else(String::new, |chapter| {
            let (way, title) = (way(from, &address(&chapter.path)), escape(&chapter.title));
            format!("<a rel=\"{rel}\" href=\"{way}\">{}{title}{}</a>", arrow[0], arrow[1])
        })
    };
    let before = link(number.checked_sub(1).and_then(|before| book.chapters.get(before)), "prev", ["← ", ""]);
    let behind = link(book.chapters.get(number + 1), "next", ["", " →"]);
    format!("<nav class=\"turn\" aria-label=\"Pages before and behind\">{before}{behind}</nav>\n")
}
