//! TOPO0113 plain-text-listener: a listener without TLS that other machines can reach.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::addresses::is_loopback;
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Broker, Listener};
use crate::options;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0113",
    name: "plain-text-listener",
    level: Level::Hygiene,
    since: "0.1.0",
    fix: FixKind::Shown,
    summary: "a listener without TLS that other machines can reach",
    page: include_str!("plain_text_listener.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    // Notes about hygiene are for topologies that can be read.
    if context.model.incomplete {
        return;
    }
    for broker in &context.model.brokers {
        for listener in broker.listeners.iter().filter(|listener| is_open(listener)) {
            report.add(found(context, broker, listener));
        }
    }
}

/// Whether what passes here can be read on the way. `vm:` stays inside the process.
fn is_open(listener: &Listener) -> bool {
    let plain = options::listener_scheme(&listener.scheme.value).is_some_and(|scheme| !scheme.tls);
    let outside = listener.bound_host().is_some_and(|host| !host.contains("${") && !is_loopback(host));
    plain && outside && listener.scheme.value != "vm"
}

fn found(context: &Context<'_>, broker: &Broker, listener: &Listener) -> Diagnostic {
    let message = format!("listener `{}` of broker `{}` is not encrypted", listener.name.value, broker.name.value);
    let diagnostic = Diagnostic::new(&RULE, listener.at, message).here("without TLS, and reached from other machines");
    let Some(twin) = with_tls(&listener.scheme.value) else {
        return diagnostic.help("bind `host = \"127.0.0.1\"`, or listen on `ssl` instead");
    };
    let diagnostic = diagnostic
        .help(format!("listen on `{twin}`, with the certificate in an `<sslContext>`, or bind `host = \"127.0.0.1\"`"));
    match edit(context, listener, twin) {
        Some(edit) => diagnostic.fix_all(format!("listen on {twin}"), Safety::Shown, vec![edit]),
        None => diagnostic,
    }
}

/// The same scheme with TLS.
fn with_tls(scheme: &str) -> Option<&'static str> {
    let name = match scheme {
        "tcp" => "ssl".to_owned(),
        "ws" | "amqp+ws" | "http" => format!("{scheme}s"),
        _ => format!("{scheme}+ssl"),
    };
    options::listener_scheme(&name).map(|scheme| scheme.name)
}

/// Another scheme where one is written.
fn edit(context: &Context<'_>, listener: &Listener, scheme: &str) -> Option<Edit> {
    if let Some(raw) = &listener.raw {
        let at = dialled::editable(context, raw, raw.uri.as_ref().ok()?.scheme.range())?;
        return Some(Edit { at, text: scheme.to_owned().into() });
    }
    let written = listener.scheme.at != listener.name.at;
    written.then(|| Edit { at: listener.scheme.at, text: quote(scheme).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_opens_a_socket_in_plain_text_has_a_twin_with_tls() {
        for scheme in options::LISTENER_SCHEMES.iter().filter(|scheme| !scheme.tls) {
            let twin = with_tls(scheme.name).and_then(options::listener_scheme);
            match scheme.name {
                "udp" | "multicast" | "vm" => assert_eq!(twin, None, "{}", scheme.name),
                name => {
                    let twin = twin.unwrap_or_else(|| panic!("{name} has none"));
                    assert!(twin.tls && twin.protocol == scheme.protocol, "{name}");
                }
            }
        }
    }
}
