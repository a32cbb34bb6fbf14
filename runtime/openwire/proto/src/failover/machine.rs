//! The state machine of the failover transport.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::options::{Attempts, Options};
use crate::command::ConnectionControl;
use crate::uri::{self, Address};

/// How long a priority broker that did not let the client in is not gone back to.
const MUTE: Duration = Duration::from_secs(60);

/// One transport, from the order to open it until it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(u64);

/// What the machine asks of the world.
pub trait World {
    /// A number below `limit`, which is at least 1. Any number will do; a good one is random.
    fn below(&mut self, limit: usize) -> usize;
    /// Whether two hosts are the same machine as far as names can tell (Java compares resolved addresses).
    fn same_host(&mut self, one: &str, other: &str) -> bool;
}

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The client wants a connection.
    Start,
    /// A transport that was ordered is open.
    Opened(Attempt),
    /// A transport could not be opened, or is open no longer; why.
    Failed(Attempt, String),
    /// The broker of the connection does not let the client in, and does not refuse it either; the connection is closed.
    Mute(Attempt, String),
    /// The broker of the connection says so.
    Control(ConnectionControl),
    /// What `updateURIsURL` holds, all lines joined, each time it was asked for, or why it could not be read.
    Listed(Result<String, String>),
    /// The moment of [`Failover::wakes_at`] has come.
    Timer,
    /// The client wants no connection any more.
    Stop,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Open a transport, and say how that went.
    Open(Attempt, Address),
    /// Close a transport, and say nothing.
    Close(Attempt),
    /// This transport is the connection now. Unless it is the first, what the broker must know is to be restored.
    Use {
        /// The transport.
        attempt: Attempt,
        /// Its address.
        address: Address,
        /// Whether there was a connection before.
        restore: bool,
    },
    /// The connection is lost; what is sent waits.
    Interrupted,
    /// Read `updateURIsURL` and tell ([`Event::Listed`]).
    List(String),
    /// Something that a person should know.
    Warn(String),
    /// It is over: whoever waits gets this error.
    GiveUp(String),
}

/// Where the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not started.
    New,
    /// Waits before a pass over the list.
    Waiting,
    /// Waits for `updateURIsURL` before a pass.
    Listing,
    /// Goes through the list.
    Connecting,
    /// Connected, with nothing left to look for.
    Connected,
    /// Connected, and opens a spare or looks for the priority broker.
    Looking,
    /// Connected, and waits before it looks again.
    Resting,
    /// Given up.
    Failed,
    /// Stopped.
    Stopped,
}

/// A transport and where it goes.
#[derive(Debug, Clone, PartialEq)]
struct Link {
    attempt: Attempt,
    address: Address,
}

/// What the worker is at.
#[derive(Debug, Clone, PartialEq)]
enum Work {
    /// Nothing, until something happens.
    Idle,
    /// Before the next pass.
    Waiting { until: Duration, delayed: bool },
    /// For the list at `updateURIsURL`.
    Listing,
    /// In the middle of a pass.
    Opening { link: Link, rest: VecDeque<Address>, list: Vec<Address> },
    /// A spare on its way.
    Looking { link: Link, rest: VecDeque<Address> },
    /// Before the next look for the priority broker.
    Resting { until: Duration },
    /// For good.
    Over(Over),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    New,
    Failed,
    Stopped,
}

/// The failover transport.
#[derive(Debug, Clone, PartialEq)]
pub struct Failover {
    options: Options,
    /// As the client was told; a broker's `reconnectTo` replaces all of them.
    listed: Vec<Address>,
    /// As brokers push them: they come first.
    pushed: Vec<Address>,
    /// The one that was lost last: it comes last.
    lost: Option<Address>,
    /// One that did not let the client in, and until when it is not gone back to.
    mute: Option<(Address, Duration)>,
    connection: Option<Link>,
    /// Spares, the best first.
    spares: Vec<Link>,
    work: Work,
    first: bool,
    failures: u32,
    reason: String,
    delay: Duration,
    rebalance: bool,
    moved: bool,
    at_priority: bool,
    priority_spare: bool,
    next: u64,
}

