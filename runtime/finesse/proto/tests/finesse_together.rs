//! The choice of a server and the sessions of all agents together, against a model of a Finesse cluster in virtual time.
//! `TOPOC_LONG=1` for more schedules; `TOPOC_SEED=N` tells the history of one at UCCE and at UCCX.

mod model;
mod support;

use std::collections::BTreeSet;
use std::thread;

use model::{FAULTS, Fault, World};
use support::{ms, secs};
use topoc_finesse_proto::cluster::{Deployment, NodeId};
use topoc_finesse_proto::user::UserState;
use topoc_finesse_proto::{cluster, session};

/// So many agents, all in calls, at a server of their own choice.
fn centre(seed: u64, agents: usize, at: usize) -> World {
    let mut world = World::new(Deployment::Ucce, seed, agents);
    world.fault(1 - at, Fault::Cti, true);
    world.start();
    world.pass(secs(20));
    world.fault(1 - at, Fault::Cti, false);
    for agent in 0..agents {
        world.choose(agent, UserState::Ready, None);
        world.call(agent);
    }
    world.pass(secs(30));
    assert_eq!(world.differences(), Vec::<String>::new());
    assert_eq!(world.cluster.used(), Some(NodeId(at)));
    world
}

fn sound(world: &World) {
    assert_eq!(world.broken, None);
    assert_eq!(world.differences(), Vec::<String>::new());
    assert_eq!(world.losses(), Vec::<String>::new());
}

#[test]
fn each_failure_moves_200_agents_in_calls_within_5_seconds() {
    for fault in [Fault::Notifications, Fault::Web, Fault::Cti] {
        for at in [0, 1] {
            let mut world = centre(7, 200, at);
            let failed = world.now;
            world.fault(at, fault, true);
            // What nobody is told: every second call is put on hold, every fifth is over, and some agents are called again.
            world.pass(ms(300));
            (0..200).step_by(2).for_each(|agent| world.hold(agent));
            (0..200).step_by(5).for_each(|agent| world.hang_up(agent));
            (0..200).step_by(10).for_each(|agent| world.call(agent));
            world.until(failed + secs(5));
            assert_eq!(world.cluster.used(), Some(NodeId(1 - at)), "{fault:?} of {at}");
            sound(&world);
            let asked = world.asks["user"];
            // The forced logouts of the sessions that are no more: up to three minutes later.
            world.fault(at, fault, false);
            world.pass(secs(200));
            sound(&world);
            assert_eq!(world.cluster.used(), Some(NodeId(1 - at)), "nobody is sent back");
            assert!(world.asks["user"] - asked < 4000, "{:?}", world.asks);
        }
    }
}

#[test]
fn a_silent_server_is_left_within_20_seconds() {
    for at in [0, 1] {
        let mut world = centre(11, 200, at);
        world.fault(at, Fault::Silent, true);
        world.pass(secs(20));
        assert_eq!(world.cluster.used(), Some(NodeId(1 - at)));
        world.pass(secs(5));
        sound(&world);
        world.pass(secs(200));
        sound(&world);
    }
}

#[test]
fn a_slow_server_is_left_for_a_quick_one_and_a_slow_one_is_better_than_none() {
    let mut world = centre(13, 50, 0);
    world.fault(0, Fault::Slow, true);
    world.pass(secs(90));
    assert_eq!(world.cluster.used(), Some(NodeId(1)));
    world.fault(1, Fault::Cti, true);
    world.pass(secs(90));
    assert_eq!(world.cluster.used(), Some(NodeId(0)));
    sound(&world);
}

#[test]
fn both_servers_down_and_back() {
    for first in [0, 1] {
        let mut world = centre(17, 200, 0);
        world.fault(0, Fault::Cti, true);
        world.fault(1, Fault::Cti, true);
        world.pass(secs(40));
        (0..200).step_by(3).for_each(|agent| world.hang_up(agent));
        assert!(world.told.iter().all(|told| told.live_at.is_none()), "nobody is told that all is well");
        world.fault(first, Fault::Cti, false);
        world.pass(secs(8));
        assert_eq!(world.cluster.used(), Some(NodeId(first)));
        sound(&world);
        world.fault(1 - first, Fault::Cti, false);
        world.pass(secs(240));
        sound(&world);
    }
}

