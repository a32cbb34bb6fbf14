//! One connection through a link: a socket to the client, one to the target, and what is on its way between them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

const BUFFER: usize = 16 * 1024;

/// So many buffers one connection may forward before others, and orders, have their turn.
const TURN: usize = 64;

/// A slow link passes its bytes in so many portions a second.
const PORTIONS: u32 = 50;

pub(super) struct Pair {
    client: TcpStream,
    target: TcpStream,
    connected: bool,
    up: Flow,
    down: Flow,
    /// One side is broken; the other is reset in the next turn, after the link has looked at its target.
    broken: bool,
}

/// One direction.
struct Flow {
    buffer: Box<[u8; BUFFER]>,
    start: usize,
    end: usize,
    state: FlowState,
    not_before: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FlowState {
    Flows,
    /// The sender has closed; the receiver has not been told yet.
    Ended,
    Closed,
}

impl Pair {
    /// Begins to connect to the target.
    pub(super) fn new(client: TcpStream, address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let target = socket_with(family, SocketType::STREAM, flags, None)?;
        match connect(&target, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(refused) => {
                reset(client);
                return Err(refused.into());
            }
        }
        let target = TcpStream::from(target);
        client.set_nonblocking(true)?;
        // A link must not gather small frames that the client sent apart.
        client.set_nodelay(true)?;
        target.set_nodelay(true)?;
        Ok(Self { client, target, connected: false, up: Flow::new(), down: Flow::new(), broken: false })
    }

    /// Adds what it waits for; returns how long it has nothing to do even if that does not come.
    pub(super) fn interests<'fd>(&'fd self, now: Instant, fds: &mut Vec<PollFd<'fd>>) -> Duration {
        if self.broken {
            return Duration::ZERO;
        }
        if !self.connected {
            fds.push(PollFd::new(&self.target, PollFlags::OUT));
            return Duration::MAX;
        }
        let up = self.up.interest(&self.client, &self.target, now, fds);
        up.min(self.down.interest(&self.target, &self.client, now, fds))
    }

    /// Forwards what can be forwarded; `None` when the connection is over.
    pub(super) fn forwarded(mut self, bytes_per_second: Option<u32>) -> Option<Self> {
        if self.broken {
            self.reset();
            return None;
        }
        match self.forward(bytes_per_second) {
            Ok(()) if self.up.state == FlowState::Closed && self.down.state == FlowState::Closed => None,
            Ok(()) => Some(self),
            Err(_) => {
                self.broken = true;
                Some(self)
            }
        }
    }

    fn forward(&mut self, bytes_per_second: Option<u32>) -> io::Result<()> {
        if !self.connected {
            if let Some(error) = self.target.take_error()? {
                return Err(error);
            }
            self.connected = self.target.peer_addr().is_ok();
        }
        if self.connected {
            self.up.forward(&self.client, &self.target, bytes_per_second)?;
            self.down.forward(&self.target, &self.client, bytes_per_second)?;
        }
        Ok(())
    }

    /// Both sides see `Connection reset`.
    pub(super) fn reset(self) {
        reset(self.client);
        reset(self.target);
    }
}

/// Closes with a reset (TCP's RST) instead of an end (FIN).
fn reset(stream: TcpStream) {
    // Fails only on what is no socket; and then it is closed all the same.
    let _ = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
    drop(stream);
}

impl Flow {
    fn new() -> Self {
        Self { buffer: Box::new([0; BUFFER]), start: 0, end: 0, state: FlowState::Flows, not_before: None }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn interest<'fd>(
        &self,
        from: &'fd TcpStream,
        to: &'fd TcpStream,
        now: Instant,
        fds: &mut Vec<PollFd<'fd>>,
    ) -> Duration {
        let rest = self.not_before.map_or(Duration::ZERO, |then| then.saturating_duration_since(now));
        if !self.is_empty() {
            fds.push(PollFd::new(to, PollFlags::OUT));
        } else if self.state == FlowState::Ended {
            return Duration::ZERO;
        } else if self.state == FlowState::Flows && rest.is_zero() {
            fds.push(PollFd::new(from, PollFlags::IN));
        }
        if rest.is_zero() { Duration::MAX } else { rest }
    }

    /// The end is told in the turn after the one in which it came: see [`Pair::broken`].
    fn forward(&mut self, mut from: &TcpStream, mut to: &TcpStream, bytes_per_second: Option<u32>) -> io::Result<()> {
        if self.is_empty() && self.state == FlowState::Ended {
            to.shutdown(Shutdown::Write)?;
            self.state = FlowState::Closed;
        }
        for _ in 0..TURN {
            if self.is_empty() {
                let early = self.not_before.is_some_and(|then| Instant::now() < then);
                if early || self.state != FlowState::Flows {
                    return Ok(());
                }
                let portion = bytes_per_second.map_or(BUFFER, |rate| BUFFER.min((rate / PORTIONS).max(1) as usize));
                let Some(read) = unless_it_would_block(from.read(&mut self.buffer[..portion]))? else { return Ok(()) };
                (self.start, self.end) = (0, read);
                if read == 0 {
                    self.state = FlowState::Ended;
                    return Ok(());
                }
                self.not_before = bytes_per_second
                    .map(|rate| Instant::now() + Duration::from_secs_f64(read as f64 / f64::from(rate)));
            }
            let bytes = &self.buffer[self.start..self.end];
            let Some(written) = unless_it_would_block(to.write(bytes))? else { return Ok(()) };
            self.start += written;
        }
        Ok(())
    }
}

fn unless_it_would_block(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
