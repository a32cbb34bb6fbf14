//! The failover transport in virtual time: as ActiveMQ's own does, case by case, and under any faults at all.
//! `TOPOC_LONG=1` for more schedules.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use support::Chance;
use topoc_openwire_proto::command::ConnectionControl;
use topoc_openwire_proto::failover::{Attempt, Attempts, Event, Failover, Options, Order, Phase, World};
use topoc_openwire_proto::uri::{Address, Uri};

impl World for Chance {
    fn below(&mut self, limit: usize) -> usize {
        Chance::below(self, limit)
    }

    fn same_host(&mut self, one: &str, other: &str) -> bool {
        // Two names of one machine, as tests want them.
        let name = |host: &str| host.strip_suffix(".example.com").unwrap_or(host).to_owned();
        name(one) == name(other)
    }
}

/// What a broker says of its cluster.
fn pushed(list: &str, rebalance_connection: bool) -> Event {
    let connected_brokers = Some(list.to_owned());
    Event::Control(ConnectionControl { connected_brokers, rebalance_connection, ..ConnectionControl::default() })
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn open(uri: &str, chance: &mut Chance) -> Failover {
    let Uri::Failover { addresses, options } = Uri::parse(uri).unwrap() else { panic!("{uri} is no failover") };
    Failover::new(addresses, Options::read(&options).unwrap(), chance)
}

/// A machine, brokers that are up or down, and transports that open at once or fail at once.
struct Room {
    machine: Failover,
    chance: Chance,
    now: Duration,
    up: BTreeSet<u16>,
    open: BTreeMap<Attempt, u16>,
    /// What happened, in words.
    log: Vec<String>,
}

impl Room {
    fn new(uri: &str, up: &[u16]) -> Self {
        let mut chance = Chance(7);
        let machine = open(uri, &mut chance);
        let up = up.iter().copied().collect();
        let mut room = Self { machine, chance, now: Duration::ZERO, up, open: BTreeMap::new(), log: Vec::new() };
        room.tell(Event::Start);
        room
    }

    fn tell(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for order in self.machine.handle(self.now, event.clone(), &mut self.chance) {
                match order {
                    Order::Open(attempt, address) if self.up.contains(&address.port) => {
                        self.open.insert(attempt, address.port);
                        self.log.push(format!("open {}", address.port));
                        events.insert(0, Event::Opened(attempt));
                    }
                    Order::Open(attempt, address) => {
                        self.log.push(format!("try {}", address.port));
                        events.insert(0, Event::Failed(attempt, "connection refused".to_owned()));
                    }
                    Order::Close(attempt) => {
                        let port = self.open.remove(&attempt).unwrap();
                        self.log.push(format!("close {port}"));
                    }
                    Order::Use { address, restore, .. } => {
                        self.log.push(format!("use {}{}", address.port, if restore { " again" } else { "" }));
                    }
                    Order::Interrupted => self.log.push("interrupted".to_owned()),
                    Order::GiveUp(_) => self.log.push("give up".to_owned()),
                    Order::List(_) | Order::Warn(_) => {}
                }
            }
        }
    }

    fn kill(&mut self, port: u16) {
        self.up.remove(&port);
        let dead: Vec<Attempt> = self.open.iter().filter(|(_, at)| **at == port).map(|(attempt, _)| *attempt).collect();
        for attempt in dead {
            self.open.remove(&attempt);
            self.tell(Event::Failed(attempt, "connection reset".to_owned()));
        }
    }

    /// Lets time pass up to a moment; gives the moments at which something was to be done.
    fn until(&mut self, moment: Duration) -> Vec<u128> {
        let mut moments = Vec::new();
        while let Some(wakes) = self.machine.wakes_at().filter(|wakes| *wakes <= moment) {
            self.now = self.now.max(wakes);
            moments.push(self.now.as_millis());
            self.tell(Event::Timer);
        }
        self.now = moment;
        moments
    }

    fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    fn at(&self) -> Option<u16> {
        self.machine.connection().map(|(_, address)| address.port)
    }
}

const ORDERED: &str = "failover:(tcp://h:1,tcp://h:2,tcp://h:3)?randomize=false";

#[test]
fn the_broker_that_was_lost_comes_last() {
    let mut room = Room::new(ORDERED, &[1]);
    assert_eq!(room.said(), ["open 1", "use 1"]);
    room.kill(1);
    assert_eq!(room.said(), ["interrupted"]);
    room.until(ms(10));
    assert_eq!(room.said(), ["try 2", "try 3", "try 1"]);
}

