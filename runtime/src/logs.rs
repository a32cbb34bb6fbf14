//! What the connector logs, and how: for people or as JSON, one line each, to standard error.
//!
//! Secrets are kept out where they are: nothing that may be one has a `Debug` or `Display` that shows it. What is looked after here
//! is the form: no text of a stranger can begin a line of its own or colour a terminal, no line is endless, and lines that come
//! again and again are left out and counted, so that a night's trouble does not fill the disk. Nobody waits for whoever reads them:
//! while standard error takes nothing, a megabyte of lines waits, and what is more is lost and counted.
//!
//! ```no_run
//! # use topoc_connector::logs::{self, Settings};
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new(Some("json"), Some("info"), false)?; // before any socket
//! let log = logs::install(&settings)?;
//! let summaries = log.clone();
//! tokio::spawn(async move { summaries.watch().await });
//! let _within = logs::of_request("ID:amq-1-7:1", Some("1001")).entered();
//! tracing::info!("answered"); // with `request` and `agent`
//! # Ok(())
//! # }
//! ```

mod json;
mod limit;
mod plain;
mod queue;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Format, JsonFields};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{EnvFilter, Registry};

use limit::Limiter;
use queue::Queue;

/// Where the environment says what is logged, unless an argument does.
pub const LEVEL_VARIABLE: &str = "TOPOC_LOG";
/// Where the environment says how, unless an argument does: `human` or `json`.
pub const FORM_VARIABLE: &str = "TOPOC_LOG_FORMAT";
/// How often it is said what was left out.
const SUMMARIES: Duration = Duration::from_secs(10);

/// How many bytes of lines wait while standard error takes nothing: some minutes at `info`.
const ROOM: usize = 1024 * 1024;

/// The levels, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line: `time`, `level`, `target`, `message`, and all fields beside them.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    form: Form,
    /// As `EnvFilter` reads it.
    filter: String,
    colour: bool,
}

impl Settings {
    /// The form is `human` (the default) or `json`. The level is `error`, `warn`, `info` (the default), `debug`, `trace` or `off`,
    /// or for parts of the program each, `info,topoc_openwire=debug`. Colour is for terminals, and only for people.
    ///
    /// # Errors
    ///
    /// If one of them is none of these.
    pub fn new(form: Option<&str>, level: Option<&str>, colour: bool) -> Result<Self, SettingsError> {
        let form = match form.map(str::trim).unwrap_or_default() {
            "" | "human" => Form::Human,
            "json" => Form::Json,
            other => return Err(SettingsError::Form(other.to_owned())),
        };
        let level = level.map(str::trim).filter(|level| !level.is_empty()).unwrap_or("info");
        Ok(Self { form, filter: filter(level)?, colour: colour && form == Form::Human })
    }
}

/// The filter that a level means.
fn filter(level: &str) -> Result<String, SettingsError> {
    let wrong = || SettingsError::Level(level.to_owned());
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte));
    let is_part = |part: &&str| match part.split_once('=') {
        Some((target, level)) => is_name(target) && is_level(level),
        None => is_level(part),
    };
    let parts: Vec<_> = level.split(',').map(str::trim).collect();
    match parts[..] {
        // What other crates tell at the lower levels helps nobody who did not ask for them by name.
        [all] if is_level(all) && all.parse().is_ok_and(|all: LevelFilter| all > LevelFilter::WARN) => {
            Ok(format!("warn,topoc={all}"))
        }
        _ if parts.iter().all(is_part) => Ok(parts.join(",")),
        _ => Err(wrong()),
    }
}

/// What is wrong with the settings of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// This is no form.
    Form(String),
    /// This is no level.
    Level(String),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(text) => write!(f, "`{text}` is no form of the log: write `human` or `json`"),
            Self::Level(text) => write!(
                f,
                "`{text}` is no level of the log: write `error`, `warn`, `info`, `debug`, `trace` or `off`, \
                 or for parts of the program each, `info,topoc_openwire=debug`"
            ),
        }
    }
}

impl std::error::Error for SettingsError {}

