//! The task that owns a connection: it carries out what the failover transport orders, and knows who waits for which answer.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use topoc_openwire_proto::EncodeError;
use topoc_openwire_proto::command::{
    BrokerInfo, Command, ConnectionError, ConsumerControl, MessageDispatch, ProducerAck, RemoveInfo, RemovedId,
    ShutdownInfo,
};
use topoc_openwire_proto::failover::{Attempt, Event, Failover, Order, World};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::id::{ConsumerId, ProducerId};
use topoc_openwire_proto::tracker::{Tracker, WhileDown};
use topoc_openwire_proto::uri::Address;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use tracing::{debug, info, warn};

use crate::connection::{Place, Status};
use crate::consumer::Held;
use crate::inbox::{self, TooMuch};
use crate::list::Source;
use crate::producer::Window;
use crate::wire::{Io, Reason, Wire, until};
use crate::{Config, Error, Refusal};

/// Things asked for that may wait for a connection before nothing more is taken from the application.
const WAITING: usize = 10_000;
/// Things asked for that are taken at once.
const BATCH: usize = 256;

/// What the application asks of the engine.
pub(crate) enum Ask {
    /// Send this; the answer is wanted.
    Request(Command, oneshot::Sender<Result<(), Error>>),
    /// Send this.
    Send(Command),
    /// Send this if so many connections were lost before: it is about what came over the one that is there now.
    SendOver(u64, Command),
    /// The same with an answer, of which nothing comes when it was not sent.
    RequestOver(u64, Command, oneshot::Sender<Result<(), Error>>),
    /// This is where messages of a consumer go from now on.
    Listen(ConsumerId, inbox::Sender),
    /// Nobody listens any more.
    Unlisten(ConsumerId),
    /// This is whom the broker tells that it has taken bytes of a producer.
    Watch(ProducerId, Arc<Window>),
    /// The producer is no more.
    Unwatch(ProducerId),
}

/// What a consumer gets.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message, or the end of browsing or of a pull, and of which connection it came.
    Dispatch(u64, Box<MessageDispatch>),
    /// The broker wants another number of messages on their way.
    Prefetch(i32),
    /// The broker has closed the consumer.
    Ended,
}

/// What a connection knows for all its parts.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Counts the connections that were lost: what came over an older one is known by it.
    pub(crate) losses: AtomicU64,
    /// The longest frame that the broker takes, in bytes without the length itself.
    pub(crate) largest_frame: AtomicU64,
    pub(crate) status: watch::Sender<Status>,
}

/// What has happened outside of the engine's own loop.
enum Outside {
    Opened(Attempt, Result<Box<Wire>, Reason>),
    Lost(Attempt, Reason),
    Listed(Result<String, String>),
}

/// How long a broker that refuses the connection is left alone: so long after its answer it hangs up, too
/// (`TransportConnection.delayedStop`, 5.6 to 6.3.1).
const REFUSED: Duration = Duration::from_secs(2);

/// A transport that is not the connection.
enum Other {
    /// On its way, or refused by the broker and soon given up.
    Opening(JoinHandle<()>),
    /// Open; ask for it, and it comes back.
    Spare(oneshot::Sender<()>, JoinHandle<Result<Box<Wire>, Reason>>),
}

/// Chance and names, as the failover transport asks for them.
struct Surroundings {
    chance: fastrand::Rng,
}

impl World for Surroundings {
    fn below(&mut self, limit: usize) -> usize {
        self.chance.usize(..limit.max(1))
    }

    /// Names of this machine are the same; others are compared as they are written, so that no name is looked up here.
    fn same_host(&mut self, one: &str, other: &str) -> bool {
        let local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "::1");
        local(one) && local(other)
    }
}

/// A consumer or producer of this connection: its session's number, and its own.
type Key = (i64, i64);

fn consumer_key(id: &ConsumerId) -> Key {
    (id.session_id, id.value)
}

fn producer_key(id: &ProducerId) -> Key {
    (id.session_id, id.value)
}

/// The connection that commands go over.
struct Current {
    attempt: Attempt,
    wire: Box<Wire>,
}

