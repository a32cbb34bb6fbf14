//! TOPO0105 port-collision: two listeners on one host with one port.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::{Bind, Broker, Listener};
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0105",
    name: "port-collision",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two listeners on one host with one port",
    page: include_str!("port_collision.md"),
    check: Check::Model(check),
};

/// A listener that takes a port.
#[derive(Clone, Copy)]
struct Taken<'a> {
    broker: &'a Broker,
    listener: &'a Listener,
    bind: &'a Bind,
}

/// A host, a port on it, and whether it is a port of UDP.
type Port = (String, u16, bool);

fn check(context: &Context<'_>, report: &mut Report) {
    let mut taken: HashMap<Port, Vec<Taken<'_>>> = HashMap::new();
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut twins = HashSet::new();
    for broker in &context.model.brokers {
        for listener in &broker.listeners {
            let Some(bind) = listener.bind.as_ref().filter(|_| takes_port(&listener.scheme.value)) else { continue };
            let udp = listener.scheme.value == "udp";
            let others = taken.entry((broker.host.value.to_ascii_lowercase(), bind.port.value, udp)).or_default();
            let this = Taken { broker, listener, bind };
            if let Some(first) = others.iter().find(|other| collide(&this, other))
                && seen.insert(bind.port.at)
            {
                report.add(found(context, &this, first));
            }
            // Twins are in nobody's way that the first of them is not in.
            let port = (bind.port.value, udp, bind.host.as_str());
            if twins.insert((broker.site, broker.name.value.as_str(), listener.name.value.as_str(), port)) {
                others.push(this);
            }
        }
    }
}

/// `vm:` stays inside the process, and many may join one multicast group.
fn takes_port(scheme: &str) -> bool {
    !matches!(scheme, "vm" | "multicast")
}

fn collide(one: &Taken<'_>, other: &Taken<'_>) -> bool {
    overlap(&one.bind.host, &other.bind.host) && !is_twin(one, other)
}

/// What has a name twice is reported for that: its port follows from the copy.
fn is_twin(one: &Taken<'_>, other: &Taken<'_>) -> bool {
    let same_site = one.broker.site == other.broker.site;
    let one_broker = std::ptr::eq(one.broker, other.broker);
    match one_broker {
        true => one.listener.name.value == other.listener.name.value,
        false => same_site && one.broker.name.value == other.broker.name.value,
    }
}

/// Whether one socket would be in the way of the other.
fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (address(one), address(other));
    is_wildcard(&one) || is_wildcard(&other) || one == other
}

fn address(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if bare == "localhost" { "127.0.0.1".to_owned() } else { bare }
}

/// Every address of the machine; on Linux Java's `::` takes those of IPv4 as well.
fn is_wildcard(address: &str) -> bool {
    matches!(address, "" | "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0" | "*")
}

fn found(context: &Context<'_>, this: &Taken<'_>, first: &Taken<'_>) -> Diagnostic {
    let (broker, port) = (this.broker, this.bind.port.value);
    let same_broker = std::ptr::eq(broker, first.broker);
    let holder = match same_broker {
        true => format!("listener `{}` already has", first.listener.name.value),
        false => format!("broker `{}` already has on host `{}`", first.broker.name.value, broker.host.value),
    };
    let message = format!(
        "listener `{}` of broker `{}` binds port {port}, which {holder}",
        this.listener.name.value, broker.name.value
    );
    let paired = !same_broker && broker.pair.is_some() && broker.pair == first.broker.pair;
    let help = match broker.pair.filter(|_| paired) {
        Some(pair) => format!(
            "the members of pair `{}` need hosts of their own, or a port each",
            context.model.pair(pair).name.value
        ),
        None => "give one of them another `port`, or both a `host` of their own to bind".to_owned(),
    };
    let here =
        format!("the broker stops here with `Failed to bind to server socket ... Address already in use` ({port})");
    let diagnostic = Diagnostic::new(&RULE, this.bind.port.at, message).here(here).help(help);
    let diagnostic = diagnostic.also(first.bind.port.at, "first taken here");
    if same_broker { diagnostic } else { diagnostic.also(broker.host.at, "the same host as that broker's") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_and_the_same_address_or_all_of_them_overlap() {
        for (one, other, expected) in [
            ("0.0.0.0", "0.0.0.0", true),
            ("0.0.0.0", "10.0.0.1", true),
            ("10.0.0.1", "[::]", true),
            ("AMQ-1", "amq-1", true),
            ("localhost", "127.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("127.0.0.1", "::1", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
            assert_eq!(overlap(other, one), expected, "{other} {one}");
        }
    }
}
