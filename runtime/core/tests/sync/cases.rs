//! One situation each.

use std::collections::BTreeSet;

use topoc_core::connector::Limits;
use topoc_core::deployment::{Deployment, Event, Order, Others};
use topoc_core::event::{Link, Result as Came, Told};
use topoc_core::sync::{Card, Entry, Merged, Mode, Seat, Table};

use crate::support::{connector, message, millis, password, secs, settings};
use crate::world::{Bus, World, agent};

/// Connectors that work and know each other.
fn world(connectors: usize, agents: usize, mode: Mode) -> World {
    let mut world = World::new(1, connectors, agents, mode, Bus::Good);
    world.is_able = true;
    pass(&mut world, 20);
    assert!((0..connectors).all(|node| world.nodes[node].deployment.as_ref().unwrap().takes_requests()));
    world
}

fn pass(world: &mut World, seconds: u64) {
    world.pass(secs(seconds), &mut |_| {});
}

fn connect(world: &mut World, node: usize, who: usize) {
    let request = world.sent.len();
    world.send(node, format!("Connect#{}", agent(who)), format!("desk-0{request},right-{who}"));
}

fn call(world: &mut World, node: usize, who: usize) -> usize {
    let request = world.sent.len();
    world.send(node, format!("MakeCall#{}", agent(who)), format!("9{request}"));
    request
}

fn is_done(world: &World, request: usize) -> bool {
    let is_it = |told: &Told| matches!(told, Told::Outcome(it) if it.outcome == Came::Accepted);
    world.sent[request].answers.iter().any(|(_, told)| is_it(told))
}

/// All agents connect at one connector.
fn connected(connectors: usize, agents: usize, mode: Mode, node: usize) -> World {
    let mut world = world(connectors, agents, mode);
    (0..agents).for_each(|who| connect(&mut world, node, who));
    pass(&mut world, 5);
    assert!((0..agents).all(|who| world.sessions[who] == Some(node)));
    world
}

#[test]
fn whoever_receives_a_request_executes_it_and_the_session_stays() {
    let mut world = connected(2, 4, Mode::ActiveActive, 1);
    let starts = world.starts;
    let requests: Vec<usize> = (0..40).map(|one| call(&mut world, 0, one % 4)).collect();
    pass(&mut world, 50);
    assert!(requests.iter().all(|request| world.sent[*request].over && world.sent[*request].handed <= 1));
    assert!(requests.iter().all(|request| is_done(&world, *request)));
    assert_eq!(world.starts, starts);
    assert!((0..4).all(|who| world.sessions[who] == Some(1)));
}

#[test]
fn agents_of_a_dead_connector_are_looked_after_within_ten_seconds_and_shared_out() {
    let mut world = connected(3, 30, Mode::ActiveActive, 0);
    world.kill(0, secs(300));
    pass(&mut world, 10);
    let of = |node| world.sessions.iter().filter(|session| **session == Some(node)).count();
    assert_eq!(of(1) + of(2), 30, "{:?}", world.sessions);
    assert!(of(1) > 5 && of(2) > 5, "{} and {}", of(1), of(2));
    assert!((0..30).all(|who| world.owners(who).len() == 1));
    // It is back: nothing moves.
    pass(&mut world, 600);
    assert_eq!(world.sessions.iter().filter(|session| **session == Some(0)).count(), 0);
}

#[test]
fn requests_are_done_before_the_sessions_have_moved() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    world.kill(0, secs(300));
    let requests: Vec<usize> = (0..10).map(|_| call(&mut world, 1, 0)).collect();
    pass(&mut world, 2);
    assert!(world.sessions[0].is_none(), "the session has moved already");
    assert!(requests.iter().any(|request| is_done(&world, *request)));
}

#[test]
fn the_primary_gets_everything_back_when_it_lives_for_a_while_and_later_if_it_dies_often() {
    let mut world = connected(2, 3, Mode::ActivePassive, 0);
    let mut away = Vec::new();
    for _ in 0..3 {
        world.kill(0, secs(10));
        pass(&mut world, 12);
        assert_eq!(world.sessions, [Some(1); 3]);
        let from = world.now;
        while world.sessions != [Some(0); 3] {
            pass(&mut world, 1);
            assert!(world.now < from + secs(120));
        }
        away.push(world.now - from);
    }
    assert!(away[0] > secs(13) && away[0] < secs(22), "{away:?}");
    assert!(away[1] > secs(27) && away[2] > secs(55), "{away:?}");
}

