//! Random requests, calls and faults: whatever happens, calls end, states follow each other as the table allows, and all nodes
//! agree when it is quiet.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use proptest::prelude::*;
use topoc_finesse_sim::cluster::{
    ACTIONS, Cluster, Config, Credentials, Deployment, Health, Method, Request, Service, State, TRANSITIONS,
};

const AGENTS: usize = 4;
const SERVICES: [Service; 3] = [Service::Tomcat, Service::Notification, Service::Cti];

#[derive(Clone, Debug)]
enum Deed {
    Wait(u64),
    State(usize, usize, &'static str),
    Call(usize, usize, String),
    Act(usize, usize, usize, usize, String),
    Outside(String),
    Answer(usize),
    HangUp(usize),
    Enter(usize, usize),
    Leave(usize, bool),
    Force(usize),
    Health(usize, usize, Health),
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![4 => (0..AGENTS + 1).prop_map(|index| (2001 + index).to_string()), 1 => Just("5551234".to_owned())]
}

fn peaceful() -> impl Strategy<Value = Deed> {
    let state = prop::sample::select(vec!["LOGIN", "LOGIN", "READY", "READY", "NOT_READY", "LOGOUT"]);
    prop_oneof![
        4 => (0_u64..3_000).prop_map(Deed::Wait),
        4 => (0..2_usize, 0..AGENTS, state).prop_map(|(node, agent, state)| Deed::State(node, agent, state)),
        3 => (0..2_usize, 0..AGENTS, number()).prop_map(|(node, agent, to)| Deed::Call(node, agent, to)),
        6 => (0..2_usize, 0..AGENTS, 0..3_usize, 0..ACTIONS.len(), number())
            .prop_map(|(node, agent, call, action, to)| Deed::Act(node, agent, call, action, to)),
        2 => number().prop_map(Deed::Outside),
        1 => (0..3_usize).prop_map(Deed::Answer),
        1 => (0..3_usize).prop_map(Deed::HangUp),
    ]
}

fn rough() -> impl Strategy<Value = Deed> {
    let health = prop::sample::select(vec![Health::Up, Health::Up, Health::Down, Health::Silent]);
    prop_oneof![
        6 => peaceful(),
        1 => (0..2_usize, 0..AGENTS).prop_map(|(node, agent)| Deed::Enter(node, agent)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(which, word)| Deed::Leave(which, word)),
        1 => (0..AGENTS).prop_map(Deed::Force),
        1 => (0..2_usize, 0..3_usize, health).prop_map(|(node, service, health)| Deed::Health(node, service, health)),
        1 => (10_000_u64..200_000).prop_map(Deed::Wait),
    ]
}

struct World {
    cluster: Cluster,
    now: u64,
    states: Vec<State>,
    lawful: bool,
}

impl World {
    fn new(config: Config, lawful: bool) -> Self {
        let cluster = Cluster::new(config, 0);
        let states = cluster.agents().iter().map(|agent| agent.state).collect();
        Self { cluster, now: 0, states, lawful }
    }

    /// Every state is looked at after every single thing that happens.
    fn watch(&mut self) {
        for (index, agent) in self.cluster.agents().iter().enumerate() {
            let (from, to) = (self.states[index], agent.state);
            let row = TRANSITIONS.iter().find(|(state, _)| *state == from).map(|(_, next)| *next).unwrap();
            assert!(!self.lawful || from == to || row.contains(&to), "{} went from {from:?} to {to:?}", agent.id);
            self.states[index] = to;
        }
        for call in self.cluster.calls().values() {
            assert!(!call.agents().is_empty(), "a call without agents is kept: {call:?}");
        }
    }

    fn wait(&mut self, time: u64) {
        let end = self.now + time;
        while self.cluster.step(end) {
            self.watch();
        }
        self.now = end;
        self.cluster.outputs();
    }

    fn rest(&mut self, node: usize, agent: usize, method: Method, path: String, body: String) {
        let credentials = Credentials::Basic((1001 + agent).to_string(), self.cluster.config().password.clone());
        let request = Request { method, path, query: String::new(), credentials, request_id: None, body };
        let status = self.cluster.rest(self.now, node, &request).status;
        assert_ne!(status, 500);
    }

