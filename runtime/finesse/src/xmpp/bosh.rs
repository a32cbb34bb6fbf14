//! XMPP over BOSH: two connections of HTTP at most, on which requests of the protocol's machine are posted.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use topoc_finesse_proto::xml::{Element, XmlError};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::bosh::{ANSWER, Body, Bosh as Machine, Input, Output};
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::stanza::Outgoing;

use super::socket::Socket;
use super::{Server, chance};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take: longer than the minute for which the server may keep a request.
const ANSWERED: Duration = Duration::from_secs(75);

/// The smallest that hyper reads with.
const BUFFER: usize = 8 << 10;

/// A connection that can be posted on, where it is still there.
type Lane = Option<SendRequest<Full<Bytes>>>;

/// How a request went: its number, the connection, and status and text or why there is none.
type Outcome = (u64, Lane, Result<(u16, String), String>);

/// One session of BOSH.
pub(crate) struct Bosh {
    server: Server,
    with_tls: bool,
    machine: Machine,
    began: Instant,
    /// Connections that nobody uses just now.
    lanes: Vec<Lane>,
    posts: JoinSet<Outcome>,
    received: VecDeque<Result<Piece, End>>,
}

impl Bosh {
    /// Makes the first connection, so that a server that is not there is known as such.
    pub(crate) async fn open(server: &Server, domain: &str, with_tls: bool) -> Result<Self, End> {
        let socket = Socket::open(server, with_tls).await?;
        let lane = handshake(socket).await.map_err(End::Lost)?;
        let machine = Machine::new(domain, u64::from_be_bytes(chance::bytes(&server.tls)));
        let (posts, received) = (JoinSet::new(), VecDeque::new());
        let (server, lanes) = (server.clone(), vec![lane]);
        Ok(Self { server, with_tls, machine, began: Instant::now(), lanes, posts, received })
    }

    pub(crate) fn open_stream(&mut self) {
        self.tell(Input::Open);
    }

    pub(crate) fn send(&mut self, element: Element) {
        self.tell(Input::Send(Outgoing(element)));
    }

    pub(crate) fn close_stream(&mut self) {
        self.tell(Input::Close);
    }

    fn tell(&mut self, input: Input) {
        for output in self.machine.handle(self.began.elapsed(), input) {
            match output {
                Output::Post(id, body) => {
                    let lane = self.lanes.pop().flatten();
                    self.posts.spawn(post(self.server.clone(), self.with_tls, lane, id, body));
                }
                Output::Received(piece) => self.received.push_back(Ok(piece)),
                Output::Failed(end) => self.received.push_back(Err(end)),
            }
        }
    }

    /// What comes next. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Result<Piece, XmlError>, End> {
        loop {
            if let Some(received) = self.received.pop_front() {
                return match received {
                    Ok(piece) => Ok(Ok(piece)),
                    Err(End::Malformed(error)) => Ok(Err(error)),
                    Err(end) => Err(end),
                };
            }
            let wakes = self.machine.wakes_at().map(|at| self.began + at);
            let input = tokio::select! {
                Some(outcome) = self.posts.join_next() => match outcome {
                    Ok((id, lane, outcome)) => {
                        self.lanes.push(lane);
                        match outcome {
                            Ok((status, text)) => Input::Answered(id, status, text),
                            Err(reason) => Input::Broken(id, reason),
                        }
                    }
                    Err(error) => return Err(End::Lost(error.to_string())),
                },
                () = async { sleep_until(wakes.unwrap_or(self.began)).await }, if wakes.is_some() => Input::Timer,
                else => return std::future::pending().await,
            };
            self.tell(input);
        }
    }

    /// Gives the last request a moment to be sent.
    pub(crate) async fn shut(&mut self) {
        let _ = timeout(Duration::from_secs(1), async { while self.posts.join_next().await.is_some() {} }).await;
    }
}

async fn handshake(socket: Socket) -> Result<Lane, String> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(BUFFER).max_headers(32);
    let (lane, connection) = builder.handshake(TokioIo::new(socket)).await.map_err(|error| error.to_string())?;
    // It ends when the lane is dropped; what goes wrong with it is told to whoever posts on it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(Some(lane))
}

async fn post(server: Server, with_tls: bool, lane: Lane, id: u64, body: Body) -> Outcome {
    let posting = async {
        let mut lane = match lane.filter(|lane| !lane.is_closed()) {
            Some(lane) => lane,
            None => connect(&server, with_tls).await?,
        };
        let answer = ask(&mut lane, &server, body).await?;
        Ok((lane, answer))
    };
    match timeout(ANSWERED, Box::pin(posting)).await {
        Ok(Ok((lane, answer))) => (id, Some(lane), Ok(answer)),
        Ok(Err(reason)) => (id, None, Err(reason)),
        Err(_) => (id, None, Err(format!("no answer within {} s", ANSWERED.as_secs()))),
    }
}

async fn connect(server: &Server, with_tls: bool) -> Result<SendRequest<Full<Bytes>>, String> {
    let late = |_| Err(End::Lost(io::Error::from(io::ErrorKind::TimedOut).to_string()));
    let socket = timeout(CONNECT, Socket::open(server, with_tls)).await.unwrap_or_else(late);
    let lane = handshake(socket.map_err(|end| end.to_string())?).await?;
    lane.ok_or_else(|| "no connection".to_owned())
}

async fn ask(lane: &mut SendRequest<Full<Bytes>>, server: &Server, body: Body) -> Result<(u16, String), String> {
    let broken = |error: hyper::Error| error.to_string();
    lane.ready().await.map_err(broken)?;
    let request = hyper::Request::post(&server.path)
        .header(header::HOST, server.authority())
        .header(header::CONTENT_TYPE, "text/xml; charset=utf-8")
        .body(Full::new(Bytes::from(body.0)))
        .map_err(|error| error.to_string())?;
    let answer = lane.send_request(request).await.map_err(broken)?;
    let status = answer.status().as_u16();
    let read = Limited::new(answer.into_body(), ANSWER.bytes).collect().await.map_err(|error| error.to_string())?;
    let text = String::from_utf8(read.to_bytes().to_vec()).map_err(|_| "the answer is not UTF-8".to_owned())?;
    Ok((status, text))
}
