//! A connection below its commands, in virtual time: formats are settled, and silence is noticed neither too early nor never.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::Chance;
use topoc_openwire_proto::command::{Command, KeepAliveInfo, ShutdownInfo, WireFormatInfo};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::link::{Format, Link, LinkError, LinkOptions, LinkOrder};
use topoc_openwire_proto::primitive::{Map, Value};
use topoc_openwire_proto::uri::Address;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a broker says first.
fn broker(version: i32, properties: &[(&str, i64)]) -> Command {
    let mut map: Map = properties.iter().copied().collect();
    map.insert("TcpNoDelayEnabled", true);
    WireFormatInfo { version, properties: map }.into()
}

fn usual() -> Command {
    broker(12, &[("MaxInactivityDuration", 30_000), ("MaxInactivityDurationInitalDelay", 10_000)])
}

fn options(query: &str) -> LinkOptions {
    LinkOptions::read(&Address::parse(&format!("tcp://amq-1:61616?{query}")).unwrap()).unwrap().0
}

fn ready(order: Option<LinkOrder>) -> Format {
    match order {
        Some(LinkOrder::Ready(format)) => format,
        other => panic!("{other:?}"),
    }
}

fn begun(query: &str, theirs: &Command) -> (Link, Format) {
    let (mut link, _) = Link::new(options(query), Duration::ZERO);
    let format = ready(link.received(Duration::ZERO, theirs));
    (link, format)
}

/// Lets time pass to a moment: what was ordered, and when (ms).
fn pass(link: &mut Link, until: Duration) -> Vec<(u128, LinkOrder)> {
    let mut orders = Vec::new();
    while let Some(at) = link.wakes_at().filter(|at| *at <= until) {
        orders.extend(link.timer(at).map(|order| (at.as_millis(), order)));
    }
    orders
}

fn sign() -> LinkOrder {
    LinkOrder::Send(KeepAliveInfo::default())
}

#[test]
fn the_first_frame_asks_for_nothing_that_this_client_cannot_read() {
    let (_, info) = Link::new(options(""), Duration::ZERO);
    let no = Value::Bool(false);
    let expected: Vec<(&str, Value)> = vec![
        ("CacheEnabled", no.clone()),
        ("TightEncodingEnabled", no.clone()),
        ("StackTraceEnabled", no.clone()),
        ("SizePrefixDisabled", no),
        ("TcpNoDelayEnabled", true.into()),
        ("MaxInactivityDuration", 30_000_i64.into()),
        ("MaxInactivityDurationInitalDelay", 10_000_i64.into()),
        ("MaxFrameSize", 104_857_600_i64.into()),
        ("MaxFrameSizeEnabled", true.into()),
        ("Host", "amq-1".into()),
        ("ProviderName", "topoc".into()),
        ("ProviderVersion", env!("CARGO_PKG_VERSION").into()),
        ("PlatformDetails", "Rust".into()),
    ];
    let said: Vec<(&str, Value)> = info.properties.iter().map(|(name, value)| (name, value.clone())).collect();
    assert_eq!((info.version, said), (12, expected));
    assert!(info.properties.len() <= 64, "6.2.7 reads no more");
    assert!(frame::encode(&info.into()).is_ok());
}

#[test]
fn both_sides_are_held_to_the_lesser() {
    for (query, theirs, limit) in [
        ("", None, 104_857_600),
        ("", Some(1000), 1000),
        ("", Some(i64::MAX), 104_857_600),
        ("", Some(0), 104_857_600),
        ("", Some(-1), 104_857_600),
        ("wireFormat.maxFrameSize=500", Some(1000), 500),
        ("wireFormat.maxFrameSize=500", None, 500),
        ("wireFormat.maxFrameSize=0", Some(1000), 1000),
        ("wireFormat.maxFrameSize=0", None, u64::MAX),
        ("wireFormat.maxFrameSize=-7", Some(0), u64::MAX),
        ("wireFormat.maxFrameSize=500&wireFormat.maxFrameSizeEnabled=false", Some(1000), u64::MAX),
    ] {
        let theirs = theirs.map(|limit| ("MaxFrameSize", limit));
        let (_, format) = begun(query, &broker(12, theirs.as_slice()));
        assert_eq!(format.max_frame_size, limit, "{query} {theirs:?}");
    }
    assert!(begun("", &usual()).1.tcp_no_delay);
    assert!(!begun("wireFormat.tcpNoDelayEnabled=false", &usual()).1.tcp_no_delay);
    let silent: Command = WireFormatInfo { version: 12, properties: Map::default() }.into();
    assert!(!begun("", &silent).1.tcp_no_delay, "absent is no");
}

