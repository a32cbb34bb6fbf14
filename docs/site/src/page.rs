//! One page: Markdown to HTML, with anchors on headings, coloured blocks, and rules linked where they are named.

use crate::{highlight, reference};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html as markdown};
use std::collections::HashSet;
use topoc_compiler::rules;

/// The address of a page in the site.
pub(crate) fn address(path: &str) -> String {
    format!("{}.html", path.trim_end_matches(".md"))
}

/// The way from a page to a file of the site.
pub(crate) fn way(from: &str, to: &str) -> String {
    "../".repeat(from.matches('/').count()) + to
}

/// What means something in HTML, spelled out.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The body of a page.
pub(crate) fn html(path: &str, text: &str) -> String {
    let mut page = Page { path, slugs: HashSet::new(), in_link: false };
    let mut parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut events = Vec::new();
    while let Some(event) = parser.next() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let body = until(&mut parser, TagEnd::CodeBlock);
                events.push(Event::Html(block(&kind, &words(&body)).into()));
            }
            Event::Start(Tag::Heading { level, .. }) => {
                let inner = until(&mut parser, TagEnd::Heading(level));
                events.extend(page.heading(level, inner));
            }
            other => events.push(page.event(other)),
        }
    }
    let mut html = String::with_capacity(text.len() * 2);
    markdown::push_html(&mut html, events.into_iter());
    html
}

/// Everything up to an end.
fn until<'a>(parser: &mut Parser<'a>, end: TagEnd) -> Vec<Event<'a>> {
    parser.take_while(|event| *event != Event::End(end)).collect()
}

fn words(events: &[Event<'_>]) -> String {
    let word = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => Some(text.to_string()),
        _ => None,
    };
    events.iter().filter_map(word).collect()
}

struct Page<'a> {
    path: &'a str,
    slugs: HashSet<String>,
    in_link: bool,
}

impl Page<'_> {
    fn heading<'e>(&mut self, level: HeadingLevel, inner: Vec<Event<'e>>) -> Vec<Event<'e>> {
        let slug = self.slug(&words(&inner));
        let mut events =
            vec![Event::Html(format!("<{level} id=\"{slug}\"><a class=\"anchor\" href=\"#{slug}\">").into())];
        events.extend(inner);
        events.push(Event::Html(format!("</a></{level}>\n").into()));
        events
    }

    /// As code forges make them: lower case, words joined by `-`, a number behind one that is there already.
    fn slug(&mut self, heading: &str) -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug: String = kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let free = (0..).map(|number| if number == 0 { slug.clone() } else { format!("{slug}-{number}") });
        let slug = free.into_iter().find(|slug| !self.slugs.contains(slug)).unwrap_or(slug);
        self.slugs.insert(slug.clone());
        slug
    }

    fn event<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                self.in_link = true;
                Event::Start(Tag::Link { link_type, dest_url: target(&dest_url), title, id })
            }
            Event::End(TagEnd::Link) => {
                self.in_link = false;
                event
            }
            Event::Code(name) => self.code(name),
            other => other,
        }
    }

    /// A rule's name or code is a link to its page.
    fn code<'e>(&self, name: CowStr<'e>) -> Event<'e> {
        let Some(rule) = rules::find(&name).filter(|_| !self.in_link) else { return Event::Code(name) };
        let page = address(&reference::rule_path(rule));
        if page == address(self.path) {
            return Event::Code(name);
        }
        let (way, name) = (way(self.path, &page), escape(&name));
        Event::InlineHtml(format!("<a href=\"{way}\"><code>{name}</code></a>").into())
    }
}

/// Pages are linked as the Markdown files that they are made of.
fn target<'e>(link: &CowStr<'e>) -> CowStr<'e> {
    let (path, anchor) = link.split_once('#').map_or((&**link, None), |(path, anchor)| (path, Some(anchor)));
    let Some(page) = path.strip_suffix(".md").filter(|_| !path.contains(':')) else { return link.clone() };
    let anchor = anchor.map_or_else(String::new, |anchor| format!("#{anchor}"));
    format!("{page}.html{anchor}").into()
}

