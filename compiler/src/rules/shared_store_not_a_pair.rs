//! TOPO0411 shared-store-not-a-pair: two brokers on one store that are no master and slave.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report};
use crate::model::{Broker, BrokerId, Model, Store, StoreKind};
use crate::network::node;
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0411",
    name: "shared-store-not-a-pair",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "two brokers that use one store and are no pair",
    page: include_str!("shared_store_not_a_pair.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete {
        return;
    }
    let mut first: HashMap<Place, (BrokerId, &Broker)> = HashMap::new();
    for (id, broker, place) in placed(context.model) {
        match first.get(&place) {
            Some((other, user)) if *other != id => report.add(found(user, broker)),
            Some(_) => {}
            None => drop(first.insert(place, (id, broker))),
        }
    }
}

/// Two stores of one place are one store.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Place {
    /// `None` where every host sees the same.
    host: Option<String>,
    text: String,
}

/// Every broker with a store that another one could get at: the broker that stands for it, itself, and the place.
fn placed(model: &Model) -> Vec<(BrokerId, &Broker, Place)> {
    let brokers = || (0..).map(BrokerId).zip(&model.brokers);
    let stores = || brokers().filter_map(|(id, broker)| Some((id, broker, text(broker.store.as_ref()?)?)));
    let reaches = |broker: &Broker| broker.store.as_ref().is_some_and(|store| store.shared);
    let shared: HashSet<String> = stores().filter(|(_, broker, _)| reaches(broker)).map(|(_, _, text)| text).collect();
    let place = |broker: &Broker, text: String| {
        let everywhere = shared.contains(&text) || is_remote(&text);
        Place { host: (!everywhere).then(|| broker.host.value.to_lowercase()), text }
    };
    stores().map(|(id, broker, text)| (node(model, id), broker, place(broker, text))).collect()
}

/// A directory or URL in one spelling. What hangs on a variable of each broker's own environment is left out.
fn text(store: &Store) -> Option<String> {
    let place = &store.place.as_ref()?.value;
    let known = !place.contains("${") && store.kind != StoreKind::Memory;
    known.then(|| place.trim_end_matches('/').to_owned())
}

/// A database on a host of its own is one for all who name it.
fn is_remote(text: &str) -> bool {
    let authority = text.strip_prefix("jdbc:").and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    authority.is_some_and(|host| !host.starts_with("localhost") && !host.starts_with("127."))
}

fn found(first: &Broker, again: &Broker) -> Diagnostic {
    let (one, other) = (&first.name.value, &again.name.value);
    let store = |broker: &Broker| broker.store.as_ref().map(|store| store.place.as_ref().map_or(store.at, |at| at.at));
    let message = format!("brokers `{one}` and `{other}` use one store and are no pair");
    Diagnostic::new(&RULE, store(again).unwrap_or(again.at), message)
        .here(format!("`{other}` starts, waits for the lock for ever and opens no port"))
        .also_at(store(first), format!("the store of `{one}`"))
        .help(format!(
            "give `{other}` a store of its own; if it is to stand by, write `pair {one}-pair {{ master = {one}; slave = {other} }}`"
        ))
}
