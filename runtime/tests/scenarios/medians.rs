//! How soon clients are answered after a broker or a connector is killed, and how soon its agents have another owner.

use std::time::{Duration, Instant};

use topoc_stage::look;

use crate::{AGENTS, PATIENCE, Running, alone, is_long, releases};

/// What is killed in turn, so often, and so often with `TOPOC_LONG=1`.
struct Kills {
    what: &'static str,
    names: [&'static str; 2],
    few: usize,
    many: usize,
}

const KILLS: [Kills; 2] = [
    Kills { what: "broker", names: ["amq-1", "amq-2"], few: 2, many: 20 },
    Kills { what: "connector", names: ["gc-1", "gc-2"], few: 2, many: 20 },
];
/// Half of the first answers come within this after the kill.
const ANSWERED: Duration = Duration::from_secs(1);
/// The agents of a connector that is killed have a session with another one within this, each time.
const OWNED: Duration = Duration::from_secs(10);
/// From one look at connectors to the next.
const LOOK: Duration = Duration::from_millis(50);

impl Running {
    /// Kills something. How long it takes, from the kill on, until both clients have been answered: each asks a new question every 50 ms
    /// as soon as what was killed is dead.
    fn kill(&mut self, name: &str) -> Duration {
        let since = Instant::now();
        self.stage.fail(name);
        let (one, other) = (&self.desks[0], &self.desks[1]);
        let both = async { tokio::join!(one.first_answer(since), other.first_answer(since)) };
        let (one, other) = self.stage.runtime.block_on(async { tokio::time::timeout(PATIENCE, both).await }).unwrap();
        one.max(other)
    }

    /// Waits until connectors hear each other and know all agents, so that the next fault is one alone.
    fn wait_whole(&self) {
        let until = Instant::now() + PATIENCE;
        let known = format!("topoc_connector_agents_known {}", 2 * AGENTS);
        let is_whole = |name: &str| {
            let metrics = look(self.stage.admin(name), "/metrics").unwrap_or_default();
            let has = |wanted: &str| metrics.lines().any(|line| line == wanted);
            let hears = |line: &str| line.starts_with("topoc_connector_peer{") && line.ends_with("life=\"alive\"} 1");
            has("topoc_connector_ready 1") && has(&known) && metrics.lines().any(hears)
        };
        while !["gc-1", "gc-2"].into_iter().all(is_whole) {
            assert!(Instant::now() < until, "connectors do not hear each other\n{}", self.logs());
            std::thread::sleep(LOOK);
        }
    }

    /// How long after a moment a connector has a session for every agent.
    fn owned(&self, by: &str, since: Instant) -> Duration {
        while self.live_agents(by) != Some(2 * AGENTS) {
            assert!(since.elapsed() < PATIENCE, "{by} does not have all agents\n{}", self.logs());
            std::thread::sleep(LOOK);
        }
        since.elapsed()
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let (low, high) = (times[(times.len() - 1) / 2], times[times.len() / 2]);
    (low + high) / 2
}

#[test]
fn after_a_kill_clients_are_answered_within_a_second_and_agents_are_owned_within_ten() {
    let _alone = alone();
    for release in releases() {
        let mut running = Running::start("active-active", release);
        for Kills { what, names, few, many } in &KILLS {
            let (mut answered, mut owned) = (Vec::new(), Vec::new());
            for place in 0..if is_long() { *many } else { *few } {
                running.settle();
                running.wait_whole();
                let (name, other) = (names[place % 2], names[(place + 1) % 2]);
                let since = Instant::now();
                answered.push(running.kill(name));
                if *what == "connector" {
                    owned.push(running.owned(other, since));
                }
                running.stage.restore(name);
                running.check_agents(name);
            }
            let median = median(&answered);
            println!(
                "{what}s killed on {release}: first answers {answered:?}, median {median:?}; owned anew {owned:?}"
            );
            assert!(!is_long() || median <= ANSWERED, "{median:?}");
            assert!(owned.iter().all(|owned| *owned <= OWNED), "{owned:?}\n{}", running.logs());
        }
    }
}
