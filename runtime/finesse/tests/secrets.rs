//! Nothing that a whole run says, at the most talkative level, holds a secret. In a program of its own, because whoever listens
//! to what is said listens to all of it.

mod centre;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use centre::{Centre, basic};
use serde_json::json;
use topoc_finesse::client::{Login, Options};
use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::rest::{Command, Credentials};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::user::UserState;
use tracing_subscriber::filter::LevelFilter;

const PASSWORD: &str = "Zx9-unmistakable";
const WRONG: &str = "Qy7-mistaken";
const TONES: &str = "7391904628";
const VARIABLE: &str = "account-of-a-customer";

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that must not be read anywhere, as it is and as it is sent.
fn secrets() -> Vec<String> {
    let mut all = vec![TONES.to_owned(), VARIABLE.to_owned()];
    for password in [PASSWORD, WRONG] {
        all.push(password.to_owned());
        for id in ["1001", "1002", "1003"] {
            all.push(STANDARD.encode(format!("{id}:{password}")));
            all.push(STANDARD.encode(format!("\0{id}\0{password}")));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_said_holds_a_secret() {
    let said = Said::default();
    let writer = said.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let mut options = topoc_finesse_sim::Options::new(3, 2);
    PASSWORD.clone_into(&mut options.config.password);
    let mut centre = Centre::start(options, Options::default()).await;
    centre.hire(1);
    let worker = Arc::clone(&centre.workers[0]);
    worker.does(worker.sign_in()).await;
    worker.until_state(UserState::NotReady).await;
    worker.does(worker.change(UserState::Ready, None)).await;
    worker.until_state(UserState::Ready).await;
    drop(centre.command("call", &json!({"from": "0170", "to": "2001", "variables": {"callVariable1": VARIABLE}})));
    let call = worker.until_call("ALERTING").await;
    worker.does(worker.act(&call, Action::Answer)).await;
    worker.until_call("ACTIVE").await;
    let tones = Secret::new(TONES);
    drop(worker.ask(Command::SendDtmf { dialog: call.clone(), extension: "2001".to_owned(), tones }).await);
    // What cannot be read, and what fails.
    let payload = format!("<Update><data>{VARIABLE}");
    drop(centre.command("inject-event", &json!({"node": 1, "topic": "/finesse/api/User/1001", "payload": payload})));
    drop(worker.ask(worker.act("1", Action::Hold)).await);
    let (agent, mut told) = centre.client.agent(Login::new("1002", basic("1002", WRONG))).expect("an agent");
    let ended = told.recv().await;
    let token = Credentials::Bearer(Secret::new(format!("1003.{PASSWORD}")));
    let login = Login::new("1003", token);
    let shown = format!("{login:?} {agent:?} {ended:?} {:?}", centre.client);
    centre.fault(0, "tomcat", true);
    centre.until_right(1).await;
    worker.does(worker.act(&call, Action::Drop)).await;
    worker.until("the end of the call", |seen| seen.dialogs.is_empty()).await;
    drop(centre.client.agent(login).expect("an agent"));
    worker.agent.ask(worker.sign_in(), None, Duration::from_secs(10)).await.expect("an id");
    agent.leave().await;

    let told = worker.seen().told.join("\n");
    let said = String::from_utf8(said.0.lock().expect("nobody panics with it").clone()).expect("text");
    assert!(said.contains("a Finesse server is used") && said.contains("DEBUG"), "everything is heard: {said}");
    assert!(said.contains("a notification cannot be read"), "also of what cannot be read");
    for secret in secrets() {
        for (what, text) in [("log", &said), ("Debug", &shown), ("what is told", &told)] {
            let line = text.lines().find(|line| line.contains(&secret));
            assert_eq!(line, None, "the {what} holds `{secret}`");
        }
    }
}
