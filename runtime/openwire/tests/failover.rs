//! Where the client goes when brokers come and go: the same places as ActiveMQ's own client, with the same URI and the same
//! fault, and what its options promise.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

#[path = "support/failover.rs"]
mod support;

use std::fs;
use std::time::Duration;

use support::{Both, Stand, java, run, until, until_at};
use topoc_lab::{Link, PATIENCE, Plain};
use topoc_openwire::{AckMode, Connection, Destination};

const LIMIT: Duration = Duration::from_secs(240);

fn pair(release: &'static str) -> [Stand; 2] {
    let stands = ["A", "B"].map(|name| Stand::start(name, release, |plain| plain));
    stands.iter().for_each(Stand::wait_started);
    stands
}

/// Kill, restart and priority backup, each with its own client of either kind, at the same two brokers.
fn kill_and_restart(release: &'static str) {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let [mut a, b] = pair(release);
        let list = format!("failover:({},{})?randomize=false&", a.uri(), b.uri());
        let back = "priorityBackup=true&";
        let plain = format!("{list}maxReconnectDelay=500");
        let priority = format!("{list}{back}maxReconnectDelay=500");
        let regular = format!("{list}{back}useExponentialBackOff=false&initialReconnectDelay=500");
        let spare = format!("{list}{back}backup=true&maxReconnectDelay=500");
        let named = format!("{list}{back}maxReconnectDelay=500&priorityURIs={}", b.uri());
        let single = format!("failover:({})?maxReconnectDelay=500", a.uri());
        let connect = async |name, uri: &str| Both::connect(name, &java, [uri, uri]).await;
        let mut plain = connect("plain", &plain).await;
        let mut single = connect("single", &single).await;
        let mut priority =
            [connect("priority", &priority).await, connect("regular", &regular).await, connect("spare", &spare).await];
        let mut named = connect("named", &named).await;
        for both in priority.iter_mut().chain([&mut plain, &mut single]) {
            both.expect_at(&a).await;
        }
        // The first of the list is not the one that is preferred.
        named.expect_at(&b).await;

        a.kill();
        for both in priority.iter_mut().chain([&mut plain, &mut named]) {
            both.expect_at(&b).await;
        }
        single.expect_nowhere().await;

        a.restart();
        for both in priority.iter_mut().chain([&mut single]) {
            both.expect_at(&a).await;
        }
        // Who has no preference stays, and so does who prefers this one.
        plain.expect_at(&b).await;
        named.expect_at(&b).await;
    });
}

#[test]
fn after_kill_and_restart_both_clients_are_at_the_same_brokers_with_6_3_1() {
    kill_and_restart("6.3.1");
}

#[test]
fn after_kill_and_restart_both_clients_are_at_the_same_brokers_with_5_15_16() {
    kill_and_restart("5.15.16");
}

#[test]
fn out_of_a_black_hole_both_clients_go_to_the_other_broker() {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let [mut a, b] = pair("6.3.1");
        let target = std::net::SocketAddr::from(([127, 0, 0, 1], a.port));
        let links = [Link::to(target).unwrap(), Link::to(target).unwrap()];
        a.reached_by(&links.each_ref().map(Link::port));
        let quick = "wireFormat.maxInactivityDuration=1000&wireFormat.maxInactivityDurationInitalDelay=1000";
        let uris = [&links[0], &links[1]].map(|link| {
            let (first, second) = (link.uri(), b.uri());
            format!("failover:({first}?{quick},{second}?{quick})?randomize=false&maxReconnectDelay=500")
        });
        let mut both = Both::connect("hole", &java, [&uris[0], &uris[1]]).await;
        both.expect_at(&a).await;
        links.iter().for_each(Link::black_hole);
        both.expect_at(&b).await;
        // What came out of the hole again is nobody's, and the broker gives up the connection of its own accord.
        links.iter().for_each(Link::open);
        both.expect_at(&b).await;
        until("nothing of the client is left in the link", || links[0].connections() == 0).await;
    });
}

