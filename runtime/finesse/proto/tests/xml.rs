//! XML is read within its limits and comes back as it was written.

use proptest::prelude::*;
use topoc_finesse_proto::xml::{Element, Limits, Node, XmlError, read, read_within};

fn limits() -> Limits {
    Limits { bytes: 1_000, depth: 4, elements: 10, attributes: 3 }
}

#[test]
fn names_and_namespaces_are_resolved() {
    let text = "<?xml version='1.0'?><!-- c --><a xmlns='one' xmlns:p='two' x='1&amp;2'><p:b p:y='3'/><c xmlns=''>t&lt;<![CDATA[<]]>&#65;</c></a>\n";
    let a = read(text, limits()).unwrap();
    assert!(a.is("a", "one"));
    assert_eq!(a.attribute("x"), Some("1&2"));
    let [b, c] = &a.elements().collect::<Vec<_>>()[..] else { panic!("{a:?}") };
    assert!(b.is("b", "two") && c.is("c", ""));
    assert_eq!(b.attribute("p:y"), Some("3"));
    assert_eq!(c.children, [Node::Text("t<<A".into())]);
    assert_eq!(a.child_text("c").as_deref(), Some("t<<A"));
}

#[test]
fn a_stanza_knows_the_namespaces_of_its_stream() {
    let scope = [("", "jabber:client"), ("stream", "http://etherx.jabber.org/streams")];
    let features = read_within("<stream:features><bind xmlns='b'/></stream:features>", &scope, limits()).unwrap();
    assert!(features.is("features", "http://etherx.jabber.org/streams"));
    assert!(read_within("<presence/>", &scope, limits()).unwrap().is("presence", "jabber:client"));
    assert_eq!(Element::new("presence", "jabber:client").to_string_within("jabber:client"), "<presence/>");
}

#[test]
fn names_have_any_letters() {
    for name in ["_", "é", "名前", "a-b.c_d1", "ns1:größe", "\u{10400}"] {
        let text = format!("<{name} xmlns:ns1='n' {name}='1'/>");
        assert_eq!(read(&text, limits()).unwrap().attribute(name), Some("1"), "{text}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let refused = |text: &str, limit| assert_eq!(read(text, limits()), Err(XmlError::TooMuch(limit)), "{text}");
    refused(&"x".repeat(1_001), "bytes");
    refused("<a><a><a><a><a/></a></a></a></a>", "elements inside one another");
    refused(&format!("<a>{}</a>", "<b/>".repeat(10)), "elements");
    refused("<a b='' c='' d='' e=''/>", "attributes");
    refused("<a b='' c='' xmlns:d='d' xmlns='e'/>", "attributes");
}

#[test]
fn entities_and_document_types_are_refused() {
    for text in [
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<!DOCTYPE a SYSTEM 'file:/etc/passwd'><a/>",
        "<a>&e;</a>",
        "<a b='&e;'/>",
    ] {
        assert!(matches!(read(text, limits()), Err(XmlError::Forbidden(_))), "{text}");
    }
}

#[test]
fn what_is_no_xml_is_refused() {
    let texts = [
        "",
        " ",
        "text",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>text",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<p:a/>",
        "<a>&#0;</a>",
        "<a>&</a>",
        "<a b='&#xfffe;'/>",
        "<a>\u{1}</a>",
        "<a",
        "<!-- -- --><a/>",
        "<a><![CDATA[</a>",
        "<a>&#xd800;</a>",
        "< a/>",
        "<1/>",
        "<-a/>",
        "<a\"/>",
        "<a\u{2028}/>",
        "<p:/>",
        "<:a/>",
        "<p:a:b xmlns:p='p'/>",
        "<a 1='1'/>",
        "<a p:='1'/>",
        "<a xmlns:p:q='1'/>",
    ];
    for text in texts {
        assert!(
            matches!(read(text, limits()), Err(XmlError::Malformed { .. })),
            "{text:?}: {:?}",
            read(text, limits())
        );
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_][a-zA-Z0-9_.-]{0,5}"
}

/// Any character that XML has.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>().prop_filter("of XML", |c| topoc_finesse_proto::xml::is_xml(*c)), 1..8)
        .prop_map(|characters| characters.into_iter().collect())
}

fn element() -> impl Strategy<Value = Element> {
    let attributes = || {
        proptest::collection::btree_map(name(), text(), 0..3)
            .prop_map(|map| map.into_iter().filter(|(name, _)| name != "xmlns").collect::<Vec<_>>())
    };
    let namespace = || prop_oneof![Just(String::new()), text()];
    let leaf = (name(), namespace(), attributes(), proptest::option::of(text())).prop_map(
        |(name, namespace, attributes, text)| Element {
            name,
            namespace,
            attributes,
            children: text.into_iter().map(Node::Text).collect(),
        },
    );
    leaf.prop_recursive(4, 30, 4, move |inner| {
        (name(), namespace(), attributes(), proptest::collection::vec(inner, 0..4)).prop_map(
            |(name, namespace, attributes, children)| Element {
                name,
                namespace,
                attributes,
                children: children.into_iter().map(Node::Element).collect(),
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(element in element()) {
        let text = element.to_string();
        prop_assert_eq!(read(&text, Limits::default()), Ok(element), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[<>&;'\"=/!\\[\\]a-c ?-]{0,60}") {
        if let Ok(element) = read(&text, limits()) {
            prop_assert_eq!(read(&element.to_string(), Limits::default()), Ok(element));
        }
    }
}