#[test]
fn pushed_brokers_come_first() {
    let mut room = Room::new(ORDERED, &[1]);
    room.tell(pushed("tcp://h:9,tcp://h:3", false));
    room.said();
    room.kill(1);
    room.until(ms(10));
    assert_eq!(room.said(), ["interrupted", "try 9", "try 3", "try 2", "try 1"]);
}

#[test]
fn with_nested_options_the_lost_broker_is_not_recognised() {
    let mut room =
        Room::new("failover:(tcp://h:1,tcp://h:2)?randomize=false&nested.wireFormat.tcpNoDelayEnabled=true", &[1]);
    let (_, address) = room.machine.connection().unwrap();
    assert_eq!(address.to_string(), "tcp://h:1?wireFormat.tcpNoDelayEnabled=true");
    room.said();
    room.kill(1);
    room.until(ms(10));
    assert_eq!(room.said(), ["interrupted", "try 1", "try 2"]);
}

#[test]
fn delays_double_up_to_the_longest() {
    let mut room = Room::new("failover:(tcp://h:1)?maxReconnectDelay=40", &[1]);
    room.kill(1);
    assert_eq!(room.until(ms(200)), [10, 30, 70, 110, 150, 190]);
    let mut room = Room::new("failover:(tcp://h:1)", &[]);
    assert_eq!(room.until(ms(700)), [10, 30, 70, 150, 310, 630], "and from the first start");
    let mut room = Room::new("failover:(tcp://h:1)?useExponentialBackOff=false&initialReconnectDelay=50", &[]);
    assert_eq!(room.until(ms(200)), [50, 100, 150, 200]);
}

#[test]
fn attempts_are_limited_as_activemq_limits_them() {
    for (options, passes) in [
        ("maxReconnectAttempts=0", 1),
        ("maxReconnectAttempts=1", 1),
        ("maxReconnectAttempts=3", 3),
        ("startupMaxReconnectAttempts=2", 2),
    ] {
        let mut room = Room::new(&format!("failover:(tcp://h:1)?{options}"), &[]);
        room.until(ms(100_000));
        let tries = room.log.iter().filter(|line| *line == "try 1").count();
        assert_eq!((tries, room.machine.phase()), (passes, Phase::Failed), "{options}");
    }
    let mut room = Room::new("failover:(tcp://h:1,tcp://h:2)?maxReconnectAttempts=0&randomize=false", &[1, 2]);
    room.kill(1);
    assert_eq!(room.said(), ["open 1", "use 1", "give up"], "a loss is final");
    let mut room = Room::new("failover:(tcp://h:1)?startupMaxReconnectAttempts=1", &[1]);
    room.kill(1);
    room.until(ms(100_000));
    assert_ne!(room.machine.phase(), Phase::Failed, "the limit of the start holds only there");
}

#[test]
fn a_priority_broker_is_gone_back_to() {
    let mut room =
        Room::new("failover:(tcp://h:1,tcp://h:2)?randomize=false&priorityBackup=true&maxReconnectDelay=500", &[2]);
    assert_eq!(room.said(), ["try 1", "open 2", "use 2", "try 1"]);
    assert_eq!(room.until(ms(1300)), [10, 30, 70, 150, 310, 630, 1130], "looks as often as it would connect");
    room.said();
    room.up.insert(1);
    room.until(ms(1630));
    assert_eq!(room.said(), ["open 1", "interrupted", "close 2", "use 1 again"]);
    assert_eq!((room.at(), room.machine.phase()), (Some(1), Phase::Connected));
    assert!(room.machine.is_at_priority() && room.machine.wakes_at().is_none());
}

#[test]
fn a_priority_broker_that_does_not_let_the_client_in_is_left_alone_for_a_minute() {
    let mut room =
        Room::new("failover:(tcp://h:1,tcp://h:2)?randomize=false&priorityBackup=true&maxReconnectDelay=500", &[1, 2]);
    let (attempt, _) = room.machine.connection().unwrap();
    room.open.remove(&attempt);
    room.tell(Event::Mute(attempt, "nothing came".to_owned()));
    room.until(ms(59_900));
    assert_eq!(room.said(), ["open 1", "use 1", "interrupted", "open 2", "use 2 again"]);
    room.until(ms(61_000));
    assert_eq!(room.said(), ["open 1", "interrupted", "close 2", "use 1 again"]);
    let (attempt, _) = room.machine.connection().unwrap();
    room.kill(2);
    room.open.remove(&attempt);
    room.tell(Event::Mute(attempt, "nothing came".to_owned()));
    room.until(ms(62_000));
    assert_eq!(room.said(), ["interrupted", "try 2", "open 1", "use 1 again"], "there is no other one");
}

