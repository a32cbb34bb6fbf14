//! A TCP link on loopback that a test can cut, block and slow down: the network between a client and its broker.

mod pair;
mod worker;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use worker::{Counts, Mode, Order, Worker};

use crate::{LabError, ports};

/// A link from a loopback port to a target on this machine. It begins open; its thread and its connections end with it.
///
/// A link is never better than its target: while nothing listens at the target, the link refuses too. A proxy that
/// accepts and then closes would look to a client like a broker that is up, and be dialled again and again. It looks at
/// the target every 10 ms, and before it passes the end of a connection on; it does so by trying to bind the target's
/// address, which disturbs neither the target nor one that is about to start there.
///
/// Each direction of a connection holds 16 KiB at most; beyond that the sender is held back as by a slow network.
#[derive(Debug)]
pub struct Link {
    port: u16,
    orders: Sender<Order>,
    // Written to when there is an order; the thread ends when it is closed.
    wake: Option<UnixStream>,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// A link from a port of its own (see [`ports`]) to the target, such as `(Ipv4Addr::LOCALHOST, 61616)`.
    ///
    /// # Errors
    ///
    /// `NoPort` or `Io` when no port can be had.
    pub fn to(target: impl Into<SocketAddr>) -> Result<Self, LabError> {
        Self::between(ports(1)?[0], target)
    }

    /// A link from this port on 127.0.0.1 to the target.
    ///
    /// # Errors
    ///
    /// `Io` when the port is taken.
    pub fn between(port: u16, target: impl Into<SocketAddr>) -> Result<Self, LabError> {
        let (target, address) = (target.into(), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let doing = |cause: io::Error| LabError::io(format!("lay a link from {address} to {target}"), cause);
        let counts = Arc::default();
        let (wake, woken) = UnixStream::pair().map_err(doing)?;
        woken.set_nonblocking(true).map_err(doing)?;
        let (orders, taken) = mpsc::channel();
        let worker = Worker::new(address, target, Arc::clone(&counts)).map_err(doing)?;
        let thread = thread::Builder::new()
            .name(format!("link-{port}"))
            .spawn(move || worker.run(&woken, &taken))
            .map_err(doing)?;
        Ok(Self { port, orders, wake: Some(wake), counts, thread: Some(thread) })
    }

    /// The port that clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `tcp://127.0.0.1:PORT`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Forwards. What a black hole held back goes on, as packets that are sent again do.
    pub fn open(&self) {
        self.order(Mode::Open { bytes_per_second: None }, false);
    }

    /// Forwards no more than so many bytes a second, in each direction of each connection.
    ///
    /// # Panics
    ///
    /// When it is 0: that is [`Link::black_hole`].
    pub fn slow(&self, bytes_per_second: u32) {
        assert!(bytes_per_second > 0, "a link that passes nothing is a black hole");
        self.order(Mode::Open { bytes_per_second: Some(bytes_per_second) }, false);
    }

    /// Refuses new connections, as a broker that is down; those that exist go on.
    pub fn refuse(&self) {
        self.order(Mode::Refuse, false);
    }

    /// Resets the connections that exist, and refuses new ones: to a client the broker has been killed.
    pub fn cut(&self) {
        self.order(Mode::Refuse, true);
    }

    /// Resets the connections that exist, and forwards new ones: a fault that is over at once.
    pub fn reset(&self) {
        self.order(Mode::Open { bytes_per_second: None }, true);
    }

    /// Lets packets vanish: connections that exist stay, and nothing passes in either direction, not even their end. New
    /// ones are accepted by the kernel, and get nothing.
    pub fn black_hole(&self) {
        self.order(Mode::BlackHole, false);
    }

    /// How many connections there are now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.now()
    }

    /// How many connections there have been: a client in a storm of reconnecting shows here.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.counts.ever()
    }

    /// Returns when the order has been carried out.
    fn order(&self, mode: Mode, reset: bool) {
        let (done, carried_out) = mpsc::channel();
        let sent = self.orders.send(Order { mode, reset, done });
        sent.expect("the thread of a link lives as long as the link");
        self.wake();
        carried_out.recv().expect("the thread of a link carries out every order");
    }

    fn wake(&self) {
        use std::io::Write;
        if let Some(mut wake) = self.wake.as_ref() {
            // A full pipe wakes as well.
            let _ = wake.write(&[1]);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It can have panicked; the test has then failed already, by an order that was not carried out.
            let _ = thread.join();
        }
    }
}
