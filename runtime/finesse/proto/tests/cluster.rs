//! Which server is in use, case by case.

mod support;

use std::time::Duration;

use support::{Dice, ms, secs};
use topoc_finesse_proto::cluster::{
    Answer, Cluster, Deployment, Event, HOLDS, Judgement, NodeId, Order, Phase, Poll, Service, Settings, Sign,
    TRANSITIONS, Turns, Who, Why,
};
use topoc_finesse_proto::system_info::{MaintenanceMode, Status, SystemInfo};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// How a server answers.
#[derive(Clone, Copy, PartialEq)]
enum Server {
    In,
    Out,
    Leaving,
    Slow,
    Refuses503,
    Refuses,
    Silent,
}

/// Servers that answer at once, or as they are.
struct Room {
    cluster: Cluster,
    dice: Dice,
    now: Duration,
    servers: Vec<Server>,
    slow: Vec<(Duration, Poll)>,
    asked: Vec<(Duration, NodeId)>,
    /// What was ordered, but for questions.
    log: Vec<Order>,
}

fn service(in_service: bool, draining: bool) -> Service {
    Service { in_service, draining, express: None }
}

impl Room {
    fn of(servers: &[Server], settings: Settings) -> Self {
        let cluster = Cluster::new(servers.len(), settings);
        let (servers, dice) = (servers.to_vec(), Dice::new(3));
        let (slow, asked, log) = (Vec::new(), Vec::new(), Vec::new());
        let mut room = Self { cluster, dice, now: Duration::ZERO, servers, slow, asked, log };
        room.tell(Event::Start);
        room
    }

    fn new(servers: &[Server]) -> Self {
        Self::of(servers, Settings::default())
    }

    fn tell(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for order in self.cluster.handle(self.now, event, &mut self.dice) {
                let Order::Poll(poll, node) = order else {
                    self.log.push(order);
                    continue;
                };
                self.asked.push((self.now, node));
                let answer = match self.servers[node.0] {
                    Server::In => Answer::Service(service(true, false)),
                    Server::Out => Answer::Service(service(false, false)),
                    Server::Leaving => Answer::Service(service(true, true)),
                    Server::Refuses503 => Answer::Unserved,
                    Server::Refuses => Answer::Failed,
                    Server::Slow => {
                        self.slow.push((self.now + ms(2000), poll));
                        continue;
                    }
                    Server::Silent => continue,
                };
                events.insert(0, Event::Answered(poll, answer));
            }
        }
    }

    fn sign(&mut self, who: u64, node: NodeId, sign: Sign) {
        self.tell(Event::Told(Who(who), node, sign));
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let slow = self.slow.first().map(|(at, _)| *at);
            let next = self.cluster.wakes_at().into_iter().chain(slow).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            if slow == Some(at) {
                let (_, poll) = self.slow.remove(0);
                self.tell(Event::Answered(poll, Answer::Service(service(true, false))));
            } else {
                self.tell(Event::Timer);
            }
        }
        self.now = end;
    }

    fn becomes(&mut self, node: NodeId, server: Server) {
        self.servers[node.0] = server;
    }

    fn moves(&mut self) -> Vec<(NodeId, Why)> {
        let log = std::mem::take(&mut self.log);
        log.iter()
            .filter_map(|order| if let Order::Use { node, why, .. } = order { Some((*node, *why)) } else { None })
            .collect()
    }

    /// Sessions of so many agents at a server.
    fn sessions(&mut self, agents: u64, node: NodeId) {
        (0..agents).for_each(|who| self.sign(who, node, Sign::Opened));
    }
}

#[test]
fn the_first_in_service_is_taken_in_order_of_preference() {
    for (servers, first) in [
        (&[Server::In, Server::In][..], Some(A)),
        (&[Server::Out, Server::In], Some(B)),
        (&[Server::Refuses503, Server::In], Some(B)),
        (&[Server::Refuses, Server::In], Some(B)),
        (&[Server::Out, Server::Out], None),
        (&[Server::Out, Server::Out, Server::In], Some(NodeId(2))),
        (&[Server::Leaving], Some(A)),
    ] {
        assert_eq!(Room::new(servers).cluster.used(), first);
    }
}

