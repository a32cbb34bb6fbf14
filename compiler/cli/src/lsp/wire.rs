//! Messages on the wire: frames in; JSON in pieces out, so that thousands of findings are written once and copied never.

use super::findings::Findings;
use lsp_server::{ErrorCode, Message, RequestId};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

/// JSON text in pieces. What is in it was made by serde_json or stands in this program.
#[derive(Debug, Default)]
pub(super) struct Json(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Findings(Arc<Findings>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Text(text) => text.as_bytes(),
            Piece::Findings(findings) => findings.json(),
        }
    }
}

impl Json {
    /// A value.
    pub(super) fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(vec![Piece::Text(serde_json::to_string(value)?)]))
    }

    /// Goes on with JSON as it stands here.
    pub(super) fn text(mut self, text: &str) -> Self {
        match self.0.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.0.push(Piece::Text(text.to_owned())),
        }
        self
    }

    /// Goes on with a value that has no way of not being JSON: a text, a number, nothing.
    pub(super) fn value(self, value: impl Into<Value>) -> Self {
        self.text(&value.into().to_string())
    }

    /// Goes on with an array of findings.
    pub(super) fn findings(self, findings: &Arc<Findings>) -> Self {
        let mut json = self.text("[");
        json.0.push(Piece::Findings(Arc::clone(findings)));
        json.text("]")
    }

    fn append(mut self, mut other: Self) -> Self {
        self.0.append(&mut other.0);
        self
    }
}

/// A message to the client.
#[derive(Debug)]
pub struct Outgoing(Json);

impl Outgoing {
    /// What a request has led to.
    pub(super) fn answer(id: &RequestId, result: Result<Json, (ErrorCode, String)>) -> Self {
        match result {
            Ok(result) => Self(start(Some(id)).text(",\"result\":").append(result).text("}")),
            Err(refusal) => Self::refusal(Some(id), refusal),
        }
    }

    /// Why something is not answered. Without an id nobody knows which request it was (JSON-RPC 2.0, section 5).
    pub(super) fn refusal(id: Option<&RequestId>, (code, words): (ErrorCode, String)) -> Self {
        let error = serde_json::json!({ "code": code as i32, "message": words });
        Self(start(id).text(",\"error\":").value(error).text("}"))
    }

    /// Something to know.
    pub(super) fn notification(method: &str, params: Json) -> Self {
        let json = Json::default().text("{\"jsonrpc\":\"2.0\",\"method\":").value(method).text(",\"params\":");
        Self(json.append(params).text("}"))
    }

    /// A request without parameters.
    pub(super) fn request(id: &str, method: &str) -> Self {
        let json = Json::default().text("{\"jsonrpc\":\"2.0\",\"id\":").value(id);
        Self(json.text(",\"method\":").value(method).text("}"))
    }

    /// Writes the message in its frame (LSP 3.17, "Base Protocol").
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let pieces = &self.0.0;
        let length: usize = pieces.iter().map(|piece| piece.bytes().len()).sum();
        write!(out, "Content-Length: {length}\r\n\r\n")?;
        pieces.iter().try_for_each(|piece| out.write_all(piece.bytes()))?;
        out.flush()
    }
}

fn start(id: Option<&RequestId>) -> Json {
    let id = id.and_then(|id| serde_json::to_value(id).ok()).unwrap_or_default();
    Json::default().text("{\"jsonrpc\":\"2.0\",\"id\":").value(id)
}

/// The content of the next frame; nothing where the input ends between two.
///
/// # Errors
/// The input cannot be read, ends within a frame, or is not framed.
pub(super) fn frame(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let header = line.trim_ascii_end();
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|&byte| byte == b':').ok_or_else(|| unframed("a header has no colon"))?;
        if header[..colon].eq_ignore_ascii_case(b"Content-Length") {
            let value = std::str::from_utf8(header[colon + 1..].trim_ascii()).ok();
            length = value.and_then(|value| value.parse::<u64>().ok());
        }
    }
    let length = length.ok_or_else(|| unframed("a message has no Content-Length"))?;
    // The length is believed only as far as bytes follow.
    let mut content = Vec::new();
    input.take(length).read_to_end(&mut content)?;
    if (content.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(content))
}

fn unframed(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// What a frame holds, or what is to be answered where that is no message. Nothing is answered to what looks like an answer,
/// or both sides would go on for ever.
pub(super) fn message(content: &[u8]) -> Result<Message, Option<Outgoing>> {
    let problem = match serde_json::from_slice(content) {
        Ok(message) => return Ok(message),
        Err(problem) => problem,
    };
    match serde_json::from_slice::<Value>(content) {
        Err(problem) => Err(Some(Outgoing::refusal(None, (ErrorCode::ParseError, format!("no JSON: {problem}"))))),
        Ok(value) if value.get("result").or(value.get("error")).is_some() => Err(None),
        Ok(_) => Err(Some(Outgoing::refusal(None, (ErrorCode::InvalidRequest, format!("no message: {problem}"))))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_to_their_ends_and_no_further() {
        let mut input =
            b"Content-Length: 2\r\nContent-Type: x; charset=utf-8\r\n\r\n{}content-length:3\r\n\r\n\xff12".as_slice();
        assert_eq!(frame(&mut input).unwrap().unwrap(), b"{}");
        assert_eq!(frame(&mut input).unwrap().unwrap(), b"\xff12");
        assert!(frame(&mut input).unwrap().is_none());
        for broken in
            ["Content-Length: 3\r\n\r\n{}", "Content-Length: 99999999999999999\r\n\r\n{}", "\r\n{}", "x\r\n\r\n"]
        {
            assert!(frame(&mut broken.as_bytes()).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn what_is_no_message_is_answered_once_and_an_answer_never() {
        let said = |content: &[u8]| {
            let mut out = Vec::new();
            message(content).unwrap_err()?.write(&mut out).unwrap();
            let body = out.split(|&byte| byte == b'\n').next_back().unwrap();
            let answer: Value = serde_json::from_slice(body).unwrap();
            assert_eq!((&answer["id"], &answer["jsonrpc"]), (&Value::Null, &Value::from("2.0")), "{answer}");
            answer["error"]["code"].as_i64()
        };
        for (content, code) in [
            (&b"{\"a\":"[..], Some(-32700)),
            (b"\xff\xfe", Some(-32700)),
            (b"", Some(-32700)),
            (b"[]", Some(-32600)),
            (b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":7}", Some(-32600)),
            (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":null}", None),
            (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"\"}}", None),
        ] {
            assert_eq!(said(content), code, "{}", String::from_utf8_lossy(content));
        }
        assert!(message(b"{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}").is_ok());
    }
}
