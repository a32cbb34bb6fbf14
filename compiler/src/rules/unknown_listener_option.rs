//! TOPO0104 unknown-listener-option: a URI option that the listener's transport does not know.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::kebab::kebab;
use crate::language::Place;
use crate::model::{Broker, Listener};
use crate::{options, schema, suggest};
use std::collections::HashSet;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0104",
    name: "unknown-listener-option",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "a URI option that the listener's transport does not know",
    page: include_str!("unknown_listener_option.md"),
    check: Check::Model(check),
};

/// An option as it was written.
struct Written {
    name: String,
    /// Where its name stands.
    at: Loc,
    /// Whether a new name may be put there, and whether that needs quotes.
    replaceable: bool,
    quoted: bool,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<(Loc, String)> = HashSet::new();
    for broker in &context.model.brokers {
        for listener in broker.listeners.iter().filter(|listener| is_closed(listener)) {
            for option in written(context, listener) {
                let known = options::server_option(&listener.scheme.value, &option.name).is_some();
                if !known && seen.insert((option.at, option.name.clone())) {
                    report.add(found(broker, listener, &option));
                }
            }
        }
    }
}

/// Whether every option of the listener's scheme is known.
fn is_closed(listener: &Listener) -> bool {
    options::listener_scheme(&listener.scheme.value).is_some_and(|scheme| !scheme.open_options)
}

/// The options of the listener's raw URI and of its `options` block.
fn written(context: &Context<'_>, listener: &Listener) -> Vec<Written> {
    let own = listener.settings.iter().filter(|setting| setting.place == Place::Own).map(|setting| {
        let at = place::key(context, setting);
        let quoted = context.sources.text(at).starts_with('"');
        Written { name: setting.real.to_string(), at, replaceable: at != setting.at, quoted }
    });
    let raw = listener.raw.iter().filter_map(|raw| Some((raw, raw.uri.as_ref().ok()?)));
    let in_uri = raw.flat_map(|(raw, uri)| {
        uri.options.iter().map(move |option| {
            let at = place::inside(context, raw, option.key.range());
            let name = uri.decoded(&raw.text.value, option.key);
            let plain = option.key.text(&raw.text.value) == name;
            Written { name, at, replaceable: plain && at != raw.text.at, quoted: false }
        })
    });
    own.chain(in_uri).collect()
}

fn found(broker: &Broker, listener: &Listener, option: &Written) -> Diagnostic {
    let scheme = &listener.scheme.value;
    let message = format!(
        "listener `{}` of broker `{}` has an option that `{scheme}:` does not know: `{}`",
        listener.name.value, broker.name.value, option.name
    );
    let diagnostic = Diagnostic::new(&RULE, option.at, message).here("the broker ignores it silently");
    if let Some(field) = attribute(&option.name) {
        return diagnostic
            .help(format!("it is no option of the URI but a field of the listener: write `{field} = ...`"));
    }
    match meant(scheme, &option.name) {
        Some((name, safety)) => {
            let text = if option.quoted { quote(name) } else { name.to_owned() };
            // A dotted name needs quotes; a bare one cannot become that.
            let fits = option.replaceable && (option.quoted || !name.contains('.') || option.name.contains('.'));
            let diagnostic = diagnostic.help(format!("did you mean `{name}`?"));
            if fits { diagnostic.fix(format!("write `{name}`"), safety, option.at, text) } else { diagnostic }
        }
        None => diagnostic.help("remove it; `topoc explain --fields` lists what a listener takes"),
    }
}

/// The field of a listener that becomes the attribute of this name.
fn attribute(name: &str) -> Option<String> {
    let found = ["transportConnector", "publishedAddressPolicy"]
        .iter()
        .any(|element| schema::element(element).is_some_and(|element| element.attribute(name).is_some()));
    let field = kebab(name);
    (found && crate::language::field(crate::language::Kind::Listen, &field).is_some()).then_some(field)
}

/// The option that was most likely meant: first the same name behind another prefix, then a near one behind the same.
fn meant(scheme: &str, name: &str) -> Option<(&'static str, Safety)> {
    let plain = name.strip_prefix("amp;").unwrap_or(name);
    if let Some(known) = options::server_option(scheme, plain).filter(|known| !known.name.ends_with('*')) {
        return Some((known.name, Safety::Safe));
    }
    let (prefix, last) = split(plain);
    let known: Vec<&'static str> =
        options::server_options(scheme).map(|option| option.name).filter(|name| !name.ends_with('*')).collect();
    let same_last: Vec<&'static str> = distinct(known.iter().filter(|name| split(name).1.eq_ignore_ascii_case(last)));
    let nearest = |names: &[&'static str]| suggest::suggest(plain, names.iter().copied());
    match same_last.as_slice() {
        [] => {}
        [only] => return Some((only, Safety::Safe)),
        several => {
            let best = nearest(several).or(several.first().copied())?;
            let safety = if suggest::only_near(plain, several.iter().copied()) { Safety::Safe } else { Safety::Shown };
            return Some((best, safety));
        }
    }
    let same_prefix: Vec<&'static str> =
        distinct(known.iter().filter(|name| split(name).0.eq_ignore_ascii_case(prefix)));
    if same_prefix.is_empty() {
        return nearest(&known).map(|name| (name, Safety::Shown));
    }
    let lasts = || same_prefix.iter().map(|name| split(name).1);
    let near = suggest::suggest(last, lasts())?;
    let name = same_prefix.iter().find(|name| split(name).1 == near)?;
    Some((name, if suggest::only_near(last, lasts()) { Safety::Safe } else { Safety::Shown }))
}

/// `wireFormat.` and `maxFrameSize`.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}

fn distinct<'n>(names: impl Iterator<Item = &'n &'static str>) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = names.copied().collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scheme: &str, name: &str, expected: Option<(&str, Safety)>) {
        assert_eq!(meant(scheme, name), expected, "{name} on {scheme}");
    }

    #[test]
    fn a_misspelt_option_finds_its_nearest() {
        check("tcp", "maximumConnection", Some(("maximumConnections", Safety::Safe)));
        check("tcp", "wireFormat.maxFramSize", Some(("wireFormat.maxFrameSize", Safety::Safe)));
        check("tcp", "transport.soTimout", Some(("transport.soTimeout", Safety::Safe)));
        check(
            "tcp",
            "wireFormat.maxInactivityDurationInitialDelay",
            Some(("wireFormat.maxInactivityDurationInitalDelay", Safety::Safe)),
        );
        check("tcp", "colour", None);
    }

    #[test]
    fn a_wrong_or_missing_prefix_is_put_right() {
        check("tcp", "wireformat.maxFrameSize", Some(("wireFormat.maxFrameSize", Safety::Safe)));
        check("tcp", "maxFrameSize", Some(("wireFormat.maxFrameSize", Safety::Safe)));
        check("stomp", "maxFrameSize", Some(("transport.maxFrameSize", Safety::Shown)));
        check("tcp", "transprt.soTimeout", Some(("transport.soTimeout", Safety::Safe)));
        check("tcp", "socket.keepAlive", Some(("transport.keepAlive", Safety::Safe)));
    }

    #[test]
    fn what_xml_left_over_is_taken_off() {
        check("tcp", "amp;maximumConnections", Some(("maximumConnections", Safety::Safe)));
        check("tcp", "amp;maxFrameSize", Some(("wireFormat.maxFrameSize", Safety::Safe)));
    }
}
