//! One line of requests for each agent: in order, one for each object, and nothing that does harm is ever sent twice.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use topoc_finesse_proto::dialog::Action;
use topoc_finesse_proto::line::{Event, Line, LineOptions, Order, Outcome, Ticket, Trouble, Why};
use topoc_finesse_proto::rest::{Answer, Command, Origin, Refusal, Repeat, Request};
use topoc_finesse_proto::user::UserState;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ready() -> Request {
    let state = UserState::Ready;
    Request::new(&Command::ChangeState { agent: "1001".into(), state, reason: None }).expect("an id")
}

fn act(dialog: &str) -> Request {
    let command = Command::Act { dialog: dialog.into(), extension: "2001".into(), action: Action::Hold };
    Request::new(&command).expect("an id")
}

fn user() -> Request {
    Request::new(&Command::User { agent: "1001".into() }).expect("an id")
}

fn want(ticket: Ticket, request: Request) -> Event {
    Event::Wanted { ticket, request, deadline: at(30), recovery: false }
}

fn yes(ticket: Ticket) -> Event {
    Event::Answered { ticket, result: Ok(Answer::Accepted) }
}

fn no(ticket: Ticket, refusal: Refusal) -> Event {
    Event::Answered { ticket, result: Err(refusal) }
}

fn unauthorized() -> Refusal {
    Refusal::Unauthorized(Vec::new())
}

/// Orders in short.
fn short(orders: &[Order]) -> Vec<String> {
    let one = |order: &Order| match order {
        Order::Send { ticket, .. } => format!("send {ticket}"),
        Order::Abandon { ticket } => format!("abandon {ticket}"),
        Order::Done { ticket, outcome: Outcome::Answer(_) } => format!("yes {ticket}"),
        Order::Done { ticket, outcome: Outcome::Refused(_) } => format!("no {ticket}"),
        Order::Done { ticket, outcome: Outcome::NotDone(why) } => format!("not done {ticket}: {why}"),
        Order::Done { ticket, outcome: Outcome::Unknown(why) } => format!("unknown {ticket}: {why}"),
        Order::Trouble(trouble) => format!("trouble: {trouble}"),
        Order::Move(origin) => format!("move to {origin}"),
        Order::Renew => "renew".into(),
        Order::Stopped(_) => "stopped".into(),
    };
    orders.iter().map(one).collect()
}

/// A line whose credentials have been accepted.
fn line(options: LineOptions) -> Line {
    let mut line = Line::new(options);
    line.handle(at(0), want(0, user()));
    line.handle(at(0), Event::Going { ticket: 0 });
    assert_eq!(short(&line.handle(at(0), yes(0))), ["yes 0"]);
    line
}

/// Tells the line things at times, and compares what it orders. There is a connection for everything that is sent.
fn told(line: &mut Line, steps: Vec<(u64, Event, &[&str])>) {
    for (seconds, event, expected) in steps {
        let said = format!("{event:?}");
        let orders = line.handle(at(seconds), event);
        assert_eq!(short(&orders), expected, "after {said}");
        for order in orders {
            if let Order::Send { ticket, .. } = order {
                assert_eq!(line.handle(at(seconds), Event::Going { ticket }), [], "after {said}");
            }
        }
    }
}

/// The same where connections are rare: what is sent waits for one, unless it is said to go.
fn told_without_connections(line: &mut Line, steps: Vec<(u64, Event, &[&str])>) {
    for (seconds, event, expected) in steps {
        let said = format!("{event:?}");
        assert_eq!(short(&line.handle(at(seconds), event)), expected, "after {said}");
    }
}

#[test]
fn one_request_of_an_object_is_on_its_way_and_nothing_overtakes() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, act("7")), &[]),
            (0, want(3, ready()), &[]),
            (1, yes(1), &["yes 1", "send 2", "send 3"]),
            (1, want(4, act("7")), &[]),
            (1, yes(3), &["yes 3"]),
            (2, no(2, Refusal::Refused { status: 400, errors: Vec::new() }), &["no 2", "send 4"]),
            (2, yes(4), &["yes 4"]),
        ],
    );
    assert!(line.is_empty() && line.wakes_at().is_none());
}

