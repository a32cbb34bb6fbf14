//! TOPO0801 attribute-too-new: an attribute, element or option that the release does not have yet, or no longer has.

use super::{Check, Context, FixKind, Level, Rule, place, removed_store};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::language::Place;
use crate::model::{Bridge, Broker, Client, Dialer, Listener, RawUri, Remote, Setting, Store};
use crate::options::{self, OptionSpec};
use crate::release::{self, Release, Target};
use crate::schema::{self, Availability};
use crate::uri::Uri;
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0801",
    name: "attribute-too-new",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "an attribute, element or option that the release does not have yet, or no longer has",
    page: include_str!("attribute_too_new.md"),
    check: Check::Model(check),
};

/// Something that the release lacks.
struct Lack {
    at: Loc,
    /// Whose it is, as the beginning of a sentence.
    whose: String,
    /// As it is written, with back quotes.
    what: String,
    availability: Availability,
    /// What ActiveMQ does with it.
    refusal: String,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut look = Look { context, release: context.model.release(), lacks: Vec::new() };
    for broker in &context.model.brokers {
        look.broker(broker);
    }
    for bridge in &context.model.bridges {
        look.bridge(bridge);
    }
    for (kind, dialer) in context.model.dialers() {
        look.dialer(&format!("{kind} `{}`", dialer.name.value), dialer);
    }
    for client in &context.model.clients {
        look.returning(client);
    }
    let release = look.release;
    let mut seen: HashSet<(Loc, String)> = HashSet::new();
    for lack in look.lacks {
        if seen.insert((lack.at, lack.what.clone())) {
            report.add(found(context, release, lack));
        }
    }
}

fn found(context: &Context<'_>, release: Release, lack: Lack) -> Diagnostic {
    let message =
        format!("{} has {}, which {}, and the brokers run {release}", lack.whose, lack.what, lack.availability);
    let running = context.model.topology.activemq.as_ref();
    let stated = running.is_some_and(|target| target.value.stated_patch);
    let newest = if stated { "" } else { ", the newest of its line" };
    let remove = "remove it";
    let help = match lack.availability {
        Availability::NotYet { since } => format!("{remove}, or raise `activemq` to {since} or later"),
        Availability::Hole { until, .. } => format!("{remove}, or raise `activemq` to {until} or later"),
        Availability::Gone { .. } | Availability::Present => remove.to_owned(),
    };
    Diagnostic::new(&RULE, lack.at, message)
        .here(lack.refusal)
        .also_at(running.map(|target| target.at), format!("the brokers run {release}{newest}"))
        .help(help)
}

/// A look at everything that a release may lack.
struct Look<'a> {
    context: &'a Context<'a>,
    release: Release,
    lacks: Vec<Lack>,
}

