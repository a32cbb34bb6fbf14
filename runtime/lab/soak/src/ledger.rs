//! What was asked, answered and acted on, and whether that is what was promised. A value: it knows no socket and no clock.
//!
//! Times are since the beginning of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A request that nobody could take for so long is of no use. Longer than any fault, and than what follows from it: none is to expire.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_secs(180);

/// What a request asks for, so that what Finesse has accepted can be told to be for its sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A question: nothing is acted on.
    State,
    /// A question, too.
    Dialogs,
    /// Binds the agent to the client: nothing changes at Finesse.
    Connect,
    Login,
    Ready,
    /// For the reason of this id.
    NotReady(u32),
    /// A call to a number that is called but once: it has the number of the request.
    Call(u64),
    /// The agent leaves the call with this id.
    Release(u64),
}

impl What {
    pub(crate) const fn is_question(self) -> bool {
        matches!(self, Self::State | Self::Dialogs | Self::Connect)
    }

    /// Whether nothing comes of asking for it twice: a state that an agent has already. A connector repeats such a request, under
    /// the same id, when a server of Finesse fails before it has answered (`topoc_finesse_proto::rest::Repeat::Harmless`).
    const fn is_harmless(self) -> bool {
        matches!(self, Self::Login | Self::Ready | Self::NotReady(_))
    }

    /// How reports call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "GetState",
            Self::Dialogs => "GetDialogState",
            Self::Connect => "Connect",
            Self::Login => "Login",
            Self::Ready => "MakeReady",
            Self::NotReady(_) => "MakeNotReadyWithReason",
            Self::Call(_) => "MakeCall",
            Self::Release(_) => "ReleaseCall",
        }
    }
}

/// What became of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    OnItsWay,
    /// The broker has said that it has it.
    Accepted,
    /// Nobody knows whether a broker has it.
    Failed,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Finesse has accepted it.
    Accepted,
    /// Nobody knows whether it was done.
    Unknown,
    /// An error of this code: it was not done.
    Error(String),
    /// This event, which answers a question.
    Event(String),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) at: Duration,
    pub(crate) said: Said,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) agent: u32,
    pub(crate) what: What,
    pub(crate) at: Duration,
    pub(crate) sending: Sending,
    pub(crate) answers: Vec<Answer>,
    /// A broker has put it among its dead letters.
    pub(crate) dead: bool,
}

impl Request {
    fn waits(&self) -> bool {
        self.answers.is_empty() && self.sending != Sending::Failed
    }
}

/// Something that a node of Finesse has accepted for a client's sake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) at: Duration,
    pub(crate) agent: u32,
    pub(crate) what: What,
    /// `requestId`: what the connector calls the request.
    pub(crate) id: String,
    /// At which node, from 1.
    pub(crate) node: usize,
}

/// A fault as it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) name: &'static str,
    pub(crate) targets: Vec<String>,
    pub(crate) from: Duration,
    /// None while it lasts.
    pub(crate) to: Option<Duration>,
}

/// How much clocks may differ: those of this process and of the simulated Finesse, which are the same but for milliseconds.
const SLACK: Duration = Duration::from_millis(20);
/// What a fault leaves behind is over so long after it: whoever lost something has found it again.
const AFTER: Duration = Duration::from_secs(5);

