//! A session over TCP with a real server: TLS, authentication, notifications, and every way that it can end.

mod support;

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use support::{end, folder, live, login, open, prosody, quick, server, until};
use topoc_finesse::xmpp::{Happening, Server, Session};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};
use topoc_finesse_proto::xmpp::sasl::Mechanism;
use topoc_lab::{Certificates, Link, Prosody};
use topoc_tls::TlsConfig;

/// For the tests that leave it as it is.
static SHARED: LazyLock<Prosody> = LazyLock::new(|| prosody("shared"));

#[tokio::test]
async fn a_session_lives_within_direct_tls() {
    let prosody = prosody("direct");
    live(&prosody, &server(prosody.tls()), Options::new(Transport::DirectTls)).await;
}

#[tokio::test]
async fn a_session_lives_within_tls_that_begins_later() {
    let prosody = prosody("later");
    live(&prosody, &server(prosody.plain()), Options::new(Transport::StartTls)).await;
}

#[tokio::test]
async fn every_mechanism_lets_the_agent_in() {
    for mechanism in Mechanism::ALL {
        let options = Options { mechanisms: vec![mechanism], ..Options::new(Transport::DirectTls) };
        let session = Session::open(&server(SHARED.tls()), login("1001", mechanism.name()), options).await.unwrap();
        assert_eq!(session.address(), format!("1001@localhost/{}", mechanism.name()));
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_once_and_never_again() {
    for mechanism in Mechanism::ALL {
        let prosody = prosody(mechanism.name());
        let link = Link::to((Ipv4Addr::LOCALHOST, prosody.tls())).unwrap();
        let options = Options { mechanisms: vec![mechanism], ..Options::new(Transport::DirectTls) };
        let login = Login { password: Secret::new("wrong-secret"), ..login("1001", "topoc") };
        let end = Session::open(&server(link.port()), login, options).await.unwrap_err();
        assert!(matches!(&end, End::NotAuthorized { condition, .. } if condition == "not-authorized"), "{end}");
        assert!(!end.is_worth_retrying());
        assert!(!format!("{end:?} {end}").contains("wrong-secret"));
        assert_eq!(link.accepted(), 1, "one attempt: five of them block an agent of Finesse");
    }
}

#[tokio::test]
async fn a_password_is_not_said_where_others_can_read_it() {
    let options = Options { mechanisms: vec![Mechanism::Plain], ..Options::new(Transport::Plain) };
    let end = Session::open(&server(SHARED.plain()), login("1001", "plain"), options).await.unwrap_err();
    assert!(matches!(&end, End::NoMechanism(_)), "{end}");
}

#[tokio::test]
async fn scram_needs_no_tls() {
    let options = Options { mechanisms: vec![Mechanism::ScramSha256], ..Options::new(Transport::Plain) };
    Session::open(&server(SHARED.plain()), login("1001", "scram"), options).await.unwrap();
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_left() {
    let stranger = Certificates::make(&folder("stranger")).unwrap();
    let tls = TlsConfig::default().roots_file(stranger.ca_pem()).unwrap().build().unwrap();
    for (port, transport) in [(SHARED.tls(), Transport::DirectTls), (SHARED.plain(), Transport::StartTls)] {
        let server = Server::new("127.0.0.1", port, tls.clone());
        let end = Session::open(&server, login("1001", "stranger"), Options::new(transport)).await.unwrap_err();
        assert!(matches!(&end, End::Tls(_)), "{end}");
    }
}

#[tokio::test]
async fn pings_are_answered_for_as_long_as_the_server_is_there_and_missed_soon_after() {
    let prosody = prosody("pings");
    let link = Link::to((Ipv4Addr::LOCALHOST, prosody.tls())).unwrap();
    let mut session = open(&server(link.port()), quick(Transport::DirectTls)).await;
    // Six pings' worth of time; a session that missed one of them would not get the notification after it.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    support::receive(&prosody, &mut session, "/finesse/api/User/1001").await;
    link.black_hole();
    assert_eq!(end(&mut session).await, End::Silent(3));
}

#[tokio::test]
async fn a_second_session_with_the_same_resource_throws_the_first_one_out() {
    let prosody = prosody("conflict");
    let server = server(prosody.tls());
    let mut first = open(&server, Options::new(Transport::DirectTls)).await;
    let mut second = open(&server, Options::new(Transport::DirectTls)).await;
    let end = end(&mut first).await;
    assert_eq!(end, End::Conflict);
    assert!(!end.is_worth_retrying(), "the two would throw each other out for ever");
    support::receive(&prosody, &mut second, "/finesse/api/User/1001").await;
}

#[tokio::test]
async fn the_presence_of_finesse_is_seen() {
    let prosody = prosody("presence");
    let server = server(prosody.tls());
    let mut session = open(&server, Options::new(Transport::DirectTls)).await;
    let watched = |wanted| move |happening| (happening == Happening::Watched(wanted)).then_some(());
    until(&mut session, "the absence of finesse", watched(false)).await;
    let finesse = Session::open(&server, login("finesse", "web"), Options::new(Transport::DirectTls)).await.unwrap();
    until(&mut session, "its presence", watched(true)).await;
    assert_eq!(finesse.close().await, End::Asked);
    until(&mut session, "its absence", watched(false)).await;
}

#[tokio::test]
async fn a_server_that_shuts_down_says_so_and_one_that_is_killed_does_not() {
    let prosody = prosody("down");
    let mut session = open(&server(prosody.tls()), Options::new(Transport::DirectTls)).await;
    prosody.say_goodbye().unwrap();
    let told = end(&mut session).await;
    assert!(matches!(&told, End::Stream { condition, .. } if condition == "system-shutdown"), "{told}");
    assert!(told.is_worth_retrying());

    let prosody = support::prosody("killed");
    let mut session = open(&server(prosody.tls()), Options::new(Transport::DirectTls)).await;
    prosody.kill();
    let end = end(&mut session).await;
    assert!(matches!(&end, End::Lost(_)), "{end}");
    assert!(end.is_worth_retrying());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let link = Link::to((Ipv4Addr::LOCALHOST, SHARED.plain())).unwrap();
    link.black_hole();
    let limit = std::time::Duration::from_millis(500);
    let options = Options { negotiation_timeout: limit, ..Options::new(Transport::StartTls) };
    let end = Session::open(&server(link.port()), login("1001", "nothing"), options).await.unwrap_err();
    assert!(matches!(end, End::Slow(_)), "{end}");
}