/// A broker that is to join another, and the way by which that one looks for it. Nobody finds it before it is up altogether: a
/// bridge to a broker that is still starting was seen to hang, on a machine that was very busy.
struct Joining {
    name: &'static str,
    port: u16,
    way: Link,
}

impl Joining {
    fn new(name: &'static str) -> Self {
        let port = topoc_lab::ports(1).unwrap()[0];
        let way = Link::to(std::net::SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        way.refuse();
        Self { name, port, way }
    }

    /// A network connector to it that looks often, for the broker that it is to join.
    fn bridge(&self) -> String {
        let uri = format!("static:({})?useExponentialBackOff=false&amp;initialReconnectDelay=200", self.way.uri());
        format!("<networkConnector name=\"to-{}\" uri=\"{uri}\"/>", self.name)
    }

    /// Starts it, and waits until it has joined: the clients of the other learn of it.
    fn join(&self, other: &Stand) -> Stand {
        let stand = Stand::start_at(self.port, self.name, "6.3.1", Plain::new(self.name).tcp(self.port));
        stand.wait_started();
        self.way.open();
        other.broker().wait_log(&format!("({}) has been established", self.name), PATIENCE).unwrap();
        stand
    }
}

#[test]
fn pushed_lists_take_both_clients_to_the_same_brokers() {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let ports = topoc_lab::ports(3).unwrap();
        let [all, filtered, rebalancing] = [0, 1, 2].map(|place| format!("tcp://127.0.0.1:{}", ports[place]));
        let update = ("updateClusterClients", "true");
        let [second, third] = ["U2", "U3"].map(Joining::new);
        let bridges = format!("<networkConnectors>{}{}</networkConnectors>", second.bridge(), third.bridge());
        let plain = Plain::new("U1")
            .listen(&all, &[update])
            .listen(&filtered, &[update, ("updateClusterFilter", ".*U3.*")])
            .listen(&rebalancing, &[update, ("rebalanceClusterClients", "true")])
            .element(&bridges);
        let mut u1 = Stand::start_at(ports[0], "U1", "6.3.1", plain);
        u1.reached_by(&ports[1..3]);
        u1.wait_started();
        let connect = async |name, uri: &str, options: &str| {
            let uri = format!("failover:({uri})?randomize=false&maxReconnectDelay=500{options}");
            Both::connect(name, &java, [&uri, &uri]).await
        };
        let mut pushed = connect("pushed", &all, "").await;
        let mut deaf = connect("deaf", &all, "&updateURIsSupported=false").await;
        let mut filter = connect("filter", &filtered, "").await;
        let mut rebalance = connect("rebalance", &rebalancing, "").await;
        rebalance.expect_at(&u1).await;
        let u2 = second.join(&u1);
        rebalance.expect_at_any(&[&u1, &u2]).await;
        let u3 = third.join(&u1);
        rebalance.expect_at_any(&[&u1, &u2, &u3]).await;
        // A message comes the same way as the list, and after it.
        for both in [&mut pushed, &mut deaf, &mut filter] {
            both.expect_at(&u1).await;
        }
        u1.kill();
        pushed.expect_at(&u2).await;
        filter.expect_at(&u3).await;
        deaf.expect_nowhere().await;
        rebalance.expect_at_any(&[&u2, &u3]).await;
    });
}

#[test]
fn a_file_of_brokers_counts_before_the_list() {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let [a, mut b] = pair("6.3.1");
        let file = dir.path().join("brokers");
        fs::write(&file, format!("{}\n", b.uri())).unwrap();
        let uri = format!("failover:({})?randomize=false&updateURIsURL=file:{}", a.uri(), file.display());
        let mut both = Both::connect("file", &java, [&uri, &uri]).await;
        both.expect_at(&b).await;
        b.kill();
        both.expect_at(&a).await;
    });
}

