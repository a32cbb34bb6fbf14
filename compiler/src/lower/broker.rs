//! Brokers: listeners, stores, queues, limits and users.

use super::view::View;
use super::{Item, Lower};
use crate::diagnostic::Loc;
use crate::language::{Kind, Place};
use crate::model::{
    Address, Bind, Broker, Limits, Listener, Name, QueuePolicy, RawUri, Set, SiteId, Store, StoreKind, User, Users,
};
use crate::options;
use crate::rules;
use crate::uri;

impl<'a> Lower<'a, '_> {
    pub(super) fn broker(&mut self, item: Item<'a>) {
        let (Some(name), Some(site)) = (item.name(), item.site) else { return };
        let view = self.view(Kind::Broker, &item, item.site);
        self.required(&view, item.at());
        let host = self.text(&view, "host").unwrap_or(Set { value: name.value.clone(), at: name.at });
        let written_name = self.text(&view, "broker-name");
        let mut settings = self.settings(&view);
        settings.retain(|setting| setting.real != "brokerName");
        settings.extend(self.options(&view, item.site));
        let broker = Broker {
            site,
            at: item.at(),
            host,
            named_by_hand: written_name.is_some(),
            broker_name: written_name.unwrap_or_else(|| name.clone()),
            debian: self.text(&view, "distribution").filter(|set| set.value == "debian").map(|set| set.at),
            listeners: self
                .children(&view, Kind::Listen, item.site)
                .into_iter()
                .filter_map(|(item, view)| self.listener_block(site, &item, &view))
                .collect(),
            store: self
                .children(&view, Kind::Store, item.site)
                .first()
                .and_then(|(item, view)| self.store(item, view, site)),
            queues: self
                .children(&view, Kind::Queue, item.site)
                .into_iter()
                .filter_map(|(item, view)| self.queue(&item, &view, site))
                .collect(),
            limits: self.limits(&view, site),
            users: self
                .children(&view, Kind::Users, item.site)
                .first()
                .map(|(item, view)| self.users(item, view, site)),
            raw_xml: self.raw_xml(&view),
            settings,
            pair: None,
            damaged: view.damaged,
            name,
        };
        self.model.brokers.push(broker);
    }

    fn listener_block(&mut self, site: SiteId, item: &Item<'a>, view: &View<'a>) -> Option<Listener> {
        let name = item.name()?;
        let raw = self.raw_uri(view);
        let scheme = self.scheme(view, &name, raw.as_ref());
        let bind = self.bind(item, view, &name, &scheme, raw.as_ref());
        let mut settings = self.settings(view);
        settings.extend(self.options(view, Some(site)));
        let proxied = self.text(view, "via").filter(|set| set.value == "proxy").map(|set| set.at);
        let addresses = view.forms("address").filter_map(|form| self.address(&form)).collect();
        Some(Listener { at: item.at(), scheme, bind, raw, proxied, addresses, settings, name })
    }

    /// The scheme of the raw URI, else the field, else the name where it is a scheme, else tcp.
    fn scheme(&mut self, view: &View<'a>, name: &Name, raw: Option<&RawUri>) -> Set<String> {
        if let Some(raw) = raw {
            let scheme = raw.uri.as_ref().map_or("", |uri| uri.scheme.text(&raw.text.value));
            return Set { value: scheme.to_owned(), at: raw.text.at };
        }
        if let Some(scheme) = self.text(view, "scheme") {
            return scheme;
        }
        let by_name =
            options::listener_scheme(&name.value).or_else(|| options::listener_scheme(&name.value.replace('-', "+")));
        let is_scheme = by_name.map(|scheme| scheme.name);
        Set { value: is_scheme.unwrap_or("tcp").to_owned(), at: name.at }
    }

    /// Where it binds. Without a port the scheme's own counts, where name or field say the scheme.
    fn bind(
        &mut self,
        item: &Item<'a>,
        view: &View<'a>,
        name: &Name,
        scheme: &Set<String>,
        raw: Option<&RawUri>,
    ) -> Option<Bind> {
        if let Some(raw) = raw {
            return raw_bind(raw);
        }
        let host = self.text(view, "host").map_or_else(|| "0.0.0.0".to_owned(), |set| set.value);
        if let Some(port) = self.port(view, "port") {
            return Some(Bind { host, port });
        }
        let spoken = scheme.at != name.at || scheme.value == name.value || scheme.value == name.value.replace('-', "+");
        match options::default_port(&scheme.value).filter(|_| spoken) {
            Some(port) => Some(Bind { host, port: Set { value: port, at: item.at() } }),
            None => {
                if !view.damaged
                    && view.find("port").is_none()
                    && self.discoverable_scheme(scheme)
                    && !view.has_unknown()
                {
                    self.report.add(rules::missing_field::port(item.at(), &name.value, &scheme.value, view.body));
                }
                self.model.incomplete = true;
                None
            }
        }
    }

    /// A scheme that does not exist has its own finding; a missing port would only distract from it.
    fn discoverable_scheme(&self, scheme: &Set<String>) -> bool {
        options::listener_scheme(&scheme.value).is_some()
    }

    /// Raw XML is copied into the file as it is, so what is not well-formed would cost the whole file.
    fn raw_xml(&mut self, view: &View<'a>) -> Vec<Set<String>> {
        let raws: Vec<Set<String>> = view.forms("raw-xml").filter_map(|form| form.raw_text()).collect();
        for raw in &raws {
            if let Err(reason) = crate::emit::write::xml::check_fragment(&raw.value) {
                self.report.add(rules::wrong_type::raw_xml(raw.at, &reason));
                self.model.incomplete = true;
            }
        }
        raws
    }

    fn address(&mut self, form: &Item<'a>) -> Option<Address> {
        let site = form.statement.arguments.get(1)?;
        let at = Loc { file: form.file, span: site.span };
        let from = self.site_named(at, site.span.of(form.text))?;
        Some(Address { from, address: self.form_text(form)? })
    }

    fn store(&mut self, item: &Item<'a>, view: &View<'a>, site: SiteId) -> Option<Store> {
        let kind = StoreKind::of(item.word(0)?)?;
        let place = if kind == StoreKind::Jdbc { "url" } else { "directory" };
        let mut settings = self.settings(view);
        // A default for stores of another kind says nothing of this one.
        let release = self.model.release();
        settings.retain_mut(|setting| {
            let place = kind.place_of(&setting.real, release);
            place.is_some_and(|element| {
                setting.place = Place::Attribute(element);
                true
            })
        });
        settings.extend(self.options(view, Some(site)));
        settings.retain(|setting| setting.real != "directory" || kind == StoreKind::Memory);
        let store = Store {
            at: item.at(),
            kind,
            place: self.text(view, place),
            driver: self.text(view, "driver"),
            user: self.text(view, "user"),
            password: self.secret(view, "password"),
            shared: self.boolean(view, "shared").is_some_and(|set| set.value),
            settings,
        };
        if store.place.is_none()
            && kind != StoreKind::Memory
            && !view.damaged
            && view.find("directory").or(view.find("url")).is_none()
            && !view.has_unknown()
        {
            self.report.add(rules::missing_field::store_place(item.at(), item.word(0)?, place, view.body));
        }
        Some(store)
    }

    fn queue(&mut self, item: &Item<'a>, view: &View<'a>, site: SiteId) -> Option<QueuePolicy> {
        let mut settings = self.settings(view);
        settings.extend(self.options(view, Some(site)));
        Some(QueuePolicy { name: item.name()?, at: item.at(), settings })
    }

    fn limits(&mut self, view: &View<'a>, site: SiteId) -> Limits {
        let children = self.children(view, Kind::Limits, Some(site));
        let Some((_, view)) = children.first() else { return Limits::default() };
        Limits {
            memory: self.integer(view, "memory"),
            store: self.integer(view, "store"),
            temp: self.integer(view, "temp"),
            message: self.integer(view, "message"),
            disk: self.integer(view, "disk"),
        }
    }

    fn users(&mut self, item: &Item<'a>, view: &View<'a>, site: SiteId) -> Users {
        let users = self.children(view, Kind::User, Some(site));
        let users = users.into_iter().filter_map(|(item, view)| {
            self.required(&view, item.at());
            let groups: Vec<String> = self.texts(&view, "groups").into_iter().map(|(_, text)| text).collect();
            let groups = if groups.is_empty() { vec!["users".to_owned()] } else { groups };
            Some(User { name: item.name()?, password: self.secret(&view, "password"), groups })
        });
        let users = users.collect();
        let anonymous = self.boolean(view, "anonymous").filter(|set| set.value).map(|set| set.at);
        Users { at: item.at(), anonymous, users }
    }

    /// The `uri` field, parsed. What is wrong with it is for rules to say.
    pub(super) fn raw_uri(&mut self, view: &View<'a>) -> Option<RawUri> {
        let text = self.text(view, "uri")?;
        let uri = uri::parse(&text.value).map_err(|error| error.discreet(&text.value));
        Some(RawUri { text, uri })
    }
}

/// Host and port of a raw listener URI.
fn raw_bind(raw: &RawUri) -> Option<Bind> {
    let uri = raw.uri.as_ref().ok()?;
    let uri::UriKind::Address { host, port, .. } = &uri.kind else { return None };
    let host = host.text(&raw.text.value).to_owned();
    let port = port.as_ref()?.number?;
    Some(Bind { host, port: Set { value: port, at: raw.text.at } })
}

impl Item<'_> {
    /// The text of `raw-xml """..."""`.
    fn raw_text(&self) -> Option<Set<String>> {
        let argument = self.statement.arguments.first()?;
        let value = topoc_dsl::syntax::decode(argument.span.of(self.text)).ok()?.into_owned();
        Some(Set { value, at: Loc { file: self.file, span: argument.span } })
    }
}
