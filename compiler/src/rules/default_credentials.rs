//! TOPO0703 default-credentials: a user with the password that everybody knows from a distribution or a tutorial.

use super::{Check, Context, FixKind, Level, Rule, literal_password, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Dialer, RawUri, Set};
use crate::uri::Uri;
use crate::value::Secret;
use std::collections::HashSet;
use std::ops::Range;
use topoc_dsl::syntax::decode;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0703",
    name: "default-credentials",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a user with a password that comes with ActiveMQ or stands in every tutorial",
    page: include_str!("default_credentials.md"),
    check: Check::Model(check),
};

/// Users and their passwords as they are shipped: ActiveMQ's `credentials.properties`, `users.properties`,
/// `jetty-realm.properties` and `activemq-security.xml` (5.6 to 6.3.1), images and products made of it, and a database's.
const KNOWN: &[(&str, &str)] = &[
    ("activemq", "activemq"),
    ("admin", "activemq"),
    ("admin", "admin"),
    ("admin", "password"),
    ("artemis", "artemis"),
    ("guest", "guest"),
    ("guest", "password"),
    ("karaf", "karaf"),
    ("postgres", "postgres"),
    ("root", "root"),
    ("smx", "smx"),
    ("system", "manager"),
    ("user", "password"),
    ("user", "user"),
];

/// A user with a known password. Never holds it.
struct Found {
    at: Loc,
    user: String,
    whose: String,
    /// What may be put in its place.
    instead: Option<String>,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    let mut found = Vec::new();
    for broker in &model.brokers {
        of_broker(context, broker, &mut found);
    }
    for (kind, dialer) in model.dialers() {
        of_dialer(context, kind, dialer, &mut found);
    }
    for bridge in &model.bridges {
        let whose = || format!("bridge `{}`", bridge.name.value);
        found.extend(field(context, bridge.user.as_ref(), bridge.password.as_ref(), whose));
        if let (Some(password), Some(user)) = (bridge.remote_password(), bridge.remote_user()) {
            let user = Set { value: user.value.to_string(), at: user.value_at };
            found.extend(field(context, Some(&user), Some(&password), whose));
        }
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for found in found {
        if seen.insert(found.at) {
            report.add(diagnostic(found));
        }
    }
}

fn diagnostic(found: Found) -> Diagnostic {
    let Found { at, user, whose, instead } = found;
    let diagnostic =
        Diagnostic::new(&RULE, at, format!("user `{user}` of {whose} has a password that everybody knows"))
            .here("whoever tries a distribution's own users is let in");
    match instead {
        Some(text) => diagnostic
            .help(format!("choose another password, put it into the environment, and write `{text}`"))
            .fix("take one from the environment", Safety::Unsafe, at, text),
        None => diagnostic.help("choose another password, and write a placeholder such as `${PASSWORD}`"),
    }
}

fn of_broker(context: &Context<'_>, broker: &Broker, found: &mut Vec<Found>) {
    let whose = || format!("broker `{}`", broker.name.value);
    for user in broker.users.iter().flat_map(|users| &users.users) {
        found.extend(field(context, Some(&user.name), user.password.as_ref(), whose));
    }
    if let Some(store) = &broker.store {
        let whose = || format!("the database of broker `{}`", broker.name.value);
        found.extend(field(context, store.user.as_ref(), store.password.as_ref(), whose));
    }
    for raw in &broker.raw_xml {
        for (user, password) in in_xml(&raw.value) {
            let at = place::inside_raw_xml(context, raw, password);
            found.push(Found { at, user: user.to_owned(), whose: whose(), instead: None });
        }
    }
}

fn of_dialer(context: &Context<'_>, kind: &str, dialer: &Dialer, found: &mut Vec<Found>) {
    let whose = || format!("{kind} `{}`", dialer.name.value);
    found.extend(field(context, dialer.user.as_ref(), dialer.password.as_ref(), whose));
    found.extend(dialer.raw.as_ref().and_then(|raw| in_raw_uri(context, raw, whose)));
}

/// The fields `user` and `password`. What a literal says is read from the text, since the model does not keep it.
fn field(
    context: &Context<'_>,
    user: Option<&Set<String>>,
    password: Option<&Set<Secret>>,
    whose: impl Fn() -> String,
) -> Option<Found> {
    let user = &user?.value;
    let password = password.filter(|password| password.value == Secret::Literal)?;
    // Most users are nobody's default.
    if !KNOWN.iter().any(|(known, _)| known == user) {
        return None;
    }
    let at = place::behind_let(context, password.at);
    let text = decode(context.sources.text(at)).ok()?;
    let instead = format!("secret(\"env:{}\")", literal_password::variable(user));
    is_known(user, &text).then(|| Found { at, user: user.clone(), whose: whose(), instead: Some(instead) })
}

fn is_known(user: &str, password: &str) -> bool {
    KNOWN.contains(&(user, password))
}

/// The options with which the Java client takes them out of a URI: `jms.userName` and `jms.password`.
fn in_raw_uri(context: &Context<'_>, raw: &RawUri, whose: impl Fn() -> String) -> Option<Found> {
    let uri: &Uri = raw.uri.as_ref().ok()?;
    let text = &raw.text.value;
    let option = |name: &str| uri.options.iter().find(|option| option.key.text(text) == name);
    let (user, password) = (option("jms.userName")?, option("jms.password")?);
    let user = user.value.text(text);
    is_known(user, password.value.text(text)).then(|| Found {
        at: place::inside(context, raw, password.value.range()),
        user: user.to_owned(),
        whose: whose(),
        instead: None,
    })
}

/// Elements such as `<authenticationUser username="..." password="..."/>`: the user, and where the password is.
fn in_xml(xml: &str) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    for tag in xml.split('<') {
        let start = at;
        at += tag.len() + 1;
        let user = ["username", "userName", "user"].iter().find_map(|name| attribute(tag, name));
        let (Some(user), Some(password)) = (user, attribute(tag, "password")) else { continue };
        let (Some(user), Some(text)) = (tag.get(user), tag.get(password.clone())) else { continue };
        if is_known(user, text) {
            found.push((user, start + password.start..start + password.end));
        }
    }
    found
}

