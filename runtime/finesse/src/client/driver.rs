//! Carries out what the machine of one agent orders: with a session, a line of requests, and the task that watches the servers.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use topoc_finesse_proto::cluster::{NodeId, Sign, Who};
use topoc_finesse_proto::line::{Outcome, Why};
use topoc_finesse_proto::notification::{self, Update};
use topoc_finesse_proto::rest::{self, Command, Credentials, Refusal, Request};
use topoc_finesse_proto::session::{
    self, ASK_WITHIN, Answer, Ask, Attempt, Change, Connection, Event, Loss, Notice, Order, Session, SignIn,
};
use topoc_finesse_proto::user::UserState;
use topoc_finesse_proto::xmpp::LIMITS;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::jid::{Jid, JidError};
use topoc_finesse_proto::xmpp::options::{Login as SessionLogin, Options as SessionOptions};

use super::agent::{Agent, Login, Told, Wanted};
use super::dice::Dice;
use super::renewal::{Renewal, Renewed};
use super::watcher::{Confirmed, Orders};
use super::{Place, Shared};
use crate::rest::{Agent as Line, Notice as LineNotice, Server, Wish};
use crate::xmpp::{self, Happening};

/// How many things a program may want of an agent at a time before it waits.
const WANTED: usize = 16;

type Opening = Pin<Box<dyn Future<Output = Result<xmpp::Session, End>> + Send>>;
type Closing = Pin<Box<dyn Future<Output = End> + Send>>;

/// The agent's session.
enum Link {
    None,
    Opening(Attempt, Opening),
    /// Waits for a new token to open it with.
    Renewing(Attempt),
    Open(Attempt, xmpp::Session),
    Closing(Attempt, Closing, AbortHandle),
}

/// What comes of a session.
enum Linked {
    Opened(Attempt, Box<Result<xmpp::Session, End>>),
    Happened(Attempt, Happening),
    Closed(Attempt),
}

impl Link {
    /// What comes next. Nothing is lost when the future is dropped.
    async fn next(&mut self) -> Linked {
        match self {
            Self::None | Self::Renewing(_) => pending().await,
            Self::Opening(attempt, opening) => Linked::Opened(*attempt, Box::new(opening.await)),
            Self::Open(attempt, session) => match session.next().await {
                Some(happening) => Linked::Happened(*attempt, happening),
                None => Linked::Happened(*attempt, Happening::Ended(End::Closed)),
            },
            Self::Closing(attempt, closing, _) => {
                closing.await;
                Linked::Closed(*attempt)
            }
        }
    }

    fn attempt(&self) -> Option<Attempt> {
        match self {
            Self::None => None,
            Self::Renewing(attempt)
            | Self::Opening(attempt, _)
            | Self::Open(attempt, _)
            | Self::Closing(attempt, _, _) => Some(*attempt),
        }
    }
}

/// What the task waits for.
enum Heard {
    Wanted(Option<Wanted>),
    Ordered,
    Confirmed,
    Noticed(LineNotice),
    TokenAges,
    Renewed(Renewed),
    Answered(Outcome),
    Linked(Linked),
    Taken(bool),
    Time,
}

/// One agent being looked after.
struct Driver {
    shared: Arc<Shared>,
    who: Who,
    login: Login,
    machine: Session,
    dice: Dice,
    line: Line,
    notices: mpsc::Receiver<LineNotice>,
    renewal: Option<Renewal>,
    /// The session that a new token was last asked for.
    renewed_for: Option<Attempt>,
    wanted: mpsc::Receiver<Box<Wanted>>,
    orders: watch::Receiver<Orders>,
    /// Numbers of the last orders that were followed.
    followed: u64,
    confirmed: watch::Receiver<Confirmed>,
    /// When the agent may open their first session, once there is a server.
    turn: Option<Instant>,
    /// Since when something is wrong between the line and its server.
    trouble: Option<Instant>,
    /// Where the line's requests go.
    aimed: Option<NodeId>,
    link: Link,
    asked: Option<(session::Request, oneshot::Receiver<Outcome>)>,
    /// The line does not take anything because of its credentials.
    stopped: bool,
    events: VecDeque<Event>,
    tell: mpsc::Sender<Told>,
    /// What is told and has not been taken.
    outbox: VecDeque<Told>,
    leaving: Option<Option<oneshot::Sender<()>>>,
}

