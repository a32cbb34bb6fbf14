//! The task that owns a connection: it carries out what the failover transport orders, and puts what is asked on its way.

mod handle;
mod listeners;
mod transports;
mod waiting;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use topoc_openwire_proto::EncodeError;
use topoc_openwire_proto::command::{
    BrokerInfo, Command, ConnectionError, MessageDispatch, RemoveInfo, RemovedId, ShutdownInfo,
};
use topoc_openwire_proto::failover::{Attempt, Event, Failover, Order};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::tracker::{Tracker, WhileDown};
use topoc_openwire_proto::uri::Address;
use tracing::{debug, info, warn};

use self::listeners::Listeners;
use self::transports::Transports;
use self::waiting::{Answer, Unsent, Waiting};
use crate::connection::{Place, Status};
use crate::inbox::TooMuch;
use crate::list::Source;
use crate::surroundings::{Around, Surroundings};
use crate::wire::{Io, Reason, Wire, until};
use crate::{Config, Error, Refusal};

pub(crate) use self::handle::{Ask, Handle, Incoming, Shared, Stop};

/// Things asked for that may wait for a connection before nothing more is taken from the application.
const WAITING: usize = 10_000;
/// Things asked for that are taken at once.
const BATCH: usize = 256;
/// Refusals that are kept for who is slow to look at them.
const REFUSALS: usize = 64;

/// What has happened outside of the engine's own loop.
enum Outside {
    Opened(Attempt, Result<Box<Wire>, Reason>),
    Lost(Attempt, Reason),
    Listed(Result<String, String>),
}

/// How long a broker may take to let the client in where there is another one: as long as brokers and clients wait for a silent
/// peer (`maxInactivityDuration`).
const LETS_IN: Duration = Duration::from_secs(30);

/// The connection that commands go over.
struct Current {
    attempt: Attempt,
    wire: Box<Wire>,
    place: Place,
    /// Until when the broker has to let the client in, unless it has or there is no other one.
    lets_in: Option<Instant>,
}

pub(crate) struct Engine {
    config: Config,
    shared: Arc<Shared>,
    asks: mpsc::Receiver<Ask>,
    stop: mpsc::Receiver<Stop>,
    outside: (mpsc::UnboundedSender<Outside>, mpsc::UnboundedReceiver<Outside>),
    failover: Failover,
    around: Around,
    since: Instant,
    tracker: Tracker,
    current: Option<Current>,
    transports: Transports,
    waiting: Waiting,
    listeners: Listeners,
    next_command: i32,
    /// The number of the command that tells a broker who this is.
    introduction: Option<i32>,
    /// Nothing of the application holds a handle any more.
    abandoned: bool,
    /// The broker was told that the connection ends: it knows nothing of it any more.
    ending: bool,
    /// Why there is no connection, until that is told.
    lost: Option<Error>,
    /// Why it is over.
    over: Option<String>,
}

/// Starts the task of a connection.
pub(crate) fn start(config: Config, surroundings: Arc<dyn Surroundings>) -> Handle {
    let (asks, asked) = mpsc::channel(BATCH);
    let (stop, stopped) = mpsc::channel(1);
    let (status, _) = watch::channel(Status::Connecting);
    let (losses, largest_frame) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let (refusals, _) = broadcast::channel(REFUSALS);
    let shared = Shared { losses, largest_frame, status, refusals, surroundings: Arc::clone(&surroundings) };
    let shared = Arc::new(shared);
    let mut around = Around(Arc::clone(&surroundings));
    let failover = Failover::new(config.addresses.clone(), config.failover.clone(), &mut around);
    let outside = mpsc::unbounded_channel();
    let engine = Engine {
        transports: Transports::new(surroundings, outside.0.clone()),
        tracker: Tracker::new(&config.failover),
        config,
        shared: Arc::clone(&shared),
        asks: asked,
        stop: stopped,
        outside,
        failover,
        around,
        since: Instant::now(),
        current: None,
        waiting: Waiting::default(),
        listeners: Listeners::default(),
        next_command: 0,
        introduction: None,
        abandoned: false,
        ending: false,
        lost: None,
        over: None,
    };
    tokio::spawn(engine.run());
    Handle { asks, stop, shared }
}

