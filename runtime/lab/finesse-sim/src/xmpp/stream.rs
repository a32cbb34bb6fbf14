//! XMPP on a TCP connection: with TLS from the beginning, or from when the client asks for it.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::rustls::ServerConfig;
use topoc_finesse_proto::xml;

use super::splitter::{Piece, Splitter};
use super::talk::{CLIENT, STREAMS, Step, Talk};
use crate::cluster::{CRASH_NOTICED, Health};
use crate::http;
use crate::hub::{Hub, Mail, Mailbox};
use crate::listen::while_silent;

/// A connection that has TLS from the beginning.
pub(crate) async fn direct(
    hub: Arc<Hub>,
    node: usize,
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    mut health: watch::Receiver<Health>,
) {
    while_silent(&mut health).await;
    let Some(stream) = http::secure(stream, tls).await else { return };
    let mut talk = Talk::new(hub, node, true);
    converse(stream, &mut talk, &mut health).await;
}

/// A connection that begins without TLS, and must ask for it.
pub(crate) async fn starttls(
    hub: Arc<Hub>,
    node: usize,
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    mut health: watch::Receiver<Health>,
) {
    while_silent(&mut health).await;
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

async fn mail(mailbox: &mut Option<Mailbox>) -> Option<Mail> {
    match mailbox {
        Some(mailbox) => mailbox.recv().await,
        None => std::future::pending().await,
    }
}

async fn exchange<S>(stream: &mut S, talk: &mut Talk, health: &mut watch::Receiver<Health>) -> std::io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut splitter, mut buffer) = (Splitter::default(), [0; 8192]);
    let mut mailbox: Option<Mailbox> = None;
    // Half of the time after which a client counts as gone: it is asked then, and has the other half to answer.
    let patience = talk.hub().real(CRASH_NOTICED / 2).max(std::time::Duration::from_secs(2));
    let (mut heard, mut asked) = (Instant::now(), false);
    loop {
        let due = heard + patience * (1 + u32::from(asked));
        tokio::select! {
            read = stream.read(&mut buffer) => {
                let count = read?;
                if count == 0 {
                    return Ok(End::Silence);
                }
                // Who hangs hears nothing: what comes in the meantime is lost.
                if *health.borrow() == Health::Silent {
                    continue;
                }
                (heard, asked) = (Instant::now(), false);
                let pieces = match splitter.push(&buffer[..count]) {
                    Ok(pieces) => pieces,
                    Err(condition) => return fail(stream, condition).await,
                };
                for piece in pieces {
                    match take(stream, talk, &mut splitter, piece).await? {
                        Some(end) => return Ok(end),
                        None => mailbox = talk.mailbox.take().or(mailbox),
                    }
                }
            }
            mail = mail(&mut mailbox) => match mail {
                Some(Mail::Stanza(text)) => send(stream, &text).await?,
                Some(Mail::Close(Some(condition))) => return fail(stream, condition).await,
                Some(Mail::Close(None)) | None => return Ok(End::Silence),
            },
            () = tokio::time::sleep_until(due) => {
                if asked {
                    // The time for noticing has passed already.
                    return Ok(End::Word);
                }
                if *health.borrow() != Health::Silent && talk.is_let_in() {
                    send(stream, PING).await?;
                }
                asked = true;
            }
        }
    }
}

async fn take<S>(stream: &mut S, talk: &mut Talk, splitter: &mut Splitter, piece: Piece) -> std::io::Result<Option<End>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let before = talk.is_let_in();
    let steps = match piece {
        Piece::Open(tag) => {
            if !is_header(&tag) {
                return fail(stream, "invalid-namespace").await.map(Some);
            }
            let id = format!("{:016x}", fastrand::u64(..));
            let opening = format!(
                "<?xml version='1.0'?><stream:stream xmlns=\"{CLIENT}\" xmlns:stream=\"{STREAMS}\" from=\"{}\" id=\"{id}\" version=\"1.0\" xml:lang=\"en\">{}",
                talk.host(),
                talk.features()
            );
            send(stream, &opening).await?;
            return Ok(None);
        }
        Piece::Close => {
            send(stream, "</stream:stream>").await?;
            return Ok(Some(End::Word));
        }
        Piece::Stanza(text) => {
            match xml::read_within(&text, &[("", CLIENT), ("stream", STREAMS)], xml::Limits::default()) {
                Ok(element) => talk.take(&element),
                Err(_) => return fail(stream, "not-well-formed").await.map(Some),
            }
        }
    };
    for step in steps {
        match step {
            Step::Send(text) => {
                send(stream, &text).await?;
            }
            Step::StartTls(text) => {
                send(stream, &text).await?;
                return Ok(Some(End::StartTls));
            }
            Step::Fail(condition) => return fail(stream, condition).await.map(Some),
        }
    }
    // A client that has been let in begins anew, and so does what it is read by.
    if !before && talk.is_let_in() {
        *splitter = Splitter::default();
    }
    Ok(None)
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

async fn fail<S>(stream: &mut S, condition: &str) -> std::io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let text = format!(
        "<stream:error xmlns:stream=\"{STREAMS}\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error></stream:stream>"
    );
    send(stream, &text).await?;
    Ok(End::Silence)
}
