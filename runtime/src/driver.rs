//! The loop: what happens is told to the machine of `topoc-core`, and what it orders is done. Nothing is decided here.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use topoc_core::connector::{Proof, Seen, Ticket};
use topoc_core::deployment::{Deployment, Event, Order};
use topoc_core::event::Service;
use topoc_finesse::client::{Status as FinesseStatus, Told};
use topoc_finesse_proto::line;
use topoc_openwire::{Consumer, Delivery, Error, Status as BrokerStatus};
use tracing::{debug, info, warn};

use crate::admin::{Outcome, Question, Stage};
use crate::broker::{self, Broker};
use crate::clock;
use crate::finesse::Agents;
use crate::notify::Heartbeat;
use crate::outbox::Parcel;
use crate::report::Report;

/// How long nothing is consumed after the broker has ended a consumer, until it is asked again.
const CONSUMER_AGAIN: Duration = Duration::from_secs(1);

/// What tasks tell the loop.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The broker has accepted something that was sent to a client, about this agent.
    Published(Option<String>),
    /// The broker has accepted what was sent to other connectors.
    Accepted(Ticket),
    /// What came of a question.
    Came(Ticket, Box<line::Outcome>),
    /// What came of a proof.
    Proved(Ticket, Proof),
    /// What came of a look.
    Seen(Ticket, Option<Seen>),
    /// What is told of an agent, in the session of this number.
    Told(String, u64, Told),
}

/// Why the loop has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was asked to, and everything is done.
    Done,
    /// It was asked to end at once.
    AtOnce,
    /// There is no broker, and no attempt will be made any more.
    NoBroker(Error),
}

/// What the loop works with.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) machine: Deployment,
    pub(crate) broker: Broker,
    pub(crate) requests: topoc_plan::Requests,
    pub(crate) outbox: mpsc::UnboundedSender<Parcel>,
    pub(crate) agents: Agents,
    pub(crate) heard: mpsc::Receiver<Heard>,
    pub(crate) finesse: watch::Receiver<FinesseStatus>,
    pub(crate) report: Report,
    pub(crate) questions: mpsc::Receiver<Question>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) progress: Progress,
}

/// How far the loop has come.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Requests that are neither acknowledged nor refused.
    deliveries: HashMap<u64, Delivery>,
    /// The number of the next delivery.
    next: u64,
    /// How many connections the machine knows to be lost.
    losses: u64,
    online: bool,
    paused: bool,
    done: bool,
    /// It cannot go on with this connection.
    fails: bool,
    /// Other connectors are to be listened to by another subscription.
    listens_anew: bool,
    /// When the broker is asked for requests again.
    consumes_from: Instant,
}

impl Progress {
    /// That of a loop that has not begun.
    pub(crate) fn new() -> Self {
        Self {
            deliveries: HashMap::new(),
            next: 1,
            losses: 0,
            online: false,
            paused: true,
            done: false,
            fails: false,
            listens_anew: false,
            consumes_from: Instant::now(),
        }
    }
}

/// What the loop waits for.
enum Happened {
    Heard(Option<Heard>),
    Delivered(Result<Delivery, Error>),
    Synced(Result<Delivery, Error>),
    Broker,
    Finesse,
    Asked(Question),
    Ends,
    Time,
}

impl Driver {
    /// Works until everything is done after `ends` has told to end, or until that has told it twice.
    pub(crate) async fn run(&mut self, ends: &mut mpsc::Receiver<()>) -> Ended {
        let mut status = self.broker.connection.watch();
        let mut ending = false;
        self.serves();
        loop {
            self.heartbeat.beat();
            if let Some(error) = self.look_at_broker() {
                return Ended::NoBroker(error);
            }
            if self.progress.fails {
                return Ended::NoBroker(Error::ConsumerEnded);
            }
            if self.progress.done {
                return Ended::Done;
            }
            if std::mem::take(&mut self.progress.listens_anew) {
                self.listen_anew().await;
            }
            match self.next(&mut status, ends).await {
                Happened::Heard(heard) => self.hear(heard),
                Happened::Delivered(delivered) => self.delivered(delivered).await,
                Happened::Synced(synced) => self.synced(synced).await,
                Happened::Broker => {}
                Happened::Finesse => self.serves(),
                Happened::Asked(question) => self.report.answer(question, &self.agents),
                Happened::Ends if ending => return Ended::AtOnce,
                Happened::Ends => {
                    ending = true;
                    info!("the connector ends: it takes no more requests, and finishes those in hand");
                    self.report.stage(Stage::Draining);
                    self.tell(Event::Drain);
                }
                Happened::Time => self.tell(Event::Time),
            }
            self.report.look(&self.machine, &self.broker.connection, &self.finesse, &self.agents);
        }
    }

