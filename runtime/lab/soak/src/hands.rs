//! The hands that carry faults out, and mend what they have broken.

use std::time::Duration;

use serde_json::{Map, Value, json};
use topoc_stage::Stage;

use crate::faults::{Fault, Kind, Part};
use crate::ledger::Happened;
use crate::load::Office;
use crate::owners::{Shared, World, listens};

/// A connector that was asked to end has ended within this, at the latest: it waits for 50 s for what it has in hand
/// (`topoc_core::sync::Times::drain`), and closes.
const ENDS_WITHIN: Duration = Duration::from_secs(75);

/// What was begun and not mended, and what it is in the ledger.
pub(crate) struct Open {
    fault: Fault,
    /// When it is to be mended.
    until: Duration,
    /// It is mended, and what was started is not up yet.
    starts: bool,
    row: usize,
}

/// Whoever carries faults out.
pub(crate) struct Hands<'a> {
    stage: &'a mut Stage,
    shared: &'a Shared,
    office: &'a Office,
    /// The sites that a link is between.
    sites: &'a (String, String),
    open: Vec<Open>,
    /// What must not be, in sentences.
    wrong: Vec<String>,
}

impl<'a> Hands<'a> {
    /// Takes over what was begun and not mended.
    pub(crate) fn new(
        stage: &'a mut Stage,
        shared: &'a Shared,
        office: &'a Office,
        sites: &'a (String, String),
        open: Vec<Open>,
    ) -> Self {
        Self { stage, shared, office, sites, open, wrong: Vec::new() }
    }

    /// What is not mended, and what must not be.
    pub(crate) fn rest(self) -> (Vec<Open>, Vec<String>) {
        (self.open, self.wrong)
    }

    /// Begins a fault; false while something of it has one already.
    pub(crate) fn begin(&mut self, fault: &Fault) -> bool {
        let is_busy = |open: &Open| open.fault.targets.iter().any(|target| fault.targets.contains(target));
        if self.open.iter().any(is_busy) {
            return false;
        }
        let now = self.office.now();
        // First: from here on time does not count against anybody.
        self.mark(fault, false);
        for target in &fault.targets {
            self.break_it(fault.row.part, fault.row.kind, target);
        }
        let happened = Happened { name: fault.row.name, targets: fault.targets.clone(), from: now, to: None };
        let row = self.office.with(|ledger| {
            ledger.faults.push(happened);
            ledger.faults.len() - 1
        });
        self.open.push(Open { fault: fault.clone(), until: now + fault.lasts, starts: false, row });
        true
    }

    /// Mends what is due, or everything that can be mended.
    pub(crate) fn mend(&mut self, everything: bool) {
        let now = self.office.now();
        for mut open in std::mem::take(&mut self.open) {
            let is_due = everything || open.until <= now;
            if !open.starts && is_due && self.can_be_mended(&open, now) {
                open.starts = true;
                for target in &open.fault.targets {
                    self.mend_it(open.fault.row.part, open.fault.row.kind, target);
                }
            }
            if !open.starts || !self.is_up(&open.fault) {
                self.open.push(open);
                continue;
            }
            self.mark(&open.fault, true);
            let to = self.office.now();
            self.office.with(|ledger| ledger.faults[open.row].to = Some(to));
        }
        self.look_for_the_dead();
    }

    /// Nobody but these hands ends a process.
    fn look_for_the_dead(&mut self) {
        let names: Vec<String> = {
            let world = self.shared.lock();
            world
                .brokers
                .iter()
                .chain(&world.connectors)
                .filter(|(_, one)| one.well)
                .map(|(name, _)| name.clone())
                .collect()
        };
        for name in names {
            if self.stage.has_ended(&name) {
                self.wrong.push(format!("{name} ended by itself at {:.1} s", self.office.now().as_secs_f64()));
                self.stage.begin(&name);
            }
        }
    }

    fn break_it(&mut self, part: Part, kind: Kind, target: &str) {
        match (part, kind) {
            (Part::Link, Kind::Cut) => self.stage.cut(&self.sites.0, &self.sites.1),
            (Part::Link, _) => self.stage.black_hole(&self.sites.0, &self.sites.1),
            (Part::Node, kind) => self.finesse(kind, target, true),
            (_, Kind::Pause) => self.stage.pause(target),
            (_, Kind::End) => self.stage.ask_to_end(target),
            _ => self.stage.fail(target),
        }
    }

