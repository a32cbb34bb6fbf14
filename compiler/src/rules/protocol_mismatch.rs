//! TOPO0308 protocol-mismatch: someone who speaks OpenWire is sent to a listener that speaks something else.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::addresses::Addresses;
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::{self, DialledAddress, dial_scheme, speaks_openwire};
use crate::model::{Broker, BrokerId, Endpoint, Listener, RawUri, Remote};
use crate::options::{self, ListenerScheme, Protocol};
use crate::uri::Uri;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0308",
    name: "protocol-mismatch",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "someone who speaks OpenWire is sent to a listener that speaks something else",
    page: include_str!("protocol_mismatch.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for dialling in dialled::all(context) {
        if let Some((raw, uri)) = dialling.uri() {
            check_uri(context, context.addresses, raw, uri, &dialling.who(), report);
        }
    }
    for (bridge, raw, uri) in dialled::bridge_lists(context) {
        check_uri(context, context.addresses, raw, uri, &format!("bridge `{}`", bridge.name.value), report);
    }
    let mut mute = HashSet::new();
    for (who, endpoint) in named(context) {
        match endpoint.listener {
            Some(listener) => report.diagnostics.extend(check_named(context, &who, endpoint, listener)),
            None => {
                for broker in context.model.members(endpoint) {
                    let silent = is_mute(context.model.broker(broker)) && mute.insert(broker);
                    report.diagnostics.extend(silent.then(|| nothing_to_dial(context, &who, broker, endpoint.at)));
                }
            }
        }
    }
}

/// Every broker that somebody names to connect to, and who does.
pub(super) fn named<'a>(context: &Context<'a>) -> Vec<(String, &'a Endpoint)> {
    let mut named = Vec::new();
    for (keyword, dialer) in context.model.dialers().filter(|(_, dialer)| dialer.raw.is_none()) {
        let who = format!("{keyword} `{}`", dialer.name.value);
        named.extend(dialer.brokers.iter().map(|endpoint| (who.clone(), endpoint)));
    }
    for bridge in context.model.bridges.iter().filter(|bridge| bridge.raw.is_none()) {
        if let Remote::Broker(far) = &bridge.to {
            named.push((format!("bridge `{}`", bridge.name.value), far));
        }
    }
    named
}

/// Whether a broker has listeners, all of them of a known scheme, and none speaks OpenWire.
fn is_mute(broker: &Broker) -> bool {
    let known = |listener: &Listener| options::listener_scheme(&listener.scheme.value).is_some();
    let listeners = &broker.listeners;
    !broker.damaged && !listeners.is_empty() && listeners.iter().all(known) && !listeners.iter().any(speaks_openwire)
}

fn nothing_to_dial(context: &Context<'_>, who: &str, broker: BrokerId, from: Loc) -> Diagnostic {
    let broker = context.model.broker(broker);
    let spoken: Vec<&str> = broker.listeners.iter().map(|listener| listener.scheme.value.as_str()).collect();
    let message = format!("broker `{}` has no OpenWire listener, and {who} connects to it", broker.name.value);
    Diagnostic::new(&RULE, broker.at, message)
        .here(format!("listens on {} only", spoken.join(", ")))
        .also(from, "speaks OpenWire, and finds nothing to connect to")
        .help("add `listen openwire { port = 61616 }` to the broker")
}

fn check_named(context: &Context<'_>, who: &str, endpoint: &Endpoint, listener: usize) -> Option<Diagnostic> {
    let broker = context.model.broker(endpoint.broker);
    let listener = broker.listeners.get(listener)?;
    let scheme = options::listener_scheme(&listener.scheme.value)?;
    let openwire = speaks_openwire(listener) || (scheme.protocol == Protocol::Http && !who.starts_with("connector"));
    if openwire {
        return None;
    }
    let name = context.sources.text(endpoint.at);
    let bare = name.rsplit_once('.').map_or(name, |(bare, _)| bare);
    let other = broker.listeners.iter().find(|listener| speaks_openwire(listener));
    let diagnostic = mismatch(who, endpoint.at, broker, listener, scheme);
    Some(match other {
        Some(other) => diagnostic
            .help(format!("write `{bare}`, which means its OpenWire listener `{}`", other.name.value))
            .fix(format!("write `{bare}`"), Safety::Unsafe, endpoint.at, bare.to_owned()),
        None => diagnostic.help(format!(
            "write `{bare}`, and add `listen openwire {{ port = 61616 }}` to broker `{}`",
            broker.name.value
        )),
    })
}

fn check_uri(context: &Context<'_>, addresses: &Addresses, raw: &RawUri, uri: &Uri, who: &str, report: &mut Report) {
    for member in uri.addresses() {
        let Some(address) = dialling::dialled(member, &raw.text.value, addresses) else { continue };
        let (Some(broker), Some(place)) = (address.broker, address.listener) else { continue };
        let broker = context.model.broker(broker);
        let schemes = broker.listeners.get(place).and_then(|listener| {
            let spoken = options::listener_scheme(&listener.scheme.value)?;
            Some((listener, spoken, options::listener_scheme(&address.scheme)?))
        });
        if let Some((listener, spoken, dialled)) = schemes.filter(|(_, spoken, dialled)| !fits(dialled, spoken)) {
            report.add(wrong_uri(context, raw, member, &address, who, (broker, listener), (dialled, spoken)));
        }
    }
}

