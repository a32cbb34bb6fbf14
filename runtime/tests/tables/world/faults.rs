//! What happens to the topology: programs and brokers that die and come back, links that are cut.

use topoc_compiler::network::Edge;
use topoc_finesse_proto::cluster;
use topoc_openwire_proto::destination::Destination;

use super::{BRIDGE, Party, WIRE, What, World};
use crate::brokers::Place;
use crate::centre::Holder;
use crate::dialler::Dialler;
use crate::gc::Gc;

impl World<'_> {
    /// An event of a row.
    pub(crate) fn apply(&mut self, event: &str) {
        let (word, rest) = event.split_once(' ').unwrap();
        match word {
            "fail" => rest.split(", ").for_each(|name| self.fail(name)),
            "restore" => rest.split(", ").for_each(|name| self.restore(name)),
            "cut" | "heal" => {
                let (one, other) = rest.split_once(" <-> ").unwrap();
                self.link(one, other, word == "heal");
            }
            _ => panic!("unknown event {event}"),
        }
    }

    /// Connectors by their names, and whether they run.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.parties.iter().position(|party| party.name == name && party.settings.is_some())
    }

    fn fail(&mut self, name: &str) {
        match (self.find(name), self.brokers.find(name)) {
            (Some(party), _) => self.kill(party),
            (None, Some(broker)) => {
                let gone = self.brokers.kill(broker);
                self.break_off(&gone);
            }
            (None, None) => panic!("nothing of the name {name}"),
        }
        self.pour();
    }

    fn restore(&mut self, name: &str) {
        match (self.find(name), self.brokers.find(name)) {
            (Some(party), _) => self.start(party),
            (None, Some(broker)) => {
                self.brokers.start(broker);
                self.build_bridges();
                self.pour();
            }
            (None, None) => panic!("nothing of the name {name}"),
        }
    }

    pub(super) fn is_cut(&self, one: &str, other: &str) -> bool {
        self.cuts.contains(&(one.to_owned(), other.to_owned()))
    }

    fn link(&mut self, one: &str, other: &str, is_whole: bool) {
        for (one, other) in [(one, other), (other, one)] {
            let pair = (one.to_owned(), other.to_owned());
            if is_whole {
                self.cuts.remove(&pair)
            } else {
                self.cuts.insert(pair)
            };
        }
        if is_whole {
            return self.build_bridges();
        }
        let crosses =
            |(party, _): &Place, broker: usize| self.is_cut(&self.parties[*party].site, self.brokers.site(broker));
        let lines = self.brokers.lines.iter().filter(|(place, line)| crosses(place, line.broker));
        let gone: Vec<Place> = lines.map(|(place, _)| *place).collect();
        for edge in self.brokers.edges() {
            if !self.is_open(edge) {
                self.brokers.bridge(edge, false);
            }
        }
        gone.iter().for_each(|place| self.brokers.hang_up(*place));
        self.break_off(&gone);
        self.pour();
    }

    /// Those at the other end notice.
    fn break_off(&mut self, gone: &[Place]) {
        for (party, attempt) in gone {
            let takes = self.chance.within(WIRE);
            self.come(takes, Some(*party), What::Broken(*attempt));
        }
    }

    pub(super) fn is_open(&self, edge: Edge) -> bool {
        let (from, to) = (edge.from.index(), edge.to.index());
        let is_up = self.brokers.is_up(from) && self.brokers.is_up(to);
        is_up && !self.is_cut(self.brokers.site(from), self.brokers.site(to))
    }

    pub(super) fn build_bridges(&mut self) {
        for edge in self.brokers.edges() {
            let takes = self.chance.within(BRIDGE);
            self.come(takes, None, What::Bridged(edge));
        }
    }

    pub(super) fn start(&mut self, party: usize) {
        let now = self.now;
        let Party { name, uri, settings, .. } = &self.parties[party];
        let mut dialler = Dialler::new(name, uri, &mut self.chance);
        let (gc, consumers) = match settings {
            None => (None, vec![(Destination::queue(format!("REPLIES.{name}")), 0)]),
            Some(settings) => {
                let (plan, gc) = (&settings.plan, Gc::new(settings, now));
                let sync = Destination::topic(&*plan.deployment.as_ref().unwrap().sync);
                let requests = Destination::queue(&*plan.requests.queue);
                (Some(gc), vec![(sync, 0), (requests, plan.requests.priority)])
            }
        };
        let wants = dialler.start(now, &consumers, &mut self.chance);
        (self.parties[party].dialler, self.parties[party].gc) = (Some(dialler), gc);
        self.want(party, wants);
        self.tell_cluster(party, cluster::Event::Start);
    }

    /// A connector dies, with its sockets.
    fn kill(&mut self, party: usize) {
        let one = &mut self.parties[party];
        (one.dialler, one.gc) = (None, None);
        one.life += 1;
        let lines: Vec<Place> = self.brokers.lines.keys().filter(|(of, _)| *of == party).copied().collect();
        lines.iter().for_each(|place| self.brokers.hang_up(*place));
        let had = |holder: Option<Holder>| holder.filter(|(of, ..)| *of == party);
        let held: Vec<(String, Holder)> =
            self.centre.0.iter().filter_map(|(agent, known)| Some((agent.clone(), had(known.holder)?))).collect();
        held.into_iter().for_each(|(agent, holder)| self.close_session(&agent, holder));
    }
}
