//! Which faults there are, and a schedule of them that a seed decides.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;

/// What a fault befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Broker,
    Connector,
    /// All connectors at once.
    Connectors,
    /// What goes from one site to another.
    Link,
    /// A node of Finesse, by its number from 1.
    Node,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SIGKILL, and started again.
    Kill,
    /// SIGTERM, and started again when it has ended.
    End,
    /// SIGSTOP, and SIGCONT.
    Pause,
    /// Connections are reset and refused.
    Cut,
    /// Packets vanish.
    BlackHole,
    /// A service of a node of Finesse is down or hangs: the service, and how it is broken, in the simulator's words.
    Service(&'static str, &'static str),
    /// Everything that a service says comes so much later, in milliseconds.
    Slow(&'static str, u64),
    /// Events come so much later, in milliseconds.
    LateEvents(u64),
    /// The notification sessions of a node are cut.
    DropSessions,
}

/// A kind of fault.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// As reports name it.
    pub(crate) name: &'static str,
    pub(crate) part: Part,
    pub(crate) kind: Kind,
    /// How often it comes among the others.
    weight: usize,
    /// How long it lasts, in seconds: from, to.
    lasts: (u64, u64),
}

const fn row(name: &'static str, part: Part, kind: Kind, weight: usize, lasts: (u64, u64)) -> Row {
    Row { name, part, kind, weight, lasts }
}

/// All kinds. Faults that a peer notices by silence last to both sides of the time that it waits: 6 s among connectors, 30 s
/// between brokers and their clients.
pub(crate) static ROWS: &[Row] = &[
    row("broker killed", Part::Broker, Kind::Kill, 4, (1, 8)),
    row("broker stands still", Part::Broker, Kind::Pause, 2, (2, 15)),
    row("connector killed", Part::Connector, Kind::Kill, 4, (1, 10)),
    row("connector asked to end", Part::Connector, Kind::End, 3, (1, 6)),
    row("connector stands still", Part::Connector, Kind::Pause, 3, (1, 14)),
    row("all connectors killed", Part::Connectors, Kind::Kill, 1, (1, 5)),
    row("link cut", Part::Link, Kind::Cut, 3, (2, 15)),
    row("link a black hole", Part::Link, Kind::BlackHole, 3, (2, 40)),
    row("Tomcat down", Part::Node, Kind::Service("tomcat", "down"), 2, (3, 20)),
    row("Tomcat silent", Part::Node, Kind::Service("tomcat", "silent"), 2, (3, 20)),
    row("Tomcat slow", Part::Node, Kind::Slow("tomcat", 3000), 2, (3, 20)),
    row("notifications down", Part::Node, Kind::Service("notification", "down"), 2, (3, 20)),
    row("notifications silent", Part::Node, Kind::Service("notification", "silent"), 2, (3, 20)),
    row("notifications slow", Part::Node, Kind::Slow("notification", 2000), 1, (3, 15)),
    row("CTI down", Part::Node, Kind::Service("cti", "down"), 2, (3, 20)),
    row("CTI silent", Part::Node, Kind::Service("cti", "silent"), 2, (3, 25)),
    row("sessions cut", Part::Node, Kind::DropSessions, 2, (0, 0)),
    row("events late", Part::Node, Kind::LateEvents(1500), 1, (3, 15)),
];

impl Row {
    /// Whether it ends a connector's process, and all that this one has learned and kept.
    const fn ends_a_connector(&self) -> bool {
        matches!((self.part, self.kind), (Part::Connector | Part::Connectors, Kind::Kill | Kind::End))
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// When it begins, at the earliest, after the beginning.
    pub(crate) at: Duration,
    /// For how long, at least.
    pub(crate) lasts: Duration,
    pub(crate) row: &'static Row,
    /// Whom it befalls.
    pub(crate) targets: Vec<String>,
}

/// What can be befallen.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) brokers: Vec<String>,
    pub(crate) connectors: Vec<String>,
    /// Pairs of sites.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) nodes: usize,
}

impl Parts {
    /// What a fault can befall, one line each.
    fn of(&self, part: Part) -> Vec<Vec<String>> {
        let each = |names: &[String]| names.iter().map(|name| vec![name.clone()]).collect();
        match part {
            Part::Broker => each(&self.brokers),
            Part::Connector => each(&self.connectors),
            Part::Connectors => vec![self.connectors.clone()],
            Part::Link => self.links.iter().map(|(one, other)| vec![link(one, other)]).collect(),
            Part::Node => (1..=self.nodes).map(|node| vec![format!("finesse {node}")]).collect(),
        }
    }
}

/// How a link is called.
pub(crate) fn link(one: &str, other: &str) -> String {
    format!("{one} <-> {other}")
}

/// From one fault to the next, in milliseconds: with those that find nothing without a fault, more than 500 in an hour.
const BETWEEN: std::ops::Range<u64> = 3000..9000;
/// After its end a part is left alone for so long, at least: a broker takes some seconds to start.
const REST: Duration = Duration::from_secs(4);

