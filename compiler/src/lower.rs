//! Syntax to model: names are resolved here and nowhere else, defaults and overlays are laid over each other.

mod bridge;
mod broker;
mod dialer;
mod names;
mod scenario;
mod view;

use crate::diagnostic::{Loc, Report};
use crate::language::{self, Field, Kind};
use crate::model::{
    Deployment, DeploymentId, Finesse, FinesseRelease, Mode, Model, Name, Pair, PairId, Set, Site, SiteId, Topology,
};
use crate::release::Target;
use crate::rules;
use crate::sources::Sources;
use crate::value::{Lets, Meaning, Written};
use names::{Entity, Names};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::SocketAddr;
use std::sync::LazyLock;
use topoc_dsl::FileId;
use topoc_dsl::syntax::{ArgumentKind, Statement, decode};
use view::{Layer, Override, View};

/// The values of all `let`s. Two of one name are reported; the first counts.
#[must_use]
pub(crate) fn lets<'a>(sources: &'a Sources, report: &mut Report) -> Lets<'a> {
    let mut lets = Lets::new();
    // An overlay's `let` replaces the topology's own, so overlays are read first.
    let by_overlay =
        |overlay: bool| sources.files.iter().enumerate().filter(move |(_, source)| source.overlay == overlay);
    let mut from_overlay = 0;
    for (index, source) in by_overlay(true).chain(by_overlay(false)) {
        let file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
        if source.overlay {
            from_overlay = lets.len();
        }
        for statement in &source.tree.statements {
            let is_let = statement.head.span.of(&source.text) == "let";
            let (Some(name), Some(value)) = (statement.arguments.first().filter(|_| is_let), statement.value()) else {
                continue;
            };
            let written = Written { file, text: &source.text, value };
            let text = name.span.of(&source.text);
            match lets.get(text) {
                None => drop(lets.insert(text, written)),
                Some(_) if from_overlay > 0 && !source.overlay => {}
                Some(first) => {
                    let again = Loc { file, span: name.span };
                    report.add(rules::duplicate_name::found("let", text, first.at(), again));
                }
            }
        }
    }
    lets
}

/// Builds the model of everything that could be read. `unread` says that some file is not there at all.
#[must_use]
pub(crate) fn lower(sources: &Sources, lets: &Lets<'_>, unread: bool, report: &mut Report) -> Model {
    let mut lower = Lower {
        lets,
        report,
        model: Model::default(),
        names: Names::default(),
        defaults: FxHashMap::default(),
        site_defaults: FxHashMap::default(),
        defaulted: FxHashSet::default(),
        overrides: Vec::new(),
        unread: unread || sources.files.iter().any(|source| !source.tree.errors.is_empty()),
        missing: sources.missing,
        later: Vec::new(),
    };
    lower.model.incomplete = lower.unread;
    lower.collect(sources);
    lower.resolve();
    lower.unused_overrides();
    lower.model
}

/// A top-level statement with the file it is in.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    file: FileId,
    text: &'a str,
    statement: &'a Statement,
    /// The site it stands in, for things that may stand in one.
    site: Option<SiteId>,
}

struct Lower<'a, 'r> {
    lets: &'a Lets<'a>,
    report: &'r mut Report,
    model: Model,
    names: Names<'a>,
    defaults: FxHashMap<Kind, Vec<Layer<'a>>>,
    site_defaults: FxHashMap<(SiteId, Kind), Vec<Layer<'a>>>,
    /// The fields that they say.
    defaulted: FxHashSet<(Option<SiteId>, Kind, &'a str)>,
    overrides: Vec<Override<'a>>,
    /// Some file could not be read in whole.
    unread: bool,
    /// A whole file is not there: who names something that may be in it is not at fault.
    missing: bool,
    /// Things that refer to others, lowered when every name is known.
    later: Vec<(Kind, Item<'a>)>,
}

impl<'a> Item<'a> {
    fn at(&self) -> Loc {
        Loc { file: self.file, span: self.statement.header() }
    }

    fn header(&self) -> &'a str {
        self.statement.header().of(self.text)
    }

    fn word(&self, index: usize) -> Option<&'a str> {
        self.statement.arguments.get(index).map(|argument| argument.span.of(self.text))
    }