    /// Sends what is still to be sent and leaves every session, the broker last; each within a time.
    pub(crate) async fn close(self, posted: JoinHandle<()>, within: Duration) {
        let Self { broker: Broker { connection, session, consumer, sync, .. }, outbox, agents, heard, .. } = self;
        // Whoever still has something to tell is not waited for.
        drop((outbox, heard));
        let last = async {
            let _ = posted.await;
            // What is not persistent, too, such as what other connectors are told of the end.
            let _ = connection.flush().await;
        };
        if timeout(within, last).await.is_err() {
            warn!("no broker takes what is still to be sent");
        }
        agents.close(within).await;
        drop((consumer, sync, session));
        if let Err(error) = connection.close().await {
            info!(%error, "the connection to the broker was over before");
        }
    }

    async fn next(&mut self, status: &mut watch::Receiver<BrokerStatus>, ends: &mut mpsc::Receiver<()>) -> Happened {
        let now = clock::now();
        let wakes = self.machine.wakes_at().map_or(Heartbeat::EVERY, |at| at.saturating_sub(now));
        let takes = !self.progress.paused && self.progress.consumes_from <= Instant::now();
        tokio::select! {
            Some(()) = ends.recv() => Happened::Ends,
            heard = self.heard.recv() => Happened::Heard(heard),
            synced = topic(&mut self.broker.sync) => Happened::Synced(synced),
            delivered = self.broker.consumer.receive(), if takes => Happened::Delivered(delivered),
            Ok(()) = status.changed() => Happened::Broker,
            Ok(()) = self.finesse.changed() => Happened::Finesse,
            Some(question) = self.questions.recv() => Happened::Asked(question),
            () = sleep(wakes.min(Heartbeat::EVERY)) => Happened::Time,
        }
    }

    /// Tells the machine of a lost connection before anything that came over the next one. An error when there will be none.
    fn look_at_broker(&mut self) -> Option<Error> {
        let losses = self.broker.connection.losses();
        if losses != self.progress.losses {
            self.progress.losses = losses;
            self.progress.online = false;
            // They cannot be acknowledged any more, and come again.
            self.progress.deliveries.clear();
            self.report.lost();
            self.tell(Event::BrokerLost);
        }
        match self.broker.connection.status() {
            BrokerStatus::Connected(_) if !self.progress.online => {
                self.progress.online = true;
                self.tell(Event::Online);
                self.report.stage(Stage::Running);
                None
            }
            BrokerStatus::Over(why) => Some(Error::Disconnected(why)),
            _ => None,
        }
    }

    fn hear(&mut self, heard: Option<Heard>) {
        let event = match heard {
            Some(Heard::Published(agent)) => {
                self.report.sent();
                Event::Published(agent)
            }
            Some(Heard::Accepted(ticket)) => Event::Accepted(ticket),
            Some(Heard::Came(ticket, outcome)) => Event::Came(ticket, *outcome),
            Some(Heard::Proved(ticket, proof)) => Event::Proved(ticket, proof),
            Some(Heard::Seen(ticket, seen)) => Event::Seen(ticket, seen),
            Some(Heard::Told(id, number, told)) => return self.told(id, number, told),
            // The loop has a sender of its own.
            None => return,
        };
        self.tell(event);
    }

    fn told(&mut self, id: String, number: u64, told: Told) {
        if !self.agents.is_current(&id, number) {
            return;
        }
        match told {
            Told::Change(change) => {
                self.agents.note(&id, &change);
                self.tell(Event::Changed(id, change));
            }
            Told::Failed { request_id, error } => self.tell(Event::Failed { agent: id, request_id, error }),
            Told::Warned(text) => warn!(agent = id, "{text}"),
            // A client brings a token without what would renew it, so that no session here renews one.
            Told::Renewed(_) => {}
        }
    }

    async fn delivered(&mut self, delivered: Result<Delivery, Error>) {
        let delivery = match delivered {
            Ok(delivery) => delivery,
            Err(error) => return self.consume_again(&error).await,
        };
        // It may have come over a connection that the machine has not heard of.
        if self.look_at_broker().is_some() {
            return;
        }
        let number = self.progress.next;
        self.progress.next += 1;
        let message = broker::message(number, &delivery);
        debug!(request = message.id, redelivered = message.redelivered, "a request is taken");
        self.report.delivered(&message);
        self.progress.deliveries.insert(number, delivery);
        self.tell(Event::Requested(Box::new(message)));
    }

    /// The broker has ended the consumer, as when its queue is deleted: there may be another.
    async fn consume_again(&mut self, error: &Error) {
        warn!(%error, "no requests come");
        self.progress.consumes_from = Instant::now() + CONSUMER_AGAIN;
        let opened = timeout(CONSUMER_AGAIN, broker::consume(&self.broker.session, &self.requests)).await;
        if let Ok(Ok(consumer)) = opened {
            // Whatever came by the former one and was not acknowledged comes again.
            self.broker.consumer = consumer;
        }
    }