#[test]
fn a_split_is_healed_alike_on_both_sides() {
    for mode in [Mode::ActiveActive, Mode::ActivePassive] {
        let mut world = connected(2, 4, Mode::ActiveActive, 0);
        world.mode = mode;
        (0..2).for_each(|who| connect(&mut world, 1, who));
        pass(&mut world, 2);
        world.cut(0, 1);
        pass(&mut world, 60);
        // Each side goes on with its own clients.
        connect(&mut world, 0, 2);
        connect(&mut world, 1, 3);
        pass(&mut world, 60);
        let starts = world.starts;
        world.heal(0, 1);
        pass(&mut world, 30);
        let all = |node: usize| world.table(node).unwrap().iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>();
        assert_eq!(all(0), all(1));
        for who in 0..4 {
            let owners = world.owners(who);
            assert_eq!((owners.len(), world.sessions[who]), (1, Some(owners[0])));
        }
        assert!(world.starts <= starts + 4, "each moves once at most");
    }
}

#[test]
fn what_a_split_takes_is_not_fought_and_requests_are_done_all_the_same() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    world.cut(0, 1);
    pass(&mut world, 12);
    assert_eq!(world.sessions[0], Some(1), "the other one takes us for dead");
    assert!(world.sync(0).leaves_to_others(&agent(0)));
    let request = call(&mut world, 0, 0);
    pass(&mut world, 3);
    assert!(is_done(&world, request), "{:?}", world.sent[request].answers);
    assert_eq!((world.sessions[0], world.starts), (Some(1), 2));
    // A client who connects gets the session; else it is tried again after a while.
    connect(&mut world, 0, 0);
    pass(&mut world, 3);
    assert_eq!(world.sessions[0], Some(0));
    pass(&mut world, 3600);
    assert!(world.starts < 95, "{} sessions were begun", world.starts);
}

#[test]
fn a_session_that_a_split_took_is_tried_again_when_whoever_took_it_dies() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    world.cut(0, 1);
    pass(&mut world, 12);
    world.kill(1, secs(10_000));
    assert_eq!(world.sessions[0], None);
    pass(&mut world, 30);
    assert_eq!(world.sessions[0], Some(0));
}

/// Two faults: a split, however long, and then the death of whoever has the session. Nobody knows of the second one.
#[test]
fn nobody_is_without_a_session_for_a_minute_whoever_of_a_split_dies() {
    for heals in [true, false] {
        for seconds in (30..4000).step_by(97) {
            let mut world = connected(2, 1, Mode::ActiveActive, 0);
            world.cut(0, 1);
            pass(&mut world, seconds);
            let holder = world.sessions[0].unwrap();
            world.kill(holder, secs(10_000));
            if heals {
                world.heal(0, 1);
            }
            pass(&mut world, 50);
            assert_eq!(world.sessions[0], Some(1 - holder), "after a split of {seconds} s, healed {heals}");
        }
    }
}

#[test]
fn who_is_heard_by_another_one_is_not_dead() {
    let mut world = connected(3, 6, Mode::ActiveActive, 0);
    let starts = world.starts;
    world.cut(0, 1);
    pass(&mut world, 60);
    assert_eq!((world.starts, world.sessions.clone()), (starts, vec![Some(0); 6]));
    // Nobody hears it any more.
    world.cut(0, 2);
    pass(&mut world, 12);
    assert!(world.sessions.iter().all(|session| *session != Some(0)));
}

#[test]
fn who_has_no_broker_takes_nobody_over() {
    let mut world = connected(2, 2, Mode::ActiveActive, 0);
    connect(&mut world, 0, 0);
    let starts = world.starts;
    world.lose_broker(1, secs(60));
    pass(&mut world, 90);
    assert_eq!((world.starts, world.sessions.clone()), (starts, vec![Some(0); 2]));
    assert!(world.sync(0).is_whole(world.now) && world.sync(1).is_whole(world.now));
}

#[test]
fn requests_beside_a_session_go_one_after_the_other() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    for _ in 0..10 {
        call(&mut world, 1, 0);
    }
    pass(&mut world, 20);
    assert_eq!((world.most_asked, world.looks), (1, 10), "each is looked after for itself");
}