impl Failover {
    /// One that has not started. Addresses that are the same machine and port count once.
    pub fn new(addresses: Vec<Address>, options: Options, world: &mut dyn World) -> Self {
        let mut listed: Vec<Address> = Vec::new();
        for address in addresses {
            if !listed.iter().any(|known| same(known, &address, world)) {
                listed.push(address);
            }
        }
        let delay = options.initial_reconnect_delay;
        Self {
            options,
            listed,
            pushed: Vec::new(),
            lost: None,
            mute: None,
            connection: None,
            spares: Vec::new(),
            work: Work::Over(Over::New),
            first: true,
            failures: 0,
            reason: String::new(),
            delay,
            rebalance: false,
            moved: false,
            at_priority: false,
            priority_spare: false,
            next: 0,
        }
    }

    /// Where the machine is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.work {
            Work::Over(Over::New) => Phase::New,
            Work::Over(Over::Failed) => Phase::Failed,
            Work::Over(Over::Stopped) => Phase::Stopped,
            Work::Waiting { .. } => Phase::Waiting,
            Work::Listing => Phase::Listing,
            Work::Opening { .. } => Phase::Connecting,
            Work::Looking { .. } => Phase::Looking,
            Work::Resting { .. } => Phase::Resting,
            Work::Idle => Phase::Connected,
        }
    }

    /// The transport that is the connection, and its address.
    #[must_use]
    pub fn connection(&self) -> Option<(Attempt, &Address)> {
        self.connection.as_ref().map(|link| (link.attempt, &link.address))
    }

    /// The transports that are spares, the best first.
    pub fn spares(&self) -> impl Iterator<Item = (Attempt, &Address)> {
        self.spares.iter().map(|link| (link.attempt, &link.address))
    }

    /// Whether the connection is to a priority broker.
    #[must_use]
    pub fn is_at_priority(&self) -> bool {
        self.at_priority
    }

    /// Whether there is more than one broker to go to.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        let mut all = self.pushed.iter().chain(&self.listed);
        let first = all.next();
        all.any(|address| Some(address) != first)
    }

    /// When [`Event::Timer`] is to come, if nothing else comes before.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        match self.work {
            Work::Waiting { until, .. } | Work::Resting { until } => Some(until),
            _ => None,
        }
    }

    /// Takes what has happened at a moment and says what is to be done. Events of transports that are closed are nothing.
    pub fn handle(&mut self, now: Duration, event: Event, world: &mut dyn World) -> Vec<Order> {
        let mut orders = Vec::new();
        let mut turn = Turn { machine: self, now, world, orders: &mut orders };
        turn.event(event);
        orders
    }

    /// How many passes may fail, as things are.
    fn limit(&self) -> Attempts {
        match self.options.startup_max_reconnect_attempts {
            startup @ Attempts::Limited(_) if self.first => startup,
            _ => self.options.max_reconnect_attempts,
        }
    }

    /// The options of `nested.*` belong to every address.
    fn with_nested(&self, mut address: Address) -> Address {
        address.options.extend(self.options.nested.iter().cloned());
        address
    }

    fn wants_spares(&self) -> bool {
        let room = self.options.backup && self.spares.len() < self.options.backup_pool_size;
        room || (self.options.priority_backup && !self.priority_spare && !self.at_priority)
    }
}

/// Whether two addresses are one listener: scheme and options do not count.
fn same(one: &Address, other: &Address, world: &mut dyn World) -> bool {
    one.port == other.port && (one.host.eq_ignore_ascii_case(&other.host) || world.same_host(&one.host, &other.host))
}

/// One event being dealt with.
struct Turn<'a> {
    machine: &'a mut Failover,
    now: Duration,
    world: &'a mut dyn World,
    orders: &'a mut Vec<Order>,
}

