//! BOSH: sessions that live in requests of HTTP (XEP-0124), with XMPP in them (XEP-0206).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use topoc_finesse_proto::xml::{self, Element};

use super::talk::{STREAMS, Step, Talk, framed};
use crate::cluster::{CRASH_NOTICED, Health, Service};
use crate::http::{self, Answer};
use crate::hub::{self, Hub, Mail, Mailbox};
use crate::listen::until_down;

const HTTPBIND: &str = "http://jabber.org/protocol/httpbind";
/// How long a request waits for something to be told, at most.
const WAIT: u64 = 60;
/// Requests that are kept waiting for a client, at most.
const HOLD: usize = 1;
/// Stanzas that may wait for a client to ask for them.
const WAITING: usize = 10_000;
/// Sessions of one node.
const SESSIONS: usize = 20_000;

/// A request, and where its answer goes.
struct Asked {
    body: Element,
    answer: oneshot::Sender<String>,
}

/// The sessions of a node, by their ids.
pub(crate) struct Sessions {
    node: usize,
    open: Mutex<HashMap<String, mpsc::Sender<(u64, Asked)>>>,
}

impl Sessions {
    pub(crate) fn new(node: usize) -> Arc<Self> {
        Arc::new(Self { node, open: Mutex::new(HashMap::new()) })
    }

    /// Answers one request; nothing where the session ends without a word.
    pub(super) async fn take(
        self: &Arc<Self>,
        hub: &Arc<Hub>,
        text: &str,
        health: &watch::Receiver<Health>,
    ) -> Option<Answer> {
        let body = xml::read(text, xml::Limits::default()).ok().filter(|body| body.is("body", HTTPBIND));
        let Some(body) = body else { return Some(terminated("bad-request")) };
        let Some(rid) = body.attribute("rid").and_then(|rid| rid.parse().ok()) else {
            return Some(terminated("bad-request"));
        };
        let session = match body.attribute("sid") {
            Some(sid) => self.open.lock().unwrap_or_else(PoisonError::into_inner).get(sid).cloned(),
            None => self.begin(hub, rid, &body, health),
        };
        let Some(session) = session else { return Some(terminated("item-not-found")) };
        let (answer, told) = oneshot::channel();
        if session.send((rid, Asked { body, answer })).await.is_err() {
            return Some(terminated("item-not-found"));
        }
        let text = told.await.ok()?;
        let slowness = hub.slowness(self.node, Service::Notification);
        if !slowness.is_zero() {
            tokio::time::sleep(slowness).await;
        }
        Some(http::answer(200, "text/xml; charset=utf-8", text))
    }

    fn begin(
        self: &Arc<Self>,
        hub: &Arc<Hub>,
        rid: u64,
        body: &Element,
        health: &watch::Receiver<Health>,
    ) -> Option<mpsc::Sender<(u64, Asked)>> {
        let sid = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let (sender, receiver) = mpsc::channel(8);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= SESSIONS {
            return None;
        }
        open.insert(sid.clone(), sender.clone());
        drop(open);
        let wait = body.attribute("wait").and_then(|wait| wait.parse().ok()).unwrap_or(WAIT).min(WAIT);
        let hold = body.attribute("hold").and_then(|hold| hold.parse().ok()).unwrap_or(HOLD).min(HOLD);
        let session = Session {
            talk: Talk::new(Arc::clone(hub), self.node, true),
            mailbox: None,
            next: rid,
            early: BTreeMap::new(),
            held: VecDeque::new(),
            given: VecDeque::new(),
            out: Vec::new(),
            wait: Duration::from_secs(wait),
            hold,
            patience: hub.real(CRASH_NOTICED).max(Duration::from_secs(2)),
            sid: sid.clone(),
        };
        let (sessions, health) = (Arc::clone(self), health.clone());
        tokio::spawn(async move {
            session.run(receiver, health).await;
            sessions.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&sid);
        });
        Some(sender)
    }
}

fn terminated(condition: &str) -> Answer {
    http::answer(200, "text/xml; charset=utf-8", ending(condition, ""))
}

fn ending(condition: &str, inside: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(" condition=\"{condition}\"") };
    format!("<body xmlns=\"{HTTPBIND}\" xmlns:stream=\"{STREAMS}\" type=\"terminate\"{condition}>{inside}</body>")
}

struct Held {
    rid: u64,
    answer: oneshot::Sender<String>,
    until: Instant,
}

struct Session {
    talk: Talk,
    mailbox: Option<Mailbox>,
    /// The request that is to be dealt with next.
    next: u64,
    /// Those that came before their turn.
    early: BTreeMap<u64, Asked>,
    held: VecDeque<Held>,
    /// Answers that may have got lost.
    given: VecDeque<(u64, String)>,
    out: Vec<String>,
    wait: Duration,
    /// How many requests are kept waiting: none for a client that wants to be answered at once.
    hold: usize,
    /// How long a client may be without a request.
    patience: Duration,
    sid: String,
}

/// How a session ended, if it has.
type Ended = Option<bool>;