#[test]
fn a_desktop_that_takes_a_session_keeps_it() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    world.desktop(0);
    pass(&mut world, 700);
    assert_eq!((world.sessions[0], world.starts), (None, 1));
    let request = call(&mut world, 1, 0);
    pass(&mut world, 2);
    let code = |told: &Told| matches!(told, Told::Error(error) if error.code == "NOT_CONNECTED");
    assert!(code(&world.sent[request].answers[0].1), "{:?}", world.sent[request].answers);
    connect(&mut world, 1, 0);
    pass(&mut world, 5);
    assert_eq!(world.sessions[0], Some(0), "the owner opens it again");
}

/// It stands still, and hears what came meanwhile when the link is cut already: it takes the other one for alive, and is itself taken
/// for dead.
#[test]
fn a_session_that_another_connector_took_is_not_taken_for_a_desktops() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    world.stall(0, secs(5));
    world.pass(millis(4600), &mut |_| {});
    world.cut(0, 1);
    pass(&mut world, 10);
    let is_wanted =
        |world: &World| world.table(0).unwrap().get(&agent(0)).is_some_and(|entry| entry.card.credentials.is_some());
    assert!(world.starts > 1 && is_wanted(&world), "{}", world.tell_of(0));
    world.heal(0, 1);
    pass(&mut world, 10);
    assert!(is_wanted(&world) && world.sessions[0].is_some(), "{}", world.tell_of(0));
}

#[test]
fn who_ends_finishes_and_hands_over_and_the_others_take_over_at_once() {
    for mode in [Mode::ActiveActive, Mode::ActivePassive] {
        let mut world = connected(2, 20, mode, 0);
        let requests: Vec<usize> = (0..10).map(|who| call(&mut world, 0, who)).collect();
        world.pass(millis(100), &mut |_| {});
        world.tell(0, Event::Drain);
        pass(&mut world, 5);
        assert!(!world.nodes[0].deployment.as_ref().unwrap().takes_requests());
        pass(&mut world, 50);
        assert!(world.nodes[0].done && requests.iter().all(|request| world.sent[*request].over));
        assert_eq!(world.sessions, [Some(1); 20]);
        assert!(world.sync(1).is_whole(world.now), "it has said good-bye, so that nothing of it is missing");
    }
    // Nobody is there to take anything.
    let mut world = connected(2, 2, Mode::ActiveActive, 0);
    world.kill(1, secs(1000));
    pass(&mut world, 10);
    world.tell(0, Event::Drain);
    pass(&mut world, 2);
    assert!(world.nodes[0].done);
}

#[test]
fn an_agent_is_handed_over_when_the_broker_has_what_they_were_told() {
    let mut world = connected(2, 2, Mode::ActiveActive, 0);
    world.letters_take = 20_000;
    let request = call(&mut world, 0, 0);
    world.pass(millis(500), &mut |_| {});
    assert!(is_done(&world, request));
    world.tell(0, Event::Drain);
    pass(&mut world, 3);
    assert_eq!(world.sessions, [Some(0), Some(1)], "the other one would overtake the answer");
    pass(&mut world, 20);
    assert_eq!(world.sessions, [Some(1); 2]);
    pass(&mut world, 20);
    assert!(world.nodes[0].done);
}

#[test]
fn a_newcomer_knows_everything_and_what_was_taken_is_not_taken_again() {
    let mut world = connected(2, 10, Mode::ActiveActive, 0);
    let requests: Vec<usize> = (0..100).map(|one| call(&mut world, 0, one % 10)).collect();
    pass(&mut world, 60);
    world.kill(1, secs(1));
    pass(&mut world, 10);
    let deployment = world.nodes[1].deployment.as_ref().unwrap();
    assert_eq!(world.sync(1).table().len(), 10);
    assert!(deployment.connector().recent().len() >= requests.len());
    assert!(deployment.connector().recent().horizon() < secs(1_000_030), "it knows since when the first one knows");
}

