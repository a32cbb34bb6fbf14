//! `connector.properties`: the connector's own keys, as the deployment-models document (000_f205e67ac5b4ee75.txt) prints them.

use super::hand_written;
use super::uris::{self, Surroundings};
use super::write::properties::Properties;
use crate::CheckedModel;
use crate::dialling::Dialling;
use crate::model::{Connector, Model};
use topoc_plan::properties;

pub(super) fn write(checked: CheckedModel<'_>, surroundings: &Surroundings, connector: &Connector) -> String {
    let model = checked.model();
    let dialling = Dialling::of_connector(model, &surroundings.addresses, connector);
    let mut out = Properties::new();
    out.comment(&format!(
        "Connector {}. Written by topoc: change the topology, not this file.",
        connector.dialer.name.value
    ));
    out.blank();
    if let Some(timeout) = dialling.option("timeout") {
        out.entry(properties::TIMEOUT, &timeout.value);
    }
    out.entry(properties::PRIORITY, &connector.effective_priority().to_string());
    out.entry(properties::RANDOMIZE, &dialling.shuffles().to_string());
    out.entry(properties::PRIORITY_BACKUP, &dialling.goes_back().to_string());
    for (place, host) in uris::hosts(&dialling).iter().enumerate() {
        out.entry(&format!("{}{}", properties::BROKER, place + 1), host);
    }
    finesse(model, connector, &mut out);
    hand_written::properties(&connector.dialer, &mut out);
    out.write()
}

/// `Finesse_1` has no value in the document: it is a heading.
fn finesse(model: &Model, connector: &Connector, out: &mut Properties) {
    for (place, node) in connector.finesse.iter().enumerate() {
        let Some(node) = model.finesse.get(node.value.index()) else { continue };
        out.comment(&format!("{}{}", properties::HEADING, place + 1));
        out.entry(&format!("{}{}", properties::FINESSE, place + 1), &node.host.value);
    }
}
