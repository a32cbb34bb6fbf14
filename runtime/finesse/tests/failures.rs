//! What a switch to another server costs agents who talk: each failure at each server, with two hundred of them.

mod centre;

use std::time::Duration;

use centre::{Centre, PATIENCE};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use topoc_finesse::client::{Options, Status};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::Answer;
use topoc_finesse_proto::session::Connection;
use topoc_finesse_proto::user::UserState;

const AGENTS: usize = 200;

/// How much quicker the contact centre's time goes: forced logouts come after 3 and 9 seconds.
const SPEED: f64 = 20.0;

/// A contact centre where everybody talks, at one of its two servers.
async fn talking(agents: usize, at: usize, speed: f64, logs_out: bool) -> Centre {
    let mut options = topoc_finesse_sim::Options::new(agents, 2);
    options.speed = speed;
    options.config.logout_on_disconnect = logs_out;
    let mut centre = Centre::start(options, Options::default()).await;
    if at == 1 {
        centre.fault(0, "cti", true);
    }
    centre.hire(agents);
    centre.all_talk().await;
    if at == 1 {
        centre.fault(0, "cti", false);
    }
    centre.until_right(at).await;
    centre
}

/// From the failure until everybody is told at the other server what is so.
async fn switch(centre: &Centre, service: &str, at: usize) -> Duration {
    let failed = Instant::now();
    centre.fault(at, service, true);
    centre.until_right(1 - at).await;
    failed.elapsed()
}

/// One failure: the switch, what agents do next, and the forced logouts that come after it.
#[expect(clippy::print_stdout, reason = "what a switch takes is for people to read")]
async fn failure(service: &str, at: usize, logs_out: bool) {
    let centre = talking(AGENTS, at, SPEED, logs_out).await;
    let took = switch(&centre, service, at).await;
    println!("{service} of server {}: {AGENTS} agents are at the other one after {took:?}", at + 1);
    // The promise is five seconds; a machine with other things to do needs longer for two hundred handshakes.
    assert!(took < Duration::from_secs(30), "{took:?}");
    centre.sound();
    // The server is back, and counts as gone who was there: everybody is logged out by force, wherever they are.
    centre.fault(at, service, false);
    sleep(Duration::from_secs(10)).await;
    centre
        .all(|worker| async move {
            // Who was signed out has lost the call, and is back without it.
            if let Some((call, _)) = worker.call() {
                worker.does(worker.act(&call, Action::Drop)).await;
            }
            worker.until("the end of the call", |seen| seen.dialogs.is_empty()).await;
            worker.until_state(UserState::Ready).await;
        })
        .await;
    centre.until_right(1 - at).await;
    centre.sound();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_servers_are_down_and_come_back() {
    for first in [0, 1] {
        let centre = talking(20, 0, 1.0, false).await;
        centre.fault(0, "cti", true);
        centre.fault(1, "cti", true);
        for worker in &centre.workers {
            worker.until("an interruption", |seen| seen.connection == Some(Connection::Interrupted)).await;
        }
        // What nobody is told.
        drop(centre.command("hang-up", &json!({"call": "last"})));
        let mut status = centre.client.status();
        let unusable = |status: &Status| status.judgements.iter().all(|judgement| !judgement.is_usable());
        drop(timeout(PATIENCE, status.wait_for(unusable)).await.expect("in time").expect("the client is there"));
        let back = Instant::now();
        centre.fault(first, "cti", false);
        centre.until_right(first).await;
        println!("server {} is back: 20 agents are there after {:?}", first + 1, back.elapsed());
        centre.sound();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_accepts_and_never_answers_is_left_and_nobody_waits_for_it() {
    let centre = talking(20, 0, 1.0, false).await;
    let hung = Instant::now();
    centre.silence(0, "tomcat");
    centre.silence(0, "notification");
    let holder = std::sync::Arc::clone(&centre.workers[0]);
    let (call, _) = holder.call().expect("a call");
    let hold = tokio::spawn(async move { holder.ask(holder.act(&call, Action::Hold)).await });
    let changer = std::sync::Arc::clone(&centre.workers[1]);
    let change = tokio::spawn(async move { changer.ask(changer.change(UserState::NotReady, None)).await });
    centre.until_right(1).await;
    println!("a silent server: 20 agents are at the other one after {:?}", hung.elapsed());
    let hold = hold.await.expect("an outcome");
    assert!(matches!(hold, Outcome::Unknown(_)), "a second hold is not what was asked for: {hold:?}");
    assert_eq!(change.await.expect("an outcome"), Outcome::Answer(Answer::Accepted));
    println!("both requests have their outcome after {:?}", hung.elapsed());
    centre.sound();
}
