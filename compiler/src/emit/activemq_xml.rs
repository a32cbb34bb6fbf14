//! `activemq.xml`: the broker's Spring file. Elements in alphabetical order, which is valid for every release; attributes
//! sorted by the writer.

use super::destinations::RequestQueues;
use super::uris::{self, Surroundings};
use super::write::xml::{XmlDocument, XmlElement, XmlNode};
use crate::CheckedModel;
use crate::destination;
use crate::language::Place;
use crate::model::{
    Bridge, Broker, BrokerId, Listener, Model, QueuePolicy, Setting, SettingsExt, Store, StoreKind, Users,
};
use crate::release::{self, Release};
use crate::schema;

const BEANS: &str = "http://www.springframework.org/schema/beans";
const BEANS_XSD: &str = "http://www.springframework.org/schema/beans/spring-beans.xsd";
const CORE: &str = "http://activemq.apache.org/schema/core";
const CORE_XSD: &str = "http://activemq.apache.org/schema/core/activemq-core.xsd";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A broker's file as it is written, with what it depends on.
struct Writer<'a> {
    checked: CheckedModel<'a>,
    model: &'a Model,
    release: Release,
    surroundings: &'a Surroundings,
    queues: &'a RequestQueues,
    broker: &'a Broker,
    id: BrokerId,
}

pub(super) fn write(
    checked: CheckedModel<'_>,
    surroundings: &Surroundings,
    queues: &RequestQueues,
    id: BrokerId,
) -> String {
    let model = checked.model();
    let broker = model.broker(id);
    Writer { checked, model, release: model.release(), surroundings, queues, broker, id }.document().write()
}

