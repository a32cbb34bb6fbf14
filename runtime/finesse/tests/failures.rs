//! What a switch to another server costs agents who talk: each failure at each server, with two hundred of them; and what else
//! servers do to a client. `TOPOC_LONG=1` has two hundred agents everywhere, and holds the switch to its five seconds.

mod centre;

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use centre::{Centre, PATIENCE, Worker};
use serde_json::json;
use tokio::time::{Instant, interval, timeout};
use topoc_finesse::client::{Options, Status};
use topoc_finesse_proto::cluster::{NodeId, Settings};
use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::Answer;
use topoc_finesse_proto::session::Connection;
use topoc_finesse_proto::user::UserState;

const AGENTS: usize = 200;

/// The promise: so soon everybody is told at the other server what is so.
const SWITCHED_WITHIN: Duration = Duration::from_secs(5);

fn is_long() -> bool {
    env::var("TOPOC_LONG").is_ok_and(|long| long == "1")
}

/// How many agents there are where the number matters less.
fn some() -> usize {
    if is_long() { AGENTS } else { 20 }
}

fn simulated(agents: usize) -> topoc_finesse_sim::Options {
    topoc_finesse_sim::Options::new(agents, 2)
}

/// A contact centre where everybody talks, at one of its two servers. The other one is out of service until then: on a machine with
/// other things to do, a server is slow or silent while all sign in, and would be left for it.
async fn talking(options: topoc_finesse_sim::Options, ours: Options, at: usize) -> Centre {
    let agents = options.config.agents;
    let mut centre = Centre::start(options, ours).await;
    centre.fault(1 - at, "cti", true);
    centre.hire(agents);
    centre.all_talk().await;
    centre.fault(1 - at, "cti", false);
    centre.until_right(at).await;
    centre
}

/// What happens while nobody tells of it: every fifth caller hangs up, and every tenth agent is called again. Which calls are
/// over, and which are new, by the place of the agent.
fn gap(centre: &Centre) -> BTreeMap<usize, (String, Option<String>)> {
    let called = |place: usize| {
        let worker = &centre.workers[place];
        let (over, _) = worker.call().expect("everybody talks");
        centre.hang_up(&over);
        (place, (over, place.is_multiple_of(10).then(|| centre.call(worker))))
    };
    (0..centre.workers.len()).step_by(5).map(called).collect()
}

/// What happened in the gap was told, once.
fn made_up(centre: &Centre, gap: &BTreeMap<usize, (String, Option<String>)>) {
    for (place, (over, new)) in gap {
        let seen = centre.workers[*place].seen();
        assert_eq!(seen.removed.get(over), Some(&1), "{over}: {:?}", seen.told);
        if let Some(new) = new {
            assert_eq!(seen.added.get(new), Some(&1), "{new}: {:?}", seen.told);
        }
    }
}

/// A failure, with a gap, until everybody is right at the other server.
#[expect(clippy::print_stdout, reason = "what a switch takes is for people to read")]
async fn switch(centre: &Centre, service: &str, at: usize) -> BTreeMap<usize, (String, Option<String>)> {
    let failed = Instant::now();
    centre.fault(at, service, true);
    let gap = gap(centre);
    centre.until_right(1 - at).await;
    let (took, agents) = (failed.elapsed(), centre.workers.len());
    println!("{service} of server {}: {agents} agents are at the other one after {took:?}", at + 1);
    // On a machine with other things to do, two hundred handshakes take longer.
    assert!(!is_long() || took < SWITCHED_WITHIN, "{took:?}");
    made_up(centre, &gap);
    centre.sound();
    gap
}