#[test]
fn versions_from_10_on_will_do() {
    for (query, theirs, settled) in [
        ("", 12, Some(12)),
        ("", 13, Some(12)),
        ("", 10, Some(10)),
        ("", 9, None),
        ("", 0, None),
        ("", -1, None),
        ("wireFormat.version=11", 12, Some(11)),
        ("minmumWireFormatVersion=12", 11, None),
        ("minmumWireFormatVersion=1", 9, None),
    ] {
        let (mut link, _) = Link::new(options(query), Duration::ZERO);
        match (link.received(ms(1), &broker(theirs, &[])), settled) {
            (Some(LinkOrder::Ready(format)), Some(settled)) => assert_eq!(format.version, settled, "{query} {theirs}"),
            (Some(LinkOrder::Fail(LinkError::OldVersion { version, .. })), None) => {
                assert_eq!((version, link.is_ready(), link.wakes_at()), (theirs, false, None));
                assert_eq!(link.received(ms(2), &usual()), None, "a failed link stays so");
            }
            other => panic!("{query} {theirs}: {other:?}"),
        }
    }
}

#[test]
fn a_format_that_does_not_come_is_waited_for_no_longer_than_said() {
    for (query, limit) in [
        ("", 10_000),
        ("wireFormat.maxInactivityDurationInitalDelay=500", 500),
        ("wireFormat.maxInactivityDurationInitalDelay=0", 30_000),
        ("useInactivityMonitor=false", 10_000),
    ] {
        let (mut link, _) = Link::new(options(query), secs(100));
        assert!(!link.is_ready());
        // What comes before the format does not stand for it.
        let asks = KeepAliveInfo { response_required: true, ..KeepAliveInfo::default() };
        for early in [ShutdownInfo::default().into(), asks.into()] {
            assert_eq!(link.received(secs(100), &early), None, "{query}: nothing goes out yet");
        }
        let at = secs(100) + ms(limit);
        assert_eq!((link.wakes_at(), link.timer(at - ms(1))), (Some(at), None), "{query}");
        assert_eq!(link.timer(at), Some(LinkOrder::Fail(LinkError::NoFormat(ms(limit)))), "{query}");
        assert_eq!((link.timer(at), link.wakes_at()), (None, None), "{query}");
    }
    let (mut link, _) = Link::new(options(""), Duration::ZERO);
    ready(link.received(ms(9_999), &usual()));
    assert_eq!(link.timer(ms(10_000)), None, "in time");
}

