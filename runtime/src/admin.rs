//! The admin interface: `/health`, `/ready`, `/metrics` and `/agents` over HTTP, for the operator and for monitoring.
//!
//! It shows a [`Status`] that others fill in, and asks for agents whoever has them; it changes nothing. It is for the machine that
//! the connector runs on: another address than loopback needs a token. Without a token only requests for a local name are
//! answered, so that no page in a browser can read it under a name of its own (DNS rebinding).
//!
//! ```no_run
//! # use topoc_connector::admin::{self, Admin, Settings, Status, Views};
//! # use topoc_connector::notify::Heartbeat;
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new("127.0.0.1:9464", None)?; // before any socket
//! let (status, seen) = tokio::sync::watch::channel(Status::default());
//! let (agents, mut questions) = admin::questions();
//! let heartbeat = Heartbeat::new();
//! let admin = Admin::bind(settings).await?;
//! let (end, ended) = tokio::sync::oneshot::channel::<()>();
//! let views = Views { status: seen, agents, heartbeat: heartbeat.clone(), missing: None };
//! let served = tokio::spawn(admin.serve(views, async { drop(ended.await) }));
//! // In the loop: heartbeat.beat(), status.send_modify(...), and each of questions.recv() answered.
//! # drop((end, questions.recv().await, status, served));
//! # Ok(())
//! # }
//! ```

mod agents;
mod answer;
mod latencies;
pub mod metrics;
mod process;
mod ready;
mod server;
mod settings;
mod status;

pub use agents::{Agent, Asker, PAGE, Question, questions};
pub use latencies::{BOUNDS, Latencies};
pub use process::Process;
pub use ready::{REASONS, Reason, Unready};
pub use server::{Admin, Views};
pub use settings::{Limits as ServerLimits, SHORTEST_TOKEN, Settings, SettingsError, Token};
pub use status::{
    Broker, DROPPED, Finesse, Identity, JUDGEMENTS, Life, Limits, NO_COMMAND, Outcome, Peer, Place, Requests, Server,
    Session, Stage, Status,
};
