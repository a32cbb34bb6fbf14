//! How a connector or client connects: at which addresses and with which failover options, typed or in a raw URI.
//!
//! What counts, first to last: the raw URI, the fields of the block, its `failover { }` block, the default. Beside a raw
//! URI the default is ActiveMQ's own; otherwise it is topoc's, which keeps the order of brokers and goes back.

use crate::addresses::Addresses;
use crate::diagnostic::Loc;
use crate::model::{BrokerId, Client, Connector, Dialer, Endpoint, Listener, Model, RawUri, SettingsExt, SiteId};
use crate::network::node;
use crate::options::{self, ListenerScheme, Protocol};
use crate::release::{Release, zero_attempts_means_forever};
use crate::uri::{Uri, UriKind, UriOption};
use std::borrow::Cow;
use std::ops::Range;

/// How one connector or client connects.
#[derive(Debug)]
pub struct Dialling<'a> {
    /// `connector` or `client`.
    pub keyword: &'static str,
    /// The connector's or client's own part.
    pub dialer: &'a Dialer,
    /// The connector, where it is one.
    pub connector: Option<&'a Connector>,
    /// The client, where it is one.
    pub client: Option<&'a Client>,
    /// Every failover option that is written; of two of one name the first counts.
    pub options: Vec<WrittenOption<'a>>,
    /// In the order of preference. A pair has one for each member.
    pub addresses: Vec<DialledAddress>,
}

/// A failover option that is written.
#[derive(Debug, Clone)]
pub struct WrittenOption<'a> {
    /// ActiveMQ's name, in a URI as it was written.
    pub name: Cow<'a, str>,
    /// The value as ActiveMQ reads it.
    pub value: String,
    /// The whole of it.
    pub at: At,
    /// Its value.
    pub value_at: At,
}

/// An address that is dialled.
#[derive(Debug, Clone)]
pub struct DialledAddress {
    /// What stands before the colon.
    pub scheme: String,
    /// The host as the dialling site knows it.
    pub host: String,
    /// The port, where it is known.
    pub port: Option<u16>,
    /// The broker there, where the topology has one.
    pub broker: Option<BrokerId>,
    /// The listener there, as an index into the broker's.
    pub listener: Option<usize>,
    /// Where it is written.
    pub at: At,
}

/// A place in the source, or in the text of the raw URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// In the source.
    Source(Loc),
    /// In the decoded text of the raw URI.
    Uri(Range<usize>),
}

impl<'a> Dialling<'a> {
    /// How a connector connects.
    #[must_use]
    pub fn of_connector(model: &Model, addresses: &Addresses, connector: &'a Connector) -> Self {
        let mut dialling = Self::of("connector", model, addresses, &connector.dialer);
        dialling.connector = Some(connector);
        if let Some(set) = &connector.priority_backup {
            dialling.field("priorityBackup", set.value.to_string(), set.at);
        }
        dialling.finish()
    }

    /// How a client connects.
    #[must_use]
    pub fn of_client(model: &Model, addresses: &Addresses, client: &'a Client) -> Self {
        let mut dialling = Self::of("client", model, addresses, &client.dialer);
        dialling.client = Some(client);
        if let Some(at) = client.prefer_first {
            dialling.field("priorityBackup", "true".to_owned(), at);
        }
        // It is what ActiveMQ does by itself, so only something that says otherwise makes a difference.
        let otherwise =
            dialling.option("priorityBackup").is_some() || client.dialer.failover.find("priorityBackup").is_some();
        if let Some(at) = client.stays.filter(|_| otherwise) {
            dialling.field("priorityBackup", "false".to_owned(), at);
        }
        dialling.finish()
    }

    fn of(keyword: &'static str, model: &Model, addresses: &Addresses, dialer: &'a Dialer) -> Self {
        let (written, dialled) = match &dialer.raw {
            Some(raw) => (in_uri(raw), dialled_by_uri(raw, addresses)),
            None => (Vec::new(), dialled_by_name(model, dialer)),
        };
        let mut dialling =
            Self { keyword, dialer, connector: None, client: None, options: written, addresses: dialled };
        if let Some(set) = &dialer.randomize {
            dialling.field("randomize", set.value.to_string(), set.at);
        }
        if let Some(set) = &dialer.timeout {
            dialling.field("timeout", set.value.to_string(), set.at);
        }
        dialling
    }

    fn field(&mut self, name: &'static str, value: String, at: Loc) {
        let at = At::Source(at);
        self.options.push(WrittenOption { name: Cow::Borrowed(name), value, at: at.clone(), value_at: at });
    }