#[test]
fn a_loss_ends_the_wait_for_the_priority_broker() {
    let mut room = Room::new("failover:(tcp://h:1,tcp://h:2,tcp://h:3)?randomize=false&priorityBackup=true", &[2]);
    room.until(ms(40_000));
    let wakes = room.machine.wakes_at().unwrap();
    room.until(wakes);
    assert_eq!(room.machine.wakes_at(), Some(wakes + Duration::from_secs(30)), "the delay has grown");
    room.up.insert(3);
    room.said();
    room.kill(2);
    let moment = room.now + ms(10);
    room.until(moment);
    assert_eq!(room.at(), Some(3), "{:?}", room.log);
}

#[test]
fn priority_brokers_can_be_named() {
    let uri = "failover:(tcp://h:1,tcp://h:2)?randomize=false&priorityBackup=true&priorityURIs=tcp://h.example.com:2";
    let mut room = Room::new(uri, &[1]);
    assert!(!room.machine.is_at_priority());
    room.up.insert(2);
    room.until(ms(40_000));
    assert_eq!(room.at(), Some(2));
    assert!(room.machine.is_at_priority(), "another name of the same machine");
}

#[test]
fn spares_are_kept_and_taken() {
    let mut room = Room::new(&format!("{ORDERED}&backup=true&backupPoolSize=2"), &[1, 2, 3]);
    assert_eq!(room.said(), ["open 1", "use 1", "open 2", "open 3"]);
    room.kill(1);
    assert_eq!(room.said(), ["interrupted", "use 2 again", "try 1"], "without any delay");
    assert_eq!(room.machine.spares().count(), 1);
    room.kill(3);
    assert_eq!(room.machine.spares().count(), 0);
    assert_eq!(room.at(), Some(2));
}

#[test]
fn a_rebalance_goes_to_the_first_of_the_list() {
    let mut room = Room::new(ORDERED, &[1, 2, 3]);
    room.tell(pushed("tcp://h:3,tcp://h:1", false));
    assert_eq!(room.at(), Some(1), "a list alone moves nobody");
    room.tell(pushed("tcp://h:2,tcp://h:1", true));
    room.until(ms(10));
    assert_eq!(room.at(), Some(2));
    room.said();
    room.tell(pushed("tcp://h:2", true));
    assert_eq!(room.said(), Vec::<String>::new(), "it is at the first already");
    room.tell(pushed("tcp://h:2", true));
    assert_eq!(room.said(), Vec::<String>::new(), "and nothing has changed");
}

#[test]
fn at_its_priority_broker_a_client_is_not_rebalanced() {
    let mut room = Room::new(&format!("{ORDERED}&priorityBackup=true"), &[1, 2]);
    room.tell(pushed("tcp://h:2", true));
    assert_eq!(room.at(), Some(1));
}

#[test]
fn a_broker_can_send_a_client_elsewhere() {
    for (options, at) in [("", 5), ("&reconnectSupported=false", 1)] {
        let mut room = Room::new(&format!("{ORDERED}{options}"), &[1, 2, 5]);
        let reconnect_to = Some(" tcp://h:5 ".to_owned());
        room.tell(Event::Control(ConnectionControl { reconnect_to, ..ConnectionControl::default() }));
        room.until(ms(10));
        assert_eq!(room.at(), Some(at), "{options}");
    }
}

#[test]
fn pushed_lists_can_be_switched_off() {
    let mut room = Room::new(&format!("{ORDERED}&updateURIsSupported=false"), &[1, 9]);
    room.tell(pushed("tcp://h:9", true));
    assert_eq!(room.at(), Some(1));
}

#[test]
fn a_list_from_a_file_is_read_before_each_pass() {
    let mut chance = Chance(7);
    let mut machine = open("failover:(tcp://h:1)?updateURIsURL=file:/brokers&randomize=false", &mut chance);
    assert_eq!(machine.handle(ms(0), Event::Start, &mut chance), [Order::List("file:/brokers".to_owned())]);
    let orders = machine.handle(ms(0), Event::Listed(Ok("tcp://h:2,tcp://h:3".to_owned())), &mut chance);
    assert!(matches!(&orders[..], [Order::Open(_, address)] if address.port == 2), "{orders:?}");
    let mut unread = open("failover:(tcp://h:1)?updateURIsURL=file:/none", &mut chance);
    unread.handle(ms(0), Event::Start, &mut chance);
    let orders = unread.handle(ms(0), Event::Listed(Err("no such file".to_owned())), &mut chance);
    assert!(matches!(&orders[..], [Order::Warn(_), Order::Open(_, address)] if address.port == 1), "{orders:?}");
}

