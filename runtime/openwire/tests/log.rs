//! What an operator is told of an outage. A process of its own: tracing keeps for each place in the code, and for all threads,
//! whether anybody listens, and a test on another thread would have a part in that.

#[path = "support/failover.rs"]
mod support;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use support::{Stand, until, wait_at};
use topoc_lab::Link;
use topoc_openwire::Connection;

/// What is logged, line by line.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The lines of a level that contain a text.
    fn lines(&self, level: &str, text: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let log = String::from_utf8_lossy(&bytes).into_owned();
        log.lines().filter(|line| line.contains(level) && line.contains(text)).map(str::to_owned).collect()
    }
}

#[test]
fn an_outage_is_told_in_few_words_and_without_a_password() {
    let stand = Stand::start("A", "6.3.1", |plain| plain.user("gc", "moonshine"));
    stand.wait_started();
    let link = Link::to(std::net::SocketAddr::from(([127, 0, 0, 1], stand.port))).unwrap();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // One thread, so that everything is logged here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _here = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    runtime.block_on(async {
        let credentials = "jms.userName=gc&jms.password=moonshine";
        let regular = "useExponentialBackOff=false&initialReconnectDelay=20";
        let connection = Connection::open(&format!("failover:({})?{regular}&{credentials}", link.uri())).await.unwrap();
        link.cut();
        until("20 attempts have failed", || !log.lines("WARN", "after 20 attempt(s)").is_empty()).await;
        assert_eq!(log.lines("INFO", "connected").len(), 1, "only the first time");
        link.open();
        wait_at(&connection, "A").await;
        connection.close().await.unwrap();
    });
    let lost = log.lines("WARN", "is lost, connecting again");
    assert_eq!(lost.len(), 1, "{lost:?}");
    let attempts = log.lines("WARN", "attempt(s), trying again");
    for told in ["after 1 attempt(s)", "after 10 attempt(s)", "after 20 attempt(s)"] {
        assert_eq!(attempts.iter().filter(|line| line.contains(told)).count(), 1, "{told}: {attempts:?}");
    }
    assert!(attempts.len() <= 4, "no more than one of ten: {attempts:?}");
    let connected = log.lines("INFO", "connected");
    assert_eq!(connected.len(), 2, "{connected:?}");
    for line in lost.iter().chain(&attempts).chain(&connected) {
        assert!(line.contains(&link.uri()), "{line}");
    }
    assert_eq!(log.lines("", "moonshine"), Vec::<String>::new());
}