#[test]
fn a_silent_first_server_is_waited_for_once() {
    let mut room = Room::new(&[Server::Silent, Server::In]);
    assert_eq!((room.cluster.used(), room.cluster.phase()), (None, Phase::Choosing));
    room.pass(secs(3));
    assert_eq!(room.cluster.used(), Some(B));
}

#[test]
fn each_signal_moves_agents_at_once() {
    let out = Sign::Service(service(false, false));
    for (sign, judgement) in [(out, Judgement::OutOfService), (Sign::Presence(false), Judgement::Away)] {
        let mut room = Room::new(&[Server::In, Server::In]);
        room.sessions(200, A);
        room.pass(secs(60));
        room.moves();
        room.becomes(A, if judgement == Judgement::Away { Server::Refuses } else { Server::Out });
        room.sign(5, A, sign);
        assert_eq!(room.moves(), [(B, Why::Instead(judgement))]);
    }
}

#[test]
fn sessions_are_weighed_over_all_agents() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.sessions(200, A);
    room.pass(secs(60));
    room.moves();
    (0..99).for_each(|who| room.sign(who, A, Sign::Lost));
    assert_eq!(room.moves(), [], "99 of 200 is less than half");
    room.sign(99, A, Sign::Lost);
    assert_eq!(room.moves(), [(B, Why::Instead(Judgement::NoSessions))]);
    assert_eq!(room.cluster.judgements()[0], Judgement::NoSessions);
}

#[test]
fn what_was_said_of_finesse_over_sessions_that_are_no_more_says_nothing() {
    let mut room = Room::new(&[Server::In]);
    room.sessions(3, A);
    (0..3).for_each(|who| room.sign(who, A, Sign::Presence(false)));
    assert_eq!(room.cluster.judgements(), [Judgement::Away]);
    // Each has a new session before the last of the old ones has gone. That Finesse is there again was said in between.
    for who in 0..3 {
        assert_eq!(room.cluster.judgements(), [Judgement::Away]);
        room.sign(who, A, Sign::Lost);
        room.sign(who, A, Sign::Opened);
    }
    assert_eq!(room.cluster.judgements(), [Judgement::Good]);
    (0..2).for_each(|who| room.sign(who, A, Sign::Presence(false)));
    room.sign(2, A, Sign::Presence(true));
    assert_eq!(room.cluster.judgements(), [Judgement::Good], "one who hears the opposite is enough");
}

#[test]
fn one_agents_line_is_no_failure_of_the_server_until_it_is_refused() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.sessions(1, A);
    room.pass(secs(60));
    room.moves();
    room.sign(0, A, Sign::Lost);
    assert_eq!(room.moves(), []);
    room.sign(0, A, Sign::Refused);
    assert_eq!(room.moves(), [(B, Why::Instead(Judgement::NoSessions))]);
}

#[test]
fn a_wrong_word_of_one_agent_about_a_third_server_changes_nothing() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.sign(0, NodeId(7), Sign::Presence(false));
    assert_eq!(room.cluster.used(), Some(A));
}

#[test]
fn nobody_moves_to_a_server_that_is_not_in_service() {
    for other in [Server::Out, Server::Refuses503, Server::Refuses, Server::Silent] {
        let mut room = Room::new(&[Server::In, Server::In]);
        room.pass(secs(60));
        room.moves();
        room.becomes(A, Server::Out);
        room.becomes(B, other);
        room.sign(0, A, Sign::Service(service(false, false)));
        room.pass(secs(30));
        assert_eq!((room.moves(), room.cluster.used()), (vec![], Some(A)));
        room.becomes(B, Server::In);
        room.pass(secs(5));
        assert_eq!(room.cluster.used(), Some(B), "and does as soon as it is");
    }
}

#[test]
fn whoever_answers_first_is_taken() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.sessions(10, A);
    room.pass(secs(60));
    room.moves();
    room.becomes(B, Server::Silent);
    room.becomes(A, Server::Out);
    room.sign(0, A, Sign::Service(service(false, false)));
    assert_eq!(room.cluster.phase(), Phase::Seeking);
    room.becomes(A, Server::In);
    room.pass(secs(5));
    room.becomes(B, Server::In);
    room.pass(secs(60));
    assert_eq!(room.moves(), [(A, Why::Back)], "the failed one was first; everything is read again there");
}