#[test]
fn one_alone_takes_requests_when_nobody_answers() {
    let mut world = World::new(1, 2, 1, Mode::ActiveActive, Bus::Good);
    world.cut(0, 1);
    pass(&mut world, 2);
    let takes = |world: &World| {
        (0..2).all(|node| world.nodes[node].deployment.as_ref().is_some_and(Deployment::takes_requests))
    };
    assert!(!takes(&world));
    pass(&mut world, 8);
    assert!(takes(&world));
}

#[test]
fn without_others_nobody_is_waited_for_and_without_a_key_nothing_is_trusted() {
    for (others, is_done) in [(Others::Nobody, true), (Others::Unheard, false)] {
        let now = secs(1_000_000);
        let mut deployment = Deployment::new(connector(0, 1, 1), others, now);
        assert_eq!(deployment.handle(now, Event::Online), [Order::Resume]);
        let orders = deployment.handle(now, Event::Requested(Box::new(message(1, "a", "Connect#1001", "desk,right"))));
        let [Order::Prove(ticket, ..)] = orders[..] else { panic!("{orders:?}") };
        deployment.handle(now, Event::Proved(ticket, topoc_core::connector::Proof::Right));
        // One that was delivered before, after we were started: another connector may have had it.
        let mut again = message(2, "b", "MakeReady#1001", "");
        (again.redelivered, again.sent) = (true, Some(now + secs(20)));
        deployment.handle(now + secs(21), Event::Requested(Box::new(again)));
        let live = topoc_finesse_proto::session::Connection::Live(topoc_finesse_proto::cluster::NodeId(0));
        let change = topoc_finesse_proto::session::Change::Connection(live);
        let orders = deployment.handle(now + secs(21), Event::Changed("1001".to_owned(), change));
        assert_eq!(orders.iter().any(|order| matches!(order, Order::Ask { .. })), is_done, "{orders:?}");
        assert!(!orders.iter().any(|order| matches!(order, Order::Send(..))));
        deployment.handle(now + secs(22), Event::Drain);
    }
}

#[test]
fn a_client_that_connects_elsewhere_is_told_by_the_owner() {
    let mut world = connected(2, 1, Mode::ActiveActive, 0);
    let starts = world.starts;
    connect(&mut world, 1, 0);
    pass(&mut world, 2);
    let (_, told) = &world.sent[1].answers[0];
    assert!(matches!(told, Told::ConnectStatus(it) if it.status == Link::Interrupted), "{told:?}");
    let entry = world.table(0).unwrap().get(&agent(0)).unwrap();
    assert_eq!(entry.card.client.as_ref().map(ToString::to_string).as_deref(), Some("desk-01"));
    assert_eq!((world.sessions[0], world.starts), (Some(0), starts));
    let told: Vec<&(String, Told)> = world.told.iter().filter(|(to, _)| to == "desk-01").collect();
    assert!(
        matches!(told[..], [(_, Told::ConnectStatus(one)), (_, Told::AgentInfo(_)), (_, Told::AgentState(_)), (_, Told::DialogState(_))] if one.status == Link::Connected),
        "{told:?}"
    );
    let gone = |told: &Told| matches!(told, Told::ConnectStatus(it) if it.reason.as_deref() == Some("TAKEN_OVER"));
    assert_eq!(world.told.iter().filter(|(to, told)| to == "desk-00" && gone(told)).count(), 1);
}

/// Ways to tell the same things.
#[test]
fn the_table_is_the_same_in_whatever_order_it_is_told() {
    let entry = |term, owner: &str, priority, version, writer: &str, text: Option<&str>| Entry {
        seat: Seat { term, priority, owner: owner.into() },
        card: Card {
            version,
            epoch: 1,
            writer: writer.into(),
            credentials: text.map(|text| password("1001", text)),
            client: None,
        },
    };
    let told = [
        entry(1, "a", 127, 5, "a", Some("one")),
        entry(2, "b", 100, 5, "a", Some("one")),
        entry(2, "a", 127, 6, "b", Some("two")),
        entry(1, "c", 100, 6, "a", Some("three")),
        entry(2, "c", 100, 7, "c", None),
    ];
    let mut ends = BTreeSet::new();
    for seed in 0..200 {
        let mut dice = crate::support::Dice::new(seed);
        let mut table = Table::new(10);
        // So often that each is told, and any is the last.
        for _ in 0..100 {
            table.merge(secs(1), "1001", told[dice.below(5) as usize].clone());
        }
        ends.insert((format!("{:?}", table.get("1001")), table.digest()));
        assert_eq!(table.merge(secs(1), "1001", told[0].clone()), Merged { changed: false, stale: true });
    }
    assert_eq!(ends.len(), 1);
    let (end, digest) = ends.first().unwrap();
    assert!(
        end.contains("term: 2, priority: 127, owner: \"a\"") && end.contains("version: 7") && *digest == 0,
        "{end}"
    );
}

