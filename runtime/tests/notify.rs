//! What the service manager is told, at a socket of its own.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use topoc_connector::notify::{Heartbeat, Notifier, NotifyError};

const PROCESS: u32 = 4711;

fn notifier(variables: &[(&str, &str)]) -> Result<Notifier, NotifyError> {
    let variables: Vec<(String, OsString)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    let of = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    Notifier::of(of, PROCESS)
}

/// A service manager that listens in a folder.
struct Manager {
    socket: UnixDatagram,
    path: String,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self { socket, path: path.to_str().unwrap().to_owned(), _folder: folder }
    }

    /// What was told since it was asked last.
    fn heard(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let mut all = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut bytes) {
            all.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
        }
        all
    }
}

#[test]
fn the_manager_hears_of_begin_state_and_end() {
    let manager = Manager::new();
    let notifier = notifier(&[("NOTIFY_SOCKET", &manager.path)]).unwrap();
    notifier.ready();
    notifier.status("ready; 500 agents\nREADY=0");
    notifier.stopping(Duration::from_secs(30));
    let heard = manager.heard();
    assert_eq!(
        heard,
        ["READY=1", "STATUS=ready; 500 agents READY=0", "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000"],
        "a status cannot tell anything else"
    );
    notifier.status(&"é".repeat(5000));
    let heard = manager.heard();
    assert!(heard.len() == 1 && heard[0].len() <= 507 && heard[0].len() > 500, "{heard:?}");
}

#[test]
fn a_name_of_linux_that_is_no_file_is_found_too() {
    let name = format!("topoc-test-{}-{:?}", std::process::id(), std::thread::current().id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    notifier(&[("NOTIFY_SOCKET", &format!("@{name}"))]).unwrap().ready();
    let mut bytes = [0; 64];
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let length = socket.recv(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"READY=1");
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_come_while_the_loop_turns_and_no_longer() {
    let manager = Manager::new();
    let notifier = notifier(&[("NOTIFY_SOCKET", &manager.path), ("WATCHDOG_USEC", "20000000")]).unwrap();
    assert_eq!(notifier.watchdog(), Some(Duration::from_secs(20)));
    let heartbeat = Heartbeat::new();
    let signs = |told: Vec<String>| {
        assert!(told.iter().all(|one| one == "WATCHDOG=1"), "{told:?}");
        told.len()
    };
    let turning = async {
        for _ in 0..60 {
            heartbeat.beat();
            tokio::time::sleep(Heartbeat::EVERY).await;
        }
    };
    let watching = notifier.watch(&heartbeat);
    tokio::pin!(watching);
    tokio::select! {
        () = &mut watching => panic!("it never ends"),
        () = turning => {}
    }
    assert!((6..=7).contains(&signs(manager.heard())), "twice in 20 s for a minute, from the begin on");
    assert!(!heartbeat.is_still());

    let waiting = |time| tokio::time::sleep(Duration::from_secs(time));
    tokio::select! { () = &mut watching => {}, () = waiting(11) => {} }
    manager.heard();
    tokio::select! { () = &mut watching => {}, () = waiting(600) => {} }
    assert_eq!(signs(manager.heard()), 0, "the loop stands still, though timers run");
    assert!(heartbeat.is_still() && heartbeat.age() > Duration::from_secs(600));

    heartbeat.beat();
    tokio::select! { () = &mut watching => {}, () = waiting(9) => {} }
    tokio::select! { () = &mut watching => {}, () = async { heartbeat.beat(); waiting(2).await } => {} }
    assert_eq!(signs(manager.heard()), 1, "it turns again");
}

#[tokio::test(start_paused = true)]
async fn a_short_watchdog_is_fed_by_a_loop_that_beats_as_seldom_as_it_may() {
    let manager = Manager::new();
    let notifier = notifier(&[("NOTIFY_SOCKET", &manager.path), ("WATCHDOG_USEC", "1000000")]).unwrap();
    let heartbeat = Heartbeat::new();
    let turning = async {
        for _ in 0..4 {
            heartbeat.beat();
            tokio::time::sleep(Heartbeat::EVERY).await;
        }
    };
    tokio::select! { () = notifier.watch(&heartbeat) => {}, () = turning => {} }
    assert!((8..=9).contains(&manager.heard().len()), "every half second of four");
}

#[test]
fn a_manager_that_does_not_read_holds_nobody_up() {
    let manager = Manager::new();
    let notifier = notifier(&[("NOTIFY_SOCKET", &manager.path)]).unwrap();
    (0..10_000).for_each(|_| notifier.status("busy"));
    assert!(manager.heard().len() < 10_000, "the socket was full");
    drop(manager);
    notifier.ready();
}

#[test]
fn without_a_manager_nobody_is_told() {
    let notifier = notifier(&[]).unwrap();
    notifier.ready();
    assert_eq!(notifier.watchdog(), None);
}

#[test]
fn a_watchdog_of_another_process_is_none() {
    let of = |process: &str| notifier(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", process)]).unwrap().watchdog();
    assert_eq!((of("4711"), of("4712")), (Some(Duration::from_secs(1)), None));
    assert_eq!(notifier(&[("WATCHDOG_USEC", "0")]).unwrap().watchdog(), None, "zero is none");
}

#[test]
fn what_the_environment_cannot_mean_is_said_before_anything_else() {
    let missing = Path::new("/nowhere/at/all");
    let said = |variables: &[(&str, &str)]| notifier(variables).unwrap_err().to_string();
    assert!(said(&[("NOTIFY_SOCKET", "relative")]).contains("must begin with `/` or `@`"));
    assert!(said(&[("NOTIFY_SOCKET", "")]).contains("must begin with `/` or `@`"));
    assert!(said(&[("NOTIFY_SOCKET", missing.to_str().unwrap())]).starts_with("nobody listens at `/nowhere/at/all`"));
    assert!(said(&[("WATCHDOG_USEC", "soon")]).contains("`soon`, which is no number"));
    assert!(said(&[("WATCHDOG_USEC", "1"), ("WATCHDOG_PID", "-1")]).contains("`WATCHDOG_PID` is `-1`"));
}
