//! An open transport: a socket on which both sides have said their formats, with what is on its way out and in.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};
use topoc_openwire_proto::command::{BrokerInfo, Command};
use topoc_openwire_proto::frame::{self, Decoder};
use topoc_openwire_proto::link::{Link, LinkOrder};
use topoc_openwire_proto::uri::Address;

use crate::socket;
use crate::surroundings::{Stream, Surroundings};

/// Bytes that may wait to be written before nothing more is taken from the application.
pub(crate) const FULL: usize = 1 << 20;
/// Bytes that are read at once.
const READ: usize = 64 * 1024;
/// The longest first frame: a format has at most 64 properties of 512 bytes (6.3.1).
const FIRST_FRAME: u64 = 64 * 1024;

/// What has happened on a wire.
#[derive(Debug)]
pub(crate) enum Io {
    /// Bytes have come: see [`Wire::next`].
    Read,
    /// There is room again for what is to be written.
    Room,
}

/// Why a wire is no more; for people.
pub(crate) type Reason = String;

/// An open transport.
pub(crate) struct Wire {
    socket: Box<dyn Stream>,
    link: Link,
    decoder: Decoder,
    out: BytesMut,
    unflushed: bool,
    /// From here the link counts its time.
    since: Instant,
    /// What the broker has said of itself before the wire was used.
    broker: Option<BrokerInfo>,
    /// The longest frame that both sides take, in bytes without the length itself.
    largest_frame: u64,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("link", &self.link).field("out", &self.out.len()).finish_non_exhaustive()
    }
}

impl Wire {
    /// Opens a transport: name, socket, TLS, the formats of both sides.
    pub(crate) async fn open(address: &Address, surroundings: &dyn Surroundings) -> Result<Self, Reason> {
        let (link_options, socket_options) = socket::options(address).map_err(|error| error.to_string())?;
        let dialling = surroundings.dial(address, &socket_options);
        let socket = socket_options.limit(dialling).await.map_err(|error| error.to_string())?;
        let since = Instant::now();
        let (link, first) = Link::new(link_options, Duration::ZERO);
        let decoder = Decoder::new(FIRST_FRAME);
        let (out, largest_frame) = (BytesMut::new(), u64::MAX);
        let mut wire = Self { socket, link, decoder, out, unflushed: false, since, broker: None, largest_frame };
        wire.push(&frame::encode(&first.into()).map_err(|error| error.to_string())?);
        while !wire.link.is_ready() {
            wire.wait().await?;
        }
        Ok(wire)
    }

    /// Keeps the wire alive until something else is wanted of it; ends with the reason when it is lost.
    pub(crate) async fn idle(&mut self) -> Reason {
        loop {
            if let Err(reason) = self.wait().await {
                return reason;
            }
        }
    }

    /// The longest frame that may be sent, in bytes without the length itself.
    pub(crate) fn largest_frame(&self) -> u64 {
        self.largest_frame
    }

    /// What the broker has said of itself before the wire was used.
    pub(crate) fn take_broker(&mut self) -> Option<BrokerInfo> {
        self.broker.take()
    }

    /// One step: bytes come or go, or it is time for something.
    async fn wait(&mut self) -> Result<(), Reason> {
        let wakes = self.wakes_at();
        tokio::select! {
            io = poll_fn(|cx| self.poll(cx)) => {
                io?;
                while let Some(command) = self.next()? {
                    // Nobody is registered: a broker has nothing else to say.
                    if let Command::BrokerInfo(broker) = command {
                        self.broker = Some(broker);
                    }
                }
                Ok(())
            }
            () = until(wakes) => self.timer(),
        }
    }

    /// When [`Wire::timer`] is to be called.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        self.link.wakes_at().map(|at| self.since + at)
    }

    /// Looks for silence, of either side.
    pub(crate) fn timer(&mut self) -> Result<(), Reason> {
        let order = self.link.timer(self.since.elapsed());
        self.order(order)
    }

    /// The next command that has come, with the link served first.
    pub(crate) fn next(&mut self) -> Result<Option<Command>, Reason> {
        while let Some(command) = self.decoder.next().map_err(|error| error.to_string())? {
            if matches!(command, Command::KeepAliveInfo(_) | Command::WireFormatInfo(_)) {
                let order = self.link.received(self.since.elapsed(), &command);
                self.order(order)?;
                if !self.link.is_ready() {
                    continue;
                }
            } else {
                return Ok(Some(command));
            }
        }
        Ok(None)
    }

    fn order(&mut self, order: Option<LinkOrder>) -> Result<(), Reason> {
        match order {
            None => Ok(()),
            Some(LinkOrder::Send(_)) if !self.out.is_empty() => Ok(()),
            Some(LinkOrder::Send(info)) => {
                let frame = frame::encode(&info.into()).map_err(|error| error.to_string())?;
                self.out.extend_from_slice(&frame);
                Ok(())
            }
            Some(LinkOrder::Ready(format)) => {
                self.decoder.set_limit(format.max_frame_size);
                self.largest_frame = format.max_frame_size;
                Ok(())
            }
            Some(LinkOrder::Fail(error)) => Err(error.to_string()),
        }
    }

    /// Puts a frame on its way.
    pub(crate) fn push(&mut self, frame: &[u8]) {
        self.out.extend_from_slice(frame);
        self.link.sent();
    }

    /// Whether so much waits to be written that nothing more should come.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= FULL
    }

    /// Waits until everything has been handed to the system.
    pub(crate) async fn flush(&mut self) -> std::io::Result<()> {
        poll_fn(|cx| self.poll_write(cx)).await
    }

    /// Waits until the broker has read everything and closed its side. A socket that is closed while something lies in it
    /// unread takes with it what the other side has not read.
    pub(crate) async fn finish(&mut self) -> std::io::Result<()> {
        self.flush().await?;
        self.socket.shutdown().await?;
        let mut rest = BytesMut::new();
        while self.socket.read_buf(&mut rest).await? > 0 {
            rest.clear();
        }
        Ok(())
    }

    /// Writes what there is to write and reads what there is to read.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Io, Reason>> {
        let was_full = self.is_full();
        let pending = self.poll_write(cx);
        if let Poll::Ready(Err(error)) = pending {
            return Poll::Ready(Err(error.to_string()));
        }
        if was_full && !self.is_full() {
            return Poll::Ready(Ok(Io::Room));
        }
        match self.poll_read(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => Poll::Ready(Err("the broker has closed the connection".to_owned())),
            Poll::Ready(Ok(_)) => {
                self.link.heard();
                Poll::Ready(Ok(Io::Read))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.to_string())),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        while !self.out.is_empty() {
            match Pin::new(&mut self.socket).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.out.advance(count);
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                other => return other,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let buffer = self.decoder.buffer();
        buffer.reserve(READ);
        pin!(self.socket.read_buf(buffer)).poll(cx)
    }
}

/// Waits until a moment; for ever where there is none.
pub(crate) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
