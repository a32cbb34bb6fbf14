//! No request is done twice, however often it is delivered and wherever; and memory has its bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use topoc_core::event::{Outcome, Result as Came, Told};
use topoc_core::recent::{Delivery, Full, Limits, Recent, Record, SLACK, Verdict};

const LIMITS: Limits = Limits { requests: 4, kept: Duration::from_secs(60) };

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn outcome(command: &str) -> Box<Told> {
    Box::new(Told::Outcome(Outcome { command: command.to_owned(), outcome: Came::Accepted }))
}

fn again(recent: &Recent, id: &str, sent: u64) -> Verdict {
    recent.judge(Delivery { id, redelivered: true, sent: Some(secs(sent)) })
}

#[test]
fn a_request_is_new_then_in_doubt_then_answered() {
    let mut recent = Recent::new(LIMITS, secs(0));
    let delivery = Delivery { id: "a", redelivered: false, sent: None };
    assert_eq!(recent.judge(delivery), Verdict::New);
    let claimed = recent.claim(secs(10), "a").unwrap();
    assert_eq!(recent.judge(delivery), Verdict::InDoubt);
    let answered = recent.answer("a", outcome("HoldCall")).unwrap();
    assert_eq!(recent.judge(delivery), Verdict::Answered(outcome("HoldCall")));
    // Whoever hears both knows the same, in either order and twice.
    for records in [[&claimed, &answered], [&answered, &claimed], [&answered, &answered]] {
        let mut other = Recent::new(LIMITS, secs(0));
        records.into_iter().for_each(|record| other.take(record.clone()));
        assert_eq!(other.snapshot(), recent.snapshot());
    }
    assert_eq!(Recent::resume(LIMITS, recent.snapshot()).snapshot(), recent.snapshot());
}

#[test]
fn one_that_starts_without_memory_does_not_trust_what_was_delivered_before() {
    let recent = Recent::new(LIMITS, secs(100));
    let edge = 100 + SLACK.as_secs();
    assert_eq!(again(&recent, "a", 90), Verdict::InDoubt);
    assert_eq!(again(&recent, "a", edge), Verdict::InDoubt);
    assert_eq!(again(&recent, "a", edge + 1), Verdict::New);
    assert_eq!(recent.judge(Delivery { id: "a", redelivered: true, sent: None }), Verdict::InDoubt);
    // Nobody had it before: it has only waited.
    assert_eq!(recent.judge(Delivery { id: "a", redelivered: false, sent: Some(secs(1)) }), Verdict::New);
}

#[test]
fn what_is_forgotten_is_not_taken_for_new() {
    let mut recent = Recent::new(LIMITS, secs(0));
    for (place, id) in ["a", "b", "c", "d"].into_iter().enumerate() {
        recent.claim(secs(10 + 10 * place as u64), id).unwrap();
    }
    assert_eq!(recent.claim(secs(41), "e"), Err(Full), "nothing that is not answered is pushed out");
    recent.answer("b", outcome("HoldCall")).unwrap();
    recent.claim(secs(42), "e").unwrap();
    assert_eq!((recent.len(), recent.horizon()), (4, secs(20)));
    assert_eq!(again(&recent, "b", 19), Verdict::InDoubt);
    // Ten seconds are kept for sixty.
    recent.pass_time(secs(69));
    assert_eq!(recent.len(), 4);
    recent.pass_time(secs(70));
    assert_eq!(recent.len(), 3);
    assert!(recent.answer("a", outcome("HoldCall")).is_none());
}

#[derive(Clone, Debug)]
enum Step {
    /// A new request is sent, and delivered to one of two connectors.
    Send(usize),
    /// An earlier one is delivered again, to one of two.
    Again(usize, usize),
    /// One that Finesse was asked for is answered.
    Answer(usize),
    /// Time passes.
    Wait(u64),
    /// A connector dies and goes on from what the other one knows.
    Kill(usize),
    /// A connector dies and has nobody to ask; so does the other.
    KillBoth,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2usize).prop_map(Step::Send),
        4 => (any::<usize>(), 0..2usize).prop_map(|(which, to)| Step::Again(which, to)),
        3 => any::<usize>().prop_map(Step::Answer),
        2 => (0..40u64).prop_map(Step::Wait),
        1 => (0..2usize).prop_map(Step::Kill),
        1 => Just(Step::KillBoth),
    ]
}

/// A request, as the broker has it.
#[derive(Clone, Debug)]
struct Sent {
    id: String,
    at: Duration,
    /// How often Finesse was asked, and by whom last.
    asked: u32,
    by: usize,
    answer: Option<Box<Told>>,
}

/// Delivers a request: a claim is told to the other one before Finesse is asked.
fn deliver(connectors: &mut [Recent; 2], to: usize, request: &mut Sent, now: Duration, redelivered: bool) {
    let verdict = connectors[to].judge(Delivery { id: &request.id, redelivered, sent: Some(request.at) });
    match verdict {
        Verdict::New => {
            if let Ok(record) = connectors[to].claim(now, &request.id) {
                connectors[1 - to].take(record);
                (request.asked, request.by) = (request.asked + 1, to);
            }
        }
        Verdict::Answered(answer) => assert_eq!(Some(answer), request.answer, "the answer of another request"),
        Verdict::InDoubt => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_request_is_handed_to_finesse_twice(steps in proptest::collection::vec(step(), 1..80), requests in 1..8usize) {
        let limits = Limits { requests, ..LIMITS };
        let mut now = secs(1000);
        let mut connectors = [Recent::new(limits, now), Recent::new(limits, now)];
        let mut sent: Vec<Sent> = Vec::new();
        for step in steps {
            match step {
                Step::Send(to) => {
                    let mut request = Sent { id: format!("ID:{}", sent.len()), at: now, asked: 0, by: to, answer: None };
                    deliver(&mut connectors, to, &mut request, now, false);
                    sent.push(request);
                }
                Step::Again(which, to) if !sent.is_empty() => {
                    let place = which % sent.len();
                    deliver(&mut connectors, to, &mut sent[place], now, true);
                }
                Step::Answer(which) if !sent.is_empty() => {
                    let place = which % sent.len();
                    let request = &mut sent[place];
                    if request.asked > 0 && request.answer.is_none() {
                        let answer = outcome(&request.id);
                        if let Some(record) = connectors[request.by].answer(&request.id, answer.clone()) {
                            let tells = matches!(&record, Record::Answered { id, .. } if *id == request.id);
prop_assert!(tells);
                            connectors[1 - request.by].take(record);
                            request.answer = Some(answer);
                        }
                    }
                }
                Step::Wait(seconds) => {
                    now += secs(seconds);
                    connectors.iter_mut().for_each(|one| one.pass_time(now));
                }
                Step::Kill(which) => connectors[which] = Recent::resume(limits, connectors[1 - which].snapshot()),
                Step::KillBoth => connectors = [Recent::new(limits, now), Recent::new(limits, now)],
                Step::Again(..) | Step::Answer(_) => {}
            }
            prop_assert!(sent.iter().all(|request| request.asked <= 1), "{:?}", sent);
            prop_assert!(connectors.iter().all(|one| one.len() <= requests && one.snapshot().records.len() == one.len()));
        }
        let ids: BTreeMap<&str, u32> = sent.iter().map(|request| (request.id.as_str(), request.asked)).collect();
        prop_assert_eq!(ids.len(), sent.len());
    }
}