impl Look<'_> {
    fn broker(&mut self, broker: &Broker) {
        let name = &broker.name.value;
        for setting in &broker.settings {
            self.attribute(&format!("broker `{name}`"), setting, "broker");
        }
        for listener in &broker.listeners {
            self.listener(&format!("listener `{}` of broker `{name}`", listener.name.value), listener);
        }
        if let Some(store) = &broker.store {
            self.store(&format!("the store of broker `{name}`"), store);
        }
        for queue in &broker.queues {
            let whose = format!("the policy of queue `{}` of broker `{name}`", queue.name.value);
            self.placed(&whose, &queue.settings);
        }
    }

    /// Settings that are attributes of the element that their field names.
    fn placed(&mut self, whose: &str, settings: &[Setting]) {
        for setting in settings {
            if let Place::Attribute(element) = setting.place {
                self.attribute(whose, setting, element);
            }
        }
    }

    /// An attribute, or the whole element where the release does not have that.
    fn attribute(&mut self, whose: &str, setting: &Setting, element: &str) {
        let Some(element) = schema::element(element) else { return };
        let at = place::key(self.context, setting);
        if self.element(whose, element.name, at) {
            return;
        }
        let Some(attribute) = element.attribute(&setting.real) else { return };
        let refusal = format!(
            "the broker stops here with `Attribute '{}' is not allowed to appear in element '{}'`",
            setting.real, element.name
        );
        let availability = attribute.presence.in_release(self.release);
        self.lack(at, whose, format!("`{}`", setting.name), availability, refusal);
    }

    /// Whether the release lacks an element; what follows from that is no finding of its own.
    fn element(&mut self, whose: &str, element: &str, at: Loc) -> bool {
        let Some(found) = schema::element(element) else { return false };
        let availability = found.presence.in_release(self.release);
        if availability.is_present() {
            return false;
        }
        let refusal = format!("the broker's XML does not load: there is no element `{element}`");
        let mut of_this = self.lacks.iter().rev().take_while(|lack| lack.whose == whose);
        let known = of_this.any(|lack| lack.refusal == refusal);
        if !known {
            self.lack(at, whose, format!("an element `<{element}>` in its XML"), availability, refusal);
        }
        true
    }

    fn lack(&mut self, at: Loc, whose: &str, what: String, availability: Availability, refusal: String) {
        if !availability.is_present() {
            self.lacks.push(Lack { at, whose: whose.to_owned(), what, availability, refusal });
        }
    }

    fn listener(&mut self, whose: &str, listener: &Listener) {
        self.placed(whose, &listener.settings);
        let scheme = &listener.scheme.value;
        for setting in listener.settings.iter().filter(|setting| !matches!(setting.place, Place::Attribute(_))) {
            let at = place::key(self.context, setting);
            self.server_option(at, whose, scheme, &setting.real, &setting.name);
        }
        let Some((raw, Ok(uri))) = listener.raw.as_ref().map(|raw| (raw, &raw.uri)) else { return };
        for option in &uri.options {
            let name = uri.decoded(&raw.text.value, option.key);
            let at = place::inside(self.context, raw, option.key.range());
            self.server_option(at, whose, scheme, &name, &name);
        }
    }

    fn server_option(&mut self, at: Loc, whose: &str, scheme: &str, real: &str, written: &str) {
        let availability = server_option(scheme, real, self.release);
        self.lack(at, whose, format!("`{written}`"), availability, "the broker ignores it silently".to_owned());
    }

    fn store(&mut self, whose: &str, store: &Store) {
        let own = store.kind.element();
        if removed_store::is_removed(store.kind, self.release) || self.element(whose, own, store.at) {
            return;
        }
        for setting in &store.settings {
            let element = if let Place::Attribute(element) = setting.place { element } else { own };
            self.attribute(whose, setting, element);
        }
    }

    fn bridge(&mut self, bridge: &Bridge) {
        let whose = format!("bridge `{}`", bridge.name.value);
        self.placed(&whose, &bridge.settings);
        for setting in &bridge.options {
            self.client_option(&whose, setting);
        }
        let discovery = match &bridge.to {
            Remote::Discovery(raw) => Some(raw),
            Remote::Broker(_) => None,
        };
        for raw in bridge.raw.iter().chain(discovery) {
            self.raw(&whose, raw);
        }
    }

    fn dialer(&mut self, whose: &str, dialer: &Dialer) {
        for setting in &dialer.failover {
            let at = place::key(self.context, setting);
            let refusal = refused(&setting.real, &setting.value.to_string());
            let availability = failover_option(&setting.real, self.release);
            self.lack(at, whose, format!("`{}`", setting.name), availability, refusal);
        }
        for setting in &dialer.options {
            self.client_option(whose, setting);
        }
        if let Some(raw) = &dialer.raw {
            self.raw(whose, raw);
        }
    }

    /// An option of the addresses that are dialled. Those of TLS are the most, whatever the listener speaks.
    fn client_option(&mut self, whose: &str, setting: &Setting) {
        let availability = options::client_option("ssl", &setting.real)
            .map_or(Availability::Present, |option| within(option, self.release));
        let at = place::key(self.context, setting);
        let refusal = refused(&setting.real, &setting.value.to_string());
        self.lack(at, whose, format!("`{}`", setting.name), availability, refusal);
    }

    /// What topoc writes for a client that returns to its first broker.
    fn returning(&mut self, client: &Client) {
        let Some(at) = client.prefer_first else { return };
        let whose = format!("client `{}`", client.dialer.name.value);
        let availability = failover_option("priorityBackup", self.release);
        let what = "`returns = prefer-first`".to_owned();
        self.lack(at, &whose, what, availability, refused("priorityBackup", "true"));
    }

    fn raw(&mut self, whose: &str, raw: &RawUri) {
        if let Ok(uri) = &raw.uri {
            self.uri(whose, raw, uri);
        }
    }

    /// A dialled URI and those inside it.
    fn uri(&mut self, whose: &str, raw: &RawUri, uri: &Uri) {
        let text = &raw.text.value;
        let scheme = uri.scheme.text(text);
        if scheme == "masterslave" && !release::has_masterslave_discovery(self.release) {
            let availability = Availability::NotYet { since: Release::new(5, 6, 0) };
            let at = place::inside(self.context, raw, uri.scheme.range());
            let refusal = "the broker stops here with `DiscoveryAgent scheme NOT recognized: [masterslave]`".to_owned();
            self.lack(at, whose, "`masterslave:` in its URI".to_owned(), availability, refusal);
        }
        for option in &uri.options {
            let name = uri.decoded(text, option.key);
            let availability = match scheme {
                "failover" | "discovery" => failover_option(&name, self.release),
                scheme => options::client_option(scheme, &name)
                    .or_else(|| options::discovery_option(scheme, &name))
                    .map_or(Availability::Present, |option| within(option, self.release)),
            };
            let at = place::inside(self.context, raw, option.key.range());
            let refusal = refused(&name, option.value.text(text));
            self.lack(at, whose, format!("`{name}` in its URI"), availability, refusal);
        }
        for member in uri.members() {
            self.uri(whose, raw, member);
        }
    }
}