    fn head(&self) -> &'a str {
        self.statement.head.span.of(self.text)
    }

    /// Whether the first word is this one. Nearly always its length says that it is not.
    fn begins(&self, keyword: &str) -> bool {
        self.statement.head.span.len() == keyword.len() && self.head() == keyword
    }

    /// The name behind the keyword, decoded where it is a text.
    fn name(&self) -> Option<Name> {
        let argument = self.statement.arguments.first()?;
        let source = argument.span.of(self.text);
        let value = match argument.kind {
            ArgumentKind::Text => decode(source).ok()?.into_owned(),
            ArgumentKind::Path => source.to_owned(),
            _ => return None,
        };
        Some(Set { value, at: Loc { file: self.file, span: argument.span } })
    }

    fn inner(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let item = *self;
        let statements = self.statement.body().map(|body| body.statements.as_slice()).unwrap_or_default();
        statements.iter().map(move |statement| Item { statement, ..item })
    }
}

impl<'a> Lower<'a, '_> {
    /// First pass: who is there, and what is said of all.
    fn collect(&mut self, sources: &'a Sources) {
        let mut sites = Vec::new();
        for (index, source) in sources.files.iter().enumerate() {
            let file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
            for statement in &source.tree.statements {
                let item = Item { file, text: &source.text, statement, site: None };
                match item.head() {
                    "override" if source.overlay => self.overrides.extend(Override::read(&item)),
                    _ if statement.broken => self.misread(&item),
                    "site" => sites.push(item),
                    "defaults" => self.collect_defaults(item, None),
                    "topology" => self.later.push((Kind::Topology, item)),
                    "pair" => self.later.push((Kind::Pair, item)),
                    "bridge" => self.later.push((Kind::Bridge, item)),
                    "deployment" => self.later.push((Kind::Deployment, item)),
                    "scenario" => self.later.push((Kind::Scenario, item)),
                    "guarantee" => self.later.push((Kind::Guarantee, item)),
                    "import" | "let" => {}
                    _ => self.misread(&item),
                }
            }
        }
        let sites: Vec<(SiteId, Item<'a>)> =
            sites.into_iter().filter_map(|item| Some((self.site(item)?, item))).collect();
        for (site, item) in sites {
            for inner in item.inner() {
                self.declare(Item { site: Some(site), ..inner });
            }
        }
    }

    fn site(&mut self, item: Item<'a>) -> Option<SiteId> {
        let name = item.name()?;
        let id = SiteId(small(self.model.sites.len()));
        if let Some(first) = self.names.declare_site(item.word(0)?, id) {
            // A site may go on in another file; two of one name in one file are more likely a slip.
            let first_name = &self.model.site(first).name;
            self.report.add(rules::duplicate_name::found("site", &name.value, first_name.at, name.at));
        }
        self.model.sites.push(Site { name, at: item.at() });
        Some(id)
    }

    fn collect_defaults(&mut self, item: Item<'a>, site: Option<SiteId>) {
        let Some(block) = item.word(0).and_then(language::block_of) else { return };
        let Some(layer) = Layer::of(&item) else { return };
        let mut news = false;
        for statement in layer.statements {
            let field = statement.value().is_some() && statement.arguments.is_empty() && !statement.broken;
            let name = statement.head.span.of(item.text);
            news |= !field || self.defaulted.insert((site, block.kind, name));
        }
        // Of two that say one thing the first counts, and every block of the kind would look at the other in vain.
        let layers = match site {
            Some(site) => self.site_defaults.entry((site, block.kind)).or_default(),
            None => self.defaults.entry(block.kind).or_default(),
        };
        layers.extend(news.then_some(layer));
    }

    /// Gives a thing of a site its id and its name.
    fn declare(&mut self, item: Item<'a>) {
        let Some(site) = item.site else { return };
        if item.statement.broken {
            return self.misread(&item);
        }
        let (kind, next) = match item.head() {
            "broker" => (Kind::Broker, self.names.brokers),
            "finesse" => (Kind::Finesse, self.names.finesse),
            "connector" => (Kind::Connector, self.names.connectors),
            "client" => (Kind::Client, self.names.clients),
            "defaults" => return self.collect_defaults(item, Some(site)),
            "pair" => return self.later.push((Kind::Pair, item)),
            "bridge" => return self.later.push((Kind::Bridge, item)),
            _ => return self.misread(&item),
        };
        let (Some(name), Some(word), true) = (item.name(), item.word(0), item.statement.body().is_some()) else {
            return self.misread(&item);
        };
        let entity = Entity::new(kind, next);
        if let Some(first) = self.names.declare(word, site, entity, name.at) {
            self.report.add(rules::duplicate_name::found(item.head(), word, first, name.at));
            self.model.incomplete = true;
        }
        self.later.push((kind, item));
        self.names.count(kind);
    }

    /// Takes note of the names in a block that is reported for another reason.
    fn misread(&mut self, item: &Item<'a>) {
        self.model.incomplete = true;
        self.names.misread(item.word(0));
        item.inner().for_each(|inner| self.names.misread(inner.word(0)));
    }

    /// Second pass: everything is named, so everything can be looked up.
    fn resolve(&mut self) {
        let later = std::mem::take(&mut self.later);
        let of = |kind: Kind| later.iter().filter(move |(found, _)| *found == kind).map(|(_, item)| *item);
        self.reserve(of(Kind::Bridge).count(), of(Kind::Deployment).count());
        let topologies: Vec<Item<'a>> = of(Kind::Topology).collect();
        self.topology(&topologies);
        of(Kind::Broker).for_each(|item| self.broker(item));
        of(Kind::Pair).for_each(|item| self.pair(item));
        of(Kind::Finesse).for_each(|item| self.finesse(item));
        of(Kind::Connector).for_each(|item| self.connector(item));
        of(Kind::Client).for_each(|item| self.client(item));
        of(Kind::Bridge).for_each(|item| self.bridge(item));
        self.name_bridges();
        of(Kind::Deployment).for_each(|item| self.deployment(item));
        of(Kind::Scenario).for_each(|item| self.scenario(item));
        of(Kind::Guarantee).for_each(|item| self.guarantee(item));
    }

    /// How many of each there will be is known, and growing by doubling would cost twice the memory.
    fn reserve(&mut self, bridges: usize, deployments: usize) {
        self.model.brokers.reserve_exact(self.names.brokers as usize);
        self.model.finesse.reserve_exact(self.names.finesse as usize);
        self.model.connectors.reserve_exact(self.names.connectors as usize);
        self.model.clients.reserve_exact(self.names.clients as usize);
        self.model.bridges.reserve_exact(bridges);
        self.model.deployments.reserve_exact(deployments);
    }

    fn topology(&mut self, items: &[Item<'a>]) {
        let mut items: Vec<Item<'a>> = items.to_vec();
        items.sort_by_key(Item::at);
        let Some(item) = items.first() else { return self.no_topology() };
        for again in items.iter().skip(1) {
            self.report.add(rules::duplicate_name::topology(item.at(), again.at()));
        }
        let view = self.view(Kind::Topology, item, None);
        self.required(&view, item.at());
        let activemq = self.text(&view, "activemq");
        let activemq = activemq.and_then(|set| Some(Set { value: Target::parse(&set.value).ok()?, at: set.at }));
        let finesse = self.text(&view, "finesse");
        let finesse = finesse.and_then(|set| {
            let release = finesse_release(&set.value);
            if release.is_none() {
                self.report.add(rules::wrong_type::finesse_release(set.at, &set.value));
            }
            Some(Set { value: release?, at: set.at })
        });
        self.model.incomplete |= activemq.is_none();
        let name = item.name().map(|name| name.value).unwrap_or_default();
        self.model.topology = Topology { name, at: Some(item.at()), activemq, finesse };
    }

    /// Without the block the release is unknown; where a file could not be read, the block may be in that.
    fn no_topology(&mut self) {
        if !self.unread {
            self.report.add(rules::missing_field::topology(Loc::default()));
        }
        self.model.incomplete = true;
    }

    fn pair(&mut self, item: Item<'a>) {
        let Some(name) = item.name() else { return };
        let view = self.view(Kind::Pair, &item, item.site);
        self.required(&view, item.at());
        let master = self.one_broker(&view, "master", item.site);
        let slave = self.one_broker(&view, "slave", item.site);
        let id = PairId(small(self.model.pairs.len()));
        let Some((master, slave)) = master.zip(slave) else {
            return self.misread(&item);
        };
        if let Some(first) = self.names.declare_pair(item.word(0).unwrap_or(""), id, name.at) {
            self.report.add(rules::duplicate_name::found("pair", &name.value, first, name.at));
        }
        for member in [&master, &slave] {
            self.model.brokers[member.value.index()].pair.get_or_insert(id);
        }
        self.model.pairs.push(Pair { name, at: item.at(), master, slave });
    }

    fn finesse(&mut self, item: Item<'a>) {
        let (Some(name), Some(site)) = (item.name(), item.site) else { return };
        let view = self.view(Kind::Finesse, &item, item.site);
        self.required(&view, item.at());
        let host = self.text(&view, "host").unwrap_or(Set { value: name.value.clone(), at: name.at });
        let port = self.port(&view, "port");
        let xmpp_port = self.port(&view, "xmpp-port");
        let xmpp = self.text(&view, "xmpp");
        let deployment = self.text(&view, "deployment");
        self.model.finesse.push(Finesse { site, name, at: item.at(), host, port, xmpp_port, xmpp, deployment });
    }

    fn deployment(&mut self, item: Item<'a>) {
        let Some(name) = item.name() else { return };
        let view = self.view(Kind::Deployment, &item, None);
        self.required(&view, item.at());
        let mode = match item.word(1) {
            Some("simplex") => Mode::Simplex,
            Some("active-passive") => Mode::ActivePassive,
            Some("active-active") => Mode::ActiveActive,
            _ => return self.model.incomplete = true,
        };
        let id = DeploymentId(small(self.model.deployments.len()));
        if let Some(first) = self.names.declare_deployment(item.word(0).unwrap_or(""), name.at) {
            self.report.add(rules::duplicate_name::found("deployment", &name.value, first, name.at));
        }
        let (connectors, whole) = self.connectors_of(&view);
        for (place, connector) in connectors.iter().enumerate() {
            let connector = &mut self.model.connectors[connector.value.index()];
            connector.deployment.get_or_insert((id, place));
        }
        self.model.incomplete |= !whole;
        let requests = self.text(&view, "requests");
        let requests_at = requests.as_ref().map(|set| set.at);
        let requests = requests.map_or_else(|| crate::model::DEFAULT_REQUESTS.to_owned(), |set| set.value);
        let deployment = Deployment {
            name,
            at: item.at(),
            mode,
            connectors,
            requests,
            requests_at,
            sync_key: self.secret(&view, "sync-key"),
            other_sync_key: self.secret(&view, "other-sync-key"),
            damaged: !whole || view.damaged,
        };
        self.model.deployments.push(deployment);
    }

    fn unused_overrides(&mut self) {
        for unused in self.overrides.iter().filter(|found| !found.used.get()) {
            let names = self.names.known(unused.kind, &self.model);
            let near = if self.names.search() { &*names } else { &[] };
            let found = rules::unmatched_override::found(unused.at, unused.keyword, &unused.name, &names, near);
            self.report.add(found);
        }
    }

    /// Reports required fields that neither the block nor a default nor an overlay gives.
    fn required(&mut self, view: &View<'a>, at: Loc) {
        if view.damaged {
            return;
        }
        let required = &REQUIRED[view.kind as usize];
        let missing: Vec<&Field> = required.iter().copied().filter(|field| view.find(&field.name).is_none()).collect();
        if missing.is_empty() {
            return;
        }
        self.model.incomplete = true;
        if view.has_unknown() {
            return;
        }
        for field in missing {
            self.report.add(rules::missing_field::found(at, view.header, field, view.body));
        }
    }

    fn meaning(&mut self, view: &View<'a>, name: &str) -> Option<Set<Meaning<'a>>> {
        let written = view.find(name)?;
        let field = language::field(view.kind, name)?;
        match crate::value::mean(written, field.ty, self.lets) {
            Ok(value) => Some(Set { value, at: written.at() }),
            Err(_) => {
                self.model.incomplete = true;
                None
            }
        }
    }

    fn text(&mut self, view: &View<'a>, name: &str) -> Option<Set<String>> {
        let set = self.meaning(view, name)?;
        match set.value {
            Meaning::Text(text) => Some(Set { value: text.into_owned(), at: set.at }),
            _ => None,
        }
    }

    fn integer(&mut self, view: &View<'a>, name: &str) -> Option<Set<i64>> {
        let set = self.meaning(view, name)?;
        match set.value {
            Meaning::Integer(value) => Some(Set { value, at: set.at }),
            _ => None,
        }
    }

    fn port(&mut self, view: &View<'a>, name: &str) -> Option<Set<u16>> {
        let set = self.integer(view, name)?;
        Some(Set { value: u16::try_from(set.value).ok()?, at: set.at })
    }

    fn socket(&mut self, view: &View<'a>, name: &str) -> Option<Set<SocketAddr>> {
        let set = self.text(view, name)?;
        Some(Set { value: set.value.parse().ok()?, at: set.at })
    }

    fn boolean(&mut self, view: &View<'a>, name: &str) -> Option<Set<bool>> {
        let set = self.meaning(view, name)?;
        match set.value {
            Meaning::Bool(value) => Some(Set { value, at: set.at }),
            _ => None,
        }
    }

    fn secret(&mut self, view: &View<'a>, name: &str) -> Option<Set<crate::value::Secret>> {
        let set = self.meaning(view, name)?;
        match set.value {
            Meaning::Secret(value) => Some(Set { value, at: set.at }),
            _ => None,
        }
    }

    fn texts(&mut self, view: &View<'a>, name: &str) -> Vec<(Loc, String)> {
        match self.meaning(view, name).map(|set| set.value) {
            Some(Meaning::Texts(texts)) => texts,
            _ => Vec::new(),
        }
    }

    /// The names in a field and the place of the whole.
    fn name_list(&mut self, view: &View<'a>, name: &str) -> Option<Set<Vec<(Loc, &'a str)>>> {
        let set = self.meaning(view, name)?;
        match set.value {
            Meaning::Names(names) => Some(Set { value: names, at: set.at }),
            _ => None,
        }
    }
}

/// The fields that must be there, by [`Kind`] as a number, each list by name: few of the hundreds that may be.
static REQUIRED: LazyLock<Vec<Vec<&'static Field>>> = LazyLock::new(|| {
    let mut required = vec![Vec::new(); Kind::Override as usize + 1];
    for block in language::BLOCKS {
        let mut fields: Vec<&Field> = language::fields(block.kind).values().filter(|field| field.required).collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        required[block.kind as usize] = fields;
    }
    required
});

/// 12.6 of `"12.6"`, `"12.6(1)"` or `"15"`.
fn finesse_release(text: &str) -> Option<FinesseRelease> {
    let plain = text.split('(').next().unwrap_or(text);
    let mut numbers = plain.split('.').map(str::parse::<u16>);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next().transpose().ok()?.unwrap_or(0);
    (numbers.all(|number| number.is_ok()) && (8..=30).contains(&major)).then_some(FinesseRelease { major, minor })
}

fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