impl Happened {
    /// Whether it happened to a request from its sending to its answer.
    fn met(&self, from: Duration, to: Duration) -> bool {
        self.from <= to && self.to.is_none_or(|end| end + AFTER >= from)
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// By their number, from 0.
    pub(crate) requests: Vec<Request>,
    pub(crate) acts: Vec<Act>,
    pub(crate) faults: Vec<Happened>,
    /// Answers to what was never asked.
    pub(crate) strange: Vec<String>,
    waiting: usize,
}

/// What is wrong, and what there was.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Sentences, one for each thing that must not be.
    pub(crate) wrong: Vec<String>,
    /// How many requests were asked, by their names.
    pub(crate) asked: BTreeMap<&'static str, usize>,
    /// First answers, by what they say.
    pub(crate) answers: BTreeMap<String, usize>,
    pub(crate) accepted: usize,
    pub(crate) failed: usize,
    /// More than one answer to one request.
    pub(crate) again: usize,
    /// Requests that Finesse accepted again under the same id, where nothing comes of that.
    pub(crate) repeated: usize,
    /// `outcome-unknown`, by the fault that began last before the answer, of those at that moment.
    pub(crate) unknown: BTreeMap<&'static str, usize>,
    /// How many of a hundred requests had a fault at that moment: what chance alone would explain.
    pub(crate) met: f64,
    /// From sending to the first answer: median, 99 of 100, longest.
    pub(crate) took: [Duration; 3],
}

impl Ledger {
    pub(crate) fn ask(&mut self, agent: u32, what: impl FnOnce(u64) -> What, at: Duration) -> u64 {
        let number = self.requests.len() as u64;
        let (sending, answers) = (Sending::OnItsWay, Vec::new());
        self.requests.push(Request { agent, what: what(number), at, sending, answers, dead: false });
        self.waiting += 1;
        number
    }

    pub(crate) fn request(&self, number: u64) -> Option<&Request> {
        self.requests.get(usize::try_from(number).ok()?)
    }

    /// Changes a request, and counts whether it waits.
    fn change<T>(&mut self, number: u64, act: impl FnOnce(&mut Request) -> T) -> Option<T> {
        let request = self.requests.get_mut(usize::try_from(number).ok()?)?;
        let before = request.waits();
        let result = act(request);
        self.waiting = self.waiting + usize::from(request.waits()) - usize::from(before);
        Some(result)
    }

    /// What became of sending a request.
    pub(crate) fn sent(&mut self, number: u64, sending: Sending) {
        self.change(number, |request| request.sending = sending);
    }

    /// A request is answered: its number, what it asks for, and whose it is.
    pub(crate) fn answer(&mut self, number: u64, answer: Answer) -> Option<(u64, What, u32)> {
        self.change(number, |request| {
            request.answers.push(answer);
            (number, request.what, request.agent)
        })
    }

    /// A broker has put a request among its dead letters: it had expired.
    pub(crate) fn died(&mut self, number: u64) {
        self.change(number, |request| request.dead = true);
    }

    /// Requests that waited longer than this for their first answer, a line each.
    pub(crate) fn slow(&self, limit: Duration) -> String {
        let is_slow = |request: &Request| request.answers.first().is_none_or(|first| first.at > request.at + limit);
        let slow = (0..).zip(&self.requests).filter(|(_, request)| is_slow(request));
        slow.map(|(number, request)| format!("{number} {request:?}\n")).collect()
    }

    /// Requests that are neither answered nor lost while they were sent.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Judges a run that is over.
    pub(crate) fn judge(&self) -> Verdict {
        let mut verdict = Verdict { wrong: self.strange.clone(), ..Verdict::default() };
        let mut took = Vec::new();
        let (mut answered, mut met) = (0, 0);
        for (number, request) in self.requests.iter().enumerate() {
            *verdict.asked.entry(request.what.name()).or_default() += 1;
            match request.sending {
                Sending::Accepted => verdict.accepted += 1,
                Sending::Failed | Sending::OnItsWay => verdict.failed += 1,
            }
            let Some(first) = request.answers.first() else {
                let wrong = match request.sending {
                    Sending::Accepted if request.dead => Some("expired at a broker"),
                    Sending::Accepted => Some("lost"),
                    Sending::OnItsWay => Some("sent for ever"),
                    Sending::Failed => None,
                };
                verdict.wrong.extend(wrong.map(|wrong| format!("{wrong}: {}", describe(number, request))));
                continue;
            };
            answered += 1;
            met += usize::from(self.fault_at(request.at, first.at).is_some());
            took.push(first.at.saturating_sub(request.at));
            verdict.again += request.answers.len() - 1;
            *verdict.answers.entry(word(&first.said)).or_default() += 1;
            if first.said == Said::Unknown {
                match self.fault_at(request.at, first.at) {
                    Some(fault) => *verdict.unknown.entry(fault.name).or_default() += 1,
                    None => {
                        verdict.wrong.push(format!("unknown without a fault: {}", describe(number, request)));
                    }
                }
            }
        }
        took.sort_unstable();
        let at = |share: usize| took.get(took.len().saturating_sub(1) * share / 100).copied().unwrap_or_default();
        verdict.took = [at(50), at(99), at(100)];
        verdict.met = 100.0 * met as f64 / f64::max(f64::from(u32::try_from(answered).unwrap_or(u32::MAX)), 1.0);
        self.judge_acts(&mut verdict);
        verdict
    }

