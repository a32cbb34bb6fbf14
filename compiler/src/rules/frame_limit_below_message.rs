//! TOPO0115 frame-limit-below-message: a listener that refuses messages of the size that passes it.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::dialling::{self, speaks_openwire, usable_listener};
use crate::model::{Bridge, Broker, BrokerId, Listener, Remote, Set};
use crate::network::{duplex, node};
use crate::options;
use crate::release::{Release, default_max_frame_size};
use crate::uri::Uri;
use crate::value::SIZES;
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0115",
    name: "frame-limit-below-message",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a listener that refuses messages of the size that passes it",
    page: include_str!("frame_limit_below_message.md"),
    check: Check::Model(check),
};

/// The same for OpenWire alone, on a listener that finds out the protocol itself, comes first.
const NAMES: [&str; 2] = ["wireFormat.default.maxFrameSize", "wireFormat.maxFrameSize"];
const SWITCH: &str = "wireFormat.maxFrameSizeEnabled";
/// What a frame has beside the message, generously.
const ROOM: i64 = 1 << 20;

/// The largest message, and where that is said.
type Largest = Option<Set<i64>>;

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    if model.brokers.iter().all(|broker| broker.limits.message.is_none()) {
        return;
    }
    let release = model.release();
    let mut seen: HashSet<Loc> = HashSet::new();
    let bridged = over_bridges(context, &largest(context));
    for (index, broker) in (0..).map(BrokerId).zip(&model.brokers) {
        for (place, listener) in broker.listeners.iter().enumerate().filter(|(_, listener)| speaks_openwire(listener)) {
            let mut message = broker.limits.message.clone();
            raise(&mut message, bridged.get(&(index, place)));
            let (Some(message), Some(limit)) = (message, Limit::of(context, listener, release)) else { continue };
            if message.value > limit.bytes && seen.insert(limit.at) {
                report.add(found(broker, listener, &limit, &message));
            }
        }
    }
}

/// The largest message that can be at each broker (for a pair, its master): its own, and what comes over bridges. The
/// largest goes first, so that each broker is passed once.
fn largest(context: &Context<'_>) -> HashMap<BrokerId, Set<i64>> {
    let model = context.model;
    let ids = (0..).map(BrokerId).zip(&model.brokers);
    let mut said: Vec<(BrokerId, &Set<i64>)> =
        ids.filter_map(|(id, broker)| Some((node(model, id), broker.limits.message.as_ref()?))).collect();
    said.sort_by_key(|(_, message)| std::cmp::Reverse(message.value));
    let mut largest: HashMap<BrokerId, Set<i64>> = HashMap::new();
    for (from, message) in said {
        let mut todo = vec![from];
        while let Some(at) = todo.pop() {
            if largest.contains_key(&at) {
                continue;
            }
            largest.insert(at, message.clone());
            todo.extend(context.network.leaving(at).map(|edge| edge.to));
        }
    }
    largest
}

/// The largest message that bridges send through the listeners that they dial.
fn over_bridges(context: &Context<'_>, largest: &HashMap<BrokerId, Set<i64>>) -> HashMap<(BrokerId, usize), Set<i64>> {
    let model = context.model;
    let mut passing: HashMap<(BrokerId, usize), Set<i64>> = HashMap::new();
    for bridge in &model.bridges {
        let there = largest.get(&node(model, bridge.from.broker));
        for (broker, listener) in dialled(context, bridge) {
            let back = largest.get(&node(model, broker)).filter(|_| duplex(bridge));
            let mut message = passing.remove(&(broker, listener));
            raise(&mut message, there);
            raise(&mut message, back);
            passing.extend(message.map(|message| ((broker, listener), message)));
        }
    }
    passing
}

/// The listeners that a bridge dials.
fn dialled(context: &Context<'_>, bridge: &Bridge) -> Vec<(BrokerId, usize)> {
    let model = context.model;
    if let Some(raw) = bridge.uri_by_hand() {
        let uris = raw.uri.iter().flat_map(Uri::addresses);
        let found = uris.filter_map(|uri| dialling::dialled(uri, &raw.text.value, context.addresses));
        return found.filter_map(|address| Some((address.broker?, address.listener?))).collect();
    }
    let Remote::Broker(far) = &bridge.to else { return Vec::new() };
    let members = model.members(far).into_iter();
    members.filter_map(|broker| Some((broker, usable_listener(model, broker, far.listener)?))).collect()
}

fn raise(largest: &mut Largest, other: Option<&Set<i64>>) {
    if let Some(other) = other
        && largest.as_ref().is_none_or(|largest| largest.value < other.value)
    {
        *largest = Some(other.clone());
    }
}

/// The largest frame that a listener takes.
struct Limit {
    bytes: i64,
    at: Loc,
    /// The value, where one is written that an edit may replace.
    value: Option<Loc>,
    written: bool,
}

impl Limit {
    /// `None` is without limit.
    fn of(context: &Context<'_>, listener: &Listener, release: Release) -> Option<Self> {
        if read(context, listener, SWITCH).is_some_and(|(value, ..)| !value.eq_ignore_ascii_case("true")) {
            return None;
        }
        match NAMES.iter().find_map(|name| read(context, listener, name)) {
            Some((value, at, place)) => {
                let bytes = value.trim().parse().ok()?;
                Some(Self { bytes, at, value: place, written: true })
            }
            None => default_max_frame_size(release).map(|bytes| Self {
                bytes,
                at: listener.at,
                value: None,
                written: false,
            }),
        }
    }
}

/// An option of a listener: its value, where it stands, and where its value can be replaced. The URI comes first.
fn read(context: &Context<'_>, listener: &Listener, name: &str) -> Option<(String, Loc, Option<Loc>)> {
    let in_uri = listener.raw.as_ref().and_then(|raw| {
        let uri = raw.uri.as_ref().ok()?;
        let option = uri.find_option(&raw.text.value, name)?;
        let value = uri.decoded(&raw.text.value, option.value);
        let at = place::inside(context, raw, option.range.clone());
        Some((value, at, super::dialled::editable(context, raw, option.value.range())))
    });
    in_uri.or_else(|| {
        let setting = listener.settings.iter().find(|setting| options::same_name(&setting.real, name))?;
        Some((setting.value.to_string(), setting.at, Some(setting.value_at)))
    })
}

fn found(broker: &Broker, listener: &Listener, limit: &Limit, message: &Set<i64>) -> Diagnostic {
    let wanted = message.value.saturating_add(ROOM);
    let text = format!(
        "listener `{}` of broker `{}` takes frames up to {}, and messages of {} pass it",
        listener.name.value,
        broker.name.value,
        size(limit.bytes),
        size(message.value)
    );
    let here = if limit.written {
        "the limit"
    } else {
        "without `wireFormat.maxFrameSize`, the release has a limit of its own"
    };
    let diagnostic = Diagnostic::new(&RULE, limit.at, text)
        .here(here)
        .also(message.at, "the largest message")
        .help(format!("write `wireFormat.maxFrameSize` = {wanted}, which leaves room for what a frame has besides"));
    match limit.value {
        Some(at) => {
            diagnostic.fix(format!("take frames up to {}", size(wanted)), Safety::Unsafe, at, wanted.to_string())
        }
        None => diagnostic,
    }
}

/// In the largest unit that says it exactly.
fn size(bytes: i64) -> String {
    let (unit, in_it) = SIZES.iter().rfind(|(_, in_it)| bytes % in_it == 0).unwrap_or(&("B", 1));
    format!("{} {unit}", bytes / in_it)
}