pub(crate) struct Engine {
    config: Config,
    tls: Arc<ClientConfig>,
    shared: Arc<Shared>,
    asks: mpsc::Receiver<Ask>,
    stop: mpsc::Receiver<oneshot::Sender<()>>,
    outside: (mpsc::UnboundedSender<Outside>, mpsc::UnboundedReceiver<Outside>),
    failover: Failover,
    surroundings: Surroundings,
    since: Instant,
    tracker: Tracker,
    current: Option<Current>,
    others: HashMap<Attempt, Other>,
    /// Asked for while there was no connection, and until when it may wait.
    waiting: VecDeque<(Ask, Option<Instant>)>,
    answers: HashMap<i32, oneshot::Sender<Result<(), Error>>>,
    listeners: HashMap<Key, inbox::Sender>,
    windows: HashMap<Key, Arc<Window>>,
    next_command: i32,
    /// The number of the command that tells a broker who this is.
    introduction: Option<i32>,
    /// Why it is over.
    over: Option<String>,
}

/// How the parts of a connection reach its engine.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) stop: mpsc::Sender<oneshot::Sender<()>>,
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Sends a command and waits for its answer.
    pub(crate) async fn request(&self, command: impl Into<Command>) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Request(command.into(), answer)).await?;
        answered.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// Sends a command that nobody answers.
    pub(crate) async fn send(&self, command: impl Into<Command>) -> Result<(), Error> {
        self.ask(Ask::Send(command.into())).await
    }

    /// The same for what is about messages that came over the connection that so many were lost before. None when that one
    /// was lost too: then nothing was sent.
    pub(crate) async fn request_over(&self, losses: u64, command: impl Into<Command>) -> Option<Result<(), Error>> {
        let (answer, answered) = oneshot::channel();
        if let Err(error) = self.ask(Ask::RequestOver(losses, command.into(), answer)).await {
            return Some(Err(error));
        }
        match answered.await {
            Ok(answer) => Some(answer),
            Err(_) if losses != self.losses() => None,
            Err(_) => Some(Err(self.gone())),
        }
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Result<(), Error> {
        self.asks.send(ask).await.map_err(|_| self.gone())
    }

    /// Room for one thing that is asked for: who has it can ask without waiting, and so cannot be interrupted any more.
    pub(crate) async fn reserve(&self) -> Result<mpsc::Permit<'_, Ask>, Error> {
        self.asks.reserve().await.map_err(|_| self.gone())
    }

    /// Asks from where nobody can wait. In the rare case that there is no room at the moment a task waits for it.
    pub(crate) fn ask_soon(&self, ask: Ask) {
        if let Err(mpsc::error::TrySendError::Full(ask)) = self.asks.try_send(ask)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let asks = self.asks.clone();
            runtime.spawn(async move { asks.send(ask).await.is_ok() });
        }
    }

    /// Ends a consumer.
    pub(crate) fn remove_soon(&self, id: &ConsumerId, held: &Held) {
        self.ask_soon(Ask::Send(held.remove(id, self.losses()).into()));
        self.ask_soon(Ask::Unlisten(id.clone()));
    }

    /// How many connections were lost so far.
    pub(crate) fn losses(&self) -> u64 {
        self.shared.losses.load(Ordering::Acquire)
    }

    pub(crate) fn gone(&self) -> Error {
        match &*self.shared.status.borrow() {
            Status::Over(reason) => Error::Disconnected(reason.clone()),
            _ => Error::Closed,
        }
    }
}