/// In the middle third no connector is ended, so that it can be seen whether one keeps more and more.
pub(crate) fn calm(length: Duration) -> std::ops::Range<Duration> {
    length / 3..length * 2 / 3
}

/// The faults of a run of this length. Every kind comes as often as its weight says, in an order that the seed decides: a bag is
/// emptied before it is filled anew.
pub(crate) fn schedule(seed: u64, length: Duration, parts: &Parts) -> Vec<Fault> {
    let (mut chance, mut bag, mut faults) = (Rng::with_seed(seed), Vec::new(), Vec::new());
    let mut busy: BTreeMap<String, Duration> = BTreeMap::new();
    let (calm, mut at) = (calm(length), Duration::ZERO);
    loop {
        at += Duration::from_millis(chance.u64(BETWEEN));
        if at >= length {
            return faults;
        }
        // What may not come in the calm does not wait for its end: all of it would come at once.
        let may = |row: &&'static Row| !(row.ends_a_connector() && calm.contains(&at));
        bag.retain(may);
        // More than what nobody can be befallen by now.
        if bag.len() < 2 * ROWS.len() {
            let mut more: Vec<&'static Row> =
                ROWS.iter().filter(may).flat_map(|row| std::iter::repeat_n(row, row.weight)).collect();
            chance.shuffle(&mut more);
            bag.extend(more);
        }
        let free = |targets: &Vec<String>| targets.iter().all(|one| busy.get(one).is_none_or(|until| *until <= at));
        let found = bag.iter().enumerate().find_map(|(place, row)| {
            let mut targets: Vec<Vec<String>> = parts.of(row.part).into_iter().filter(free).collect();
            (!targets.is_empty()).then(|| (place, targets.swap_remove(chance.usize(..targets.len()))))
        });
        let Some((place, targets)) = found else { continue };
        let row = bag.remove(place);
        let lasts = Duration::from_millis(chance.u64(row.lasts.0 * 1000..=row.lasts.1 * 1000));
        busy.extend(targets.iter().map(|target| (target.clone(), at + lasts + REST)));
        faults.push(Fault { at, lasts, row, targets });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn parts() -> Parts {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        Parts {
            brokers: names(["amq-1", "amq-2"]),
            connectors: names(["gc-1", "gc-2"]),
            links: vec![("site-1".to_owned(), "site-2".to_owned())],
            nodes: 2,
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_hour_has_five_hundred_faults_of_every_kind_whatever_the_seed() {
        for seed in 0..200 {
            let faults = schedule(seed, HOUR, &parts());
            assert!(faults.len() >= 500, "seed {seed}: {}", faults.len());
            let kinds: BTreeSet<&str> = faults.iter().map(|fault| fault.row.name).collect();
            assert_eq!(kinds.len(), ROWS.len(), "seed {seed}: {kinds:?}");
        }
    }

    #[test]
    fn a_seed_says_everything() {
        assert_eq!(schedule(7, HOUR, &parts()), schedule(7, HOUR, &parts()));
        assert_ne!(schedule(7, HOUR, &parts()), schedule(8, HOUR, &parts()));
    }

    #[test]
    fn nothing_has_two_faults_at_once_and_faults_of_different_parts_meet() {
        let mut met = 0;
        for seed in 0..50 {
            let faults = schedule(seed, HOUR, &parts());
            for (index, fault) in faults.iter().enumerate() {
                let later = faults[index + 1..].iter().take_while(|other| other.at < fault.at + fault.lasts);
                for other in later {
                    assert!(!other.targets.iter().any(|one| fault.targets.contains(one)), "{fault:?} {other:?}");
                    met += 1;
                }
            }
        }
        assert!(met > 1000, "{met}");
    }

    #[test]
    fn no_connector_is_ended_in_the_middle_and_some_are_before_and_behind() {
        let faults = schedule(3, HOUR, &parts());
        let ending: Vec<Duration> =
            faults.iter().filter(|fault| fault.row.ends_a_connector()).map(|fault| fault.at).collect();
        assert!(!ending.iter().any(|at| calm(HOUR).contains(at)));
        assert!(ending.iter().any(|at| *at < calm(HOUR).start) && ending.iter().any(|at| *at > calm(HOUR).end));
    }

    #[test]
    fn connectors_are_not_ended_more_often_after_the_calm_than_before_it() {
        let count = |range: std::ops::Range<Duration>| -> usize {
            let is_it = |fault: &&Fault| fault.row.ends_a_connector() && range.contains(&fault.at);
            (0..50).map(|seed| schedule(seed, HOUR, &parts()).iter().filter(is_it).count()).sum()
        };
        let (minutes, calm) = (Duration::from_secs(300), calm(HOUR));
        let (before, after) = (count(calm.start - minutes..calm.start), count(calm.end..calm.end + minutes));
        assert!(before > 100 && after < before * 3 / 2, "{before} and {after}");
    }
}
