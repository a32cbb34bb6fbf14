//! The one place where the simulated contact centre meets time, chance and connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use crate::cluster::{Cluster, Health, Millis, Output, Service};
use crate::cors::Cors;

/// What a connection is told.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Sends this stanza.
    Stanza(String),
    /// Ends, with this error of the stream or without a word.
    Close(Option<&'static str>),
}

/// Stanzas that may wait for one connection: who reads so slowly is cut off.
const MAILBOX: usize = 10_000;

/// Where a connection waits for what it is told.
pub(crate) type Mailbox = mpsc::Receiver<Mail>;

/// What comes next for a connection; nothing, for ever, as long as it has no mailbox.
pub(crate) async fn mail(mailbox: &mut Option<Mailbox>) -> Option<Mail> {
    match mailbox {
        Some(mailbox) => mailbox.recv().await,
        None => std::future::pending().await,
    }
}

struct Inside {
    cluster: Cluster,
    mailboxes: HashMap<u64, mpsc::Sender<Mail>>,
}

/// Health of Tomcat and of the notification service of one node, for those who listen for them.
struct Signs {
    tomcat: watch::Sender<Health>,
    notification: watch::Sender<Health>,
}

/// The contact centre, and its clock.
pub(crate) struct Hub {
    inside: Mutex<Inside>,
    signs: Vec<Signs>,
    wake: Notify,
    began: (Instant, Millis),
    speed: f64,
    /// What browsers are told of pages of other origins.
    pub(crate) cors: Cors,
}

impl Hub {
    pub(crate) fn new(make: impl FnOnce(Millis) -> Cluster, speed: f64, cors: Cors) -> Arc<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        let cluster = make(now);
        let signs = cluster
            .nodes()
            .iter()
            .map(|_| Signs { tomcat: watch::Sender::new(Health::Up), notification: watch::Sender::new(Health::Up) })
            .collect();
        let inside = Mutex::new(Inside { cluster, mailboxes: HashMap::new() });
        Arc::new(Self { inside, signs, wake: Notify::new(), began: (Instant::now(), now), speed, cors })
    }

    fn now(&self) -> Millis {
        self.began.1 + millis(self.began.0.elapsed().mul_f64(self.speed))
    }

    /// How long a stretch of simulated time takes.
    pub(crate) fn real(&self, stretch: Millis) -> Duration {
        Duration::from_millis(stretch).div_f64(self.speed)
    }

    /// Whoever panicked with the lock has left values behind, which are whole: every change of them is.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Does something to the contact centre, at this moment, and carries out what follows.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Cluster, Millis) -> T) -> T {
        let mut inside = self.lock();
        // Taken under the lock, so that time never goes backwards.
        let now = self.now();
        inside.cluster.advance(now);
        let result = act(&mut inside.cluster, now);
        self.carry_out(&mut inside);
        drop(inside);
        self.wake.notify_one();
        result
    }

    /// The same where the session that begins gets a mailbox before anything can be told to it.
    pub(crate) fn open_session(&self, node: usize, agent: usize, resource: &str) -> (u64, Mailbox) {
        let (sender, receiver) = mpsc::channel(MAILBOX);
        let mut inside = self.lock();
        let number = inside.cluster.open_session(node, agent, resource);
        inside.mailboxes.insert(number, sender);
        self.carry_out(&mut inside);
        (number, receiver)
    }

    fn carry_out(&self, inside: &mut Inside) {
        let mut late = Vec::new();
        for output in inside.cluster.outputs() {
            match output {
                Output::Stanza { session, text } => {
                    let Some(mailbox) = inside.mailboxes.get(&session) else { continue };
                    if mailbox.try_send(Mail::Stanza(text)).is_err() {
                        late.push(session);
                    }
                }
                Output::Close { session, error } => {
                    if let Some(mailbox) = inside.mailboxes.remove(&session) {
                        // A mailbox that is full ends the connection by being gone.
                        let _ = mailbox.try_send(Mail::Close(error));
                    }
                }
                Output::Services { node } => {
                    let here = &inside.cluster.nodes()[node];
                    self.signs[node].tomcat.send_replace(here.tomcat);
                    self.signs[node].notification.send_replace(here.notification);
                }
            }
        }
        for session in late {
            inside.mailboxes.remove(&session);
        }
    }

    /// A connection is gone.
    pub(crate) fn close_session(&self, node: usize, number: u64, by_its_own_word: bool) {
        self.lock().mailboxes.remove(&number);
        self.with(|cluster, now| cluster.close_session(now, node, number, by_its_own_word));
    }

    /// How Tomcat or the notification service of a node is, from now on.
    pub(crate) fn health(&self, node: usize, service: Service) -> watch::Receiver<Health> {
        let signs = &self.signs[node];
        if service == Service::Tomcat { signs.tomcat.subscribe() } else { signs.notification.subscribe() }
    }

    /// How much later a service of a node says what it says, at this moment.
    pub(crate) fn slowness(&self, node: usize, service: Service) -> Duration {
        self.real(self.lock().cluster.nodes()[node].slowness(service))
    }

    /// Everybody who listens or talks is to end.
    pub(crate) fn shut(&self) {
        for signs in &self.signs {
            signs.tomcat.send_replace(Health::Down);
            signs.notification.send_replace(Health::Down);
        }
    }

    /// Lets things happen when they are due, for ever.
    pub(crate) async fn tick(&self) {
        loop {
            let next = self.lock().cluster.next();
            let due = next.map(|next| self.began.0 + self.real(next.saturating_sub(self.began.1)));
            let far = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                // A millisecond more, since a moment is a whole number of them.
                () = tokio::time::sleep_until(due.map_or(far, |due| due + Duration::from_micros(500))) => self.with(|_, _| ()),
                () = self.wake.notified() => {}
            }
        }
    }
}

fn millis(time: Duration) -> Millis {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
