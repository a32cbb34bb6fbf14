//! An admin interface that is served, and a client that sends what it likes.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use topoc_connector::admin::{
    self, Admin, Agent, Identity, Place, Question, Server, Session, Settings, Stage, Status, Views,
};
use topoc_connector::logs::Missing;
use topoc_connector::notify::Heartbeat;
use topoc_finesse_proto::cluster::Judgement;

/// Any port of this machine.
pub(crate) const LOCAL: &str = "127.0.0.1:0";
/// A secret that occurs nowhere else by chance.
pub(crate) const TOKEN: &str = "Rw5-unforgettable-Rw5-unforgettable";
/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(30);

/// A connector that lacks nothing.
pub(crate) fn well() -> Status {
    let identity = Identity { connector: "gc-1".to_owned(), ..Identity::default() };
    let mut status = Status { identity, stage: Stage::Running, ..Status::default() };
    status.broker.connected = Some(Place::new("tcp://amq-1:61616", Some("amq-1")));
    status.finesse.servers = vec![Server { host: "fin-a".to_owned(), judgement: Judgement::Good }];
    status.finesse.used = Some(0);
    status.sessions = BTreeMap::from([(Session::Live, 250)]);
    status
}

/// An agent who is ready.
pub(crate) fn agent(id: &str) -> Agent {
    Agent {
        id: id.to_owned(),
        owner: Some("gc-1".to_owned()),
        session: Session::Live,
        state: Some("READY".to_owned()),
        server: Some("fin-a".to_owned()),
        requests: 0,
    }
}

/// An admin interface, and a loop that knows agents 1001 to 1250.
pub(crate) struct Served {
    address: SocketAddr,
    pub(crate) status: watch::Sender<Status>,
    end: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    telling: Option<JoinHandle<()>>,
    held: mpsc::Sender<oneshot::Sender<Question>>,
}

pub(crate) async fn serve(settings: Settings) -> Served {
    let admin = Admin::bind(settings).await.unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, admin.address().port()));
    let (status, seen) = watch::channel(well());
    let (agents, questions) = admin::questions();
    let (end, ended) = oneshot::channel();
    let heartbeat = Heartbeat::new();
    let views = Views {
        status: seen,
        agents,
        heartbeat: heartbeat.clone(),
        missing: Some(Arc::new(|| Missing { left_out: 7, lost: 5 })),
    };
    let (held, hold) = mpsc::channel(1);
    let telling = Some(tokio::spawn(tell(questions, hold)));
    // It ends with the test's runtime.
    tokio::spawn(async move {
        loop {
            heartbeat.beat();
            tokio::time::sleep(Heartbeat::EVERY).await;
        }
    });
    let serving = Some(tokio::spawn(admin.serve(views, async { drop(ended.await) })));
    Served { address, status, end: Some(end), serving, telling, held }
}

/// Answers for agents, but hands over a question to who wants to hold it.
async fn tell(mut questions: mpsc::Receiver<Question>, mut hold: mpsc::Receiver<oneshot::Sender<Question>>) {
    let all: Vec<Agent> = (1001..=1250).map(|id| agent(&id.to_string())).collect();
    while let Some(question) = questions.recv().await {
        if let Ok(to) = hold.try_recv() {
            to.send(question).unwrap();
            continue;
        }
        let is_behind = |agent: &&Agent| question.after.as_ref().is_none_or(|after| agent.id > *after);
        let some = all.iter().filter(is_behind).take(question.limit).cloned().collect();
        question.answer.send(some).unwrap();
    }
}

impl Served {
    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await
    }

    pub(crate) async fn ask(&self, request: &str) -> Answer {
        self.connect().await.ask(request).await
    }

    /// Nobody answers for agents any more.
    pub(crate) async fn stop_telling(&mut self) {
        let telling = self.telling.take().unwrap();
        telling.abort();
        assert!(telling.await.is_err());
    }

    /// The next question, instead of its answer.
    pub(crate) fn hold_next_question(&self) -> oneshot::Receiver<Question> {
        let (to, question) = oneshot::channel();
        self.held.try_send(to).unwrap();
        question
    }

    pub(crate) fn end(&mut self) {
        self.end.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn refuses_connections(&self) {
        let refused = async {
            while TcpStream::connect(self.address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, refused).await.unwrap();
    }

    pub(crate) async fn ended(&mut self) {
        tokio::time::timeout(LONG, self.serving.take().unwrap()).await.unwrap().unwrap();
    }
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |line: &&str| line.split(':').next().is_some_and(|one| one.eq_ignore_ascii_case(name));
        self.head.lines().find(is_it)?.split_once(':').map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Client {
    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, request: &str) -> Answer {
        assert!(self.send(request).await);
        let is_head = request.starts_with("HEAD");
        self.answer_to(is_head).await.unwrap()
    }

    /// Whether it could be sent.
    pub(crate) async fn send(&mut self, text: &str) -> bool {
        self.stream.write_all(text.as_bytes()).await.is_ok()
    }

    /// The next answer; none where the connection ends instead.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        self.answer_to(false).await
    }

    async fn answer_to(&mut self, is_head: bool) -> Option<Answer> {
        loop {
            if let Some(answer) = self.whole(is_head) {
                return Some(answer);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The answer that is there as a whole.
    fn whole(&mut self, is_head: bool) -> Option<Answer> {
        let text = String::from_utf8(self.read.clone()).unwrap();
        let (head, rest) = text.split_once("\r\n\r\n")?;
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let length = if is_head { 0 } else { length };
        answer.body = rest.get(..length)?.to_owned();
        self.read.drain(..head.len() + 4 + length);
        Some(answer)
    }

    /// Reads more; not when the connection has ended.
    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(LONG, self.stream.read_buf(&mut self.read)).await.unwrap();
        read.is_ok_and(|length| length > 0)
    }

    /// Waits until the other side has ended the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        while self.more().await {}
        true
    }

    /// Whether there is anything to read now.
    pub(crate) async fn has_something(&mut self) -> bool {
        tokio::task::yield_now().await;
        self.stream.try_read_buf(&mut self.read).is_ok_and(|length| length > 0)
    }
}
