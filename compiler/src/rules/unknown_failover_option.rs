//! TOPO0301 unknown-failover-option: an option that the failover transport, or an address, does not know.

use super::{Check, Context, FixKind, Level, Rule, dialled, option_on_last_broker, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety, Severity};
use crate::dialling::{self, DialledAddress, Dialling, is_failover};
use crate::kebab::kebab;
use crate::model::{RawUri, Remote, Setting};
use crate::options;
use crate::suggest;
use crate::uri::{Uri, UriOption};
use std::collections::HashSet;
use topoc_dsl::Span;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0301",
    name: "unknown-failover-option",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "an option that the failover transport, or an address, does not know",
    page: include_str!("unknown_failover_option.md"),
    check: Check::Model(check),
};

/// The option names that ActiveMQ leaves to the JMS connection, on the outermost URI only.
const JMS: &str = "jms.";

fn check(context: &Context<'_>, report: &mut Report) {
    let diallings: Vec<&Dialling<'_>> = dialled::all(context).collect();
    for dialling in &diallings {
        if let Some((raw, uri)) = dialling.uri() {
            in_uri(context, raw, uri, &dialling.who(), report);
        }
    }
    for (bridge, raw, uri) in dialled::bridge_lists(context) {
        let who = format!("bridge `{}`", bridge.name.value);
        let mut refused = Vec::new();
        uri.members().iter().for_each(|member| collect(member, &raw.text.value, false, &mut refused));
        say(context, raw, refused, &who, report);
        let unread = uri.options.iter().filter(|option| is_unread(uri, option, &raw.text.value));
        unread.for_each(|option| report.add(unread_found(context, raw, uri, option, &who)));
    }
    let mut seen = HashSet::new();
    for dialling in &diallings {
        in_block(context, &dialling.dialer.options, &dialling.addresses, &dialling.who(), &mut seen, report);
    }
    for bridge in context.model.bridges.iter().filter(|bridge| !bridge.options.is_empty()) {
        let Remote::Broker(far) = &bridge.to else { continue };
        let site = context.model.broker(bridge.from.broker).site;
        let addresses = dialling::reached(context.model, site, far);
        let who = format!("bridge `{}`", bridge.name.value);
        in_block(context, &bridge.options, &addresses, &who, &mut seen, report);
    }
}

fn in_uri(context: &Context<'_>, raw: &RawUri, uri: &Uri, who: &str, report: &mut Report) {
    say(context, raw, unknown(uri, &raw.text.value), who, report);
}

fn say(context: &Context<'_>, raw: &RawUri, refused: Vec<(&Uri, &UriOption)>, who: &str, report: &mut Report) {
    for (on, option) in refused {
        let key = place::inside(context, raw, option.key.range());
        let editable = dialled::editable(context, raw, option.key.range());
        let text = &raw.text.value;
        let unknown = Unknown {
            name: on.decoded(text, option.key),
            value: on.decoded(text, option.value),
            scheme: on.scheme.text(text),
        };
        report.add(found(&unknown, who, key, editable));
    }
}

/// Whether the agent of a bridge ignores an option. What belongs to a failover inside has a rule of its own.
fn is_unread(uri: &Uri, option: &UriOption, text: &str) -> bool {
    let (agent, name) = (uri.scheme.text(text), uri.decoded(text, option.key));
    let holds_failover = uri.members().iter().any(|member| is_failover(member, text));
    let misplaced = holds_failover && options::failover_option(&name).is_some();
    !misplaced && !name.contains("${") && options::discovery_option(agent, &name).is_none()
}

/// An option behind the list of a bridge, which the agent does not know and nobody else is given.
fn unread_found(context: &Context<'_>, raw: &RawUri, uri: &Uri, option: &UriOption, who: &str) -> Diagnostic {
    let text = &raw.text.value;
    let (agent, name) = (uri.scheme.text(text), uri.decoded(text, option.key));
    let at = place::inside(context, raw, option.key.range());
    let message = format!("{who} uses `{name}`, which is no option of `{agent}:`");
    let diagnostic =
        Diagnostic::new(&RULE, at, message).level(Severity::Warning).here("the broker ignores it silently");
    if let Some(rest) = name.strip_prefix("amp;") {
        let help = format!("write `&{rest}`: topoc escapes what it writes into XML");
        return match dialled::editable(context, raw, option.key.range()) {
            Some(at) => diagnostic.help(help).fix(format!("write `{rest}`"), Safety::Safe, at, rest.to_owned()),
            None => diagnostic.help(help),
        };
    }
    let names = options::discovery_options(agent).map(|spec| spec.name).filter(|name| !name.ends_with('*'));
    match suggest::suggest(&name, names) {
        _ if options::client_option("ssl", &name).is_some() => {
            diagnostic.help(format!("write `{name}` behind the address, or `discovered.{name}` here"))
        }
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("remove `{name}`: nothing reads it")),
    }
}

/// Whether ActiveMQ refuses a URI because of an option.
pub(super) fn refuses(uri: &Uri, text: &str) -> bool {
    !unknown(uri, text).is_empty()
}

/// The options that ActiveMQ refuses, each with the URI that it belongs to.
fn unknown<'u>(uri: &'u Uri, text: &str) -> Vec<(&'u Uri, &'u UriOption)> {
    let mut found = Vec::new();
    collect(uri, text, true, &mut found);
    found
}

