//! Scenarios and guarantees: parsed and resolved here, judged by `verify`.

use super::{Item, Lower};
use crate::diagnostic::Loc;
use crate::language::Kind;
use crate::model::{Guarantee, Scenario, Set, Step, Thing};
use crate::rules;
use topoc_dsl::syntax::{Argument, ArgumentKind};

/// Things that can fail.
const FAILING: &[Kind] = &[Kind::Site, Kind::Broker, Kind::Pair, Kind::Finesse, Kind::Connector, Kind::Client];
/// Ends of a link.
const ENDS: &[Kind] = &[Kind::Site, Kind::Broker, Kind::Pair, Kind::Finesse, Kind::Connector, Kind::Client];
/// Where a request passes.
const PATH: &[Kind] = &[Kind::Broker, Kind::Pair, Kind::Connector];

impl<'a> Lower<'a, '_> {
    pub(super) fn scenario(&mut self, item: Item<'a>) {
        let Some(title) = item.name() else { return };
        if let Some(first) = self.names.declare_scenario(&title.value, title.at) {
            self.report.add(rules::duplicate_name::found("scenario", &title.value, first, title.at));
        }
        let steps = item.inner().filter_map(|inner| self.step(&inner)).collect();
        self.model.scenarios.push(Scenario { title, steps });
    }

    pub(super) fn guarantee(&mut self, item: Item<'a>) {
        let Some(name) = item.name() else { return };
        let view = self.view(Kind::Guarantee, &item, None);
        let survives = self.integer(&view, "survives").map_or(1, |set| set.value);
        let excepts: Vec<Item<'a>> = item.inner().filter(|inner| inner.head() == "except").collect();
        let except = excepts.iter().flat_map(Item::inner).filter_map(|inner| self.step(&inner)).collect();
        self.model.guarantees.push(Guarantee { name, survives, except });
    }

    fn step(&mut self, item: &Item<'a>) -> Option<Step> {
        if item.statement.broken {
            return None;
        }
        let verb = crate::language::EVENTS.iter().find(|verb| **verb == item.head()).copied();
        match (verb, item.head()) {
            (Some("settle"), _) => Some(Step::SettleBeforeFailBack(item.at())),
            (Some(verb @ ("cut" | "heal")), _) => {
                let mut ends = self.things(item, ENDS)?.into_iter();
                Some(Step::Link { verb, a: ends.next()?, b: ends.next()? })
            }
            (Some("out-of-service"), _) => {
                Some(Step::Event { verb: "out-of-service", things: self.things(item, &[Kind::Finesse])? })
            }
            (Some(verb), _) => Some(Step::Event { verb, things: self.things(item, FAILING)? }),
            (None, "expect") => self.expectation(item),
            (None, _) => None,
        }
    }

    fn expectation(&mut self, item: &Item<'a>) -> Option<Step> {
        let mut names = item.statement.arguments.iter().filter(|argument| argument.kind == ArgumentKind::Path);
        let (at, name) = place(item, names.next()?);
        let client = match self.thing(at, name, &[Kind::Client])?.value {
            Thing::Client(value) => Set { value, at },
            _ => return None,
        };
        let rest: Vec<&Argument> = names.collect();
        let nobody = matches!(rest.as_slice(), [only] if only.span.of(item.text) == "nobody");
        let mut path = Vec::new();
        for argument in rest.iter().filter(|_| !nobody) {
            let (at, name) = place(item, argument);
            path.push(self.thing(at, name, PATH)?);
        }
        Some(Step::Expect { client, path, nobody })
    }

    fn things(&mut self, item: &Item<'a>, kinds: &[Kind]) -> Option<Vec<Set<Thing>>> {
        let names = item.statement.arguments.iter().filter(|argument| argument.kind == ArgumentKind::Path);
        names.map(|argument| place(item, argument)).map(|(at, name)| self.thing(at, name, kinds)).collect()
    }
}

fn place<'a>(item: &Item<'a>, argument: &Argument) -> (Loc, &'a str) {
    (Loc { file: item.file, span: argument.span }, argument.span.of(item.text))
}
