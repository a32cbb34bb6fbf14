//! `client.properties`: what an application that sends requests needs to know, options explained in comments.

use super::destinations::RequestQueues;
use super::hand_written;
use super::uris::{self, Surroundings};
use super::write::properties::Properties;
use crate::CheckedModel;
use crate::dispatch;
use crate::model::Client;
use crate::options;
use std::collections::BTreeSet;

pub(super) fn write(
    checked: CheckedModel<'_>,
    surroundings: &Surroundings,
    queues: &RequestQueues,
    client: &Client,
) -> String {
    let mut out = Properties::new();
    out.comment(&format!("Client {}. Written by topoc: change the topology, not this file.", client.dialer.name.value));
    out.blank();
    let (uri, options) = uris::client(checked.model(), surroundings, client);
    explain(client, &options, &mut out);
    out.entry("brokerUrl", &uri);
    destinations(queues.of_client(checked.model(), client), client, &mut out);
    credentials(client, &mut out);
    hand_written::properties(&client.dialer, &mut out);
    out.write()
}

fn explain(client: &Client, options: &[(String, String)], out: &mut Properties) {
    if client.dialer.raw.is_some() {
        out.comment("The URI as it stands in the topology.");
        return;
    }
    for (name, value) in options {
        let doc = options::failover_option(name).map_or("", |option| option.doc);
        out.comment(&format!("{name}={value}: {doc}"));
    }
    out.comment(
        "wireFormat.maxInactivityDuration: milliseconds without a sign of life before a connection counts as dead",
    );
}

fn destinations(requests: BTreeSet<&str>, client: &Client, out: &mut Properties) {
    if !requests.is_empty() {
        out.blank().comment("Where requests go. Several names are separated by commas, one for each deployment.");
        let requests: Vec<&str> = requests.into_iter().collect();
        out.entry("requestQueue", &requests.join(","));
    }
    out.blank();
    if client.temporary_replies.is_some() {
        out.comment("Replies go to a temporary queue of the connection.");
    } else {
        out.comment("Replies go to a queue of this client's own, which outlives a lost connection.");
        out.entry("replyQueue", &dispatch::replies_of(client));
    }
    let id = client.client_id.as_ref().map_or(&client.dialer.name.value, |set| &set.value);
    out.entry("clientId", id);
}

fn credentials(client: &Client, out: &mut Properties) {
    if client.dialer.user.is_none() && client.dialer.password.is_none() {
        return;
    }
    out.blank();
    if let Some(user) = &client.dialer.user {
        out.entry("user", &user.value);
    }
    if let Some(password) = &client.dialer.password {
        out.comment("The password is not in this file: fill the variable in where the client starts.");
        out.entry("password", &password.value.to_string());
    }
}