/// Starts the task of an agent.
pub(super) fn start(shared: Arc<Shared>, who: Who, login: Login) -> Result<(Agent, mpsc::Receiver<Told>), JidError> {
    for place in &shared.places {
        Jid::of_agent(&login.id, &place.domain.name(), &login.resource)?;
    }
    let (want, wanted) = mpsc::channel(WANTED);
    let (tell, told) = mpsc::channel(shared.options.told.max(1));
    tokio::spawn(async move {
        // A client without servers has nothing to do.
        let Some(first) = shared.places.first() else { return };
        let renewal = login.token.clone().map(|token| Renewal::new(&login.id, token, shared.began.elapsed()));
        let mut options = shared.options.line;
        options.renewable |= renewal.is_some();
        let (line, notices) = Line::new(first.rest.clone(), login.credentials.header(), options);
        // Nothing is sent before there is a session.
        line.server_lost().await;
        let driver = Driver {
            machine: Session::new(shared.options.cluster.deployment),
            dice: Dice(Arc::clone(&first.xmpp.tls)),
            line,
            notices,
            renewal,
            renewed_for: None,
            wanted,
            orders: shared.orders.clone(),
            followed: 0,
            confirmed: shared.confirmed.clone(),
            turn: None,
            trouble: None,
            aimed: None,
            link: Link::None,
            asked: None,
            stopped: false,
            events: VecDeque::new(),
            tell,
            outbox: VecDeque::new(),
            leaving: None,
            shared: Arc::clone(&shared),
            who,
            login,
        };
        // Boxed, so that the task is no larger than it needs to be.
        Box::pin(driver.run()).await;
    });
    Ok((Agent { wanted: want }, told))
}

impl Driver {
    async fn run(mut self) {
        let sign_in = self.login.sign_in.clone();
        self.handle(Event::Start(sign_in)).await;
        self.ordered().await;
        while !self.is_over() {
            let heard = self.hear().await;
            self.heard(heard).await;
        }
        if let Some(Some(left)) = self.leaving.take() {
            let _ = left.send(());
        }
    }

    fn is_over(&self) -> bool {
        self.leaving.is_some() && matches!(self.link, Link::None)
    }

    async fn hear(&mut self) -> Heard {
        let wakes_at = self.machine.wakes_at().map(|at| self.shared.began + at);
        // What has been told and is not taken keeps the rest at the server: nothing grows here.
        let takes = self.outbox.is_empty();
        let ages_at = self.renewal.as_ref().and_then(Renewal::wakes_at).map(|at| self.shared.began + at);
        let turn = self.turn.unwrap_or(self.shared.began);
        // Whose turn has not come follows nobody yet; the last orders are followed then.
        let waits = self.turn.is_some() && self.followed == 0;
        tokio::select! {
            wanted = self.wanted.recv(), if self.leaving.is_none() => Heard::Wanted(wanted.map(|wanted| *wanted)),
            Ok(()) = self.orders.changed(), if !waits => Heard::Ordered,
            () = sleep_until(turn), if waits => Heard::Ordered,
            Ok(()) = self.confirmed.changed(), if self.trouble.is_some() => Heard::Confirmed,
            Some(notice) = self.notices.recv() => Heard::Noticed(notice),
            () = sleep_until(ages_at.unwrap_or(self.shared.began)), if ages_at.is_some() => Heard::TokenAges,
            renewed = Renewal::answer(&mut self.renewal) => Heard::Renewed(renewed),
            outcome = answer(&mut self.asked), if takes && self.asked.is_some() => Heard::Answered(outcome),
            linked = self.link.next(), if takes => Heard::Linked(linked),
            permit = self.tell.reserve(), if !takes => Heard::Taken(match permit {
                Ok(permit) => {
                    if let Some(told) = self.outbox.pop_front() {
                        permit.send(told);
                    }
                    true
                }
                Err(_) => false,
            }),
            () = sleep_until(wakes_at.unwrap_or(self.shared.began)), if wakes_at.is_some() => Heard::Time,
        }
    }

