//! The things that a topology names, where each is declared, and which one a reference means.

use crate::diagnostic::Loc;
use crate::language::Kind;
use crate::model::{Model, Name, SiteId};

/// Something with a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) site: Option<&'a str>,
    /// Where its name is declared.
    pub(super) at: Loc,
}

/// Everything that can be referred to.
pub(super) fn known(model: &Model) -> Vec<Known<'_>> {
    let site = |id: SiteId| model.sites.get(id.index()).map(|site| site.name.value.as_str());
    let of = |kind: Kind, name: &'_ Name, id: Option<SiteId>| (kind, name.at, id);
    let mut all = Vec::new();
    let mut add = |(kind, at, id): (Kind, Loc, Option<SiteId>), name| {
        all.push(Known { kind, name, site: id.and_then(site), at });
    };
    for one in &model.sites {
        add(of(Kind::Site, &one.name, None), one.name.value.as_str());
    }
    for one in &model.brokers {
        add(of(Kind::Broker, &one.name, Some(one.site)), one.name.value.as_str());
    }
    for one in &model.pairs {
        add(of(Kind::Pair, &one.name, None), one.name.value.as_str());
    }
    for one in &model.finesse {
        add(of(Kind::Finesse, &one.name, Some(one.site)), one.name.value.as_str());
    }
    for one in &model.connectors {
        add(of(Kind::Connector, &one.dialer.name, Some(one.dialer.site)), one.dialer.name.value.as_str());
    }
    for one in &model.clients {
        add(of(Kind::Client, &one.dialer.name, Some(one.dialer.site)), one.dialer.name.value.as_str());
    }
    for one in &model.deployments {
        add(of(Kind::Deployment, &one.name, None), one.name.value.as_str());
    }
    all
}

/// The thing that `word` means, read in `site`: `site.name`, the own site's, or the first of that name. A listener
/// (`broker.listener`) leads to its broker.
pub(super) fn resolve<'a>(all: &[Known<'a>], word: &str, site: Option<&str>, kinds: &[Kind]) -> Option<Known<'a>> {
    let fits = |known: &&Known<'a>| kinds.is_empty() || kinds.contains(&known.kind);
    let found = match word.split_once('.') {
        Some((of, bare)) => all.iter().filter(fits).find(|known| known.site == Some(of) && known.name == bare),
        None => {
            let mut same = all.iter().filter(fits).filter(|known| known.name == word);
            same.clone().find(|known| known.site.is_some() && known.site == site).or_else(|| same.next())
        }
    };
    found.copied().or_else(|| resolve(all, word.rsplit_once('.')?.0, site, &[Kind::Broker]))
}