impl Writer<'_> {
    fn document(&self) -> XmlDocument {
        let mut beans = XmlElement::new("beans")
            .with("xmlns", BEANS)
            .with("xmlns:xsi", XSI)
            .with("xsi:schemaLocation", format!("{BEANS} {BEANS_XSD} {CORE} {CORE_XSD}"));
        beans.push(placeholders());
        beans.push(self.broker());
        if let Some(store) = self.broker.store.as_ref().filter(|store| store.kind == StoreKind::Jdbc) {
            beans.push(self.data_source(store));
        }
        let name = &self.broker.name.value;
        XmlDocument {
            comments: vec![format!("Broker {name}. Written by topoc: change the topology, not this file.")],
            root: beans,
        }
    }

    fn broker(&self) -> XmlElement {
        let mut element =
            XmlElement::new("broker").with("xmlns", CORE).with("brokerName", literal(&self.broker.broker_name.value));
        element.set("dataDirectory", "${activemq.data}");
        if self.broker.store.as_ref().is_some_and(|store| store.kind == StoreKind::Memory) {
            element.set("persistent", "false");
        }
        for setting in &self.broker.settings {
            element.set(setting.real.clone(), setting.value.to_string());
        }
        let children = [
            self.destination_policy(),
            Some(
                XmlElement::new("managementContext")
                    .with_child(XmlElement::new("managementContext").with("createConnector", "false")),
            ),
            self.network_connectors(),
            self.broker.store.as_ref().and_then(|store| self.persistence(store)),
            self.broker.users.as_ref().map(plugins),
            self.system_usage(),
            self.transport_connectors(),
        ];
        for child in children.into_iter().flatten() {
            element.push(child);
        }
        for raw in &self.broker.raw_xml {
            element.push(XmlNode::Raw(raw.value.trim().to_owned()));
        }
        element
    }

    /// Policies of queues: those written, and replay on queues of requests and replies that cross a bridge. Without it what was
    /// forwarded stays where it is when its consumer moves back: 149 requests, seen on 5.17.2; 352 answers on 6.3.1, which were
    /// forwarded to where their client had been, over a link that a black hole had broken.
    fn destination_policy(&self) -> Option<XmlElement> {
        let mut entries: Vec<(&str, XmlElement)> = Vec::new();
        for policy in &self.broker.queues {
            let name = policy.name.value.as_str();
            let crosses = self.queues.crossing(self.model, self.id).any(|queue| destination::covers(queue, name));
            entries.push((name, policy_entry(name, &policy.settings, crosses && !is_switched_off(policy))));
        }
        for queue in self.queues.crossing(self.model, self.id) {
            if !entries.iter().any(|(name, _)| *name == queue) {
                entries.extend(self.own_policy(queue).map(|entry| (queue, entry)));
            }
        }
        if entries.is_empty() {
            return None;
        }
        entries.sort_by(|a, b| a.0.cmp(b.0));
        let mut list = XmlElement::new("policyEntries");
        for (_, entry) in entries {
            list.push(entry);
        }
        Some(XmlElement::new("destinationPolicy").with_child(XmlElement::new("policyMap").with_child(list)))
    }

    /// The policy of a queue, or of a pattern of queues, that crosses a bridge and has none by its own name. ActiveMQ takes one policy for a
    /// queue, the closest (`DestinationMap.chooseValue`), so what a pattern says of it is said again here; none where the
    /// pattern lets requests go back already.
    fn own_policy(&self, queue: &str) -> Option<XmlElement> {
        match closest(&self.broker.queues, queue) {
            Some(pattern) if filter(&pattern.settings).next().is_some() && !is_switched_off(pattern) => None,
            Some(pattern) => {
                let kept = |setting: &&Setting| setting.real != REPLAY;
                Some(policy_entry(queue, pattern.settings.iter().filter(kept), true))
            }
            None => Some(policy_entry(queue, &[], true)),
        }
    }

    fn network_connectors(&self) -> Option<XmlElement> {
        let mut list = XmlElement::new("networkConnectors");
        for bridge in self.surroundings.bridges(self.id).filter_map(|id| self.model.bridges.get(id.index())) {
            list.push(self.network_connector(bridge));
        }
        (!list.children.is_empty()).then_some(list)
    }

    fn network_connector(&self, bridge: &Bridge) -> XmlElement {
        let mut element = XmlElement::new("networkConnector")
            .with("name", literal(&bridge.name.value))
            .with("uri", uris::bridge(self.model, bridge, self.broker.site))
            .with("decreaseNetworkConsumerPriority", "true");
        if bridge.duplex {
            element.set("duplex", "true");
        }
        for (name, ttl) in self.ttls(bridge) {
            element.set(name, ttl.to_string());
        }
        if let Some(user) = &bridge.user {
            element.set("userName", literal(&user.value));
        }
        if let Some(password) = &bridge.password {
            element.set("password", password.value.to_string());
        }
        for setting in &bridge.settings {
            element.set(setting.real.clone(), setting.value.to_string());
        }
        let lists = [
            ("dynamicallyIncludedDestinations", &bridge.dynamic),
            ("excludedDestinations", &bridge.excluded),
            ("staticallyIncludedDestinations", &bridge.fixed),
        ];
        for (name, destinations) in lists.into_iter().filter(|(_, destinations)| !destinations.is_empty()) {
            let mut list = XmlElement::new(name);
            for (_, destination) in destinations {
                list.push(destination_element(destination));
            }
            element.push(list);
        }
        element
    }

    /// The TTLs that a bridge needs and does not say itself. `networkTTL` would overrule the other two.
    fn ttls(&self, bridge: &Bridge) -> Vec<(&'static str, i64)> {
        let network = self.checked.network();
        match (network.default_message_ttl(bridge), network.default_ttl(bridge)) {
            _ if bridge.ttl_setting("networkTTL").is_some() => Vec::new(),
            (1, 1) => Vec::new(),
            (message, consumer) if message == consumer => vec![("networkTTL", message)],
            (message, consumer) => vec![("consumerTTL", consumer), ("messageTTL", message)],
        }
    }

    fn persistence(&self, store: &Store) -> Option<XmlElement> {
        let locker_name = store.kind.locker()?;
        let name = store.kind.element();
        let mut element = XmlElement::new(name);
        match (&store.place, store.kind) {
            (_, StoreKind::Jdbc) => drop(element.set("dataSource", format!("#{}", self.data_source_id()))),
            (Some(directory), _) => drop(element.set("directory", literal(&directory.value))),
            (None, _) => {}
        }
        if self.broker.pair.is_some() && self.has(name, "lockKeepAlivePeriod") {
            element.set("lockKeepAlivePeriod", store.pair_lock_keep_alive().to_string());
        }
        let is_locker = |setting: &&Setting| setting.place == Place::Attribute(locker_name);
        for setting in store.settings.iter().filter(|setting| !is_locker(setting)) {
            element.set(setting.real.clone(), setting.value.to_string());
        }
        let mut locker = XmlElement::new(locker_name);
        for setting in store.settings.iter().filter(is_locker) {
            locker.set(setting.real.clone(), setting.value.to_string());
        }
        // In 5.6 the database's own lock is all there is.
        let leases = store.kind == StoreKind::Jdbc && self.broker.pair.is_some() && self.has_element(locker_name);
        if !locker.attributes.is_empty() || leases {
            element.push(XmlElement::new("locker").with_child(locker));
        }
        Some(XmlElement::new("persistenceAdapter").with_child(element))
    }

    fn has_element(&self, element: &str) -> bool {
        schema::element(element).is_some_and(|element| element.presence.in_release(self.release).is_present())
    }

    /// Whether the release knows an attribute that topoc would add by itself.
    fn has(&self, element: &str, attribute: &str) -> bool {
        schema::element(element)
            .and_then(|element| element.attribute(attribute))
            .is_some_and(|attribute| attribute.presence.in_release(self.release).is_present())
    }

    fn data_source_id(&self) -> String {
        format!("{}-data-source", self.broker.name.value)
    }

    fn data_source(&self, store: &Store) -> XmlElement {
        // ActiveMQ ships commons-dbcp 2 from 5.10 on, commons-dbcp 1 before.
        let pool = if self.release >= Release::new(5, 10, 0) { "dbcp2" } else { "dbcp" };
        let mut bean = XmlElement::new("bean")
            .with("id", self.data_source_id())
            .with("class", format!("org.apache.commons.{pool}.BasicDataSource"))
            .with("destroy-method", "close");
        let url = store.place.as_ref().map_or("", |set| set.value.as_str());
        let driver = store.driver.as_ref().map(|set| set.value.as_str()).or_else(|| driver(url));
        let user = store.user.as_ref().map(|set| set.value.clone());
        let password = store.password.as_ref().map(|set| set.value.to_string());
        let properties = [
            ("driverClassName", driver.map(str::to_owned)),
            ("password", password),
            ("url", Some(url.to_owned())),
            ("username", user),
        ];
        for (name, value) in properties {
            if let Some(value) = value {
                bean.push(XmlElement::new("property").with("name", name).with("value", value));
            }
        }
        bean
    }

    fn system_usage(&self) -> Option<XmlElement> {
        let limits = &self.broker.limits;
        let parts = [("memoryUsage", &limits.memory), ("storeUsage", &limits.store), ("tempUsage", &limits.temp)];
        let mut usage = XmlElement::new("systemUsage");
        for (name, limit) in parts {
            if let Some(limit) = limit {
                let inner = XmlElement::new(name).with("limit", limit.value.to_string());
                usage.push(XmlElement::new(name).with_child(inner));
            }
        }
        (!usage.children.is_empty()).then(|| XmlElement::new("systemUsage").with_child(usage))
    }

    fn transport_connectors(&self) -> Option<XmlElement> {
        let mut list = XmlElement::new("transportConnectors");
        for listener in &self.broker.listeners {
            list.push(transport_connector(listener, self.release));
        }
        (!list.children.is_empty()).then_some(list)
    }
}