    async fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Wanted(Some(Wanted::Request(command, request, wish, owner))) => {
                if let Some(wish) = wish_of(&command) {
                    self.handle(Event::Wished(wish)).await;
                }
                self.line.put(request, wish, owner);
            }
            Heard::Wanted(Some(Wanted::Start(credentials, sign_in))) => self.start_again(credentials, sign_in).await,
            Heard::Wanted(Some(Wanted::Leave(left))) => self.leave(Some(left)).await,
            Heard::Wanted(None) => self.leave(None).await,
            Heard::Ordered => self.ordered().await,
            Heard::Confirmed => self.confirmed().await,
            Heard::Noticed(notice) => self.noticed(notice).await,
            Heard::TokenAges => self.token_ages(),
            Heard::Renewed(renewed) => self.renewed(renewed).await,
            Heard::Answered(outcome) => self.answered(outcome).await,
            Heard::Linked(linked) => self.linked(linked).await,
            Heard::Taken(true) => {}
            // Nobody listens any more.
            Heard::Taken(false) => self.outbox.clear(),
            Heard::Time => self.handle(Event::Timer).await,
        }
    }

    async fn start_again(&mut self, credentials: Option<Credentials>, sign_in: Option<SignIn>) {
        if let Some(credentials) = credentials {
            self.login.credentials = credentials;
            // What was renewed is not theirs any more.
            self.renewal = None;
        }
        self.renew().await;
        self.handle(Event::Start(sign_in)).await;
    }

    /// The line may try the credentials, which are new, or deserve another attempt in the machine's view.
    async fn renew(&mut self) {
        self.stopped = false;
        self.line.use_credentials(self.login.credentials.header()).await;
    }

    async fn leave(&mut self, left: Option<oneshot::Sender<()>>) {
        self.leaving = Some(left);
        self.handle(Event::Stop).await;
        // Nobody is told anything after that.
        self.outbox.clear();
    }

    // The task that watches the servers.

    /// Follows the last orders, as far as they are new.
    async fn ordered(&mut self) {
        let orders = self.orders.borrow_and_update().clone();
        let followed = self.followed;
        if followed == 0 && orders.assigned.is_some() {
            let turn = *self.turn.get_or_insert_with(|| self.shared.turn());
            if Instant::now() < turn {
                return;
            }
        }
        if let Some(assigned) = orders.assigned.filter(|assigned| assigned.number > followed) {
            self.followed = assigned.number;
            let late = assigned.at.elapsed();
            let over = assigned.over.saturating_sub(late);
            self.handle(match assigned.within {
                Some(within) => Event::Drain(assigned.node, over, within.saturating_sub(late)),
                None => Event::Use(assigned.node, over),
            })
            .await;
        }
        if let Some((number, node)) = orders.interrupted.filter(|(number, _)| *number > followed) {
            self.followed = number;
            self.handle(Event::Interrupted(node)).await;
        }
    }

    /// A server has said that it is in service: the line goes on, if that is newer than its trouble.
    async fn confirmed(&mut self) {
        let confirmed = self.confirmed.borrow_and_update().clone();
        let (Some(Connection::Live(node)), Some(since)) = (self.machine.connection(), self.trouble) else { return };
        if confirmed.get(node.0).copied().flatten().is_some_and(|asked| asked >= since) {
            self.ready(node).await;
        }
    }

    async fn ready(&mut self, node: NodeId) {
        self.trouble = None;
        if let Some(place) = self.shared.places.get(node.0) {
            self.line.use_server(place.rest.clone()).await;
        }
    }

    /// Whether a server that agents leave answers what is on its way to it: it is emptied, or slow.
    fn works(&self, node: NodeId) -> bool {
        self.shared.status.borrow().judgements.get(node.0).is_some_and(|judgement| judgement.is_usable())
    }

    // The line.

    async fn noticed(&mut self, notice: LineNotice) {
        match notice {
            LineNotice::Trouble(trouble) => {
                tracing::debug!(agent = %self.login.id, %trouble, "a request of the agent was not answered");
                self.trouble = Some(Instant::now());
                if let Some(node) = self.aimed {
                    self.tell_watcher(node, Sign::Amiss).await;
                }
            }
            LineNotice::Renew => {
                if !self.token_refused() {
                    self.line.no_credentials().await;
                    self.bar().await;
                }
            }
            LineNotice::Stopped(_) => {
                // The machine hears of it by its own request: the one that was refused, or one that it is made to send.
                let asks = self.stopped || self.asked.is_some();
                self.stopped = true;
                if let Some(Connection::Live(node)) = self.machine.connection().filter(|_| !asks) {
                    self.handle(Event::Use(node, ASK_WITHIN)).await;
                }
            }
        }
    }

    // The token.

    fn renewing_server(&self) -> Option<Server> {
        let place = self.aimed.unwrap_or(NodeId(0)).0;
        self.shared.places.get(place).map(|place| place.rest.clone())
    }

    fn token_ages(&mut self) {
        let (now, server) = (self.shared.began.elapsed(), self.renewing_server());
        if let Some((renewal, server)) = self.renewal.as_mut().zip(server) {
            renewal.ask(now, &server);
        }
    }

    /// The token in use is not accepted. Whether a new one may come.
    fn token_refused(&mut self) -> bool {
        let server = self.renewing_server();
        self.renewal.as_mut().zip(server).is_some_and(|(renewal, server)| renewal.refused(&server))
    }

    async fn renewed(&mut self, renewed: Renewed) {
        let now = self.shared.began.elapsed();
        let Some(renewal) = &mut self.renewal else { return };
        let waits = if let Link::Renewing(attempt) = self.link { Some(attempt) } else { None };
        if let Some(credentials) = renewal.take(renewed, now) {
            tracing::debug!(agent = %self.login.id, "the agent has a new token");
            self.outbox.push_back(Told::Renewed(Box::new(renewal.token().clone())));
            self.login.credentials = credentials;
            self.renew().await;
            let shared = Arc::clone(&self.shared);
            if let Some((attempt, NodeId(place))) = waits.zip(self.aimed) {
                shared.places.get(place).into_iter().for_each(|place| self.open(attempt, place));
            }
            return;
        }
        if self.renewal.as_ref().is_some_and(|renewal| renewal.is_over(now)) {
            self.line.no_credentials().await;
        }
        if let Some(attempt) = waits {
            self.link = Link::None;
            self.not_opened(attempt, session::Refusal::NoToken).await;
        } else {
            self.bar().await;
        }
    }

    /// Ends the session if its credentials are refused and no others can be had without a person. Whether that is so.
    async fn bar(&mut self) -> bool {
        let now = self.shared.began.elapsed();
        let is_over = self.renewal.as_ref().is_some_and(|renewal| renewal.is_over(now));
        if is_over {
            self.handle(Event::Barred).await;
        }
        is_over
    }

    async fn ask(&mut self, request: session::Request, ask: Ask) {
        if self.stopped {
            self.renew().await;
        }
        let (owner, outcome) = oneshot::channel();
        self.asked = Some((request, outcome));
        // An id that can be part of an address can be part of a path; if not, the owner is gone and so is the request.
        if let Ok(request) = Request::new(&command(&self.login.id, ask)) {
            let wish = Wish { deadline: Instant::now() + ASK_WITHIN, request_id: None, recovery: true };
            self.line.put(request, wish, owner);
        }
    }

    async fn answered(&mut self, outcome: Outcome) {
        let Some((request, _)) = self.asked.take() else { return };
        let answer = read(outcome);
        self.stopped |= answer == Answer::Unauthorized;
        self.handle(Event::Answered(request, answer)).await;
    }

    // The session.

    fn open(&mut self, attempt: Attempt, place: &Place) {
        let now = self.shared.began.elapsed();
        if self.renewal.as_ref().is_some_and(|renewal| renewal.is_due(now)) && self.renews(attempt) {
            return;
        }
        let opening: Opening = match Jid::of_agent(&self.login.id, &place.domain.name(), &self.login.resource) {
            Ok(jid) => {
                let password = match &self.login.credentials {
                    Credentials::Basic { password, .. } => password.clone(),
                    Credentials::Bearer(token) => token.clone(),
                };
                let options = SessionOptions { transport: place.transport, ..self.shared.options.session.clone() };
                let (server, login) = (place.xmpp.clone(), SessionLogin { jid, password });
                Box::pin(async move { xmpp::Session::open(&server, login, options).await })
            }
            // It could be made at the start.
            Err(_) => Box::pin(async { Err(End::NotBound("jid-malformed".to_owned())) }),
        };
        self.link = Link::Opening(attempt, opening);
    }

    /// Asks for a new token before the session is opened, again. Only once for each: one that is refused, too, is not renewed.
    fn renews(&mut self, attempt: Attempt) -> bool {
        let renews = self.renewed_for != Some(attempt) && self.token_refused();
        if renews {
            (self.link, self.renewed_for) = (Link::Renewing(attempt), Some(attempt));
        }
        renews
    }

    async fn not_opened(&mut self, attempt: Attempt, refusal: session::Refusal) {
        let is_of_token = matches!(refusal, session::Refusal::Unauthorized | session::Refusal::NoToken);
        if !(is_of_token && self.bar().await) {
            self.handle(Event::NotOpened(attempt, refusal)).await;
        }
    }

    fn close(&mut self, attempt: Attempt) {
        self.link = match std::mem::replace(&mut self.link, Link::None) {
            Link::Open(of, session) if of == attempt => {
                let cutter = session.cutter();
                Link::Closing(attempt, Box::pin(session.close()), cutter)
            }
            // Nothing is open yet.
            Link::Opening(of, _) | Link::Renewing(of) if of == attempt => {
                self.events.push_back(Event::Closed(attempt));
                Link::None
            }
            other => other,
        };
    }

    fn cut(&mut self, attempt: Attempt) {
        if self.link.attempt() == Some(attempt) {
            match std::mem::replace(&mut self.link, Link::None) {
                Link::Open(_, session) => session.cutter().abort(),
                Link::Closing(_, _, cutter) => cutter.abort(),
                Link::Opening(..) | Link::Renewing(_) | Link::None => {}
            }
        }
    }

    async fn linked(&mut self, linked: Linked) {
        match linked {
            Linked::Opened(attempt, opened) => {
                self.link = Link::None;
                match *opened {
                    Ok(session) => {
                        self.link = Link::Open(attempt, session);
                        self.handle(Event::Opened(attempt)).await;
                    }
                    Err(end) => {
                        tracing::info!(agent = %self.login.id, reason = %end, "the agent's session could not be opened");
                        let refusal = refusal(&end);
                        if !(refusal == session::Refusal::Unauthorized && self.renews(attempt)) {
                            self.not_opened(attempt, refusal).await;
                        }
                    }
                }
            }
            Linked::Closed(attempt) => {
                self.link = Link::None;
                self.handle(Event::Closed(attempt)).await;
            }
            Linked::Happened(attempt, Happening::Ended(end)) => {
                self.link = Link::None;
                tracing::info!(agent = %self.login.id, reason = %end, "the agent's session is lost");
                let loss = if end == End::Conflict { Loss::Conflict } else { Loss::Broken };
                self.handle(Event::Lost(attempt, loss)).await;
            }
            Linked::Happened(attempt, Happening::Watched(is_there)) => {
                self.handle(Event::Notified(attempt, Notice::Presence(is_there))).await;
            }
            Linked::Happened(attempt, Happening::Notified(notification)) => {
                match Update::parse(&notification.text, LIMITS) {
                    Ok(update) => self.updated(attempt, update).await,
                    Err(error) => {
                        tracing::warn!(agent = %self.login.id, node = %notification.node, %error, "a notification cannot be read");
                    }
                }
            }
            Linked::Happened(..) => {}
        }
    }

    async fn updated(&mut self, attempt: Attempt, update: Update) {
        for event in update.events {
            if let notification::Event::Failed(error) = event {
                self.outbox.push_back(Told::Failed { request_id: update.request_id.clone(), error: Box::new(error) });
            } else {
                self.handle(Event::Notified(attempt, Notice::Update(event))).await;
            }
        }
    }

    // The machine.

    async fn handle(&mut self, event: Event) {
        self.events.push_back(event);
        while let Some(event) = self.events.pop_front() {
            let now = self.shared.began.elapsed();
            for order in self.machine.handle(now, event, &mut self.dice) {
                self.carry_out(order).await;
            }
        }
    }

    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Open(attempt, node) => {
                let shared = Arc::clone(&self.shared);
                let Some(place) = shared.places.get(node.0) else { return };
                match self.aimed.replace(node) {
                    Some(before) if before == node => {}
                    Some(before) if self.works(before) => self.line.change_server(place.rest.clone()).await,
                    _ => self.line.move_to_server(place.rest.clone()).await,
                }
                self.open(attempt, place);
            }
            Order::Close(attempt) => self.close(attempt),
            Order::Drop(attempt) => self.cut(attempt),
            Order::Ask(request, _, ask) => self.ask(request, ask).await,
            Order::Abandon(request) => drop(self.asked.take_if(|(asked, _)| *asked == request)),
            Order::Tell(node, sign) => self.tell_watcher(node, sign).await,
            Order::Publish(change) => {
                match &change {
                    Change::Connection(Connection::Live(node)) => self.ready(*node).await,
                    Change::Connection(_) => self.line.server_lost().await,
                    _ => {}
                }
                self.outbox.push_back(Told::Change(change));
            }
            Order::Warn(text) => {
                tracing::warn!(agent = %self.login.id, "{text}");
                self.outbox.push_back(Told::Warned(text));
            }
        }
    }

    async fn tell_watcher(&mut self, node: NodeId, sign: Sign) {
        // It is only closed when the runtime ends.
        let _ = self.shared.tell.send((self.who, node, sign)).await;
    }
}