/// Answers every request for `/` with another place, and every other with this list, until the process ends.
fn web_server(list: String) -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let asked = lines.next().unwrap_or_default();
            lines.find(String::is_empty);
            let (status, body) = match asked.starts_with("GET / ") {
                true => ("302 Found\r\nlocation: /brokers", ""),
                false => ("200 OK", list.as_str()),
            };
            let length = body.len();
            // Who does not read the answer has gone, and nobody else waits for it.
            let _ = write!(&stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        }
    });
    format!("http://{address}/")
}

#[test]
fn a_list_of_brokers_at_a_web_server_counts_before_the_list() {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let [a, b] = pair("6.3.1");
        let url = web_server(format!("{}\n", b.uri()));
        let uri = format!("failover:({})?randomize=false&updateURIsURL={url}", a.uri());
        let mut both = Both::connect("web", &java, [&uri, &uri]).await;
        both.expect_at(&b).await;
    });
}

/// Each client has a listener of its own, so that both get the same lists: a broker that rebalances turns the list of a
/// listener by one place each time that it gives it out (`TransportConnector.getConnectionControl`).
#[test]
fn rebalanced_clients_go_to_the_same_brokers() {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let ports = topoc_lab::ports(3).unwrap();
        let options = [("updateClusterClients", "true"), ("rebalanceClusterClients", "true")];
        let [mine, theirs] = [1, 2].map(|place| format!("tcp://127.0.0.1:{}", ports[place]));
        let [second, third] = ["R2", "R3"].map(Joining::new);
        let bridges = format!("<networkConnectors>{}{}</networkConnectors>", second.bridge(), third.bridge());
        let plain = Plain::new("R1").tcp(ports[0]).listen(&mine, &options).listen(&theirs, &options).element(&bridges);
        let mut r1 = Stand::start_at(ports[0], "R1", "6.3.1", plain);
        r1.reached_by(&ports[1..3]);
        r1.wait_started();
        let uri = |listener: &str| format!("failover:({listener})?randomize=false&maxReconnectDelay=500");
        let ours = Connection::open(&uri(&mine)).await.unwrap();
        let watcher = java.watch(&uri(&theirs)).unwrap();
        until_at("rebalanced", &ours, &watcher, &[&r1], |_, _| true).await;
        let r2 = second.join(&r1);
        let r3 = third.join(&r1);
        // Of the two pushes one has another broker in front, for either: nobody is left where everybody was.
        until_at("rebalanced", &ours, &watcher, &[&r2, &r3], |ours, java| ours.name == java.name).await;
    });
}

#[test]
fn of_two_clients_the_one_of_higher_priority_gets_all_whichever_is_whose() {
    run(LIMIT, async {
        let dir = tempfile::tempdir().unwrap();
        let java = java(dir.path());
        let stand = Stand::start("P", "6.3.1", |plain| plain);
        stand.wait_started();
        for (queue, ours, others) in [("OURS", 127_i8, 100), ("JAVAS", 100, 127)] {
            let receiver = java.receiver(&stand.uri(), &format!("{queue}?consumer.priority={others}")).unwrap();
            receiver.wait_ready(PATIENCE).unwrap();
            let session = Connection::open(&stand.uri()).await.unwrap().session(AckMode::Auto).await.unwrap();
            let mut consumer = session.consumer(&Destination::queue(queue)).priority(ours).open().await.unwrap();
            for number in 0..10 {
                stand.send(queue, &number.to_string()).await;
            }
            if ours > others {
                for _ in 0..10 {
                    consumer.receive_within(PATIENCE).await.unwrap().expect("the preferred one gets it");
                }
                consumer.close().await.unwrap();
                stand.send(queue, "10").await;
                let got = receiver.wait_messages(1, PATIENCE).unwrap();
                assert_eq!(got.len(), 1, "nothing but what came after the other had left");
            } else {
                receiver.wait_messages(10, PATIENCE).unwrap();
                receiver.close(PATIENCE).unwrap();
                stand.send(queue, "10").await;
                let got = consumer.receive_within(PATIENCE).await.unwrap().expect("it is the only one now");
                assert_eq!(got.text().unwrap().as_deref(), Some("10"));
            }
        }
    });
}
