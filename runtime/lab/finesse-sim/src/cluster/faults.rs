//! What can be wrong with nodes: services that go and come back, and what follows from it.

use super::config::{Deployment, FORCED_LOGOUT, HEARTBEAT, Millis};
use super::node::{Health, Service};
use super::work::Object;
use super::{Cluster, Output, Timer};

impl Cluster {
    /// Breaks a service, or brings it back.
    pub fn set_health(&mut self, now: Millis, node: usize, service: Service, health: Health) {
        let here = &mut self.nodes[node];
        let before = here.health(service);
        match service {
            Service::Tomcat => here.tomcat = health,
            Service::Notification => here.notification = health,
            Service::Cti => here.cti = health,
        }
        if before == health {
            return;
        }
        match (service, health) {
            (Service::Cti, Health::Up) => (here.cti_since, here.last_heartbeat) = (here.cti_since.or(Some(now)), None),
            (Service::Cti, Health::Down) => (here.cti_since, here.last_heartbeat) = (None, Some(now)),
            (Service::Cti, Health::Silent) => {
                here.last_heartbeat = Some(now);
                self.at(now + 3 * HEARTBEAT, Timer::Heartbeats(node));
            }
            (Service::Notification, Health::Down) => self.notification_gone(node),
            (Service::Notification, Health::Up) => self.notification_back(now, node),
            _ => {}
        }
        self.refresh(now);
        if service == Service::Notification && before == Health::Silent {
            // What changed while it hung was told to nobody.
            self.tell_presence(node);
        }
        if service != Service::Cti {
            self.outputs.push_back(Output::Services { node });
        }
    }

    /// Maintenance mode: a planned drain of a node (12.6).
    pub fn set_maintenance(&mut self, now: Millis, node: usize, on: bool) {
        let here = &mut self.nodes[node];
        if here.maintenance.is_some() == on {
            return;
        }
        here.maintenance = on.then_some(now);
        self.tell_system_info(now, node);
    }

    pub(super) fn heartbeats_missing(&mut self, now: Millis, node: usize) {
        let here = &mut self.nodes[node];
        let due = here.last_heartbeat.is_some_and(|last| last + 3 * HEARTBEAT <= now);
        if here.cti == Health::Silent && due {
            here.cti_since = None;
            self.refresh(now);
        }
    }

    fn notification_gone(&mut self, node: usize) {
        let here = &mut self.nodes[node];
        for (number, session) in here.sessions.take_all() {
            if session.presence.is_some() {
                here.away.insert(session.agent, None);
            }
            self.outputs.push_back(Output::Close { session: number, error: None });
        }
        here.outbox.clear();
    }

    /// Those who went with the service and are nowhere now are counted as gone from here on.
    fn notification_back(&mut self, now: Millis, node: usize) {
        let lost: Vec<usize> =
            self.nodes[node].away.iter().filter(|(_, timer)| timer.is_none()).map(|(agent, _)| *agent).collect();
        for agent in lost {
            if self.nodes.iter().any(|node| node.is_present(agent)) {
                self.nodes[node].away.remove(&agent);
            } else {
                self.start_forced(now, node, agent, FORCED_LOGOUT);
            }
        }
    }

    /// Brings everything that follows from the health of services up to date.
    pub(super) fn refresh(&mut self, now: Millis) {
        if self.config.deployment == Deployment::Uccx && !self.is_usable(self.master) {
            self.master = (0..self.nodes.len()).find(|node| self.is_usable(*node)).unwrap_or(self.master);
        }
        for node in 0..self.nodes.len() {
            self.refresh_node(now, node);
        }
    }

    fn is_usable(&self, node: usize) -> bool {
        let here = &self.nodes[node];
        here.tomcat == Health::Up && here.notification == Health::Up && !here.has_lost_cti()
    }

    fn refresh_node(&mut self, now: Millis, node: usize) {
        let serves = self.config.deployment == Deployment::Ucce || self.master == node;
        let here = &mut self.nodes[node];
        let tomcat = here.tomcat != Health::Down;
        let returned = tomcat && !here.finesse_there;
        let left = !tomcat && here.finesse_there;
        here.finesse_there = tomcat;
        if !tomcat || here.has_lost_cti() {
            here.queues.clear();
        }
        let connected = tomcat && here.cti == Health::Up;
        let again = connected && !here.connected;
        here.connected = connected;
        if !connected {
            here.inbox.clear();
        }
        let in_service = here.notification != Health::Down && !here.has_lost_cti() && serves;
        let changed = in_service != here.in_service;
        here.in_service = in_service;
        if left || returned {
            self.tell_presence(node);
        }
        if again {
            self.resume(now, node);
        }
        if changed || returned {
            self.tell_system_info(now, node);
        }
    }

    fn resume(&mut self, now: Millis, node: usize) {
        let waiting: Vec<Object> = self.nodes[node].queues.keys().copied().collect();
        for object in waiting {
            self.at(now + self.config.latency, Timer::Work(node, object));
        }
        self.resync(now, node);
    }
}