fn block(from: &CodeBlockKind<'_>, text: &str) -> String {
    let info = match from {
        CodeBlockKind::Fenced(info) => info,
        CodeBlockKind::Indented => "",
    };
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    let text = if kind(rest) == "fixed" { &unmarked(text) } else { text };
    let code = if language == "topo" { highlight::topology(text) } else { shell(language, text) };
    let caption =
        caption(rest).map_or_else(String::new, |words| format!("<figcaption>{}</figcaption>", escape(&words)));
    format!("<figure class=\"{}\">{caption}<pre tabindex=\"0\"><code>{code}</code></pre></figure>\n", class(rest))
}

/// The block of a fix keeps the marks of the block before it, whose findings are gone.
fn unmarked(text: &str) -> String {
    let mark = |line: &str| [" // error[", " // warning[", " // note["].iter().filter_map(|mark| line.find(mark)).min();
    text.lines().map(|line| format!("{}\n", &line[..mark(line).unwrap_or(line.len())])).collect()
}

/// What stands above a block.
fn caption(rest: &str) -> Option<String> {
    match rest.split_once('=') {
        Some(("file", name)) => return Some(name.to_owned()),
        Some(("overlay", name)) => return Some(format!("{name}, an overlay")),
        _ => {}
    }
    let words = match kind(rest) {
        "fail" => "refused, or warned about",
        "pass" => "nothing is found",
        "fixed" => "after the fix",
        _ => return None,
    };
    Some(words.to_owned())
}

/// The first word: `fail` of `fail today=2027-01-31`.
fn kind(rest: &str) -> &str {
    rest.split(' ').next().unwrap_or(rest)
}

fn class(rest: &str) -> &'static str {
    match kind(rest) {
        "fail" => "code fail",
        "pass" | "fixed" => "code pass",
        _ => "code",
    }
}

/// In everything that is no topology only comments step back.
fn shell(language: &str, text: &str) -> String {
    let comments = matches!(language, "sh" | "toml" | "yaml" | "properties");
    let line =
        |line: &str| match line.find("# ").filter(|at| comments && line[..*at].trim_end().len() != *at || *at == 0) {
            Some(at) => format!("{}<span class=\"c\">{}</span>\n", escape(&line[..at]), escape(&line[at..])),
            None => format!("{}\n", escape(line)),
        };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors_and_equal_ones_differ() {
        let page = html("a.md", "# One `two`, three\n\n## Why\n\n## Why\n");
        for anchor in ["<h1 id=\"one-two-three\">", "<h2 id=\"why\">", "<h2 id=\"why-1\">"] {
            assert!(page.contains(anchor), "{page}");
        }
    }

    #[test]
    fn rules_are_linked_where_they_are_named() {
        let page = html("guide/a.md", "`cyclic-network`, `TOPO0101` and `not-a-rule`");
        assert!(page.contains("<a href=\"../reference/rules/cyclic-network.html\"><code>cyclic-network</code></a>"));
        assert!(page.contains("<a href=\"../reference/rules/failover-on-listener.html\"><code>TOPO0101</code></a>"));
        assert!(page.contains("<code>not-a-rule</code>"));
    }

    #[test]
    fn markdown_files_are_linked_as_pages() {
        let page = html("a.md", "[x](guide/b.md#c) [y](#d) [z](ci/github.yml)");
        for link in ["href=\"guide/b.html#c\"", "href=\"#d\"", "href=\"ci/github.yml\""] {
            assert!(page.contains(link), "{page}");
        }
    }

    #[test]
    fn what_is_fixed_is_marked_no_more() {
        let shown = |kind: &str| html("a.md", &format!("```topo {kind}\nx = 1 // error[TOPO0101]\n```\n"));
        assert!(shown("fail").contains("TOPO0101") && !shown("fixed").contains("TOPO0101"));
    }

    #[test]
    fn what_is_code_stays_what_it_is() {
        let page = html("a.md", "```xml\n<a b=\"&amp;\"/>\n```\n");
        assert!(page.contains("&lt;a b=&quot;&amp;amp;&quot;/&gt;"), "{page}");
    }
}
