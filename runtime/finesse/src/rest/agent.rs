//! The requests of one agent: a line that waits its turn, over the connections of whichever server is in use.

use std::collections::HashMap;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::line::{Event, Line, LineOptions, Order, Outcome, Ticket, Trouble, Why};
use topoc_finesse_proto::rest::Request;
use topoc_finesse_proto::secret::Secret;

use super::exchanges::{Exchanges, News};
use super::server::{AskError, Server};

/// Notices that may wait to be read. Whoever does not read them does not need more: each request says why it was not done.
const NOTICES: usize = 16;

/// Something that whoever looks after the agent has to see to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something is wrong with the server: look for another, and say [`Agent::use_server`] when one is ready.
    Trouble(Trouble),
    /// The token is not accepted: say [`Agent::use_credentials`] when there is a new one, or [`Agent::no_credentials`].
    Renew,
    /// The credentials are not accepted: nothing is sent until there are others.
    Stopped(Vec<ApiError>),
}

/// What is wanted, besides what.
#[derive(Clone, Debug)]
pub struct Wish {
    /// When it is of no use any more.
    pub deadline: Instant,
    /// Repeated by Finesse in what it tells of the request, mostly.
    pub request_id: Option<String>,
    /// Whether it belongs to getting a server ready: see [`Event::Wanted`].
    pub recovery: bool,
}

impl Wish {
    /// Ordinary, and of no use after this.
    #[must_use]
    pub const fn until(deadline: Instant) -> Self {
        Self { deadline, request_id: None, recovery: false }
    }
}

/// The line of an agent. Copies share it, and it ends with the last of them.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Boxed, since a channel has room for 32 from the beginning.
    tell: mpsc::Sender<Box<Told>>,
}

#[derive(Debug)]
enum Told {
    Want(Request, Wish, oneshot::Sender<Outcome>),
    Server(Server),
    Move(Server),
    Change(Server),
    ServerLost,
    Credentials(Secret),
    NoCredentials,
}

impl Agent {
    /// A line over a server, with the header that proves who the agent is. Must be called on a runtime of tokio.
    #[must_use]
    pub fn new(server: Server, authorization: Secret, options: LineOptions) -> (Self, mpsc::Receiver<Notice>) {
        let (tell, told) = mpsc::channel(options.capacity.max(1));
        let (notify, notices) = mpsc::channel(NOTICES);
        let driver = Driver {
            line: Line::new(options),
            server,
            authorization,
            began: Instant::now(),
            tickets: 0,
            owners: HashMap::new(),
            exchanges: Exchanges::default(),
            notify,
        };
        tokio::spawn(driver.run(told));
        (Self { tell }, notices)
    }

    /// Asks for something, when its turn comes. Dropping the future does not take it back.
    pub async fn ask(&self, request: Request, wish: Wish) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        self.put(request, wish, answer);
        // The line tells of every request, unless its runtime ends before.
        outcome.await.unwrap_or(Outcome::Unknown(Why::Trouble(Trouble::Told)))
    }

    /// Puts a request into the line at once; what comes of it is told to `owner`.
    pub fn put(&self, request: Request, wish: Wish, owner: oneshot::Sender<Outcome>) {
        let (why, told) = match self.tell.try_send(Box::new(Told::Want(request, wish, owner))) {
            Ok(()) => return,
            Err(TrySendError::Full(told)) => (Why::Full, told),
            Err(TrySendError::Closed(told)) => (Why::Trouble(Trouble::Told), told),
        };
        if let Told::Want(_, _, owner) = *told {
            // Who asked may have gone.
            let _ = owner.send(Outcome::NotDone(why));
        }
    }

    /// A server is ready and knows the agent: everything goes to it from now on.
    pub async fn use_server(&self, server: Server) {
        self.say(Told::Server(server)).await;
    }

    /// Everything goes to another server from now on. What is on its way to the one before is given up: nobody waits for a server
    /// that was left. Only requests of recovery go out until [`Agent::use_server`].
    pub async fn move_to_server(&self, server: Server) {
        self.say(Told::Move(server)).await;
    }

    /// The same, from a server that works: what is on its way to it is waited for.
    pub async fn change_server(&self, server: Server) {
        self.say(Told::Change(server)).await;
    }

    /// No server can be used, which was seen elsewhere.
    pub async fn server_lost(&self) {
        self.say(Told::ServerLost).await;
    }

    /// There are credentials that were not tried yet.
    pub async fn use_credentials(&self, authorization: Secret) {
        self.say(Told::Credentials(authorization)).await;
    }

    /// No new credentials can be had.
    pub async fn no_credentials(&self) {
        self.say(Told::NoCredentials).await;
    }

    async fn say(&self, told: Told) {
        // It is only closed when the runtime ends.
        let _ = self.tell.send(Box::new(told)).await;
    }
}