impl Engine {
    /// Runs until the application has stopped it, or until nothing holds its handle any more.
    async fn run(mut self) {
        self.tell(Event::Start).await;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let wakes = self.wakes_at();
            let takes = self.takes();
            tokio::select! {
                count = self.asks.recv_many(&mut batch, BATCH), if takes => {
                    if count == 0 {
                        return self.end(Instant::now() + self.config.client.close_timeout).await;
                    }
                    self.ask_all(&mut batch);
                }
                stop = self.stop.recv(), if !self.abandoned => match stop {
                    Some(Stop { deadline, ended }) => {
                        self.end(deadline).await;
                        let _ = ended.send(());
                        return;
                    }
                    // What was asked for before is done first.
                    None => self.abandoned = true,
                },
                io = io(&mut self.current), if self.current.is_some() => self.io(io).await,
                outside = self.outside.1.recv() => {
                    if let Some(outside) = outside {
                        self.outside(outside).await;
                    }
                }
                () = until(wakes) => self.timer().await,
            }
        }
    }

    /// Whether anything more is taken from the application at the moment. When it has gone, all that is left is taken: so its
    /// end is seen also where as much waits as may.
    fn takes(&self) -> bool {
        (self.abandoned || self.waiting.unsent() < WAITING)
            && self.current.as_ref().is_none_or(|current| !current.wire.is_full())
    }

    fn wakes_at(&self) -> Option<Instant> {
        let failover = self.failover.wakes_at().map(|at| self.since + at);
        let link = self.current.as_ref().and_then(|current| current.wire.wakes_at());
        let lets_in = self.current.as_ref().and_then(|current| current.lets_in);
        [failover, link, lets_in, self.waiting.wakes_at()].into_iter().flatten().min()
    }

    async fn timer(&mut self) {
        let now = Instant::now();
        if let Some(limit) = self.config.failover.timeout {
            let error = Error::TimedOut("a send without connection (`timeout` of `failover:`)", limit);
            self.waiting.give_up(now, &error);
        }
        if let Some(current) =
            self.current.as_mut().filter(|current| current.wire.wakes_at().is_some_and(|at| at <= now))
            && let Err(reason) = current.wire.timer()
        {
            self.lost(reason).await;
        }
        if self.current.as_ref().and_then(|current| current.lets_in).is_some_and(|at| at <= now) {
            self.not_let_in().await;
        }
        if self.failover.wakes_at().is_some_and(|at| self.since + at <= now) {
            self.tell(Event::Timer).await;
        }
    }

    // What the application asks for.

    fn ask_all(&mut self, batch: &mut Vec<Ask>) {
        for ask in batch.drain(..) {
            self.ask(ask);
        }
    }

    fn ask(&mut self, ask: Ask) {
        match ask {
            // Who listens when all is over hears the end at once.
            Ask::Listen(..) if self.over.is_some() => {}
            Ask::Listen(consumer, inbox) => self.listeners.listen(&consumer, inbox),
            Ask::Unlisten(consumer) => self.listeners.unlisten(&consumer),
            Ask::Watch(producer, window) => self.listeners.watch(&producer, window),
            Ask::Unwatch(producer) => self.listeners.unwatch(&producer),
            Ask::Request(command, answer) => self.command(command, Some(answer)),
            Ask::Send(command) => self.command(command, None),
            Ask::SendOver(losses, command) if self.is_over(losses) => self.command(command, None),
            Ask::RequestOver(losses, command, answer) if self.is_over(losses) => self.command(command, Some(answer)),
            Ask::SendOver(..) | Ask::RequestOver(..) => {}
        }
    }

    /// Whether the connection is there that so many were lost before. When all is over, that is said in the usual way.
    fn is_over(&self, losses: u64) -> bool {
        let now = self.shared.losses.load(Ordering::Relaxed);
        self.over.is_some() || (self.current.is_some() && losses == now)
    }

    fn command(&mut self, mut command: Command, answer: Option<Answer>) {
        let closed = || self.ending.then_some(CLOSED).filter(|_| !matches!(command, Command::ShutdownInfo(_)));
        if let Some(reason) = self.over.as_deref().or_else(closed) {
            if let Some(answer) = answer {
                let _ = answer.send(Err(Error::Disconnected(reason.to_owned())));
            }
            return;
        }
        self.ending |=
            matches!(&command, Command::RemoveInfo(RemoveInfo { object_id: Some(RemovedId::Connection(_)), .. }));
        self.next_command = self.next_command.wrapping_add(1);
        command.set_number(self.next_command, answer.is_some());
        if self.current.is_some() {
            return self.write(&command, answer);
        }
        if let Command::RemoveInfo(RemoveInfo { object_id: Some(RemovedId::Consumer(id)), .. }) = &command {
            self.waiting.forget_consumer(id);
        }
        match self.tracker.while_down(&command) {
            WhileDown::Drop => {}
            WhileDown::Answer(_) => {
                if let Some(answer) = answer {
                    let _ = answer.send(Ok(()));
                }
            }
            // One for each time that somebody asks.
            WhileDown::Dispatch(dispatch) => drop(self.dispatch(dispatch)),
            WhileDown::Wait => {
                let limit = self.config.failover.timeout.filter(|_| matches!(command, Command::Message(_)));
                let until = limit.map(|limit| Instant::now() + limit);
                self.waiting.for_connection(Unsent { command, answer, until });
            }
        }
    }

    /// Writes a command that has its number.
    fn write(&mut self, command: &Command, answer: Option<Answer>) {
        let frame = match self.encode(command) {
            Ok(frame) => frame,
            Err(error) => {
                warn!(%error, "a command is not sent");
                if let Some(answer) = answer {
                    let _ = answer.send(Err(error.into()));
                }
                return;
            }
        };
        if let Command::ConnectionInfo(info) = command {
            self.introduction = Some(info.command_id);
        }
        self.tracker.sent(command, &frame);
        if let (Some(answer), Some((number, _))) = (answer, command.number()) {
            self.waiting.for_answer(number, answer);
        }
        if let Some(current) = &mut self.current {
            current.wire.push(&frame);
        }
    }

    /// A frame that the broker takes: of a longer one it would close the connection, and again after every failover.
    fn encode(&self, command: &Command) -> Result<Bytes, EncodeError> {
        let frame = frame::encode(command)?;
        let (size, limit) = (frame.len().saturating_sub(4) as u64, self.shared.largest_frame.load(Ordering::Relaxed));
        if size > limit { Err(EncodeError::FrameTooLong { size, limit }) } else { Ok(frame.into()) }
    }

    // What comes from the broker.

    async fn io(&mut self, io: Result<Io, Reason>) {
        let read = match io {
            Ok(Io::Read) => self.read().await,
            Ok(Io::Room) => Ok(()),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = read {
            self.lost(reason).await;
        }
    }

    /// Takes every command that has come whole.
    async fn read(&mut self) -> Result<(), Reason> {
        while let Some(current) = &mut self.current {
            let Some(command) = current.wire.next()? else { break };
            self.received(command).await?;
        }
        Ok(())
    }

    async fn received(&mut self, command: Command) -> Result<(), Reason> {
        self.tracker.received(&command);
        match command {
            Command::MessageDispatch(dispatch) => {
                self.dispatch(dispatch).map_err(|TooMuch| "the broker sends more messages than it may".to_owned())?;
            }
            Command::Response(response) => self.answered(response.correlation_id),
            Command::DataResponse(response) => self.answer(response.correlation_id, Ok(())),
            Command::DataArrayResponse(response) => self.answer(response.correlation_id, Ok(())),
            Command::IntegerResponse(response) => self.answer(response.correlation_id, Ok(())),
            Command::ExceptionResponse(response) => {
                let (number, refusal) = (response.correlation_id, Refusal::of(response.exception));
                if self.introduction == Some(number) && !self.waiting.is_for_answer(number) {
                    self.refused(refusal);
                } else {
                    self.answer(number, Err(refusal));
                }
            }
            Command::ProducerAck(ack) => self.listeners.producer_ack(&ack),
            Command::BrokerInfo(broker) => self.broker(&broker),
            Command::ConsumerControl(control) => self.listeners.consumer_control(&control),
            Command::ConnectionControl(control) => self.tell(Event::Control(control)).await,
            Command::ConnectionError(ConnectionError { exception, .. }) => self.unasked(Refusal::of(exception)),
            Command::ShutdownInfo(_) => return Err("the broker shuts down".to_owned()),
            // Nothing that a broker has to say to a client.
            _ => debug!("a command that a client has no use for"),
        }
        Ok(())
    }

    fn answer(&mut self, number: i32, result: Result<(), Refusal>) {
        if let Err(refusal) = self.waiting.answer(number, result) {
            self.unasked(refusal);
        }
    }

    /// The broker has done what it was asked for. When that was to let the client in, it is connected.
    fn answered(&mut self, number: i32) {
        if self.introduction == Some(number)
            && let Some(current) = &mut self.current
        {
            current.lets_in = None;
            self.shared.status.send_replace(Status::Connected(current.place.clone()));
        }
        self.answer(number, Ok(()));
    }

    /// A refusal that nobody waits for.
    fn unasked(&self, refusal: Refusal) {
        warn!(error = %refusal, "the broker refuses something that nobody waits for");
        // Perhaps nobody listens either.
        let _ = self.shared.refusals.send(refusal);
    }

    fn dispatch(&self, dispatch: MessageDispatch) -> Result<(), TooMuch> {
        self.listeners.dispatch(self.shared.losses.load(Ordering::Relaxed), dispatch)
    }

    fn broker(&mut self, broker: &BrokerInfo) {
        let name = broker.broker_name.clone();
        if let Some(current) = &mut self.current {
            current.place.broker.clone_from(&name);
        }
        self.shared.status.send_if_modified(|status| match status {
            Status::Connected(place) if place.broker != name => {
                place.broker = name;
                true
            }
            _ => false,
        });
    }

    // What the failover transport orders.

    /// The connection is lost.
    async fn lost(&mut self, reason: Reason) {
        if let Some(current) = self.current.take() {
            self.lost = Some(Error::Disconnected(reason.clone()));
            self.tell(Event::Failed(current.attempt, reason)).await;
        }
    }

    /// A broker has said nothing to who this is.
    async fn not_let_in(&mut self) {
        if let Some(current) = self.current.take() {
            let reason = format!("the broker has not let the client in for {} s", LETS_IN.as_secs());
            self.lost = Some(Error::Disconnected(reason.clone()));
            self.tell(Event::Mute(current.attempt, reason)).await;
        }
    }

    /// A broker that the client has come to does not let it in, and refuses all that was asked again. So it counts as lost,
    /// and what was asked waits for another; after a while, for it may be the only one.
    fn refused(&mut self, refusal: Refusal) {
        let Some(Current { attempt, .. }) = self.current.take() else { return };
        self.transports.refused(attempt, format!("the broker refuses the connection: {refusal}"));
        let error = Error::Refused(refusal.clone());
        self.lost = Some(error.clone());
        self.shared.status.send_replace(Status::Interrupted(error));
        let _ = self.shared.refusals.send(refusal);
    }

    async fn outside(&mut self, outside: Outside) {
        match outside {
            Outside::Opened(attempt, opened) => match (self.transports.forget(attempt), opened) {
                (true, Ok(wire)) => {
                    self.transports.keep(attempt, wire);
                    self.tell(Event::Opened(attempt)).await;
                }
                (true, Err(reason)) => self.tell(Event::Failed(attempt, reason)).await,
                // It was closed while it was on its way.
                (false, _) => {}
            },
            Outside::Lost(attempt, reason) => {
                if self.transports.forget(attempt) {
                    self.tell(Event::Failed(attempt, reason)).await;
                }
            }
            Outside::Listed(text) => self.tell(Event::Listed(text)).await,
        }
    }

    /// Tells the failover transport what has happened, and does what it says; what fails meanwhile it is told as well.
    async fn tell(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for order in self.failover.handle(self.since.elapsed(), event, &mut self.around) {
                events.extend(self.carry_out(order).await);
            }
        }
    }

    async fn carry_out(&mut self, order: Order) -> Option<Event> {
        match order {
            Order::Open(attempt, address) => self.open(attempt, address),
            Order::Close(attempt) => self.close(attempt),
            Order::Use { attempt, address, restore } => return self.use_wire(attempt, address, restore).await,
            Order::Interrupted => self.interrupted(),
            Order::List(url) => self.list(&url),
            Order::Warn(text) => warn!("{text}"),
            Order::GiveUp(reason) => self.give_up(reason),
        }
        None
    }

    fn open(&mut self, attempt: Attempt, address: Address) {
        if self.config.tls.believes_anybody() && address.dial() == topoc_openwire_proto::uri::Dial::Tls {
            warn!(%address, "whoever answers is believed: `TlsConfig::danger_believe_anybody` is set");
        }
        debug!(%address, "connecting");
        self.transports.open(attempt, address);
    }

    fn close(&mut self, attempt: Attempt) {
        if self.current.as_ref().is_some_and(|current| current.attempt == attempt) {
            self.current = None;
        }
        self.transports.close(attempt);
    }

    /// This is the connection now: everything that the broker must know, then everything that waits.
    async fn use_wire(&mut self, attempt: Attempt, address: Address, restore: bool) -> Option<Event> {
        let mut wire = match self.transports.take(attempt).await {
            Ok(wire) => wire,
            Err(reason) => return Some(Event::Failed(attempt, reason)),
        };
        let broker = wire.take_broker();
        let place =
            Place { address: address.to_string(), broker: broker.as_ref().and_then(|info| info.broker_name.clone()) };
        info!(%address, "connected");
        self.shared.largest_frame.store(wire.largest_frame(), Ordering::Relaxed);
        let lets_in = self.failover.has_choice().then(|| Instant::now() + LETS_IN);
        self.current = Some(Current { attempt, wire, place, lets_in });
        if restore {
            self.restore();
        }
        for Unsent { command, answer, .. } in self.waiting.take_unsent() {
            self.write(&command, answer);
        }
        None
    }

    fn restore(&mut self) {
        let restored = self.tracker.restore();
        if let Some(current) = &mut self.current {
            for frame in &restored.frames {
                current.wire.push(frame);
            }
        }
        for answer in restored.answers {
            match answer {
                Command::Response(response) => self.answer(response.correlation_id, Ok(())),
                Command::ExceptionResponse(response) => {
                    self.answer(response.correlation_id, Err(Refusal::of(response.exception)));
                }
                _ => {}
            }
        }
        // What consumers have got over the lost connection is told apart by its number: the windows can open at once.
        for control in self.tracker.resume() {
            self.command(control.into(), None);
        }
    }

    fn interrupted(&mut self) {
        self.shared.losses.fetch_add(1, Ordering::Release);
        let elsewhere = || Error::Disconnected("the client goes to another broker".to_owned());
        self.shared.status.send_replace(Status::Interrupted(self.lost.take().unwrap_or_else(elsewhere)));
        self.listeners.interrupted();
    }

    /// Reads a list of brokers (`updateURIsURL`) without holding anything up.
    fn list(&mut self, url: &str) {
        let tell = self.outside.0.clone();
        let reading = Source::parse(url).map(|source| self.shared.surroundings.list(source));
        tokio::spawn(async move {
            let read = match reading {
                Ok(reading) => reading.await,
                Err(error) => Err(std::io::Error::other(error)),
            };
            // Java joins the lines without anything between them.
            let text = read.map(|text| text.lines().map(str::trim).collect());
            let _ = tell.send(Outside::Listed(text.map_err(|error| error.to_string())));
        });
    }

    fn give_up(&mut self, reason: String) {
        self.current = None;
        self.waiting.end(&Error::Disconnected(reason.clone()));
        self.listeners.end();
        self.shared.losses.fetch_add(1, Ordering::Release);
        self.shared.status.send_replace(Status::Over(reason.clone()));
        self.over = Some(reason);
    }

    /// Says goodbye, as far as there is anybody to say it to, and closes everything.
    async fn end(&mut self, deadline: Instant) {
        // What was asked for before goes out before.
        while let Ok(ask) = self.asks.try_recv() {
            self.ask(ask);
        }
        if self.current.is_some() {
            self.command(ShutdownInfo::default().into(), None);
            if let Some(current) = &mut self.current {
                let _ = tokio::time::timeout_at(deadline, current.wire.finish()).await;
            }
        }
        self.current = None;
        if self.over.is_none() {
            self.tell(Event::Stop).await;
            self.give_up(CLOSED.to_owned());
        }
    }
}

/// Why it is over, when the application has ended it.
const CLOSED: &str = "the connection was closed";

/// What happens on the connection, while there is one.
async fn io(current: &mut Option<Current>) -> Result<Io, Reason> {
    match current {
        Some(current) => poll_fn(|cx| current.wire.poll(cx)).await,
        None => std::future::pending().await,
    }
}