    /// The fault that began last, of those that a request met.
    fn fault_at(&self, from: Duration, to: Duration) -> Option<&Happened> {
        self.faults.iter().filter(|fault| fault.met(from, to)).max_by_key(|fault| fault.from)
    }

    /// Gives each act to a request that it is for. An act belongs to the latest request that asked for it, or to an earlier one
    /// whose answer does not say what became of it: that may have been on its way for long. None is left for what is done twice.
    fn judge_acts(&self, verdict: &mut Verdict) {
        let mut asked: BTreeMap<(u32, What), Vec<usize>> = BTreeMap::new();
        for (number, request) in self.requests.iter().enumerate().filter(|(_, request)| !request.what.is_question()) {
            asked.entry((request.agent, request.what)).or_default().push(number);
        }
        let mut done: Vec<Option<&Act>> = vec![None; self.requests.len()];
        let mut acts: Vec<&Act> = self.acts.iter().collect();
        acts.sort_by_key(|act| act.at);
        let mut ids = BTreeSet::new();
        for act in acts {
            if !ids.insert((act.agent, act.what, &act.id)) && act.what.is_harmless() {
                verdict.repeated += 1;
                continue;
            }
            let numbers = asked.get(&(act.agent, act.what)).map(Vec::as_slice).unwrap_or_default();
            let before: Vec<usize> =
                numbers.iter().copied().filter(|number| self.requests[*number].at <= act.at + SLACK).collect();
            let latest = before.last().copied();
            let may =
                |number: &&usize| done[**number].is_none() && (Some(**number) == latest || !self.is_certain(**number));
            match before.iter().rev().find(may) {
                Some(number) => done[*number] = Some(act),
                None => {
                    let first =
                        |number: usize| done[number].map_or(String::new(), |act| format!(", before {}", show(act)));
                    let of = latest.map_or("of nobody".to_owned(), |number| {
                        format!("{}{}", describe(number, &self.requests[number]), first(number))
                    });
                    verdict.wrong.push(format!("acted on twice: {} {}: {of}", act.what.name(), show(act)));
                }
            }
        }
        for (number, request) in self.requests.iter().enumerate() {
            // Of these it is certain which act is whose: no other request asks for the same.
            if !matches!(request.what, What::Call(_)) {
                continue;
            }
            let said = |wanted: fn(&Said) -> bool| request.answers.iter().any(|answer| wanted(&answer.said));
            if said(|said| *said == Said::Accepted) && done[number].is_none() {
                verdict.wrong.push(format!("said to be done and was not: {}", describe(number, request)));
            }
            if said(|said| matches!(said, Said::Error(_))) && done[number].is_some() {
                verdict.wrong.push(format!("said not to be done and was: {}", describe(number, request)));
            }
        }
    }

    /// Whether it is known of a request that it is done or not done, so that no act can come later.
    fn is_certain(&self, number: usize) -> bool {
        self.requests[number].answers.first().is_some_and(|answer| answer.said != Said::Unknown)
    }
}

