//! HTTP as BOSH needs it: answers in every form, cut anywhere, and such as are none.

use proptest::prelude::*;
use topoc_finesse_proto::xmpp::bosh::http::{Answer, Reader, request};
use topoc_finesse_proto::xmpp::bosh::{ANSWER, Body};

/// Reads pieces; the answer, and what was left.
fn read(pieces: &[&[u8]]) -> Result<Option<(Answer, Vec<u8>)>, String> {
    let mut reader = Reader::new();
    for (place, piece) in pieces.iter().enumerate() {
        let mut bytes = *piece;
        if let Some(answer) = reader.next(&mut bytes)? {
            let left = [bytes.to_vec(), pieces[place + 1..].concat()].concat();
            return Ok(Some((answer, left)));
        }
        assert!(bytes.is_empty(), "all is taken while the answer is not whole");
    }
    Ok(None)
}

fn answer(status: u16, text: &str, is_reusable: bool) -> Answer {
    Answer { status, text: text.to_owned(), is_reusable }
}

#[test]
fn answers_of_every_form_are_read_wherever_they_are_cut() {
    let cases = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<body/>", answer(200, "<body/>", true)),
        ("HTTP/1.1 200\r\ncontent-length:7 \r\n\r\n<body/>", answer(200, "<body/>", true)),
        ("HTTP/1.1 200 OK\nContent-Length: 7\n\n<body/>", answer(200, "<body/>", true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n\u{e4}", answer(200, "\u{e4}", true)),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", answer(404, "", true)),
        ("HTTP/1.1 204 No Content\r\n\r\n", answer(204, "", true)),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", answer(200, "x", true)),
        ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\nx", answer(200, "x", false)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", answer(200, "x", false)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\n<bod\r\n3;a=b\r\ny/>\r\n0\r\n\r\n",
            answer(200, "<body/>", true),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000A\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n",
            answer(200, "0123456789", true),
        ),
        // RFC 9112, 6.1: the length is to be ignored, and the connection not to be used again.
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            answer(200, "x", false),
        ),
    ];
    for (text, expected) in cases {
        let bytes = text.as_bytes();
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(
                read(&[first, second, b"next"]),
                Ok(Some((expected.clone(), b"next".to_vec()))),
                "{text} at {cut}"
            );
            if cut < bytes.len() {
                assert_eq!(read(&[first]), Ok(None), "{text} until {cut}");
            }
        }
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let too_long =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", ANSWER.bytes + 1, "x".repeat(ANSWER.bytes + 1));
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(8 << 10));
    let endless_chunk = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}", "x".repeat(300));
    let trailers = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}", "a: b\r\n".repeat(2000));
    for text in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nA: b\r\n Content-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        &too_long,
        &endless,
        &endless_chunk,
        &trailers,
    ] {
        let shown: String = text.chars().take(120).collect();
        assert!(read(&[text.as_bytes()]).is_err(), "{shown}");
    }
    let latin = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xe4";
    assert!(read(&[latin]).is_err(), "what is not UTF-8");
}

#[test]
fn a_request_says_how_long_it_is() {
    let said = request("a.test:7443", "/http-bind/", &Body("<body>\u{e4}</body>".to_owned()));
    let head = "POST /http-bind/ HTTP/1.1\r\nHost: a.test:7443\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: 15\r\n\r\n";
    assert_eq!(said, format!("{head}<body>\u{e4}</body>"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_grow(
        status in "(HTTP/1.[01] [1-5][0-9]{2}( OK)?|.{0,20})",
        head in proptest::collection::vec("(Content-Length: [0-9]{1,3}|Transfer-Encoding: chunked|Connection: close|.{0,20})", 0..4),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        cut in 0..100_usize,
    ) {
        let bytes = [format!("{status}\r\n{}\r\n\r\n", head.join("\r\n")).as_bytes(), body.as_slice()].concat();
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        // Where it is cut makes no difference.
        prop_assert_eq!(read(&[first, second]), read(&[&bytes]));
    }
}
