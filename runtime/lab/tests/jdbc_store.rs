//! A pair on one database: the slave takes over, and has the messages that the master had.

use topoc_lab::{Database, Java, PATIENCE};
use topoc_stage::{Loopback, Room, Topology};

fn topology(url: &str) -> Topology {
    let member = |name: &str| {
        format!(
            "broker {name} {{
  host = \"{name}\"
  listen openwire {{ port = 61616 }}
  store jdbc {{
    url = \"{url}\"
    user = \"topoc\"
    password = secret(\"env:DATABASE_PASSWORD\")
    lock-keep-alive-period = 1s
    lock-acquire-sleep-interval = 2s
  }}
}}
"
        )
    };
    let members = member("a") + &member("b");
    Topology::of(format!(
        "topology on-a-database {{ activemq = \"6.2\" }}\nsite s {{\n{members}pair p {{ master = a; slave = b }}\n}}\n"
    ))
}

#[test]
fn a_pair_on_a_database_takes_over_with_its_messages() {
    let _room = Room::take(2);
    for release in ["5.15.16", "6.3.1"] {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::start(dir.path()).unwrap();
        database.wait_started(PATIENCE).unwrap();
        let loopback = Loopback::of(&topology(&database.url("pair")), release);
        let master = loopback.start("a");
        master.wait_started(PATIENCE).unwrap();
        let slave = loopback.start("b");
        slave.wait_log("attempting to acquire exclusive lease", PATIENCE).unwrap();
        let java = Java::start(loopback.dir()).unwrap();
        java.send(&loopback.address("a"), "GC.REQUESTS", &["kept"], PATIENCE).unwrap();

        master.kill();
        slave.wait_started(PATIENCE).unwrap();
        let receiver = java.receiver(&loopback.address("b"), "GC.REQUESTS").unwrap();
        let messages = receiver.wait_messages(1, PATIENCE).unwrap();
        assert_eq!(messages[0].text.as_deref(), Some("kept"), "on {release}");
    }
}
