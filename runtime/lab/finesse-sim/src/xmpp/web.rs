//! XMPP for browsers, on one port: WebSocket (RFC 7395) and BOSH (XEP-0124, XEP-0206).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use topoc_finesse_proto::xml;

use super::bosh::Sessions;
use super::late::Late;
use super::talk::{STREAMS, Step, Talk, framed};
use crate::cluster::{CRASH_NOTICED, Health};
use crate::cors::Page;
use crate::http::{self, Answer};
use crate::hub::{self, Hub, Mail};
use crate::listen::{Door, until_down};

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// One connection.
pub(crate) async fn connection(door: Door, sessions: Arc<Sessions>, stream: TcpStream) {
    let Door { hub, node, tls, health } = door;
    let Some(stream) = http::secure(stream, tls).await else { return };
    http::serve(stream, health.clone(), move |request| {
        let (hub, sessions, health) = (Arc::clone(&hub), Arc::clone(&sessions), health.clone());
        async move {
            let path = request.uri().path().trim_end_matches('/').to_owned();
            match path.as_str() {
                "/ws" => Some(upgrade(hub, node, request, health)),
                "/http-bind" => {
                    let page = Page::of(&request);
                    let mut answer = bind(&hub, &sessions, request, &health).await?;
                    hub.cors.behind_bosh(&page, &mut answer);
                    Some(answer)
                }
                _ => Some(http::answer(404, "text/plain", "there are /ws and /http-bind here\n")),
            }
        }
    })
    .await;
}

/// A request of BOSH; nothing where its session ends without a word.
async fn bind(
    hub: &Arc<Hub>,
    sessions: &Arc<Sessions>,
    request: Request<Incoming>,
    health: &watch::Receiver<Health>,
) -> Option<Answer> {
    match *request.method() {
        Method::POST => match http::body(request).await {
            Ok(text) => sessions.take(hub, &text, health).await,
            Err(refusal) => Some(refusal),
        },
        Method::OPTIONS => Some(http::answer(200, "text/plain", "")),
        _ => Some(http::answer(405, "text/plain", "BOSH is asked by POST\n")),
    }
}

/// The handshake of RFC 6455, section 4.2.
fn upgrade(hub: Arc<Hub>, node: usize, request: Request<Incoming>, health: watch::Receiver<Health>) -> Answer {
    let headers = request.headers();
    let asked = has_word(headers, UPGRADE.as_str(), "websocket") && has_word(headers, CONNECTION.as_str(), "upgrade");
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked && request.method() == Method::GET) else {
        return http::answer(426, "text/plain", "this is for WebSocket\n");
    };
    if !has_word(headers, SEC_WEBSOCKET_PROTOCOL.as_str(), "xmpp") {
        return http::answer(400, "text/plain", "the WebSocket has to ask for the protocol xmpp\n");
    }
    let mut hash = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let Ok(accept) = HeaderValue::from_str(&STANDARD.encode(hash.finish())) else {
        return http::answer(400, "text/plain", "");
    };
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            let limits = WebSocketConfig::default().max_message_size(Some(http::BODY)).max_frame_size(Some(http::BODY));
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits)).await;
            converse(socket, Talk::new(hub, node, true), health).await;
        }
    });
    let mut answer = http::answer(101, "text/plain", "");
    let headers = answer.headers_mut();
    headers.clear();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("xmpp"));
    answer
}

fn has_word(headers: &HeaderMap, name: &str, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
}

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn converse(mut socket: Socket, mut talk: Talk, mut health: watch::Receiver<Health>) {
    let by_its_own_word = exchange(&mut socket, &mut talk, &mut health).await.unwrap_or(false);
    talk.end(by_its_own_word);
    // Whether the other side hears it makes no difference any more.
    let _ = socket.close(None).await;
}

/// What is to be sent, and whether the client has said that it goes where the conversation is over behind it.
type Said = (String, Option<bool>);

/// Talks until the end: whether the client has said that it goes.
async fn exchange(socket: &mut Socket, talk: &mut Talk, health: &mut watch::Receiver<Health>) -> Result<bool, Error> {
    let mut mailbox = None;
    let mut said: Late<Said> = Late::new(Arc::clone(talk.hub()), talk.node, health.clone());
    let patience = talk.hub().real(CRASH_NOTICED / 2).max(std::time::Duration::from_secs(2));
    let (mut heard, mut asked, mut over) = (Instant::now(), false, false);
    loop {
        let due = heard + patience * (1 + u32::from(asked));
        tokio::select! {
            (text, end) = said.next() => {
                socket.send(Message::text(text)).await?;
                if let Some(end) = end {
                    return Ok(end);
                }
            }
            message = socket.next(), if !over => {
                let text = match message {
                    None => return Ok(false),
                    Some(message) => message?,
                };
                if *health.borrow() == Health::Silent {
                    continue;
                }
                (heard, asked) = (Instant::now(), false);
                let text = match text {
                    Message::Text(text) => text,
                    Message::Close(_) => return Ok(false),
                    // The library answers pings by itself.
                    _ => continue,
                };
                for (text, end) in take(talk, &text) {
                    over |= end.is_some();
                    said.push((text, end));
                }
                mailbox = talk.mailbox.take().or(mailbox);
            }
            mail = hub::mail(&mut mailbox), if !over => match mail {
                Some(Mail::Stanza(text)) => said.push((framed(&text), None)),
                Some(Mail::Close(Some(condition))) => {
                    failure(condition).into_iter().for_each(|one| said.push(one));
                    over = true;
                }
                Some(Mail::Close(None)) | None => return Ok(false),
            },
            _ = until_down(health) => return Ok(false),
            () = tokio::time::sleep_until(due), if !over => {
                if asked {
                    return Ok(true);
                }
                if *health.borrow() != Health::Silent && talk.is_let_in() {
                    said.push((framed("<iq type=\"get\" id=\"alive\"><ping xmlns=\"urn:xmpp:ping\"/></iq>"), None));
                }
                asked = true;
            }
        }
        if said.is_too_much() {
            return Ok(false);
        }
    }
}

fn take(talk: &mut Talk, text: &str) -> Vec<Said> {
    // Space alone keeps a connection alive.
    if text.trim().is_empty() {
        return Vec::new();
    }
    let Ok(element) = xml::read(text, xml::Limits::default()) else { return failure("not-well-formed") };
    if element.is("open", FRAMING) {
        let (host, id) = (talk.host(), fastrand::u64(..));
        let opening =
            format!("<open xmlns=\"{FRAMING}\" from=\"{host}\" id=\"{id:016x}\" version=\"1.0\" xml:lang=\"en\"/>");
        return vec![(opening, None), (talk.features(), None)];
    }
    if element.is("close", FRAMING) {
        return vec![(format!("<close xmlns=\"{FRAMING}\"/>"), Some(true))];
    }
    let said = |step| match step {
        Step::Send(text) => vec![(framed(&text), None)],
        Step::StartTls(_) => Vec::new(),
        Step::Fail(condition) => failure(condition),
    };
    talk.take(&element).into_iter().flat_map(said).collect()
}

fn failure(condition: &str) -> Vec<Said> {
    let error = format!(
        "<stream:error xmlns:stream=\"{STREAMS}\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
    );
    vec![(error, None), (format!("<close xmlns=\"{FRAMING}\"/>"), Some(false))]
}