#[test]
fn an_answer_from_before_a_notification_does_not_count() {
    let mut room = Room::new(&[Server::In, Server::Out]);
    room.sessions(2, A);
    room.becomes(A, Server::Slow);
    while room.slow.is_empty() {
        room.pass(ms(100));
    }
    let (_, poll) = room.slow.remove(0);
    room.sign(0, A, Sign::Service(service(false, false)));
    room.tell(Event::Answered(poll, Answer::Service(service(true, false))));
    assert_eq!(room.cluster.judgements()[0], Judgement::OutOfService);
}

#[test]
fn a_silent_server_is_left_in_time() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.pass(secs(60));
    room.moves();
    room.becomes(A, Server::Silent);
    room.pass(secs(17));
    assert_eq!(room.moves(), [(B, Why::Instead(Judgement::Silent))]);
}

#[test]
fn amiss_requests_make_it_ask_at_once_and_no_more_than_once_a_second() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.pass(secs(60));
    room.asked.clear();
    room.pass(ms(1100));
    let before = room.asked.len();
    (0..500).for_each(|who| room.sign(who, A, Sign::Amiss));
    assert!(room.asked.len() <= before + 1, "{:?}", room.asked);
    room.becomes(A, Server::Refuses503);
    room.pass(ms(1100));
    (0..500).for_each(|who| room.sign(who, A, Sign::Amiss));
    assert_eq!(room.cluster.used(), Some(B));
}

#[test]
fn an_amiss_request_right_after_a_good_answer_is_looked_into_within_a_second() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.pass(secs(60));
    room.sign(1, A, Sign::Amiss);
    room.becomes(A, Server::Refuses503);
    room.sign(2, A, Sign::Amiss);
    room.pass(secs(1));
    assert_eq!(room.cluster.used(), Some(B));
}

#[test]
fn a_slow_server_is_left_in_ucce_and_kept_in_uccx() {
    for (deployment, used) in [(Deployment::Ucce, B), (Deployment::Uccx, A)] {
        let mut room = Room::of(&[Server::In, Server::In], Settings { deployment, ..Settings::default() });
        room.pass(secs(60));
        room.becomes(A, Server::Slow);
        room.pass(secs(60));
        assert_eq!(room.cluster.used(), Some(used), "{deployment:?}");
        assert_eq!(room.cluster.judgements()[0], Judgement::Slow);
    }
}

#[test]
fn in_uccx_the_other_server_stands_by_and_takes_over_when_it_is_master() {
    let settings = Settings { deployment: Deployment::Uccx, ..Settings::default() };
    let mut room = Room::of(&[Server::In, Server::Out], settings);
    room.pass(secs(60));
    assert_eq!(room.cluster.judgements(), [Judgement::Good, Judgement::Standby]);
    room.moves();
    room.becomes(A, Server::Refuses);
    room.pass(secs(40));
    assert_eq!(room.cluster.phase(), Phase::Seeking, "nobody is master");
    room.becomes(B, Server::In);
    room.pass(secs(2));
    assert_eq!(room.moves(), [(B, Why::Instead(Judgement::Silent))]);
    // The old master takes over again, as UCCX does once both are there.
    room.becomes(A, Server::In);
    room.becomes(B, Server::Out);
    room.pass(secs(120));
    assert_eq!(room.cluster.used(), Some(A));
}

#[test]
fn a_wrong_deployment_is_told_once() {
    let mut room = Room::new(&[Server::In, Server::In]);
    let express = Service { express: Some(true), ..service(true, false) };
    room.sign(0, A, Sign::Service(express.clone()));
    room.sign(1, A, Sign::Service(express));
    let warnings = room.log.iter().filter(|order| matches!(order, Order::Warn(_))).count();
    assert_eq!(warnings, 1);
}

#[test]
fn maintenance_drains_to_a_server_in_good_health() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.sessions(200, A);
    room.pass(secs(60));
    room.log.clear();
    room.becomes(A, Server::Leaving);
    room.pass(secs(12));
    let drains: Vec<&Order> = room.log.iter().filter(|order| matches!(order, Order::Drain { .. })).collect();
    assert_eq!(drains, [&Order::Drain { node: B, over: secs(20), within: secs(300) }]);
    assert_eq!(room.cluster.phase(), Phase::Draining);
    room.becomes(A, Server::Refuses);
    room.pass(secs(15));
    assert_eq!(room.moves(), [(B, Why::DrainCut)], "there is no more time");
    let mut alone = Room::new(&[Server::In, Server::Out]);
    alone.pass(secs(60));
    alone.becomes(A, Server::Leaving);
    alone.log.clear();
    alone.pass(secs(60));
    assert_eq!(alone.moves(), []);
    assert_eq!(alone.cluster.judgements()[0], Judgement::Leaving, "nowhere to go");
}

