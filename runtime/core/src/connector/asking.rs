//! A request's turn: its password is proven, its claim recorded, Finesse asked.

use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Answer, Command, Credentials};

use super::agent::{Agent, Picture};
use super::answers;
use super::events::{Order, Proof, Seen, Ticket};
use super::machine::{Held, Turn};
use super::settings::GRACE;
use super::table::{Cause, Phase};
use crate::command::{Becomes, Request, Value};
use crate::event::Told;
use crate::recent::{Delivery, Verdict};

/// What is next for a request at the head of its agent's queue.
enum Next {
    Wait,
    Prove(Credentials),
    Look(Credentials),
    Doubt,
    Claim,
    Ask,
    Bind(Credentials),
    Unbind,
    Answer(Told),
}

impl Turn<'_> {
    /// Goes on with an agent's requests, as far as they go.
    pub(super) fn advance(&mut self, name: &str) {
        let Some(agent) = self.connector.agents.get(name) else { return };
        for ticket in agent.doubtful.clone() {
            self.look(ticket);
        }
        while let Some(ticket) = self.connector.agents.get(name).and_then(|agent| agent.queue.front().copied()) {
            if !self.try_next(name, ticket) {
                break;
            }
        }
        let is_over = |agent: &Agent| agent.in_hand == 0 && !agent.counts();
        if self.connector.agents.get(name).is_some_and(is_over) {
            self.leave(name);
        }
    }

    /// Whether the request has left the queue.
    fn try_next(&mut self, name: &str, ticket: Ticket) -> bool {
        let Some((held, agent)) = self.connector.requests.get(&ticket).zip(self.connector.agents.get(name)) else {
            return false;
        };
        if held.phase != Phase::Queued {
            return false;
        }
        match self.next(held, agent) {
            Next::Wait => return false,
            Next::Prove(credentials) => {
                self.go(ticket, Cause::Prove, None);
                self.orders.push(Order::Prove(ticket, name.to_owned(), credentials));
                return false;
            }
            Next::Look(credentials) => {
                self.go(ticket, Cause::Look, None);
                self.orders.push(Order::Look(ticket, name.to_owned(), credentials));
                return false;
            }
            Next::Claim => {
                self.claim(name, ticket);
                return false;
            }
            Next::Doubt => self.doubt(name, ticket),
            Next::Ask => self.ask(ticket, Cause::Ask),
            Next::Bind(credentials) => self.bind(name, ticket, credentials),
            Next::Unbind => self.unbind(name, ticket),
            Next::Answer(told) => self.answer(ticket, Cause::Answer, told),
        }
        true
    }

    fn next(&self, held: &Held, agent: &Agent) -> Next {
        let row = held.request.row();
        if !row.is_harmless() {
            // Another connector may have told of it meanwhile.
            let delivery = Delivery { id: &held.id, redelivered: held.redelivered, sent: held.sent };
            match self.connector.recent.judge(delivery) {
                Verdict::New => {}
                Verdict::InDoubt => return Next::Doubt,
                Verdict::Answered(told) => return Next::Answer(*told),
            }
        }
        let binds = matches!(row.becomes, Becomes::Bind | Becomes::Unbind);
        if !binds && agent.proven().is_none() {
            return Next::Answer(answers::not_connected());
        }
        let credentials = credentials(&held.request, agent);
        let needs_picture = row.action().is_some() || row.becomes == Becomes::MakeCall;
        match (credentials, agent.beside()) {
            (Some(these), _) if !held.proven && agent.proven() != Some(&these) => Next::Prove(these),
            (Some(these), _) if row.becomes == Becomes::Bind => Next::Bind(these),
            _ if row.becomes == Becomes::Unbind => Next::Unbind,
            // One after the other, as a session's line would do it.
            (_, Some(_)) if agent.borrowing > 0 => Next::Wait,
            (_, Some(beside)) if needs_picture && held.seen.is_none() => Next::Look(beside.clone()),
            (_, None) if !agent.is_live() => Next::Wait,
            _ => match not_possible(&held.request, picture(held, agent)) {
                Some(told) => Next::Answer(told),
                None if row.is_question() => Next::Ask,
                None => Next::Claim,
            },
        }
    }

    fn claim(&mut self, name: &str, ticket: Ticket) {
        let Some(id) = self.connector.requests.get(&ticket).map(|held| held.id.clone()) else { return };
        match self.connector.recent.claim(self.now, &id) {
            Ok(record) => {
                self.go(ticket, Cause::Claim, None);
                self.orders.push(Order::Record(ticket, record));
            }
            // As many as can be remembered wait for Finesse: room comes with their answers.
            Err(_) => drop(self.connector.crowded.insert(name.to_owned())),
        }
    }

    /// The broker has the claim, so that nobody else asks Finesse any more.
    pub(super) fn recorded(&mut self, ticket: Ticket) {
        let Some(held) = self.connector.requests.get(&ticket) else { return };
        if held.phase != Phase::Recording || held.until <= self.now {
            return;
        }
        let name = held.request.subject().to_owned();
        let may_ask = self.connector.agents.get(&name).is_some_and(|agent| agent.proven().is_some());
        if may_ask {
            self.ask(ticket, Cause::Ask);
        } else {
            self.answer(ticket, Cause::Answer, answers::not_connected());
        }
        self.touched.insert(name);
    }

    fn ask(&mut self, ticket: Ticket, cause: Cause) {
        let Some(held) = self.connector.requests.get(&ticket) else { return };
        let (name, deadline) = (held.request.subject().to_owned(), held.until);
        let Some(agent) = self.connector.agents.get(&name) else { return };
        let Some(command) = command(&held.request, picture(held, agent)) else {
            return self.answer(ticket, Cause::Answer, not_signed_in());
        };
        let beside = agent.beside().cloned();
        if let Some(agent) = self.connector.agents.get_mut(&name) {
            agent.queue.retain(|one| *one != ticket);
            agent.borrowing += usize::from(beside.is_some());
        }
        if let Some(held) = self.connector.requests.get_mut(&ticket) {
            held.borrows = beside.is_some();
        }
        self.go(ticket, cause, Some(deadline.saturating_add(GRACE)));
        let request_id = self.request_id(ticket);
        self.orders.push(Order::Ask { ticket, agent: name, command, request_id, deadline, beside });
    }

    /// Finesse has said what the agent is doing, or nobody could ask it.
    pub(super) fn seen(&mut self, ticket: Ticket, seen: Option<Seen>) {
        let Some(held) = self.connector.requests.get_mut(&ticket) else { return };
        let waits = held.phase == Phase::Looking;
        if !waits && held.phase != Phase::Doubtful {
            return;
        }
        let says = seen.is_some();
        held.seen = seen.map(|seen| Box::new(Picture::new(seen.user, seen.dialogs)));
        self.touched.insert(held.request.subject().to_owned());
        if waits && says {
            self.go(ticket, Cause::See, None);
        } else if waits {
            let says = "no Finesse server says what the agent is doing, and it was not done";
            self.answer(ticket, Cause::Answer, answers::unavailable(says));
        }
    }

    /// What Finesse is told to repeat: nothing that a stranger wrote.
    pub(super) fn request_id(&self, ticket: Ticket) -> String {
        format!("topoc-{}-{ticket}", self.connector.settings.epoch)
    }

    pub(super) fn came(&mut self, ticket: Ticket, outcome: Outcome) {
        let Some(held) = self.connector.requests.get(&ticket).filter(|held| held.phase == Phase::Asked) else { return };
        let row = held.request.row();
        if outcome == Outcome::Answer(Answer::Accepted) {
            let request_id = self.request_id(ticket);
            if let Some(agent) = self.connector.agents.get_mut(held.request.subject()) {
                agent.accepted(request_id, held.correlation.clone());
            }
        }
        self.answer(ticket, Cause::Answer, answers::of(row, outcome));
    }

    pub(super) fn proved(&mut self, ticket: Ticket, proof: Proof) {
        let Some(held) = self.connector.requests.get_mut(&ticket).filter(|held| held.phase == Phase::Proving) else {
            return;
        };
        let name = held.request.subject().to_owned();
        match proof {
            Proof::Wrong => self.answer(ticket, Cause::Answer, answers::wrong_password()),
            Proof::Unknown => {
                self.answer(
                    ticket,
                    Cause::Answer,
                    answers::unavailable("no Finesse server says whether the password is right"),
                );
            }
            Proof::Right => {
                held.proven = true;
                let signs_in = held.request.row().becomes == Becomes::SignIn;
                let agent = self.connector.agents.get_mut(&name);
                if let Some(agent) = agent.filter(|agent| signs_in && agent.proven().is_some()) {
                    // The password has changed.
                    if let Some(these) = credentials(&held.request, agent) {
                        agent.lent = agent.lent.as_ref().map(|_| these.clone());
                        if !agent.elsewhere {
                            agent.credentials = Some(these.clone());
                            self.orders.push(Order::Start(name.clone(), these));
                        }
                        self.keep(&name);
                    }
                }
                self.go(ticket, Cause::Proved, None);
            }
        }
        self.touched.insert(name);
    }
}