/// Secrets and `${activemq.data}` come from the environment and from Java's system properties.
fn placeholders() -> XmlElement {
    let class = "org.springframework.beans.factory.config.PropertyPlaceholderConfigurer";
    XmlElement::new("bean").with("class", class)
}

fn transport_connector(listener: &Listener, release: Release) -> XmlElement {
    let mut element = XmlElement::new("transportConnector")
        .with("name", literal(&listener.name.value))
        .with("uri", uris::listener(listener));
    let mut published = XmlElement::new("publishedAddressPolicy");
    for setting in listener.settings.iter().filter(|setting| !uris::is_uri_option(setting)) {
        match setting.place {
            Place::Attribute("publishedAddressPolicy") => {
                published.set(setting.real.clone(), setting.value.to_string())
            }
            _ if setting.real == "updateClusterFilter" && !release::cluster_filter_means_any(release) => {
                // A comma parts the patterns for ActiveMQ in any case, so none can be inside one.
                element.set(setting.real.clone(), setting.value.to_string().replace(',', "|"))
            }
            _ => element.set(setting.real.clone(), setting.value.to_string()),
        };
    }
    if !published.attributes.is_empty() {
        element.push(XmlElement::new("publishedAddressPolicy").with_child(published));
    }
    element
}

/// The attribute that lets requests go back over a bridge (`ConditionalNetworkBridgeFilterFactory`).
const REPLAY: &str = "replayWhenNoConsumers";

