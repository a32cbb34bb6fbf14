//! The state machine of one agent.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::forced::{Kept, is_forced, is_unexplained, kept};
use super::known::{Change, Known};
use super::table::{self, Cause, Phase};
use crate::chance::{Chance, backoff, jitter};
use crate::cluster::{Deployment, NodeId, Service, Sign};
use crate::dialog::Dialog;
use crate::notification;
use crate::user::{MobileAgent, User, UserState};

/// A session that does not open within this is given up: name, socket, TLS, password, presence.
pub const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// A session that has not closed within this is dropped.
pub const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// A request without an answer after this is given up.
pub const ASK_WITHIN: Duration = Duration::from_secs(4);
/// After an accepted request, how long its event may take before everything is read again.
const EFFECT_WITHIN: Duration = Duration::from_secs(5);
/// How much later than an answer an event may come that is older than it.
pub const LATE: Duration = Duration::from_secs(5);
/// How long after the end of a session Finesse may log the agent out for it: 120 s to notice and 60 s of waiting (Cisco,
/// "Desktop Presence and Forced Logout").
pub const FORCED_WITHIN: Duration = Duration::from_secs(180);
/// Events that are kept while an answer is on its way. If there are more, everything is read again.
const BUFFER: usize = 256;
/// Delays between attempts to open a session: full jitter up to the first, doubled up to the second.
const RECONNECT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The same between attempts to read.
const REREAD: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// The same between attempts to bring an agent back.
const MEND: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long after a refused password that was right before it is tried once more, and as much again at random.
const PASSWORD_AGAIN: Duration = Duration::from_secs(20);
/// So many refusals to restore a state are taken as an answer.
const RESTORES: u32 = 5;

/// One session, from the order to open it until it is closed, dropped or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(u64);

/// One request, from the order to send it until it is answered or abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(u64);

/// How an agent signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The phone.
    pub extension: String,
    /// The phone of a mobile agent, which only one server knows.
    pub mobile: Option<MobileAgent>,
}

/// What the agent wants, told before the request for it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// To be signed in.
    SignedIn(SignIn),
    /// To be signed out.
    SignedOut,
    /// To take calls.
    Ready,
    /// To take none; the id of the reason.
    NotReady(Option<i64>),
}

/// Why a session could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The server cannot be reached, or breaks off, or has no time.
    Unreachable,
    /// The password is wrong.
    Unauthorized,
    /// There is a session with this very address.
    Conflict,
}

/// Why a session is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The connection broke, or the peer was silent for too long.
    Broken,
    /// Another session with the same address took its place.
    Conflict,
}

/// What comes over a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A notification.
    Update(notification::Event),
    /// User `finesse` is available, or is not.
    Presence(bool),
}

