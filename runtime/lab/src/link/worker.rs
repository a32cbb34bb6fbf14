//! The thread of a link: it accepts, follows its target and its orders, and has each connection forwarded.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};

use super::pair::Pair;

/// How often a link looks at its target.
const LOOK: Duration = Duration::from_millis(10);

/// What a link does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Open { bytes_per_second: Option<u32> },
    Refuse,
    BlackHole,
}

/// From now on this mode, first resetting what there is if so told.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) mode: Mode,
    pub(super) reset: bool,
    pub(super) done: Sender<()>,
}

/// Connections now and ever.
#[derive(Debug, Default)]
pub(super) struct Counts {
    now: AtomicUsize,
    ever: AtomicUsize,
}

impl Counts {
    pub(super) fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) fn ever(&self) -> usize {
        self.ever.load(Ordering::SeqCst)
    }
}

pub(super) struct Worker {
    address: SocketAddr,
    target: SocketAddr,
    listener: Option<TcpListener>,
    pairs: Vec<Pair>,
    mode: Mode,
    counts: Arc<Counts>,
}

impl Worker {
    pub(super) fn new(address: SocketAddr, target: SocketAddr, counts: Arc<Counts>) -> io::Result<Self> {
        // Bound even if the target is not there, so that a port that is taken shows at once.
        let listener = Some(listen(address)?);
        let mode = Mode::Open { bytes_per_second: None };
        let mut worker = Self { address, target, listener, pairs: Vec::new(), mode, counts };
        worker.follow();
        Ok(worker)
    }

    /// Until the other end of `woken` is closed.
    pub(super) fn run(mut self, woken: &UnixStream, orders: &Receiver<Order>) {
        loop {
            self.wait(woken);
            if is_over(woken) {
                return;
            }
            let taken: Vec<Order> = orders.try_iter().collect();
            for order in &taken {
                self.mode = order.mode;
                if order.reset {
                    self.pairs.drain(..).for_each(Pair::reset);
                }
            }
            // Before the end of any connection is passed on: whoever then dials again finds what the target is now.
            self.follow();
            if self.mode != Mode::BlackHole {
                self.accept();
                // Before a byte passes: who has got one finds the connection counted.
                self.count();
                self.forward();
            }
            self.count();
            for order in taken {
                // Nobody waits any more when the test has panicked.
                let _ = order.done.send(());
            }
        }
    }

    /// Listens if a client is to be let in.
    fn follow(&mut self) {
        let wanted = match self.mode {
            Mode::Open { .. } => is_bound(self.target),
            Mode::Refuse => false,
            Mode::BlackHole => true,
        };
        if !wanted {
            self.listener = None;
        } else if self.listener.is_none() {
            // The port is leased to this link: if it cannot be had now, then at the next look.
            self.listener = listen(self.address).ok();
        }
    }

    fn accept(&mut self) {
        while let Some((client, _)) = self.listener.as_ref().and_then(|listener| listener.accept().ok()) {
            self.counts.ever.fetch_add(1, Ordering::SeqCst);
            // Without a target the client is closed, and the next look closes the listener.
            self.pairs.extend(Pair::new(client, self.target).ok());
        }
    }

    fn count(&self) {
        self.counts.now.store(self.pairs.len(), Ordering::SeqCst);
    }

    fn forward(&mut self) {
        let rate = match self.mode {
            Mode::Open { bytes_per_second } => bytes_per_second,
            Mode::Refuse | Mode::BlackHole => None,
        };
        let pairs = std::mem::take(&mut self.pairs);
        self.pairs = pairs.into_iter().filter_map(|pair| pair.forwarded(rate)).collect();
    }

    /// Until there is something to do, or time to look at the target.
    fn wait(&self, woken: &UnixStream) {
        let mut fds = vec![PollFd::new(woken, PollFlags::IN)];
        let mut patience = LOOK;
        if self.mode != Mode::BlackHole {
            fds.extend(self.listener.as_ref().map(|listener| PollFd::new(listener, PollFlags::IN)));
            let now = Instant::now();
            for pair in &self.pairs {
                patience = patience.min(pair.interests(now, &mut fds));
            }
        }
        let patience = Timespec { tv_sec: 0, tv_nsec: i64::from(patience.subsec_nanos()) };
        // Interrupted is as good as over: everything is tried anyway.
        let _ = poll(&mut fds, Some(&patience));
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether a socket listens there. With SO_REUSEADDR, which Java and Rust set on whatever listens, a bind fails beside one
/// that listens and beside nothing else; and it is no obstacle to one that comes.
fn is_bound(address: SocketAddr) -> bool {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let tried = socket(family, SocketType::STREAM, None).and_then(|socket| {
        sockopt::set_socket_reuseaddr(socket.as_fd(), true)?;
        bind(socket.as_fd(), &address)
    });
    tried.is_err()
}

fn is_over(mut woken: &UnixStream) -> bool {
    let mut bytes = [0; 64];
    loop {
        match woken.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}
