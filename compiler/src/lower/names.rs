//! Who is called what: things of a site by site and name, and unqualified where that is unique.

use super::Lower;
use crate::diagnostic::Loc;
use crate::language::Kind;
use crate::model::{BrokerId, ClientId, ConnectorId, Endpoint, FinesseId, Model, PairId, Set, SiteId, Thing};
use crate::rules;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

use super::view::View;

/// How many unknown names of a run are compared with every known one. Who has more has other cares than their spelling,
/// and with thousands of both the comparing would take minutes.
const MOST_SEARCHES: usize = 300;

/// A thing of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entity {
    Broker(BrokerId),
    Finesse(FinesseId),
    Connector(ConnectorId),
    Client(ClientId),
}

impl Entity {
    pub(super) fn new(kind: Kind, index: u32) -> Self {
        match kind {
            Kind::Finesse => Entity::Finesse(FinesseId(index)),
            Kind::Connector => Entity::Connector(ConnectorId(index)),
            Kind::Client => Entity::Client(ClientId(index)),
            _ => Entity::Broker(BrokerId(index)),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Entity::Broker(_) => Kind::Broker,
            Entity::Finesse(_) => Kind::Finesse,
            Entity::Connector(_) => Kind::Connector,
            Entity::Client(_) => Kind::Client,
        }
    }

    fn thing(self) -> Thing {
        match self {
            Entity::Broker(id) => Thing::Broker(id),
            Entity::Finesse(id) => Thing::Finesse(id),
            Entity::Connector(id) => Thing::Connector(id),
            Entity::Client(id) => Thing::Client(id),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Declared {
    site: SiteId,
    entity: Entity,
    at: Loc,
}

/// Every name of the topology.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    sites: FxHashMap<&'a str, SiteId>,
    things: FxHashMap<&'a str, Vec<Declared>>,
    pairs: FxHashMap<&'a str, (PairId, Loc)>,
    deployments: FxHashMap<&'a str, Loc>,
    scenarios: FxHashMap<String, Loc>,
    /// Names behind blocks that could not be read: who refers to one of them is not at fault.
    misread: FxHashSet<&'a str>,
    /// How many of each have been declared: the next id.
    pub(super) brokers: u32,
    pub(super) finesse: u32,
    pub(super) connectors: u32,
    pub(super) clients: u32,
    /// Every name of a kind, sorted, from the first time that they were asked for until another one is declared.
    known: FxHashMap<Kind, Rc<[String]>>,
    searches: usize,
}

/// Why a name leads nowhere.
pub(super) enum Lost {
    Unknown,
    /// Two or more things it could mean, as `site.name` and where.
    Ambiguous(Vec<(String, Loc)>),
    /// It is the name of something of another kind.
    OtherKind(&'static str, Loc),
}

impl<'a> Names<'a> {
    /// The site of that name that was there first, if any.
    pub(super) fn declare_site(&mut self, name: &'a str, id: SiteId) -> Option<SiteId> {
        let first = self.sites.get(name).copied();
        self.sites.entry(name).or_insert(id);
        first
    }

    /// The place of the thing of that site and name that was there first, if any.
    pub(super) fn declare(&mut self, name: &'a str, site: SiteId, entity: Entity, at: Loc) -> Option<Loc> {
        let things = self.things.entry(name).or_default();
        let first = things.iter().find(|thing| thing.site == site).map(|thing| thing.at);
        if first.is_none() {
            things.push(Declared { site, entity, at });
        }
        first
    }

    /// Takes note of the name of a block that is reported for another reason.
    pub(super) fn misread(&mut self, name: Option<&'a str>) {
        self.misread.extend(name);
    }

    pub(super) fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Broker => self.brokers += 1,
            Kind::Finesse => self.finesse += 1,
            Kind::Connector => self.connectors += 1,
            _ => self.clients += 1,
        }
    }

    pub(super) fn declare_pair(&mut self, name: &'a str, id: PairId, at: Loc) -> Option<Loc> {
        self.known.remove(&Kind::Pair);
        let first = self.pairs.get(name).map(|(_, at)| *at);
        self.pairs.entry(name).or_insert((id, at));
        first
    }

    pub(super) fn declare_deployment(&mut self, name: &'a str, at: Loc) -> Option<Loc> {
        self.known.remove(&Kind::Deployment);
        let first = self.deployments.get(name).copied();
        self.deployments.entry(name).or_insert(at);
        first
    }

    pub(super) fn declare_scenario(&mut self, name: &str, at: Loc) -> Option<Loc> {
        self.known.remove(&Kind::Scenario);
        let first = self.scenarios.get(name).copied();
        self.scenarios.entry(name.to_owned()).or_insert(at);
        first
    }

    pub(super) fn site(&self, name: &str) -> Option<SiteId> {
        self.sites.get(name).copied()
    }

    fn pair(&self, name: &str) -> Option<PairId> {
        self.pairs.get(name).map(|(id, _)| *id)
    }

    /// A thing of one of `kinds`: `site.name`, or `name` in its own site, or `name` where that is unique.
    fn find(&self, name: &str, from: Option<SiteId>, kinds: &[Kind], model: &Model) -> Result<Entity, Lost> {
        let (site, bare) = match name.split_once('.') {
            Some((site, bare)) => (Some(self.site(site).ok_or(Lost::Unknown)?), bare),
            None => (None, name),
        };
        let found = self.things.get(bare).map(Vec::as_slice).unwrap_or_default();
        let fits =
            |thing: &&Declared| kinds.contains(&thing.entity.kind()) && site.is_none_or(|site| thing.site == site);
        let own = found.iter().filter(fits).find(|thing| Some(thing.site) == from);
        let mut fitting = found.iter().filter(fits);
        match (own, fitting.next(), fitting.next()) {
            (Some(own), _, _) => Ok(own.entity),
            (None, Some(only), None) => Ok(only.entity),
            (None, Some(_), Some(_)) => Err(Lost::Ambiguous(
                found
                    .iter()
                    .filter(fits)
                    .map(|thing| (format!("{}.{bare}", model.site(thing.site).name.value), thing.at))
                    .collect(),
            )),
            (None, None, _) => match found.iter().find(|thing| site.is_none_or(|site| thing.site == site)) {
                Some(other) => Err(Lost::OtherKind(noun(other.entity.kind()), other.at)),
                None => Err(Lost::Unknown),
            },
        }
    }

    /// For `west.amq-1` the `east.amq-1` that there is.
    fn elsewhere(&self, name: &str, kinds: &[Kind], model: &Model) -> Option<String> {
        let (_, bare) = name.split_once('.')?;
        let found = self.things.get(bare)?.iter().find(|thing| kinds.contains(&thing.entity.kind()))?;
        Some(format!("{}.{bare}", model.site(found.site).name.value))
    }

    /// Every name of a kind, for suggestions. Sites and their things are all declared before anybody asks.
    pub(super) fn known(&mut self, kind: Kind, model: &Model) -> Rc<[String]> {
        if let Some(known) = self.known.get(&kind) {
            return Rc::clone(known);
        }
        let known: Rc<[String]> = self.all(kind, model).into();
        self.known.insert(kind, Rc::clone(&known));
        known
    }

    /// Whether similar names may be looked for once more.
    pub(super) fn search(&mut self) -> bool {
        self.searches += 1;
        self.searches <= MOST_SEARCHES
    }

    fn all(&self, kind: Kind, model: &Model) -> Vec<String> {
        let mut names: Vec<String> = match kind {
            Kind::Site => self.sites.keys().map(|name| (*name).to_owned()).collect(),
            Kind::Pair => self.pairs.keys().map(|name| (*name).to_owned()).collect(),
            Kind::Deployment => self.deployments.keys().map(|name| (*name).to_owned()).collect(),
            Kind::Scenario => self.scenarios.keys().cloned().collect(),
            Kind::Topology => vec![model.topology.name.clone()],
            Kind::Bridge => model.bridges.iter().map(|bridge| bridge.name.value.clone()).collect(),
            kind => self
                .things
                .iter()
                .filter(|(_, declared)| declared.iter().any(|thing| thing.entity.kind() == kind))
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        };
        names.sort_unstable();
        names
    }
}

/// What a kind of thing is called in messages.
fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Finesse => "Finesse node",
        kind => crate::language::spec(kind).map_or("thing", |spec| spec.keyword),
    }
}