#[test]
fn a_line_that_is_full_refuses() {
    let mut line = line(LineOptions { capacity: 2, ..LineOptions::default() });
    told(
        &mut line,
        vec![
            (0, want(1, ready()), &["send 1"]),
            (0, want(2, ready()), &[]),
            (0, want(3, ready()), &["not done 3: too many requests of the agent are waiting"]),
            (0, yes(1), &["yes 1", "send 2"]),
            (0, want(4, ready()), &[]),
        ],
    );
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut line = Line::new(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("1")), &["send 1"]),
            // Another object, but the password has not been accepted yet.
            (0, want(2, act("2")), &[]),
            (
                0,
                no(1, unauthorized()),
                &["no 1", "not done 2: Finesse does not accept the agent's credentials", "stopped"],
            ),
            (0, want(3, ready()), &["not done 3: Finesse does not accept the agent's credentials"]),
            (0, Event::ServerReady, &[]),
        ],
    );
    assert!(line.is_stopped());
    told(
        &mut line,
        vec![
            (1, Event::NewCredentials, &[]),
            (1, want(4, act("1")), &["send 4"]),
            (1, want(5, act("2")), &[]),
            (1, yes(4), &["yes 4", "send 5"]),
        ],
    );
}

#[test]
fn a_token_is_renewed_once_and_its_request_sent_once_more() {
    let mut line = line(LineOptions { renewable: true, ..LineOptions::default() });
    told(
        &mut line,
        vec![
            (0, want(1, act("1")), &["send 1"]),
            (0, want(2, act("2")), &["send 2"]),
            (0, no(1, unauthorized()), &["renew"]),
            (0, no(2, unauthorized()), &[]),
            (0, want(3, ready()), &[]),
            (1, Event::NewCredentials, &["send 1"]),
            (1, yes(1), &["yes 1", "send 2", "send 3"]),
            (1, no(2, unauthorized()), &["no 2", "stopped"]),
            (1, yes(3), &["yes 3"]),
        ],
    );
}

#[test]
fn a_no_to_old_credentials_says_nothing_of_the_new_ones() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, ready()), &["send 1"]),
            (0, Event::NewCredentials, &[]),
            (0, no(1, unauthorized()), &["send 1"]),
            (0, no(1, unauthorized()), &["no 1", "stopped"]),
        ],
    );
}

#[test]
fn no_new_credentials_end_the_wait_for_them() {
    let mut line = line(LineOptions { renewable: true, ..LineOptions::default() });
    told(
        &mut line,
        vec![
            (0, want(1, ready()), &["send 1"]),
            (0, no(1, unauthorized()), &["renew"]),
            (0, Event::NoCredentials, &["not done 1: Finesse does not accept the agent's credentials", "stopped"]),
        ],
    );
}

#[test]
fn what_a_server_out_of_service_refused_goes_to_the_next_server_in_order() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, act("7")), &[]),
            (1, no(1, Refusal::OutOfService(Vec::new())), &["trouble: the Finesse server is out of service"]),
            (2, want(3, ready()), &[]),
            (5, Event::ServerReady, &["send 1"]),
            (5, yes(1), &["yes 1", "send 2", "send 3"]),
        ],
    );
}

#[test]
fn recovery_goes_first_and_does_not_wait() {
    let recovery = |ticket, request| Event::Wanted { ticket, request, deadline: at(30), recovery: true };
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, Event::ServerLost, &[]),
            (0, want(1, ready()), &[]),
            (1, recovery(2, user()), &["send 2"]),
            (1, recovery(3, user()), &[]),
            (2, yes(2), &["yes 2", "send 3"]),
            (3, Event::NotSent { ticket: 3 }, &["not done 3: the Finesse server cannot be reached"]),
            (4, Event::ServerReady, &["send 1"]),
        ],
    );
}

