//! How much an agent takes, of those whom a connector owns and of those whom another one owns: there are thousands.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::time::Duration;

use topoc_core::connector::{Connector, Event, Limits, Settings};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::dialog::Dialog;
use topoc_finesse_proto::rest::Credentials;
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::{User, UserState};

const AGENTS: usize = 10_000;

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

fn user(agent: &str) -> Box<User> {
    Box::new(User {
        login_id: Some(agent.to_owned()),
        login_name: Some(format!("{agent}@example.test")),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Byron".to_owned()),
        extension: Some(format!("2{agent}")),
        team_name: Some("Sales".to_owned()),
        state: Some(UserState::Ready),
        ..User::default()
    })
}

fn dialog(agent: &str) -> Box<Dialog> {
    Box::new(Dialog {
        own_id: Some(format!("7{agent}")),
        from_address: Some("+4930123".to_owned()),
        to_address: Some(format!("2{agent}")),
        ..Dialog::default()
    })
}

#[test]
fn ten_thousand_agents_take_less_than_8_kb_each_and_those_of_others_less_than_2() {
    let now = Duration::from_secs(1_000_000);
    let settings =
        || Settings { name: "gc".to_owned(), epoch: 1, queue: "requests".to_owned(), limits: Limits::default() };
    let mut kept = Vec::new();
    for (is_ours, most) in [(false, 2 << 10), (true, 8 << 10)] {
        let mut connector = Connector::new(settings(), now);
        let before = resident();
        for number in 0..AGENTS {
            let agent = number.to_string();
            let password = Secret::new(format!("password of {agent}"));
            let credentials = Some(Credentials::Basic { user: agent.clone(), password });
            let client = format!("desk-{agent}").parse().ok();
            if !is_ours {
                connector.handle(now, Event::Released { agent, credentials, client });
                continue;
            }
            connector.handle(now, Event::Adopted { agent: agent.clone(), credentials, client });
            let live = Change::Connection(Connection::Live(NodeId(0)));
            for change in [Change::Agent(user(&agent)), Change::DialogAdded(dialog(&agent)), live] {
                for _ in connector.handle(now, Event::Changed(agent.clone(), change)) {
                    connector.handle(now, Event::Published(Some(agent.clone())));
                }
            }
        }
        let each = resident().saturating_sub(before) / AGENTS;
        assert_eq!(connector.agents(), AGENTS);
        println!("owned by us: {is_ours}: {each} bytes an agent");
        assert!(each > 100, "{each} bytes an agent cannot be measured right");
        assert!(each < most, "{each} bytes an agent");
        // To the end, so that the second one does not take what the first one has left.
        kept.push(connector);
    }
}