impl Session {
    async fn run(mut self, mut requests: mpsc::Receiver<(u64, Asked)>, mut health: watch::Receiver<Health>) {
        let mut heard = Instant::now();
        let ended = loop {
            // Who waits for an answer is there; who does not has to come again.
            let due = self.held.front().map_or(heard + self.patience, |held| held.until);
            let ended = tokio::select! {
                request = requests.recv() => match request {
                    Some((rid, asked)) => {
                        heard = Instant::now();
                        self.arrive(rid, asked)
                    }
                    None => Some(false),
                },
                mail = hub::mail(&mut self.mailbox) => match mail {
                    Some(Mail::Stanza(text)) => {
                        self.out.push(framed(&text));
                        // Who does not come to fetch it is cut off.
                        (self.out.len() > WAITING).then_some(false)
                    }
                    Some(Mail::Close(Some(condition))) => self.fail(condition),
                    Some(Mail::Close(None)) | None => Some(false),
                },
                _ = until_down(&mut health) => Some(false),
                () = tokio::time::sleep_until(due) => {
                    heard = Instant::now();
                    // The time for noticing that a client is gone has passed.
                    if self.held.is_empty() { Some(true) } else { self.give(); None }
                }
            };
            if let Some(ended) = ended {
                break ended;
            }
            if !self.out.is_empty() && !self.held.is_empty() {
                self.give();
                heard = Instant::now();
            }
        };
        self.talk.end(ended);
    }

    fn arrive(&mut self, rid: u64, asked: Asked) -> Ended {
        if rid < self.next {
            return self.again(rid, asked);
        }
        if rid > self.next + self.hold as u64 {
            // Whoever asked hears what became of it, or is gone.
            let _ = asked.answer.send(ending("item-not-found", ""));
            return self.over("item-not-found");
        }
        self.early.insert(rid, asked);
        while let Some(asked) = self.early.remove(&self.next) {
            let rid = self.next;
            self.next += 1;
            let ended = self.take(rid, asked);
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    /// A request that came before: its answer got lost, or its connection while it waited.
    fn again(&mut self, rid: u64, asked: Asked) -> Ended {
        if let Some((_, text)) = self.given.iter().find(|(given, _)| *given == rid) {
            let _ = asked.answer.send(text.clone());
            return None;
        }
        if let Some(held) = self.held.iter_mut().find(|held| held.rid == rid) {
            held.answer = asked.answer;
            return None;
        }
        // Whoever asked hears what became of it, or is gone.
        let _ = asked.answer.send(ending("item-not-found", ""));
        self.over("item-not-found")
    }

    fn take(&mut self, rid: u64, Asked { body, answer }: Asked) -> Ended {
        let first = body.attribute("sid").is_none();
        self.held.push_back(Held { rid, answer, until: Instant::now() + self.wait });
        if body.attribute("xmpp:restart") == Some("true") {
            self.out.push(self.talk.features());
        }
        for element in body.elements() {
            for step in self.talk.take(element) {
                match step {
                    Step::Send(text) => self.out.push(framed(&text)),
                    Step::StartTls(_) => {}
                    Step::Fail(condition) => return self.fail(condition),
                }
            }
            self.mailbox = self.talk.mailbox.take().or(self.mailbox.take());
        }
        if body.attribute("type") == Some("terminate") {
            self.over("");
            return Some(true);
        }
        if first {
            self.welcome(&body);
        }
        // So many wait as are to be held; the one before them is answered with nothing, if there is nothing.
        while self.held.len() > self.hold {
            self.give();
        }
        None
    }

    /// The answer to the request that began the session.
    fn welcome(&mut self, body: &Element) {
        let inside = self.talk.features();
        let (host, sid, wait) = (self.talk.host(), &self.sid, self.wait.as_secs());
        let (hold, requests, inactivity) = (self.hold, self.hold + 1, self.patience.as_secs());
        let ack = body.attribute("ack").map(|_| format!(" ack=\"{}\"", self.next - 1)).unwrap_or_default();
        let text = format!(
            "<body xmlns=\"{HTTPBIND}\" xmlns:xmpp=\"urn:xmpp:xbosh\" xmlns:stream=\"{STREAMS}\" from=\"{host}\" sid=\"{sid}\" \
             authid=\"{sid}\" wait=\"{wait}\" hold=\"{hold}\" requests=\"{requests}\" inactivity=\"{inactivity}\" polling=\"1\" ver=\"1.6\" \
             secure=\"true\" xmpp:version=\"1.0\" xmpp:restartlogic=\"true\"{ack}>{inside}</body>"
        );
        self.answer(text);
    }

    /// Answers the oldest request with everything that there is.
    fn give(&mut self) {
        let inside: String = self.out.drain(..).collect();
        self.answer(format!("<body xmlns=\"{HTTPBIND}\" xmlns:stream=\"{STREAMS}\">{inside}</body>"));
    }

    fn answer(&mut self, text: String) {
        let Some(held) = self.held.pop_front() else { return };
        self.given.push_back((held.rid, text.clone()));
        if self.given.len() > self.hold + 1 {
            self.given.pop_front();
        }
        // One whose connection is gone asks again, and finds it in `given`.
        let _ = held.answer.send(text);
    }

    /// Ends the session for every request that waits.
    fn over(&mut self, condition: &str) -> Ended {
        let mut inside: String = self.out.drain(..).collect();
        while !self.held.is_empty() {
            self.answer(ending(condition, &std::mem::take(&mut inside)));
        }
        Some(false)
    }

    fn fail(&mut self, condition: &str) -> Ended {
        self.out
            .push(format!("<stream:error><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"));
        self.over("remote-stream-error")
    }
}
