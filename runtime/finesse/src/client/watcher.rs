//! Asks the servers how they are, and tells all agents which one is in use.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Duration, Instant, sleep_until};
use topoc_finesse_proto::cluster::{Answer, Cluster, Event, NodeId, Order, Poll, Service, Settings, Sign, Who};
use topoc_finesse_proto::rest::{self, Command, Refusal, Request};
use topoc_tls::tokio_rustls::rustls::ClientConfig;

use super::Status;
use super::dice::Dice;
use super::domain::Domain;
use crate::rest::{AskError, Server};

/// How much longer a connection waits for an answer than the machine does: the machine decides.
const GRACE: Duration = Duration::from_secs(1);

/// What an agent's task says of a server.
pub(super) type Signal = (Who, NodeId, Sign);

/// When each server was asked that last said `IN_SERVICE`.
pub(super) type Confirmed = Vec<Option<Instant>>;

/// Where agents are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    /// Counts these.
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) node: NodeId,
    pub(super) over: Duration,
    /// In a call, not before this has passed.
    pub(super) within: Option<Duration>,
}

/// The last orders to all agents. Who comes late does what they say, too.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    pub(super) assigned: Option<Assigned>,
    /// The server in use has failed since: the number of that, and the server.
    pub(super) interrupted: Option<(u64, NodeId)>,
}

/// What the task tells.
type Heard = (watch::Receiver<Orders>, watch::Receiver<Confirmed>, watch::Receiver<Status>);

/// Carries out what the machine orders.
struct Watcher {
    machine: Cluster,
    within: Duration,
    servers: Vec<(Server, Domain)>,
    began: Instant,
    dice: Dice,
    number: u64,
    polls: JoinSet<(Poll, NodeId, Instant, Answer)>,
    aborts: HashMap<Poll, AbortHandle>,
    orders: watch::Sender<Orders>,
    confirmed: watch::Sender<Confirmed>,
    status: watch::Sender<Status>,
}

/// Starts the task. It ends when nobody can tell it anything any more.
pub(super) fn start(
    servers: Vec<(Server, Domain)>,
    settings: &Settings,
    began: Instant,
    tls: Arc<ClientConfig>,
    told: mpsc::Receiver<Signal>,
) -> Heard {
    let machine = Cluster::new(servers.len(), settings.clone());
    let status = Status { used: None, judgements: machine.judgements().to_vec() };
    let (orders, ordered) = watch::channel(Orders::default());
    let (confirmed, confirmations) = watch::channel(vec![None; servers.len()]);
    let (status, statuses) = watch::channel(status);
    let watcher = Watcher {
        machine,
        within: settings.answer_within + GRACE,
        servers,
        began,
        dice: Dice(tls),
        number: 0,
        polls: JoinSet::new(),
        aborts: HashMap::new(),
        orders,
        confirmed,
        status,
    };
    tokio::spawn(watcher.run(told));
    (ordered, confirmations, statuses)
}

impl Watcher {
    async fn run(mut self, mut told: mpsc::Receiver<Signal>) {
        self.tell(Event::Start);
        loop {
            let wakes_at = self.machine.wakes_at().map(|at| self.began + at);
            let event = tokio::select! {
                told = told.recv() => match told {
                    Some((who, node, sign)) => Event::Told(who, node, sign),
                    None => return self.tell(Event::Stop),
                },
                Some(answered) = self.polls.join_next() => match answered {
                    Ok((poll, node, asked, answer)) => self.answered(poll, node, asked, answer),
                    // Abandoned.
                    Err(_) => continue,
                },
                () = sleep_until(wakes_at.unwrap_or(self.began)), if wakes_at.is_some() => Event::Timer,
            };
            self.tell(event);
        }
    }

    fn answered(&mut self, poll: Poll, node: NodeId, asked: Instant, answer: Answer) -> Event {
        self.aborts.remove(&poll);
        if matches!(&answer, Answer::Service(service) if service.in_service) {
            self.confirmed.send_modify(|confirmed| confirmed[node.0] = Some(asked));
        }
        Event::Answered(poll, answer)
    }

    fn tell(&mut self, event: Event) {
        let orders = self.machine.handle(self.began.elapsed(), event, &mut self.dice);
        let status = Status { used: self.machine.used(), judgements: self.machine.judgements().to_vec() };
        self.status.send_if_modified(|known| {
            let differs = *known != status;
            *known = status;
            differs
        });
        // After that: who moves looks at what the server that they leave is judged to be.
        orders.into_iter().for_each(|order| self.carry_out(order));
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Poll(poll, node) => self.ask(poll, node),
            Order::Abandon(poll) => {
                if let Some(poll) = self.aborts.remove(&poll) {
                    poll.abort();
                }
            }
            Order::Use { node, why, over } => {
                tracing::info!(server = %self.name(node), ?why, "a Finesse server is used");
                self.assign(node, over, None);
            }
            Order::Drain { node, over, within } => {
                tracing::info!(server = %self.name(node), "agents go to another Finesse server before maintenance");
                self.assign(node, over, Some(within));
            }
            Order::Interrupted(node, judgement) => {
                tracing::warn!(server = %self.name(node), %judgement, "the Finesse server in use has failed, and there is no other yet");
                self.number += 1;
                let interrupted = Some((self.number, node));
                self.orders.send_modify(|orders| orders.interrupted = interrupted);
            }
            Order::Judged(node, judgement) => {
                tracing::info!(server = %self.name(node), %judgement, "a Finesse server is judged anew");
            }
            Order::Warn(text) => tracing::warn!("{text}"),
        }
    }

    fn name(&self, node: NodeId) -> String {
        self.servers.get(node.0).map_or_else(String::new, |(server, _)| server.origin().to_string())
    }

    fn assign(&mut self, node: NodeId, over: Duration, within: Option<Duration>) {
        self.number += 1;
        let assigned = Assigned { number: self.number, at: Instant::now(), node, over, within };
        self.orders.send_replace(Orders { assigned: Some(assigned), interrupted: None });
    }

    fn ask(&mut self, poll: Poll, node: NodeId) {
        let Some((server, domain)) = self.servers.get(node.0).cloned() else { return };
        let now = Instant::now();
        let deadline = now + self.within;
        let asking = async move { (poll, node, now, ask(&server, &domain, deadline).await) };
        self.aborts.insert(poll, self.polls.spawn(asking));
    }
}

/// Asks one server, where it is and where it says that it is, and takes down its domain before anybody is told to use it.
async fn ask(server: &Server, domain: &Domain, deadline: Instant) -> Answer {
    let Ok(request) = Request::new(&Command::SystemInfo) else { return Answer::Failed };
    let mut answer = server.ask(&request, None, None, deadline).await;
    if let Err(AskError::Refused(Refusal::Moved(origin))) = answer {
        server.move_to(origin);
        answer = server.ask(&request, None, None, deadline).await;
    }
    match answer {
        Ok(rest::Answer::SystemInfo(info)) => {
            domain.learn(info.xmpp_domain.as_deref().unwrap_or_default());
            Answer::Service(Service::from(&*info))
        }
        Err(AskError::Refused(Refusal::OutOfService(_))) => Answer::Unserved,
        Ok(_) => Answer::Failed,
        Err(error) => {
            tracing::debug!(server = %server.origin(), %error, "a Finesse server does not say how it is");
            Answer::Failed
        }
    }
}
