//! What the rules about lists that brokers push share: which attributes do nothing without `update-cluster-clients`.

use super::{Context, Rule, place};
use crate::diagnostic::{Diagnostic, Edit, Loc, Safety};
use crate::dialling::pushes_list;
use crate::model::{Broker, Listener, Setting, SettingsExt};
use std::collections::HashSet;

const UPDATE: &str = "updateClusterClients";

/// The listeners that have an attribute switched on which `update-cluster-clients` alone makes work, and have not that.
/// What a `defaults` block says is said once.
pub(super) fn idle<'c>(context: &Context<'c>, attribute: &str) -> Vec<(&'c Broker, &'c Listener, &'c Setting)> {
    let model = context.model;
    // What could not be read may be the very attribute that is missing.
    let brokers = model.brokers.iter().filter(|broker| !model.incomplete && !broker.damaged);
    let listeners = brokers.flat_map(|broker| broker.listeners.iter().map(move |listener| (broker, listener)));
    let mut seen: HashSet<Loc> = HashSet::new();
    let idle = listeners.filter_map(|(broker, listener)| {
        let on = listener.settings.bool(attribute) == Some(true) && !pushes_list(listener);
        let setting = listener.settings.find(attribute).filter(|_| on)?;
        seen.insert(setting.at).then_some((broker, listener, setting))
    });
    idle.collect()
}

/// A finding about one of them. `does` is what the listener is told to do.
pub(super) fn found(
    context: &Context<'_>,
    rule: &'static Rule,
    (broker, listener, setting): (&Broker, &Listener, &Setting),
    does: &str,
) -> Diagnostic {
    let message =
        format!("listener `{}` of broker `{}` {does}, but pushes no list", listener.name.value, broker.name.value);
    let off = listener.settings.find(UPDATE);
    let diagnostic = Diagnostic::new(rule, setting.at, message)
        .here("does nothing without `update-cluster-clients = true`")
        .also_at(off.map(|off| off.at), "no list is pushed because of this")
        .help(format!("write `update-cluster-clients = true`; where no list is wanted, remove `{}`", setting.name));
    let edit = match off {
        Some(off) => Some(Edit { at: off.value_at, text: "true".to_owned().into() }),
        None => place::before(context, setting.at, "update-cluster-clients = true"),
    };
    match edit {
        Some(edit) => diagnostic.fix_all("push the list", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
