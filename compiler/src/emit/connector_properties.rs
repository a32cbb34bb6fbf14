//! `connector.properties`: the connector's own keys, as the deployment-models document (000_f205e67ac5b4ee75.txt) prints them.

use super::hand_written;
use super::uris;
use super::write::properties::Properties;
use crate::CheckedModel;
use crate::model::{Connector, Model, SettingsExt};

pub(super) fn write(checked: CheckedModel<'_>, connector: &Connector) -> String {
    let model = checked.model();
    let mut out = Properties::new();
    out.comment(&format!(
        "Connector {}. Written by topoc: change the topology, not this file.",
        connector.dialer.name.value
    ));
    out.blank();
    if let Some(timeout) = &connector.dialer.timeout {
        out.entry("ActiveMq_Timeout", &timeout.value.to_string());
    }
    out.entry("GRC_CONSUMER_PRIORITY", &connector.effective_priority().to_string());
    out.entry("RANDOMIZE", &shuffles(connector).to_string());
    out.entry("PRIORITY_BACKUP", &goes_back(connector).to_string());
    for (place, host) in uris::hosts(model, &connector.dialer).iter().enumerate() {
        out.entry(&format!("ActiveMq_URL_{}", place + 1), host);
    }
    finesse(model, connector, &mut out);
    hand_written::properties(&connector.dialer, &mut out);
    out.write()
}

/// `Finesse_1` has no value in the document: it is a heading.
fn finesse(model: &Model, connector: &Connector, out: &mut Properties) {
    for (place, node) in connector.finesse.iter().enumerate() {
        let Some(node) = model.finesse.get(node.value.index()) else { continue };
        out.comment(&format!("Finesse_{}", place + 1));
        out.entry(&format!("SERVER_ADDRESS_{}", place + 1), &node.host.value);
    }
}

/// What an option of a raw URI says; nothing where there is no raw URI or the option is not in it.
fn raw_option(connector: &Connector, name: &str) -> Option<bool> {
    let raw = connector.dialer.raw.as_ref()?;
    let uri = raw.uri.as_ref().ok()?;
    let option = uri.find_option(&raw.text.value, name)?;
    Some(uri.decoded(&raw.text.value, option.value).eq_ignore_ascii_case("true"))
}

/// A raw URI comes first, then fields; where neither says it, a raw URI means ActiveMQ's default and its absence topoc's.
fn shuffles(connector: &Connector) -> bool {
    let dialer = &connector.dialer;
    let field = dialer.randomize.as_ref().map(|set| set.value).or(dialer.failover.bool("randomize"));
    raw_option(connector, "randomize").or(field).unwrap_or(dialer.raw.is_some())
}

fn goes_back(connector: &Connector) -> bool {
    let field = connector.priority_backup.as_ref().map(|set| set.value);
    let field = field.or(connector.dialer.failover.bool("priorityBackup"));
    raw_option(connector, "priorityBackup").or(field).unwrap_or(connector.dialer.raw.is_none())
}
