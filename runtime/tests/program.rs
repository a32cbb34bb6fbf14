//! What the program says before it works: of its plan, of settings that are wrong, of what it can reach.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use harness::{MOON, broker, centre, folder, plan, port, program, run};
use topoc_finesse_sim::Simulator;
use topoc_plan::{Admin, Plan, Secret, encode};

/// Runs a program to its end.
fn said(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(program);
    command.args(arguments).env_remove("GC_PASSWORD").envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    for secret in include_str!("../lab/unmistakable-secrets").lines().filter(|line| !line.is_empty()) {
        assert!(!stdout.contains(secret) && !stderr.contains(secret), "{secret}: {stdout}{stderr}");
    }
    (status.code().unwrap(), stdout, stderr)
}

const KNOWN: &[(&str, &str)] = &[("GC_PASSWORD", MOON)];

/// A plan for a broker that is not there and a simulator that is.
async fn unreachable() -> (Simulator, Plan) {
    let sim = centre(1).await;
    let plan = plan(&[port()], &sim);
    (sim, plan)
}

#[test]
fn without_a_whole_plan_nothing_begins() {
    run(async {
        let (_sim, plan) = unreachable().await;
        let dir = folder("plans");
        let whole = encode(&plan);
        let changed = |at: usize, to: u8| {
            let mut bytes = whole.clone();
            bytes[at] = to;
            bytes
        };
        let other_version = changed(8, 99);
        let last = whole.len() - 1;
        let path = program(&dir, &whole);
        let good = fs::read(&path).unwrap();
        let at = good.windows(whole.len()).position(|bytes| bytes == whole).unwrap();
        for (bytes, words) in [
            (&other_version, "error: the plan has version 99 of the format, and only"),
            (&changed(last, b'x'), "error: the plan is damaged: its hash is another"),
        ] {
            let mut file = good.clone();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            fs::write(&path, file).unwrap();
            for verb in ["plan", "check", "run"] {
                let (code, stdout, stderr) = said(&path, &[verb], KNOWN);
                assert_eq!((code, stdout.as_str()), (4, ""), "{stderr}");
                assert!(stderr.starts_with(words) && stderr.contains("\n  help: build the connector anew"), "{stderr}");
            }
        }
        let (code, _, stderr) = said(Path::new(env!("CARGO_BIN_EXE_topoc-connector")), &["run"], &[]);
        assert_eq!((code, stderr.lines().next()), (4, Some("error: there is no plan")));
        let (code, stdout, _) = said(Path::new(env!("CARGO_BIN_EXE_topoc-connector")), &["--licenses"], &[]);
        assert!(code == 0 && stdout.contains("Apache-2.0") && stdout.contains("tokio"), "{stdout}");
        let (code, _, stderr) = said(Path::new(env!("CARGO_BIN_EXE_topoc-connector")), &["fly"], &[]);
        assert!(code == 2 && stderr.contains("unrecognized subcommand"), "{stderr}");
    });
}

#[test]
fn a_program_that_was_cut_short_has_a_whole_plan_or_does_not_work() {
    run(async {
        let (_sim, plan) = unreachable().await;
        let dir = folder("cut");
        let path = program(&dir, &encode(&plan));
        let whole = fs::read(&path).unwrap();
        let (code, told, _) = said(&path, &["plan"], KNOWN);
        assert_eq!(code, 0);
        let slot = whole.windows(14).position(|bytes| bytes == b"topoc: a plan\n").unwrap();
        let mut failed = 0;
        for length in [1, 64, 4096, whole.len() / 8, slot, slot + 64, slot + 4096, whole.len() / 2] {
            // Another file each time: one that runs cannot be written.
            let cut = dir.join(format!("cut-{length}"));
            fs::copy(&path, &cut).unwrap();
            fs::File::options().write(true).open(&cut).unwrap().set_len(u64::try_from(length).unwrap()).unwrap();
            // The system refuses it, or kills it where its memory would be, or all that is missing is for debuggers.
            let ended = Command::new(&cut).arg("plan").output();
            let works = ended.as_ref().is_ok_and(|ended| ended.status.success());
            let shown = ended.map(|ended| String::from_utf8(ended.stdout).unwrap()).unwrap_or_default();
            assert_eq!(shown, if works { told.as_str() } else { "" }, "{length} of {}", whole.len());
            failed += usize::from(!works);
        }
        assert!(failed >= 6, "only {failed} do not work");
    });
}