#[test]
fn stopping_closes_everything() {
    let mut room = Room::new(&format!("{ORDERED}&backup=true"), &[1, 2]);
    room.said();
    room.tell(Event::Stop);
    assert_eq!(room.said(), ["close 1", "close 2"]);
    room.tell(Event::Start);
    assert_eq!((room.said(), room.machine.phase()), (vec![], Phase::Stopped));
}

#[test]
fn one_listener_is_listed_once() {
    let mut room = Room::new("failover:(tcp://h:1,tcp://H:1,nio://h.example.com:1)?randomize=false", &[]);
    assert_eq!(room.said(), ["try 1"]);
    room.until(ms(10));
}

#[test]
fn options_are_those_of_activemq() {
    let table: toml::Table = include_str!("data/failover-options.toml").parse().unwrap();
    let defaults = Options::default();
    let mut names = BTreeSet::new();
    for option in table["option"].as_array().unwrap() {
        let name = option["name"].as_str().unwrap();
        if name == "nested.*" {
            continue;
        }
        let expected = match &option["default"] {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(defaults.text(name).as_deref(), Some(expected.as_str()), "{name}");
        names.insert(name);
    }
    assert_eq!(names, Options::NAMES.iter().copied().collect());
}

#[test]
fn options_are_read_as_java_reads_them() {
    let read = |name: &str, value: &str| Options::read(&[(name.to_owned(), value.to_owned())]);
    assert!(read("Randomize", "TRUE").unwrap().randomize);
    assert!(!read("randomize", "yes").unwrap().randomize, "only `true` is true");
    assert_eq!(read("maxReconnectAttempts", "-2").unwrap().max_reconnect_attempts, Attempts::Limited(1));
    assert_eq!(read("timeout", "0").unwrap().timeout, None);
    for (name, value) in [
        ("backOffMultiplier", "2"),
        ("maxPullCacheSize", "1"),
        ("timeout", "soon"),
        ("priorityURIs", "h:1"),
        ("reconnectDelayExponent", "NaN"),
        ("é", ""),
    ] {
        assert!(read(name, value).is_err(), "{name}={value}");
    }
}

/// A world of brokers that come and go, and transports that take their time.
struct Weather {
    chance: Chance,
    machine: Failover,
    now: Duration,
    up: BTreeMap<u16, bool>,
    /// Transports on their way: when they are decided.
    opening: BTreeMap<Attempt, (Duration, u16)>,
    open: BTreeMap<Attempt, u16>,
    used: Option<Attempt>,
    disconnected_since: Option<Duration>,
}

const BROKERS: [u16; 4] = [1, 2, 3, 4];

impl Weather {
    fn of(seed: u64) -> Self {
        let mut chance = Chance(seed | 1);
        for _ in 0..8 {
            chance.next();
        }
        let yes = |chance: &mut Chance| if chance.below(2) == 0 { "false" } else { "true" };
        let uri = format!(
            "failover:(tcp://h:1,tcp://h:2,tcp://h:3)?randomize={}&priorityBackup={}&backup={}&backupPoolSize={}&maxReconnectDelay={}",
            yes(&mut chance),
            yes(&mut chance),
            yes(&mut chance),
            1 + chance.below(2),
            100 + chance.below(2000),
        );
        let machine = open(&uri, &mut chance);
        let up = BROKERS.into_iter().map(|port| (port, chance.below(3) > 0)).collect();
        Self {
            chance,
            machine,
            now: Duration::ZERO,
            up,
            opening: BTreeMap::new(),
            open: BTreeMap::new(),
            used: None,
            disconnected_since: Some(Duration::ZERO),
        }
    }

    fn tell(&mut self, event: Event) {
        for order in self.machine.handle(self.now, event, &mut self.chance) {
            match order {
                Order::Open(attempt, address) => {
                    let takes = ms(1 + self.chance.next() % 300);
                    assert!(self.opening.insert(attempt, (self.now + takes, address.port)).is_none());
                }
                Order::Close(attempt) => {
                    let was = self.open.remove(&attempt).is_some() | self.opening.remove(&attempt).is_some();
                    assert!(was, "closes what is not there");
                    self.used.take_if(|used| *used == attempt);
                }
                Order::Use { attempt, .. } => {
                    assert!(self.open.contains_key(&attempt), "uses a transport that is not open");
                    assert_eq!(self.used, None, "two connections of one client");
                    self.used = Some(attempt);
                }
                Order::GiveUp(reason) => panic!("gave up without a limit: {reason}"),
                Order::Interrupted | Order::List(_) | Order::Warn(_) => {}
            }
        }
        assert_eq!(self.used, self.machine.connection().map(|(attempt, _)| attempt));
        let held: BTreeSet<Attempt> =
            self.machine.connection().into_iter().chain(self.machine.spares()).map(|(attempt, _)| attempt).collect();
        assert_eq!(
            held,
            self.open.keys().copied().collect(),
            "every open transport is known and every known one is open"
        );
        assert!(self.opening.len() <= 1, "one at a time");
        match self.used {
            Some(_) => self.disconnected_since = None,
            None => drop(self.disconnected_since.get_or_insert(self.now)),
        }
    }

    /// The next thing to happen, if it comes before a moment. Whether there was one.
    fn step(&mut self, end: Duration) -> bool {
        let decided = self.opening.iter().map(|(attempt, (when, port))| (*when, *attempt, *port)).min();
        let timer = self.machine.wakes_at();
        let next = decided.map(|(when, ..)| when).into_iter().chain(timer).min().unwrap_or(end);
        if next >= end {
            self.now = end;
            return false;
        }
        self.now = self.now.max(next);
        match decided.filter(|(when, ..)| *when <= self.now) {
            Some((_, attempt, port)) => {
                self.opening.remove(&attempt);
                if self.up[&port] {
                    self.open.insert(attempt, port);
                    self.tell(Event::Opened(attempt));
                } else {
                    self.tell(Event::Failed(attempt, "refused".to_owned()));
                }
            }
            None => self.tell(Event::Timer),
        }
        true
    }

    fn fault(&mut self) {
        let port = BROKERS[self.chance.below(BROKERS.len())];
        match self.chance.below(5) {
            0 => {
                let list: Vec<String> = BROKERS
                    .iter()
                    .filter(|_| self.chance.below(2) == 0)
                    .map(|port| format!("tcp://h:{port}"))
                    .collect();
                let control = ConnectionControl {
                    connected_brokers: Some(list.join(",")),
                    rebalance_connection: self.chance.below(2) == 0,
                    ..ConnectionControl::default()
                };
                self.tell(Event::Control(control));
            }
            1 => self.tell(Event::Timer),
            _ if self.up[&port] => {
                self.up.insert(port, false);
                let dead: Vec<Attempt> =
                    self.open.iter().filter(|(_, at)| **at == port).map(|(attempt, _)| *attempt).collect();
                for attempt in dead {
                    // The machine may have closed it while it dealt with the one before.
                    if self.open.remove(&attempt).is_some() {
                        self.used.take_if(|used| *used == attempt);
                        self.tell(Event::Failed(attempt, "reset".to_owned()));
                    }
                }
            }
            _ => drop(self.up.insert(port, true)),
        }
    }

    /// Everything is up and stays up: how long until the client is connected, and where it then stays.
    fn calm(&mut self) {
        self.up.values_mut().for_each(|up| *up = true);
        let end = self.now + Duration::from_secs(60);
        while self.step(end) {}
        assert!(self.used.is_some(), "stuck with every broker reachable: {:?}", self.machine);
    }
}

#[test]
fn no_schedule_of_faults_breaks_a_promise() {
    let schedules = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 200_000 } else { 10_000 };
    for seed in 0..schedules {
        let mut weather = Weather::of(seed * 2_654_435_761 + 1);
        weather.tell(Event::Start);
        for _ in 0..6 {
            let fault = weather.now + ms(weather.chance.next() % 3000);
            while weather.step(fault) {}
            weather.fault();
            // The longest delay is 2.1 s, and a pass over four brokers takes 1.2 s.
            if let Some(since) = weather.disconnected_since
                && BROKERS[..3].iter().all(|port| weather.up[port])
            {
                assert!(weather.now - since < Duration::from_secs(20), "seed {seed}: stuck");
            }
        }
        weather.calm();
    }
}

/// An address as it stands in a list.
#[test]
fn addresses_are_compared_as_they_were_written() {
    assert_ne!(Address::parse("tcp://h:1").unwrap(), Address::parse("tcp://h:1?a=b").unwrap());
}
