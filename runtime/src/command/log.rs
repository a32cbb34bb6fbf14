//! Where the log goes: to the standard error, for people or as JSON.

use std::io::IsTerminal;

use topoc_plan::LogFormat;
use tracing_subscriber::EnvFilter;

/// The environment variable that says what is logged, such as `debug` or `info,topoc_openwire=debug`.
const LEVEL: &str = "TOPOC_LOG";

/// Begins to log.
pub(super) fn start(format: LogFormat) {
    let level = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).with_env_var(LEVEL);
    let log = tracing_subscriber::fmt().with_env_filter(level.from_env_lossy()).with_writer(std::io::stderr);
    match format {
        LogFormat::Human => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
}
