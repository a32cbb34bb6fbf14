//! TOPO0307 unknown-address: an address in a raw URI where no broker of the topology listens.

use super::priority_uri_not_listed::some;
use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::addresses::Addresses;
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::dialling::{DialledAddress, dial_scheme, dialled as read, speaks_openwire};
use crate::model::{Broker, Listener, RawUri};
use crate::suggest;
use crate::uri::Uri;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0307",
    name: "unknown-address",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "an address in a raw URI where no broker of the topology listens",
    page: include_str!("unknown_address.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete {
        return;
    }
    for dialling in dialled::all(context) {
        if let Some((raw, uri)) = dialling.uri() {
            check_uri(context, context.addresses, raw, uri, &dialling.who(), report);
        }
    }
    for (bridge, raw, uri) in dialled::bridge_lists(context) {
        check_uri(context, context.addresses, raw, uri, &format!("bridge `{}`", bridge.name.value), report);
    }
}

fn check_uri(context: &Context<'_>, addresses: &Addresses, raw: &RawUri, uri: &Uri, who: &str, report: &mut Report) {
    let text = &raw.text.value;
    for member in uri.addresses() {
        let Some(address) = read(member, text, addresses).filter(|address| address.broker.is_none()) else { continue };
        let placeholder = address.host.contains("${") || address.port.is_none();
        if !placeholder && !binds_nowhere(context, &address) {
            report.add(found(context, raw, member, &address, who));
        }
    }
}

/// Whether the host is a broker's and the topology does not say where one of its listeners binds.
fn binds_nowhere(context: &Context<'_>, address: &DialledAddress) -> bool {
    same_host(context, address).any(|broker| broker.listeners.iter().any(|listener| listener.bind.is_none()))
}

fn same_host<'a>(context: &Context<'a>, address: &DialledAddress) -> impl Iterator<Item = &'a Broker> {
    context.model.brokers.iter().filter(move |broker| broker.host.value.eq_ignore_ascii_case(&address.host))
}

fn found(context: &Context<'_>, raw: &RawUri, member: &Uri, address: &DialledAddress, who: &str) -> Diagnostic {
    let authority = address.authority();
    let start = member.range.start;
    let end = member.options.first().map_or(member.range.end, |option| option.range.start - 1);
    let at = place::inside(context, raw, start..end);
    let diagnostic = Diagnostic::new(&RULE, at, format!("{who} dials `{authority}`, where no broker listens"))
        .here("no listener of this topology has this address");
    let right = match same_host(context, address).next() {
        Some(broker) => right_port(broker),
        None => right_host(context, &authority),
    };
    let editable = dialled::editable(context, raw, start..end);
    match right {
        Ok(right) => {
            let diagnostic = diagnostic.help(format!("did you mean `{right}`?"));
            let edit = editable.map(|at| Edit { at, text: right.clone().into() });
            match edit {
                Some(edit) => diagnostic.fix_all(format!("dial `{right}`"), Safety::Unsafe, vec![edit]),
                None => diagnostic,
            }
        }
        Err(help) => diagnostic.help(help),
    }
}

/// The address of the host's broker, where it has one that could be meant; else what to do.
fn right_port(broker: &Broker) -> Result<String, String> {
    let usable: Vec<String> =
        broker.listeners.iter().filter(|it| speaks_openwire(it)).filter_map(|it| url(broker, it)).collect();
    match usable.as_slice() {
        [] => Err(format!("add `listen openwire {{ port = 61616 }}` to broker `{}`", broker.name.value)),
        [only] => Ok(only.clone()),
        several => Err(format!("write an address of broker `{}`: {}", broker.name.value, some(several))),
    }
}

/// The one address that is nearly the same; else what to do.
fn right_host(context: &Context<'_>, authority: &str) -> Result<String, String> {
    let known = known(context);
    let names = || known.iter().map(|(authority, _)| authority.as_str());
    let near = suggest::suggest(authority, names()).filter(|_| suggest::only_near(authority, names()));
    match known.iter().find(|(authority, _)| Some(authority.as_str()) == near) {
        Some((_, right)) => Ok(right.clone()),
        None => Err(format!("correct the host, or add the broker at `{authority}` to the topology")),
    }
}

fn url(broker: &Broker, listener: &Listener) -> Option<String> {
    let port = listener.bind.as_ref()?.port.value;
    Some(format!("{}://{}:{port}", dial_scheme(&listener.scheme.value), broker.host.value))
}

/// Every address that could be meant, as `host:port` and whole.
fn known(context: &Context<'_>) -> Vec<(String, String)> {
    let of = |broker: &Broker, listener: &Listener| {
        let port = listener.bind.as_ref()?.port.value;
        Some((format!("{}:{port}", broker.host.value), url(broker, listener)?))
    };
    let brokers = context.model.brokers.iter();
    brokers.flat_map(|broker| broker.listeners.iter().filter_map(move |listener| of(broker, listener))).collect()
}