/// What comes of a request of the machine's.
async fn answer(asked: &mut Option<(session::Request, oneshot::Receiver<Outcome>)>) -> Outcome {
    match asked {
        Some((_, outcome)) => outcome.await.unwrap_or(Outcome::NotDone(Why::Late)),
        None => pending().await,
    }
}

/// A machine's request as a command.
fn command(agent: &str, ask: Ask) -> Command {
    let agent = agent.to_owned();
    match ask {
        Ask::User => Command::User { agent },
        Ask::Dialogs => Command::Dialogs { agent },
        Ask::SignIn(SignIn { extension, mobile }) => Command::SignIn { agent, extension, mobile },
        Ask::Ready => Command::ChangeState { agent, state: UserState::Ready, reason: None },
        Ask::NotReady(reason) => Command::ChangeState { agent, state: UserState::NotReady, reason },
    }
}

/// What an outcome is to the machine.
fn read(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Answer(rest::Answer::User(user)) => Answer::User(user),
        Outcome::Answer(rest::Answer::Dialogs(dialogs)) => Answer::Dialogs(dialogs),
        Outcome::Answer(rest::Answer::Accepted) => Answer::Accepted,
        // The line tells a wrong password from other answers of this status.
        Outcome::Refused(Refusal::Unauthorized(_)) | Outcome::NotDone(Why::Stopped) => Answer::Unauthorized,
        Outcome::Refused(refusal @ Refusal::Refused { .. }) => Answer::Refused(refusal.to_string()),
        Outcome::Answer(_) | Outcome::Refused(_) | Outcome::NotDone(_) | Outcome::Unknown(_) => Answer::Unserved,
    }
}

/// Why a session could not be opened, to the machine.
fn refusal(end: &End) -> session::Refusal {
    match end {
        End::Conflict => session::Refusal::Conflict,
        End::NotAuthorized { .. } if !end.is_worth_retrying() => session::Refusal::Unauthorized,
        _ => session::Refusal::Unreachable,
    }
}

/// What a command says of the agent's wishes, if anything.
fn wish_of(command: &Command) -> Option<session::Wish> {
    match command {
        Command::SignIn { extension, mobile, .. } => {
            Some(session::Wish::SignedIn(SignIn { extension: extension.clone(), mobile: mobile.clone() }))
        }
        Command::SignOut { .. } => Some(session::Wish::SignedOut),
        Command::ChangeState { state: UserState::Ready, .. } => Some(session::Wish::Ready),
        Command::ChangeState { state: UserState::NotReady, reason, .. } => Some(session::Wish::NotReady(*reason)),
        _ => None,
    }
}