/// A log that is being written.
#[derive(Clone, Debug)]
pub struct Log {
    limiter: Arc<Limiter>,
    /// Where lines wait; none where they are written at once.
    queue: Option<Queue>,
}

/// How many lines are not in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Too many of their kind came.
    pub left_out: u64,
    /// Whoever reads the log did not take them in time.
    pub lost: u64,
}

impl Log {
    /// How many lines are missing so far.
    #[must_use]
    pub fn missing(&self) -> Missing {
        Missing { left_out: self.limiter.left_out(), lost: self.queue.as_ref().map_or(0, Queue::lost) }
    }

    /// Says what is missing since it was said last: to be called at the end of the program, too.
    pub fn summarise(&self) {
        for (lines, example) in self.limiter.take() {
            tracing::warn!(target: limit::OWN, lines, example, "the log left out lines of which too many came");
        }
        let lines = self.queue.as_ref().map_or(0, Queue::lost_since);
        if lines > 0 {
            tracing::warn!(target: limit::OWN, lines, "the log lost lines that nobody took in time");
        }
    }

    /// Waits until all lines are written, but no longer than this: at the end of the program. Whether they are.
    pub fn flush(&self, within: Duration) -> bool {
        self.queue.as_ref().is_none_or(|queue| queue.flush(within))
    }

    /// Says every 10 seconds what was left out, if anything was. Never returns.
    pub async fn watch(&self) {
        let mut ticks = tokio::time::interval(SUMMARIES);
        loop {
            ticks.tick().await;
            self.summarise();
        }
    }
}

/// Why there can be no log.
#[derive(Debug)]
pub enum InstallError {
    /// Something in this process logs already.
    Twice(tracing::subscriber::SetGlobalDefaultError),
    /// The system gives no thread to write it.
    NoThread(io::Error),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(error) => error.fmt(f),
            Self::NoThread(error) => write!(f, "the system gives no thread to write it: {error}"),
        }
    }
}

impl std::error::Error for InstallError {}

/// Begins to log to standard error, for the whole process.
///
/// # Errors
///
/// If something in this process logs already, or there can be no thread.
pub fn install(settings: &Settings) -> Result<Log, InstallError> {
    let began = Instant::now();
    let queue = Queue::start(io::stderr(), ROOM).map_err(InstallError::NoThread)?;
    let (subscriber, log) = subscriber(settings, queue.clone(), move || began.elapsed());
    tracing::subscriber::set_global_default(subscriber).map_err(InstallError::Twice)?;
    Ok(Log { queue: Some(queue), ..log })
}

/// What logs to this writer, by this clock.
pub fn subscriber<W, C>(settings: &Settings, writer: W, clock: C) -> (impl Subscriber + Send + Sync + use<W, C>, Log)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    C: Fn() -> Duration + Send + Sync + 'static,
{
    let limiter = Arc::new(Limiter::new(clock));
    let limited = Arc::clone(&limiter);
    let lines = tracing_subscriber::fmt::layer().with_ansi(settings.colour);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match settings.form {
        Form::Human => {
            let form = limit::Limited { inner: Format::default(), limiter: limited };
            lines.event_format(form).with_writer(plain::Writer::new(writer, settings.colour)).boxed()
        }
        Form::Json => {
            let form = limit::Limited { inner: json::Json, limiter: limited };
            lines.event_format(form).fmt_fields(JsonFields::new()).with_writer(writer).boxed()
        }
    };
    let filter = EnvFilter::builder().parse_lossy(&settings.filter);
    (Registry::default().with(layer.with_filter(filter)), Log { limiter, queue: None })
}

/// Whatever is logged within it has the request's id, and the agent's where it is known, as the fields `request` and `agent`.
#[must_use]
pub fn of_request(request: &str, agent: Option<&str>) -> Span {
    // Of the highest level, so that it is there whatever is logged.
    tracing::error_span!("of", request, agent)
}

/// Whatever is logged within it has the agent's id, as the field `agent`.
#[must_use]
pub fn of_agent(agent: &str) -> Span {
    tracing::error_span!("of", agent)
}
