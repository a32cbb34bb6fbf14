//! TLS: who is believed and who is not, on every kind of listener that brokers have.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]
#![allow(clippy::print_stdout, reason = "a failed test shows where it was")]

mod support;

use std::io::Write;
use std::sync::{LazyLock, Mutex};

use support::{Site, at_each, next, sites, text};
use topoc_lab::Certificates;
use topoc_openwire::{AckMode, Config, Connection, Error, Outgoing, TlsConfig};

/// Schemes of listeners, each with what follows its address. The places are those of [`Site::more`].
const LISTENERS: [(&str, &str, &str); 8] = [
    ("ssl", "127.0.0.1", ""),
    ("ssl", "127.0.0.1", "?needClientAuth=true"),
    ("nio+ssl", "127.0.0.1", ""),
    ("auto+ssl", "127.0.0.1", ""),
    ("auto+nio+ssl", "127.0.0.1", ""),
    // A certificate for 127.0.0.1 is none for this.
    ("ssl", "127.0.0.2", ""),
    ("nio", "127.0.0.1", ""),
    ("auto", "127.0.0.1", ""),
];
const MUTUAL: usize = 1;
const MISNAMED: usize = 5;

static CERTIFICATES: LazyLock<Certificates> =
    LazyLock::new(|| Certificates::make(&support::folder("certificates")).unwrap());

static SITES: LazyLock<Vec<Site>> = LazyLock::new(|| {
    sites("tls", |plain, ports| {
        let plain = plain.tls(&CERTIFICATES);
        LISTENERS.iter().zip(ports).fold(plain, |plain, ((scheme, host, options), port)| {
            plain.listen(&format!("{scheme}://{host}:{port}{options}"), &[])
        })
    })
});

fn uri(site: &Site, listener: usize) -> String {
    let (scheme, host, _) = LISTENERS[listener];
    format!("{scheme}://{host}:{}", site.more[listener])
}

fn trusting() -> TlsConfig {
    TlsConfig::default().roots_file(CERTIFICATES.ca_pem()).unwrap()
}

fn certified() -> TlsConfig {
    trusting().client_files(CERTIFICATES.client_pem(), CERTIFICATES.client_key_pem()).unwrap()
}

async fn connect(uri: &str, tls: TlsConfig) -> Result<Connection, Error> {
    Config::new(uri).unwrap().tls(tls).connect().await
}

/// That messages go both ways.
async fn use_it(connection: Connection) {
    let session = connection.session(AckMode::Auto).await.unwrap();
    let queue = session.temporary_queue().await.unwrap();
    let sent = "x".repeat(100_000);
    session.producer(&queue).await.unwrap().send(Outgoing::text(sent.clone())).await.unwrap();
    assert_eq!(text(&next(&mut session.consumer(&queue).open().await.unwrap()).await), sent);
    connection.close().await.unwrap();
}

fn refused(result: Result<Connection, Error>, said: &str) {
    match result {
        Err(Error::Disconnected(reason)) if reason.to_lowercase().contains(said) => {}
        other => panic!("`{said}` was expected, not {other:?}"),
    }
}

#[test]
fn every_kind_of_listener_is_dialled() {
    at_each(&SITES, &async |site| {
        for listener in (0..LISTENERS.len()).filter(|listener| ![MUTUAL, MISNAMED].contains(listener)) {
            println!("{:?}", LISTENERS[listener]);
            use_it(connect(&uri(site, listener), trusting()).await.unwrap()).await;
            // By name, and as one of several.
            let named = uri(site, listener).replace("127.0.0.1", "localhost");
            use_it(connect(&format!("failover:({named})"), trusting()).await.unwrap()).await;
        }
    });
}

#[test]
fn a_broker_that_wants_to_know_who_one_is_is_shown_a_certificate() {
    at_each(&SITES, &async |site| {
        let mutual = uri(site, MUTUAL);
        use_it(connect(&mutual, certified()).await.unwrap()).await;
        assert!(matches!(connect(&mutual, trusting()).await, Err(Error::Disconnected(_))));
    });
}

#[test]
fn who_has_a_certificate_for_another_name_is_not_believed() {
    at_each(&SITES, &async |site| {
        refused(connect(&uri(site, MISNAMED), trusting()).await, "not valid for name");
        let error = Config::new(&format!("{}?socket.verifyHostName=false", uri(site, MISNAMED))).unwrap_err();
        assert!(error.to_string().contains("TlsConfig"), "{error}");
    });
}

#[test]
fn who_is_certified_by_nobody_known_is_not_believed() {
    let other = Certificates::make(&support::folder("others")).unwrap();
    at_each(&SITES, &async |site| {
        let tls = TlsConfig::default().roots_file(other.ca_pem()).unwrap();
        refused(connect(&uri(site, 0), tls).await, "certificate");
    });
}

/// What is logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_believes_anybody_is_warned_each_time() {
    let _ = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).try_init();
    at_each(&SITES, &async |site| {
        let uri = uri(site, MISNAMED);
        let warnings = || {
            let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
            log.lines()
                .filter(|line| line.contains("WARN") && line.contains("danger_believe_anybody") && line.contains(&uri))
                .count()
        };
        for times in 1..=2 {
            use_it(connect(&uri, TlsConfig::default().danger_believe_anybody()).await.unwrap()).await;
            assert_eq!(warnings(), times);
        }
    });
}

#[test]
fn what_cannot_be_used_is_said_before_anything_is_dialled() {
    let missing = TlsConfig::default().roots_file("/nonexistent/ca.pem").unwrap_err();
    assert!(missing.to_string().contains("/nonexistent/ca.pem"), "{missing}");
    let empty = TlsConfig::default().roots_pem(b"").unwrap_err();
    assert!(matches!(Error::from(empty.clone()), Error::Tls(_)), "{empty}");
    let key = std::fs::read(CERTIFICATES.client_key_pem()).unwrap();
    let certificate = std::fs::read(CERTIFICATES.client_pem()).unwrap();
    TlsConfig::default().client_pem(&certificate, b"none").unwrap_err();
    TlsConfig::default().client_pem(b"none", &key).unwrap_err();
    let printed = format!("{:?}", certified());
    assert!(printed.contains("client: true") && !printed.contains("PRIVATE"), "{printed}");
}

#[test]
fn plain_and_tls_do_not_mix() {
    at_each(&SITES, &async |site| {
        let plain = format!("tcp://127.0.0.1:{}?wireFormat.maxInactivityDurationInitalDelay=500", site.more[0]);
        assert!(matches!(connect(&plain, trusting()).await, Err(Error::Disconnected(_))));
        let tls = site.uri.replace("tcp:", "ssl:");
        assert!(matches!(connect(&tls, trusting()).await, Err(Error::Disconnected(_))));
        use_it(Connection::open(&site.uri).await.unwrap()).await;
    });
}