fn word(said: &Said) -> String {
    match said {
        Said::Accepted => "accepted".to_owned(),
        Said::Unknown => "outcome-unknown".to_owned(),
        Said::Error(code) => format!("error {code}"),
        Said::Event(name) => name.clone(),
    }
}

fn show(act: &Act) -> String {
    format!("at {:.3} s (node {}, {})", act.at.as_secs_f64(), act.node, act.id)
}

fn describe(number: usize, request: &Request) -> String {
    let answers: Vec<String> =
        request.answers.iter().map(|one| format!("{} at {:.3} s", word(&one.said), one.at.as_secs_f64())).collect();
    format!(
        "request {number}, {:?} of agent {}, sent at {:.3} s ({:?}), answers {answers:?}",
        request.what,
        request.agent,
        request.at.as_secs_f64(),
        request.sending
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// One request, sent at 10 s and accepted, with these answers at 11 s.
    fn one(what: What, answers: &[Said]) -> Ledger {
        let mut ledger = Ledger::default();
        ask(&mut ledger, what, s(10), answers);
        ledger
    }

    #[test]
    fn a_request_whose_sending_never_ends_is_wrong() {
        let mut ledger = Ledger::default();
        ledger.ask(1001, |_| What::State, s(10));
        assert!(matches!(&ledger.judge().wrong[..], [one] if one.starts_with("sent for ever: ")));
    }

    fn ask(ledger: &mut Ledger, what: What, at: Duration, answers: &[Said]) {
        let number = ledger.ask(1001, |_| what, at);
        ledger.sent(number, Sending::Accepted);
        for said in answers {
            ledger.answer(number, Answer { at: at + s(1), said: said.clone() }).unwrap();
        }
    }

    fn act(ledger: &mut Ledger, what: What, at: Duration) {
        // Each has an id of its own.
        act_as(ledger, what, at, &format!("topoc-1-{}", ledger.acts.len()));
    }

    fn act_as(ledger: &mut Ledger, what: What, at: Duration, id: &str) {
        ledger.acts.push(Act { at, agent: 1001, what, id: id.to_owned(), node: 1 });
    }

    fn fault(from: u64, to: u64) -> Happened {
        Happened { name: "broker killed", targets: vec!["amq-1".to_owned()], from: s(from), to: Some(s(to)) }
    }

    /// The beginnings of what is wrong.
    fn wrong(ledger: &Ledger) -> Vec<String> {
        let wrong = ledger.judge().wrong;
        wrong.iter().map(|text| text.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_was_answered_and_done_once_is_right() {
        let mut ledger = one(What::Call(0), &[Said::Accepted, Said::Accepted]);
        act(&mut ledger, What::Call(0), s(10));
        assert_eq!(wrong(&ledger), [""; 0]);
        assert_eq!(ledger.judge().again, 1);
    }

    #[test]
    fn what_was_accepted_and_never_answered_is_lost() {
        let mut ledger = one(What::State, &[]);
        assert_eq!(wrong(&ledger), ["lost"]);
        assert_eq!(ledger.waiting(), 1);
        ledger.sent(0, Sending::Failed);
        assert_eq!(wrong(&ledger), [""; 0]);
        assert_eq!((ledger.judge().failed, ledger.waiting()), (1, 0));
    }

    #[test]
    fn what_expired_at_a_broker_is_wrong_whatever_had_a_fault() {
        let mut ledger = one(What::State, &[]);
        ledger.faults.push(fault(100, 120));
        ledger.died(0);
        assert_eq!(wrong(&ledger), ["expired at a broker"]);
    }

    #[test]
    fn two_acts_for_one_request_are_one_too_many_also_when_sending_failed() {
        let mut ledger = one(What::Call(0), &[]);
        ledger.sent(0, Sending::Failed);
        act(&mut ledger, What::Call(0), s(10));
        assert_eq!(wrong(&ledger), [""; 0]);
        act(&mut ledger, What::Call(0), s(12));
        assert_eq!(wrong(&ledger), ["acted on twice"]);
    }

    #[test]
    fn an_act_that_nobody_asked_for_or_that_came_before_is_wrong() {
        let mut ledger = one(What::Ready, &[Said::Accepted]);
        act(&mut ledger, What::NotReady(16), s(10));
        assert_eq!(wrong(&ledger), ["acted on twice"]);
        let mut ledger = one(What::Ready, &[Said::Accepted]);
        act(&mut ledger, What::Ready, s(9));
        assert_eq!(wrong(&ledger), ["acted on twice"]);
    }

    #[test]
    fn an_act_belongs_to_the_latest_request_unless_an_earlier_one_is_in_doubt() {
        let again = |first: Said| {
            let mut ledger = one(What::Ready, &[first]);
            ledger.faults.push(fault(10, 11));
            ask(&mut ledger, What::Ready, s(20), &[Said::Accepted]);
            act(&mut ledger, What::Ready, s(21));
            act(&mut ledger, What::Ready, s(22));
            wrong(&ledger)
        };
        assert_eq!(again(Said::Accepted), ["acted on twice"]);
        assert_eq!(again(Said::Error("BUSY".to_owned())), ["acted on twice"]);
        assert_eq!(again(Said::Unknown), [""; 0]);
    }

    #[test]
    fn what_does_no_harm_may_be_repeated_under_its_id_and_nothing_else() {
        for (what, id, expected) in [
            (What::Ready, "topoc-1-1", None),
            (What::Ready, "topoc-2-1", Some("acted on twice")),
            (What::Call(0), "topoc-1-1", Some("acted on twice")),
        ] {
            let mut ledger = one(what, &[Said::Accepted]);
            act_as(&mut ledger, what, s(10), "topoc-1-1");
            act_as(&mut ledger, what, s(11), id);
            assert_eq!(wrong(&ledger).first().map(String::as_str), expected, "{what:?} {id}");
            assert_eq!(ledger.judge().repeated, usize::from(expected.is_none()));
        }
    }

    #[test]
    fn an_answer_that_is_not_true_is_wrong() {
        assert_eq!(wrong(&one(What::Call(0), &[Said::Accepted])), ["said to be done and was not"]);
        let mut ledger = one(What::Call(0), &[Said::Error("NOT_DONE".to_owned())]);
        assert_eq!(wrong(&ledger), [""; 0]);
        act(&mut ledger, What::Call(0), s(10));
        assert_eq!(wrong(&ledger), ["said not to be done and was"]);
    }

    #[test]
    fn an_unknown_outcome_needs_a_fault_at_that_moment() {
        let with = |from, to| {
            let mut ledger = one(What::Call(0), &[Said::Unknown]);
            ledger.faults.push(fault(from, to));
            wrong(&ledger)
        };
        assert_eq!(with(11, 12), [""; 0], "it begins when the answer comes");
        assert_eq!(with(12, 13), ["unknown without a fault"], "it begins later");
        assert_eq!(with(3, 5), [""; 0], "what it left behind lasts");
        assert_eq!(with(3, 4), ["unknown without a fault"], "it is over");
    }

    #[test]
    fn questions_are_not_acted_on_and_chance_is_told() {
        let mut ledger = one(What::State, &[Said::Event("AgentState".to_owned())]);
        ledger.faults.push(fault(11, 12));
        ask(&mut ledger, What::Dialogs, s(30), &[Said::Event("DialogState".to_owned())]);
        let verdict = ledger.judge();
        assert_eq!(verdict.wrong, [""; 0]);
        assert!((verdict.met - 50.0).abs() < 0.1, "{}", verdict.met);
        assert_eq!(verdict.took, [s(1), s(1), s(1)]);
    }
}
