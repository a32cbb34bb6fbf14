//! What the service manager is told: that the connector is ready, how it is doing, that it ends, and that its loop turns.
//!
//! The protocol is systemd's (`sd_notify(3)`): lines of text in a datagram to the socket that `NOTIFY_SOCKET` names. Without that
//! variable nobody is told anything.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Most bytes of a status: systemd shows one line.
const LONGEST_STATUS: usize = 500;

/// Says whether a loop turns: the loop beats, others look how long ago that was.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    began: Instant,
    /// Milliseconds since then.
    last: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

impl Heartbeat {
    /// How often a loop beats at least, also where it has nothing to do.
    pub const EVERY: Duration = Duration::from_secs(1);
    /// After how long without a beat the loop is said to stand still.
    pub const STILL: Duration = Duration::from_secs(10);

    /// One that beats now.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now(), last: Arc::new(AtomicU64::new(0)) }
    }

    /// The loop turns: it does this at least once every [`Heartbeat::EVERY`].
    pub fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// How long ago the last beat was.
    #[must_use]
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }

    /// Whether the loop stands still.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.age() > Self::STILL
    }
}

/// A service manager that wants to be told, or none.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// The service manager that the environment names: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`. The process id is
    /// that of this process: a watchdog of another one is none.
    ///
    /// # Errors
    ///
    /// [`NotifyError`] if a variable is not what `sd_notify(3)` says, or nobody listens at the socket.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>, process: u32) -> Result<Self, NotifyError> {
        let socket = match variable("NOTIFY_SOCKET") {
            Some(name) => Some(connected(&name)?),
            None => None,
        };
        let watchdog = watchdog(&variable, process)?;
        Ok(Self { socket, watchdog })
    }

    /// The connector has started: it has what it needs to take requests.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// How it is doing, in one line.
    pub fn status(&self, line: &str) {
        let plain: String = line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let end = plain.floor_char_boundary(LONGEST_STATUS);
        self.tell(&format!("STATUS={}", &plain[..end]));
    }

    /// The connector ends, which takes no longer than that.
    pub fn stopping(&self, within: Duration) {
        self.tell(&format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", within.as_micros()));
    }

    /// How long the service manager waits for a sign of life before it ends the process; `None` if it does not wait for any.
    #[must_use]
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Gives signs of life as long as the loop turns, twice as often as they are waited for. Never returns.
    pub async fn watch(&self, heartbeat: &Heartbeat) {
        let Some(within) = self.watchdog else { return std::future::pending().await };
        let half = within / 2;
        // A loop that has nothing to do beats no more often than it has to.
        let fresh = half.max(Heartbeat::EVERY * 2);
        let mut ticks = tokio::time::interval(half);
        let mut was_fresh = true;
        loop {
            ticks.tick().await;
            let is_fresh = heartbeat.age() <= fresh;
            if is_fresh {
                self.tell("WATCHDOG=1");
            } else if was_fresh {
                tracing::error!(age = ?heartbeat.age(), "the loop stands still: the service manager is given no more signs of life");
            }
            was_fresh = is_fresh;
        }
    }

    /// A service manager that does not listen is no reason to wait, or to end.
    fn tell(&self, text: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(text.as_bytes()) {
            tracing::warn!(%error, "the service manager cannot be told: {}", text.split('=').next().unwrap_or_default());
        }
    }
}

fn connected(name: &OsString) -> Result<UnixDatagram, NotifyError> {
    let address = match name.as_bytes() {
        // A name of Linux that is no file.
        [b'@', rest @ ..] if !rest.is_empty() => SocketAddr::from_abstract_name(rest),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => return Err(NotifyError::Name(name.clone())),
    };
    let open = || {
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address?)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    open().map_err(|error: io::Error| NotifyError::Socket(name.clone(), error.to_string()))
}

fn watchdog(variable: impl Fn(&str) -> Option<OsString>, process: u32) -> Result<Option<Duration>, NotifyError> {
    let number = |name: &'static str| match variable(name) {
        None => Ok(None),
        Some(text) => {
            text.to_str().and_then(|text| text.parse::<u64>().ok()).map(Some).ok_or(NotifyError::Number(name, text))
        }
    };
    let of_other = number("WATCHDOG_PID")?.is_some_and(|id| id != u64::from(process));
    let within = number("WATCHDOG_USEC")?.filter(|within| *within > 0 && !of_other);
    Ok(within.map(Duration::from_micros))
}

/// What is wrong with what the environment says of the service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyError {
    /// `NOTIFY_SOCKET` is neither a path from `/` nor a name behind `@`.
    Name(OsString),
    /// Nobody listens there.
    Socket(OsString, String),
    /// This variable holds no number.
    Number(&'static str, OsString),
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(f, "`NOTIFY_SOCKET` is `{}`, and must begin with `/` or `@`: let systemd set it", name.display())
            }
            Self::Socket(name, error) => {
                write!(f, "nobody listens at `{}`, which `NOTIFY_SOCKET` names: {error}", name.display())
            }
            Self::Number(variable, text) => {
                write!(f, "`{variable}` is `{}`, which is no number: let systemd set it", text.display())
            }
        }
    }
}

impl std::error::Error for NotifyError {}
