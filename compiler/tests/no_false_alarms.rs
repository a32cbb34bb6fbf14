//! Correct topologies of every shape have no finding at error or warning level. `TOPOC_LONG=1` for more of them.
#![expect(clippy::disallowed_methods, reason = "the environment says how many")]

use std::collections::HashMap;
use std::fmt::Write;
use topoc_compiler::analyze;
use topoc_compiler::diagnostic::Severity;

/// xorshift64*: the same topologies on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).expect("31 bits fit") % limit
    }

    fn often(&mut self) -> bool {
        self.below(3) > 0
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// What holds for a whole topology: whoever asks for credentials asks everywhere.
struct Manner {
    /// Users at every broker, and credentials for everyone who connects.
    users: bool,
    /// TLS only.
    tls: bool,
    /// Brokers push their lists.
    dynamic: bool,
}

const RELEASES: &[&str] = &["5.19", "5.19.10", "6.2", "6.2.9", "6.3", "6.3.1"];

struct Writer {
    text: String,
    chance: Chance,
    manner: Manner,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed * 0x9e37_79b9 + 12_345);
        for _ in 0..8 {
            chance.below(2);
        }
        let manner = Manner { users: chance.often(), tls: chance.below(3) == 0, dynamic: chance.below(4) == 0 };
        let release = chance.one(RELEASES);
        let text = format!("topology t {{\n  activemq = \"{release}\"\n  finesse = \"12.6\"\n}}\n");
        Self { text, chance, manner }
    }

    fn add(&mut self, text: impl AsRef<str>) {
        self.text += text.as_ref();
        self.text.push('\n');
    }

    fn broker(&mut self, name: &str, store: &str) {
        let scheme = if self.manner.tls { "ssl" } else { "openwire" };
        let limit = if self.chance.often() { "; maximum-connections = 500" } else { "" };
        let push = if self.manner.dynamic {
            "; update-cluster-clients = true; update-cluster-clients-on-remove = true; published-host-strategy = \"HOSTNAME\""
        } else {
            ""
        };
        let port = if self.manner.tls { 61617 } else { 61616 };
        self.add(format!("  broker {name} {{\n    host = \"{name}.example.com\"\n    listen {scheme} {{ port = {port}{limit}{push} }}"));
        if self.chance.below(3) == 0 {
            self.add("    listen stomp {}");
        }
        self.add(format!("    {store}"));
        if self.chance.below(3) == 0 {
            self.add("    limits { memory = 512MiB; store = 10GiB; temp = 2GiB; disk = 100GiB }");
        }
        if self.chance.below(3) == 0 {
            self.add("    queue \"ORDERS.>\" { memory-limit = 64MiB; producer-flow-control = true }");
        }
        if self.manner.users {
            self.add("    users {\n      user gc { password = secret(\"env:GC_PASSWORD\"); groups = [\"gc\"] }\n      user bridge { password = secret(\"env:BRIDGE_PASSWORD\"); groups = [\"bridges\"] }\n    }");
        }
        self.add("  }");
    }

    fn alone(&mut self, name: &str) {
        let store = self.chance.one(&[
            "kahadb { directory = \"/var/lib/activemq/NAME\" }",
            "memory {}",
            "jdbc { url = \"jdbc:postgresql://db-NAME/activemq\" }",
        ]);
        self.broker(name, &format!("store {}", store.replace("NAME", name)));
    }

    fn credentials(&self) -> &'static str {
        if self.manner.users { "user = \"gc\"; password = secret(\"env:GC_PASSWORD\")" } else { "" }
    }

    fn connector(&mut self, name: &str, brokers: &[&str], finesse: &[&str], priority: Option<usize>) {
        let priority = priority.map_or_else(String::new, |priority| format!("priority = {priority}"));
        let timeout = self.chance.one(&["timeout = 10s", ""]);
        let failover = self.chance.one(&["failover { max-reconnect-delay = 250ms }", ""]);
        let (brokers, finesse, login) = (brokers.join(", "), finesse.join(", "), self.credentials());
        let fields =
            [&format!("brokers = [{brokers}]"), &format!("finesse = [{finesse}]"), &priority, timeout, failover, login];
        self.add(block(&format!("connector {name}"), &fields));
    }

    fn client(&mut self, name: &str, brokers: &[&str]) {
        let returns = self.chance.one(&["", "returns = prefer-first", "returns = never"]);
        let (brokers, login) = (brokers.join(", "), self.credentials());
        let fields = [&format!("brokers = [{brokers}]"), returns, "timeout = 5s", login];
        self.add(block(&format!("client {name}"), &fields));
    }

    fn bridge(&mut self, one: &str, other: &str) {
        let login =
            if self.manner.users { " { user = \"bridge\"; password = secret(\"env:BRIDGE_PASSWORD\") }" } else { "" };
        self.add(format!("bridge {one} <-> {other}{login}"));
    }

    /// Some sites, each with everything, and a ring of bridges.
    fn sites(&mut self, group: usize, count: usize, mode: &str) {
        let names: Vec<String> = (0..count).map(|number| format!("{group}-{number}")).collect();
        for (number, own) in names.iter().enumerate() {
            // Its own broker first, then the others round the ring.
            let order = |kind: &str| {
                (0..count).map(|step| format!("{kind}-{}", names[(number + step) % count])).collect::<Vec<_>>()
            };
            let (brokers, nodes) = (order("amq"), order("fin"));
            self.add(format!("site site-{own} {{"));
            self.alone(&brokers[0]);
            self.add(format!("  finesse fin-{own} {{ host = \"fin-{own}.example.com\" }}"));
            let brokers: Vec<&str> = brokers.iter().map(String::as_str).collect();
            let nodes: Vec<&str> = nodes.iter().map(String::as_str).take(2).collect();
            let priority = if self.chance.often() { Some(127 - 10 * number) } else { None };
            // Either all say a priority or none does.
            let priority = if group.is_multiple_of(2) { Some(127 - 10 * number) } else { priority.and(None) };
            self.connector(&format!("gc-{own}"), &brokers, &nodes, priority);
            if self.chance.often() || number == 0 {
                // Where only the primary works, everybody sends where it is.
                let mut order = brokers.clone();
                if mode == "active-passive" {
                    order.rotate_right(number);
                }
                self.client(&format!("desk-{own}"), &order);
            }
            self.add("}");
        }
        for (number, own) in names.iter().enumerate() {
            let next = &names[(number + 1) % count];
            if count > 2 || number == 0 {
                self.bridge(&format!("amq-{own}"), &format!("amq-{next}"));
            }
        }
        let members: Vec<String> = names.iter().map(|name| format!("gc-{name}")).collect();
        self.add(format!(
            "deployment d-{group} {mode} {{ connectors = [{}]; requests = \"GROUP{group}.REQUESTS\"; sync-key = secret(\"env:KEY\") }}",
            members.join(", ")
        ));
    }

    /// One of everything.
    fn simplex(&mut self, group: usize) {
        self.add(format!("site site-{group} {{"));
        self.alone(&format!("amq-{group}"));
        self.add(format!("  finesse fin-{group} {{ host = \"fin-{group}.example.com\" }}"));
        self.connector(&format!("gc-{group}"), &[&format!("amq-{group}")], &[&format!("fin-{group}")], None);
        self.client(&format!("desk-{group}"), &[&format!("amq-{group}")]);
        self.add("}");
        self.add(format!(
            "deployment d-{group} simplex {{ connectors = [gc-{group}]; requests = \"GROUP{group}.REQUESTS\" }}"
        ));
    }

    /// A hub and spokes, each a pair on one store.
    fn hub(&mut self, group: usize, spokes: usize) {
        let pairs: Vec<String> = std::iter::once(format!("hub-{group}"))
            .chain((0..spokes).map(|spoke| format!("spoke-{group}-{spoke}")))
            .collect();
        for (number, pair) in pairs.iter().enumerate() {
            self.add(format!("site site-{pair} {{"));
            let store = self.chance.one(&[
                "kahadb { directory = \"/mnt/NAME\"; shared = true }",
                "jdbc { url = \"jdbc:postgresql://db-NAME/activemq\" }",
            ]);
            let store = format!("store {}", store.replace("NAME", pair));
            self.broker(&format!("{pair}-a"), &store);
            self.broker(&format!("{pair}-b"), &store);
            if number == 0 {
                self.add(format!("  finesse fin-{pair} {{ host = \"fin-{pair}.example.com\" }}"));
                self.connector(&format!("gc-{group}"), &[&format!("{pair}-pair")], &[&format!("fin-{pair}")], None);
            } else {
                self.client(&format!("desk-{pair}"), &[&format!("{pair}-pair")]);
            }
            self.add("}");
            self.add(format!("pair {pair}-pair {{ master = {pair}-a; slave = {pair}-b }}"));
        }
        for spoke in &pairs[1..] {
            self.bridge(&format!("{spoke}-pair"), &format!("{}-pair", pairs[0]));
        }
        self.add(format!(
            "deployment d-{group} simplex {{ connectors = [gc-{group}]; requests = \"GROUP{group}.REQUESTS\" }}"
        ));
    }
}

