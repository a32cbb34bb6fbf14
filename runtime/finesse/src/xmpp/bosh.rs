//! XMPP over BOSH: two connections of HTTP at most, on which requests of the protocol's machine are posted.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use topoc_finesse_proto::xml::{Element, XmlError};
use topoc_finesse_proto::xmpp::Piece;
use topoc_finesse_proto::xmpp::bosh::http::{self, Answer, Reader};
use topoc_finesse_proto::xmpp::bosh::{Body, Bosh as Machine, Input, Output};
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::stanza::Outgoing;

use super::socket::Socket;
use super::{Server, chance};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take: longer than the minute for which the server may keep a request.
const ANSWERED: Duration = Duration::from_secs(75);

/// A connection that can be posted on, where it is still there.
type Lane = Option<Socket>;

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
        let lane = Some(Socket::open(server, with_tls).await?);
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

async fn post(server: Server, with_tls: bool, lane: Lane, id: u64, body: Body) -> Outcome {
    let posting = async {
        let mut socket = match rested(lane).await {
            Some(socket) => socket,
            None => connect(&server, with_tls).await?,
        };
        let answer = ask(&mut socket, &server, &body).await?;
        Ok((answer.is_reusable.then_some(socket), answer))
    };
    match timeout(ANSWERED, Box::pin(posting)).await {
        Ok(Ok((lane, answer))) => (id, lane, Ok((answer.status, answer.text))),
        Ok(Err(End::Lost(reason))) => (id, None, Err(reason)),
        Ok(Err(end)) => (id, None, Err(end.to_string())),
        Err(_) => (id, None, Err(format!("no answer within {} s", ANSWERED.as_secs()))),
    }
}

/// A connection that the server has not closed while nobody used it, as far as is known.
async fn rested(lane: Lane) -> Lane {
    let mut socket = lane?;
    socket.is_quiet().await.then_some(socket)
}

async fn connect(server: &Server, with_tls: bool) -> Result<Socket, End> {
    let late = |_| Err(End::Lost(io::Error::from(io::ErrorKind::TimedOut).to_string()));
    timeout(CONNECT, Socket::open(server, with_tls)).await.unwrap_or_else(late)
}

async fn ask(socket: &mut Socket, server: &Server, body: &Body) -> Result<Answer, End> {
    socket.write(http::request(&server.authority(), &server.path, body).as_bytes()).await?;
    let mut reader = Reader::new();
    loop {
        let read = socket.read(|mut bytes| reader.next(&mut bytes).map(|answer| (answer, bytes.is_empty()))).await?;
        if let (Some(answer), is_all) = read.map_err(End::Lost)? {
            // What nobody has asked for cannot be told from the next answer.
            return Ok(Answer { is_reusable: answer.is_reusable && is_all, ..answer });
        }
    }
}
