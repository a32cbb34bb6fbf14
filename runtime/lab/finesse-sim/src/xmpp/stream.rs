//! XMPP on a TCP connection: with TLS from the beginning, or from when the client asks for it.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use topoc_finesse_proto::xml;

use super::late::Late;
use super::splitter::{Piece, Splitter};
use super::talk::{CLIENT, STREAMS, Step, Talk};
use crate::cluster::{CRASH_NOTICED, Health};
use crate::http;
use crate::hub::{self, Mail, Mailbox};
use crate::listen::Door;

/// A connection that has TLS from the beginning.
pub(crate) async fn direct(door: Door, stream: TcpStream) {
    let Door { hub, node, tls, mut health } = door;
    let Some(stream) = http::secure(stream, tls).await else { return };
    let mut talk = Talk::new(hub, node, true);
    converse(stream, &mut talk, &mut health).await;
}

/// A connection that begins without TLS, and must ask for it.
pub(crate) async fn starttls(door: Door, stream: TcpStream) {
    let Door { hub, node, tls, mut health } = door;
    let mut talk = Talk::new(hub, node, false);
    let Some(stream) = converse(stream, &mut talk, &mut health).await else { return };
    let Some(stream) = http::secure(stream, tls).await else { return };
    talk.secured();
    converse(stream, &mut talk, &mut health).await;
}

const PING: &str = "<iq type=\"get\" id=\"alive\"><ping xmlns=\"urn:xmpp:ping\"/></iq>";

/// Why a conversation is over.
enum End {
    /// The client closed its stream.
    Word,
    /// The connection broke.
    Silence,
    /// It goes on with TLS.
    StartTls,
}

/// Talks until the end: gives the connection back where it goes on with TLS.
async fn converse<S>(mut stream: S, talk: &mut Talk, health: &mut watch::Receiver<Health>) -> Option<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let end = match exchange(&mut stream, talk, health).await {
        Ok(End::StartTls) => return Some(stream),
        Ok(End::Word) => true,
        Ok(End::Silence) | Err(_) => false,
    };
    talk.end(end);
    // Whether the other side hears it makes no difference any more.
    let _ = stream.shutdown().await;
    None
}

/// What is to be sent, and how the conversation is over behind it, if it is.
type Said = (String, Option<End>);

async fn exchange<S>(stream: &mut S, talk: &mut Talk, health: &mut watch::Receiver<Health>) -> std::io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut splitter, mut buffer) = (Splitter::default(), [0; 8192]);
    let mut mailbox: Option<Mailbox> = None;
    let mut said: Late<Said> = Late::new(Arc::clone(talk.hub()), talk.node, health.clone());
    // Half of the time after which a client counts as gone: it is asked then, and has the other half to answer.
    let patience = talk.hub().real(CRASH_NOTICED / 2).max(std::time::Duration::from_secs(2));
    let (mut heard, mut asked, mut over) = (Instant::now(), false, false);
    loop {
        let due = heard + patience * (1 + u32::from(asked));
        tokio::select! {
            (text, end) = said.next() => {
                send(stream, &text).await?;
                if let Some(end) = end {
                    return Ok(end);
                }
            }
            read = stream.read(&mut buffer), if !over => {
                let count = read?;
                if count == 0 {
                    return Ok(End::Silence);
                }
                // Who hangs hears nothing: what comes in the meantime is lost.
                if *health.borrow() == Health::Silent {
                    continue;
                }
                (heard, asked) = (Instant::now(), false);
                over = hear(talk, &mut splitter, &buffer[..count], &mut said);
                mailbox = talk.mailbox.take().or(mailbox);
            }
            mail = hub::mail(&mut mailbox), if !over => match mail {
                Some(Mail::Stanza(text)) => said.push((text, None)),
                Some(Mail::Close(Some(condition))) => {
                    said.push(failure(condition));
                    over = true;
                }
                Some(Mail::Close(None)) | None => return Ok(End::Silence),
            },
            () = tokio::time::sleep_until(due), if !over => {
                if asked {
                    // The time for noticing has passed already.
                    return Ok(End::Word);
                }
                if *health.borrow() != Health::Silent && talk.is_let_in() {
                    said.push((PING.to_owned(), None));
                }
                asked = true;
            }
        }
        if said.is_too_much() {
            return Ok(End::Silence);
        }
    }
}

/// Takes what has come: true where the conversation is over once everything has been said.
fn hear(talk: &mut Talk, splitter: &mut Splitter, bytes: &[u8], said: &mut Late<Said>) -> bool {
    let pieces = match splitter.push(bytes) {
        Ok(pieces) => pieces,
        Err(condition) => {
            said.push(failure(condition));
            return true;
        }
    };
    for piece in pieces {
        let before = talk.is_let_in();
        for (text, end) in take(talk, piece) {
            let over = end.is_some();
            said.push((text, end));
            if over {
                return true;
            }
        }
        // A client that has been let in begins anew, and so does what it is read by.
        if !before && talk.is_let_in() {
            *splitter = Splitter::default();
        }
    }
    false
}

fn take(talk: &mut Talk, piece: Piece) -> Vec<Said> {
    let steps = match piece {
        Piece::Open(tag) if is_header(&tag) => {
            let id = format!("{:016x}", fastrand::u64(..));
            let opening = format!(
                "<?xml version='1.0'?><stream:stream xmlns=\"{CLIENT}\" xmlns:stream=\"{STREAMS}\" from=\"{}\" id=\"{id}\" version=\"1.0\" xml:lang=\"en\">{}",
                talk.host(),
                talk.features()
            );
            return vec![(opening, None)];
        }
        Piece::Open(_) => return vec![failure("invalid-namespace")],
        Piece::Close => return vec![("</stream:stream>".to_owned(), Some(End::Word))],
        Piece::Stanza(text) => {
            match xml::read_within(&text, &[("", CLIENT), ("stream", STREAMS)], xml::Limits::default()) {
                Ok(element) => talk.take(&element),
                Err(_) => return vec![failure("not-well-formed")],
            }
        }
    };
    let said = |step| match step {
        Step::Send(text) => (text, None),
        Step::StartTls(text) => (text, Some(End::StartTls)),
        Step::Fail(condition) => failure(condition),
    };
    steps.into_iter().map(said).collect()
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

/// Whether it is the start tag of a stream.
fn is_header(tag: &str) -> bool {
    let closed = format!("{}/>", tag.strip_suffix('>').unwrap_or_default());
    xml::read(&closed, xml::Limits::default()).is_ok_and(|element| element.is("stream", STREAMS))
}

fn failure(condition: &str) -> Said {
    let text = format!(
        "<stream:error xmlns:stream=\"{STREAMS}\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error></stream:stream>"
    );
    (text, Some(End::Silence))
}