/// One failure: the switch, the forced logouts that come after it, and what agents are then.
async fn failure(service: &str, at: usize, logs_out: bool) {
    let mut options = simulated(AGENTS);
    options.config.logout_on_disconnect = logs_out;
    let centre = talking(options, Options::default(), at).await;
    let gap = switch(&centre, service, at).await;
    // The server is back, and counts as gone who was there, wherever they are.
    centre.fault(at, service, false);
    for worker in &centre.workers {
        drop(centre.command("force-logout", &json!({"agent": worker.id})));
    }
    if !logs_out {
        // It comes into force when the call is over. Who is signed out has lost the call.
        centre.workers.iter().filter_map(|worker| worker.call()).for_each(|(call, _)| centre.hang_up(&call));
    }
    centre
        .all(|worker| async move {
            worker.until("a forced state", |seen| seen.forced > 0).await;
            worker.until("the end of the call", |seen| seen.dialogs.is_empty()).await;
            worker.until_state(UserState::Ready).await;
        })
        .await;
    centre.until_right(1 - at).await;
    centre.sound();
    made_up(&centre, &gap);
    assert_eq!(centre.client.status().borrow().used, Some(NodeId(1 - at)), "nobody is sent back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_web_application_of_either_server_fails() {
    failure("tomcat", 0, false).await;
    failure("tomcat", 1, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_notification_service_of_either_server_fails() {
    failure("notification", 0, true).await;
    failure("notification", 1, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_server_loses_its_cti_server() {
    failure("cti", 0, false).await;
    failure("cti", 1, true).await;
}

/// The server's own timers: a minute after the agents have left it, which is back by then, they are logged out by force.
async fn late_logout(logs_out: bool) {
    let mut options = simulated(10);
    // A minute is ten seconds.
    options.speed = 6.0;
    options.config.logout_on_disconnect = logs_out;
    let mut centre = Centre::start(options, Options::default()).await;
    centre.hire(10);
    centre
        .all(|worker| async move {
            worker.does(worker.sign_in()).await;
            worker.until_state(UserState::NotReady).await;
            let (state, reason) = wish(&worker);
            worker.does(worker.change(state, reason)).await;
            until_as_wished(&worker).await;
        })
        .await;
    centre.fault(0, "cti", true);
    centre.until_right(1).await;
    centre.fault(0, "cti", false);
    centre
        .all(move |worker| async move {
            worker.until("a forced state", |seen| seen.forced > 0).await;
            // Nobody but the client has signed them in since.
            until_as_wished(&worker).await;
        })
        .await;
    centre.until_right(1).await;
    centre.sound();
}

/// Every second agent wants calls, the others are away for a reason.
fn wish(worker: &Worker) -> (UserState, Option<i64>) {
    if worker.id.ends_with(['1', '3', '5', '7', '9']) {
        (UserState::Ready, None)
    } else {
        (UserState::NotReady, Some(17))
    }
}

async fn until_as_wished(worker: &Worker) {
    let (state, reason) = wish(worker);
    let is_so = |seen: &centre::Seen| {
        let user = seen.user.as_ref();
        seen.state().as_ref() == Some(&state) && user.is_some_and(|user| reason.is_none() || user.reason() == reason)
    };
    worker.until("what they wish for", is_so).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_forced_logout_is_followed_by_signing_in_and_the_state_from_before() {
    tokio::join!(late_logout(true), late_logout(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_servers_are_down_and_come_back() {
    for first in [0, 1] {
        let centre = talking(simulated(some()), Options::default(), 0).await;
        centre.fault(0, "cti", true);
        centre.fault(1, "cti", true);
        for worker in &centre.workers {
            worker.until("an interruption", |seen| seen.connection == Some(Connection::Interrupted)).await;
        }
        // What nobody is told.
        let gap = gap(&centre);
        let mut status = centre.client.status();
        let unusable = |status: &Status| status.judgements.iter().all(|judgement| !judgement.is_usable());
        drop(timeout(PATIENCE, status.wait_for(unusable)).await.expect("in time").expect("the client is there"));
        let back = Instant::now();
        centre.fault(first, "cti", false);
        centre.until_right(first).await;
        println!("server {} is back: {} agents are there after {:?}", first + 1, some(), back.elapsed());
        made_up(&centre, &gap);
        centre.sound();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_accepts_and_never_answers_is_left_and_nobody_waits_for_it() {
    let centre = talking(simulated(some()), Options::default(), 0).await;
    let hung = Instant::now();
    centre.silence(0, "tomcat");
    centre.silence(0, "notification");
    let holder = Arc::clone(&centre.workers[0]);
    let (call, _) = holder.call().expect("a call");
    let hold = tokio::spawn(async move { holder.ask(holder.act(&call, Action::Hold)).await });
    let changer = Arc::clone(&centre.workers[1]);
    let change = tokio::spawn(async move { changer.ask(changer.change(UserState::NotReady, None)).await });
    centre.until_right(1).await;
    println!("a silent server: {} agents are at the other one after {:?}", some(), hung.elapsed());
    let hold = hold.await.expect("an outcome");
    assert!(matches!(hold, Outcome::Unknown(_)), "a second hold is not what was asked for: {hold:?}");
    assert_eq!(change.await.expect("an outcome"), Outcome::Answer(Answer::Accepted));
    println!("both requests have their outcome after {:?}", hung.elapsed());
    centre.sound();
}

/// Keeps everybody asking until they are at a server: calls are held and retrieved, which must not be done twice. All is accepted.
async fn work_until_at(centre: &Centre, at: usize) {
    let there = Some(Connection::Live(NodeId(at)));
    centre
        .all(|worker| async move {
            let deadline = Instant::now() + 3 * PATIENCE;
            while worker.seen().connection != there {
                assert!(Instant::now() < deadline, "agent {} is not at server {}", worker.id, at + 1);
                let (call, _) = worker.call().expect("everybody talks");
                worker.does(worker.act(&call, Action::Hold)).await;
                worker.until_call("HELD").await;
                worker.does(worker.act(&call, Action::Retrieve)).await;
                worker.until_call("ACTIVE").await;
            }
        })
        .await;
    centre.until_right(at).await;
    centre.sound();
    for worker in &centre.workers {
        assert_eq!(worker.seen().failed, Vec::<String>::new(), "agent {} has asked for nothing twice", worker.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_is_kept_if_it_is_the_only_one_and_left_without_losing_a_request() {
    let centre = talking(simulated(some()), Options::default(), 0).await;
    centre.fault(1, "cti", true);
    drop(centre.command("slow", &json!({"node": 1, "ms": 1500})));
    let gap = gap(&centre);
    for place in gap.keys() {
        let worker = &centre.workers[*place];
        worker.does(worker.change(UserState::NotReady, None)).await;
    }
    centre.until_right(0).await;
    made_up(&centre, &gap);
    // Everybody talks again.
    for (place, (_, new)) in &gap {
        let worker = &centre.workers[*place];
        if let Some(new) = new {
            centre.hang_up(new);
        }
        worker.until("the end of the call", |seen| seen.dialogs.is_empty()).await;
        worker.does(worker.change(UserState::Ready, None)).await;
        worker.until_state(UserState::Ready).await;
        centre.call(worker);
        let call = worker.until_call("ALERTING").await;
        worker.does(worker.act(&call, Action::Answer)).await;
        worker.until_call("ACTIVE").await;
    }
    assert_eq!(centre.client.status().borrow().used, Some(NodeId(0)), "a slow server is better than none");
    centre.fault(1, "cti", false);
    work_until_at(&centre, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maintenance_loses_no_request() {
    // Also those in calls have to go.
    let cluster = Settings { drain_within: Duration::from_secs(2), ..Settings::default() };
    let centre = talking(simulated(some()), Options { cluster, ..Options::default() }, 0).await;
    // So that requests are on their way when agents move.
    drop(centre.command("slow", &json!({"node": 1, "ms": 300})));
    drop(centre.command("maintenance", &json!({"node": 1, "on": true})));
    work_until_at(&centre, 1).await;
    // And the server may be stopped.
    centre.fault(0, "tomcat", true);
    centre.fault(0, "notification", true);
    centre.until_right(1).await;
    centre.sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_minutes_apart_change_nothing() {
    for (first, second) in [(300_000, -420_000), (-420_000, 300_000)] {
        let options = simulated(some());
        let mut centre = Centre::start(options, Options::default()).await;
        drop(centre.command("clock", &json!({"node": 1, "ms": first})));
        drop(centre.command("clock", &json!({"node": 2, "ms": second})));
        centre.hire(some());
        centre.all_talk().await;
        centre.until_right(0).await;
        drop(switch(&centre, "tomcat", 0).await);
        // What is told by the server with the other clock is believed.
        let (call, _) = centre.workers[1].call().expect("a call");
        centre.hang_up(&call);
        centre.until_right(1).await;
        centre.fault(0, "tomcat", false);
        centre.fault(1, "cti", true);
        let (call, _) = centre.workers[2].call().expect("a call");
        centre.hang_up(&call);
        centre.until_right(0).await;
        centre.sound();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_come_and_go_are_not_followed_to_and_fro() {
    let centre = talking(simulated(some()), Options::default(), 0).await;
    let mut status = centre.client.status();
    let counting = tokio::spawn(async move {
        let (mut switches, mut last) = (0_u64, Some(NodeId(0)));
        while status.changed().await.is_ok() {
            let used = status.borrow_and_update().used;
            switches += u64::from(used != last);
            last = used;
        }
        switches
    });
    let began = Instant::now();
    let mut tick = interval(Duration::from_millis(700));
    let services = ["cti", "notification", "tomcat"];
    for round in 0..24 {
        tick.tick().await;
        // One server is always there.
        let (service, before) = (services[round % 3], services[(round + 2) % 3]);
        centre.fault((round + 1) % 2, before, false);
        centre.fault(round % 2, service, true);
        if round % 4 == 0 {
            let (call, _) = centre.workers[round / 4].call().expect("a call that nobody has hung up");
            centre.hang_up(&call);
        }
    }
    for service in services {
        (0..2).for_each(|at| centre.fault(at, service, false));
    }
    // Everybody is somewhere, and knows what is so.
    let deadline = Instant::now() + PATIENCE;
    let right = |at: &usize| centre.differences(*at).is_empty();
    while !(0..2).any(|at| right(&at)) {
        assert!(Instant::now() < deadline, "{:?}", centre.differences(0));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    centre.sound();
    let minutes = 1 + began.elapsed().as_secs() / 60;
    drop(centre);
    let switches = counting.await.expect("it ends with the client");
    println!("{switches} switches while servers came and went 24 times");
    assert!(switches <= 4 * minutes, "{switches} switches in {minutes} minutes");
}
