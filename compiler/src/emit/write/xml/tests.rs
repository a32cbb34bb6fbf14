//! What the writer spells, character by character, and that a parser reads back what was put in.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::*;

#[track_caller]
fn check(root: XmlElement, expected: &str) {
    let written = XmlDocument { comments: Vec::new(), root }.write();
    let body = written.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    assert_eq!(body, format!("{expected}\n"));
    Document::parse(&written).unwrap();
}

fn el(name: &str) -> XmlElement {
    XmlElement::new(name)
}

#[test]
fn attributes_are_sorted_and_the_last_value_counts() {
    check(el("a").with("z", "1").with("b", "2").with("z", "3"), r#"<a b="2" z="3"/>"#);
}

#[test]
fn children_keep_their_order_and_are_indented() {
    let inner = el("transportConnectors").with_child(el("transportConnector").with("name", "openwire"));
    check(
        el("broker").with_child(inner).with_child(XmlNode::Comment("none".into())).with_child(el("plugins")),
        "<broker>\n  <transportConnectors>\n    <transportConnector name=\"openwire\"/>\n  </transportConnectors>\n  <!-- none -->\n  <plugins/>\n</broker>",
    );
}

#[test]
fn values_are_escaped_so_that_a_parser_reads_them_unchanged() {
    check(
        el("a").with("uri", "tcp://h:1?a=1&b=\"2\"<'>\n\t\r]]>"),
        r#"<a uri="tcp://h:1?a=1&amp;b=&quot;2&quot;&lt;&apos;&gt;&#10;&#9;&#13;]]&gt;"/>"#,
    );
}

#[test]
fn text_keeps_every_blank() {
    check(
        el("a").with_child(el("value").with_child(" x ]]> & <y>\r\n ")),
        "<a>\n  <value> x ]]&gt; &amp; &lt;y&gt;&#13;\n </value>\n</a>",
    );
    check(el("a").with_child("x").with_child(el("b").with_child(el("c"))).with_child("y"), "<a>x<b><c/></b>y</a>");
    check(el("a").with_child(""), "<a></a>");
}

#[test]
fn what_xml_cannot_carry_is_replaced() {
    check(
        el("a").with("v", "\0\u{1}\u{FFFE}\u{FFFF}\u{B}").with_child("\u{8}|\u{7F}|\u{85}"),
        "<a v=\"\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\">\u{FFFD}|\u{7F}|\u{85}</a>",
    );
}

#[test]
fn comments_cannot_end_early() {
    for (text, expected) in [
        ("plain", "<!-- plain -->"),
        ("a--b", "<!-- a- -b -->"),
        ("-----", "<!-- - - - - - -->"),
        ("-->", "<!-- - -> -->"),
        (">", "<!-- > -->"),
        ("-", "<!-- - -->"),
        ("", "<!--  -->"),
        (
            "one\ntwo  \n\n  three-\r\n-four\rfive\0",
            "<!-- one\n       two\n\n         three-\n       -four five\u{FFFD} -->",
        ),
    ] {
        check(el("a").with_child(XmlNode::Comment(text.into())), &format!("<a>\n  {expected}\n</a>"));
    }
}

#[test]
fn comments_of_the_document_stand_before_its_root() {
    let document = XmlDocument { comments: vec!["first".into(), "second\nline".into()], root: el("a") };
    assert_eq!(
        document.write(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- first -->\n<!-- second\n     line -->\n<a/>\n"
    );
}

#[test]
fn raw_markup_is_written_as_it_is() {
    check(
        el("a").with_child(XmlNode::Raw("<b x='1'>\r\n  text</b>".into())).with_child(el("c")),
        "<a>\n  <b x='1'>\n  text</b>\n  <c/>\n</a>",
    );
}

#[test]
fn names_that_are_none_are_made_into_names() {
    check(el("1 b").with("", "x").with("a b", "1").with("a_b", "2"), r#"<_1_b _="x" a_b="2"/>"#);
    assert!(is_xml_name("amq:broker") && is_xml_name("h2-jdbc-adapter") && is_xml_name("é"));
    for name in ["", "1a", "-a", "a b", "a:", ":a", "a:b:c", "a:1", "a>"] {
        assert!(!is_xml_name(name), "{name}");
    }
}

/// A start tag of exactly `length` characters with indentation and `/>`.
fn tag_of(length: usize) -> XmlElement {
    let rest = "  <b x=\"\" y=\"1\"/>".len();
    el("a").with_child(el("b").with("y", "1").with("x", "v".repeat(length - rest)))
}

#[test]
fn a_tag_of_110_characters_stays_on_its_line_and_one_of_111_does_not() {
    let longest = "v".repeat(93);
    check(tag_of(110), &format!("<a>\n  <b x=\"{longest}\" y=\"1\"/>\n</a>"));
    check(tag_of(111), &format!("<a>\n  <b\n      x=\"{longest}v\"\n      y=\"1\"/>\n</a>"));
    let mut parent = tag_of(111);
    if let Some(XmlNode::Element(b)) = parent.children.first_mut() {
        b.push(el("c"));
    }
    check(parent, &format!("<a>\n  <b\n      x=\"{longest}v\"\n      y=\"1\">\n    <c/>\n  </b>\n</a>"));
}

#[test]
fn one_long_attribute_gains_nothing_from_a_line_of_its_own() {
    let long = "v".repeat(200);
    check(el("a").with("x", long.clone()), &format!("<a x=\"{long}\"/>"));
}

#[test]
fn the_edges_of_what_xml_can_carry() {
    for (c, expected) in [
        ('\0', false),
        ('\u{8}', false),
        ('\t', true),
        ('\n', true),
        ('\u{B}', false),
        ('\r', true),
        ('\u{1F}', false),
        (' ', true),
        ('\u{7F}', true),
        ('\u{D7FF}', true),
        ('\u{E000}', true),
        ('\u{FFFD}', true),
        ('\u{FFFE}', false),
        ('\u{FFFF}', false),
        ('\u{10000}', true),
        ('\u{10FFFF}', true),
    ] {
        assert_eq!(is_xml_char(c), expected, "U+{:04X}", u32::from(c));
    }
}

fn hostile_char() -> impl Strategy<Value = char> {
    let special = "&<>\"'\t\n\r -]\0\u{1}\u{B}\u{7F}\u{85}\u{2028}\u{FFFD}\u{FFFE}\u{FFFF}é漢😀;#amp";
    prop_oneof![3 => proptest::sample::select(special.chars().collect::<Vec<_>>()), 1 => any::<char>()]
}

fn hostile_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(hostile_char(), 0..12).prop_map(String::from_iter)
}

fn name() -> impl Strategy<Value = String> {
    let start = proptest::sample::select("abXYZ_éΩ漢".chars().collect::<Vec<_>>());
    let rest = proptest::sample::select("ab19-._·é漢".chars().collect::<Vec<_>>());
    (start, proptest::collection::vec(rest, 0..40))
        .prop_map(|(start, rest)| std::iter::once(start).chain(rest).collect())
}

fn alone() -> impl Strategy<Value = XmlElement> {
    (name(), proptest::collection::btree_map(name(), hostile_text(), 0..5)).prop_map(|(name, attributes)| XmlElement {
        name,
        attributes,
        children: Vec::new(),
    })
}

fn tree() -> impl Strategy<Value = XmlElement> {
    alone().prop_recursive(4, 40, 6, |inner| {
        let node = prop_oneof![
            2 => inner.prop_map(XmlNode::Element),
            1 => hostile_text().prop_map(XmlNode::Text),
            1 => hostile_text().prop_map(XmlNode::Comment),
        ];
        (alone(), proptest::collection::vec(node, 0..6))
            .prop_map(|(element, children)| XmlElement { children, ..element })
    })
}

/// What a comment must keep: everything but blanks and hyphens.
fn comment_core(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

fn substituted(text: &str) -> String {
    text.chars().map(|c| if is_xml_char(c) { c } else { '\u{FFFD}' }).collect()
}

/// The tree as a parser must see it: neighbouring texts are one, and empty ones none.
fn expected(element: &XmlElement) -> XmlElement {
    let mut children: Vec<XmlNode> = Vec::new();
    for child in &element.children {
        match (child, children.last_mut()) {
            (XmlNode::Text(more), Some(XmlNode::Text(text))) => text.push_str(&substituted(more)),
            (XmlNode::Text(text), _) if text.is_empty() => {}
            (XmlNode::Text(text), _) => children.push(XmlNode::Text(substituted(text))),
            (XmlNode::Comment(text), _) => children.push(XmlNode::Comment(comment_core(&substituted(text)))),
            (XmlNode::Element(inner), _) => children.push(expected(inner).into()),
            (XmlNode::Raw(_), _) => unreachable!("no raw markup is generated"),
        }
    }
    let attributes = element.attributes.iter().map(|(name, value)| (name.clone(), substituted(value))).collect();
    XmlElement { name: element.name.clone(), attributes, children }
}

/// `layout` says whether blanks between elements were put there by the writer.
fn read(node: Node<'_, '_>, original: &XmlElement, layout: Layout) -> XmlElement {
    let has_text = original.children.iter().any(|child| matches!(child, XmlNode::Text(_)));
    let layout = if has_text { Layout::Verbatim } else { layout };
    let mut originals = original.children.iter().filter_map(|child| match child {
        XmlNode::Element(element) => Some(element),
        _ => None,
    });
    let mut children = Vec::new();
    for child in node.children() {
        let text = child.text().unwrap_or_default();
        if child.is_element() {
            let original = originals.next().expect("as many elements as were written");
            children.push(read(child, original, layout).into());
        } else if child.is_comment() {
            assert!(!text.contains("--"));
            children.push(XmlNode::Comment(comment_core(text)));
        } else if layout == Layout::Verbatim || !text.trim_matches(['\n', ' ']).is_empty() {
            children.push(text.into());
        }
    }
    let attributes = node.attributes().map(|a| (a.name().into(), a.value().into())).collect();
    XmlElement { name: node.tag_name().name().into(), attributes, children }
}

/// Without names that are fine and have a prefix: who writes those declares the prefix, which the parser wants.
fn hostile_name() -> impl Strategy<Value = String> {
    hostile_text().prop_map(|name| if is_xml_name(&name) { name.replace(':', "-") } else { name })
}

proptest! {
    #[test]
    fn a_parser_reads_back_any_tree(root in tree(), comments in proptest::collection::vec(hostile_text(), 0..3)) {
        let document = XmlDocument { comments, root };
        let written = document.write();
        prop_assert_eq!(&written, &document.write());
        let parsed = Document::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        prop_assert_eq!(read(parsed.root_element(), &document.root, Layout::Lines), expected(&document.root), "{}", written);
    }

    #[test]
    fn any_strings_as_names_still_give_well_formed_markup(root in hostile_name(), names in proptest::collection::vec(hostile_name(), 0..4)) {
        let mut element = XmlElement::new(root);
        for name in names {
            element.set(name, "v");
        }
        let written = XmlDocument { comments: Vec::new(), root: element }.write();
        Document::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    }
}
