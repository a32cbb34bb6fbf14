//! TOPO0503 forbidden-character: a name with a character that separates the parts of a connector's messages.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Client, Deployment, Set};
use std::collections::HashSet;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0503",
    name: "forbidden-character",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a name with a character that separates the parts of a connector's messages",
    page: include_str!("forbidden_character.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for client in &context.model.clients {
        let names = [("client-id", &client.client_id), ("reply-queue", &client.reply_queue)];
        for (field, name) in names.into_iter().filter_map(|(field, name)| Some((field, name.as_ref()?))) {
            if let Some(bad) = name.value.chars().find(|c| is_forbidden(*c)).filter(|_| seen.insert(name.at)) {
                report.add(found(client, field, name, bad));
            }
        }
    }
    for deployment in context.model.deployments.iter().filter(|deployment| deployment.requests.contains(',')) {
        if let Some(at) = deployment.requests_at.filter(|at| seen.insert(*at)) {
            report.add(two_queues(deployment, at));
        }
    }
}

/// `Command#agent` and a body with commas between its parts; the connector's documents forbid `|` and blanks as well.
fn is_forbidden(c: char) -> bool {
    matches!(c, ',' | '#' | '|') || c.is_whitespace()
}

/// Only a comma: nothing carries the name of the request queue, but ActiveMQ itself reads two names in it.
fn two_queues(deployment: &Deployment, at: Loc) -> Diagnostic {
    let message = format!("the request queue of deployment `{}` has `,` in its name", deployment.name.value);
    Diagnostic::new(&RULE, at, message)
        .here("ActiveMQ reads several queues here and puts each request into all of them")
        .help("name one queue")
}

fn found(client: &Client, field: &str, name: &Set<String>, bad: char) -> Diagnostic {
    let shown = if bad.is_whitespace() { "white space".to_owned() } else { format!("`{bad}`") };
    let message = format!("the {field} of client `{}` has {shown} in it", client.dialer.name.value);
    let plain: String = name.value.chars().map(|c| if is_forbidden(c) { '-' } else { c }).collect();
    Diagnostic::new(&RULE, name.at, message)
        .here("cut apart where a message carries it")
        .help(format!("write `{field} = {}`; letters, digits, `.`, `-` and `_` are safe", quote(&plain)))
        .fix("write `-` instead", Safety::Unsafe, name.at, quote(&plain))
}