/// The value of an attribute in the text of a tag.
fn attribute(tag: &str, name: &str) -> Option<Range<usize>> {
    let key = tag.match_indices(name).map(|(start, _)| start).find(|start| {
        let before = tag.get(..*start).and_then(|before| before.chars().next_back());
        let after = tag.get(start + name.len()..).map(str::trim_start);
        before.is_some_and(char::is_whitespace) && after.is_some_and(|after| after.starts_with('='))
    })?;
    let open = key + tag.get(key..)?.find(['"', '\''])?;
    let quote = tag.get(open..)?.chars().next()?;
    let length = tag.get(open + 1..)?.find(quote)?;
    Some(open + 1..open + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_searched_for_users_with_known_passwords() {
        for (xml, expected) in [
            (r#"<authenticationUser username="admin" password="admin" groups="g"/>"#, Some("admin")),
            ("<a/>\n<authenticationUser\n  password='manager'\n  username = 'system'/>", Some("manager")),
            (r#"<authenticationUser username="admin" password="${ADMIN}"/>"#, None),
            (r#"<authenticationUser username="admin"/><a password="admin"/>"#, None),
            (r#"<a username="gc" password="gc"/>"#, None),
            (r#"<a username="admin" password="#, None),
        ] {
            let found = in_xml(xml);
            assert_eq!(found.first().map(|(_, range)| &xml[range.clone()]), expected, "{xml}");
        }
    }

    #[test]
    fn nobody_is_known_by_a_password_alone() {
        assert!(is_known("system", "manager"));
        assert!(!is_known("gc", "password"));
        assert!(!is_known("Admin", "Tuesday-7"));
    }
}
