//! The failover transport's transitions, found by walking through it at random: a table to read, and a drawing.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;
use topoc_openwire_proto::command::ConnectionControl;
use topoc_openwire_proto::failover::{Attempt, Event, Failover, Options, Order, Phase, World};
use topoc_openwire_proto::uri::Uri;

/// Options that between them lead everywhere.
const URIS: &[&str] = &[
    "failover:(tcp://a:1,tcp://b:2)?randomize=false",
    "failover:(tcp://a:1,tcp://b:2)?randomize=false&priorityBackup=true",
    "failover:(tcp://a:1,tcp://b:2,tcp://c:3)?backup=true&backupPoolSize=2&maxReconnectAttempts=2",
    "failover:(tcp://a:1)?updateURIsURL=file:/brokers&priorityBackup=true&backup=true&randomize=false",
    "failover:(tcp://a:1,tcp://b:2)?maxReconnectAttempts=0",
];
const WALKS: u64 = 400;
const STEPS: usize = 60;

/// xorshift64*: the same walk each time.
struct Chance(u64);

impl World for Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }

    fn same_host(&mut self, one: &str, other: &str) -> bool {
        one == other
    }
}

/// What can happen, by the name that the table has for it.
fn events(machine: &Failover, opening: &BTreeSet<Attempt>) -> Vec<(&'static str, Event)> {
    let failed = |attempt| Event::Failed(attempt, "gone".to_owned());
    let control = |list: &str, rebalance_connection| {
        let connected_brokers = Some(list.to_owned());
        Event::Control(ConnectionControl { connected_brokers, rebalance_connection, ..ConnectionControl::default() })
    };
    let elsewhere = ConnectionControl { reconnect_to: Some("tcp://d:4".to_owned()), ..ConnectionControl::default() };
    let mut events = vec![("stop", Event::Stop)];
    match machine.phase() {
        Phase::New => return vec![("start", Event::Start)],
        Phase::Listing => events.push(("list is read", Event::Listed(Ok("tcp://e:5".to_owned())))),
        Phase::Waiting | Phase::Resting => events.push(("time is up", Event::Timer)),
        _ => {}
    }
    if machine.phase() == Phase::Listing {
        events.push(("list cannot be read", Event::Listed(Err("no such file".to_owned()))));
    }
    events.extend(
        opening.iter().flat_map(|attempt| [("opened", Event::Opened(*attempt)), ("not opened", failed(*attempt))]),
    );
    events.extend(machine.spares().map(|(attempt, _)| ("spare lost", failed(attempt))));
    if let Some((attempt, _)) = machine.connection() {
        events.push(("connection lost", failed(attempt)));
        events.push(("brokers pushed", control("tcp://c:3", false)));
        events.push(("brokers pushed, rebalance", control("tcp://b:2,tcp://a:1", true)));
        events.push(("sent elsewhere", Event::Control(elsewhere)));
    }
    events
}

fn word(order: &Order) -> Option<&'static str> {
    Some(match order {
        Order::Open(..) => "open",
        Order::Close(_) => "close",
        Order::Use { restore: false, .. } => "use",
        Order::Use { restore: true, .. } => "use and restore",
        Order::Interrupted => "interrupt",
        Order::List(_) => "read the list",
        Order::GiveUp(_) => "give up",
        Order::Warn(_) => return None,
    })
}

/// From, event, to, and what was ordered.
type Transition = (Phase, &'static str, Phase, String);

fn walk(uri: &str, seed: u64, seen: &mut BTreeSet<Transition>) {
    let Uri::Failover { addresses, options } = Uri::parse(uri).unwrap() else { panic!("{uri}") };
    let mut chance = Chance(seed * 2_654_435_761 + 97);
    let mut machine = Failover::new(addresses, Options::read(&options).unwrap(), &mut chance);
    let (mut opening, mut now) = (BTreeSet::new(), Duration::ZERO);
    for _ in 0..STEPS {
        let mut choices = events(&machine, &opening);
        // Rarely, so that walks are long.
        if choices.len() > 1 && chance.below(40) > 0 {
            choices.retain(|(name, _)| *name != "stop");
        }
        let (name, event) = choices.swap_remove(chance.below(choices.len()));
        now = machine.wakes_at().filter(|_| event == Event::Timer).unwrap_or(now);
        if let Event::Opened(attempt) | Event::Failed(attempt, _) = &event {
            opening.remove(attempt);
        }
        let from = machine.phase();
        let orders = machine.handle(now, event, &mut chance);
        for order in &orders {
            match order {
                Order::Open(attempt, _) => drop(opening.insert(*attempt)),
                Order::Close(attempt) => drop(opening.remove(attempt)),
                _ => {}
            }
        }
        let words: Vec<&str> = orders.iter().filter_map(word).collect();
        seen.insert((from, name, machine.phase(), words.join(", ")));
        if matches!(machine.phase(), Phase::Failed | Phase::Stopped) {
            return;
        }
    }
}

fn table(seen: &BTreeSet<Transition>) -> String {
    let mut text = format!("{:10}  {:25}  {:10}  orders\n", "from", "event", "to");
    for (from, event, to, orders) in seen {
        let (from, to) = (format!("{from:?}"), format!("{to:?}"));
        text += format!("{from:10}  {event:25}  {to:10}  {orders}").trim_end();
        text.push('\n');
    }
    text
}

/// Mermaid, which code hosts draw.
fn drawing(seen: &BTreeSet<Transition>) -> String {
    let mut arrows: BTreeMap<(Phase, Phase), BTreeSet<&str>> = BTreeMap::new();
    for (from, event, to, _) in seen.iter().filter(|(from, event, to, _)| from != to && *event != "stop") {
        arrows.entry((*from, *to)).or_default().insert(event);
    }
    let mut text = "stateDiagram-v2\n  [*] --> New\n".to_owned();
    for ((from, to), events) in arrows {
        let events = events.into_iter().collect::<Vec<_>>().join(" / ");
        writeln!(text, "  {from:?} --> {to:?}: {events}").unwrap();
    }
    text + "  Failed --> [*]\n"
}

#[test]
fn failover_goes_from_phase_to_phase_as_its_table_says() {
    let mut seen = BTreeSet::new();
    for uri in URIS {
        (0..WALKS).for_each(|seed| walk(uri, seed, &mut seen));
    }
    let phases: BTreeSet<Phase> = seen.iter().flat_map(|(from, _, to, _)| [*from, *to]).collect();
    assert_eq!(phases.len(), 9, "every phase is come to: {phases:?}");
    insta::with_settings!({ snapshot_path => "../protocol", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("failover-table", table(&seen));
        insta::assert_snapshot!("failover-drawing", drawing(&seen));
    });
}
