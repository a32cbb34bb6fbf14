//! Network connectors: who dials whom, and under which name.

use super::{Item, Lower};
use crate::diagnostic::Loc;
use crate::language::Kind;
use crate::model::{Bridge, Endpoint, RawUri, Remote, Set};
use crate::uri;
use std::collections::HashMap;
use topoc_dsl::syntax::{ArgumentKind, decode};

impl<'a> Lower<'a, '_> {
    pub(super) fn bridge(&mut self, item: Item<'a>) {
        let arguments = &item.statement.arguments;
        let (Some(from), Some(arrow), Some(to)) = (arguments.first(), arguments.get(1), arguments.get(2)) else {
            return;
        };
        let place = |span| Loc { file: item.file, span };
        let from = self.endpoint(place(from.span), from.span.of(item.text), item.site);
        let to = match arguments.get(3).filter(|argument| argument.kind == ArgumentKind::Text) {
            Some(discovery) => discovered(discovery.span.of(item.text), place(discovery.span)).map(Remote::Discovery),
            None => self.endpoint(place(to.span), to.span.of(item.text), item.site).map(Remote::Broker),
        };
        let Some((from, to)) = from.zip(to) else {
            self.model.incomplete = true;
            return;
        };
        let auto_name = self.auto_name(&from, &to);
        let view = self.view_named(Kind::Bridge, &item, item.site, &auto_name);
        let written = self.text(&view, "name");
        let mut settings = self.settings(&view);
        settings.retain(|setting| setting.real != "name");
        let bridge = Bridge {
            at: item.at(),
            from,
            to,
            duplex: arrow.kind == ArgumentKind::Both,
            named_by_hand: written.is_some(),
            name: written.unwrap_or(Set { value: auto_name, at: item.at() }),
            raw: self.raw_uri(&view),
            user: self.text(&view, "user"),
            password: self.secret(&view, "password"),
            excluded: self.texts(&view, "excluded"),
            dynamic: self.texts(&view, "dynamically-included"),
            fixed: self.texts(&view, "statically-included"),
            settings,
            options: self.options(&view, item.site),
        };
        self.model.bridges.push(bridge);
    }

    /// `amq-1-to-amq-2`: what the network connector is called unless a name is written.
    fn auto_name(&self, from: &Endpoint, to: &Remote) -> String {
        let near = self.endpoint_name(from);
        match to {
            Remote::Broker(far) => format!("{near}-to-{}", self.endpoint_name(far)),
            Remote::Discovery(_) => format!("{near}-to-discovered"),
        }
    }

    fn endpoint_name(&self, endpoint: &Endpoint) -> &str {
        match endpoint.pair {
            Some(pair) => &self.model.pair(pair).name.value,
            None => &self.model.broker(endpoint.broker).name.value,
        }
    }

    /// Two connectors of one broker may not have one name: those that topoc names are told apart.
    pub(super) fn name_bridges(&mut self) {
        let mut seen: HashMap<(crate::model::BrokerId, String), u32> = HashMap::new();
        for bridge in &mut self.model.bridges {
            let count = seen.entry((bridge.from.broker, bridge.name.value.clone())).or_insert(0);
            *count += 1;
            if *count > 1 && !bridge.named_by_hand {
                bridge.name.value = format!("{}-{count}", bridge.name.value);
            }
        }
    }
}

fn discovered(source: &str, at: Loc) -> Option<RawUri> {
    let value = decode(source).ok()?.into_owned();
    let uri = uri::parse(&value).map_err(|error| error.discreet(&value));
    Some(RawUri { text: Set { value, at }, uri })
}