/// Whether what dials with one scheme understands what listens with the other.
fn fits(dialled: &ListenerScheme, spoken: &ListenerScheme) -> bool {
    speaks(dialled) && speaks(spoken) && carrier(dialled) == carrier(spoken) && dialled.tls == spoken.tls
}

/// Whether OpenWire passes, over whatever carries it.
fn speaks(scheme: &ListenerScheme) -> bool {
    matches!(scheme.protocol, Protocol::OpenWire | Protocol::Auto | Protocol::Http)
}

fn carrier(scheme: &ListenerScheme) -> &'static str {
    match (scheme.protocol, scheme.name) {
        (Protocol::Http, _) => "http",
        (_, name @ ("udp" | "multicast" | "vm")) => name,
        _ => "tcp",
    }
}

fn wrong_uri(
    context: &Context<'_>,
    raw: &RawUri,
    member: &Uri,
    address: &DialledAddress,
    who: &str,
    (broker, listener): (&Broker, &Listener),
    (dialled, spoken): (&ListenerScheme, &ListenerScheme),
) -> Diagnostic {
    let end = member.options.first().map_or(member.range.end, |option| option.range.start - 1);
    let range = member.range.start..end;
    let at = place::inside(context, raw, range.clone());
    let diagnostic = if speaks(spoken) && speaks(dialled) {
        wrong_carrier(who, at, address, (broker, listener), (dialled, spoken))
    } else if speaks(spoken) {
        let message = format!("{who} speaks OpenWire and dials `{}` with `{}:`", address.authority(), dialled.name);
        Diagnostic::new(&RULE, at, message)
            .here(format!("listener `{}` takes this for OpenWire and gives up", listener.name.value))
            .also(listener.at, format!("speaks {}", word(spoken)))
    } else {
        mismatch(who, at, broker, listener, spoken)
    };
    let Some(right) = right(broker, address, listener) else {
        return diagnostic.help(format!(
            "add `listen openwire {{ port = 61616 }}` to broker `{}`, and dial that",
            broker.name.value
        ));
    };
    let diagnostic = diagnostic.help(format!("write `{right}`"));
    match dialled::editable(context, raw, range) {
        Some(at) => diagnostic.fix(format!("dial `{right}`"), Safety::Unsafe, at, right),
        None => diagnostic,
    }
}

/// The address to dial instead: the same listener where it speaks OpenWire, else the broker's first that does.
fn right(broker: &Broker, address: &DialledAddress, listener: &Listener) -> Option<String> {
    if speaks_openwire(listener) {
        return Some(format!("{}://{}", dial_scheme(&listener.scheme.value), address.authority()));
    }
    let other = broker.listeners.iter().find(|listener| speaks_openwire(listener))?;
    let port = other.bind.as_ref()?.port.value;
    Some(format!("{}://{}:{port}", dial_scheme(&other.scheme.value), broker.host.value))
}

/// A listener of another protocol.
fn mismatch(who: &str, at: Loc, broker: &Broker, listener: &Listener, spoken: &ListenerScheme) -> Diagnostic {
    let (name, word) = (&listener.name.value, word(spoken));
    let message =
        format!("{who} speaks OpenWire, but listener `{name}` of broker `{}` speaks {word}", broker.name.value);
    Diagnostic::new(&RULE, at, message)
        .here("ends with `Wire format negotiation timeout` or `Frame size of ... larger than max allowed`")
        .also(listener.at, format!("speaks {word}"))
}

/// The same protocol, with TLS on one side only or over something else than TCP.
fn wrong_carrier(
    who: &str,
    at: Loc,
    address: &DialledAddress,
    (broker, listener): (&Broker, &Listener),
    (dialled, spoken): (&ListenerScheme, &ListenerScheme),
) -> Diagnostic {
    let name = format!("listener `{}` of broker `{}`", listener.name.value, broker.name.value);
    let (message, here) = match (dialled.tls, spoken.tls) {
        (true, false) => (format!("{who} dials {name} with TLS, which it does not speak"), "the TLS handshake fails"),
        (false, true) => {
            (format!("{who} dials {name} without TLS, which it demands"), "the broker drops what is no TLS")
        }
        _ => (format!("{who} dials {name} with `{}:`", address.scheme), "not what it listens with"),
    };
    Diagnostic::new(&RULE, at, message).here(here).also(listener.at, format!("listens on `{}:`", spoken.name))
}

fn word(scheme: &ListenerScheme) -> &'static str {
    match scheme.protocol {
        Protocol::OpenWire => "OpenWire",
        Protocol::Stomp => "STOMP",
        Protocol::Mqtt => "MQTT",
        Protocol::Amqp => "AMQP",
        Protocol::AmqpWs => "AMQP over WebSocket",
        Protocol::Ws => "STOMP or MQTT over WebSocket",
        Protocol::Http => "OpenWire over HTTP",
        Protocol::Auto => "OpenWire, STOMP, MQTT and AMQP",
    }
}