    /// The `failover { }` block comes last, behind the fields.
    fn finish(mut self) -> Self {
        self.options.extend(self.dialer.failover.iter().map(|setting| WrittenOption {
            name: setting.real.clone(),
            value: setting.value.to_string(),
            at: At::Source(setting.at),
            value_at: At::Source(setting.value_at),
        }));
        self
    }

    /// The options that fields say, each once and by ActiveMQ's name: all of them without a raw URI, else those that the
    /// raw URI does not have itself.
    pub fn by_fields(&self) -> impl Iterator<Item = &WrittenOption<'a>> {
        let counts =
            |option: &&WrittenOption<'a>| self.option(&option.name).is_some_and(|first| std::ptr::eq(first, *option));
        self.options.iter().filter(counts).filter(|option| matches!(option.at, At::Source(_)))
    }

    /// The option of that name that counts, where one is written.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&WrittenOption<'a>> {
        self.options.iter().find(|option| options::same_name(&option.name, name))
    }

    /// A boolean option that is written. ActiveMQ reads everything but `true` as false.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.option(name).map(|option| option.value.eq_ignore_ascii_case("true"))
    }

    /// An option that is written as a whole number; durations in milliseconds.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.option(name)?.value.trim().parse().ok()
    }

    /// Whether the failover transport does the connecting: always, except for an address alone in a raw URI.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        match &self.dialer.raw {
            Some(raw) => raw.uri.as_ref().is_ok_and(|uri| is_failover(uri, &raw.text.value)),
            None => true,
        }
    }

    /// Whether it tries for ever once `maxReconnectAttempts` or its default is all that limits it.
    #[must_use]
    pub fn tries_for_ever(&self, release: Release) -> bool {
        let zero = zero_attempts_means_forever(release);
        self.number("maxReconnectAttempts").is_none_or(|attempts| attempts == -1 || (attempts == 0 && zero))
    }

    /// Whether the order of brokers is shuffled.
    #[must_use]
    pub fn shuffles(&self) -> bool {
        shuffles(self.dialer)
    }

    /// Whether it goes back to its first broker, or to one of `priority-uris`.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        self.flag("priorityBackup").unwrap_or(self.dialer.raw.is_none() && self.connector.is_some())
    }

    /// The raw URI, where there is one that can be read.
    #[must_use]
    pub fn uri(&self) -> Option<(&'a RawUri, &'a Uri)> {
        let raw = self.dialer.raw.as_ref()?;
        Some((raw, raw.uri.as_ref().ok()?))
    }

    /// Between how many brokers it can choose. A pair is one, since only its master is ever there.
    #[must_use]
    pub fn choices(&self, model: &Model) -> usize {
        let mut seen = Vec::new();
        for address in &self.addresses {
            let key = match address.broker {
                Some(broker) => (Some(node(model, broker)), String::new()),
                None => (None, address.authority().to_ascii_lowercase()),
            };
            if !seen.contains(&key) {
                seen.push(key);
            }
        }
        seen.len()
    }

    /// ``connector `gc-1` ``
    #[must_use]
    pub fn who(&self) -> String {
        format!("{} `{}`", self.keyword, self.dialer.name.value)
    }
}

impl DialledAddress {
    /// `host:port`
    #[must_use]
    pub fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }
}

/// Whether the order of brokers is shuffled: as a raw URI says, else as fields say, else as ActiveMQ does with a raw URI and
/// topoc without.
#[must_use]
pub fn shuffles(dialer: &Dialer) -> bool {
    let randomize = |option: &WrittenOption<'_>| options::same_name(&option.name, "randomize");
    let raw = dialer.raw.as_ref().and_then(|raw| in_uri(raw).into_iter().find(randomize));
    let raw = raw.map(|option| option.value.eq_ignore_ascii_case("true"));
    let field = dialer.randomize.as_ref().map(|set| set.value).or_else(|| dialer.failover.bool("randomize"));
    raw.or(field).unwrap_or(dialer.raw.is_some())
}

/// The failover options of a raw URI, the last of one name first, since that is the one that ActiveMQ uses.
fn in_uri(raw: &RawUri) -> Vec<WrittenOption<'static>> {
    let Some(uri) = raw.uri.as_ref().ok().filter(|uri| is_failover(uri, &raw.text.value)) else { return Vec::new() };
    let text = &raw.text.value;
    let written = |option: &UriOption| WrittenOption {
        name: Cow::Owned(uri.decoded(text, option.key)),
        value: uri.decoded(text, option.value),
        at: At::Uri(option.range.clone()),
        value_at: At::Uri(option.value.range()),
    };
    uri.options.iter().rev().map(written).collect()
}

