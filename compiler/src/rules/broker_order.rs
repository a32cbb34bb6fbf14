//! The order of a connector's brokers: which comes first, which should, and the change that makes it so.

use super::Context;
use crate::diagnostic::{Edit, Loc};
use crate::dialling::shuffles;
use crate::model::{BrokerId, Dialer, Endpoint, Listener, Model, SiteId};
use crate::options::{Protocol, listener_scheme};
use std::collections::HashMap;

/// Whether the order that is written is the one that counts.
pub(super) fn matters(dialer: &Dialer) -> bool {
    !dialer.damaged && dialer.raw.is_none() && !shuffles(dialer)
}

/// Whether a broker, or a member of its pair, stands in a site.
pub(super) fn is_in(model: &Model, endpoint: &Endpoint, site: SiteId) -> bool {
    model.members(endpoint).iter().any(|id| model.broker(*id).site == site)
}

/// The place in a connector's list of the first broker of its own site.
pub(super) fn local_place(model: &Model, dialer: &Dialer) -> Option<usize> {
    dialer.brokers.iter().position(|endpoint| is_in(model, endpoint, dialer.site))
}

/// The first broker of each site that connectors can use: one that speaks OpenWire.
pub(super) fn local_brokers(model: &Model) -> HashMap<SiteId, BrokerId> {
    let mut locals = HashMap::new();
    for (index, broker) in (0..).zip(&model.brokers) {
        if broker.listeners.iter().any(speaks_openwire) {
            locals.entry(broker.site).or_insert(BrokerId(index));
        }
    }
    locals
}

fn speaks_openwire(listener: &Listener) -> bool {
    let protocol = listener_scheme(&listener.scheme.value).map(|scheme| scheme.protocol);
    matches!(protocol, Some(Protocol::OpenWire | Protocol::Auto | Protocol::Http))
}

/// The edits that put the broker at `place` first and leave the others in their order; none where the list is not this
/// connector's own.
pub(super) fn to_front(context: &Context<'_>, dialer: &Dialer, place: usize) -> Option<Vec<Edit>> {
    let moved = dialer.brokers.get(..=place)?;
    let shared = context.model.dialers().filter(|(_, other)| other.brokers_at == dialer.brokers_at).count() > 1;
    if shared || moved.iter().any(|endpoint| !holds(dialer.brokers_at, endpoint.at)) {
        return None;
    }
    let texts = moved.iter().map(|endpoint| context.sources.text(endpoint.at));
    let texts: Vec<&str> = texts.clone().skip(place).chain(texts.take(place)).collect();
    Some(
        moved
            .iter()
            .zip(texts)
            .map(|(endpoint, text)| Edit { at: endpoint.at, text: text.to_owned().into() })
            .collect(),
    )
}

/// `[amq-2, amq-1]`: the list as it would be written.
pub(super) fn with_first(context: &Context<'_>, dialer: &Dialer, place: usize) -> String {
    let name = |endpoint: &Endpoint| context.sources.text(endpoint.at).to_owned();
    let mut names: Vec<String> = dialer.brokers.iter().map(name).collect();
    let first = names.remove(place);
    names.insert(0, first);
    format!("[{}]", names.join(", "))
}

fn holds(whole: Loc, part: Loc) -> bool {
    whole.file == part.file && whole.span.start <= part.span.start && part.span.end <= whole.span.end
}
