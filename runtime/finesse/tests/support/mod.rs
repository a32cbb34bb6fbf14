//! What the tests with a real server share.

#![allow(dead_code, reason = "each file of tests uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::time::timeout;
use topoc_finesse::xmpp::{Happening, Server, Session};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xmpp::jid::Jid;
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};
use topoc_lab::{Certificates, PATIENCE, Prosody};
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

/// What a notification of Finesse looks like on the way, and what it says.
pub(crate) const WRAPPED: &str = "<notification xmlns='urn:xmpp:push:0'>&lt;Update&gt;&lt;source&gt;a &amp;amp; b&lt;/source&gt;&lt;/Update&gt;</notification>";
pub(crate) const SAID: &str = "<Update><source>a &amp; b</source></Update>";

pub(crate) const SECRET: &str = "s3cret & <quoted>";

/// An empty folder for something of this file of tests that lasts as long as the process.
pub(crate) fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("finesse-{}-{name}", env!("CARGO_CRATE_NAME")));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| Certificates::make(&folder("certificates")).unwrap());

static TLS: LazyLock<Arc<ClientConfig>> =
    LazyLock::new(|| TlsConfig::default().roots_file(CERTIFICATES.ca_pem()).unwrap().build().unwrap());

/// A server that a test has for itself.
pub(crate) fn prosody(name: &str) -> Prosody {
    prosody_of(name, &["1001", "1002", "finesse"])
}

/// The same with these users.
pub(crate) fn prosody_of(name: &str, users: &[&str]) -> Prosody {
    let users: Vec<(&str, &str)> = users.iter().map(|user| (*user, SECRET)).collect();
    Prosody::start(&folder(name), &CERTIFICATES, &users).unwrap()
}

pub(crate) fn server(port: u16) -> Server {
    Server::new("127.0.0.1", port, Arc::clone(&TLS))
}

pub(crate) fn login(agent: &str, resource: &str) -> Login {
    Login { jid: Jid::of_agent(agent, "localhost", resource).unwrap(), password: Secret::new(SECRET) }
}

/// A session of agent 1001 that must come about.
pub(crate) async fn open(server: &Server, options: Options) -> Session {
    Session::open(server, login("1001", "topoc"), options).await.unwrap()
}

/// The happening that is waited for; others before it are passed over.
pub(crate) async fn until<T>(session: &mut Session, what: &str, mut look: impl FnMut(Happening) -> Option<T>) -> T {
    let looking = async {
        loop {
            let happening = session.next().await.unwrap_or_else(|| panic!("the session ended before {what}"));
            if let Happening::Ended(end) = &happening {
                let found = look(Happening::Ended(end.clone()));
                return found.unwrap_or_else(|| panic!("it ended before {what}: {end}"));
            }
            if let Some(found) = look(happening) {
                return found;
            }
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Why the session ends.
pub(crate) async fn end(session: &mut Session) -> topoc_finesse_proto::xmpp::end::End {
    until(session, "its end", |happening| if let Happening::Ended(end) = happening { Some(end) } else { None }).await
}

/// A whole life: subscribe, receive, unsubscribe, leave.
pub(crate) async fn live(prosody: &Prosody, server: &Server, options: Options) {
    let node = "/finesse/api/User/1001";
    let mut session = open(server, options).await;
    assert_eq!(session.address(), "1001@localhost/topoc");
    receive(prosody, &mut session, node).await;
    session.unsubscribe(node).await;
    until(&mut session, "the unsubscription", |happening| {
        (happening == Happening::Unsubscribed(node.to_owned())).then_some(())
    })
    .await;
    session.unsubscribe(node).await;
    let again = until(&mut session, "a refusal", |happening| match happening {
        Happening::NotDone(_, reason) => Some(reason),
        _ => None,
    });
    assert_eq!(again.await, "unexpected-request", "what is not subscribed cannot be unsubscribed");
    assert_eq!(session.close().await, topoc_finesse_proto::xmpp::end::End::Asked);
}

/// Subscribes, has an item published, and receives it.
pub(crate) async fn receive(prosody: &Prosody, session: &mut Session, node: &str) {
    session.subscribe(node).await;
    until(session, "the subscription", |happening| (happening == Happening::Subscribed(node.to_owned())).then_some(()))
        .await;
    publish(prosody, session, node, "item-1").await;
}

pub(crate) async fn publish(prosody: &Prosody, session: &mut Session, node: &str, item: &str) {
    prosody.publish(node, item, WRAPPED).unwrap();
    let notification = until(session, "the notification", |happening| match happening {
        Happening::Notified(notification) => Some(notification),
        _ => None,
    })
    .await;
    assert_eq!((notification.node.as_str(), notification.item.as_str()), (node, item));
    assert_eq!(notification.text, SAID);
}

/// Options whose pings are quick.
pub(crate) fn quick(transport: Transport) -> Options {
    // A server on a busy machine may take its time; a missing answer is not mistaken for a late one.
    let (ping_interval, ping_timeout) = (Duration::from_millis(300), Duration::from_secs(2));
    Options { ping_interval, ping_timeout, ..Options::new(transport) }
}
