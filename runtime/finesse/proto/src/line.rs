//! Who may ask Finesse what, and when: one line of requests for each agent.
//!
//! Finesse works on one request of an object at a time, and so does the line: first in, first out, and not a second one for an
//! object before the first was answered. What happens to a request:
//!
//! | what comes | what happens |
//! | --- | --- |
//! | a yes, or a no because of what is asked (400, 404, some 401) | its owner gets it; the next one goes |
//! | 401 because of who asks | the line stops: five wrong passwords block the account for five minutes. With a token a new one is asked for, and the request goes once more |
//! | 503, or no connection | it was not done: it goes back to its place, and the line waits for a server until the request's deadline |
//! | 301 | it was not done: it goes where Finesse says |
//! | no connection is free for it | it was not sent: it waits until its own deadline, and Finesse's time to answer begins when it goes out |
//! | the connection breaks, or no answer in time | if a second one does no harm, it goes again; if it does, its owner is told that nobody knows |
//! | everything moves away from a server that has failed | the same: nobody waits for the answer of a server that was left |
//! | everything moves away from a server that works | what has gone out to it is answered; all else goes to the next one |
//! | 500 and what cannot be read | its owner gets it |
//!
//! The line has no clock: time is since whenever the caller likes.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::api_error::ApiError;
use crate::rest::{Answer, Method, Origin, Refusal, Repeat, Request};

/// A request's number. The caller gives them out, and no two the same.
pub type Ticket = u64;

/// How often one request is sent on to another address. Finesse does it once, from HTTP to HTTPS.
const MOVES: u8 = 2;

/// How a line behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineOptions {
    /// Requests that may be in the line, those on their way included.
    pub capacity: usize,
    /// How long Finesse has to answer, from [`Event::Going`] on.
    pub patience: Duration,
    /// Whether credentials can be renewed without a person: a token can, a password cannot.
    pub renewable: bool,
}

impl Default for LineOptions {
    /// 32 requests, 10 s for each answer, a password.
    fn default() -> Self {
        Self { capacity: 32, patience: Duration::from_secs(10), renewable: false }
    }
}

/// What happens around a line.
#[derive(Clone, Debug)]
pub enum Event {
    /// Someone wants something.
    Wanted {
        /// Its number.
        ticket: Ticket,
        /// What.
        request: Request,
        /// When it is of no use any more.
        deadline: Duration,
        /// Whether it belongs to getting a server ready again: such requests go first, also while the line waits for a server,
        /// and never wait for one themselves.
        recovery: bool,
    },
    /// It goes out: its bytes may be at the server from now on.
    Going {
        /// Whose.
        ticket: Ticket,
    },
    /// Not a byte of it went out after all, since the connection was closed, and it waits for another connection.
    Stayed {
        /// Whose.
        ticket: Ticket,
    },
    /// An answer came to [`Order::Send`].
    Answered {
        /// Whose.
        ticket: Ticket,
        /// What it says.
        result: Result<Answer, Refusal>,
    },
    /// It could not be sent: not a byte of it.
    NotSent {
        /// Whose.
        ticket: Ticket,
    },
    /// It was sent, at least in part, and no answer will come.
    Lost {
        /// Whose.
        ticket: Ticket,
    },
    /// The server cannot be used: known from elsewhere.
    ServerLost,
    /// Everything goes to another server from now on, which is not ready yet: what is on its way to the one before is given up.
    ServerLeft,
    /// The same, from a server that works: what is on its way to it is waited for.
    ServerChanged,
    /// A server can be used, and knows the agent.
    ServerReady,
    /// There are credentials that were not tried yet.
    NewCredentials,
    /// No new credentials can be had.
    NoCredentials,
    /// Nothing but that time has passed.
    Time,
}

