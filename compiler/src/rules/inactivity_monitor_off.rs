//! TOPO0112 inactivity-monitor-off: a connection whose death nobody notices.

use super::{Check, Context, FixKind, Level, Rule, bridges, dialled, place};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::dialling::speaks_openwire;
use crate::model::{RawUri, Setting};
use crate::options;
use crate::uri::{Uri, UriOption};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0112",
    name: "inactivity-monitor-off",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a connection whose death nobody notices",
    page: include_str!("inactivity_monitor_off.md"),
    check: Check::Model(check),
};

const NAME: &str = "wireFormat.maxInactivityDuration";
/// The same for OpenWire alone, on a listener that finds out the protocol itself.
const AUTO_NAME: &str = "wireFormat.default.maxInactivityDuration";

/// Where the monitor is switched off, and the edit that leaves it on.
struct Off {
    at: Loc,
    edit: Option<Edit>,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut say = |who: &dyn Fn() -> String, found: Vec<Off>| {
        for off in found.into_iter().filter(|off| seen.insert(off.at)) {
            report.add(diagnostic(&who(), off));
        }
    };
    for broker in &context.model.brokers {
        for listener in broker.listeners.iter().filter(|listener| speaks_openwire(listener)) {
            let who = || format!("listener `{}` of broker `{}`", listener.name.value, broker.name.value);
            say(&who, on_either(context, listener.raw.as_ref(), &listener.settings));
        }
    }
    for dialling in dialled::settled(context) {
        say(&|| dialling.who(), on_one(context, dialling.dialer.raw.as_ref(), &dialling.dialer.options));
    }
    for bridge in &context.model.bridges {
        let who = || format!("bridge `{}`", bridges::title(context.model, bridge));
        say(&who, on_one(context, bridge.uri_by_hand(), &bridge.options));
    }
}

/// On a listener, whose options are added to a URI written by hand.
fn on_either(context: &Context<'_>, raw: Option<&RawUri>, settings: &[Setting]) -> Vec<Off> {
    let mut found = raw.map_or_else(Vec::new, |raw| in_raw(context, raw));
    if found.is_empty() {
        found = in_settings(settings);
    }
    found
}

/// On those who dial: the URI written by hand has all that counts.
fn on_one(context: &Context<'_>, raw: Option<&RawUri>, settings: &[Setting]) -> Vec<Off> {
    raw.map_or_else(|| in_settings(settings), |raw| in_raw(context, raw))
}

fn in_settings(settings: &[Setting]) -> Vec<Off> {
    let off = settings.iter().filter(|setting| is_it(&setting.real) && is_off(&setting.value.to_string()));
    off.map(|setting| Off { at: setting.at, edit: Some(Edit { at: setting.value_at, text: "30s".to_owned().into() }) })
        .collect()
}

fn in_raw(context: &Context<'_>, raw: &RawUri) -> Vec<Off> {
    let mut found = Vec::new();
    if let Ok(uri) = &raw.uri {
        collect(context, raw, uri, &mut found);
    }
    found
}

fn collect(context: &Context<'_>, raw: &RawUri, uri: &Uri, found: &mut Vec<Off>) {
    let text = &raw.text.value;
    let name = |option: &UriOption| uri.decoded(text, option.key);
    let off = |option: &&UriOption| {
        is_it(name(option).trim_start_matches("nested.")) && is_off(&uri.decoded(text, option.value))
    };
    found.extend(
        uri.options.iter().filter(off).map(|option| Off {
            at: place::inside(context, raw, option.range.clone()),
            edit: dialled::editable(context, raw, option.value.range())
                .map(|at| Edit { at, text: "30000".to_owned().into() }),
        }),
    );
    for member in uri.members() {
        collect(context, raw, member, found);
    }
}

fn is_it(name: &str) -> bool {
    options::same_name(name, NAME) || options::same_name(name, AUTO_NAME)
}

/// The monitor runs for times above 0 only (`AbstractInactivityMonitor.startMonitorThreads`).
fn is_off(value: &str) -> bool {
    value.trim().parse::<i64>().is_ok_and(|millis| millis <= 0)
}

fn diagnostic(who: &str, off: Off) -> Diagnostic {
    let diagnostic = Diagnostic::new(&RULE, off.at, format!("{who} never notices that the other side is gone"))
        .here("0 switches the inactivity monitor off at both ends")
        .help("write 30000, or leave it out: 30 s is the default");
    match off.edit {
        Some(edit) => diagnostic.fix_all("notice it after 30 s", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