    async fn synced(&mut self, synced: Result<Delivery, Error>) {
        match synced {
            Ok(delivery) => {
                if self.look_at_broker().is_none() {
                    self.tell(Event::Heard(broker::bytes(&delivery)));
                }
            }
            // The broker has ended the subscription, which happens to one that takes nothing. What comes next is judged by what is
            // missing then.
            Err(error) => {
                warn!(%error, "other connectors are not heard any more");
                self.broker.sync = None;
                self.progress.fails = true;
            }
        }
    }

    /// What comes by both subscriptions is told twice, and believed once.
    async fn listen_anew(&mut self) {
        info!("another connector is not heard: the topic of the deployment is subscribed to once more");
        match timeout(CONSUMER_AGAIN, self.broker.listen_anew()).await {
            Ok(Ok(Some(mut former))) => {
                while let Ok(Some(delivery)) = former.receive_within(Duration::ZERO).await {
                    self.synced(Ok(delivery)).await;
                }
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => debug!(%error, "it cannot be subscribed to"),
            Err(_) => debug!("the broker does not answer"),
        }
    }

    fn serves(&mut self) {
        let status = self.finesse.borrow_and_update().clone();
        let judgement = status.used.and_then(|used| status.judgements.get(used.0).copied());
        let serves = judgement.is_some_and(topoc_finesse_proto::cluster::Judgement::is_usable);
        self.tell(Event::Serves(if serves { Service::InService } else { Service::OutOfService }));
    }

    /// Tells the machine, and does what it orders.
    fn tell(&mut self, event: Event) {
        let mut orders = self.machine.handle(clock::now(), event).into_iter().peekable();
        while let Some(order) = orders.next() {
            // An answer, and the request that may be acknowledged when the broker has it.
            let answered = match (&order, orders.peek()) {
                (Order::Publish(..), Some(Order::Acknowledge(delivery))) => Some(*delivery),
                _ => None,
            };
            if let (Some(number), Order::Publish(to, event)) = (answered, &order) {
                orders.next();
                self.report.answered(number, event);
                let delivery = self.progress.deliveries.remove(&number);
                let request = delivery.as_ref().and_then(Delivery::id).map(ToString::to_string);
                let outcome = Outcome::of(&event.told).word();
                debug!(request, agent = event.agent, outcome, "a request is answered");
                self.send(Parcel::Publish(to.clone(), event.clone(), delivery));
            } else {
                self.carry_out(order);
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Pause => self.flow(true),
            Order::Resume => self.flow(false),
            Order::Hold => self.hold(true),
            Order::Release => self.hold(false),
            Order::Listen => self.progress.listens_anew = true,
            Order::Send(ticket, bytes) => self.send(Parcel::Send(ticket, bytes)),
            Order::Prove(ticket, agent, credentials) => self.agents.prove(ticket, &agent, credentials),
            Order::Look(ticket, agent, credentials) => self.agents.look(ticket, &agent, credentials),
            Order::Start(agent, credentials) => self.agents.start(&agent, credentials),
            Order::Leave(agent) => self.agents.leave(&agent),
            Order::Ask { ticket, agent, command, request_id, deadline, beside } => {
                let within = deadline.saturating_sub(clock::now());
                match beside {
                    Some(credentials) => self.agents.ask_beside(ticket, command, request_id, within, credentials),
                    None => self.agents.ask(ticket, &agent, command, request_id, within),
                }
            }
            Order::Publish(to, event) => self.send(Parcel::Publish(to, event, None)),
            Order::Acknowledge(number) => {
                if let Some(delivery) = self.progress.deliveries.remove(&number) {
                    self.send(Parcel::Acknowledge(delivery));
                }
            }
            Order::Refuse(number) => {
                self.report.refused(number);
                if let Some(delivery) = self.progress.deliveries.remove(&number) {
                    self.send(Parcel::Refuse(delivery));
                }
            }
            Order::Done => self.progress.done = true,
        }
    }

    fn flow(&mut self, paused: bool) {
        self.progress.paused = paused;
        debug!("the connector takes {}", if paused { "no requests for now" } else { "requests again" });
        self.report.flow(paused);
    }

    fn hold(&self, held: bool) {
        self.agents.hold(held);
        self.report.held(held);
    }

    fn send(&self, parcel: Parcel) {
        // Its task lasts as long as the loop.
        let _ = self.outbox.send(parcel);
    }
}

/// What comes on the topic of the deployment; never anything where there is none.
async fn topic(consumer: &mut Option<Consumer>) -> Result<Delivery, Error> {
    match consumer {
        Some(consumer) => consumer.receive().await,
        None => std::future::pending().await,
    }
}
