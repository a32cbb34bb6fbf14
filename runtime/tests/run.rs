//! The connector at its work, between a real broker and a simulated contact centre.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "how long something took is of interest, and no condition")]

mod harness;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use harness::{
    Client, MOON, PASSWORD, REQUESTS, Running, broker, centre, empty, folder, plan, port, run, slow, tells_no_secret,
    text,
};
use serde_json::{Value, json};
use topoc_finesse_sim::Simulator;
use topoc_lab::{Body, Broker, Draft, Java, PATIENCE};
use topoc_openwire::{Destination, Outgoing};

/// A broker, a contact centre of four agents, and a connector between them.
struct Centre {
    dir: PathBuf,
    port: u16,
    broker: Broker,
    sim: Simulator,
    connector: Running,
}

impl Centre {
    async fn start(name: &str) -> Self {
        let (dir, port) = (folder(name), port());
        let (broker, sim) = (broker(&dir, port), centre(4).await);
        let connector = Running::start(&dir, &plan(&[port], &sim));
        Self { dir, port, broker, sim, connector }
    }

    async fn client(&self, name: &str) -> Client {
        Client::connect(self.port, name).await
    }

    fn command(&self, name: &str, fields: &Value) -> Value {
        self.sim.command(name, fields.as_object().unwrap()).unwrap()
    }