    fn nth_call(&self, index: usize) -> Option<u64> {
        self.cluster.calls().keys().nth(index).copied()
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Wait(time) => self.wait(time),
            Deed::State(node, agent, state) => {
                let extension = 2001 + agent;
                let body = format!("<User><state>{state}</state><extension>{extension}</extension></User>");
                self.rest(node, agent, Method::Put, format!("/finesse/api/User/{}", 1001 + agent), body);
            }
            Deed::Call(node, agent, to) => {
                let from = 2001 + agent;
                let body = format!(
                    "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>{from}</fromAddress><toAddress>{to}</toAddress></Dialog>"
                );
                self.rest(node, agent, Method::Post, format!("/finesse/api/User/{}/Dialogs", 1001 + agent), body);
            }
            Deed::Act(node, agent, call, action, to) => {
                let Some(call) = self.nth_call(call) else { return };
                let (action, target) = (ACTIONS[action].1, 2001 + agent);
                let body = format!(
                    "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>{target}</targetMediaAddress><toAddress>{to}</toAddress></Dialog>"
                );
                self.rest(node, agent, Method::Put, format!("/finesse/api/Dialog/{call}"), body);
            }
            Deed::Outside(to) => {
                let _ = self.cluster.call_from_outside(self.now, "5550000", &to, Vec::new());
            }
            Deed::Answer(call) => {
                let _ = self.nth_call(call).map(|call| self.cluster.answer_outside(self.now, call));
            }
            Deed::HangUp(call) => {
                let _ = self.nth_call(call).map(|call| self.cluster.hang_up_outside(self.now, call));
            }
            Deed::Enter(node, agent) => {
                let session = self.cluster.open_session(node, agent, "there");
                self.cluster.set_presence(self.now, node, session, Some(0));
            }
            Deed::Leave(which, word) => {
                let sessions: Vec<(usize, u64)> = (0..2)
                    .flat_map(|node| {
                        self.cluster.nodes()[node].sessions().iter().map(move |(number, _)| (node, number))
                    })
                    .collect();
                if let Some((node, number)) = sessions.get(which) {
                    self.cluster.close_session(self.now, *node, *number, word);
                }
            }
            Deed::Force(agent) => self.cluster.forced_logout(self.now, agent),
            Deed::Health(node, service, health) => {
                self.cluster.set_health(self.now, node, SERVICES[service], health);
            }
        }
        self.watch();
    }

    /// Everything is repaired, everybody hangs up, and time passes.
    fn calm_down(&mut self) {
        for node in 0..2 {
            for service in SERVICES {
                self.cluster.set_health(self.now, node, service, Health::Up);
            }
        }
        for _ in 0..2 {
            self.wait(60_000);
            let calls: Vec<u64> = self.cluster.calls().keys().copied().collect();
            for call in calls {
                // One that ended with another one is none any more.
                while self.cluster.calls().get(&call).is_some_and(|call| call.there() > 0) {
                    self.cluster.hang_up_outside(self.now, call).unwrap();
                }
            }
        }
        self.wait(600_000);
    }

    fn check_quiet(&self) {
        assert!(self.cluster.calls().is_empty(), "calls that do not end: {:?}", self.cluster.calls());
        assert_eq!(self.cluster.next(), None, "something is still to come");
        for node in self.cluster.nodes() {
            assert_eq!(node.view().agents, self.cluster.agents(), "{} believes otherwise", node.host);
            assert!(node.view().calls.is_empty(), "{} has calls", node.host);
        }
        for agent in self.cluster.agents() {
            assert_eq!(agent.state, agent.base.state(), "{} has no call", agent.id);
            assert_eq!(agent.extension.is_some(), agent.is_in());
            assert_eq!((agent.pending, agent.ready_again), (None, false), "{}", agent.id);
        }
    }
}

fn configs() -> impl Strategy<Value = Config> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(ccx, wrap_up, load)| {
        let mut config = Config::new(AGENTS, &["a.test", "b.test"]);
        config.deployment = if ccx { Deployment::Uccx } else { Deployment::Ucce };
        config.wrap_up = wrap_up.then_some(5_000);
        config.logout_on_disconnect = load;
        config
    })
}

fn cases() -> ProptestConfig {
    let cases = if std::env::var_os("TOPOC_LONG").is_some() { 20_000 } else { 500 };
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

#[test]
fn who_chooses_to_be_ready_while_it_rings_in_wrap_up_works_no_more() {
    let mut config = Config::new(AGENTS, &["a.test", "b.test"]);
    config.wrap_up = Some(5_000);
    let mut world = World::new(config, true);
    let login = |agent| Deed::State(0, agent, "LOGIN");
    let outside = Deed::Call(0, 0, "5551234".to_owned());
    let deeds = [login(0), login(3), Deed::Wait(20), outside, Deed::Wait(1020), Deed::HangUp(0)];
    let rings = [Deed::Call(0, 3, "2001".to_owned()), Deed::Wait(10), Deed::State(0, 0, "READY"), Deed::Wait(20)];
    deeds.into_iter().chain(rings).for_each(|deed| world.act(deed));
    assert_eq!(world.states[0], State::NotReady);
    world.calm_down();
    world.check_quiet();
    assert_eq!(world.states[0], State::Ready);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn while_nothing_breaks_states_follow_each_other_by_the_table(
        config in configs(), deeds in prop::collection::vec(peaceful(), 1..80)
    ) {
        let mut world = World::new(config, true);
        for deed in deeds {
            world.act(deed);
        }
        world.calm_down();
        world.check_quiet();
    }

    #[test]
    fn whatever_breaks_calls_end_and_nodes_agree(config in configs(), deeds in prop::collection::vec(rough(), 1..80)) {
        let mut world = World::new(config, false);
        for deed in deeds {
            world.act(deed);
        }
        world.calm_down();
        world.check_quiet();
    }
}