#[test]
fn all_that_is_wrong_with_settings_is_said_at_once_and_before_any_socket() {
    run(async {
        let (_sim, whole) = unreachable().await;
        let dir = folder("settings");
        let wrong = Plan {
            tls: topoc_plan::Tls { finesse_roots: Some("/nowhere/ca.pem".to_owned()), ..whole.tls.clone() },
            admin: Some(Admin { address: "0.0.0.0:0".parse().unwrap(), token: None }),
            ..whole.clone()
        };
        let (code, stdout, stderr) = said(&program(&dir, &encode(&wrong)), &["run"], &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        for words in [
            "error: the password for the brokers is to be in the environment variable `GC_PASSWORD`, which is not set",
            "  help: set `GC_PASSWORD`",
            "error: the certificate authorities of Finesse servers cannot be read from `/nowhere/ca.pem`",
            "error: others can reach the admin interface at 0.0.0.0:0",
        ] {
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
        let filed = Plan {
            login: topoc_plan::Login {
                password: Some(Secret::File("/nowhere/password".to_owned())),
                ..whole.login.clone()
            },
            ..whole.clone()
        };
        let (code, _, stderr) = said(&program(&dir, &encode(&filed)), &["check"], &[]);
        assert!(code == 2 && stderr.contains("is to be in `/nowhere/password`, which cannot be read"), "{stderr}");
        let (code, _, stderr) =
            said(&program(&dir, &encode(&whole)), &["run"], &[("GC_PASSWORD", MOON), ("TOPOC_LOG", "loud")]);
        assert!(code == 2 && stderr.contains("`loud` is no level of the log"), "{stderr}");
    });
}

#[test]
fn properties_change_the_plan_and_unknown_ones_are_errors() {
    run(async {
        let (_sim, plan) = unreachable().await;
        let dir = folder("properties");
        let (program, file) = (program(&dir, &encode(&plan)), dir.join("gc.properties"));
        let arguments = |verb: &'static str| [verb, "--properties", file.to_str().unwrap()].map(str::to_owned);
        let with = |text: &str| {
            fs::write(&file, text).unwrap();
            let arguments = arguments("plan");
            said(&program, &arguments.each_ref().map(String::as_str), KNOWN)
        };
        let (code, stdout, _) = with("# ours\nGRC_CONSUMER_PRIORITY = 100\nSERVER_ADDRESS_1=finesse.example.test\n");
        assert_eq!(code, 0);
        let shown: Plan = serde_json::from_str(&stdout).unwrap();
        assert_eq!((shown.requests.priority, shown.finesse[0].host.as_str()), (100, "finesse.example.test"));
        let (code, _, stderr) = with("GRC-CONSUMER-PRIORITY=100\nLOG_LEVEL=3\n");
        assert_eq!(code, 2);
        assert!(stderr.contains("help: write `GRC_CONSUMER_PRIORITY`") && stderr.contains("`LOG_LEVEL`"), "{stderr}");
        let (code, _, stderr) = with("GRC_CONSUMER_PRIORITY=200\n");
        assert!(code == 2 && stderr.contains("takes a number from 0 to 127"), "{stderr}");
        fs::remove_file(&file).unwrap();
        let missing = arguments("run");
        let (code, _, stderr) = said(&program, &missing.each_ref().map(String::as_str), KNOWN);
        assert!(code == 2 && stderr.contains("gc.properties` cannot be read"), "{stderr}");
    });
}

#[test]
fn check_tries_every_place_and_says_what_is_wrong() {
    run(async {
        let (dir, port) = (folder("check"), port());
        let (_broker, sim) = (broker(&dir, port), centre(1).await);
        let nobody = harness::port();
        let whole = plan(&[port], &sim);
        let checked = |plan: &Plan, variables: &'static [(&'static str, &'static str)]| {
            let program = program(&dir, &encode(plan));
            let checking = tokio::task::spawn_blocking(move || said(&program, &["check"], variables));
            async { checking.await.unwrap() }
        };
        let (code, stdout, stderr) = checked(&whole, KNOWN).await;
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        let well =
            format!("ok    broker tcp://127.0.0.1:{port}: ActiveMQ `amq-1`, the queue `GC.REQUESTS` can be read");
        assert_eq!(stdout.lines().next(), Some(well.as_str()));
        assert_eq!(stdout.lines().filter(|line| line.starts_with("ok    finesse")).count(), 2, "{stdout}");
        assert_eq!(stdout.lines().filter(|line| line.starts_with("ok    notifications")).count(), 2, "{stdout}");

        let mut wrong = plan(&[port, nobody], &sim);
        wrong.finesse[0].host = "finesse.invalid".to_owned();
        wrong.finesse[1].notifications_port = nobody;
        wrong.tls.finesse_roots = None;
        let (code, stdout, _) = checked(&wrong, &[("GC_PASSWORD", "Qy7-mistaken")]).await;
        assert_eq!(code, 1);
        let lines: Vec<&str> = stdout.lines().filter(|line| !line.starts_with("      help: ")).collect();
        assert_eq!(lines.len(), 6, "{stdout}");
        assert!(lines.iter().all(|line| line.starts_with("wrong ")), "{stdout}");
        assert_eq!(stdout.lines().filter(|line| line.starts_with("      help: ")).count(), 6, "{stdout}");
        for (line, words) in lines.iter().zip([
            "User name [gc] or password is invalid",
            "no connection: Connection refused",
            "the name `finesse.invalid` cannot be resolved",
            "the name `finesse.invalid` cannot be resolved",
            "certificate",
            "no connection: Connection refused",
        ]) {
            assert!(line.contains(words), "{words}: {line}");
        }
    });
}

#[test]
fn a_broker_that_does_not_know_the_connector_ends_it() {
    run(async {
        let (dir, port) = (folder("stranger"), port());
        let (_broker, sim) = (broker(&dir, port), centre(1).await);
        let program = program(&dir, &encode(&plan(&[port], &sim)));
        let running = tokio::task::spawn_blocking(move || said(&program, &["run"], &[("GC_PASSWORD", "Qy7-mistaken")]));
        let (code, _, stderr) = running.await.unwrap();
        assert!(code == 1 && stderr.contains("User name [gc] or password is invalid"), "{stderr}");
    });
}