#[test]
fn nobody_waits_longer_than_they_wanted() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, Event::NotSent { ticket: 1 }, &["trouble: the Finesse server cannot be reached"]),
            (0, want(2, act("7")), &[]),
        ],
    );
    assert_eq!(line.wakes_at(), Some(at(30)));
    told(
        &mut line,
        vec![(
            30,
            Event::Time,
            &["not done 1: the Finesse server cannot be reached", "not done 2: the Finesse server cannot be reached"],
        )],
    );
    assert!(line.is_empty());
}

#[test]
fn what_may_have_been_done_is_not_sent_again_if_that_does_harm() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (
                1,
                Event::Lost { ticket: 1 },
                &[
                    "trouble: the connection to the Finesse server broke",
                    "unknown 1: the connection to the Finesse server broke",
                ],
            ),
            (1, want(2, act("7")), &["send 2"]),
            (
                11,
                Event::Time,
                &[
                    "abandon 2",
                    "trouble: the Finesse server does not answer",
                    "unknown 2: the Finesse server does not answer",
                ],
            ),
            // Too late: nobody waits.
            (12, yes(2), &[]),
        ],
    );
}

#[test]
fn finesse_has_its_time_to_answer_from_when_a_request_goes_out() {
    let going = |ticket| Event::Going { ticket };
    let mut line = line(LineOptions::default());
    told_without_connections(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, act("8")), &["send 2"]),
            (20, Event::Time, &[]),
            (20, going(1), &[]),
            // The connection was closed, and there is no other yet.
            (20, going(2), &[]),
            (20, Event::Stayed { ticket: 2 }, &[]),
            (29, Event::Time, &[]),
            // Its own deadline, and nobody knows more than that it was not sent.
            (
                30,
                Event::Time,
                &[
                    "abandon 1",
                    "abandon 2",
                    "trouble: the Finesse server does not answer",
                    "unknown 1: the Finesse server does not answer",
                    "not done 2: its turn did not come in time",
                ],
            ),
            (40, Event::Wanted { ticket: 3, request: act("7"), deadline: at(90), recovery: false }, &["send 3"]),
            (60, going(3), &[]),
            (69, Event::Time, &[]),
            (70, yes(3), &["yes 3"]),
        ],
    );
    assert!(line.is_empty());
}

#[test]
fn what_has_not_gone_out_goes_back_to_its_place_when_it_may_not_be_sent() {
    let mut line = line(LineOptions { renewable: true, ..LineOptions::default() });
    told_without_connections(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, act("8")), &["send 2"]),
            (0, want(3, ready()), &["send 3"]),
            (0, Event::Going { ticket: 3 }, &[]),
            (1, Event::ServerLost, &["abandon 1", "abandon 2"]),
            (2, Event::ServerReady, &["send 1", "send 2"]),
            (3, Event::ServerChanged, &["abandon 1", "abandon 2"]),
            (4, Event::ServerReady, &["send 1", "send 2"]),
            (6, yes(3), &["yes 3"]),
            (6, want(4, ready()), &["send 4"]),
            (6, Event::Going { ticket: 2 }, &[]),
            // Not with a token that is refused, nor with a password.
            (7, no(2, unauthorized()), &["renew", "abandon 1", "abandon 4"]),
            (8, Event::NewCredentials, &["send 1"]),
            (8, yes(1), &["yes 1", "send 2", "send 4"]),
            (8, Event::Going { ticket: 2 }, &[]),
            (
                9,
                no(2, unauthorized()),
                &["no 2", "stopped", "abandon 4", "not done 4: Finesse does not accept the agent's credentials"],
            ),
        ],
    );
    assert!(line.is_empty());
}