#[test]
fn the_table_has_room_for_so_many_and_forgets_in_time() {
    let card = |version: u64, client: Option<&str>| Entry {
        seat: Seat { term: 1, priority: 0, owner: "a".into() },
        card: Card {
            version,
            epoch: 1,
            writer: "a".into(),
            credentials: None,
            client: client.map(|client| client.parse().unwrap()),
        },
    };
    let mut table = Table::new(2);
    table.merge(secs(1), "1", card(1000, Some("desk")));
    table.merge(secs(1), "2", card(1000, None));
    // Whoever is forgotten makes room; nobody else does.
    assert!(table.merge(secs(1), "3", card(1000, Some("desk"))).changed);
    assert!(!table.merge(secs(1), "4", card(1000, Some("desk"))).changed);
    assert_eq!((table.len(), table.refused()), (2, 1));
    table.merge(secs(2), "3", card(2000, None));
    table.pass_time(secs(3601));
    assert_eq!(table.len(), 2);
    table.pass_time(secs(3602));
    assert_eq!(table.len(), 1);
    // Nobody brings them back.
    assert!(!table.merge(secs(3602), "3", card(2000, None)).changed);
    assert!(Limits::default().agents >= 10_000);
}

/// As many agents as one connector may have, and where they all go when it dies.
#[test]
fn ten_thousand_agents_move() {
    let now = secs(1_000_000);
    let one = |place| {
        let mut settings = settings(place, 2, Mode::ActiveActive, 5);
        settings.agents = Limits::default().agents;
        Deployment::new(connector(place, 2, 5), Others::Heard(Box::new(settings)), now)
    };
    let mut both = [one(0), one(1)];
    let mut time = now;
    let mut largest = 0;
    let mut turn = |both: &mut [Deployment; 2], time, events: Vec<(usize, Event)>, dead: Option<usize>| {
        let mut starts = 0;
        let mut queue: std::collections::VecDeque<(usize, Event)> = events.into();
        while let Some((node, event)) = queue.pop_front() {
            for order in both[node].handle(time, event) {
                match order {
                    Order::Send(_, bytes) => {
                        largest = bytes.len().max(largest);
                        if dead.is_none() {
                            queue.push_back((1 - node, Event::Heard(bytes)));
                        }
                    }
                    Order::Prove(ticket, ..) => {
                        queue.push_back((node, Event::Proved(ticket, topoc_core::connector::Proof::Right)));
                    }
                    Order::Start(..) => starts += 1,
                    Order::Publish(_, event) => queue.push_back((node, Event::Published(event.agent))),
                    _ => {}
                }
            }
        }
        starts
    };
    turn(&mut both, time, vec![(0, Event::Online)], None);
    for number in 0..10_000 {
        let one = message(
            number,
            &format!("id-{number}"),
            &format!("Connect#{number}"),
            &format!("desk-{number},password-{number}"),
        );
        turn(&mut both, time, vec![(0, Event::Requested(Box::new(one)))], None);
        time += millis(1);
        if number == 5000 {
            // The other one comes late, and gets a snapshot.
            turn(&mut both, time, vec![(1, Event::Online)], None);
        }
        if number % 500 == 0 {
            turn(&mut both, time, vec![(0, Event::Time), (1, Event::Time)], None);
        }
    }
    for _ in 0..5 {
        time += secs(1);
        turn(&mut both, time, vec![(0, Event::Time), (1, Event::Time)], None);
    }
    assert_eq!(both[1].sync().unwrap().table().digest(), both[0].sync().unwrap().table().digest());
    let mut starts = 0;
    for _ in 0..9 {
        time += secs(1);
        starts += turn(&mut both, time, vec![(1, Event::Time)], Some(0));
    }
    assert_eq!((starts, both[1].connector().agents()), (10_000, 10_000));
    assert!(largest < 300_000, "{largest} bytes");
}
