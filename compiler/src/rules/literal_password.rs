//! TOPO0701 literal-password: a password that stands in the file itself.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{
    Bridge, Broker, Connector, Dialer, Listener, PropertyValue, RawUri, Remote, Set, Setting, SettingValue,
};
use crate::secrets::{is_literal, is_secret_name};
use crate::uri::{Uri, UriKind};
use crate::value::Secret;
use std::collections::HashSet;
use std::ops::Range;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0701",
    name: "literal-password",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a password, key or token that stands in the file itself",
    page: include_str!("literal_password.md"),
    check: Check::Model(check),
};

/// A secret that was found. Never holds its text.
struct Found {
    at: Loc,
    /// Whose it is, as the beginning of a sentence.
    whose: String,
    help: String,
    /// What may be put in its place.
    instead: Option<String>,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut found = Vec::new();
    for broker in &context.model.brokers {
        of_broker(context, broker, &mut found);
    }
    for (kind, dialer) in context.model.dialers() {
        of_dialer(context, kind, dialer, &mut found);
    }
    for connector in &context.model.connectors {
        of_connector(context, connector, &mut found);
    }
    for deployment in &context.model.deployments {
        let name = &deployment.name.value;
        let keys = [(&deployment.sync_key, "sync-key"), (&deployment.other_sync_key, "other-sync-key")];
        for (key, field) in keys {
            let whose = format!("`{field}` of deployment `{name}`");
            found.extend(literal(context, key.as_ref(), whose, &upper(field)));
        }
    }
    for bridge in &context.model.bridges {
        of_bridge(context, bridge, &mut found);
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for found in found {
        if seen.insert(found.at) {
            report.add(diagnostic(found));
        }
    }
}

fn diagnostic(found: Found) -> Diagnostic {
    let message = format!("{} is written into the file", found.whose);
    let diagnostic = Diagnostic::new(&RULE, found.at, message)
        .here("whoever can read this file or its history has it")
        .help(found.help);
    match found.instead {
        Some(text) => diagnostic.fix("take it from the environment", Safety::Unsafe, found.at, text),
        None => diagnostic,
    }
}

fn of_broker(context: &Context<'_>, broker: &Broker, found: &mut Vec<Found>) {
    let name = &broker.name.value;
    for user in broker.users.iter().flat_map(|users| &users.users) {
        let whose = format!("the password of user `{}` of broker `{name}`", user.name.value);
        found.extend(literal(context, user.password.as_ref(), whose, &variable(&user.name.value)));
    }
    let told = |listener: &&Listener| listener.raw.is_some() || !listener.settings.is_empty();
    for listener in broker.listeners.iter().filter(told) {
        let whose = format!("listener `{}` of broker `{name}`", listener.name.value);
        let help = "take it out; Java has system properties for key stores: `-Djavax.net.ssl.keyStorePassword`";
        found.extend(listener.settings.iter().filter_map(|setting| of_setting(setting, &whose, help)));
        found.extend(listener.raw.iter().flat_map(|raw| of_uri(context, raw, &whose, help)));
    }
    if let Some(store) = &broker.store {
        let whose = format!("the database password of broker `{name}`");
        let variable =
            store.user.as_ref().map_or_else(|| variable(&format!("{name}_db")), |user| variable(&user.value));
        let help = format!("take it out of the URL and write `password = secret(\"env:{variable}\")`");
        let in_url = store.place.as_ref().filter(|url| holds_secret(&url.value));
        found.extend(in_url.map(|url| Found { at: url.at, whose: whose.clone(), help, instead: None }));
        found.extend(literal(context, store.password.as_ref(), whose, &variable));
    }
    for raw in &broker.raw_xml {
        found.extend(of_xml(context, raw, name));
    }
}

fn of_dialer(context: &Context<'_>, kind: &str, dialer: &Dialer, found: &mut Vec<Found>) {
    let quiet = dialer.password.is_none() && dialer.raw.is_none() && dialer.properties.is_empty();
    if quiet && dialer.failover.is_empty() && dialer.options.is_empty() {
        return;
    }
    let name = &dialer.name.value;
    let variable_of_user = variable(dialer.user.as_ref().map_or(name, |user| &user.value));
    let whose = format!("the password of {kind} `{name}`");
    found.extend(literal(context, dialer.password.as_ref(), whose, &variable_of_user));
    for (key, value) in &dialer.properties {
        let PropertyValue::Text(text) = value else { continue };
        if is_secret_name(&key.value) && is_literal(&text.value) {
            let instead = format!("secret(\"env:{}\")", upper(&key.value));
            let whose = format!("the value of property `{}` of {kind} `{name}`", key.value);
            let direct = context.sources.text(text.at).starts_with('"');
            found.push(Found {
                at: text.at,
                whose,
                help: format!("write `{instead}`"),
                instead: direct.then_some(instead),
            });
        }
    }
    let whose = format!("{kind} `{name}`");
    let help = format!("take it out and write `user` and `password = secret(\"env:{variable_of_user}\")`");
    let settings = dialer.failover.iter().chain(&dialer.options);
    found.extend(settings.filter_map(|setting| of_setting(setting, &whose, &help)));
    found.extend(dialer.raw.iter().flat_map(|raw| of_uri(context, raw, &whose, &help)));
}

/// What a connector has beside what clients have too.
fn of_connector(context: &Context<'_>, connector: &Connector, found: &mut Vec<Found>) {
    let name = &connector.dialer.name.value;
    let secrets = [(&connector.admin_token, "admin-token"), (&connector.tls.broker_private_key, "broker-private-key")];
    for (secret, field) in secrets.into_iter().filter(|(secret, _)| secret.is_some()) {
        let whose = format!("`{field}` of connector `{name}`");
        found.extend(literal(context, secret.as_ref(), whose, &upper(&format!("{name}-{field}"))));
    }
}

fn of_bridge(context: &Context<'_>, bridge: &Bridge, found: &mut Vec<Found>) {
    let found_by_name = matches!(bridge.to, Remote::Broker(_)) && bridge.raw.is_none();
    if found_by_name && bridge.password.is_none() && bridge.settings.is_empty() && bridge.options.is_empty() {
        return;
    }
    let name = &bridge.name.value;
    let variable = variable(bridge.user.as_ref().map_or(name, |user| &user.value));
    let whose = format!("the password of bridge `{name}`");
    found.extend(literal(context, bridge.password.as_ref(), whose, &variable));
    let remote = remote_variable(bridge);
    let remote_whose = format!("the remote password of bridge `{name}`");
    found.extend(literal(context, bridge.remote_password().as_ref(), remote_whose, &remote));
    let whose = format!("bridge `{name}`");
    let help = format!("write `user` and `password = secret(\"env:{variable}\")`, which hold at both brokers");
    let settings = bridge.settings.iter().chain(&bridge.options);
    found.extend(settings.filter_map(|setting| of_setting(setting, &whose, &help)));
    let discovery = match &bridge.to {
        Remote::Discovery(raw) => Some(raw),
        Remote::Broker(_) => None,
    };
    found.extend(bridge.raw.iter().chain(discovery).flat_map(|raw| of_uri(context, raw, &whose, &help)));
}

/// The environment variable for the password of a bridge at its far broker.
pub(super) fn remote_variable(bridge: &Bridge) -> String {
    match bridge.remote_user().map(|user| &user.value) {
        Some(SettingValue::Text(user)) => variable(user),
        _ => variable(&format!("{}_remote", bridge.name.value)),
    }
}

/// A field that takes `secret(...)`. Behind a `let` the place is where that has its value.
fn literal(context: &Context<'_>, secret: Option<&Set<Secret>>, whose: String, variable: &str) -> Option<Found> {
    let secret = secret.filter(|secret| secret.value == Secret::Literal)?;
    let instead = format!("secret(\"env:{variable}\")");
    let help = format!("write `{instead}`, put the password into that variable, and change it if others saw this file");
    Some(Found { at: place::behind_let(context, secret.at), whose, help, instead: Some(instead) })
}

fn of_setting(setting: &Setting, whose: &str, help: &str) -> Option<Found> {
    let SettingValue::Text(text) = &setting.value else { return None };
    let secret = is_secret_name(&setting.real) && is_literal(text);
    secret.then(|| Found {
        at: setting.value_at,
        whose: format!("`{}` of {whose}", setting.name),
        help: help.to_owned(),
        instead: None,
    })
}

fn of_uri(context: &Context<'_>, raw: &RawUri, whose: &str, help: &str) -> Vec<Found> {
    let Ok(uri) = &raw.uri else { return Vec::new() };
    let mut secrets = Vec::new();
    in_uri(uri, &raw.text.value, &mut secrets);
    let found = secrets.into_iter().map(|(what, range)| Found {
        at: place::inside(context, raw, range),
        whose: format!("{what} in the `uri` of {whose}"),
        help: help.to_owned(),
        instead: None,
    });
    found.collect()
}

/// Passwords before a host and options named like one, in this URI and those inside it.
fn in_uri(uri: &Uri, text: &str, secrets: &mut Vec<(String, Range<usize>)>) {
    if let UriKind::Address { host, .. } = &uri.kind
        && let Some(range) = user_info(text, uri.scheme.end..host.start)
    {
        secrets.push(("a password".to_owned(), range));
    }
    for option in &uri.options {
        let name = uri.decoded(text, option.key);
        if is_secret_name(&name) && is_literal(option.value.text(text)) {
            secrets.push((format!("`{name}`"), option.value.range()));
        }
    }
    for member in uri.members() {
        in_uri(member, text, secrets);
    }
}

/// The password of `://user:password@`, which is all that stands between scheme and host.
fn user_info(text: &str, between: Range<usize>) -> Option<Range<usize>> {
    let piece = text.get(between.clone())?;
    let info = piece.strip_prefix("://")?.strip_suffix('@')?;
    let (user, password) = info.split_once(':')?;
    let start = between.start + "://".len() + user.len() + 1;
    is_literal(password).then(|| start..start + password.len())
}

/// A JDBC URL with a password: as a parameter, or before the host.
fn holds_secret(url: &str) -> bool {
    let parameters = url.split(['?', '&', ';']).filter_map(|part| part.split_once('='));
    let by_name = parameters.into_iter().any(|(name, value)| is_secret_name(name) && is_literal(value));
    let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', ';']).next().unwrap_or(rest));
    let info = authority.and_then(|authority| authority.rsplit_once('@')).map(|(info, _)| info);
    by_name || info.and_then(|info| info.split_once(':')).is_some_and(|(_, password)| is_literal(password))
}

/// Attributes named like a password, and `<property name="password" value="...">`, in XML written by hand.
fn of_xml(context: &Context<'_>, raw: &Set<String>, broker: &str) -> Vec<Found> {
    let found = xml_secrets(&raw.value).into_iter().map(|(name, range)| Found {
        at: place::inside_raw_xml(context, raw, range),
        whose: format!("`{name}` in the `raw-xml` of broker `{broker}`"),
        help: "write a placeholder such as `${PASSWORD}`, or use the fields that take `secret(...)`".to_owned(),
        instead: None,
    });
    found.collect()
}

fn xml_secrets(xml: &str) -> Vec<(String, Range<usize>)> {
    let mut secrets = Vec::new();
    let mut named = None;
    let mut at = 0;
    while let Some(next) = xml.get(at..).and_then(|rest| rest.find(['=', '<'])) {
        let sign = at + next;
        at = sign + 1;
        if xml.as_bytes().get(sign) == Some(&b'<') {
            named = None;
            continue;
        }
        let Some(value) = quoted(xml, at) else { continue };
        let before = xml.get(..sign).unwrap_or_default().trim_end();
        let name = before.rsplit(|c: char| c.is_whitespace() || c == '"' || c == '\'').next().unwrap_or_default();
        let text = xml.get(value.clone()).unwrap_or_default();
        at = value.end + 1;
        match name {
            "name" if is_secret_name(text) => named = Some(text),
            "value" if named.is_some() && is_literal(text) => {
                secrets.push((named.unwrap_or_default().to_owned(), value));
            }
            name if is_secret_name(name) && is_literal(text) => secrets.push((name.to_owned(), value)),
            _ => {}
        }
    }
    secrets
}

/// The text between quotes that begins at `at`, blanks left aside.
fn quoted(xml: &str, at: usize) -> Option<Range<usize>> {
    let rest = xml.get(at..)?;
    let start = at + rest.len() - rest.trim_start().len();
    let quote = xml.get(start..)?.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let length = xml.get(start + 1..)?.find(quote)?;
    Some(start + 1..start + 1 + length)
}

/// The environment variable for the password of someone: `GC_PASSWORD` for `gc`.
pub(super) fn variable(whose: &str) -> String {
    format!("{}_PASSWORD", upper(whose))
}

fn upper(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_literal() {
        assert!(holds_secret("jdbc:postgresql://db/amq?user=amq&password=x"));
        assert!(holds_secret("jdbc:mysql://amq:x@db:3306/amq"));
        assert!(holds_secret("jdbc:sqlserver://db;user=amq;Password=x"));
        assert!(!holds_secret("jdbc:postgresql://db/amq?user=amq&password=${DB_PASSWORD}"));
        assert!(!holds_secret("jdbc:postgresql://amq@db/amq"));
        assert!(!holds_secret("jdbc:derby:/var/lib/activemq;create=true"));
    }

    #[test]
    fn xml_is_searched_by_the_names_of_attributes() {
        for (xml, expected) in [
            (r#"<authenticationUser username="a" password="x" groups="g"/>"#, Some("x")),
            (r#"<authenticationUser username="a" password = 'x'/>"#, Some("x")),
            (r#"<property name="password" value="x"/>"#, Some("x")),
            (r#"<property name="password" value="${P}"/>"#, None),
            (r#"<property name="password"/><property value="x"/>"#, None),
            (r#"<jaasAuthenticationPlugin configuration="activemq"/>"#, None),
            (r#"<a b="c"#, None),
        ] {
            let found = xml_secrets(xml);
            assert_eq!(found.first().map(|(_, range)| &xml[range.clone()]), expected, "{xml}");
        }
    }

    #[test]
    fn a_variable_is_named_for_who_needs_it() {
        for (whose, expected) in [("gc", "GC_PASSWORD"), ("amq-1", "AMQ_1_PASSWORD"), ("1st", "_1ST_PASSWORD")] {
            assert_eq!(variable(whose), expected);
        }
    }
}