/// A block on one line; what is empty is left out.
fn block(header: &str, fields: &[&str]) -> String {
    let fields: Vec<&str> = fields.iter().copied().filter(|field| !field.is_empty()).collect();
    format!("  {header} {{ {} }}", fields.join("; "))
}

fn topology(seed: u64) -> String {
    let mut writer = Writer::new(seed);
    for group in 0..1 + writer.chance.below(3) {
        match writer.chance.below(5) {
            0 => writer.simplex(group),
            1 => {
                let spokes = 1 + writer.chance.below(3);
                writer.hub(group, spokes);
            }
            2 => writer.sites(group, 3, "active-active"),
            3 => writer.sites(group, 2, "active-passive"),
            _ => writer.sites(group, 2, "active-active"),
        }
    }
    writer.text
}

#[test]
fn correct_topologies_have_no_finding_to_worry_about() {
    let count = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 5000 } else { 200 };
    let mut alarms = String::new();
    for seed in 0..count {
        let text = topology(seed);
        let files = HashMap::from([("main.topo".to_owned(), text.clone())]);
        let analysis = analyze("main.topo", &[], &files);
        for found in analysis.diagnostics.iter().filter(|found| found.severity >= Severity::Warning) {
            let at = analysis.sources.text(found.primary());
            writeln!(alarms, "{seed}: {} {}: at `{at}`", found.rule.name, found.message).expect("a text grows");
        }
        assert!(alarms.is_empty(), "{alarms}\n{text}");
    }
}