#[test]
fn what_does_no_harm_is_sent_again() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, ready()), &["send 1"]),
            // A connection that rested too long.
            (0, Event::Lost { ticket: 1 }, &["send 1"]),
            (0, Event::Lost { ticket: 1 }, &["trouble: the connection to the Finesse server broke"]),
            (5, Event::ServerReady, &["send 1"]),
            (15, Event::Time, &["abandon 1", "trouble: the Finesse server does not answer", "send 1"]),
            (
                30,
                Event::Time,
                &[
                    "abandon 1",
                    "trouble: the Finesse server does not answer",
                    "unknown 1: the Finesse server does not answer",
                ],
            ),
        ],
    );
}

#[test]
fn nobody_waits_for_a_server_that_was_left() {
    let mut line = line(LineOptions::default());
    let recovery = Event::Wanted { ticket: 4, request: user(), deadline: at(30), recovery: true };
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, ready()), &["send 2"]),
            (0, want(3, act("7")), &[]),
            (1, Event::ServerLeft, &["abandon 1", "abandon 2", "unknown 1: no Finesse server is ready"]),
            (1, yes(1), &[]),
            (1, recovery, &["send 4"]),
            (2, Event::ServerLeft, &["abandon 4", "not done 4: no Finesse server is ready"]),
            (3, Event::ServerReady, &["send 2", "send 3"]),
            (3, yes(2), &["yes 2"]),
            (3, yes(3), &["yes 3"]),
        ],
    );
}

#[test]
fn what_is_on_its_way_to_a_server_that_works_is_waited_for() {
    let recovery = Event::Wanted { ticket: 4, request: user(), deadline: at(30), recovery: true };
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, ready()), &["send 2"]),
            (0, want(3, act("7")), &[]),
            (1, Event::ServerChanged, &[]),
            // The next server is asked for the agent though the one before still works on them.
            (1, recovery, &["send 4"]),
            (1, yes(1), &["yes 1"]),
            (1, yes(4), &["yes 4"]),
            (2, Event::ServerReady, &["send 3"]),
            // The order for one object holds over both servers.
            (2, want(5, ready()), &[]),
            (2, yes(2), &["yes 2", "send 5"]),
            (3, yes(3), &["yes 3"]),
            (3, yes(5), &["yes 5"]),
        ],
    );
    assert!(line.is_empty());
}

#[test]
fn what_a_server_does_after_it_was_left_says_nothing_of_the_next_one() {
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, want(2, act("8")), &["send 2"]),
            (0, want(3, act("9")), &["send 3"]),
            (0, want(4, ready()), &["send 4"]),
            (0, want(5, act("10")), &["send 5"]),
            (1, Event::ServerChanged, &[]),
            (1, Event::ServerReady, &[]),
            (1, no(1, Refusal::OutOfService(Vec::new())), &["send 1"]),
            (1, Event::NotSent { ticket: 2 }, &["send 2"]),
            (1, no(3, Refusal::Moved(Origin::new("fin-a.test"))), &["send 3"]),
            (1, Event::Lost { ticket: 5 }, &["unknown 5: the connection to the Finesse server broke"]),
            (10, Event::Time, &["abandon 4", "send 4"]),
            (10, yes(1), &["yes 1"]),
            (10, yes(2), &["yes 2"]),
            (10, yes(3), &["yes 3"]),
            // And of the one that is in use it does.
            (10, Event::NotSent { ticket: 4 }, &["trouble: the Finesse server cannot be reached"]),
        ],
    );
}