#[test]
fn switches_wait_as_their_table_says() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.pass(secs(600));
    room.moves();
    let mut switched = Vec::new();
    for round in 0..7 {
        let (bad, good) = if round % 2 == 0 { (A, B) } else { (B, A) };
        let failed = room.now;
        room.becomes(good, Server::In);
        room.becomes(bad, Server::Out);
        room.sign(0, bad, Sign::Service(service(false, false)));
        while room.cluster.used() == Some(bad) {
            room.pass(ms(100));
        }
        switched.push((room.now - failed).as_secs());
    }
    let holds: Vec<u64> = HOLDS.iter().map(Duration::as_secs).collect();
    // A second, at most, until the other one is asked again.
    let expected = [holds[0], holds[1], holds[2], holds[3], holds[4], holds[4], holds[4]];
    let near = switched.iter().zip(expected).all(|(is, hold)| (hold..=hold + 1).contains(is));
    assert!(near, "{switched:?} instead of {expected:?}");
    room.pass(secs(300));
    let used = room.cluster.used().unwrap_or(A);
    room.becomes(NodeId(1 - used.0), Server::In);
    room.pass(secs(60));
    room.becomes(used, Server::Out);
    room.sign(0, used, Sign::Service(service(false, false)));
    assert_ne!(room.cluster.used(), Some(used), "five calm minutes, and it is as if nothing had been");
}

#[test]
fn agents_are_spread_over_time_by_their_number() {
    let mut room = Room::new(&[Server::In, Server::In]);
    room.sessions(5000, A);
    room.pass(secs(60));
    room.log.clear();
    room.becomes(A, Server::Out);
    room.sign(0, A, Sign::Service(service(false, false)));
    let over = room.log.iter().find_map(|order| if let Order::Use { over, .. } = order { Some(*over) } else { None });
    assert_eq!(over, Some(secs(25)));
}

#[test]
fn stopping_gives_up_what_was_asked() {
    let mut room = Room::new(&[Server::Silent, Server::Silent]);
    room.tell(Event::Stop);
    assert_eq!(room.log.iter().filter(|order| matches!(order, Order::Abandon(_))).count(), 2);
    assert_eq!((room.cluster.phase(), room.cluster.wakes_at()), (Phase::Stopped, None));
    room.log.clear();
    room.tell(Event::Start);
    assert_eq!(room.log, [], "and it stays stopped");
}

#[test]
fn no_two_rows_of_the_table_contradict_each_other() {
    let mut rows: Vec<_> = TRANSITIONS.iter().map(|(from, cause, _)| (from, cause)).collect();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), TRANSITIONS.len());
}

#[test]
fn a_server_is_what_its_system_info_says() {
    let of = |status, finesse_maintenance| {
        Service::from(&SystemInfo { status, finesse_maintenance, ..SystemInfo::default() })
    };
    assert_eq!(of(Some(Status::InService), None), service(true, false));
    assert_eq!(of(Some(Status::OutOfService), None), service(false, false));
    assert_eq!(of(None, None), service(false, false), "what does not say so is not in service");
    assert_eq!(of(Some(Status::InService), Some(MaintenanceMode::InProgress)), service(true, true));
    assert_eq!(of(Some(Status::InService), Some(MaintenanceMode::Completed)), service(true, false));
}

#[test]
fn who_comes_alone_goes_at_once_and_a_crowd_one_after_the_other() {
    let mut turns = Turns::new(200);
    assert_eq!(turns.take(secs(7)), secs(7));
    assert_eq!(turns.take(secs(8)), secs(8));
    let crowd: Vec<Duration> = (0..1000).map(|_| turns.take(secs(9))).collect();
    assert_eq!((crowd[0], crowd[1], crowd[999]), (secs(9), secs(9) + ms(5), secs(14) - ms(5)));
    assert_eq!(turns.take(secs(10)), secs(14), "who comes later waits behind them");
    assert_eq!(turns.take(secs(60)), secs(60));
}