fn collect<'u>(uri: &'u Uri, text: &str, outermost: bool, found: &mut Vec<(&'u Uri, &'u UriOption)>) {
    let refused = |option: &&UriOption| {
        let name = uri.decoded(text, option.key);
        !name.contains("${") && !is_known(uri.scheme.text(text), &name, outermost)
    };
    found.extend(uri.options.iter().filter(refused).map(|option| (uri, option)));
    // What stands behind a list without parentheses has a rule of its own.
    let members = uri.members();
    let judged = members.len() - usize::from(option_on_last_broker::is_one(uri, text));
    for member in members.iter().take(judged) {
        collect(member, text, false, found);
    }
}

/// Whether a dialled URI of this scheme takes an option. Schemes without a table take any.
fn is_known(scheme: &str, name: &str, outermost: bool) -> bool {
    let internal = || scheme == "failover" && options::FAILOVER_INTERNAL.contains(&name);
    let connection = outermost && name.starts_with(JMS);
    // `auto.` is taken off only where an address stands alone (`options::CLIENT_TCP`).
    let known = options::client_option(scheme, name).is_some_and(|spec| outermost || spec.name != "auto.*");
    connection || known || internal() || options::client_options(scheme).next().is_none()
}

/// Options of each address, from `options { }`. What a `defaults` block says is said once.
fn in_block(
    context: &Context<'_>,
    options: &[Setting],
    addresses: &[DialledAddress],
    who: &str,
    seen: &mut HashSet<Loc>,
    report: &mut Report,
) {
    for setting in options {
        let mut schemes = addresses.iter().map(|address| address.scheme.as_str());
        let refusing = schemes.find(|scheme| !is_known(scheme, &setting.real, false));
        if let Some(scheme) = refusing.filter(|_| seen.insert(setting.at)) {
            let (key, editable) = key_of(context, setting);
            let unknown = Unknown { name: setting.real.to_string(), value: setting.value.to_string(), scheme };
            report.add(found(&unknown, who, key, editable));
        }
    }
}

/// Where the name of a setting stands, without its quotes.
fn key_of(context: &Context<'_>, setting: &Setting) -> (Loc, Option<Loc>) {
    let start = setting.at.span.start as usize;
    let key = Loc { span: Span::new(start + 1, start + 1 + setting.real.len()), ..setting.at };
    let as_written = context.sources.text(key) == setting.real;
    if as_written { (key, Some(key)) } else { (setting.at, None) }
}

/// An option that is refused, and what refuses it.
struct Unknown<'a> {
    name: String,
    value: String,
    scheme: &'a str,
}

fn found(unknown: &Unknown<'_>, who: &str, key: Loc, editable: Option<Loc>) -> Diagnostic {
    let Unknown { name, value, scheme } = unknown;
    let message = format!("{who} uses `{name}`, which is no option of `{scheme}:`");
    let diagnostic = Diagnostic::new(&RULE, key, message)
        .here(format!("ActiveMQ refuses it: `Invalid connect parameters: {{{name}={value}}}`"));
    let advice = advice(name, scheme);
    let diagnostic = diagnostic.help(advice.help);
    match (advice.right, editable) {
        (Some((right, safety)), Some(at)) => diagnostic.fix(format!("write `{right}`"), safety, at, right),
        _ => diagnostic,
    }
}

/// What to do about a name, and the right one where it is known.
struct Advice {
    help: String,
    right: Option<(String, Safety)>,
}

fn advice(name: &str, scheme: &str) -> Advice {
    let only = |help: String| Advice { help, right: None };
    let failover = matches!(scheme, "failover" | "discovery");
    if let Some(rest) = name.strip_prefix("amp;") {
        let help = format!("write `&{rest}`: `&amp;` is how XML writes `&`, and this is no XML");
        return Advice { help, right: Some((rest.to_owned(), Safety::Safe)) };
    }
    match options::failover_wrong_name(name).filter(|_| failover).map(|wrong| (wrong, wrong.right)) {
        Some((_, Some(right))) => {
            let help = format!("write `{right}`, which is what `{scheme}:` calls it");
            return Advice { help, right: Some((right.to_owned(), Safety::Safe)) };
        }
        Some((wrong, None)) => return only(format!("remove `{name}`: {}", wrong.doc)),
        None => {}
    }
    if failover && options::client_option("ssl", name).is_some() {
        return only(format!(
            "write `{name}` behind each address, or `nested.{name}` here: it belongs to the connection"
        ));
    }
    if let Some(rest) = name.strip_prefix("nested.").filter(|rest| !failover && is_known(scheme, rest, false)) {
        let help = format!("write `{rest}`: what stands here goes to the address anyway");
        return Advice { help, right: Some((rest.to_owned(), Safety::Safe)) };
    }
    if !failover && options::client_option("ssl", name).is_some_and(|spec| spec.name != "auto.*") {
        return only(format!("remove `{name}`, or dial with `ssl:`: it is an option of TLS"));
    }
    if !failover && options::failover_option(name).is_some() {
        let field = kebab(name);
        return only(format!("write `{field}` in `failover {{ }}`, or `{name}` behind `failover:(...)` of a raw URI"));
    }
    if name.starts_with(JMS) {
        return only(format!("write `{name}` behind the outermost URI, where the connection looks for it"));
    }
    near(name, scheme)
        .unwrap_or_else(|| only(format!("remove `{name}`, or correct it: no release of ActiveMQ knows it")))
}

fn near(name: &str, scheme: &str) -> Option<Advice> {
    let names = || options::client_options(scheme).map(|spec| spec.name).filter(|name| !name.ends_with('*'));
    let near = suggest::suggest(name, names())?;
    // Long names are near to many; one letter amiss still leaves no doubt.
    let one_slip = strsim::damerau_levenshtein(name, near) == 1;
    let safety = if one_slip || suggest::only_near(name, names()) { Safety::Safe } else { Safety::Shown };
    Some(Advice { help: format!("did you mean `{near}`?"), right: Some((near.to_owned(), safety)) })
}