/// Whether a URI is a list that the failover transport works through.
#[must_use]
pub fn is_failover(uri: &Uri, text: &str) -> bool {
    matches!(uri.scheme.text(text), "failover" | "discovery") && matches!(uri.kind, UriKind::Composite { .. })
}

fn dialled_by_uri(raw: &RawUri, addresses: &Addresses) -> Vec<DialledAddress> {
    let Ok(uri) = &raw.uri else { return Vec::new() };
    uri.addresses().into_iter().filter_map(|uri| dialled(uri, &raw.text.value, addresses)).collect()
}

/// An address of a raw URI. `None` for what names no machine: `vm:`, multicast groups, placeholders.
#[must_use]
pub fn dialled(uri: &Uri, text: &str, addresses: &Addresses) -> Option<DialledAddress> {
    let UriKind::Address { host, port, .. } = &uri.kind else { return None };
    let scheme = uri.scheme.text(text);
    if host.is_empty() || matches!(scheme, "vm" | "peer" | "multicast" | "zeroconf") {
        return None;
    }
    let end = port.as_ref().map_or(host.end, |port| port.range.end);
    let number = match port {
        Some(port) => port.number,
        None => options::default_port(scheme),
    };
    let host = host.text(text);
    let found = number.and_then(|number| addresses.find(host, number));
    Some(DialledAddress {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        port: number,
        broker: found.map(|(broker, _)| broker),
        listener: found.map(|(_, listener)| listener),
        at: At::Uri(uri.range.start..end),
    })
}

fn dialled_by_name(model: &Model, dialer: &Dialer) -> Vec<DialledAddress> {
    dialer.brokers.iter().flat_map(|endpoint| reached(model, dialer.site, endpoint)).collect()
}

/// How a site reaches what an endpoint names: one address, or one for each member of a pair.
#[must_use]
pub fn reached(model: &Model, site: SiteId, endpoint: &Endpoint) -> Vec<DialledAddress> {
    let members = model.members(endpoint).into_iter();
    let addresses = members.map(|broker| {
        let listener = usable_listener(model, broker, endpoint.listener);
        reached_from(model, site, broker, listener, endpoint.at)
    });
    addresses.collect()
}

/// How a site reaches a listener: what `address from` says, else the broker's host and the port that it binds.
#[must_use]
pub fn reached_from(model: &Model, site: SiteId, broker: BrokerId, listener: Option<usize>, at: Loc) -> DialledAddress {
    let found = listener.and_then(|place| model.broker(broker).listeners.get(place));
    let special = found.and_then(|found| found.addresses.iter().find(|address| address.from == site));
    let special = special.and_then(|address| address.address.value.rsplit_once(':'));
    let (host, port) = match special {
        Some((host, port)) => (host, port.parse().ok()),
        None => {
            let bind = found.and_then(|found| found.bind.as_ref());
            (model.broker(broker).host.value.as_str(), bind.map(|bind| bind.port.value))
        }
    };
    DialledAddress {
        scheme: found.map_or("tcp", |found| dial_scheme(&found.scheme.value)).to_owned(),
        host: host.to_owned(),
        port,
        broker: Some(broker),
        listener,
        at: At::Source(at),
    }
}

/// With which scheme a listener is dialled: `nio` and `auto` are a broker's own affair.
#[must_use]
pub fn dial_scheme(listener: &str) -> &str {
    match options::listener_scheme(listener) {
        Some(scheme) if is_openwire_over_tcp(scheme) => {
            if scheme.tls {
                "ssl"
            } else {
                "tcp"
            }
        }
        _ => listener,
    }
}

/// The listener that someone who speaks OpenWire connects to: the one that is named, else the first that speaks it.
#[must_use]
pub fn usable_listener(model: &Model, broker: BrokerId, named: Option<usize>) -> Option<usize> {
    named.or_else(|| model.broker(broker).listeners.iter().position(speaks_openwire))
}

/// Whether connectors, bridges and JMS clients can talk to a listener over TCP, with or without TLS.
#[must_use]
pub fn speaks_openwire(listener: &Listener) -> bool {
    options::listener_scheme(&listener.scheme.value).is_some_and(is_openwire_over_tcp)
}

fn is_openwire_over_tcp(scheme: &ListenerScheme) -> bool {
    matches!(scheme.protocol, Protocol::OpenWire | Protocol::Auto) && !matches!(scheme.name, "udp" | "multicast" | "vm")
}

/// Whether a broker tells those who connect to this listener which other brokers are there.
#[must_use]
pub fn pushes_list(listener: &Listener) -> bool {
    listener.settings.bool("updateClusterClients").unwrap_or(false)
}