#[test]
fn a_server_that_sends_on_is_followed_twice() {
    let moved = || Refusal::Moved(Origin::new("fin-a.test"));
    let mut line = line(LineOptions::default());
    told(
        &mut line,
        vec![
            (0, want(1, act("7")), &["send 1"]),
            (0, no(1, moved()), &["move to https://fin-a.test:8445", "send 1"]),
            (0, no(1, moved()), &["move to https://fin-a.test:8445", "send 1"]),
            (0, no(1, moved()), &["no 1"]),
        ],
    );
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A server and owners around a line: what was sent, what the server did, what owners were told.
#[derive(Default)]
struct World {
    requests: HashMap<Ticket, Request>,
    flying: Vec<Ticket>,
    /// Of those on their way, those that have a connection; and all that ever had one.
    going: HashSet<Ticket>,
    gone: HashSet<Ticket>,
    /// Of those on their way, those that are on their way to a server that was left.
    left: HashSet<Ticket>,
    executed: HashMap<Ticket, u32>,
    done: HashMap<Ticket, Outcome>,
    first_sent: Vec<Ticket>,
    stopped: bool,
    wrong_passwords: u32,
}

impl World {
    fn carry_out(&mut self, orders: Vec<Order>, recovery: &HashSet<Ticket>) {
        for order in orders {
            match order {
                Order::Send { ticket, request } => {
                    assert!(!self.stopped, "{ticket} was sent after the line stopped");
                    assert!(!self.done.contains_key(&ticket), "{ticket} was sent after it was done");
                    self.left.remove(&ticket);
                    let is_of_object = |other: &&Ticket| self.requests[other].object == request.object;
                    // Getting a server ready does not wait for the one before.
                    let counts = |other: &&Ticket| !recovery.contains(&ticket) || !self.left.contains(other);
                    let mut others = self.flying.iter().filter(counts);
                    assert!(!others.any(|other| is_of_object(&other)), "two requests for one object");
                    if !self.first_sent.contains(&ticket) && !recovery.contains(&ticket) {
                        assert!(self.first_sent.iter().all(|before| *before < ticket), "{ticket} was overtaken");
                        self.first_sent.push(ticket);
                    }
                    self.flying.push(ticket);
                }
                Order::Abandon { ticket } => self.land(ticket),
                Order::Done { ticket, outcome } => {
                    assert!(self.done.insert(ticket, outcome).is_none(), "{ticket} was done twice");
                    self.land(ticket);
                }
                Order::Stopped(_) => self.stopped = true,
                Order::Trouble(_) | Order::Move(_) | Order::Renew => {}
            }
        }
    }

    fn land(&mut self, ticket: Ticket) {
        self.flying.retain(|other| *other != ticket);
        self.going.remove(&ticket);
    }

    /// What becomes of a request that waits for a connection.
    fn connect(&mut self, chance: &mut Chance, ticket: Ticket) -> Event {
        if chance.below(8) == 0 {
            self.land(ticket);
            return Event::NotSent { ticket };
        }
        self.going.insert(ticket);
        self.gone.insert(ticket);
        Event::Going { ticket }
    }

    /// What the server does with a request, and what is heard of it.
    fn serve(&mut self, chance: &mut Chance) -> Option<Event> {
        let place = usize::try_from(chance.below(self.flying.len().max(1) as u64)).unwrap_or(0);
        if place >= self.flying.len() {
            return None;
        }
        let ticket = self.flying[place];
        if !self.going.contains(&ticket) {
            return Some(self.connect(chance, ticket));
        }
        if chance.below(16) == 0 {
            self.going.remove(&ticket);
            return Some(Event::Stayed { ticket });
        }
        self.land(ticket);
        let mut execute = || *self.executed.entry(ticket).or_default() += 1;
        Some(match chance.below(12) {
            0..=4 => {
                execute();
                yes(ticket)
            }
            5 => no(ticket, Refusal::OutOfService(Vec::new())),
            6 => Event::NotSent { ticket },
            7 => {
                execute();
                Event::Lost { ticket }
            }
            8 => Event::Lost { ticket },
            9 => {
                execute();
                no(ticket, Refusal::Broken { status: 500, errors: Vec::new() })
            }
            10 => no(ticket, Refusal::Refused { status: 400, errors: Vec::new() }),
            _ if chance.below(4) == 0 => {
                self.wrong_passwords += 1;
                no(ticket, unauthorized())
            }
            _ => no(ticket, Refusal::Moved(Origin::new("fin-a.test"))),
        })
    }

    fn check(&self, ticket: Ticket) {
        let executed = self.executed.get(&ticket).copied().unwrap_or_default();
        let request = &self.requests[&ticket];
        if request.row.repeat == Repeat::Harmful {
            assert!(executed <= 1, "{ticket} was acted on {executed} times");
        }
        match &self.done[&ticket] {
            Outcome::Answer(_) => assert!(executed >= 1),
            Outcome::Unknown(why) => assert!(self.gone.contains(&ticket), "{ticket} never went out: {why}"),
            Outcome::NotDone(why) if request.method().as_str() != "GET" => {
                assert_eq!(executed, 0, "{ticket}: {why}");
            }
            Outcome::Refused(refusal) if !refusal.may_have_been_done() && request.row.repeat == Repeat::Harmful => {
                assert_eq!(executed, 0, "{ticket}: {refusal}");
            }
            _ => {}
        }
    }
}

#[test]
fn no_schedule_of_faults_breaks_the_line() {
    let rounds = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 100_000 } else { 3_000 };
    for seed in 0..rounds {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut chance = Chance(seed);
    let mut line = Line::new(LineOptions { capacity: 8, renewable: seed.is_multiple_of(2), ..LineOptions::default() });
    let (mut world, mut recovery) = (World::default(), HashSet::new());
    let (mut now, mut tickets) = (Duration::ZERO, 0);
    for step in 0..200 {
        now += Duration::from_millis(chance.below(3_000));
        let event = match chance.below(8) {
            0..=2 if step < 150 => {
                tickets += 1;
                let request = match chance.below(4) {
                    0 => user(),
                    1 => ready(),
                    2 => act("7"),
                    _ => act("8"),
                };
                let is_recovery = chance.below(8) == 0;
                if is_recovery {
                    recovery.insert(tickets);
                }
                world.requests.insert(tickets, request.clone());
                let deadline = now + Duration::from_millis(500 + chance.below(30_000));
                Some(Event::Wanted { ticket: tickets, request, deadline, recovery: is_recovery })
            }
            3 => Some(Event::ServerReady),
            4 if chance.below(6) == 0 => Some(Event::ServerLost),
            4 if chance.below(6) == 0 => Some(Event::ServerLeft),
            4 if chance.below(6) == 0 => {
                world.left = world.flying.iter().copied().collect();
                Some(Event::ServerChanged)
            }
            4 if chance.below(4) == 0 => {
                world.stopped = false;
                Some(Event::NewCredentials)
            }
            5 => Some(Event::Time),
            _ => world.serve(&mut chance),
        };
        let orders = line.handle(now, event.unwrap_or(Event::Time));
        world.carry_out(orders, &recovery);
        assert!(line.len() <= 8 && line.len() >= world.flying.len());
        let all_gone = world.flying.iter().all(|ticket| world.going.contains(ticket));
        assert!(!world.stopped || all_gone, "something would go out after the line stopped");
        assert_eq!(line.wakes_at().is_none(), line.is_empty());
    }
    // Time alone ends everything.
    while let Some(next) = line.wakes_at() {
        let orders = line.handle(next, Event::Time);
        world.carry_out(orders, &recovery);
    }
    assert_eq!(world.done.len() as u64, tickets, "seed {seed}: every request was done");
    (1..=tickets).for_each(|ticket| world.check(ticket));
}

#[test]
fn troubles_are_told_apart() {
    let all = [Trouble::OutOfService, Trouble::Unreachable, Trouble::Broken, Trouble::Silent, Trouble::Told];
    let texts: HashSet<String> = all.map(|trouble| Why::Trouble(trouble).to_string()).into();
    assert_eq!(texts.len(), all.len());
}