/// What the caller is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send it as soon as there is a connection for it. Report [`Event::Going`] before its first byte, and then
    /// [`Event::Answered`], [`Event::NotSent`] or [`Event::Lost`].
    Send {
        /// Its number.
        ticket: Ticket,
        /// What.
        request: Request,
    },
    /// Nobody waits for the answer to this any more: report nothing of it.
    Abandon {
        /// Its number.
        ticket: Ticket,
    },
    /// Tell the owner. Each request is done once.
    Done {
        /// Its number.
        ticket: Ticket,
        /// What came of it.
        outcome: Outcome,
    },
    /// Something is wrong with the server.
    Trouble(Trouble),
    /// Send everything to there from now on.
    Move(Origin),
    /// Get new credentials, and report [`Event::NewCredentials`] or [`Event::NoCredentials`].
    Renew,
    /// The line takes nothing any more, until [`Event::NewCredentials`].
    Stopped(Vec<ApiError>),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A yes.
    Answer(Answer),
    /// A no. [`Refusal::may_have_been_done`] says whether it is certain.
    Refused(Refusal),
    /// It was not done.
    NotDone(Why),
    /// Nobody knows whether it was done. Finesse's own state may show it.
    Unknown(Why),
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Too many are waiting.
    Full,
    /// The credentials are not accepted.
    Stopped,
    /// Its turn did not come in time.
    Late,
    /// The server went, in this way, and none came in time.
    Trouble(Trouble),
}

/// What is wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It says so itself: 503.
    OutOfService,
    /// There is no connection.
    Unreachable,
    /// The connection broke while it was asked.
    Broken,
    /// It does not answer.
    Silent,
    /// Known from elsewhere.
    Told,
}

#[derive(Clone, Debug)]
struct Entry {
    ticket: Ticket,
    /// How many came before it.
    before: u64,
    request: Request,
    deadline: Duration,
    recovery: bool,
    /// An earlier attempt may have been acted on.
    in_doubt: bool,
    /// What went wrong last.
    trouble: Option<Trouble>,
    breaks: u8,
    moves: u8,
    renewals: u8,
}

impl Entry {
    fn is_harmless(&self) -> bool {
        self.request.row.repeat == Repeat::Harmless
    }

    /// What its owner is told if it is not sent again.
    fn ends(&self, why: Why) -> Outcome {
        // Whether a question was heard makes no difference.
        if self.in_doubt && self.request.method() != Method::Get {
            Outcome::Unknown(why)
        } else {
            Outcome::NotDone(why)
        }
    }
}

#[derive(Clone, Debug)]
struct Flight {
    entry: Entry,
    /// The credentials that it went with.
    credentials: u64,
    /// The server that it went to.
    server: u64,
    /// Until when an answer is waited for; `None` while it waits for a connection, and nothing of it was sent.
    until: Option<Duration>,
}

impl Flight {
    /// When it is given up.
    fn ends(&self) -> Duration {
        self.until.unwrap_or(self.entry.deadline)
    }

    /// Nobody knows whether it is done from here on, if anything of it was sent.
    fn given_up(mut self, trouble: Trouble) -> Entry {
        if self.until.is_some() {
            self.entry.in_doubt = true;
            self.entry.trouble = Some(trouble);
        }
        self.entry
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Nobody has answered with anything but 401 yet: one at a time, so that a wrong password is tried once.
    Untried,
    /// They are accepted.
    Good,
    /// New ones are on their way.
    Renewing,
    /// They are not accepted.
    Stopped,
}

/// The line of one agent.
#[derive(Clone, Debug)]
pub struct Line {
    options: LineOptions,
    access: Access,
    /// Why no server is ready, if none is.
    lost: Option<Trouble>,
    /// Those of recovery first, each in the order in which they came.
    waiting: VecDeque<Entry>,
    flying: Vec<Flight>,
    orders: Vec<Order>,
    came: u64,
    /// How many credentials there were before these.
    credentials: u64,
    /// How many servers there were before this one.
    server: u64,
}

impl Line {
    /// An empty line with a server and credentials that were not tried yet.
    #[must_use]
    pub fn new(options: LineOptions) -> Self {
        Self {
            options,
            access: Access::Untried,
            lost: None,
            waiting: VecDeque::new(),
            flying: Vec::new(),
            orders: Vec::new(),
            came: 0,
            credentials: 0,
            server: 0,
        }
    }

