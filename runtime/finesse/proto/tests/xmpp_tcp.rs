//! A stream of XMPP, cut into pieces anywhere.

use topoc_finesse_proto::xml::{Limits, XmlError};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::tcp::{Splitter, opening};

const HEAD: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                    xmlns:stream='http://etherx.jabber.org/streams' from='a.test' id='x>y' version='1.0'>";
const STANZAS: &str = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features> \n\
    <presence/><message a='>' b=\"'/>\"><body>1 &lt; 2 <![CDATA[</message> ]] ]>]]></body></message  >\
    <iq type='result' id='\u{e9}\u{1f600}'><a><b/></a></iq>";

/// All that comes of a text, which is given in pieces of this size.
fn split(text: &[u8], size: usize, limits: Limits) -> Result<Vec<Piece>, XmlError> {
    let mut splitter = Splitter::new(limits);
    let mut pieces = Vec::new();
    for mut bytes in text.chunks(size) {
        while let Some(piece) = splitter.next(&mut bytes)? {
            pieces.push(piece);
        }
        assert!(bytes.is_empty(), "all is taken when there is nothing more to say");
        assert!(splitter.kept() <= limits.bytes);
    }
    Ok(pieces)
}

fn limits() -> Limits {
    Limits { bytes: 400, depth: 4, elements: 50, attributes: 8 }
}

#[test]
fn however_a_stream_is_cut_the_same_comes_of_it() {
    let text = format!("{HEAD}{STANZAS}</stream:stream> \n");
    let whole = split(text.as_bytes(), text.len(), limits()).unwrap();
    assert_eq!(whole.len(), 6, "{whole:?}");
    let Piece::Opened(header) = &whole[0] else { panic!("{whole:?}") };
    assert_eq!(header.attribute("id"), Some("x>y"));
    let Piece::Stanza(features) = &whole[1] else { panic!("{whole:?}") };
    assert!(features.is("features", "http://etherx.jabber.org/streams"), "the prefix is the stream's");
    let Piece::Stanza(message) = &whole[3] else { panic!("{whole:?}") };
    assert!(message.is("message", "jabber:client"));
    assert_eq!(message.child("body").unwrap().text(), "1 < 2 </message> ]] ]>");
    assert_eq!(whole[5], Piece::Closed);
    for size in 1..80 {
        assert_eq!(split(text.as_bytes(), size, limits()).unwrap(), whole, "in pieces of {size}");
    }
}

#[test]
fn what_rfc_6120_forbids_is_refused_where_it_begins() {
    for (what, bad) in [
        ("a comment", "<!-- -->"),
        ("an instruction", "<?php ?>"),
        ("a document type", "<!DOCTYPE a [<!ENTITY b 'c'>]>"),
        ("an entity of its own", "<a>&b;</a>"),
        ("text between stanzas", "text"),
        ("a comment inside", "<a><!-- --></a>"),
        ("another end", "</stream>"),
        ("a tag without a name", "<>"),
        ("a tag inside of a tag", "<a <b/>>"),
        ("ends that do not fit", "<a><b></a></b>"),
        ("a prefix that nobody declared", "<x:a/>"),
        ("what is not UTF-8", "<a>\u{fffe}</a>"),
        ("something behind the end", "</stream:stream><a/>"),
        ("five inside one another", "<a><a><a><a><a/></a></a></a></a>"),
    ] {
        let text = format!("{HEAD}{bad}");
        for size in [1, 7, text.len()] {
            assert!(split(text.as_bytes(), size, limits()).is_err(), "{what} is taken in pieces of {size}");
        }
    }
    let four = format!("{HEAD}<a><a><a><a></a></a></a></a>");
    assert_eq!(split(four.as_bytes(), 5, limits()).unwrap().len(), 2, "four are not too many");
}

#[test]
fn bombs_of_entities_are_refused_before_anything_is_expanded() {
    let bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>";
    assert!(matches!(split(bomb.as_bytes(), 1, limits()), Err(XmlError::Forbidden(_))));
}

#[test]
fn a_stream_of_something_else_is_refused() {
    for text in [
        "HTTP/1.1 400 Bad Request\r\n",
        "\u{16}\u{3}\u{3}",
        "<html><body>",
        "<stream:stream xmlns:stream='other'>",
        "<?php ?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
    ] {
        assert!(split(text.as_bytes(), 3, limits()).is_err(), "{text}");
    }
}

#[test]
fn a_stanza_has_room_up_to_the_limit() {
    let stanza = |length: usize| format!("{HEAD}<a>{}</a>", "x".repeat(length - "<a></a>".len()));
    assert_eq!(split(stanza(400).as_bytes(), 64, limits()).unwrap().len(), 2);
    assert_eq!(split(stanza(401).as_bytes(), 64, limits()), Err(XmlError::TooMuch("bytes")));
}

#[test]
fn an_error_stays() {
    let mut splitter = Splitter::default();
    let mut bytes = &b"<a/>"[..];
    let error = splitter.next(&mut bytes).unwrap_err();
    assert_eq!(splitter.next(&mut opening("a.test").as_bytes()), Err(error));
}

#[test]
fn our_own_beginning_is_one() {
    let pieces = split(opening("a<b>&\"c").as_bytes(), 1, limits()).unwrap();
    let [Piece::Opened(header)] = pieces.as_slice() else { panic!("{pieces:?}") };
    assert_eq!(header.attribute("to"), Some("a<b>&\"c"));
}