/// Carries out what the line orders.
struct Driver {
    line: Line,
    server: Server,
    authorization: Secret,
    began: Instant,
    tickets: Ticket,
    owners: HashMap<Ticket, (oneshot::Sender<Outcome>, Option<String>)>,
    exchanges: Exchanges,
    notify: mpsc::Sender<Notice>,
}

impl Driver {
    async fn run(mut self, mut told: mpsc::Receiver<Box<Told>>) {
        loop {
            let wakes_at = self.line.wakes_at().map(|at| self.began + at);
            let event = tokio::select! {
                told = told.recv() => match told {
                    Some(told) => self.told(*told),
                    None => return,
                },
                (ticket, news) = self.exchanges.next() => Self::event(ticket, news),
                () = sleep_until(wakes_at.unwrap_or(self.began)), if wakes_at.is_some() => Event::Time,
            };
            let orders = self.line.handle(self.began.elapsed(), event);
            orders.into_iter().for_each(|order| self.carry_out(order));
        }
    }

    fn told(&mut self, told: Told) -> Event {
        match told {
            Told::Want(request, Wish { deadline, request_id, recovery }, owner) => {
                self.tickets += 1;
                self.owners.insert(self.tickets, (owner, request_id));
                let deadline = deadline.saturating_duration_since(self.began);
                Event::Wanted { ticket: self.tickets, request, deadline, recovery }
            }
            Told::Server(server) => {
                self.server = server;
                Event::ServerReady
            }
            Told::Move(server) => {
                self.server = server;
                Event::ServerLeft
            }
            Told::Change(server) => {
                self.server = server;
                Event::ServerChanged
            }
            Told::ServerLost => Event::ServerLost,
            Told::Credentials(authorization) => {
                self.authorization = authorization;
                Event::NewCredentials
            }
            Told::NoCredentials => Event::NoCredentials,
        }
    }

    fn event(ticket: Ticket, news: News) -> Event {
        match news {
            News::Going => Event::Going { ticket },
            News::Stayed => Event::Stayed { ticket },
            News::Ended(Ok(answer)) => Event::Answered { ticket, result: Ok(answer) },
            News::Ended(Err(AskError::Refused(refusal))) => Event::Answered { ticket, result: Err(refusal) },
            News::Ended(Err(AskError::NotSent(why))) => {
                tracing::debug!(%why, "a request was not sent");
                Event::NotSent { ticket }
            }
            News::Ended(Err(AskError::Lost(why))) => {
                tracing::debug!(%why, "a request has no answer");
                Event::Lost { ticket }
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Send { ticket, request } => self.send(ticket, request),
            Order::Abandon { ticket } => self.exchanges.abandon(ticket),
            Order::Done { ticket, outcome } => {
                if let Some((owner, _)) = self.owners.remove(&ticket) {
                    // Who asked may have gone.
                    let _ = owner.send(outcome);
                }
            }
            Order::Move(origin) => self.server.move_to(origin),
            Order::Trouble(trouble) => self.notice(Notice::Trouble(trouble)),
            Order::Renew => self.notice(Notice::Renew),
            Order::Stopped(errors) => self.notice(Notice::Stopped(errors)),
        }
    }

    fn notice(&self, notice: Notice) {
        let _ = self.notify.try_send(notice);
    }

    fn send(&mut self, ticket: Ticket, request: Request) {
        let (server, authorization) = (self.server.clone(), self.authorization.clone());
        let request_id = self.owners.get(&ticket).and_then(|(_, id)| id.clone());
        self.exchanges.start(ticket, server, request, authorization, request_id);
    }
}
