//! What a connection has of the world around it: sockets, files, the time of day and chance. They are handed in, so that an
//! hour of outages fits in a test; what passes between two moments is the runtime's clock, which a test can pause.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncRead, AsyncWrite};
use topoc_openwire_proto::failover::World;
use topoc_openwire_proto::uri::Address;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

use crate::list::Source;
use crate::socket::{self, SocketOptions};

/// Something that is waited for.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A socket, or what is as good.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The world around a connection.
pub(crate) trait Surroundings: fmt::Debug + Send + Sync {
    /// Opens a socket, with TLS where the address wants that. May take for ever: who waits has a limit.
    fn dial(&self, address: &Address, options: &SocketOptions) -> Later<io::Result<Box<dyn Stream>>>;

    /// The text of a list of brokers.
    fn list(&self, source: Source) -> Later<io::Result<String>>;

    /// The time of day.
    fn now(&self) -> SystemTime;

    /// Any number; a good one is random.
    fn chance(&self) -> u64;
}

/// The time of day in milliseconds since 1970, as messages have it.
pub(crate) fn milliseconds(surroundings: &dyn Surroundings) -> i64 {
    let since = surroundings.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Chance and names, as the failover transport asks for them.
pub(crate) struct Around(pub(crate) Arc<dyn Surroundings>);

impl World for Around {
    fn below(&mut self, limit: usize) -> usize {
        // Lists are short: what is left of 64 bits is even enough.
        usize::try_from(self.0.chance() % limit.max(1) as u64).unwrap_or(0)
    }

    /// Names of this machine are the same; others are compared as they are written, so that no name is looked up here.
    fn same_host(&mut self, one: &str, other: &str) -> bool {
        let local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "::1");
        local(one) && local(other)
    }
}

/// The system that the program runs on.
pub(crate) struct System {
    tls: Arc<ClientConfig>,
}

impl System {
    /// With TLS in this way.
    pub(crate) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("System")
    }
}

impl Surroundings for System {
    fn dial(&self, address: &Address, options: &SocketOptions) -> Later<io::Result<Box<dyn Stream>>> {
        let (address, options, tls) = (address.clone(), options.clone(), Arc::clone(&self.tls));
        Box::pin(async move { socket::dial(&address, &options, &tls).await })
    }

    fn list(&self, source: Source) -> Later<io::Result<String>> {
        Box::pin(source.read(Arc::clone(&self.tls)))
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn chance(&self) -> u64 {
        fastrand::u64(..)
    }
}
