//! TOPO0704 secret-file-in-xml: a password from a file where the broker's XML can take it from the environment only.

use super::{Check, Context, FixKind, Level, Rule, literal_password, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Model, Set};
use crate::value::Secret;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0704",
    name: "secret-file-in-xml",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a password from a file where the broker's XML can take it from the environment only",
    page: include_str!("secret_file_in_xml.md"),
    check: Check::Model(check),
};

/// A password that ends up in `activemq.xml`.
struct InXml {
    secret: Set<Secret>,
    whose: String,
    variable: String,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for password in passwords(context.model) {
        let at = place::behind_let(context, password.secret.at);
        if matches!(password.secret.value, Secret::File(_)) && seen.insert(at) {
            report.add(found(at, &password));
        }
    }
}

fn passwords(model: &Model) -> Vec<InXml> {
    let mut passwords = Vec::new();
    for broker in &model.brokers {
        let name = &broker.name.value;
        for user in broker.users.iter().flat_map(|users| &users.users) {
            let whose = format!("the password of user `{}` of broker `{name}`", user.name.value);
            let variable = literal_password::variable(&user.name.value);
            passwords.extend(user.password.clone().map(|secret| InXml { secret, whose, variable }));
        }
        if let Some(store) = &broker.store {
            let whose = format!("the database password of broker `{name}`");
            let user = store.user.as_ref().map_or_else(|| format!("{name}_db"), |user| user.value.clone());
            let variable = literal_password::variable(&user);
            passwords.extend(store.password.clone().map(|secret| InXml { secret, whose, variable }));
        }
    }
    for bridge in &model.bridges {
        let whose = format!("the password of bridge `{}`", bridge.name.value);
        let user = bridge.user.as_ref().map_or(&bridge.name.value, |user| &user.value);
        let variable = literal_password::variable(user);
        passwords.extend(bridge.password.clone().map(|secret| InXml { secret, whose, variable }));
        let whose = format!("the remote password of bridge `{}`", bridge.name.value);
        let remote = bridge.remote_password().into_iter();
        passwords.extend(remote.map(|secret| InXml {
            secret,
            whose: whose.clone(),
            variable: literal_password::remote_variable(bridge),
        }));
    }
    passwords
}

fn found(at: Loc, password: &InXml) -> Diagnostic {
    let instead = format!("secret(\"env:{}\")", password.variable);
    let message = format!("{} is to come from a file, which `activemq.xml` cannot read", password.whose);
    Diagnostic::new(&RULE, at, message)
        .here("the broker fills in `${...}` from its environment only")
        .help(format!("write `{instead}`, and set the variable from the file where the broker is started"))
        .fix("take it from the environment", Safety::Unsafe, at, instead)
}