#[test]
fn silence_counts_only_where_both_sides_want_it() {
    const READ: &str = "MaxInactivityDuration";
    const FIRST: &str = "MaxInactivityDurationInitalDelay";
    type Case = (&'static str, &'static [(&'static str, i64)], Option<u64>, Option<u64>);
    // Query, the broker's properties, then: how long a peer may be silent, when it is found out (ms after the format).
    let cases: [Case; 12] = [
        ("", &[(READ, 30_000), (FIRST, 10_000)], Some(30_000), Some(40_000)),
        ("", &[(READ, 9_000), (FIRST, 10_000)], Some(9_000), Some(19_000)),
        ("", &[(READ, 60_000), (FIRST, 99_000)], Some(30_000), Some(40_000)),
        ("", &[(READ, 30_000), (FIRST, 0)], Some(30_000), Some(30_000)),
        ("", &[(READ, 30_000)], Some(30_000), Some(30_000)),
        ("", &[(FIRST, 10_000)], None, None),
        ("", &[(READ, 0), (FIRST, 10_000)], None, None),
        ("", &[(READ, -1), (FIRST, -1)], None, None),
        ("", &[], None, None),
        ("wireFormat.maxInactivityDuration=0", &[(READ, 30_000), (FIRST, 10_000)], None, None),
        ("useInactivityMonitor=false", &[(READ, 30_000), (FIRST, 10_000)], None, None),
        ("wireFormat.maxInactivityDuration=3", &[(READ, 30_000), (FIRST, 10)], Some(3), Some(13)),
    ];
    for (query, theirs, limit, found) in cases {
        let (mut link, format) = begun(query, &broker(12, theirs));
        assert_eq!(format.max_inactivity, limit.map(ms), "{query} {theirs:?}");
        let failed: Vec<(u128, LinkOrder)> =
            pass(&mut link, secs(3600)).into_iter().filter(|(_, order)| *order != sign()).collect();
        let expected = found.map(|at| (u128::from(at), LinkOrder::Fail(LinkError::Silent(ms(limit.unwrap())))));
        assert_eq!(failed, expected.into_iter().collect::<Vec<_>>(), "{query} {theirs:?}");
        assert_eq!(link.wakes_at(), None, "{query} {theirs:?}");
    }
}

#[test]
fn who_wants_no_monitor_tells_the_broker() {
    let (_, info) = Link::new(options("useInactivityMonitor=false"), Duration::ZERO);
    assert_eq!(info.properties.get("MaxInactivityDuration"), Some(&Value::Long(0)));
}

#[test]
fn an_idle_side_gives_a_sign_of_life_each_third_of_the_period() {
    let (mut link, _) = begun("", &usual());
    // The format itself was sent within the first period.
    assert_eq!(pass(&mut link, secs(10)), []);
    assert_eq!(pass(&mut link, secs(30)), [(20_000, sign()), (30_000, sign())]);
    link.heard();
    link.sent();
    assert_eq!(pass(&mut link, secs(50)), [(50_000, sign())], "nothing at 40: something was sent");
}

#[test]
fn signs_of_life_can_be_left_out_or_want_an_answer() {
    let (mut link, _) = begun("useKeepAlive=false", &usual());
    assert_eq!(pass(&mut link, secs(39)), []);
    let (mut link, _) = begun("keepAliveResponseRequired=true", &usual());
    let asks = KeepAliveInfo { response_required: true, ..KeepAliveInfo::default() };
    assert_eq!(pass(&mut link, secs(20)), [(20_000, LinkOrder::Send(asks))]);
}

#[test]
fn a_sign_of_life_that_wants_an_answer_gets_it() {
    let (mut link, _) = begun("", &usual());
    let asks = KeepAliveInfo { command_id: 7, response_required: true };
    let answer = LinkOrder::Send(KeepAliveInfo { command_id: 7, response_required: false });
    assert_eq!(pass(&mut link, secs(10)), []);
    assert_eq!(link.received(secs(15), &asks.into()), Some(answer));
    assert_eq!(pass(&mut link, secs(20)), [], "the answer is a sign of life as well");
    let plain = KeepAliveInfo { command_id: 8, response_required: false };
    assert_eq!(link.received(secs(21), &plain.into()), None);
}

#[test]
fn a_long_frame_on_a_slow_line_is_no_silence() {
    let (mut link, _) = begun("", &usual());
    for at in (0..600).step_by(29) {
        assert!(pass(&mut link, secs(at)).iter().all(|(_, order)| *order == sign()), "at {at}");
        link.heard();
    }
}

#[test]
fn a_second_format_changes_nothing() {
    let (mut link, _) = begun("", &usual());
    assert_eq!(link.received(secs(1), &broker(3, &[])), None);
    assert!(link.is_ready());
}

#[test]
fn who_has_slept_asks_again_before_it_blames_the_peer() {
    let (mut link, _) = begun("useKeepAlive=false", &usual());
    assert_eq!(link.timer(secs(10)), None);
    // The next look was due at 40 s, and comes a whole period late.
    assert_eq!(link.timer(secs(70)), None);
    assert_eq!(link.timer(secs(100)), Some(LinkOrder::Fail(LinkError::Silent(secs(30)))));

    let (mut link, _) = begun("useKeepAlive=false", &usual());
    assert_eq!(link.timer(secs(10)), None);
    assert_eq!(link.timer(ms(69_999)), Some(LinkOrder::Fail(LinkError::Silent(secs(30)))), "late, but not so late");

    let (mut link, _) = begun("useKeepAlive=false", &usual());
    link.timer(secs(10));
    link.timer(secs(70));
    assert_eq!(link.timer(secs(200)), Some(LinkOrder::Fail(LinkError::Silent(secs(30)))), "once, and not for ever");
}

#[test]
fn what_failed_is_said_with_what_activemq_would_log() {
    for (error, part) in [
        (LinkError::Silent(secs(30)), "`Channel was inactive for too (>30000) long`"),
        (LinkError::NoFormat(secs(10)), "within 10000 ms"),
        (LinkError::OldVersion { version: 6, minimum: 10 }, "OpenWire 6, and 10 is needed"),
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn options_are_those_of_activemq() {
    let table: toml::Table = include_str!("data/link-options.toml").parse().unwrap();
    let defaults = LinkOptions::default();
    let mut names = BTreeSet::new();
    for option in table["option"].as_array().unwrap() {
        let name = option["name"].as_str().unwrap();
        let expected = match option.get("ours").unwrap_or(&option["default"]) {
            toml::Value::String(text) if text == "CARGO_PKG_VERSION" => env!("CARGO_PKG_VERSION").to_owned(),
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(defaults.text(name).as_deref(), Some(expected.as_str()), "{name}");
        names.insert(name);
    }
    assert_eq!(names, LinkOptions::NAMES.iter().copied().collect());
}

#[test]
fn what_is_about_the_socket_is_left_to_it() {
    let query =
        "soTimeout=5&wireFormat.cacheSize=9&useKeepAlive=FALSE&socket.enabledProtocols=a&wireFormat.Host=h&Bogus=1";
    let (options, left) = LinkOptions::read(&Address::parse(&format!("ssl://amq-1:61616?{query}")).unwrap()).unwrap();
    let names: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["soTimeout", "socket.enabledProtocols", "Bogus"]);
    assert_eq!((options.use_keep_alive, options.host.as_deref()), (false, Some("h")));
}

#[test]
fn options_that_cannot_be_are_refused() {
    let long = format!("wireFormat.host={}", "x".repeat(513));
    for (query, part) in [
        // Spelled rightly, which ActiveMQ does not know.
        ("wireFormat.maxInactivityDurationInitialDelay=1", "`tcp://amq-1:61616` has no option `wireFormat.maxInact"),
        ("wireFormat.maxFrameSize=10MB", "`wireFormat.maxFrameSize` takes a whole number, and not `10MB`"),
        ("wireFormat.maxInactivityDuration=", "takes milliseconds"),
        ("wireFormat.version=9", "takes 10, 11 or 12"),
        ("wireFormat.version=13", "takes 10, 11 or 12"),
        (&long, "at most 512 bytes"),
    ] {
        let address = Address::parse(&format!("tcp://amq-1:61616?{query}")).unwrap();
        let error = LinkOptions::read(&address).unwrap_err().to_string();
        assert!(error.contains(part), "{query}: {error}");
    }
}

/// Two sides and the line between them, each frame taking its time.
struct Line {
    now: Duration,
    sides: [Link; 2],
    /// When, to whom, what.
    under_way: Vec<(Duration, usize, Command)>,
    chance: Chance,
    /// The longest that a frame takes.
    latency: u64,
}

impl Line {
    fn new(queries: [&str; 2], latency: u64, seed: u64) -> Self {
        let [(one, first), (other, second)] = queries.map(|query| Link::new(options(query), Duration::ZERO));
        let chance = Chance(seed);
        let mut line = Self { now: Duration::ZERO, sides: [one, other], under_way: Vec::new(), chance, latency };
        line.send(0, first.into());
        line.send(1, second.into());
        line
    }

    fn send(&mut self, from: usize, command: Command) {
        let takes = ms(self.chance.next() % self.latency.max(1));
        // A line keeps the order of what goes over it.
        let before = self.under_way.iter().filter(|(_, to, _)| *to == 1 - from).map(|(at, ..)| *at).max();
        let at = before.unwrap_or_default().max(self.now + takes);
        self.under_way.push((at, 1 - from, command));
    }

    fn obey(&mut self, side: usize, order: Option<LinkOrder>) -> Result<(), LinkError> {
        match order {
            Some(LinkOrder::Send(info)) => self.send(side, info.into()),
            Some(LinkOrder::Fail(error)) => return Err(error),
            Some(LinkOrder::Ready(_)) | None => {}
        }
        Ok(())
    }

    /// What comes next, no later than a moment. Whether anything did.
    fn step(&mut self, until: Duration) -> Result<bool, LinkError> {
        let arrives = (0..self.under_way.len()).min_by_key(|index| self.under_way[*index].0);
        let at = arrives.map(|index| self.under_way[index].0);
        let wakes = [0, 1].map(|side| self.sides[side].wakes_at());
        let Some(next) = at.into_iter().chain(wakes.into_iter().flatten()).min().filter(|next| *next <= until) else {
            self.now = until;
            return Ok(false);
        };
        self.now = next;
        if let Some(index) = arrives.filter(|_| at == Some(next)) {
            let (_, side, command) = self.under_way.remove(index);
            let order = self.sides[side].received(next, &command);
            self.obey(side, order)?;
            return Ok(true);
        }
        for side in [0, 1] {
            let order = self.sides[side].timer(next);
            self.obey(side, order)?;
        }
        Ok(true)
    }
}

#[test]
fn two_sides_stay_together_for_an_hour() {
    for queries in [
        ["", ""],
        ["wireFormat.maxInactivityDuration=1000", ""],
        ["", "wireFormat.maxInactivityDuration=3&wireFormat.maxInactivityDurationInitalDelay=1"],
        ["keepAliveResponseRequired=true", "keepAliveResponseRequired=true"],
        ["useInactivityMonitor=false", ""],
        ["wireFormat.maxInactivityDurationInitalDelay=0", ""],
    ] {
        // Of three milliseconds a line may take none.
        let latency = if queries[1].contains("=3&") { 0 } else { 150 };
        let mut line = Line::new(queries, latency, 11);
        let mut steps = 0_u32;
        while line.step(secs(3600)).unwrap_or_else(|error| panic!("{queries:?} at {:?}: {error}", line.now)) {
            steps += 1;
        }
        assert!(line.sides.iter().all(Link::is_ready), "{queries:?}");
        assert!(queries[0].contains("Monitor=false") || steps > 600, "{queries:?}: {steps}");
    }
}

/// Random traffic and random lines: never a failure while both are there, always one when a side has gone, and in time.
#[test]
fn a_side_that_is_there_is_kept_and_one_that_has_gone_is_noticed() {
    let mut chance = Chance(0x11_4e);
    for round in 0..2_000 {
        let limits = [(); 2].map(|()| 3_000 + chance.next() % 60_000);
        let first = [(); 2].map(|()| 2_000 + chance.next() % 20_000);
        let queries = [0, 1].map(|side| {
            let (limit, first) = (limits[side], first[side]);
            format!("wireFormat.maxInactivityDuration={limit}&wireFormat.maxInactivityDurationInitalDelay={first}")
        });
        // A side is silent for two thirds of the period at most: a line may take a third.
        let limit = limits[0].min(limits[1]);
        let latency = (limit / 3).min(first[0].min(first[1]) - 1);
        let mut line = Line::new([&queries[0], &queries[1]], latency, chance.next() | 1);
        let together = secs(chance.next() % 600);
        let mut talks = line.now;
        while line.now < together {
            talks += ms(1 + chance.next() % (2 * limit));
            loop {
                match line.step(talks.min(together)) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => panic!("round {round} at {:?}: {error}", line.now),
                }
            }
            let side = chance.below(2);
            if line.sides[side].is_ready() {
                line.sides[side].sent();
                line.send(side, ShutdownInfo::default().into());
            }
        }
        // Now one side has gone, and what is under way to the other still comes.
        let last = line.under_way.iter().filter(|(_, to, _)| *to == 0).map(|(at, ..)| *at).max();
        line.under_way.retain(|(_, to, _)| *to == 0);
        let gone = last.unwrap_or(line.now).max(line.now);
        // A whole period from a look that still heard something, or from the first look, which counts for nothing.
        let latest = gone + ms(limit + limit.max(first[0]));
        let noticed = loop {
            let next = line.under_way.iter().map(|(at, ..)| *at).chain(line.sides[0].wakes_at()).min();
            let Some(next) = next else { panic!("round {round}: silence for ever") };
            let arrived: Vec<_> = line.under_way.extract_if(.., |(at, ..)| *at <= next).collect();
            for (at, _, command) in arrived {
                line.sides[0].received(at, &command);
            }
            if let Some(LinkOrder::Fail(_)) = line.sides[0].timer(next) {
                break next;
            }
        };
        assert!(noticed <= latest, "round {round}: {noticed:?}, and {latest:?} at the latest");
    }
}
