//! TOPO0316 overruled-option: a field or option beside something that overrules it.

use super::{Check, Context, FixKind, Level, Rule, bridges, dialled, place};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::dialling::{At, Dialling, WrittenOption};
use crate::kebab::kebab;
use crate::language::Place;
use crate::model::{Broker, Listener, RawUri, Setting};
use crate::uri::Uri;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0316",
    name: "overruled-option",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a field or option that counts for nothing beside a URI or field that overrules it",
    page: include_str!("overruled_option.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for dialling in dialled::settled(context) {
        let quiet = dialling.dialer.raw.is_none() && dialling.dialer.failover.is_empty();
        if !quiet {
            of_dialling(context, dialling, report);
        }
    }
    for bridge in context.model.bridges.iter().filter(|bridge| !bridge.options.is_empty()) {
        let Some(raw) = bridge.uri_by_hand() else { continue };
        let who = format!("bridge `{}`", bridges::title(context.model, bridge));
        not_added(context, raw, &bridge.options, bridge.at, &who, report);
    }
    for broker in &context.model.brokers {
        for listener in broker.listeners.iter().filter(|listener| !listener.settings.is_empty()) {
            of_listener(context, broker, listener, report);
        }
    }
}

fn of_dialling(context: &Context<'_>, dialling: &Dialling<'_>, report: &mut Report) {
    let own = |option: &&WrittenOption<'_>| match option.at {
        At::Source(at) => place::is_in_block(context, dialling.dialer.at, at),
        At::Uri(_) => false,
    };
    for option in dialling.options.iter().filter(own) {
        let Some(counts) = dialling.option(&option.name) else { continue };
        let at = dialled::loc(context, dialling, &option.at);
        if !std::ptr::eq(counts, option) && !counts.value.eq_ignore_ascii_case(&option.value) {
            let says = dialled::loc(context, dialling, &counts.at);
            report.add(overruled(at, &name(dialling, option), &dialling.who(), (says, &counts.value)));
        } else if dialling.client.is_some() && dialling.uri().is_some() && !dialling.fails_over() {
            report.add(alone(at, &name(dialling, option), &dialling.who()));
        }
    }
    if let Some(raw) = &dialling.dialer.raw {
        not_added(context, raw, &dialling.dialer.options, dialling.dialer.at, &dialling.who(), report);
    }
}

/// What an option is called where it is written.
fn name(dialling: &Dialling<'_>, option: &WrittenOption<'_>) -> String {
    let returns = dialling.client.map(|client| [client.stays, client.prefer_first]);
    let is_returns = |at: &Loc| option.at == At::Source(*at);
    match returns.into_iter().flatten().flatten().any(|at| is_returns(&at)) {
        true => "returns".to_owned(),
        false => kebab(&option.name),
    }
}

/// `options { }` go to each address that topoc writes, and into no URI that was written by hand.
fn not_added(context: &Context<'_>, raw: &RawUri, settings: &[Setting], header: Loc, who: &str, report: &mut Report) {
    let Ok(uri) = &raw.uri else { return };
    for setting in settings.iter().filter(|setting| !says(uri, &raw.text.value, setting)) {
        let at = place::key(context, setting);
        if place::is_in_block(context, header, at) {
            let written = format!("{}={}", setting.real, setting.value);
            let message = format!("`{}` of {who} does not get into its URI", setting.name);
            report.add(
                Diagnostic::new(&RULE, at, message)
                    .here("goes to addresses that topoc writes")
                    .also(raw.text.at, "this is written as it stands")
                    .help(format!("write `?{written}` behind the address, or leave `uri` out")),
            );
        }
    }
}

/// Whether some part of a URI has this very option.
fn says(uri: &Uri, text: &str, setting: &Setting) -> bool {
    let own = uri.find_option(text, &setting.real);
    own.is_some_and(|option| uri.decoded(text, option.value) == setting.value.to_string())
        || uri.members().iter().any(|member| says(member, text, setting))
}

fn of_listener(context: &Context<'_>, broker: &Broker, listener: &Listener, report: &mut Report) {
    let Some((raw, uri)) = listener.raw.as_ref().and_then(|raw| Some((raw, raw.uri.as_ref().ok()?))) else { return };
    let text = &raw.text.value;
    for setting in listener.settings.iter().filter(|setting| !matches!(setting.place, Place::Attribute(_))) {
        let Some(option) = uri.find_option(text, &setting.real) else { continue };
        let value = uri.decoded(text, option.value);
        if value != setting.value.to_string() && place::is_in_block(context, listener.at, setting.at) {
            let who = format!("listener `{}` of broker `{}`", listener.name.value, broker.name.value);
            let says = place::inside(context, raw, option.range.clone());
            report.add(overruled(place::key(context, setting), &setting.name, &who, (says, &value)));
        }
    }
}

fn overruled(at: Loc, name: &str, who: &str, (says, value): (Loc, &str)) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{name}` of {who} counts for nothing: `{value}` is written elsewhere"))
        .here("overruled")
        .also(says, "this counts")
        .help("decide for one of the two, and remove the other")
}

fn alone(at: Loc, name: &str, who: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, format!("`{name}` of {who} counts for nothing: its URI is a single address"))
        .here("an option of `failover:`")
        .help("write `failover:(...)` around the address, or leave `uri` out")
}