#[test]
fn a_server_in_maintenance_is_left_in_peace() {
    let mut world = centre(19, 200, 0);
    (100..200).for_each(|agent| world.hang_up(agent));
    world.fault(0, Fault::Maintenance, true);
    world.pass(secs(45));
    let at = |world: &World, agent: usize| world.sessions[agent].open().map(|(_, node)| node);
    assert!((100..200).all(|agent| at(&world, agent) == Some(NodeId(1))), "who is in no call has gone");
    assert!((0..100).all(|agent| at(&world, agent) == Some(NodeId(0))), "who is in a call has stayed");
    (0..50).for_each(|agent| world.hang_up(agent));
    world.pass(secs(5));
    assert!((0..50).all(|agent| at(&world, agent) == Some(NodeId(1))), "and goes when it is over");
    world.pass(secs(320));
    assert!((0..200).all(|agent| at(&world, agent) == Some(NodeId(1))), "in the end everyone goes");
    world.pass(secs(200));
    sound(&world);
}

#[test]
fn servers_that_flap_do_not_make_agents_flap() {
    let mut world = centre(23, 20, 0);
    for round in 0..60 {
        world.fault(round % 2, Fault::Cti, true);
        world.fault(1 - round % 2, Fault::Cti, false);
        world.pass(secs(5));
    }
    assert_eq!(world.broken, None);
    assert!(world.switches.len() <= 14, "{} switches in five minutes", world.switches.len());
    (0..2).for_each(|node| world.fault(node, Fault::Cti, false));
    world.pass(secs(300));
    sound(&world);
}

#[test]
fn requests_to_servers_do_not_grow_with_agents() {
    let polls = |agents: usize| {
        let mut world = World::new(Deployment::Ucce, 3, agents);
        world.start();
        world.pass(secs(300));
        world.polls
    };
    let (few, many) = (polls(1), polls(200));
    assert!(few.iter().chain(&many).all(|polls| (30..=64).contains(polls)), "{few:?} {many:?}");
}

/// One schedule of faults; the promise that it broke.
fn schedule(deployment: Deployment, seed: u64, told: bool) -> World {
    let agents = 1 + usize::try_from(seed % 4).unwrap_or(0);
    let mut world = World::new(deployment, seed, agents);
    world.history = told.then(Vec::new);
    world.start();
    world.pass(secs(5));
    let faults = world.dice.within(2, 9);
    for _ in 0..faults {
        let mut rest = world.dice.within(1, 30_000);
        if world.dice.once_in(8) {
            rest += 60_000;
        }
        let end = world.now + ms(rest);
        while world.now < end && world.broken.is_none() {
            act(&mut world);
            let soon = ms(world.dice.within(1, 4000));
            world.until((world.now + soon).min(end));
        }
        let node = usize::try_from(world.dice.within(0, 2)).unwrap_or(0);
        let fault = FAULTS[usize::try_from(world.dice.within(0, FAULTS.len() as u64)).unwrap_or(0)];
        let (both, on) = (world.dice.once_in(6), !world.dice.once_in(3));
        world.fault(node, fault, on);
        if both {
            world.fault(1 - node, fault, on);
        }
    }
    // All is well again, and quiet: leaving a server in maintenance takes five minutes, forced logouts come for three more.
    for node in 0..2 {
        FAULTS.iter().for_each(|fault| world.fault(node, *fault, false));
    }
    world.pass(secs(540));
    let wrong: Vec<String> = world.differences().into_iter().chain(world.losses()).collect();
    if world.broken.is_none() && !wrong.is_empty() {
        world.broken = Some(format!("all is well for nine minutes, and: {wrong:?}"));
    }
    world
}