    /// Requests in the line, those on their way included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len() + self.flying.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the credentials are not accepted.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.access == Access::Stopped
    }

    /// When [`Event::Time`] is wanted; `None` if never.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let answers = self.flying.iter().map(Flight::ends);
        let turns = self.waiting.iter().map(|entry| entry.deadline);
        answers.chain(turns).min()
    }

    /// Tells the line what happened, and what to do about it.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Order> {
        match event {
            Event::Wanted { ticket, request, deadline, recovery } => self.want(ticket, request, deadline, recovery),
            Event::Going { ticket } => self.goes(ticket, Some(now.saturating_add(self.options.patience))),
            Event::Stayed { ticket } => self.goes(ticket, None),
            Event::Answered { ticket, result } => self.answered(ticket, result),
            Event::NotSent { ticket } => {
                if let Some(flight) = self.landed(ticket) {
                    self.server_failed(flight, Trouble::Unreachable);
                }
            }
            Event::Lost { ticket } => self.broke(ticket),
            Event::ServerLost => self.lost = self.lost.or(Some(Trouble::Told)),
            Event::ServerLeft => self.leave(|_| true),
            // Who asks in order to get a server ready has no use for the one before.
            Event::ServerChanged => self.leave(|entry| entry.recovery),
            Event::ServerReady => self.lost = None,
            Event::NewCredentials => {
                self.credentials += 1;
                self.access = Access::Untried;
            }
            Event::NoCredentials => self.stop(Vec::new()),
            Event::Time => {}
        }
        self.recall();
        self.pass_time(now);
        self.start();
        std::mem::take(&mut self.orders)
    }

    fn done(&mut self, ticket: Ticket, outcome: Outcome) {
        self.orders.push(Order::Done { ticket, outcome });
    }

    fn want(&mut self, ticket: Ticket, request: Request, deadline: Duration, recovery: bool) {
        if self.access == Access::Stopped {
            return self.done(ticket, Outcome::NotDone(Why::Stopped));
        }
        if self.len() >= self.options.capacity {
            return self.done(ticket, Outcome::NotDone(Why::Full));
        }
        self.came += 1;
        let entry = Entry {
            ticket,
            before: self.came,
            request,
            deadline,
            recovery,
            in_doubt: false,
            trouble: None,
            breaks: 0,
            moves: 0,
            renewals: 0,
        };
        self.put(entry);
    }

    /// Puts a request into its place: that of the order in which they came, whatever happened to it meanwhile.
    fn put(&mut self, entry: Entry) {
        if self.access == Access::Stopped {
            let outcome = entry.ends(Why::Stopped);
            return self.done(entry.ticket, outcome);
        }
        let key = |entry: &Entry| (!entry.recovery, entry.before);
        let place = self.waiting.partition_point(|other| key(other) < key(&entry));
        self.waiting.insert(place, entry);
    }

    fn landed(&mut self, ticket: Ticket) -> Option<Flight> {
        let place = self.flying.iter().position(|flight| flight.entry.ticket == ticket)?;
        Some(self.flying.remove(place))
    }

    /// A request goes out, and its answer is to come by then; or it waits for a connection again.
    fn goes(&mut self, ticket: Ticket, until: Option<Duration>) {
        if let Some(flight) = self.flying.iter_mut().find(|flight| flight.entry.ticket == ticket) {
            flight.until = until.map(|until| until.min(flight.entry.deadline));
        }
    }

    fn answered(&mut self, ticket: Ticket, result: Result<Answer, Refusal>) {
        // None, if nobody waits for it any more.
        let Some(mut flight) = self.landed(ticket) else { return };
        let knows_the_agent = matches!(result, Ok(_) | Err(Refusal::Refused { .. }));
        if knows_the_agent && self.access == Access::Untried {
            self.access = Access::Good;
        }
        match result {
            Ok(answer) => self.done(ticket, Outcome::Answer(answer)),
            Err(Refusal::OutOfService(_)) => self.server_failed(flight, Trouble::OutOfService),
            // It goes to the next server instead.
            Err(Refusal::Moved(_)) if self.was_left(&flight) => self.put(flight.entry),
            Err(Refusal::Moved(origin)) if flight.entry.moves < MOVES => {
                flight.entry.moves += 1;
                self.put(flight.entry);
                self.orders.push(Order::Move(origin));
            }
            // It went with credentials that are not the agent's any more.
            Err(Refusal::Unauthorized(_)) if flight.credentials != self.credentials => self.put(flight.entry),
            Err(Refusal::Unauthorized(errors)) => self.unauthorized(flight.entry, errors),
            Err(refusal) => self.done(ticket, Outcome::Refused(refusal)),
        }
    }

    /// Whether everything goes to another server than this meanwhile.
    fn was_left(&self, flight: &Flight) -> bool {
        flight.server != self.server
    }

    /// It was not done, and the server cannot be used.
    fn server_failed(&mut self, flight: Flight, trouble: Trouble) {
        if self.lost.is_none() && !self.was_left(&flight) {
            self.orders.push(Order::Trouble(trouble));
            self.lost = Some(trouble);
        }
        let mut entry = flight.entry;
        if entry.recovery {
            let outcome = entry.ends(Why::Trouble(trouble));
            return self.done(entry.ticket, outcome);
        }
        entry.trouble = Some(trouble);
        self.put(entry);
    }

    /// Nobody knows whether it was done.
    fn broke(&mut self, ticket: Ticket) {
        let Some(mut flight) = self.landed(ticket) else { return };
        let entry = &mut flight.entry;
        entry.in_doubt = true;
        entry.breaks += 1;
        if !entry.is_harmless() {
            self.trouble(&flight, Trouble::Broken);
            return self.done(ticket, Outcome::Unknown(Why::Trouble(Trouble::Broken)));
        }
        if entry.breaks == 1 {
            // A server closes connections that rest, and one may be used just then. That is no trouble.
            entry.trouble = Some(Trouble::Broken);
            return self.put(flight.entry);
        }
        self.server_failed(flight, Trouble::Broken);
    }

    /// Tells of the server in use, and of no other.
    fn trouble(&mut self, flight: &Flight, trouble: Trouble) {
        if !self.was_left(flight) {
            self.orders.push(Order::Trouble(trouble));
        }
    }

    /// Everything goes to another server. These are not waited for.
    fn leave(&mut self, is_given_up: fn(&Entry) -> bool) {
        self.lost = Some(Trouble::Told);
        self.server += 1;
        self.recall();
        for flight in self.take_back(|_, flight| is_given_up(&flight.entry)) {
            let entry = flight.given_up(Trouble::Told);
            if entry.is_harmless() && !entry.recovery {
                self.put(entry);
            } else {
                let outcome = entry.ends(Why::Trouble(Trouble::Told));
                self.done(entry.ticket, outcome);
            }
        }
    }

    /// What has not gone out and would not be sent now goes back to its place.
    fn recall(&mut self) {
        let has_no_turn = |line: &Self, flight: &Flight| {
            let is_refused = matches!(line.access, Access::Renewing | Access::Stopped);
            let is_lost = line.lost.is_some() && !flight.entry.recovery;
            flight.until.is_none() && (is_refused || is_lost || flight.credentials != line.credentials)
        };
        for flight in self.take_back(has_no_turn) {
            self.put(flight.entry);
        }
    }

    /// Takes requests from their way.
    fn take_back(&mut self, is_meant: impl Fn(&Self, &Flight) -> bool) -> Vec<Flight> {
        let flying = std::mem::take(&mut self.flying);
        let (taken, kept): (Vec<_>, Vec<_>) = flying.into_iter().partition(|flight| is_meant(self, flight));
        self.flying = kept;
        self.orders.extend(taken.iter().map(|flight| Order::Abandon { ticket: flight.entry.ticket }));
        taken
    }

    fn unauthorized(&mut self, mut entry: Entry, errors: Vec<ApiError>) {
        if self.options.renewable && entry.renewals == 0 && self.access != Access::Stopped {
            entry.renewals += 1;
            self.put(entry);
            if self.access != Access::Renewing {
                self.access = Access::Renewing;
                self.orders.push(Order::Renew);
            }
            return;
        }
        self.done(entry.ticket, Outcome::Refused(Refusal::Unauthorized(errors.clone())));
        self.stop(errors);
    }

    fn stop(&mut self, errors: Vec<ApiError>) {
        if self.access == Access::Stopped {
            return;
        }
        self.access = Access::Stopped;
        for entry in std::mem::take(&mut self.waiting) {
            let outcome = entry.ends(Why::Stopped);
            self.done(entry.ticket, outcome);
        }
        self.orders.push(Order::Stopped(errors));
    }

    fn pass_time(&mut self, now: Duration) {
        for flight in self.take_back(|_, flight| flight.ends() <= now) {
            match flight.until {
                Some(_) => self.silent(flight, now),
                None => self.late(&flight.entry),
            }
        }
        while let Some(place) = self.waiting.iter().position(|entry| entry.deadline <= now) {
            if let Some(entry) = self.waiting.remove(place) {
                self.late(&entry);
            }
        }
    }

    /// Its deadline came before its turn, or before a connection.
    fn late(&mut self, entry: &Entry) {
        let trouble = entry.trouble.or(self.lost.filter(|_| !entry.recovery));
        let outcome = entry.ends(trouble.map_or(Why::Late, Why::Trouble));
        self.done(entry.ticket, outcome);
    }

    fn silent(&mut self, flight: Flight, now: Duration) {
        self.trouble(&flight, Trouble::Silent);
        let entry = flight.given_up(Trouble::Silent);
        if entry.is_harmless() && !entry.recovery && entry.deadline > now {
            return self.put(entry);
        }
        let outcome = entry.ends(Why::Trouble(Trouble::Silent));
        self.done(entry.ticket, outcome);
    }

    fn start(&mut self) {
        while let Some(entry) = self.next() {
            self.orders.push(Order::Send { ticket: entry.ticket, request: entry.request.clone() });
            self.flying.push(Flight { entry, credentials: self.credentials, server: self.server, until: None });
        }
    }

    /// The request whose turn it is.
    fn next(&mut self) -> Option<Entry> {
        match self.access {
            Access::Good => {}
            Access::Untried if self.flying.is_empty() => {}
            Access::Untried | Access::Renewing | Access::Stopped => return None,
        }
        let recovery = self.waiting.iter().position(|entry| entry.recovery);
        let ordinary = self.waiting.iter().position(|entry| !entry.recovery).filter(|_| self.lost.is_none());
        let place = [recovery, ordinary].into_iter().flatten().find(|place| self.is_free(&self.waiting[*place]))?;
        self.waiting.remove(place)
    }

    /// Whether no other request for its object is on its way. Getting a server ready does not wait for the one before.
    fn is_free(&self, entry: &Entry) -> bool {
        let object = entry.request.object.as_ref();
        let is_in_the_way = |flight: &Flight| !entry.recovery || !self.was_left(flight);
        let mut others = self.flying.iter().filter(|flight| is_in_the_way(flight));
        object.is_none() || others.all(|flight| flight.entry.request.object.as_ref() != object)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "too many requests of the agent are waiting"),
            Self::Stopped => write!(f, "Finesse does not accept the agent's credentials"),
            Self::Late => write!(f, "its turn did not come in time"),
            Self::Trouble(trouble) => trouble.fmt(f),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfService => "the Finesse server is out of service",
            Self::Unreachable => "the Finesse server cannot be reached",
            Self::Broken => "the connection to the Finesse server broke",
            Self::Silent => "the Finesse server does not answer",
            Self::Told => "no Finesse server is ready",
        })
    }
}