/// A request to Finesse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `GET User`.
    User,
    /// `GET User/Dialogs`.
    Dialogs,
    /// `PUT User` with `LOGIN`: who is signed in stays as they are ("forced sign-in").
    SignIn(SignIn),
    /// `PUT User` with `READY`.
    Ready,
    /// `PUT User` with `NOT_READY` and the id of a reason.
    NotReady(i64),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Ask::User`].
    User(Box<User>),
    /// To [`Ask::Dialogs`].
    Dialogs(Vec<Dialog>),
    /// 202: an event will tell.
    Accepted,
    /// 401: the password is wrong.
    Unauthorized,
    /// 503, or no answer that means anything.
    Unserved,
    /// Anything else, in Finesse's own words.
    Refused(String),
}

/// Whether what was published can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// It is what this server says.
    Live(NodeId),
    /// It may be out of date.
    Interrupted,
    /// It is over.
    Ended(End),
}

/// Why it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Another connector, or a desktop, has taken the session over.
    Taken,
    /// The password is wrong.
    WrongPassword,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The agent is wanted here: for the first time, with another password, or after the session was taken over. How they
    /// are to be signed in, as far as that is known.
    Start(Option<SignIn>),
    /// The cluster's machine orders: use this server, at a moment within that time. The same one again: read everything.
    Use(NodeId, Duration),
    /// The cluster's machine orders: go to this server, at a moment within that time; in a call, stay as long as the second.
    Drain(NodeId, Duration, Duration),
    /// The cluster's machine says that this server, in use, has failed.
    Interrupted(NodeId),
    /// The session is open: bound, with its presence sent.
    Opened(Attempt),
    /// It could not be opened.
    NotOpened(Attempt, Refusal),
    /// It was lost.
    Lost(Attempt, Loss),
    /// It has been closed, as ordered.
    Closed(Attempt),
    /// Something came over it.
    Notified(Attempt, Notice),
    /// What came of a request.
    Answered(Request, Answer),
    /// What the agent wants.
    Wished(Wish),
    /// The moment of [`Session::wakes_at`] has come.
    Timer,
    /// The agent is not wanted here any more.
    Stop,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Open a session, and say how that went.
    Open(Attempt, NodeId),
    /// Close it, and say when that is done.
    Close(Attempt),
    /// Drop it at once without a word, and say nothing.
    Drop(Attempt),
    /// Send a request to a server, and say what came of it.
    Ask(Request, NodeId, Ask),
    /// Give a request up.
    Abandon(Request),
    /// Tell the cluster's machine.
    Tell(NodeId, Sign),
    /// Tell whoever listens to the agent.
    Publish(Change),
    /// Something that a person should know.
    Warn(String),
}

/// A move to another server.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Move {
    at: Duration,
    /// In a call, not before this.
    patience: Option<Duration>,
}

/// Whether the agent is to be signed in.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Unknown,
    In(SignIn),
    Out,
}

/// One agent at Finesse.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    deployment: Deployment,
    phase: Phase,
    /// The server to use.
    node: Option<NodeId>,
    /// The server in use is known to have failed.
    out: bool,
    link: Option<(Attempt, NodeId)>,
    asked: Option<(Request, Duration)>,
    /// When to open, or until when opening, closing or an event is waited for.
    until: Duration,
    /// When to read again.
    read_at: Option<Duration>,
    moving: Option<Move>,
    known: Known,
    buffer: VecDeque<notification::Event>,
    read_user: Option<Duration>,
    read_dialogs: Option<Duration>,
    connection: Option<Connection>,
    wanted: Wanted,
    kept: Option<Kept>,
    /// When the agent last wished for something, if events that are older than that may still come.
    wished_at: Option<Duration>,
    /// A forced logout was undone, and the state from before is not back yet.
    returning: bool,
    /// The agent is signed out, and nobody wanted it.
    logged_out: bool,
    /// The server where the agent last signed in or was found.
    home: Option<NodeId>,
    /// Attempts in a row that failed: to open, to read, to bring back.
    opens: u32,
    reads: u32,
    mends: u32,
    mend_after: Duration,
    passwords: u32,
    proven: bool,
    /// Until when each server may believe in a session that is no more.
    ghosts: BTreeMap<NodeId, Duration>,
    next: u64,
}

impl Session {
    /// One that has not started.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        Self {
            deployment,
            phase: Phase::New,
            node: None,
            out: false,
            link: None,
            asked: None,
            until: Duration::ZERO,
            read_at: None,
            moving: None,
            known: Known::default(),
            buffer: VecDeque::new(),
            read_user: None,
            read_dialogs: None,
            connection: None,
            wanted: Wanted::Unknown,
            kept: None,
            wished_at: None,
            returning: false,
            logged_out: false,
            home: None,
            opens: 0,
            reads: 0,
            mends: 0,
            mend_after: Duration::ZERO,
            passwords: 0,
            proven: false,
            ghosts: BTreeMap::new(),
            next: 0,
        }
    }

    /// Where the machine is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The session that is open, and where.
    #[must_use]
    pub fn open(&self) -> Option<(Attempt, NodeId)> {
        self.link.filter(|_| self.phase.is_up())
    }

    /// What was last published of the connection.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        self.connection
    }

    /// When [`Event::Timer`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        let waits = matches!(self.phase, Phase::Waiting | Phase::Opening | Phase::Closing);
        let effect = matches!(self.phase, Phase::SigningIn | Phase::Restoring) && self.asked.is_none() && !self.out;
        let asked = self.asked.map(|(_, until)| until);
        let free = self.phase.is_up() && self.asked.is_none() && !self.out;
        let read = self.read_at.filter(|_| free && !effect);
        let mend = (self.phase == Phase::Live && free && self.need().is_some()).then_some(self.mend_after);
        let moving = self
            .moving
            .filter(|_| self.phase.is_up() || self.phase == Phase::Opening)
            .map(|moving| moving.patience.filter(|_| self.known.in_call()).unwrap_or(moving.at));
        [(waits || effect).then_some(self.until), asked, read, mend, moving].into_iter().flatten().min()
    }

    /// Takes what has happened at a moment and says what is to be done. Events of sessions and requests that are no more are
    /// nothing.
    pub fn handle(&mut self, now: Duration, event: Event, chance: &mut dyn Chance) -> Vec<Order> {
        let mut orders = Vec::new();
        let mut turn = Turn { machine: self, now, chance, orders: &mut orders };
        turn.event(event);
        turn.go_on();
        orders
    }

    /// What the agent needs in order to be as they were, if anything.
    fn need(&self) -> Option<Ask> {
        let Wanted::In(sign_in) = &self.wanted else { return None };
        let user = self.known.user()?;
        let phoneless =
            sign_in.mobile.is_some() && user.mobile_agent.is_none() && self.home != self.link.map(|(_, node)| node);
        match user.state.as_ref()? {
            UserState::Logout if self.logged_out => Some(Ask::SignIn(sign_in.clone())),
            UserState::Logout | UserState::Unknown | UserState::Other(_) => None,
            _ if phoneless => Some(Ask::SignIn(sign_in.clone())),
            UserState::NotReady if self.returning || is_forced(user, self.deployment) => match self.kept {
                Some(Kept::Ready) => Some(Ask::Ready),
                Some(Kept::NotReady(Some(reason))) if user.reason() != Some(reason) => Some(Ask::NotReady(reason)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether nobody chose the agent's state: it says so, or gives no reason so soon after the end of a session.
    fn is_unwanted(&self, user: &User, now: Duration) -> bool {
        is_forced(user, self.deployment) || (is_unexplained(user) && (self.is_haunted(now) || self.returning))
    }

    /// Whether a server may still believe in a session that is no more.
    fn is_haunted(&self, now: Duration) -> bool {
        self.ghosts.values().any(|until| now < *until)
    }
}

/// One event being dealt with.
struct Turn<'a> {
    machine: &'a mut Session,
    now: Duration,
    chance: &'a mut dyn Chance,
    orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        let link = self.machine.link.map(|(attempt, _)| attempt);
        match event {
            Event::Start(sign_in) => self.start(sign_in),
            Event::Use(node, over) => self.assigned(node, over, None),
            Event::Drain(node, over, within) => self.assigned(node, over, Some(self.now + within)),
            Event::Interrupted(node) => self.interrupted(node),
            Event::Opened(attempt) if link == Some(attempt) => self.opened(),
            Event::NotOpened(attempt, refusal) if link == Some(attempt) => self.not_opened(refusal),
            Event::Lost(attempt, loss) if link == Some(attempt) => self.lost(loss),
            Event::Closed(attempt) if link == Some(attempt) => self.closed(),
            Event::Notified(attempt, notice) if link == Some(attempt) => self.notified(notice),
            Event::Answered(request, answer) => self.answered(request, answer),
            Event::Wished(wish) => self.wished(wish),
            Event::Timer => self.overdue(),
            Event::Stop => self.stop(),
            _ => {}
        }
    }

    /// Goes where the table says. Whether it says anything.
    fn go(&mut self, cause: Cause) -> bool {
        let next = table::next(self.machine.phase, cause);
        self.machine.phase = next.unwrap_or(self.machine.phase);
        next.is_some()
    }

    fn publish(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.orders.extend(changes.into_iter().map(Order::Publish));
    }

    fn connected(&mut self, connection: Connection) {
        if self.machine.connection.replace(connection) != Some(connection) {
            self.publish([Change::Connection(connection)]);
        }
    }

    /// What was published may be out of date from now on.
    fn cut(&mut self) {
        if matches!(self.machine.connection, Some(Connection::Live(_))) {
            self.connected(Connection::Interrupted);
        }
    }

    fn start(&mut self, sign_in: Option<SignIn>) {
        if !self.go(Cause::Start) {
            return;
        }
        if let Some(sign_in) = sign_in {
            // Whoever wants them here knows that they are to be signed in.
            (self.machine.wanted, self.machine.returning) = (Wanted::In(sign_in), true);
        }
        (self.machine.opens, self.machine.passwords, self.machine.proven) = (0, 0, false);
        if self.machine.node.is_some() && self.go(Cause::Assigned) {
            self.machine.until = self.now;
        }
    }

    /// This server is the one to use.
    fn assigned(&mut self, node: NodeId, over: Duration, patience: Option<Duration>) {
        let elsewhere = self.machine.node.replace(node) != Some(node);
        self.machine.out = false;
        let at = self.now + jitter(over, self.chance);
        if self.machine.phase == Phase::Idle {
            self.go(Cause::Assigned);
            self.machine.until = at;
            return;
        }
        if self.machine.phase == Phase::Waiting {
            self.machine.opens = 0;
            self.machine.until = if elsewhere { at } else { at.min(self.machine.until) };
            return;
        }
        let there = self.machine.link.is_some_and(|(_, there)| there == node);
        self.machine.moving = (!there).then_some(Move { at, patience });
        if there && self.machine.phase.is_up() {
            self.machine.read_at = Some(at);
        }
    }

    fn interrupted(&mut self, node: NodeId) {
        if self.machine.node == Some(node) {
            self.machine.out = true;
            self.cut();
        }
    }

    fn opened(&mut self) {
        let Some((_, node)) = self.machine.link.filter(|_| self.machine.phase == Phase::Opening) else { return };
        self.go(Cause::Opened);
        (self.machine.opens, self.machine.reads, self.machine.passwords) = (0, 0, 0);
        self.machine.proven = true;
        self.machine.read_at = None;
        // Nothing that was read over another session may be compared with what comes over this one.
        (self.machine.read_user, self.machine.read_dialogs) = (None, None);
        self.orders.push(Order::Tell(node, Sign::Opened));
    }

    fn not_opened(&mut self, refusal: Refusal) {
        if self.machine.phase == Phase::Closing {
            return self.closed();
        }
        let Some((_, node)) = self.machine.link.filter(|_| self.machine.phase == Phase::Opening) else { return };
        let ghost = self.machine.ghosts.get(&node).is_some_and(|until| self.now < *until);
        match refusal {
            Refusal::Unauthorized if self.is_final() => return self.end(End::WrongPassword),
            Refusal::Conflict if !ghost => return self.end(End::Taken),
            Refusal::Unreachable => self.orders.push(Order::Tell(node, Sign::Refused)),
            Refusal::Unauthorized | Refusal::Conflict => {}
        }
        self.machine.link = None;
        self.go(Cause::Refused);
        self.wait();
        self.keep_place();
        if refusal == Refusal::Unauthorized {
            self.machine.until = self.now + PASSWORD_AGAIN + jitter(PASSWORD_AGAIN, self.chance);
        }
    }

    /// Before the next attempt.
    fn wait(&mut self) {
        let (first, longest) = RECONNECT;
        self.machine.until = self.now + backoff(self.machine.opens, first, longest, self.chance);
        self.machine.opens = self.machine.opens.saturating_add(1);
    }

    /// Counts a refused password. Whether that was the last try.
    fn is_final(&mut self) -> bool {
        self.machine.passwords += 1;
        self.machine.passwords > u32::from(self.machine.proven)
    }

    fn lost(&mut self, loss: Loss) {
        let Some((_, node)) = self.machine.link else { return };
        if self.machine.phase == Phase::Closing {
            return self.closed();
        }
        self.haunt(node);
        if loss == Loss::Conflict {
            self.machine.link = None;
            return self.end(End::Taken);
        }
        self.hang_up();
        if self.machine.phase == Phase::Opening {
            self.go(Cause::Refused);
        } else {
            self.go(Cause::Lost);
        }
        self.orders.push(Order::Tell(node, Sign::Lost));
        self.cut();
        self.wait();
        self.keep_place();
    }

    /// Who was about to move anyway keeps their place in the queue.
    fn keep_place(&mut self) {
        if let Some(moving) = self.machine.moving.take() {
            self.machine.until = moving.at.max(self.now);
            self.machine.opens = 0;
        }
    }

    /// The server may believe in a session for a while after its end.
    fn haunt(&mut self, node: NodeId) {
        let now = self.now;
        self.machine.ghosts.retain(|_, until| now < *until);
        self.machine.ghosts.insert(node, now + FORCED_WITHIN + LATE);
    }

    /// Forgets the session and what was asked over it.
    fn hang_up(&mut self) {
        self.machine.link = None;
        self.abandon();
        self.machine.buffer.clear();
        self.machine.read_at = None;
    }

    fn abandon(&mut self) {
        if let Some((request, _)) = self.machine.asked.take() {
            self.orders.push(Order::Abandon(request));
        }
    }

    fn closed(&mut self) {
        if self.machine.phase != Phase::Closing {
            return self.lost(Loss::Broken);
        }
        let node = self.machine.link.take().map(|(_, node)| node);
        if let Some(node) = node {
            self.orders.push(Order::Tell(node, Sign::Closed));
        }
        self.go(Cause::Closed);
        self.machine.until = self.now;
        self.machine.opens = 0;
    }

    fn end(&mut self, end: End) {
        if let Some((attempt, _)) = self.machine.link.filter(|_| self.machine.phase.is_up()) {
            self.orders.push(Order::Close(attempt));
        }
        if let Some(node) = self.machine.link.map(|(_, node)| node).or(self.machine.node) {
            self.orders.push(Order::Tell(node, Sign::Closed));
        }
        self.hang_up();
        self.machine.moving = None;
        self.go(Cause::End);
        self.connected(Connection::Ended(end));
    }

    fn stop(&mut self) {
        if let Some((attempt, node)) = self.machine.link {
            let close = if self.machine.phase == Phase::Closing { Order::Drop(attempt) } else { Order::Close(attempt) };
            self.orders.push(close);
            self.orders.push(Order::Tell(node, Sign::Closed));
        } else if let Some(node) = self.machine.node {
            self.orders.push(Order::Tell(node, Sign::Closed));
        }
        self.hang_up();
        self.machine.moving = None;
        self.go(Cause::Stop);
    }

    fn notified(&mut self, notice: Notice) {
        let Some((_, node)) = self.machine.open() else { return };
        match notice {
            Notice::Presence(available) => self.orders.push(Order::Tell(node, Sign::Presence(available))),
            Notice::Update(notification::Event::SystemInfo(info)) => {
                self.orders.push(Order::Tell(node, Sign::Service(Service::from(&*info))));
            }
            Notice::Update(event) => self.heard(event),
        }
    }

    fn heard(&mut self, event: notification::Event) {
        use notification::Event::{DialogAdded, DialogChanged, DialogRemoved, UserChanged};
        let of_user = matches!(event, UserChanged(_));
        let of_dialog = matches!(event, DialogAdded(_) | DialogChanged(_) | DialogRemoved { .. });
        match self.machine.phase {
            _ if !of_user && !of_dialog => {}
            // The calls are read after this, and that will be newer.
            Phase::ReadingUser if of_dialog => {}
            Phase::ReadingUser => self.keep(event),
            Phase::ReadingDialogs if of_dialog => self.keep(event),
            _ => self.apply(event),
        }
    }

    /// Keeps an event until the answer is there.
    fn keep(&mut self, event: notification::Event) {
        if self.machine.buffer.len() == BUFFER {
            self.machine.buffer.pop_front();
            self.doubt();
        }
        self.machine.buffer.push_back(event);
    }

    fn apply(&mut self, event: notification::Event) {
        let of_user = matches!(event, notification::Event::UserChanged(_));
        let read = if of_user { self.machine.read_user } else { self.machine.read_dialogs };
        let strict = read.is_some_and(|read| self.now < read + LATE);
        let heard = self.machine.known.hear(event, strict);
        let changed = !heard.changes.is_empty();
        self.publish(heard.changes);
        if heard.doubtful {
            self.doubt();
        }
        if of_user && changed {
            self.learn();
        }
    }

    /// Everything is read again soon.
    fn doubt(&mut self) {
        let (first, _) = REREAD;
        let at = self.now + first / 2 + jitter(first / 2, self.chance);
        self.machine.read_at = Some(self.machine.read_at.map_or(at, |before| before.min(at)));
    }

    /// What the agent's state says of what they want.
    fn learn(&mut self) {
        let Some(user) = self.machine.known.user() else { return };
        let unwanted = self.machine.is_unwanted(user, self.now);
        // What does not agree with a wish that has just been uttered is older than it.
        let stale = self.machine.wished_at.is_some_and(|wished| self.now < wished + LATE);
        self.machine.logged_out = user.state == Some(UserState::Logout) && unwanted;
        match user.state.as_ref().and_then(UserState::is_signed_in) {
            Some(false) if !(unwanted || stale && matches!(self.machine.wanted, Wanted::In(_))) => {
                // Somebody wanted it.
                (self.machine.wanted, self.machine.kept, self.machine.returning) = (Wanted::Unknown, None, false);
            }
            Some(true) => {
                if let (Wanted::Unknown, Some(extension)) = (&self.machine.wanted, &user.extension) {
                    let sign_in = SignIn { extension: extension.clone(), mobile: user.mobile_agent.clone() };
                    self.machine.wanted = Wanted::In(sign_in);
                }
                let now = kept(user, self.machine.deployment, self.machine.is_haunted(self.now));
                if now == Some(Kept::Ready) || now.is_some() && now == self.machine.kept {
                    self.machine.returning = false;
                }
                if now.is_some() && now == self.machine.kept {
                    self.machine.wished_at = None;
                } else if !self.machine.returning && !stale {
                    self.machine.kept = now.or(self.machine.kept);
                }
            }
            _ => {}
        }
    }

    fn wished(&mut self, wish: Wish) {
        self.machine.returning = false;
        self.machine.wished_at = Some(self.now);
        match wish {
            Wish::SignedIn(sign_in) => self.machine.wanted = Wanted::In(sign_in),
            Wish::SignedOut => (self.machine.wanted, self.machine.kept) = (Wanted::Out, None),
            Wish::Ready => self.machine.kept = Some(Kept::Ready),
            Wish::NotReady(reason) => self.machine.kept = Some(Kept::NotReady(reason)),
        }
    }

    fn answered(&mut self, request: Request, answer: Answer) {
        if self.machine.asked.take_if(|(asked, _)| *asked == request).is_none() {
            return;
        }
        match (answer, self.machine.phase) {
            (Answer::User(user), Phase::ReadingUser) => self.user_read(*user),
            (Answer::Dialogs(dialogs), Phase::ReadingDialogs) => self.dialogs_read(dialogs),
            (Answer::Accepted, Phase::SigningIn | Phase::Restoring) => self.machine.until = self.now + EFFECT_WITHIN,
            (Answer::Unauthorized, _) if self.is_final() => self.end(End::WrongPassword),
            (Answer::Unauthorized, _) => self.failed(PASSWORD_AGAIN, false),
            (Answer::Refused(reason), Phase::SigningIn | Phase::Restoring) => self.refused(&reason),
            (Answer::Refused(_) | Answer::Unserved, _) => self.failed(Duration::ZERO, true),
            _ => {}
        }
    }

    fn user_read(&mut self, user: User) {
        let change = self.machine.known.take_user(user);
        self.publish(change);
        self.machine.read_user = Some(self.now);
        self.go(Cause::UserRead);
        self.replay();
        self.learn();
    }

    fn dialogs_read(&mut self, dialogs: Vec<Dialog>) {
        let changes = self.machine.known.take_dialogs(dialogs);
        self.publish(changes);
        self.machine.read_dialogs = Some(self.now);
        self.machine.reads = 0;
        self.go(Cause::DialogsRead);
        self.replay();
        if let Some((_, node)) = self.machine.link {
            self.connected(Connection::Live(node));
        }
    }

    /// What came while the answer was on its way.
    fn replay(&mut self) {
        for event in std::mem::take(&mut self.machine.buffer) {
            self.apply(event);
        }
    }

    /// Finesse does not do what would bring the agent back.
    fn refused(&mut self, reason: &str) {
        let signing_in = self.machine.phase == Phase::SigningIn;
        let what = if signing_in { "signed in again" } else { "brought back to the state from before" };
        self.orders.push(Order::Warn(format!("the agent is not {what}: {reason}")));
        self.settle();
        if !signing_in && self.machine.mends >= RESTORES {
            (self.machine.kept, self.machine.returning) = (None, false);
        }
        self.go(Cause::Refused);
        self.machine.read_at = Some(self.machine.mend_after);
    }

    /// A request came to nothing; it is sent again after a while.
    fn failed(&mut self, least: Duration, amiss: bool) {
        if let Some((_, node)) = self.machine.link.filter(|_| amiss) {
            self.orders.push(Order::Tell(node, Sign::Amiss));
        }
        self.go(Cause::Refused);
        let (first, longest) = REREAD;
        let delay = backoff(self.machine.reads, first, longest, self.chance).max(least);
        self.machine.reads = self.machine.reads.saturating_add(1);
        self.machine.read_at = Some(self.now + delay);
        self.machine.mend_after = self.machine.mend_after.max(self.now + least);
    }

    /// What has taken too long.
    fn overdue(&mut self) {
        if let Some((request, _)) = self.machine.asked.take_if(|(_, until)| *until <= self.now) {
            self.orders.push(Order::Abandon(request));
            self.failed(Duration::ZERO, true);
        }
        let Some((attempt, node)) = self.machine.link.filter(|_| self.machine.until <= self.now) else { return };
        match self.machine.phase {
            Phase::Opening => {
                self.orders.push(Order::Drop(attempt));
                self.haunt(node);
                self.not_opened(Refusal::Unreachable);
            }
            Phase::Closing => {
                self.orders.push(Order::Drop(attempt));
                self.closed();
            }
            _ => {}
        }
    }

    /// Whatever is due now.
    fn go_on(&mut self) {
        if self.machine.phase == Phase::Waiting && self.machine.until <= self.now {
            return self.dial();
        }
        if self.moves_now() {
            return self.leave();
        }
        if !self.machine.phase.is_up() || self.machine.out || self.machine.asked.is_some() {
            return;
        }
        match self.machine.phase {
            Phase::ReadingUser => self.read(Ask::User),
            Phase::ReadingDialogs => self.read(Ask::Dialogs),
            Phase::SigningIn | Phase::Restoring => self.watch(),
            _ => {}
        }
        if self.machine.phase == Phase::Live && self.machine.asked.is_none() {
            if self.machine.read_at.is_some_and(|at| at <= self.now) {
                self.read_again();
            } else {
                self.mend();
            }
        }
    }

    fn dial(&mut self) {
        let Some(node) = self.machine.node.filter(|_| self.go(Cause::Due)) else { return };
        let attempt = Attempt(self.machine.next);
        self.machine.next += 1;
        self.machine.link = Some((attempt, node));
        self.machine.moving = None;
        self.machine.until = self.now + OPEN_WITHIN;
        self.orders.push(Order::Open(attempt, node));
    }

    fn moves_now(&self) -> bool {
        let can = self.machine.phase.is_up() || self.machine.phase == Phase::Opening;
        let stays =
            |moving: Move| self.machine.known.in_call() && moving.patience.is_some_and(|until| self.now < until);
        self.machine.moving.is_some_and(|moving| can && moving.at <= self.now && !stays(moving))
    }

    fn leave(&mut self) {
        let Some((attempt, node)) = self.machine.link else { return };
        self.machine.moving = None;
        self.haunt(node);
        self.abandon();
        self.machine.buffer.clear();
        self.machine.read_at = None;
        self.go(Cause::Moved);
        self.machine.until = self.now + CLOSE_WITHIN;
        self.orders.push(Order::Close(attempt));
        self.cut();
    }

    fn ask(&mut self, ask: Ask) {
        let Some((_, node)) = self.machine.link else { return };
        let request = Request(self.machine.next);
        self.machine.next += 1;
        self.machine.asked = Some((request, self.now + ASK_WITHIN));
        self.orders.push(Order::Ask(request, node, ask));
    }

    fn read(&mut self, ask: Ask) {
        if self.machine.read_at.is_some_and(|at| self.now < at) {
            return;
        }
        self.machine.read_at = None;
        // What came before the question is older than the answer.
        self.machine.buffer.clear();
        self.ask(ask);
    }

    fn read_again(&mut self) {
        self.machine.read_at = None;
        if self.go(Cause::ReadAgain) {
            self.read(Ask::User);
        }
    }

    /// Whether the agent is as they were; if that takes too long, everything is read again.
    fn watch(&mut self) {
        let signed_in = self.state().and_then(UserState::is_signed_in);
        let done = match self.machine.phase {
            Phase::SigningIn => {
                signed_in == Some(true) && self.machine.need().is_none_or(|need| !matches!(need, Ask::SignIn(_)))
            }
            _ => self.machine.need().is_none(),
        };
        if done {
            self.go(if self.machine.phase == Phase::SigningIn { Cause::SignedIn } else { Cause::Restored });
        } else if self.machine.until <= self.now {
            self.settle();
            self.read_again();
        }
    }

    /// The server where the agent was signed in does not tell of their phone: it is not asked to know it again and again.
    fn settle(&mut self) {
        if self.machine.phase == Phase::SigningIn {
            self.machine.home = self.machine.link.map(|(_, node)| node);
        }
    }

    fn mend(&mut self) {
        let Some(need) = self.machine.need() else {
            if self.now >= self.machine.mend_after + FORCED_WITHIN {
                self.machine.mends = 0;
            }
            // In a call it is not decided yet what comes after it.
            if matches!(self.state(), Some(UserState::Ready | UserState::NotReady)) {
                self.machine.returning = false;
                self.machine.home = self.machine.link.map(|(_, node)| node);
            }
            return;
        };
        if self.now < self.machine.mend_after {
            return;
        }
        let (first, longest) = MEND;
        // At least half of it: an event should have the time to come before the next attempt.
        let most = first.saturating_mul(1 << self.machine.mends.min(16)).min(longest);
        self.machine.mend_after = self.now + most / 2 + jitter(most / 2, self.chance);
        self.machine.mends = self.machine.mends.saturating_add(1);
        self.machine.until = self.now + EFFECT_WITHIN;
        match &need {
            Ask::SignIn(_) => {
                self.machine.returning = true;
                self.go(Cause::LoggedOut);
            }
            _ => drop(self.go(Cause::Forced)),
        }
        self.ask(need);
    }

    fn state(&self) -> Option<&UserState> {
        self.machine.known.user().and_then(|user| user.state.as_ref())
    }
}