/// Starts the task of a connection.
pub(crate) fn start(config: Config) -> Result<Handle, Error> {
    let (asks, asked) = mpsc::channel(BATCH);
    let (stop, stopped) = mpsc::channel(1);
    let (status, _) = watch::channel(Status::Connecting);
    let shared = Arc::new(Shared { losses: AtomicU64::new(0), largest_frame: AtomicU64::new(u64::MAX), status });
    let mut surroundings = Surroundings { chance: fastrand::Rng::new() };
    let failover = Failover::new(config.addresses.clone(), config.failover.clone(), &mut surroundings);
    let engine = Engine {
        tls: config.tls.build()?,
        tracker: Tracker::new(&config.failover),
        config,
        shared: Arc::clone(&shared),
        asks: asked,
        stop: stopped,
        outside: mpsc::unbounded_channel(),
        failover,
        surroundings,
        since: Instant::now(),
        current: None,
        others: HashMap::new(),
        waiting: VecDeque::new(),
        answers: HashMap::new(),
        listeners: HashMap::new(),
        windows: HashMap::new(),
        next_command: 0,
        introduction: None,
        over: None,
    };
    tokio::spawn(engine.run());
    Ok(Handle { asks, stop, shared })
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
                        return self.end(None).await;
                    }
                    self.ask_all(&mut batch);
                }
                // Without anybody to send it there is none; what was asked for before is done first.
                Some(stop) = self.stop.recv() => return self.end(Some(stop)).await,
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

    /// Whether anything more is taken from the application at the moment.
    fn takes(&self) -> bool {
        self.waiting.len() < WAITING && self.current.as_ref().is_none_or(|current| !current.wire.is_full())
    }

    fn wakes_at(&self) -> Option<Instant> {
        let failover = self.failover.wakes_at().map(|at| self.since + at);
        let link = self.current.as_ref().and_then(|current| current.wire.wakes_at());
        let waiting = self.waiting.iter().filter_map(|(_, until)| *until).min();
        [failover, link, waiting].into_iter().flatten().min()
    }

    async fn timer(&mut self) {
        let now = Instant::now();
        self.give_up_waiting(now);
        if let Some(current) =
            self.current.as_mut().filter(|current| current.wire.wakes_at().is_some_and(|at| at <= now))
            && let Err(reason) = current.wire.timer()
        {
            self.lost(reason).await;
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
            Ask::Listen(consumer, incoming) => drop(self.listeners.insert(consumer_key(&consumer), incoming)),
            Ask::Unlisten(consumer) => drop(self.listeners.remove(&consumer_key(&consumer))),
            Ask::Watch(producer, window) => drop(self.windows.insert(producer_key(&producer), window)),
            Ask::Unwatch(producer) => drop(self.windows.remove(&producer_key(&producer))),
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

    fn command(&mut self, mut command: Command, answer: Option<oneshot::Sender<Result<(), Error>>>) {
        if let Some(reason) = &self.over {
            if let Some(answer) = answer {
                let _ = answer.send(Err(Error::Disconnected(reason.clone())));
            }
            return;
        }
        self.next_command = self.next_command.wrapping_add(1);
        command.set_number(self.next_command, answer.is_some());
        if self.current.is_some() {
            return self.write(&command, answer);
        }
        if let Command::RemoveInfo(RemoveInfo { object_id: Some(RemovedId::Consumer(id)), .. }) = &command {
            self.forget_waiting(id);
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
                let ask = match answer {
                    Some(answer) => Ask::Request(command, answer),
                    None => Ask::Send(command),
                };
                self.waiting.push_back((ask, until));
            }
        }
    }

    /// A consumer that ends before any broker has heard of it never begins: nobody would take what a broker gave it.
    fn forget_waiting(&mut self, ended: &ConsumerId) {
        let begins = |ask: &Ask| match ask {
            Ask::Request(Command::ConsumerInfo(info), _) | Ask::Send(Command::ConsumerInfo(info)) => {
                info.consumer_id.as_ref() == Some(ended)
            }
            _ => false,
        };
        self.waiting.retain(|(ask, _)| !begins(ask));
    }

    /// Writes a command that has its number.
    fn write(&mut self, command: &Command, answer: Option<oneshot::Sender<Result<(), Error>>>) {
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
            self.answers.insert(number, answer);
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

    /// What has waited longer for a connection than it may (`timeout` of `failover:`).
    fn give_up_waiting(&mut self, now: Instant) {
        let Some(limit) = self.config.failover.timeout else { return };
        let (over, left) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, until)| until.is_some_and(|until| until <= now));
        self.waiting = left;
        let over: VecDeque<(Ask, Option<Instant>)> = over;
        for (ask, _) in over {
            if let Ask::Request(_, answer) = ask {
                let _ =
                    answer.send(Err(Error::TimedOut("a send without connection (`timeout` of `failover:`)", limit)));
            }
        }
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
            Command::Response(response) => self.answer(response.correlation_id, Ok(())),
            Command::DataResponse(response) => self.answer(response.correlation_id, Ok(())),
            Command::DataArrayResponse(response) => self.answer(response.correlation_id, Ok(())),
            Command::IntegerResponse(response) => self.answer(response.correlation_id, Ok(())),
            Command::ExceptionResponse(response) => {
                let (number, refusal) = (response.correlation_id, Refusal::of(response.exception));
                if self.introduction == Some(number) && !self.answers.contains_key(&number) {
                    self.refused(&refusal);
                } else {
                    self.answer(number, Err(refusal));
                }
            }
            Command::ProducerAck(ack) => self.producer_ack(&ack),
            Command::BrokerInfo(broker) => self.broker(&broker),
            Command::ConsumerControl(control) => self.consumer_control(&control),
            Command::ConnectionControl(control) => self.tell(Event::Control(control)).await,
            Command::ConnectionError(ConnectionError { exception, .. }) => {
                warn!(error = %Refusal::of(exception), "the broker reports an error of this connection");
            }
            Command::ShutdownInfo(_) => return Err("the broker shuts down".to_owned()),
            // Nothing that a broker has to say to a client.
            _ => debug!("a command that a client has no use for"),
        }
        Ok(())
    }

    fn answer(&mut self, number: i32, result: Result<(), Refusal>) {
        if let Some(answer) = self.answers.remove(&number) {
            let _ = answer.send(result.map_err(Refusal::into_error));
        } else if let Err(refusal) = result {
            warn!(error = %refusal, "the broker refuses something that nobody waits for");
        }
    }

    fn dispatch(&mut self, dispatch: MessageDispatch) -> Result<(), TooMuch> {
        // A consumer that is just closing no longer listens, and what it gets here will come to another.
        let Some(listener) = dispatch.consumer_id.as_ref().and_then(|id| self.listeners.get(&consumer_key(id))) else {
            return Ok(());
        };
        let losses = self.shared.losses.load(Ordering::Relaxed);
        listener.send(Incoming::Dispatch(losses, Box::new(dispatch)))
    }

    fn producer_ack(&self, ack: &ProducerAck) {
        if let Some(window) = ack.producer_id.as_ref().and_then(|id| self.windows.get(&producer_key(id))) {
            window.release(ack.size);
        }
    }

    fn consumer_control(&mut self, control: &ConsumerControl) {
        let Some(id) = &control.consumer_id else { return };
        let Some(listener) = self.listeners.get(&consumer_key(id)) else { return };
        let _ = listener.send(if control.close { Incoming::Ended } else { Incoming::Prefetch(control.prefetch) });
        if control.close {
            self.listeners.remove(&consumer_key(id));
        }
    }

    fn broker(&mut self, broker: &BrokerInfo) {
        let name = broker.broker_name.clone();
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
            self.tell(Event::Failed(current.attempt, reason)).await;
        }
    }

    /// A broker that the client has come to does not let it in, and refuses all that was asked again. So it counts as lost,
    /// and what was asked waits for another; after a while, for it may be the only one.
    fn refused(&mut self, refusal: &Refusal) {
        let Some(Current { attempt, .. }) = self.current.take() else { return };
        self.shared.status.send_replace(Status::Interrupted);
        let (tell, reason) = (self.outside.0.clone(), format!("the broker refuses the connection: {refusal}"));
        let task = tokio::spawn(async move {
            tokio::time::sleep(REFUSED).await;
            let _ = tell.send(Outside::Lost(attempt, reason));
        });
        self.others.insert(attempt, Other::Opening(task));
    }

    async fn outside(&mut self, outside: Outside) {
        match outside {
            Outside::Opened(attempt, opened) => match (self.others.remove(&attempt), opened) {
                (Some(_), Ok(wire)) => {
                    self.keep(attempt, wire);
                    self.tell(Event::Opened(attempt)).await;
                }
                (Some(_), Err(reason)) => self.tell(Event::Failed(attempt, reason)).await,
                // It was closed while it was on its way.
                (None, _) => {}
            },
            Outside::Lost(attempt, reason) => {
                if self.others.remove(&attempt).is_some() {
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
            for order in self.failover.handle(self.since.elapsed(), event, &mut self.surroundings) {
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
            Order::List(url) => self.list(url),
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
        let (tell, tls) = (self.outside.0.clone(), Arc::clone(&self.tls));
        let task = tokio::spawn(async move {
            let opened = Wire::open(&address, &tls).await.map(Box::new);
            let _ = tell.send(Outside::Opened(attempt, opened));
        });
        self.others.insert(attempt, Other::Opening(task));
    }

    /// Keeps an open wire alive until it is used.
    fn keep(&mut self, attempt: Attempt, mut wire: Box<Wire>) {
        let (ask, asked) = oneshot::channel();
        let tell = self.outside.0.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = asked => Ok(wire),
                reason = wire.idle() => {
                    let _ = tell.send(Outside::Lost(attempt, reason.clone()));
                    Err(reason)
                }
            }
        });
        self.others.insert(attempt, Other::Spare(ask, task));
    }

    fn close(&mut self, attempt: Attempt) {
        if self.current.as_ref().is_some_and(|current| current.attempt == attempt) {
            self.current = None;
        }
        match self.others.remove(&attempt) {
            Some(Other::Opening(task)) => task.abort(),
            Some(Other::Spare(_, task)) => task.abort(),
            None => {}
        }
    }

    /// This is the connection now: everything that the broker must know, then everything that waits.
    async fn use_wire(&mut self, attempt: Attempt, address: Address, restore: bool) -> Option<Event> {
        let Some(Other::Spare(ask, task)) = self.others.remove(&attempt) else {
            return Some(Event::Failed(attempt, "it has gone again".to_owned()));
        };
        let _ = ask.send(());
        let mut wire = match task.await {
            Ok(Ok(wire)) => wire,
            Ok(Err(reason)) => return Some(Event::Failed(attempt, reason)),
            Err(error) => return Some(Event::Failed(attempt, error.to_string())),
        };
        let broker = wire.take_broker();
        let place =
            Place { address: address.to_string(), broker: broker.as_ref().and_then(|info| info.broker_name.clone()) };
        info!(%address, "connected");
        self.shared.largest_frame.store(wire.largest_frame(), Ordering::Relaxed);
        self.current = Some(Current { attempt, wire });
        if restore {
            self.restore();
        }
        for (ask, _) in std::mem::take(&mut self.waiting) {
            match ask {
                Ask::Request(command, answer) => self.write(&command, Some(answer)),
                Ask::Send(command) => self.write(&command, None),
                other => self.ask(other),
            }
        }
        self.shared.status.send_replace(Status::Connected(place));
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
        self.shared.status.send_replace(Status::Interrupted);
        self.listeners.values().for_each(inbox::Sender::forget_messages);
        for window in self.windows.values() {
            window.reset();
        }
    }

    /// Reads a list of brokers (`updateURIsURL`) without holding anything up.
    fn list(&mut self, url: String) {
        let (tell, tls) = (self.outside.0.clone(), Arc::clone(&self.tls));
        tokio::spawn(async move {
            let read = match Source::parse(&url) {
                Ok(source) => source.read(tls).await,
                Err(error) => Err(std::io::Error::other(error)),
            };
            // Java joins the lines without anything between them.
            let text = read.map(|text| text.lines().map(str::trim).collect());
            let _ = tell.send(Outside::Listed(text.map_err(|error| error.to_string())));
        });
    }

    fn give_up(&mut self, reason: String) {
        self.current = None;
        for (_, answer) in self.answers.drain() {
            let _ = answer.send(Err(Error::Disconnected(reason.clone())));
        }
        for (ask, _) in self.waiting.drain(..) {
            if let Ask::Request(_, answer) = ask {
                let _ = answer.send(Err(Error::Disconnected(reason.clone())));
            }
        }
        for window in self.windows.values() {
            window.reset();
        }
        self.listeners.clear();
        self.shared.losses.fetch_add(1, Ordering::Release);
        self.shared.status.send_replace(Status::Over(reason.clone()));
        self.over = Some(reason);
    }

    /// Says goodbye, as far as there is anybody to say it to, and closes everything.
    async fn end(mut self, stop: Option<oneshot::Sender<()>>) {
        // What was asked for before goes out before.
        while let Ok(ask) = self.asks.try_recv() {
            self.ask(ask);
        }
        if self.current.is_some() {
            self.command(ShutdownInfo::default().into(), None);
            if let Some(current) = &mut self.current {
                let _ = tokio::time::timeout(self.config.client.close_timeout, current.wire.finish()).await;
            }
        }
        self.current = None;
        if self.over.is_none() {
            self.tell(Event::Stop).await;
            self.give_up(CLOSED.to_owned());
        }
        if let Some(stop) = stop {
            let _ = stop.send(());
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
