//! A connector whose log nobody reads, as when the journal stands still: it works on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::time::Duration;

use harness::{Client, PASSWORD, Running, broker, centre, folder, plan, port, program, run, text};
use rustix::io::ioctl_fionbio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use topoc_plan::{Admin, encode};

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    // Less and less fits, down to single bytes.
    for size in [4096, 1] {
        while writer.write(&vec![b'.'; size]).is_ok() {}
    }
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

async fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn until_healthy(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_connector_whose_log_nobody_reads_works_on() {
    run(async {
        let (dir, at, admin) = (folder("stuck"), port(), port());
        let (_broker, sim) = (broker(&dir, at), centre(4).await);
        let mut plan = plan(&[at], &sim);
        plan.admin = Some(Admin { address: ([127, 0, 0, 1], admin).into(), token: None });
        let (mut reader, writer) = full_pipe();
        let mut connector = Running::start_to(&program(&dir, &encode(&plan)), &dir, writer);
        until_healthy(admin).await;
        let mut client = Client::connect(at, "DESK").await;
        client.sign_in("1001", "2001").await;
        assert!(get(admin, "/health").await.starts_with("HTTP/1.1 200"));
        assert!(
            get(admin, "/metrics").await.contains("\ntopoc_connector_log_lost_total 0\n"),
            "there was room for all"
        );

        // Read at last, it is all there.
        connector.terminate();
        let said = tokio::task::spawn_blocking(move || {
            let mut said = String::new();
            reader.read_to_string(&mut said).unwrap();
            said
        });
        assert!(connector.wait().await.success());
        let said = said.await.unwrap();
        let mut lines = said.trim_start_matches('.').lines();
        assert!(lines.next().unwrap().contains("the connector starts"), "{said}");
        assert!(lines.next_back().unwrap().contains("the connector has ended"), "{said}");
        assert!(topoc_lab::secrets_in(&said).is_empty(), "{said}");
    });
}

#[test]
fn a_connector_whose_log_never_is_read_ends_all_the_same() {
    run(async {
        let (dir, at) = (folder("unread"), port());
        let (_broker, sim) = (broker(&dir, at), centre(4).await);
        let program = program(&dir, &encode(&plan(&[at], &sim)));
        let (reader, writer) = full_pipe();
        let mut connector = Running::start_to(&program, &dir, writer);
        let mut client = Client::connect(at, "DESK").await;
        client.sign_in("1001", "2001").await;
        connector.terminate();
        assert!(connector.wait().await.success());

        // Nor does it mind a reader that is gone.
        let (gone, writer) = std::io::pipe().unwrap();
        drop((reader, gone));
        let mut connector = Running::start_to(&program, &dir, writer);
        let answer = client.ask("Connect#1002", text(&format!("DESK,{PASSWORD}"))).await;
        assert_eq!(answer["event"], "ConnectStatus", "{answer}");
        connector.terminate();
        assert!(connector.wait().await.success());
    });
}