fn refused(name: &str, value: &str) -> String {
    format!("refused with `Invalid connect parameters: {{{name}={value}}}`")
}

fn failover_option(name: &str, release: Release) -> Availability {
    match release::failover_option_since(name) {
        Some(since) if release < since => Availability::NotYet { since },
        _ => Availability::Present,
    }
}

/// Whether any of the protocols behind a scheme takes the option in this release; one that none knows is another rule's.
fn server_option(scheme: &str, name: &str, release: Release) -> Availability {
    let named = || options::server_options(scheme).filter(|option| option.matches(name));
    let exact = || named().filter(|option| !option.name.ends_with('*'));
    let mut candidates: Vec<Availability> = exact().map(|option| within(option, release)).collect();
    if candidates.is_empty() {
        candidates = named().map(|option| within(option, release)).collect();
    }
    match candidates.iter().any(|candidate| candidate.is_present()) {
        true => Availability::Present,
        false => candidates.first().copied().unwrap_or(Availability::Present),
    }
}

fn within(option: &OptionSpec, release: Release) -> Availability {
    let parse = |text: &str| Target::parse(text).ok().map(|target| target.release);
    match (parse(option.since), parse(option.gone)) {
        (Some(since), _) if release < since => Availability::NotYet { since },
        (_, Some(gone)) if release >= gone => Availability::Gone { since: gone },
        _ => Availability::Present,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scheme: &str, name: &str, release: &str, expected: &str) {
        let release = Target::parse(release).unwrap().release;
        assert_eq!(server_option(scheme, name, release).to_string(), expected, "{scheme} {name} {release}");
    }

    #[test]
    fn an_option_of_a_listener_comes_and_goes() {
        check("tcp", "wireFormat.maxFrameSizeEnabled", "5.16.3", "needs 5.16.4");
        check("tcp", "wireFormat.maxFrameSizeEnabled", "5.16.4", "is there");
        check("amqp", "transport.prefetch", "5.13", "is there");
        check("amqp", "transport.prefetch", "5.14", "was removed in 5.14.0");
    }

    #[test]
    fn one_protocol_that_takes_it_is_enough() {
        check("auto", "wireFormat.maxFrameSize", "5.13", "is there");
        check("stomp", "wireFormat.maxFrameSize", "5.11", "needs 5.12.0");
    }

    #[test]
    fn what_no_release_knows_is_not_too_new() {
        check("tcp", "colour", "5.6", "is there");
        check("nonsense", "trace", "5.6", "is there");
    }
}
