//! Connectors and clients: who connects to brokers, in which order, and how.

use super::view::View;
use super::{Item, Lower};
use crate::language::Kind;
use crate::model::{Client, Connector, Dialer, Endpoint, PropertyValue, Set, Takes, Tls};
use topoc_dsl::syntax::ValueKind;

impl<'a> Lower<'a, '_> {
    pub(super) fn connector(&mut self, item: Item<'a>) {
        let Some(site) = item.site else { return };
        let view = self.view(Kind::Connector, &item, item.site);
        let Some(dialer) = self.dialer(&item, &view) else { return };
        let finesse = self.finesse_of(&view, site);
        let connector = Connector {
            dialer,
            finesse,
            priority: self.integer(&view, "priority"),
            prefetch: self.integer(&view, "prefetch"),
            priority_backup: self.boolean(&view, "priority-backup"),
            exclusive: self.boolean(&view, "exclusive"),
            selector: self.text(&view, "selector"),
            tls: Tls {
                broker_roots: self.text(&view, "broker-roots"),
                broker_certificate: self.text(&view, "broker-certificate"),
                broker_private_key: self.secret(&view, "broker-private-key"),
                finesse_roots: self.text(&view, "finesse-roots"),
            },
            admin: self.socket(&view, "admin"),
            admin_token: self.secret(&view, "admin-token"),
            takes: Takes {
                requests: self.integer(&view, "max-requests"),
                requests_of_agent: self.integer(&view, "max-requests-per-agent"),
                agents: self.integer(&view, "max-agents"),
            },
            log_format: self.text(&view, "log-format"),
            deployment: None,
        };
        self.model.connectors.push(connector);
    }

    pub(super) fn client(&mut self, item: Item<'a>) {
        let view = self.view(Kind::Client, &item, item.site);
        let Some(dialer) = self.dialer(&item, &view) else { return };
        let returns = self.text(&view, "returns");
        let client = Client {
            dialer,
            prefer_first: returns.as_ref().filter(|set| set.value == "prefer-first").map(|set| set.at),
            stays: returns.filter(|set| set.value == "never").map(|set| set.at),
            temporary_replies: self.text(&view, "replies").filter(|set| set.value == "temporary").map(|set| set.at),
            reply_queue: self.text(&view, "reply-queue"),
            client_id: self.text(&view, "client-id"),
            fail_fast: self.boolean(&view, "fail-fast"),
        };
        self.model.clients.push(client);
    }

    fn dialer(&mut self, item: &Item<'a>, view: &View<'a>) -> Option<Dialer> {
        let (name, site) = (item.name()?, item.site?);
        self.required(view, item.at());
        let names = self.name_list(view, "brokers");
        let brokers_at = names.as_ref().map_or(item.at(), |names| names.at);
        let names = names.map(|names| names.value).unwrap_or_default();
        let brokers: Vec<Endpoint> =
            names.iter().filter_map(|(at, name)| self.endpoint(*at, name, Some(site))).collect();
        let damaged = view.damaged || brokers.len() != names.len() || names.is_empty();
        Some(Dialer {
            site,
            at: item.at(),
            brokers,
            brokers_at,
            randomize: self.boolean(view, "randomize"),
            timeout: self.integer(view, "timeout"),
            user: self.text(view, "user"),
            password: self.secret(view, "password"),
            raw: self.raw_uri(view),
            failover: self.child_settings(view, Kind::Failover, Some(site)),
            options: self.options(view, Some(site)),
            properties: self.properties(view),
            damaged,
            name,
        })
    }

    fn properties(&mut self, view: &View<'a>) -> Vec<(Set<String>, PropertyValue)> {
        let mut properties: Vec<(Set<String>, PropertyValue)> = Vec::new();
        for form in view.forms("property") {
            let Some(key) = form.name() else { continue };
            let is_secret = matches!(form.statement.value().map(|value| &value.kind), Some(ValueKind::Call { .. }));
            let value = match is_secret {
                true => self.form_secret(&form).map(PropertyValue::Secret),
                false => self.form_text(&form).map(PropertyValue::Text),
            };
            let known = properties.iter().any(|(other, _)| other.value == key.value);
            if let Some(value) = value.filter(|_| !known) {
                properties.push((key, value));
            }
        }
        properties
    }
}
