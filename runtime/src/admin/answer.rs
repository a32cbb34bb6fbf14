//! What is answered to whom: one row for each path.

use std::path::Path;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::agents::{Agent, PAGE};
use super::metrics::{self, Scene};
use super::process::Process;
use super::server::Views;
use super::settings::Settings;

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// The version of what is answered as JSON. Within one, fields are added, never renamed or removed.
const VERSION: u32 = 1;
/// Agents of a page where nobody says how many.
const USUAL_PAGE: usize = 100;
/// Longest `after`, in bytes: longer than any agent's id.
const LONGEST_AFTER: usize = 512;
const JSON: &str = "application/json";

/// The answer to a request, whoever asks.
pub(super) async fn answer(settings: &Settings, views: &Views, request: &Parts) -> Answer {
    if let Some(refusal) = refusal(settings, request) {
        return refusal;
    }
    let path = request.uri.path();
    if !matches!(path, "/health" | "/ready" | "/metrics" | "/agents") {
        return refuse(StatusCode::NOT_FOUND, "there is nothing here: ask for /health, /ready, /metrics or /agents");
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        let refusal = refuse(StatusCode::METHOD_NOT_ALLOWED, "this interface only shows: use GET or HEAD");
        return with(refusal, ALLOW, "GET, HEAD");
    }
    match path {
        "/health" => health(views),
        "/ready" => ready(views),
        "/metrics" => metrics(views).await,
        _ => agents(views, request.uri.query().unwrap_or_default()).await,
    }
}

/// What is answered to somebody who may not ask at all.
fn refusal(settings: &Settings, request: &Parts) -> Option<Answer> {
    let Some(token) = settings.token() else {
        // A page of any site may send requests to this machine under a name of its own.
        let error = "ask for localhost or 127.0.0.1, or give the connector a token";
        return (!is_local(request)).then(|| refuse(StatusCode::FORBIDDEN, error));
    };
    let shown = only(&request.headers, AUTHORIZATION).and_then(|header| bearer(header.as_bytes()));
    if shown.is_some_and(|shown| token.is(shown)) {
        return None;
    }
    let refusal = refuse(StatusCode::UNAUTHORIZED, "send the token: `Authorization: Bearer TOKEN`");
    Some(with(refusal, WWW_AUTHENTICATE, "Bearer"))
}

/// The header, if there is exactly one.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}

/// What stands behind `Bearer`, in whatever case it is (RFC 9110, 11.1).
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn is_local(request: &Parts) -> bool {
    let host = only(&request.headers, HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse().ok());
    let is_local = |authority: &Authority| {
        let name = authority.host();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = address.parse().is_ok_and(|ip: std::net::IpAddr| ip.to_canonical().is_loopback());
        !authority.as_str().contains('@') && (name.eq_ignore_ascii_case("localhost") || is_loopback)
    };
    // A request may name its server in its first line, too.
    host.as_ref().is_some_and(is_local) && request.uri.authority().is_none_or(is_local)
}

fn health(views: &Views) -> Answer {
    let still = views.heartbeat.is_still();
    let status = if still { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    json(status, &json!({"version": VERSION, "alive": !still, "loop-age-seconds": views.heartbeat.age().as_secs()}))
}

fn ready(views: &Views) -> Answer {
    let status = views.status.borrow().clone();
    let unready = status.unready(views.heartbeat.is_still());
    let reasons: Vec<_> = unready
        .iter()
        .map(|one| {
            let row = one.reason.row();
            json!({"reason": row.word, "says": row.says, "first": row.first, "detail": one.detail})
        })
        .collect();
    let code = if unready.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let connector = &status.identity.connector;
    json(code, &json!({"version": VERSION, "ready": unready.is_empty(), "connector": connector, "reasons": reasons}))
}

async fn metrics(views: &Views) -> Answer {
    // Thousands of open files take milliseconds to count.
    let process = tokio::task::spawn_blocking(|| Process::read(Path::new("/proc"))).await.unwrap_or_default();
    let status = views.status.borrow().clone();
    let scene = Scene {
        status: &status,
        process: &process,
        beat: views.heartbeat.age(),
        still: views.heartbeat.is_still(),
        missing: views.missing.as_ref().map(|missing| missing()).unwrap_or_default(),
    };
    body(StatusCode::OK, metrics::CONTENT_TYPE, metrics::text(&scene))
}

/// What is asked of the list of agents.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    after: Option<String>,
    limit: usize,
}

async fn agents(views: &Views, query: &str) -> Answer {
    let page = match page(query) {
        Ok(page) => page,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, error),
    };
    // One more shows whether there is another page.
    let Some(mut agents) = views.agents.ask(page.after, page.limit + 1).await else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the connector does not say who its agents are: see /health");
    };
    let more = agents.len() > page.limit;
    agents.truncate(page.limit);
    let next = agents.last().filter(|_| more).map(|agent| agent.id.as_str());
    let list: Vec<_> = agents.iter().map(shown).collect();
    json(StatusCode::OK, &json!({"version": VERSION, "agents": list, "next": next}))
}

fn shown(agent: &Agent) -> Value {
    let Agent { id, owner, session, state, server, requests } = agent;
    json!({"id": id, "owner": owner, "session": session.word(), "state": state, "server": server, "requests": requests})
}

fn page(query: &str) -> Result<Page, &'static str> {
    let mut page = Page { after: None, limit: USUAL_PAGE };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("after", value) => {
                let after = plain(value).filter(|after| after.len() <= LONGEST_AFTER);
                page.after = Some(after.ok_or("`after` is the id of an agent, as `next` has it, percent-encoded")?);
            }
            ("limit", value) => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE).contains(limit));
                page.limit = limit.ok_or("`limit` is a number from 1 to 500")?;
            }
            _ => return Err("only `after` and `limit` can be asked for"),
        }
    }
    Ok(page)
}

/// A value of a query without its percent-encoding.
fn plain(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(rest.next())? * 16 + digit(rest.next())?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn refuse(status: StatusCode, error: &str) -> Answer {
    json(status, &json!({"version": VERSION, "error": error}))
}

fn json(status: StatusCode, value: &Value) -> Answer {
    body(status, JSON, format!("{value}\n"))
}

fn body(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    with(with(answer, CONTENT_TYPE, kind), CACHE_CONTROL, "no-store")
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused() {
        let read = |query: &str| page(query).ok().map(|page| (page.after, page.limit));
        let after = |text: &str| Some(text.to_owned());
        assert_eq!(read(""), Some((None, 100)));
        assert_eq!(read("after=1001&limit=500"), Some((after("1001"), 500)));
        assert_eq!(read("after=a%2Fb%C3%A9+c"), Some((after("a/bé c"), 100)));
        for query in ["limit=0", "limit=501", "limit=x", "limit", "after=%2", "after=%zz", "after=%ff", "before=1"] {
            assert_eq!(read(query), None, "{query}");
        }
        assert!(read(&format!("after={}", "x".repeat(LONGEST_AFTER))).is_some());
        assert!(read(&format!("after={}", "x".repeat(LONGEST_AFTER + 1))).is_none());
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bearer  abc "), Some(&b"abc"[..]));
        for header in ["", "Bearer", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(bearer(header.as_bytes()), None, "{header}");
        }
    }
}