    /// Waits until the connector has taken so many requests.
    async fn until_taken(&self, count: usize) {
        let taken = async {
            while self.connector.log().matches("a request is taken").count() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.unwrap();
    }

    /// Ends the connector as its service manager does.
    async fn end(mut self) {
        self.connector.terminate();
        let status = self.connector.wait().await;
        assert!(status.success(), "{status}: {}", self.connector.log());
        tells_no_secret(&self.dir);
    }
}

fn json_body(body: &Value) -> Outgoing {
    text(&body.to_string())
}

fn id(call: &Value) -> String {
    call["id"].as_str().unwrap().to_owned()
}

/// Whether the first agent is ready at Finesse.
fn is_ready(sim: &Simulator) -> bool {
    let state = sim.state();
    let agents = state["agents"].as_array().unwrap();
    agents.iter().any(|agent| agent["agent"] == "1001" && agent["state"] == "READY")
}

/// The id of the first reason that may be given.
fn reason(answer: &Value) -> i64 {
    answer["data"]["reasons"][0]["id"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn an_agents_day_by_commands_with_commas() {
    run(async {
        let centre = Centre::start("commas").await;
        let mut client = centre.client("DESKTOP-1").await;
        let mut other = centre.client("DESKTOP-2").await;
        assert_eq!(client.ask("Hello#DESKTOP-1", empty()).await["event"], "SystemStatus");
        assert_eq!(client.ask("Beat#DESKTOP-1", empty()).await["event"], "SystemStatus");
        client.sign_in("1001", "2001").await;
        other.sign_in("1002", "2002").await;
        assert_eq!(client.ask("GetState#1001", empty()).await["data"]["state"], "NOT_READY");
        assert_eq!(client.ask("GetDialogState#1001", empty()).await["event"], "DialogState");
        for reasons in ["ReasonCodeLogout#1001", "WrapUpReasonCode#1001"] {
            assert_eq!(client.ask(reasons, empty()).await["event"], "ReasonCodes", "{reasons}");
        }
        let reason = reason(&client.ask("ReasonCodeNotReady#1001", empty()).await);
        client.does("MakeReady#1001", empty()).await;
        client.until_state("READY").await;
        other.does("MakeReady# 1002 ", empty()).await;
        other.until_state("READY").await;

        // A call from outside, held, and passed on after a word with a colleague.
        drop(centre.command("call", &json!({"from": "0170", "to": "2001"})));
        let call = id(&client.until_call("2001", "ALERTING").await);
        client.does("answercall#1001", text(&call)).await;
        client.until_call("2001", "ACTIVE").await;
        client.does("HoldCall#1001", text(&call)).await;
        client.until_call("2001", "HELD").await;
        client.does("RetrieveCall#1001", text(&call)).await;
        client.until_call("2001", "ACTIVE").await;
        client.does("ConsultCall#1001", text(&format!("2002,{call}"))).await;
        let consult = id(&other.until_call("2002", "ALERTING").await);
        other.does("AnswerCall#1002", text(&consult)).await;
        other.until_call("2002", "ACTIVE").await;
        let may = |action: &'static str| {
            move |event: &Value| {
                let parties = event["data"]["dialog"]["participants"].as_array();
                parties.is_some_and(|parties| {
                    parties.iter().any(|one| {
                        one["address"] == "2001" && one["actions"].as_array().unwrap().contains(&json!(action))
                    })
                })
            }
        };
        let held = client.until("a call that may be joined", may("CONFERENCE")).await["data"]["dialog"].clone();
        client.does("ConferenceCall#1001", text(&format!("2002,{}", id(&held)))).await;
        let three = |event: &Value| {
            event["data"]["dialog"]["participants"].as_array().is_some_and(|parties| parties.len() == 3)
        };
        let call = id(&client.until("three", three).await["data"]["dialog"]);
        client.does("WrapUpCall#1001", text(&format!("Complaint,{call}"))).await;
        client.does("ReleaseCall#1001", text(&call)).await;
        client.does("MakeNotReadyWithReason#1001", text(&reason.to_string())).await;
        client.until_state("NOT_READY").await;
        client.does("Logout#1001", empty()).await;
        client.until_state("LOGOUT").await;
        let answer = client.ask("Disconnect#1001", empty()).await;
        assert_eq!((&answer["event"], &answer["data"]["status"]), (&json!("ConnectStatus"), &json!("ENDED")));
        assert_eq!(client.ask("GetState#1001", empty()).await["data"]["state"], "LOGOUT");
        centre.end().await;
    });
}

#[test]
fn an_agents_day_by_commands_in_json() {
    run(async {
        let centre = Centre::start("json").await;
        let mut client = centre.client("DESKTOP-1").await;
        let mut other = centre.client("DESKTOP-2").await;
        let connect = json_body(&json!({"client_destination": "DESKTOP-1", "password": PASSWORD}));
        assert_eq!(client.ask("Connect#1001", connect).await["event"], "ConnectStatus");
        client.until("a session", |event| event["data"]["status"] == "CONNECTED").await;
        let enclosed =
            json_body(&json!({"data": {"type": "Login#1001", "body": {"password": PASSWORD, "extension": "2001"}}}));
        let plain = Outgoing::bytes(json!({"password": PASSWORD, "extension": "2001"}).to_string());
        drop(client.ask("Login#1001", enclosed).await);
        client.until_state("NOT_READY").await;
        // A second time does nothing, and bytes are as good as a text.
        client.does("Login#1001", plain).await;
        other.sign_in("1002", "2002").await;
        client.does("MakeReady#1001", json_body(&json!({}))).await;
        client.until_state("READY").await;
        other.does("MakeReady#1002", json_body(&json!({}))).await;
        other.until_state("READY").await;
        client.does("MakeCall#1001", json_body(&json!({"number": "2002"}))).await;
        let call = id(&other.until_call("2002", "ALERTING").await);
        other.does("AnswerCall#1002", json_body(&json!({"dialog_id": call}))).await;
        client.until_call("2001", "ACTIVE").await;
        client.does("HoldCall#1001", json_body(&json!({"dialog_id": call}))).await;
        client.until_call("2001", "HELD").await;
        client.does("RetrieveCall#1001", json_body(&json!({"dialog_id": call}))).await;
        client.until_call("2001", "ACTIVE").await;
        client.does("ReleaseCall#1001", json_body(&json!({"dialog_id": call}))).await;
        client.does("MakeNotReady#1001", json_body(&json!({}))).await;
        client.until_state("NOT_READY").await;
        let reason = reason(&client.ask("ReasonCodeLogout#1001", empty()).await);
        client.does("LogoutWithReason#1001", json_body(&json!({"reason": reason}))).await;
        client.until_state("LOGOUT").await;
        let mobile = json!({"password": PASSWORD, "extension": "2001", "phone": "0170", "mode": true});
        client.does("MobileAgentLogin#1001", json_body(&mobile)).await;
        client.until_state("NOT_READY").await;
        centre.end().await;
    });
}

#[test]
fn what_is_wrong_is_answered_and_does_no_harm() {
    run(async {
        let centre = Centre::start("wrong").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.fails("Fly#1001", empty(), "UNKNOWN_COMMAND").await;
        client.fails("Connect#1001", text("DESKTOP-1"), "MISSING_PASSWORD").await;
        client.fails("Connect#1001", text("DESKTOP-1,Qy7-mistaken"), "WRONG_PASSWORD").await;
        client.fails("MakeReady#1001", empty(), "NOT_CONNECTED").await;
        client.fails("Connect#1001", text("{\"password\": \"moonshine\""), "INVALID_JSON").await;
        client.fails("Connect#1001", text(&"x".repeat(1 << 20)), "TOO_LONG").await;
        client.fails("Connect#1001", Outgoing::bytes(vec![0xff, 0xfe, 0x00]), "NOT_TEXT").await;
        let mut map = topoc_openwire::Map::default();
        map.insert("password", "moonshine");
        client.fails("Connect#1001", Outgoing::map(map), "NOT_TEXT").await;
        client.sign_in("1001", "2001").await;
        client.fails("HoldCall#1001", text("16777217"), "UNKNOWN_DIALOG").await;
        // Nobody can be answered: it goes to the dead letters, and nothing stands still.
        client.send_bare(text("anything").message_type("Fly#nobody")).await;
        let letters = client.session.consumer(&Destination::queue("ActiveMQ.DLQ")).open().await;
        let letter = letters.unwrap().receive_within(PATIENCE).await.unwrap().expect("a dead letter");
        assert_eq!(letter.message_type(), Some("Fly#nobody"));
        // Who names no place for the answer gets it where their events go.
        client.send_bare(empty().message_type("GetState#1001").correlation_id("home")).await;
        let at_home = client.until("the answer", |event| event["correlation"] == "home").await;
        assert_eq!(at_home["data"]["state"], "NOT_READY");
        assert_eq!(client.ask("GetState#1001", empty()).await["event"], "AgentState");
        centre.end().await;
    });
}

#[test]
fn fields_that_are_not_those_of_the_command_are_said_without_their_values() {
    run(async {
        let centre = Centre::start("fields").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        for (kind, body, code) in [
            ("Login#1001", "moonshine", "MISSING_EXTENSION"),
            ("Login#1001", "moonshine,2001,moonshine", "TOO_MANY_FIELDS"),
            ("Login#1001", "moonshine,moon shine", "INVALID_EXTENSION"),
            ("Login#1001", "{\"passwort\": \"moonshine\", \"extension\": \"2001\"}", "UNKNOWN_FIELD"),
            (
                "Login#1001",
                "{\"password\": \"a\", \"password\": \"moonshine\", \"extension\": \"2001\"}",
                "REPEATED_FIELD",
            ),
            ("Login#1001", "{\"password\": [\"moonshine\"], \"extension\": \"2001\"}", "INVALID_PASSWORD"),
            ("Login#1001", "{\"data\": {\"type\": \"Logout#1001\", \"body\": \"moonshine\"}}", "TWO_COMMANDS"),
            ("Login#1001", "{\"data\": \"moonshine\"}", "INVALID_DATA"),
            ("Login#", "moonshine,2001", "MISSING_AGENT"),
            ("Login#10/01", "moonshine,2001", "INVALID_AGENT"),
            ("Connect#1001", "GC.>,moonshine", "INVALID_CLIENT_DESTINATION"),
            ("Connect#1001", "queue://GC.REQUESTS,moonshine", "INVALID_CLIENT_DESTINATION"),
            ("LogoutWithReason#1001", "moonshine", "INVALID_REASON"),
            ("MakeReady#1001", "moonshine", "TOO_MANY_FIELDS"),
        ] {
            let answer = client.ask(kind, text(body)).await;
            assert_eq!(
                (&answer["event"], &answer["data"]["code"]),
                (&json!("Error"), &json!(code)),
                "{kind} {body}: {answer}"
            );
            assert!(!answer.to_string().contains("moonshine"), "{answer}");
        }
        assert_eq!(client.ask("GetState#1001", empty()).await["data"]["state"], "NOT_READY");
        centre.end().await;
    });
}

#[test]
fn a_request_whose_time_ends_behind_another_one_is_answered_and_not_done() {
    run(async {
        let centre = Centre::start("behind").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        slow(&centre.sim, 3000);
        // Requests of one agent go one after the other, and the second one has less time than the first one takes.
        let first = client.send("MakeNotReady#1001", empty()).await;
        let second = client.send("GetState#1001", empty()).await;
        let third = client.send("MakeReady#1001", empty().time_to_live(Duration::from_millis(1500))).await;
        let mut answers = Vec::new();
        for _ in 0..3 {
            let answer = client.reply().await;
            let said = if answer["event"] == "Error" { &answer["data"]["code"] } else { &answer["event"] };
            answers.push((answer["correlation"].as_str().unwrap().to_owned(), said.as_str().unwrap().to_owned()));
        }
        answers.sort();
        let said = [(first, "Outcome"), (second, "AgentState"), (third, "EXPIRED")];
        assert_eq!(answers, said.map(|(id, said)| (id, said.to_owned())));
        slow(&centre.sim, 0);
        assert!(!is_ready(&centre.sim));
        centre.end().await;
    });
}

#[test]
fn an_expired_request_is_not_done() {
    run(async {
        let mut centre = Centre::start("expired").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        // While there is no connector, time passes; the broker itself drops what has expired then.
        centre.connector.terminate();
        assert!(centre.connector.wait().await.success());
        drop(client.send("MakeReady#1001", empty().time_to_live(Duration::from_millis(1))).await);
        let letters = client.session.consumer(&Destination::queue("ActiveMQ.DLQ")).open().await.unwrap();
        centre.connector = Running::start_program(&centre.dir.join("gc-1"), &centre.dir);
        client.sign_in("1001", "2001").await;
        drop(letters);
        assert_eq!(client.ask("GetState#1001", empty()).await["data"]["state"], "NOT_READY");
        centre.end().await;
    });
}

#[test]
fn a_broker_that_comes_back_finds_the_connector_and_nothing_is_lost() {
    run(async {
        let mut centre = Centre::start("restart").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        centre.broker.kill();
        // What happens meanwhile is told later.
        drop(centre.command("call", &json!({"from": "0170", "to": "2001"})));
        centre.broker = broker(&centre.dir, centre.port);
        let call = id(&client.until_call("2001", "ALERTING").await);
        client.does("AnswerCall#1001", text(&call)).await;
        client.until_call("2001", "ACTIVE").await;
        let numbers: Vec<u64> = client.seen().iter().filter_map(|event| event["sequence"].as_u64()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        centre.end().await;
    });
}

#[test]
fn agents_go_to_the_other_finesse_server_and_work_there() {
    run(async {
        let centre = Centre::start("finesse").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        drop(centre.command("break", &json!({"node": 1, "service": "tomcat"})));
        drop(centre.command("break", &json!({"node": 1, "service": "notification"})));
        client.until("an interruption", |event| event["data"]["status"] == "INTERRUPTED").await;
        client.until("a session", |event| event["data"]["status"] == "CONNECTED").await;
        client.does("MakeReady#1001", empty()).await;
        client.until_state("READY").await;
        centre.end().await;
    });
}

#[test]
fn what_is_too_much_waits_at_the_broker_and_is_answered_when_finesse_answers_again() {
    run(async {
        let (dir, port) = (folder("flow"), port());
        let (_broker, sim) = (broker(&dir, port), centre(4).await);
        let mut plan = plan(&[port], &sim);
        // Small, so that a few requests are too many.
        plan.limits.requests = Some(8);
        plan.requests.prefetch = Some(10);
        plan.admin = Some(topoc_plan::Admin { address: "127.0.0.1:0".parse().unwrap(), token: None });
        let mut connector = Running::start(&dir, &plan);
        let mut client = Client::connect(port, "DESKTOP-1").await;
        for agent in ["1001", "1002", "1003", "1004"] {
            client.sign_in(agent, &agent.replacen('1', "2", 1)).await;
        }
        slow(&sim, 500);
        let mut sent = Vec::new();
        for at in 0..60 {
            sent.push(client.send(&format!("GetState#100{}", at % 4 + 1), empty()).await);
        }
        slow(&sim, 0);
        let mut answered = Vec::new();
        for _ in &sent {
            let answer = client.reply().await;
            assert_eq!(answer["event"], "AgentState", "nobody is turned away: {answer}");
            answered.push(answer["correlation"].as_str().unwrap().to_owned());
        }
        answered.sort();
        sent.sort();
        assert_eq!(answered, sent, "each once");
        assert!(connector.log().contains("the connector takes no requests for now"), "{}", connector.log());
        connector.terminate();
        assert!(connector.wait().await.success());
    });
}

#[test]
fn a_broker_that_is_killed_is_left_for_the_other() {
    run(async {
        let ports = [port(), port()];
        let (dir, other) = (folder("two"), folder("two-other"));
        let (first, _second, sim) = (broker(&dir, ports[0]), broker(&other, ports[1]), centre(1).await);
        let mut connector = Running::start(&dir, &plan(&ports, &sim));
        let uri = format!(
            "failover:(tcp://127.0.0.1:{},tcp://127.0.0.1:{})?randomize=false&maxReconnectDelay=200",
            ports[0], ports[1]
        );
        let mut client = Client::dial(&uri, "DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        let killed = std::time::Instant::now();
        first.kill();
        client.does("MakeReady#1001", empty()).await;
        println!("the first answer after {:?}", killed.elapsed());
        client.until_state("READY").await;
        connector.terminate();
        assert!(connector.wait().await.success(), "{}", connector.log());
        tells_no_secret(&dir);
    });
}

#[test]
fn what_is_in_hand_is_finished_before_the_end() {
    run(async {
        let mut centre = Centre::start("drain").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        // Finesse takes its time.
        drop(centre.command("slow", &json!({"node": 1, "ms": 1500})));
        let correlation = client.send("MakeReady#1001", empty()).await;
        centre.until_taken(3).await;
        centre.connector.terminate();
        let answer = client.reply().await;
        assert_eq!((&answer["correlation"], &answer["event"]), (&json!(correlation), &json!("Outcome")), "{answer}");
        assert!(centre.connector.wait().await.success());
        tells_no_secret(&centre.dir);
    });
}

#[test]
fn a_connector_that_is_killed_did_nothing_twice_and_answers_after_its_return() {
    run(async {
        let mut centre = Centre::start("killed").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        centre.connector.kill();
        let correlation = client.send("GetState#1001", empty()).await;
        centre.connector = Running::start_program(&centre.dir.join("gc-1"), &centre.dir);
        let answer = client.reply().await;
        assert_eq!((&answer["correlation"], &answer["data"]["code"]), (&json!(correlation), &json!("NOT_CONNECTED")));
        client.sign_in("1001", "2001").await;
        centre.end().await;
    });
}

#[test]
fn what_a_killed_connector_may_have_done_is_told_by_what_finesse_shows_and_not_done_again() {
    run(async {
        let mut centre = Centre::start("doubt").await;
        let mut client = centre.client("DESKTOP-1").await;
        client.sign_in("1001", "2001").await;
        slow(&centre.sim, 3000);
        let correlation = client.send("MakeReady#1001", empty()).await;
        centre.until_taken(3).await;
        centre.connector.kill();
        centre.connector = Running::start_program(&centre.dir.join("gc-1"), &centre.dir);
        client.send_bare(text(&format!("DESKTOP-1,{PASSWORD}")).message_type("Connect#1001")).await;
        let answer = client.reply().await;
        assert_eq!((&answer["correlation"], &answer["event"]), (&json!(correlation), &json!("Outcome")), "{answer}");
        // It is said to be done where Finesse shows it, and never asked for again.
        if answer["data"]["outcome"] == "accepted" {
            assert!(is_ready(&centre.sim), "{answer}");
        } else {
            assert_eq!(answer["data"]["outcome"], "outcome-unknown", "{answer}");
        }
        slow(&centre.sim, 0);
        centre.end().await;
    });
}

/// The answer to a request of the Java client, in the enclosed form.
fn asked_by_java(java: &Java, uri: &str, kind: &str, body: &str) -> Value {
    let enclosed = json!({"data": {"type": kind, "body": body, "sessionUrl": "https://desktop"}}).to_string();
    // Without a name for the queue of answers it is a temporary one.
    let answers = java.request(uri, REQUESTS, None, &[&enclosed], PATIENCE).unwrap();
    let answer = answers[0].as_ref().expect("an answer");
    let Body::Text(Some(text)) = &answer.body else { panic!("{answer:?}") };
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_java_client_logs_an_agent_in_and_calls() {
    run(async {
        let centre = Centre::start("java").await;
        let mut watcher = centre.client("DESKTOP-1").await;
        let uri = format!("tcp://127.0.0.1:{}?jms.userName=gc&jms.password={MOON}", centre.port);
        let java = Arc::new(Java::start(&centre.dir).unwrap());
        let ask = async |kind: &'static str, body: String| {
            let (java, uri) = (Arc::clone(&java), uri.clone());
            tokio::task::spawn_blocking(move || asked_by_java(&java, &uri, kind, &body)).await.unwrap()
        };
        let connected = ask("Connect#1001", format!("DESKTOP-1,{PASSWORD}")).await;
        assert_eq!(connected["event"], "ConnectStatus", "{connected}");
        let logged_in = ask("Login#1001", format!("{PASSWORD},2001")).await;
        assert_eq!(logged_in["data"]["outcome"], "accepted", "{logged_in}");
        // Accepted is not done: an agent who has no phone yet cannot call.
        watcher.until_state("NOT_READY").await;
        let called = ask("MakeCall#1001", "0170".to_owned()).await;
        assert_eq!(called["data"]["outcome"], "accepted", "{called}");
        watcher.until_call("2001", "ACTIVE").await;
        // The other form, with a type and without a place for the answer.
        let posting = Arc::clone(&java);
        let post = move || {
            let draft = Draft { kind: Some("GetState#1001".to_owned()), ..Draft::text("") };
            posting.post(&uri, REQUESTS, &[draft], PATIENCE).unwrap()
        };
        drop(tokio::task::spawn_blocking(post).await.unwrap());
        let is_answer = |event: &Value| event["correlation"].is_string();
        if !watcher.seen().iter().any(is_answer) {
            watcher.until("the answer", is_answer).await;
        }
        centre.end().await;
    });
}