impl<'a> Lower<'a, '_> {
    fn lost(&mut self, at: Loc, name: &str, kinds: &[Kind], lost: Lost) {
        self.model.incomplete = true;
        let excused = self.missing || name.split('.').any(|part| self.names.misread.contains(part));
        if matches!(lost, Lost::Unknown) && excused {
            return;
        }
        let what = kinds.iter().map(|kind| noun(*kind)).collect::<Vec<_>>().join(" or ");
        match self.of_another_kind(name).unwrap_or(lost) {
            Lost::Ambiguous(candidates) => self.report.add(rules::ambiguous_name::found(at, &what, name, &candidates)),
            Lost::OtherKind(is, declared) => {
                self.report.add(rules::unknown_name::other_kind(at, &what, name, is, declared));
            }
            Lost::Unknown => {
                let known: Vec<Rc<[String]>> = kinds.iter().map(|kind| self.names.known(*kind, &self.model)).collect();
                let known: Vec<&[String]> = known.iter().map(AsRef::as_ref).collect();
                let elsewhere = self.names.elsewhere(name, kinds, &self.model);
                let search = self.names.search();
                self.report.add(rules::unknown_name::found(at, &what, name, &known, elsewhere.as_deref(), search));
            }
        }
    }

    /// Sites and pairs are not among the things of a site, but their names are taken for such.
    fn of_another_kind(&self, name: &str) -> Option<Lost> {
        let site = self.names.site(name).map(|id| Lost::OtherKind("site", self.model.site(id).name.at));
        site.or_else(|| self.names.pairs.get(name).map(|(_, at)| Lost::OtherKind("pair", *at)))
    }

    /// What a scenario may speak of: sites and pairs too.
    pub(super) fn thing(&mut self, at: Loc, name: &str, kinds: &[Kind]) -> Option<Set<Thing>> {
        if let Some(site) = self.names.site(name).filter(|_| kinds.contains(&Kind::Site)) {
            return Some(Set { value: Thing::Site(site), at });
        }
        if let Some(pair) = self.names.pair(name).filter(|_| kinds.contains(&Kind::Pair)) {
            return Some(Set { value: Thing::Pair(pair), at });
        }
        match self.names.find(name, None, kinds, &self.model) {
            Ok(entity) => Some(Set { value: entity.thing(), at }),
            Err(lost) => {
                self.lost(at, name, kinds, lost);
                None
            }
        }
    }

    pub(super) fn site_named(&mut self, at: Loc, name: &str) -> Option<SiteId> {
        let found = self.names.site(name);
        if found.is_none() {
            self.lost(at, name, &[Kind::Site], Lost::Unknown);
        }
        found
    }

    /// A broker, a pair, or a listener of a broker.
    pub(super) fn endpoint(&mut self, at: Loc, name: &str, site: Option<SiteId>) -> Option<Endpoint> {
        let kinds = &[Kind::Broker, Kind::Pair];
        if let Some(id) = self.names.pair(name) {
            let broker = self.model.pair(id).master.value;
            return Some(Endpoint { broker, pair: Some(id), listener: None, at });
        }
        let lost = match self.names.find(name, site, &[Kind::Broker], &self.model) {
            Ok(Entity::Broker(broker)) => return Some(Endpoint { broker, pair: None, listener: None, at }),
            Ok(_) => Lost::Unknown,
            Err(lost) => lost,
        };
        match (lost, self.listener(name, site)) {
            (Lost::Unknown, Some((broker, listener))) => {
                Some(Endpoint { broker, pair: None, listener: Some(listener), at })
            }
            (Lost::Unknown, None) if self.no_listener(at, name, site) => None,
            (lost, _) => {
                self.lost(at, name, kinds, lost);
                None
            }
        }
    }

    /// `broker.listener` where the broker is there and the listener is not.
    fn no_listener(&mut self, at: Loc, name: &str, site: Option<SiteId>) -> bool {
        let Some((broker, listener)) = name.rsplit_once('.') else { return false };
        let Ok(Entity::Broker(id)) = self.names.find(broker, site, &[Kind::Broker], &self.model) else { return false };
        self.model.incomplete = true;
        let broker = self.model.broker(id);
        let names: Vec<String> = broker.listeners.iter().map(|found| found.name.value.clone()).collect();
        if !broker.damaged {
            self.report.add(rules::unknown_name::listener(at, &broker.name.value, listener, &names));
        }
        true
    }

    /// `broker.listener` or `site.broker.listener`.
    fn listener(&self, name: &str, site: Option<SiteId>) -> Option<(BrokerId, usize)> {
        let (broker, listener) = name.rsplit_once('.')?;
        let Ok(Entity::Broker(id)) = self.names.find(broker, site, &[Kind::Broker], &self.model) else { return None };
        let place = self.model.broker(id).listeners.iter().position(|found| found.name.value == listener)?;
        Some((id, place))
    }

    pub(super) fn one_broker(&mut self, view: &View<'a>, field: &str, site: Option<SiteId>) -> Option<Set<BrokerId>> {
        let names = self.name_list(view, field)?;
        let (at, name) = *names.value.first()?;
        match self.names.find(name, site, &[Kind::Broker], &self.model) {
            Ok(Entity::Broker(value)) => Some(Set { value, at }),
            Ok(_) => None,
            Err(lost) => {
                self.lost(at, name, &[Kind::Broker], lost);
                None
            }
        }
    }

    pub(super) fn finesse_of(&mut self, view: &View<'a>, site: SiteId) -> Vec<Set<FinesseId>> {
        let names = self.name_list(view, "finesse").map(|names| names.value).unwrap_or_default();
        let mut nodes = Vec::new();
        for (at, name) in names {
            match self.names.find(name, Some(site), &[Kind::Finesse], &self.model) {
                Ok(Entity::Finesse(value)) => nodes.push(Set { value, at }),
                Ok(_) => {}
                Err(lost) => self.lost(at, name, &[Kind::Finesse], lost),
            }
        }
        nodes
    }

    /// The connectors of a deployment, and whether all of them exist.
    pub(super) fn connectors_of(&mut self, view: &View<'a>) -> (Vec<Set<ConnectorId>>, bool) {
        let Some(names) = self.name_list(view, "connectors") else { return (Vec::new(), false) };
        let mut connectors = Vec::new();
        let mut whole = true;
        for (at, name) in names.value {
            match self.names.find(name, None, &[Kind::Connector], &self.model) {
                Ok(Entity::Connector(value)) => connectors.push(Set { value, at }),
                Ok(_) => whole = false,
                Err(lost) => {
                    self.lost(at, name, &[Kind::Connector], lost);
                    whole = false;
                }
            }
        }
        (connectors, whole)
    }
}