    /// Whether it is over that cannot be hurried.
    fn can_be_mended(&mut self, open: &Open, now: Duration) -> bool {
        if open.fault.row.kind != Kind::End {
            return true;
        }
        let name = &open.fault.targets[0];
        if !self.stage.runs(name) || self.stage.has_ended(name) {
            return true;
        }
        let late = now > open.until.saturating_sub(open.fault.lasts) + ENDS_WITHIN;
        if late {
            self.wrong.push(format!("{name} was asked to end and has not within {} s", ENDS_WITHIN.as_secs()));
            self.stage.fail(name);
        }
        late
    }

    /// Whether a broker that was started listens. Others need not be waited for.
    fn is_up(&self, fault: &Fault) -> bool {
        let world = self.shared.lock().clone();
        let broker = fault.targets.first().and_then(|name| world.brokers.get(name));
        fault.row.kind != Kind::Kill || broker.is_none_or(listens)
    }

    fn mend_it(&mut self, part: Part, kind: Kind, target: &str) {
        match (part, kind) {
            (Part::Link, _) => self.stage.heal(&self.sites.0, &self.sites.1),
            (Part::Node, kind) => self.finesse(kind, target, false),
            (_, Kind::Pause) => self.stage.resume(target),
            _ => self.stage.begin(target),
        }
    }

    fn finesse(&mut self, kind: Kind, target: &str, breaks: bool) {
        let node = node(target);
        let (command, fields) = match kind {
            Kind::Service(service, how) if breaks => ("break", json!({"node": node, "service": service, "how": how})),
            Kind::Service(service, _) => ("restore", json!({"node": node, "service": service})),
            Kind::Slow(service, ms) => {
                ("slow", json!({"node": node, "service": service, "ms": ms * u64::from(breaks)}))
            }
            Kind::LateEvents(ms) => ("delay-events", json!({"node": node, "ms": ms * u64::from(breaks)})),
            Kind::DropSessions if breaks => ("drop-sessions", json!({"node": node})),
            _ => return,
        };
        let none = Map::new();
        if let Err(error) = self.stage.simulator.command(command, fields.as_object().unwrap_or(&none)) {
            self.wrong.push(format!("the simulated Finesse refuses `{command}`: {error}"));
        }
    }

    /// Writes down who has a fault.
    fn mark(&self, fault: &Fault, well: bool) {
        let mut world = self.shared.lock();
        let World { brokers, connectors, linked, nodes, .. } = &mut *world;
        for target in &fault.targets {
            match fault.row.part {
                Part::Broker | Part::Connector | Part::Connectors => {
                    if let Some(place) = brokers.get_mut(target).or(connectors.get_mut(target)) {
                        place.well = well;
                    }
                }
                Part::Link => *linked = well,
                Part::Node => {
                    if let Some(faults) = nodes.get_mut(node(target) - 1) {
                        *faults = usize::from(!well);
                    }
                }
            }
        }
    }
}

/// The number of a node, from 1.
fn node(target: &str) -> usize {
    target.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// What a node of Finesse has accepted for the sake of a client's request.
pub(crate) fn act(entry: &topoc_finesse_sim::cluster::Entry, began: u64) -> Option<crate::ledger::Act> {
    use crate::ledger::What;
    // What a connector asks by itself, such as to be ready again after a logout that was forced, has no id of a request.
    let id = entry.request.as_ref().filter(|id| id.starts_with("topoc-"))?;
    let of = entry.of.as_deref().unwrap_or_default();
    let what = match (entry.what, of) {
        ("LOGIN", _) => What::Login,
        ("READY", _) => What::Ready,
        ("NOT_READY", code) => What::NotReady(reason(code)),
        ("MAKE_CALL", number) => {
            What::Call(number.strip_prefix('9').and_then(|rest| rest.parse().ok()).unwrap_or(u64::MAX))
        }
        ("DROP", call) => What::Release(call.parse().unwrap_or_default()),
        _ => What::State,
    };
    let at = Duration::from_millis(entry.at.saturating_sub(began));
    Some(crate::ledger::Act {
        at,
        agent: entry.agent.parse().unwrap_or_default(),
        what,
        id: id.clone(),
        node: entry.node + 1,
    })
}

/// The id of a reason, by its code.
fn reason(code: &str) -> u32 {
    let mut all = topoc_finesse_sim::cluster::REASON_CODES.iter();
    all.find(|row| !row.system && row.code.to_string() == code).map_or(0, |row| row.id)
}

/// The state of the simulated Finesse in one line, for reports.
pub(crate) fn sessions(stage: &Stage) -> Vec<(u32, usize)> {
    let state = stage.simulator.state();
    let agents = state["agents"].as_array().cloned().unwrap_or_default();
    let one = |agent: &Value| {
        let sessions = agent["sessions"].as_array().map_or(0, Vec::len);
        Some((agent["agent"].as_str()?.parse().ok()?, sessions))
    };
    agents.iter().filter_map(one).collect()
}
