//! Brokers between which messages come and go: the strongly connected parts of the graph of bridges, found in two walks
//! (Kosaraju and Sharir).

use super::Network;
use crate::model::BrokerId;
use rustc_hash::{FxHashMap, FxHashSet};

/// The broker that stands for its group, for every broker with bridges.
pub(super) fn of(network: &Network) -> FxHashMap<BrokerId, BrokerId> {
    let mut arriving: FxHashMap<BrokerId, Vec<BrokerId>> = FxHashMap::default();
    for edge in &network.edges {
        arriving.entry(edge.to).or_default().push(edge.from);
    }
    let mut groups = FxHashMap::default();
    for first in finished(network).into_iter().rev() {
        let mut open = vec![first];
        while let Some(at) = open.pop() {
            if let std::collections::hash_map::Entry::Vacant(group) = groups.entry(at) {
                group.insert(first);
                open.extend(arriving.get(&at).into_iter().flatten());
            }
        }
    }
    groups
}

/// The brokers in the order in which a walk along the bridges has seen all that lies behind them.
fn finished(network: &Network) -> Vec<BrokerId> {
    let mut order = Vec::new();
    let mut seen: FxHashSet<BrokerId> = FxHashSet::default();
    for start in network.edges.iter().flat_map(|edge| [edge.from, edge.to]) {
        if !seen.insert(start) {
            continue;
        }
        // Each broker on the way with its next bridge to look at.
        let mut way = vec![(start, 0)];
        while let Some((at, next)) = way.last_mut() {
            let edge = network.leaving.get(at).and_then(|leaving| leaving.get(*next));
            *next += 1;
            match edge.and_then(|edge| network.edges.get(*edge)) {
                Some(edge) if seen.insert(edge.to) => way.push((edge.to, 0)),
                Some(_) => {}
                None => {
                    order.push(*at);
                    way.pop();
                }
            }
        }
    }
    order
}
