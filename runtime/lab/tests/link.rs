//! Links with plain sockets at both ends: what passes, what does not, and how each end learns of it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use topoc_lab::{Link, PATIENCE, ports, until};

/// Time enough for bytes to come that must not.
const SILENCE: Duration = Duration::from_millis(150);

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A target that listens, and its address.
fn target() -> (TcpListener, SocketAddr) {
    let address = address(ports(1).unwrap()[0]);
    (TcpListener::bind(address).unwrap(), address)
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn dial(link: &Link) -> std::io::Result<TcpStream> {
    TcpStream::connect(address(link.port())).map(patient)
}

/// A connection through the link: the client's end and the target's.
fn through(link: &Link, target: &TcpListener) -> (TcpStream, TcpStream) {
    let client = dial(link).unwrap();
    (client, patient(target.accept().unwrap().0))
}

fn passes(mut from: &TcpStream, mut to: &TcpStream, text: &str) {
    from.write_all(text.as_bytes()).unwrap();
    let mut got = vec![0; text.len()];
    to.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), text);
}

fn nothing_comes(mut to: &TcpStream) {
    to.set_read_timeout(Some(SILENCE)).unwrap();
    let error = to.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    to.set_read_timeout(Some(PATIENCE)).unwrap();
}

fn assert_refused(link: &Link) {
    assert_eq!(dial(link).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

fn assert_reset(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

fn assert_ended(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn an_open_link_passes_bytes_and_ends_both_ways() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (client, server) = through(&link, &listener);
    passes(&client, &server, "a request");
    passes(&server, &client, "an answer");
    assert_eq!((link.connections(), link.accepted()), (1, 1));

    // Each direction ends by itself.
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_ended(&server);
    passes(&server, &client, "still open this way");
    drop(server);
    assert_ended(&client);
    until("the connection is forgotten", || (link.connections() == 0).then_some(()));
    assert_eq!(link.accepted(), 1);
}

#[test]
fn a_reset_passes_as_a_reset() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (mut client, server) = through(&link, &listener);
    // A socket that is closed with bytes unread resets.
    client.write_all(b"unread").unwrap();
    server.peek(&mut [0; 1]).unwrap();
    drop(server);
    assert_reset(&client);
}

#[test]
fn a_link_refuses_when_told_and_lets_old_connections_live() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (client, server) = through(&link, &listener);
    link.refuse();
    assert_refused(&link);
    passes(&client, &server, "still here");
    link.open();
    let (client, server) = through(&link, &listener);
    passes(&client, &server, "and again");
}

#[test]
fn a_cut_link_resets_and_refuses() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (client, server) = through(&link, &listener);
    link.cut();
    assert_eq!(link.connections(), 0);
    assert_reset(&client);
    assert_reset(&server);
    assert_refused(&link);
    link.open();
    through(&link, &listener);
}

#[test]
fn a_fault_can_be_over_at_once() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (client, server) = through(&link, &listener);
    link.reset();
    assert_reset(&client);
    assert_reset(&server);
    let (client, server) = through(&link, &listener);
    passes(&client, &server, "back");
}

#[test]
fn a_black_hole_passes_nothing_and_keeps_it() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (mut client, server) = through(&link, &listener);
    link.black_hole();
    client.write_all(b"vanishes").unwrap();
    let newcomer = dial(&link).unwrap();
    nothing_comes(&server);
    nothing_comes(&newcomer);
    // Nor does the end of a connection pass.
    drop(client);
    nothing_comes(&server);

    link.open();
    let mut got = String::new();
    (&server).read_to_string(&mut got).unwrap();
    assert_eq!(got, "vanishes", "packets are sent again when the hole is gone");
    let late = patient(listener.accept().unwrap().0);
    passes(&newcomer, &late, "now");
}

#[test]
fn a_black_hole_hides_the_death_of_the_target() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (client, server) = through(&link, &listener);
    link.black_hole();
    drop((listener, server));
    nothing_comes(&client);
    dial(&link).unwrap();
    link.open();
    assert_ended(&client);
    assert_refused(&link);
}

#[test]
fn a_link_without_a_target_refuses() {
    let target = address(ports(1).unwrap()[0]);
    let link = Link::to(target).unwrap();
    assert_refused(&link);
    let listener = TcpListener::bind(target).unwrap();
    until("the link follows its target", || dial(&link).ok());
    listener.accept().unwrap();

    drop(listener);
    until("the link follows its target", || dial(&link).err());
    assert_refused(&link);
}

#[test]
fn a_client_of_a_dead_target_is_never_let_in_again() {
    // Many times, because the order of two ends is at stake: the listener goes before the client learns.
    for _ in 0..100 {
        let (listener, target) = target();
        let link = Link::to(target).unwrap();
        let (client, server) = through(&link, &listener);
        drop(listener);
        drop(server);
        assert_ended(&client);
        assert_refused(&link);
        assert_eq!(link.accepted(), 1);
    }
}

#[test]
fn a_target_can_start_beside_its_link_at_any_moment() {
    // The link tries the target's address all the time; that must never be in the target's way.
    let target = address(ports(1).unwrap()[0]);
    let links: Vec<Link> = (0..4).map(|_| Link::to(target).unwrap()).collect();
    for _ in 0..2_000 {
        drop(TcpListener::bind(target).unwrap());
    }
    drop(links);
}

#[test]
fn a_slow_link_takes_its_time_and_loses_nothing() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    link.slow(100_000);
    let (mut client, mut server) = through(&link, &listener);
    let since = Instant::now();
    let sent: Vec<u8> = (0..30_000_u32).map(|at| at as u8).collect();
    client.write_all(&sent).unwrap();
    drop(client);
    let mut got = Vec::new();
    server.read_to_end(&mut got).unwrap();
    assert!(got == sent);
    // 0.3 s by its rate; the last portion is not waited for.
    assert!(since.elapsed() > Duration::from_millis(250), "{:?}", since.elapsed());
}

#[test]
fn a_receiver_that_does_not_read_holds_the_sender_back() {
    const MOST: usize = 64 << 20;
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let (mut client, mut server) = through(&link, &listener);
    client.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let block = vec![7; 1 << 16];
    let mut sent = 0;
    while let Ok(written) = client.write(&block) {
        sent += written;
        assert!(sent < MOST, "somebody keeps {sent} bytes");
    }
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).unwrap();
    assert_eq!(got.len(), sent);
}

#[test]
fn the_thread_ends_with_the_link() {
    let (listener, target) = target();
    let link = Link::to(target).unwrap();
    let name = format!("link-{}", link.port());
    let is_there = || {
        let tasks = std::fs::read_dir(Path::new("/proc/self/task")).unwrap();
        let mut names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.any(|comm| comm.trim() == name)
    };
    until("the thread has its name", || is_there().then_some(()));
    let (client, _server) = through(&link, &listener);
    link.black_hole();
    drop(link);
    assert!(!is_there());
    assert_ended(&client);
}