/// Something that agents and callers do.
fn act(world: &mut World) {
    let agent = usize::try_from(world.dice.within(0, world.agents.len() as u64)).unwrap_or(0);
    let works = world.sessions[agent].phase() == session::Phase::Live;
    let state = world.agents[agent].state.clone();
    match world.dice.within(0, 9) {
        0..=1 if state == UserState::Ready => world.call(agent),
        2 => world.hold(agent),
        3..=4 => world.hang_up(agent),
        5 if works && state == UserState::NotReady => world.choose(agent, UserState::Ready, None),
        6 if works && matches!(state, UserState::Ready | UserState::NotReady) => {
            let reason = i64::try_from(world.dice.within(1, 4)).ok();
            world.choose(agent, UserState::NotReady, reason);
        }
        7 if world.dice.once_in(4) => world.trip(agent),
        8 if works && world.may_sign_out(agent) && world.dice.once_in(6) => {
            world.choose(agent, UserState::Logout, None);
        }
        8 if works && state == UserState::Logout && world.agents[agent].wants.is_none() => {
            world.choose(agent, UserState::NotReady, None);
        }
        _ => {}
    }
}

#[test]
fn no_schedule_of_faults_breaks_a_promise_at_ucce() {
    no_schedule_breaks_a_promise(Deployment::Ucce);
}

#[test]
fn no_schedule_of_faults_breaks_a_promise_at_uccx() {
    no_schedule_breaks_a_promise(Deployment::Uccx);
}

#[expect(clippy::print_stderr, reason = "the history is what somebody asked for")]
fn no_schedule_breaks_a_promise(deployment: Deployment) {
    if let Some(seed) = std::env::var("TOPOC_SEED").ok().and_then(|seed| seed.parse().ok()) {
        let world = schedule(deployment, seed, true);
        world.history.iter().flatten().for_each(|line| eprintln!("{line}"));
        assert_eq!(world.broken, None);
        return;
    }
    let schedules = if std::env::var("TOPOC_LONG").is_ok_and(|long| long == "1") { 200_000 } else { 10_000 };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(4) as u64;
    let share = |of: u64| {
        let mut seen = (BTreeSet::new(), BTreeSet::new());
        for seed in (of..schedules).step_by(usize::try_from(threads).unwrap_or(1)) {
            let world = schedule(deployment, seed, false);
            if let Some(promise) = world.broken {
                let history = schedule(deployment, seed, true).history.unwrap_or_default();
                let end = history.len().saturating_sub(60);
                panic!("TOPOC_SEED={seed}: {promise}\n{}", history[end..].join("\n"));
            }
            seen.0.extend(world.phases);
            seen.1.extend(world.cluster_phases);
        }
        seen
    };
    let mut phases = BTreeSet::new();
    let mut cluster_phases = BTreeSet::new();
    thread::scope(|scope| {
        let shares: Vec<_> = (0..threads).map(|of| scope.spawn(move || share(of))).collect();
        for share in shares {
            let (one, other) = share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            phases.extend(one);
            cluster_phases.extend(other);
        }
    });
    for (from, cause, to) in session::TRANSITIONS {
        // A session that is closed is followed by the next one at once.
        let to_see = if *cause == session::Cause::Closed { session::Phase::Opening } else { *to };
        let reached = phases.contains(&(*from, to_see)) || from == to || elsewhere(*cause);
        assert!(reached, "no schedule goes from {from:?} to {to:?} because of {cause:?}");
    }
    for (from, cause, to) in cluster::TRANSITIONS {
        // Who leaves a server in maintenance goes to another one that is in service: of UCCX there is none.
        let never = !deployment.all_serve() && [*from, *to].contains(&cluster::Phase::Draining);
        let reached = cluster_phases.contains(&(*from, *to)) || from == to || *cause == cluster::Cause::Stop || never;
        assert!(reached, "no schedule goes from {from:?} to {to:?} because of {cause:?}");
    }
}

/// What schedules do not lead to, and tests of its own do.
fn elsewhere(cause: session::Cause) -> bool {
    matches!(cause, session::Cause::Stop | session::Cause::End | session::Cause::Start | session::Cause::Assigned)
}