/// The credentials that a request brings. A token is one where the request says so, or where the session has one.
fn credentials(request: &Request, agent: &Agent) -> Option<Credentials> {
    let password = request.password()?.clone();
    let is_token = match request.row().becomes {
        Becomes::Bind => request.value("sso") == Some(&Value::Flag(true)),
        _ => matches!(agent.proven(), Some(Credentials::Bearer(_))),
    };
    Some(match is_token {
        true => Credentials::Bearer(password),
        false => Credentials::Basic { user: request.subject().to_owned(), password },
    })
}

/// What is known of an agent when a request's turn comes: by their session, or by asking for its sake.
fn picture<'a>(held: &'a Held, agent: &'a Agent) -> &'a Picture {
    held.seen.as_deref().filter(|_| !agent.is_live()).unwrap_or(&agent.own)
}

/// What Finesse is asked. Who calls or acts on calls has to have a phone.
fn command(request: &Request, agent: &Picture) -> Option<Command> {
    let extension = agent.extension();
    let row = request.row();
    let needs_phone = row.action().is_some() || row.becomes == Becomes::MakeCall;
    if needs_phone && extension.is_none() { None } else { request.command(extension.unwrap_or_default()) }
}

fn not_signed_in() -> Told {
    answers::error("NOT_SIGNED_IN", "the agent has no phone: send `Login` first")
}

/// Why Finesse need not be asked: the list of actions of the agent's own participant says what may be done with a call (Finesse
/// Developer Guide, "State (Participant) Parameter Values").
fn not_possible(request: &Request, agent: &Picture) -> Option<Told> {
    let row = request.row();
    let Some(action) = row.action() else {
        return (row.becomes == Becomes::MakeCall && agent.extension().is_none()).then(not_signed_in);
    };
    let Some(extension) = agent.extension() else { return Some(not_signed_in()) };
    let Some(dialog) = request.text("dialog_id").and_then(|id| agent.dialogs.get(id)) else {
        return Some(answers::error("UNKNOWN_DIALOG", "the agent is in no call with this id"));
    };
    if dialog.allows(extension, action) {
        return None;
    }
    let actions = dialog.participant(extension).map(|own| own.actions.as_slice()).unwrap_or_default();
    let actions: Vec<String> = actions.iter().map(|action| format!("`{action}`")).collect();
    let instead = if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") };
    let says = format!("`{action}` is not allowed now; Finesse allows {instead}");
    Some(answers::error("NOT_ALLOWED", says))
}
