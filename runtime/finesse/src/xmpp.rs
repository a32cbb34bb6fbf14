//! One agent's session with the notification service: what [`topoc_finesse_proto::xmpp`] decides, done with sockets.
//!
//! ```no_run
//! use topoc_finesse::xmpp::{Happening, Server, Session};
//! use topoc_finesse_proto::{secret::Secret, xmpp::{jid::Jid, options::{Login, Options, Transport}}};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tls = topoc_tls::TlsConfig::default().build()?;
//! let server = Server::new("fin-a.example.test", 5223, tls);
//! let jid = Jid::of_agent("1001", "fin-a.example.test", "topoc")?;
//! let login = Login { jid, password: Secret::new("secret") };
//! let mut session = Session::open(&server, login, Options::new(Transport::DirectTls)).await?;
//! while let Some(happening) = session.next().await {
//!     if let Happening::Notified(notification) = happening {
//!         println!("{}: {}", notification.node, notification.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod bosh;
mod chance;
mod driver;
mod link;
mod socket;
mod tcp;
mod websocket;

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::options::{Login, Options};
use topoc_finesse_proto::xmpp::stanza::Notification;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

/// How many notifications wait for the program before the session stops reading.
const WAITING: usize = 64;

/// How many wishes of the program wait for the session.
const WISHES: usize = 16;

/// A server's address, and whom to believe there.
#[derive(Clone)]
pub struct Server {
    /// A name, or an address. Its certificate must be for it.
    pub host: String,
    /// The port that belongs to the transport.
    pub port: u16,
    /// The path of WebSocket (`/ws/`) or BOSH (`/http-bind/`); TCP has none.
    pub path: String,
    /// Whom to believe: one value for all sessions, which share it.
    pub tls: Arc<ClientConfig>,
}

impl Server {
    /// A server to be reached over TCP.
    #[must_use]
    pub fn new(host: &str, port: u16, tls: Arc<ClientConfig>) -> Self {
        Self { host: host.to_owned(), port, path: "/".to_owned(), tls }
    }

    /// The same with a path, for WebSocket and BOSH.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// As HTTP's `Host` has it.
    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{}{})", self.host, self.port, self.path)
    }
}

/// What a program is told of a session that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Finesse has something to say.
    Notified(Notification),
    /// The watched user, which is Finesse itself, is there or not.
    Watched(bool),
    /// Notifications of this node come from now on.
    Subscribed(String),
    /// No more notifications of this node come.
    Unsubscribed(String),
    /// The server did not subscribe or unsubscribe: the node, and the name of its reason.
    NotDone(String, String),
    /// The session is over. Nothing comes after it.
    Ended(End),
}

/// What a program can want of a session.
#[derive(Debug)]
enum Wish {
    Subscribe(String),
    Unsubscribe(String),
}

/// A session that is ready. It leaves, in the background, when it is dropped: it takes its subscriptions back and says goodbye.
#[derive(Debug)]
pub struct Session {
    address: String,
    wishes: mpsc::Sender<Wish>,
    /// Boxed, since a channel has room for 32 from the beginning.
    happenings: mpsc::Receiver<Box<Happening>>,
    driver: AbortHandle,
}

impl Session {
    /// Opens a session, and waits until it is ready. Nothing is tried twice.
    ///
    /// # Errors
    ///
    /// Why there is none, within the `negotiation_timeout` of the options.
    pub async fn open(server: &Server, login: Login, options: Options) -> Result<Self, End> {
        let (wishes, wished) = mpsc::channel(WISHES);
        let (tell, happenings) = mpsc::channel(WAITING);
        let driver = driver::Driver::open(server, login, options).await?;
        let address = driver.address().to_owned();
        // Boxed, so that the task is no larger than a session needs once it is ready.
        let driver = tokio::spawn(Box::pin(driver.run(wished, tell))).abort_handle();
        Ok(Self { address, wishes, happenings, driver })
    }

    /// The address that the server has given to the session.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What happens next; `None` after [`Happening::Ended`].
    pub async fn next(&mut self) -> Option<Happening> {
        self.happenings.recv().await.map(|happening| *happening)
    }

    /// Asks for the notifications of a node. [`Happening::Subscribed`] or [`Happening::NotDone`] follows, unless the session ends.
    pub async fn subscribe(&self, node: impl Into<String>) {
        // Nobody takes it when the session has ended, which is told in another way.
        let _ = self.wishes.send(Wish::Subscribe(node.into())).await;
    }

    /// Asks for no more notifications of a node. [`Happening::Unsubscribed`] or [`Happening::NotDone`] follows, unless the
    /// session ends.
    pub async fn unsubscribe(&self, node: impl Into<String>) {
        let _ = self.wishes.send(Wish::Unsubscribe(node.into())).await;
    }

    /// A way to drop the connection at once, without a word, whatever the session is at.
    #[must_use]
    pub fn cutter(&self) -> AbortHandle {
        self.driver.clone()
    }

    /// Leaves, and waits until that is done, for the `close_timeout` of the options at most. Notifications that come meanwhile are
    /// dropped.
    pub async fn close(self) -> End {
        let Self { wishes, mut happenings, .. } = self;
        drop(wishes);
        while let Some(happening) = happenings.recv().await {
            if let Happening::Ended(end) = *happening {
                return end;
            }
        }
        End::Asked
    }
}
