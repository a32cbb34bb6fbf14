//! The whole client against a simulated Finesse in the same process: an agent's day.

mod centre;

use std::sync::Arc;
use std::time::Duration;

use centre::{Centre, PATIENCE, basic};
use serde_json::json;
use tokio::time::{Instant, timeout};
use topoc_finesse::client::{Login, Options, Status};
use topoc_finesse_proto::cluster::{Judgement, NodeId, Settings};
use topoc_finesse_proto::dialog::{Action, CallVariable};
use topoc_finesse_proto::line::{Outcome, Why};
use topoc_finesse_proto::rest::{Answer, Command};
use topoc_finesse_proto::session::{Change, Connection, End};
use topoc_finesse_proto::user::{MobileAgent, MobileMode, UserState};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_signs_in_is_called_and_signs_out() {
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(3, 2), Options::default()).await;
    centre.hire(1);
    let worker = &centre.workers[0];
    worker.does(worker.sign_in()).await;
    worker.until_state(UserState::NotReady).await;
    worker.does(worker.change(UserState::Ready, None)).await;
    worker.until_state(UserState::Ready).await;

    drop(centre.command("call", &json!({"from": "0170", "to": "2001", "variables": {"callVariable1": "gold"}})));
    let call = worker.until_call("ALERTING").await;
    worker.does(worker.act(&call, Action::Answer)).await;
    worker.until_call("ACTIVE").await;
    worker.until_state(UserState::Talking).await;
    worker.does(worker.act(&call, Action::Hold)).await;
    worker.until_call("HELD").await;
    worker.does(worker.act(&call, Action::Retrieve)).await;
    worker.until_call("ACTIVE").await;
    let variables = vec![CallVariable { name: "callVariable2".to_owned(), value: "silver".to_owned() }];
    worker.does(Command::UpdateCallData { dialog: call.clone(), reason: None, variables }).await;
    worker
        .until("both variables", |seen| {
            let properties = seen.dialogs.get(&call).and_then(|dialog| dialog.media_properties.as_ref());
            let values = properties.map(|known| known.call_variables.iter().map(|one| one.value.as_str()));
            values.is_some_and(|mut values| {
                let all: Vec<&str> = values.by_ref().collect();
                all.contains(&"gold") && all.contains(&"silver")
            })
        })
        .await;
    worker.does(worker.act(&call, Action::Drop)).await;
    worker.until("the end of the call", |seen| seen.dialogs.is_empty()).await;
    worker.until_state(UserState::Ready).await;
    worker.does(worker.change(UserState::NotReady, Some(16))).await;
    worker.until("the reason", |seen| seen.user.as_ref().is_some_and(|user| user.reason() == Some(16))).await;
    worker.does(Command::SignOut { agent: worker.id.clone(), reason: None }).await;
    worker.until_state(UserState::Logout).await;
    centre.until_right(0).await;
    centre.sound();
    assert_eq!(centre.client.status().borrow().used, Some(NodeId(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_finesse_could_not_do_is_told() {
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(3, 1), Options::default()).await;
    centre.hire(1);
    let worker = &centre.workers[0];
    worker.until("a session", |seen| seen.connection.is_some()).await;
    worker.until_state(UserState::Logout).await;
    // Ready while signed out: accepted, and refused by CTI.
    worker.does(worker.change(UserState::Ready, None)).await;
    worker.until("the error", |seen| !seen.failed.is_empty()).await;
    assert_eq!(worker.seen().failed.len(), 1, "{:?}", worker.seen().failed);
    assert_eq!(worker.seen().state(), Some(UserState::Logout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mobile_agent_has_their_phone_again_after_a_switch() {
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(2, 2), Options::default()).await;
    centre.hire(1);
    let worker = &centre.workers[0];
    let mobile = MobileAgent { mode: Some(MobileMode::CallByCall), dial_number: Some("0171".to_owned()) };
    let sign_in = Command::SignIn { agent: "1001".to_owned(), extension: "2001".to_owned(), mobile: Some(mobile) };
    worker.does(sign_in).await;
    worker.until_state(UserState::NotReady).await;
    let has_phone = |seen: &centre::Seen| seen.user.as_ref().is_some_and(|user| user.mobile_agent.is_some());
    worker.until("the phone", has_phone).await;
    centre.fault(0, "cti", true);
    let there = Connection::Live(NodeId(1));
    worker.until("the phone at the other server", |seen| seen.connection == Some(there) && has_phone(seen)).await;
    centre.sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_tried_once() {
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(2, 2), Options::default()).await;
    let (agent, mut told) = centre.client.agent(Login::new("1001", basic("1001", "wrong"))).expect("an agent");
    let first = told.recv().await.expect("something is told");
    let topoc_finesse::client::Told::Change(Change::Connection(Connection::Ended(end))) = first else {
        panic!("{first:?}")
    };
    assert_eq!(end, End::WrongPassword);
    // With the right one all is well: the account was not locked.
    agent.start_again(Some(basic("1001", "secret")), None).await;
    let live = Change::Connection(Connection::Live(NodeId(0)));
    while told.recv().await.expect("more is told") != topoc_finesse::client::Told::Change(live.clone()) {}
    agent.leave().await;
    centre.hire(1);
    centre.until_right(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_a_request_is_not_done_in_time() {
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(2, 1), Options::default()).await;
    centre.fault(0, "tomcat", true);
    centre.hire(1);
    let worker = &centre.workers[0];
    let outcome = worker.agent.ask(worker.sign_in(), None, Duration::from_millis(200)).await;
    assert!(matches!(outcome, Ok(Outcome::NotDone(Why::Trouble(_)))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_met_a_short_outage_is_done_after_it() {
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(2, 1), Options::default()).await;
    centre.hire(1);
    let worker = Arc::clone(&centre.workers[0]);
    worker.does(worker.sign_in()).await;
    worker.until_state(UserState::NotReady).await;
    // Nobody tells of the outage, so that the request alone meets it.
    drop(centre.command("lose-events", &json!({"node": 1, "percent": 100})));
    centre.fault(0, "cti", true);
    let asking = tokio::spawn(async move { worker.ask(worker.change(UserState::Ready, None)).await });
    // The server is asked how it is because the request was refused, long before its turn.
    let mut status = centre.client.status();
    let is_out = |status: &Status| status.judgements == [Judgement::OutOfService];
    drop(timeout(PATIENCE, status.wait_for(is_out)).await.expect("in time").expect("the client is there"));
    centre.fault(0, "cti", false);
    assert_eq!(asking.await.expect("an outcome"), Outcome::Answer(Answer::Accepted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_who_come_all_at_once_open_their_sessions_one_after_the_other() {
    let cluster = Settings { sessions_per_second: 20, ..Settings::default() };
    let options = Options { cluster, ..Options::default() };
    let mut centre = Centre::start(topoc_finesse_sim::Options::new(31, 2), options).await;
    // Also those who come before a server was found.
    let began = Instant::now();
    centre.hire(10);
    centre.until_right(0).await;
    centre.hire(21);
    centre.until_right(0).await;
    // Thirty-one turns, of which the first costs nothing; the second crowd may have come late.
    assert!(began.elapsed() >= Duration::from_millis(9 * 50 + 20 * 50), "{:?}", began.elapsed());
    centre.sound();
}