fn is_switched_off(policy: &QueuePolicy) -> bool {
    policy.settings.bool(REPLAY) == Some(false)
}

/// The settings that are the bridge filter's.
fn filter<'a>(settings: impl IntoIterator<Item = &'a Setting>) -> impl Iterator<Item = &'a Setting> {
    settings.into_iter().filter(|setting| is_filter(setting))
}

fn is_filter(setting: &Setting) -> bool {
    setting.place == Place::Attribute("conditionalNetworkBridgeFilterFactory")
}

/// The pattern that ActiveMQ goes by for a queue: of two that fit, the one that the other fits too.
fn closest<'a>(policies: &'a [QueuePolicy], queue: &str) -> Option<&'a QueuePolicy> {
    let fitting = policies.iter().filter(|policy| destination::matches(&policy.name.value, queue));
    fitting.reduce(|one, other| if destination::covers(&one.name.value, &other.name.value) { other } else { one })
}

/// A policy for a queue or a pattern; with replay, or with what is written of the bridge filter.
fn policy_entry<'a>(
    name: &str,
    settings: impl IntoIterator<Item = &'a Setting, IntoIter: Clone>,
    replays: bool,
) -> XmlElement {
    let mut entry = XmlElement::new("policyEntry").with("queue", literal(name));
    let settings = settings.into_iter();
    for setting in settings.clone().filter(|setting| !is_filter(setting)) {
        entry.set(setting.real.clone(), setting.value.to_string());
    }
    let mut filter = filter(settings).peekable();
    if replays || filter.peek().is_some() {
        let mut factory = XmlElement::new("conditionalNetworkBridgeFilterFactory").with(REPLAY, "true");
        for setting in filter {
            factory.set(setting.real.clone(), setting.value.to_string());
        }
        entry.push(XmlElement::new("networkBridgeFilterFactory").with_child(factory));
    }
    entry
}

fn plugins(users: &Users) -> XmlElement {
    let mut list = XmlElement::new("users");
    for user in &users.users {
        let password = user.password.as_ref().map_or_else(String::new, |password| password.value.to_string());
        list.push(
            XmlElement::new("authenticationUser")
                .with("groups", literal(&user.groups.join(",")))
                .with("password", password)
                .with("username", literal(&user.name.value)),
        );
    }
    let mut plugin = XmlElement::new("simpleAuthenticationPlugin").with_child(list);
    if users.anonymous.is_some() {
        plugin.set("anonymousAccessAllowed", "true");
    }
    XmlElement::new("plugins").with_child(plugin)
}

/// A name as ActiveMQ's reader takes it for itself: with one `#` in front it would be the id of another bean
/// (XBeanNamespaceHandler; the broker then stops with `No bean named`).
fn literal(text: &str) -> String {
    if text.starts_with('#') { format!("#{text}") } else { text.to_owned() }
}

/// `queue://NAME`, `topic://NAME`, or the name of a queue.
fn destination_element(destination: &str) -> XmlElement {
    match (destination.strip_prefix("topic://"), destination.strip_prefix("queue://")) {
        (Some(topic), _) => XmlElement::new("topic").with("physicalName", literal(topic)),
        (None, Some(queue)) => XmlElement::new("queue").with("physicalName", literal(queue)),
        (None, None) => XmlElement::new("queue").with("physicalName", literal(destination)),
    }
}

/// The driver class of the databases that people really use; the first line that fits counts.
fn driver(url: &str) -> Option<&'static str> {
    const DRIVERS: &[(&str, &str)] = &[
        ("jdbc:derby://", "org.apache.derby.jdbc.ClientDriver"),
        ("jdbc:derby:", "org.apache.derby.jdbc.EmbeddedDriver"),
        ("jdbc:mariadb:", "org.mariadb.jdbc.Driver"),
        ("jdbc:mysql:", "com.mysql.cj.jdbc.Driver"),
        ("jdbc:oracle:", "oracle.jdbc.OracleDriver"),
        ("jdbc:postgresql:", "org.postgresql.Driver"),
        ("jdbc:sqlserver:", "com.microsoft.sqlserver.jdbc.SQLServerDriver"),
    ];
    DRIVERS.iter().find(|(prefix, _)| url.starts_with(prefix)).map(|(_, class)| *class)
}
