//! The connector at its work, between a real broker and a simulated contact centre.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::{Client, Running, broker, centre, empty, folder, plan, port, run, tells_no_secret, text};

#[test]
fn an_agent_logs_in_calls_and_logs_out() {
    run(async {
        let (dir, port) = (folder("day"), port());
        let (_broker, sim) = (broker(&dir, port), centre(4).await);
        let mut connector = Running::start(&dir, &plan(&[port], &sim));
        let mut client = Client::connect(port, "DESKTOP-1").await;
        let answer = client.ask("Hello#DESKTOP-1", empty()).await;
        assert_eq!(answer["event"], "SystemStatus");
        client.sign_in("1001", "2001").await;
        let answer = client.ask("GetState#1001", empty()).await;
        assert_eq!(answer["data"]["state"], "NOT_READY");
        client.does("MakeReady#1001", empty()).await;
        client.until_state("READY").await;
        client.does("MakeNotReady#1001", empty()).await;
        client.until_state("NOT_READY").await;
        client.does("MakeCall#1001", text("0170")).await;
        let call = client.until_call("2001", "ACTIVE").await;
        client.does("ReleaseCall#1001", text(call["id"].as_str().unwrap())).await;
        client.does("Logout#1001", empty()).await;
        client.until_state("LOGOUT").await;
        connector.terminate();
        let status = connector.wait().await;
        assert!(status.success(), "{status}: {}", connector.log());
        tells_no_secret(&dir);
    });
}
