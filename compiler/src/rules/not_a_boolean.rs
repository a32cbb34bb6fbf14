//! TOPO0317 not-a-boolean: a word that ActiveMQ reads as false.

use super::{Check, Context, FixKind, Level, Rule, dialled, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{RawUri, Setting, SettingValue};
use crate::options::{self, OptionSpec, OptionType};
use crate::uri::Uri;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0317",
    name: "not-a-boolean",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a word such as `yes` in a URI, which ActiveMQ reads as false",
    page: include_str!("not_a_boolean.md"),
    check: Check::Model(check),
};

/// What people write for true. ActiveMQ takes `true` alone for it (`Boolean.valueOf`).
const MEANT_TRUE: &[&str] = &["yes", "y", "on", "1", "t", "enabled"];
const MEANT_FALSE: &[&str] = &["no", "n", "off", "0", "f", "disabled"];

/// An option with a value that is neither.
struct Found {
    name: String,
    value: String,
    at: Loc,
    /// Whether a new value may be put there.
    editable: bool,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut found = Vec::new();
    for dialling in dialled::all(context) {
        if let Some((raw, uri)) = dialling.uri() {
            in_uri(context, raw, uri, &options::client_option, &mut found);
        }
        let scheme = dialling.addresses.first().map_or("tcp", |address| &address.scheme);
        in_settings(&dialling.dialer.options, |name| options::client_option(scheme, name), &mut found);
    }
    for bridge in &context.model.bridges {
        if let Some((raw, uri)) = bridge.uri_by_hand().and_then(|raw| Some((raw, raw.uri.as_ref().ok()?))) {
            own(context, raw, uri, &options::discovery_option, &mut found);
            uri.members().iter().for_each(|member| in_uri(context, raw, member, &options::client_option, &mut found));
        }
        in_settings(&bridge.options, |name| options::client_option("ssl", name), &mut found);
    }
    for listener in context.model.brokers.iter().flat_map(|broker| &broker.listeners) {
        if let Some((raw, uri)) = listener.raw.as_ref().and_then(|raw| Some((raw, raw.uri.as_ref().ok()?))) {
            own(context, raw, uri, &options::server_option, &mut found);
        }
        in_settings(&listener.settings, |name| options::server_option(&listener.scheme.value, name), &mut found);
    }
    let mut seen = HashSet::new();
    let new = found.into_iter().filter(|found| seen.insert(found.at));
    new.for_each(|found| report.add(diagnostic(found)));
}

/// Finds an option of a scheme by its name.
type Lookup<'l> = &'l dyn Fn(&str, &str) -> Option<&'static OptionSpec>;

fn in_uri(context: &Context<'_>, raw: &RawUri, uri: &Uri, lookup: Lookup<'_>, found: &mut Vec<Found>) {
    own(context, raw, uri, lookup, found);
    uri.members().iter().for_each(|member| in_uri(context, raw, member, lookup, found));
}

fn own(context: &Context<'_>, raw: &RawUri, uri: &Uri, lookup: Lookup<'_>, found: &mut Vec<Found>) {
    let text = &raw.text.value;
    for option in &uri.options {
        let (name, value) = (uri.decoded(text, option.key), uri.decoded(text, option.value));
        if is_boolean(lookup(uri.scheme.text(text), &name)) && is_neither(&value) {
            let at = place::inside(context, raw, option.value.range());
            found.push(Found { name, value, at, editable: at != raw.text.at });
        }
    }
}

fn in_settings(settings: &[Setting], lookup: impl Fn(&str) -> Option<&'static OptionSpec>, found: &mut Vec<Found>) {
    for setting in settings {
        let SettingValue::Text(value) = &setting.value else { continue };
        if is_boolean(lookup(&setting.real)) && is_neither(value) {
            let (name, value) = (setting.real.to_string(), value.clone());
            found.push(Found { name, value, at: setting.value_at, editable: true });
        }
    }
}

fn is_boolean(option: Option<&OptionSpec>) -> bool {
    option.is_some_and(|option| option.ty == OptionType::Boolean)
}

fn is_neither(value: &str) -> bool {
    !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false") && !value.contains("${")
}

fn diagnostic(found: Found) -> Diagnostic {
    let Found { name, value, at, editable } = found;
    let message = format!("`{name}` is `{value}`, which ActiveMQ reads as false");
    let diagnostic = Diagnostic::new(&RULE, at, message).here("neither `true` nor `false`");
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    let (meant, safety) = match (is(MEANT_TRUE), is(MEANT_FALSE)) {
        (true, _) => ("true", Safety::Unsafe),
        (_, true) => ("false", Safety::Safe),
        _ => return diagnostic.help("write `true` or `false`"),
    };
    let diagnostic = diagnostic.help(format!("write `{meant}`"));
    if editable { diagnostic.fix(format!("write `{meant}`"), safety, at, meant) } else { diagnostic }
}