impl Turn<'_> {
    fn event(&mut self, event: Event) {
        match (event, &self.machine.work) {
            (Event::Start, Work::Over(Over::New)) => self.begin(),
            (_, Work::Over(_)) => {}
            (Event::Stop, _) => self.stop(),
            (Event::Start, _) => {}
            (Event::Opened(attempt), _) => self.opened(attempt),
            (Event::Failed(attempt, reason), _) => self.failed(attempt, &reason),
            (Event::Mute(attempt, reason), _) => self.mute(attempt, &reason),
            (Event::Control(control), _) => self.control(&control),
            (Event::Listed(text), Work::Listing) => self.listed(&text),
            (Event::Listed(_), _) => {}
            (Event::Timer, Work::Waiting { until, delayed: true }) if *until <= self.now => self.pass(),
            (Event::Timer, Work::Waiting { until, delayed: false }) if *until <= self.now => self.begin(),
            (Event::Timer, Work::Resting { until }) if *until <= self.now => self.go_on(),
            (Event::Timer, _) => {}
        }
    }

    /// What comes next, given how things are. Java's worker does this each time it is woken.
    fn go_on(&mut self) {
        let machine = &self.machine;
        if machine.connection.is_none() || machine.rebalance || machine.priority_spare {
            self.begin();
        } else {
            self.look();
        }
    }

    /// A pass over the list begins, with `updateURIsURL` first where there is one.
    fn begin(&mut self) {
        match self.machine.options.update_uris_url.clone() {
            Some(url) => {
                self.machine.work = Work::Listing;
                self.orders.push(Order::List(url));
            }
            None => self.prepare(),
        }
    }

    fn listed(&mut self, read: &Result<String, String>) {
        let changed = read.as_ref().is_ok_and(|text| self.update(text));
        if let Err(reason) = read {
            let url = self.machine.options.update_uris_url.clone().unwrap_or_default();
            self.warn(format!("cannot read `updateURIsURL` {url}: {reason}; the list stays as it is"));
        }
        self.machine.rebalance |=
            changed && self.machine.options.rebalance_update_uris && self.machine.connection.is_some();
        self.prepare();
    }

    /// Everything before the first address of a pass: moving away, a spare, the first delay.
    fn prepare(&mut self) {
        let list = self.list();
        if self.machine.rebalance {
            self.machine.rebalance = false;
            let stays = self.machine.at_priority || (!self.machine.moved && self.is_at(list.first()));
            if stays && self.machine.connection.is_some() {
                return self.settle();
            }
            self.machine.moved = false;
            self.leave();
        }
        if let Some(spare) = self.take_spare() {
            return self.adopt(spare);
        }
        if self.machine.connection.is_some() {
            // The spare that this was for has gone.
            self.machine.priority_spare = false;
            return self.settle();
        }
        let initial = self.machine.options.initial_reconnect_delay;
        if !self.machine.first && self.machine.failures == 0 && !initial.is_zero() && !list.is_empty() {
            return self.wait(true);
        }
        self.pass();
    }

    /// Closes the connection in order to make another. Nothing is lost: what waits for an answer is sent again.
    fn leave(&mut self) {
        if let Some(link) = self.machine.connection.take() {
            self.machine.at_priority = false;
            self.machine.delay = self.machine.options.initial_reconnect_delay;
            self.orders.push(Order::Interrupted);
            self.orders.push(Order::Close(link.attempt));
        }
    }

    /// The best spare, or any where the order is left to chance.
    fn take_spare(&mut self) -> Option<Link> {
        let options = &self.machine.options;
        if !(options.priority_backup || options.backup) || self.machine.spares.is_empty() {
            return None;
        }
        if self.machine.connection.is_some() && !self.machine.priority_spare {
            return None;
        }
        let which = if options.randomize { self.world.below(self.machine.spares.len()) } else { 0 };
        let spare = self.machine.spares.remove(which.min(self.machine.spares.len() - 1));
        if self.machine.options.priority_backup && self.machine.priority_spare {
            self.leave();
            self.machine.priority_spare = false;
        }
        Some(spare)
    }

    /// Goes through the list from its beginning.
    fn pass(&mut self) {
        let list = self.list();
        if list.is_empty() {
            "no broker is listed".clone_into(&mut self.machine.reason);
        }
        self.next(list.clone().into(), list);
    }

    fn next(&mut self, mut rest: VecDeque<Address>, list: Vec<Address>) {
        match rest.pop_front() {
            Some(address) => {
                let link = self.open(address);
                self.machine.work = Work::Opening { link, rest, list };
            }
            None => self.missed(&list),
        }
    }

    /// A pass is over and nobody was there.
    fn missed(&mut self, list: &[Address]) {
        self.machine.failures = self.machine.failures.saturating_add(1);
        let (failures, limit) = (self.machine.failures, self.machine.limit());
        let names = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let reason = self.machine.reason.clone();
        if matches!(limit, Attempts::Limited(limit) if failures >= limit) {
            return self.give_up(format!("no connection to any of {names} after {failures} attempt(s): {reason}"));
        }
        let every = self.machine.options.warn_after_reconnect_attempts;
        if every > 0 && (failures == 1 || failures.is_multiple_of(every)) {
            self.warn(format!("no connection to any of {names} after {failures} attempt(s), trying again: {reason}"));
        }
        self.wait(false);
    }

    /// Waits as long as it is time to, and the next time longer. `delayed`: the pass comes right after it.
    fn wait(&mut self, delayed: bool) {
        let until = self.now + self.take_delay();
        self.machine.work = Work::Waiting { until, delayed };
    }

    fn take_delay(&mut self) -> Duration {
        let options = &self.machine.options;
        let delay = self.machine.delay;
        if options.use_exponential_back_off {
            let longest = options.max_reconnect_delay.as_secs_f64();
            let longer = delay.as_secs_f64() * options.reconnect_delay_exponent;
            self.machine.delay = Duration::from_secs_f64(longer.clamp(0.0, longest));
        }
        delay
    }

    fn opened(&mut self, attempt: Attempt) {
        match std::mem::replace(&mut self.machine.work, Work::Idle) {
            Work::Opening { link, .. } if link.attempt == attempt => self.adopt(link),
            Work::Looking { link, rest } if link.attempt == attempt => {
                self.keep(link);
                self.look_at(rest);
            }
            other => {
                self.machine.work = other;
                let known = |link: &Link| link.attempt == attempt;
                if !self.machine.connection.iter().chain(&self.machine.spares).any(known) {
                    self.orders.push(Order::Close(attempt));
                }
            }
        }
    }

    /// This is the connection now.
    fn adopt(&mut self, link: Link) {
        let restore = !self.machine.first;
        self.machine.first = false;
        self.machine.failures = 0;
        self.machine.delay = self.machine.options.initial_reconnect_delay;
        self.machine.at_priority = self.is_priority(&link.address);
        self.orders.push(Order::Use { attempt: link.attempt, address: link.address.clone(), restore });
        self.machine.connection = Some(link);
        self.machine.work = Work::Idle;
        self.go_on();
    }

    /// Keeps a transport as a spare.
    fn keep(&mut self, link: Link) {
        if !(self.machine.options.priority_backup && self.is_priority(&link.address)) {
            return self.machine.spares.push(link);
        }
        self.machine.priority_spare = true;
        self.machine.spares.insert(0, link);
        if self.machine.spares.len() > self.machine.options.backup_pool_size.max(1)
            && let Some(least) = self.machine.spares.pop()
        {
            self.orders.push(Order::Close(least.attempt));
        }
    }

    fn failed(&mut self, attempt: Attempt, reason: &str) {
        if self.machine.connection.as_ref().is_some_and(|link| link.attempt == attempt) {
            return self.lost(reason);
        }
        let before = self.machine.spares.len();
        self.machine.spares.retain(|spare| spare.attempt != attempt);
        if self.machine.spares.len() < before {
            return self.spare_lost();
        }
        match std::mem::replace(&mut self.machine.work, Work::Idle) {
            Work::Opening { link, rest, list } if link.attempt == attempt => {
                self.machine.reason = format!("{}: {reason}", link.address);
                self.next(rest, list);
            }
            Work::Looking { link, rest } if link.attempt == attempt => self.look_at(rest),
            other => self.machine.work = other,
        }
    }

    /// The connection is one no longer, and its broker is not gone back to for a while.
    fn mute(&mut self, attempt: Attempt, reason: &str) {
        if let Some(link) = self.machine.connection.as_ref().filter(|link| link.attempt == attempt) {
            self.machine.mute = Some((link.address.clone(), self.now + MUTE));
            self.lost(reason);
        }
    }

    /// A spare has gone: another is looked for at once, unless the machine is at that already.
    fn spare_lost(&mut self) {
        if self.machine.priority_spare {
            let spares: Vec<Address> = self.machine.spares.iter().map(|spare| spare.address.clone()).collect();
            self.machine.priority_spare = spares.iter().any(|spare| self.is_priority(spare));
        }
        if self.machine.work == Work::Idle {
            self.go_on();
        }
    }

    /// The connection has gone.
    fn lost(&mut self, reason: &str) {
        let Some(link) = self.machine.connection.take() else { return };
        let again = self.machine.limit() != Attempts::Limited(0);
        let attempting = if again { "connecting again" } else { "not connecting again" };
        self.warn(format!("the connection to {} is lost, {attempting}: {reason}", link.address));
        self.machine.lost = Some(link.address);
        self.machine.at_priority = false;
        if !again {
            return self.give_up(reason.to_owned());
        }
        self.orders.push(Order::Interrupted);
        self.machine.delay = self.machine.options.initial_reconnect_delay;
        // A transport that is on its way to a spare is closed; the pass will order its own.
        match &self.machine.work {
            // The list is on its way already, and the pass comes after it.
            Work::Listing => return,
            Work::Looking { link, .. } => self.orders.push(Order::Close(link.attempt)),
            _ => {}
        }
        self.begin();
    }

    fn control(&mut self, control: &ConnectionControl) {
        let text = |text: &Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
        let reconnect_to = text(&control.reconnect_to);
        let mut changed = false;
        if !reconnect_to.is_empty() && self.machine.options.reconnect_supported {
            match Address::parse(&reconnect_to) {
                Ok(address) => {
                    self.machine.listed = vec![address];
                    (self.machine.moved, self.machine.rebalance) = (true, true);
                    changed = true;
                }
                Err(error) => self.warn(format!("the broker says to connect elsewhere, and {error}")),
            }
        }
        if self.update(&text(&control.connected_brokers)) {
            self.machine.rebalance |= control.rebalance_connection;
            changed = true;
        }
        if changed && matches!(self.machine.work, Work::Idle | Work::Resting { .. }) {
            self.go_on();
        }
    }

    /// Takes a list that a broker or a file gives. Whether it differs from the one before.
    fn update(&mut self, text: &str) -> bool {
        let (addresses, wrong) = uri::pushed(text);
        for error in wrong {
            self.warn(format!("of a list of brokers, {error}"));
        }
        if addresses.is_empty() || !self.machine.options.update_uris_supported {
            return false;
        }
        let mut pushed: Vec<Address> = Vec::new();
        for address in addresses {
            if !pushed.contains(&address) {
                pushed.push(address);
            }
        }
        if self.machine.lost.as_ref().is_some_and(|lost| pushed.contains(lost)) {
            self.machine.lost = None;
        }
        let set = |list: &[Address]| list.iter().cloned().collect::<HashSet<_>>();
        let differs = set(&pushed) != set(&self.machine.pushed);
        self.machine.pushed = pushed;
        differs
    }

    /// The order of a pass: what brokers push, then what the client was told; the one that was lost last of all.
    fn list(&mut self) -> Vec<Address> {
        let mut list: Vec<Address> = Vec::new();
        for address in self.machine.pushed.iter().chain(&self.machine.listed) {
            if !list.contains(address) {
                list.push(address.clone());
            }
        }
        let lost = self.machine.lost.clone().filter(|lost| list.contains(lost));
        list.retain(|address| Some(address) != lost.as_ref());
        if self.machine.options.randomize {
            // Fisher and Yates; Java swaps with less care, and every order is possible there too.
            for last in (1..list.len()).rev() {
                let other = self.world.below(last + 1).min(last);
                list.swap(last, other);
            }
        }
        list.extend(lost);
        list
    }

    fn is_priority(&mut self, address: &Address) -> bool {
        if !self.machine.options.priority_backup {
            return false;
        }
        let named = self.machine.options.priority_uris.clone();
        let priority =
            if named.is_empty() { self.machine.listed.first().cloned().into_iter().collect() } else { named };
        priority.iter().any(|priority| same(priority, address, self.world))
    }

    fn is_at(&mut self, address: Option<&Address>) -> bool {
        let connected = self.machine.connection.as_ref().map(|link| link.address.clone());
        matches!((address, connected), (Some(one), Some(other)) if same(one, &other, self.world))
    }

    /// Looks for the priority broker and for spares, if any are wanted.
    fn look(&mut self) {
        let mut candidates = self.machine.options.priority_uris.clone();
        for address in self.list() {
            if !candidates.contains(&address) {
                candidates.push(address);
            }
        }
        self.look_at(candidates.into());
    }

    fn look_at(&mut self, mut rest: VecDeque<Address>) {
        while self.machine.wants_spares() {
            let Some(address) = rest.pop_front() else { break };
            let there = self.machine.with_nested(address.clone());
            let mut taken = self.machine.connection.iter().chain(&self.machine.spares);
            let is_mute = self.machine.mute.as_ref().is_some_and(|(mute, until)| *mute == there && *until > self.now);
            if is_mute || taken.any(|link| link.address == there) {
                continue;
            }
            let link = self.open(address);
            self.machine.work = Work::Looking { link, rest };
            return;
        }
        self.settle();
    }

    /// Nothing more can be done now: goes over to a priority broker that was found, else rests.
    fn settle(&mut self) {
        self.machine.work = Work::Idle;
        if self.machine.priority_spare || self.machine.rebalance {
            return self.begin();
        }
        if self.machine.options.priority_backup && !self.machine.at_priority {
            let until = self.now + self.take_delay();
            self.machine.work = Work::Resting { until };
        }
    }

    fn open(&mut self, address: Address) -> Link {
        let attempt = Attempt(self.machine.next);
        self.machine.next += 1;
        let address = self.machine.with_nested(address);
        self.orders.push(Order::Open(attempt, address.clone()));
        Link { attempt, address }
    }

    fn give_up(&mut self, reason: String) {
        self.close_all();
        self.machine.work = Work::Over(Over::Failed);
        self.orders.push(Order::GiveUp(reason));
    }

    fn stop(&mut self) {
        self.close_all();
        self.machine.work = Work::Over(Over::Stopped);
    }

    fn close_all(&mut self) {
        let on_its_way = match &self.machine.work {
            Work::Opening { link, .. } | Work::Looking { link, .. } => Some(link.attempt),
            _ => None,
        };
        let links = self.machine.connection.take().into_iter().chain(self.machine.spares.drain(..));
        let attempts: Vec<Attempt> = links.map(|link| link.attempt).chain(on_its_way).collect();
        self.orders.extend(attempts.into_iter().map(Order::Close));
    }

    fn warn(&mut self, text: String) {
        self.orders.push(Order::Warn(text));
    }
}
