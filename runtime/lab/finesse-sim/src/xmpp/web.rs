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
use tokio_rustls::rustls::ServerConfig;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use topoc_finesse_proto::xml;

use super::bosh::Sessions;
use super::talk::{STREAMS, Step, Talk, framed};
use crate::cluster::{CRASH_NOTICED, Health};
use crate::http::{self, Answer};
use crate::hub::{Hub, Mail, Mailbox};
use crate::listen::while_silent;

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// One connection.
pub(crate) async fn connection(
    hub: Arc<Hub>,
    sessions: Arc<Sessions>,
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    mut health: watch::Receiver<Health>,
) {
    while_silent(&mut health).await;
    let Some(stream) = http::secure(stream, tls).await else { return };
    http::serve(stream, move |request| {
        let (hub, sessions, mut health) = (Arc::clone(&hub), Arc::clone(&sessions), health.clone());
        async move {
            if *health.borrow_and_update() == Health::Silent {
                while_silent(&mut health).await;
                return None;
            }
            let path = request.uri().path().trim_end_matches('/').to_owned();
            match path.as_str() {
                "/ws" => Some(upgrade(hub, sessions.node(), request, health)),
                "/http-bind" if request.method() == Method::POST => match http::body(request).await {
                    Ok(text) => sessions.take(&hub, &text, &health).await,
                    Err(refusal) => Some(refusal),
                },
                _ => Some(http::answer(404, "text/plain", "there are /ws and /http-bind here\n")),
            }
        }
    })
    .await;
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

async fn mail(mailbox: &mut Option<Mailbox>) -> Option<Mail> {
    match mailbox {
        Some(mailbox) => mailbox.recv().await,
        None => std::future::pending().await,
    }
}

async fn until_down(health: &mut watch::Receiver<Health>) {
    let _ = health.wait_for(|health| *health == Health::Down).await;
}

/// Talks until the end: whether the client has said that it goes.
async fn exchange(socket: &mut Socket, talk: &mut Talk, health: &mut watch::Receiver<Health>) -> Result<bool, Error> {
    let mut mailbox = None;
    let patience = talk.hub().real(CRASH_NOTICED / 2).max(std::time::Duration::from_secs(2));
    let (mut heard, mut asked) = (Instant::now(), false);
    loop {
        let due = heard + patience * (1 + u32::from(asked));
        tokio::select! {
            message = socket.next() => {
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
                if let Some(end) = take(socket, talk, &text).await? {
                    return Ok(end);
                }
                mailbox = talk.mailbox.take().or(mailbox);
            }
            mail = mail(&mut mailbox) => match mail {
                Some(Mail::Stanza(text)) => send(socket, framed(&text)).await?,
                Some(Mail::Close(Some(condition))) => return fail(socket, condition).await,
                Some(Mail::Close(None)) | None => return Ok(false),
            },
            () = until_down(health) => return Ok(false),
            () = tokio::time::sleep_until(due) => {
                if asked {
                    return Ok(true);
                }
                if *health.borrow() != Health::Silent && talk.is_let_in() {
                    send(socket, framed("<iq type=\"get\" id=\"alive\"><ping xmlns=\"urn:xmpp:ping\"/></iq>")).await?;
                }
                asked = true;
            }
        }
    }
}

async fn take(socket: &mut Socket, talk: &mut Talk, text: &str) -> Result<Option<bool>, Error> {
    // Space alone keeps a connection alive.
    if text.trim().is_empty() {
        return Ok(None);
    }
    let Ok(element) = xml::read(text, xml::Limits::default()) else {
        return fail(socket, "not-well-formed").await.map(Some);
    };
    if element.is("open", FRAMING) {
        let (host, id) = (talk.host(), fastrand::u64(..));
        send(
            socket,
            format!("<open xmlns=\"{FRAMING}\" from=\"{host}\" id=\"{id:016x}\" version=\"1.0\" xml:lang=\"en\"/>"),
        )
        .await?;
        send(socket, talk.features()).await?;
        return Ok(None);
    }
    if element.is("close", FRAMING) {
        send(socket, format!("<close xmlns=\"{FRAMING}\"/>")).await?;
        return Ok(Some(true));
    }
    for step in talk.take(&element) {
        match step {
            Step::Send(text) => send(socket, framed(&text)).await?,
            Step::StartTls(_) => {}
            Step::Fail(condition) => return fail(socket, condition).await.map(Some),
        }
    }
    Ok(None)
}

async fn send(socket: &mut Socket, text: String) -> Result<(), Error> {
    socket.send(Message::text(text)).await
}

async fn fail(socket: &mut Socket, condition: &str) -> Result<bool, Error> {
    let error = format!(
        "<stream:error xmlns:stream=\"{STREAMS}\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
    );
    send(socket, error).await?;
    send(socket, format!("<close xmlns=\"{FRAMING}\"/>")).await?;
    Ok(false)
}
