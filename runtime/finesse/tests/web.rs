//! Sessions over WebSocket and BOSH with a real server.

mod support;

use std::net::Ipv4Addr;

use support::{end, live, login, open, prosody, quick, receive, server};
use topoc_finesse::xmpp::Session;
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::options::{Login, Options, Transport};
use topoc_lab::Link;

/// Both, with their paths.
const BOTH: [(Transport, &str); 2] =
    [(Transport::WebSocket { tls: true }, "/xmpp-websocket"), (Transport::Bosh { tls: true }, "/http-bind")];

#[tokio::test]
async fn a_session_lives_over_either() {
    let prosody = prosody("lives");
    for (transport, path) in BOTH {
        live(&prosody, &server(prosody.https()).path(path), Options::new(transport)).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_once_over_either() {
    let prosody = prosody("wrong");
    for (transport, path) in BOTH {
        let login = Login { password: Secret::new("wrong-secret"), ..login("1001", "topoc") };
        let opened = Session::open(&server(prosody.https()).path(path), login, Options::new(transport)).await;
        let end = opened.unwrap_err();
        assert!(matches!(&end, End::NotAuthorized { .. }), "{transport:?}: {end}");
    }
}

#[tokio::test]
async fn a_path_where_nobody_speaks_xmpp_is_no_session() {
    let prosody = prosody("path");
    for (transport, _) in BOTH {
        let server = server(prosody.https()).path("/nothing");
        let end = Session::open(&server, login("1001", "topoc"), Options::new(transport)).await.unwrap_err();
        assert!(matches!(&end, End::Lost(_) | End::Bosh(_)), "{transport:?}: {end}");
    }
}

#[tokio::test]
async fn a_second_session_throws_the_first_one_out_over_either() {
    let prosody = prosody("conflict");
    for (transport, path) in BOTH {
        let server = server(prosody.https()).path(path);
        let mut first = open(&server, Options::new(transport)).await;
        let second = open(&server, Options::new(transport)).await;
        assert_eq!(end(&mut first).await, End::Conflict, "{transport:?}");
        assert_eq!(second.close().await, End::Asked);
    }
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed_by_pings_over_either() {
    let prosody = prosody("silent");
    for (transport, path) in BOTH {
        let link = Link::to((Ipv4Addr::LOCALHOST, prosody.https())).unwrap();
        let mut session = open(&server(link.port()).path(path), quick(transport)).await;
        receive(&prosody, &mut session, "/finesse/api/User/1001").await;
        link.black_hole();
        assert_eq!(end(&mut session).await, End::Silent(3), "{transport:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_killed_is_noticed_over_either() {
    for (transport, path) in BOTH {
        let prosody = prosody("killed");
        let mut session = open(&server(prosody.https()).path(path), Options::new(transport)).await;
        prosody.kill();
        let end = end(&mut session).await;
        assert!(matches!(&end, End::Lost(_)), "{transport:?}: {end}");
    }
}

#[tokio::test]
async fn bosh_survives_connections_that_break_and_loses_nothing() {
    let prosody = prosody("breaks");
    let link = Link::to((Ipv4Addr::LOCALHOST, prosody.https())).unwrap();
    let node = "/finesse/api/User/1001";
    let server = server(link.port()).path("/http-bind");
    let mut session = open(&server, Options::new(Transport::Bosh { tls: true })).await;
    receive(&prosody, &mut session, node).await;
    for round in 0..5 {
        link.reset();
        support::publish(&prosody, &mut session, node, &format!("after-{round}")).await;
    }
    // And while the server cannot be reached at all.
    link.cut();
    prosody.publish(node, "meanwhile", support::WRAPPED).unwrap();
    link.open();
    let item = support::until(&mut session, "what was published meanwhile", |happening| match happening {
        topoc_finesse::xmpp::Happening::Notified(notification) => Some(notification.item),
        _ => None,
    });
    assert_eq!(item.await, "meanwhile");
    assert_eq!(session.close().await, End::Asked);
}
