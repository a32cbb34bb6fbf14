//! What `send` and `receive` have in common: where to connect, and the line that says what was done.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Instant;

use topoc_openwire::{Config, Connection, Error, Status, TlsConfig};

#[derive(clap::Args)]
pub(crate) struct Common {
    /// `tcp://HOST:PORT`, `ssl://HOST:PORT` or `failover:(ADDRESS,ADDRESS)?OPTIONS`
    #[arg(long)]
    pub(crate) uri: String,
    /// The queue
    #[arg(long, value_name = "Q")]
    pub(crate) queue: String,
    /// How many messages
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) count: u64,
    /// The user to log in as; the password comes from the environment variable OPENWIRE_PASSWORD
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Certificate authorities to believe, PEM; without it those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<std::path::PathBuf>,
}

impl Common {
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let mut config = Config::new(&self.uri)?;
        if let Some(user) = &self.user {
            config = config.user(user, std::env::var("OPENWIRE_PASSWORD").unwrap_or_default());
        }
        if let Some(ca) = &self.ca {
            config = config.tls(TlsConfig::default().roots_file(ca)?);
        }
        config.connect().await
    }
}

/// What was done.
pub(crate) struct Report {
    what: &'static str,
    pub(crate) count: u64,
    seconds: f64,
    broker: Option<String>,
    address: Option<String>,
    reconnects: u64,
}

impl Report {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, count: 0, seconds: 0.0, broker: None, address: None, reconnects: 0 }
    }

    /// How long it took, and where it ended.
    pub(crate) fn finish(&mut self, connection: &Connection, since: Instant) {
        self.seconds = since.elapsed().as_secs_f64();
        self.reconnects = connection.losses();
        if let Status::Connected(place) = connection.status() {
            (self.broker, self.address) = (place.broker, Some(place.address));
        }
    }

    fn json(&self) -> String {
        let Self { what, count, seconds, broker, address, reconnects } = self;
        let seconds = (seconds * 1000.0).round() / 1000.0;
        serde_json::json!({
            *what: count, "seconds": seconds, "broker": broker, "address": address, "reconnects": reconnects,
        })
        .to_string()
    }
}

/// Runs to the end, or until Ctrl-C; one line to standard output, anything else to standard error.
pub(crate) fn run(work: impl Future<Output = (Report, Result<(), Error>)>) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()))
        .init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let (report, done) = runtime.block_on(work);
    println!("{}", report.json());
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

#[expect(clippy::print_stderr, reason = "it is what the user is told")]
fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// Ctrl-C.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
