//! A net in memory: doors that brokers are behind, and lines that are cut, fall silent and heal.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use topoc_openwire_proto::uri::Address;

use super::broker::{Broker, serve};
use super::chance::Chance;
use crate::list::Source;
use crate::socket::SocketOptions;
use crate::surroundings::{Later, Stream, Surroundings};

/// What is behind a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// A broker.
    Open,
    /// Nobody: who dials is refused.
    Closed,
    /// A black hole: who dials hears nothing.
    Silent,
    /// Something that takes the connection and says nothing.
    Mute,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is cut. So many commands that had come are still taken, and nobody hears the answers.
    Cut(usize),
    /// Nothing more goes one way or both, and nobody is told.
    Hole {
        /// What the client says arrives.
        inward: bool,
        /// What the broker says arrives.
        outward: bool,
    },
    /// What did not go through goes through now.
    Heal,
}

/// One line, from the client's dialling until its broker has forgotten it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) port: u16,
    /// The client has it open.
    pub(super) held: Arc<AtomicBool>,
    faults: mpsc::UnboundedSender<Fault>,
}

pub(super) struct State {
    pub(super) chance: Chance,
    pub(super) broker: Broker,
    /// How long a broker may take for a command at most: mostly a hundredth of it.
    pub(super) slowness: Duration,
    /// The broker behind this port answers nothing.
    pub(super) deaf: Option<u16>,
    pub(super) dialled: usize,
    /// A broker has met with what no client may do.
    pub(super) outraged: bool,
    doors: BTreeMap<u16, Door>,
    lines: BTreeMap<usize, Line>,
}

/// All of it, shared by the client, the brokers and the test.
#[derive(Clone)]
pub(super) struct Net {
    state: Arc<Mutex<State>>,
    began: Instant,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

impl Net {
    /// A net whose chance is that of a seed, with brokers behind these ports that share their store as a pair does.
    pub(super) fn new(seed: u64, ports: &[u16]) -> Self {
        let mut chance = Chance(seed.wrapping_mul(2_654_435_761) | 1);
        for _ in 0..8 {
            chance.next();
        }
        let state = State {
            chance,
            broker: Broker::default(),
            slowness: Duration::from_millis(100),
            deaf: None,
            dialled: 0,
            outraged: false,
            doors: ports.iter().map(|port| (*port, Door::Open)).collect(),
            lines: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), began: Instant::now() }
    }

    pub(super) fn surroundings(&self) -> Arc<dyn Surroundings> {
        Arc::new(self.clone())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is behind a port from now on. Lines that are open stay.
    pub(super) fn door(&self, port: u16, door: Door) {
        self.lock().doors.insert(port, door);
    }

    /// Does this to all lines, or to those of a port.
    pub(super) fn fault(&self, port: Option<u16>, fault: Fault) {
        for line in self.lock().lines.values().filter(|line| port.is_none_or(|port| line.port == port)) {
            let _ = line.faults.send(fault);
        }
    }

    /// A broker goes away with all its lines.
    pub(super) fn down(&self, port: u16) {
        self.door(port, Door::Closed);
        self.fault(Some(port), Fault::Cut(0));
    }

    /// All is as it should be.
    pub(super) fn calm(&self) {
        self.lock().doors.values_mut().for_each(|door| *door = Door::Open);
        self.fault(None, Fault::Heal);
    }

    fn connect(&self, port: u16) -> io::Result<Box<dyn Stream>> {
        let mut state = self.lock();
        state.dialled += 1;
        let line = state.dialled;
        let door = state.doors.get(&port).copied().unwrap_or(Door::Closed);
        if door == Door::Closed {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = duplex(1 << 20);
        let held = Arc::new(AtomicBool::new(true));
        let (faults, suffered) = mpsc::unbounded_channel();
        if door == Door::Open {
            let serving = tokio::spawn(serve(self.clone(), line, theirs, suffered));
            let net = self.clone();
            tokio::spawn(async move {
                let gone = serving.await;
                let mut state = net.lock();
                state.gone(line);
                state.outraged |= gone.is_err();
            });
            state.lines.insert(line, Line { port, held: Arc::clone(&held), faults });
            return Ok(Box::new(Dialled { stream: ours, held, _mute: None }));
        }
        Ok(Box::new(Dialled { stream: ours, held, _mute: Some(theirs) }))
    }
}

impl State {
    /// Whether the client has a line open.
    pub(super) fn is_deaf(&self, line: usize) -> bool {
        self.lines.get(&line).is_some_and(|line| self.deaf == Some(line.port))
    }

    pub(super) fn is_held(&self, line: usize) -> bool {
        self.lines.get(&line).is_some_and(|line| line.held.load(Ordering::Relaxed))
    }

    /// The numbers of the lines that brokers know of.
    pub(super) fn lines(&self) -> Vec<usize> {
        self.lines.keys().copied().collect()
    }

    /// Does this to a line.
    pub(super) fn fault(&self, line: usize, fault: Fault) {
        if let Some(line) = self.lines.get(&line) {
            let _ = line.faults.send(fault);
        }
    }

    /// A broker has forgotten a line.
    pub(super) fn gone(&mut self, line: usize) {
        self.lines.remove(&line);
        self.broker.lose(line);
    }

    /// How long something takes: mostly little.
    pub(super) fn takes(&mut self) -> Duration {
        let most = if self.chance.below(20) == 0 { self.slowness } else { self.slowness / 100 };
        let most = usize::try_from(most.as_micros()).unwrap_or(0);
        Duration::from_micros(self.chance.below(most + 1) as u64)
    }
}

impl Surroundings for Net {
    fn dial(&self, address: &Address, _: &SocketOptions) -> Later<io::Result<Box<dyn Stream>>> {
        let (net, port) = (self.clone(), address.port);
        Box::pin(async move {
            let takes = net.lock().takes();
            sleep(takes).await;
            let silent = net.lock().doors.get(&port) == Some(&Door::Silent);
            if silent { std::future::pending().await } else { net.connect(port) }
        })
    }

    fn list(&self, _: Source) -> Later<io::Result<String>> {
        Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
    }

    /// It goes on with virtual time.
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + self.began.elapsed()
    }

    fn chance(&self) -> u64 {
        self.lock().chance.next()
    }
}

/// The client's end of a line.
struct Dialled {
    stream: DuplexStream,
    held: Arc<AtomicBool>,
    /// The other end, where nobody is.
    _mute: Option<DuplexStream>,
}

impl Drop for Dialled {
    fn drop(&mut self) {
        self.held.store(false, Ordering::Relaxed);
    }
}

impl AsyncRead for Dialled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
