//! A request comes: who is to be answered, and whether it is done, in doubt, too late, too much, or next.

use std::time::Duration;

use super::address::Address;
use super::answers;
use super::events::{Message, Order};
use super::machine::{Held, Turn};
use super::settings::{GRACE, LONGEST_ID};
use super::table::{Cause, Phase};
use crate::command::{Becomes, Request, Subject};
use crate::destination::Destination;
use crate::event::{SystemStatus, Told};
use crate::recent::{Delivery, SLACK, Verdict};

impl Turn<'_> {
    pub(super) fn requested(&mut self, message: &Message) {
        let known = self.connector.by_id.get(&message.id).copied();
        if let Some(held) = known.and_then(|ticket| self.connector.requests.get_mut(&ticket)) {
            // It is in hand, and only the newest delivery can be acknowledged.
            held.delivery = message.delivery;
            return;
        }
        let read = Request::read(message.jms_type.as_deref(), &message.body);
        let reply = message.reply_to.as_deref().map(|text| self.reply(text)).transpose();
        let to = match &reply {
            Ok(Some(address)) => Some(address.clone()),
            _ => self.home(read.as_ref().ok(), message.jms_type.as_deref()),
        };
        let Some(to) = to.filter(|_| !message.id.is_empty() && message.id.len() <= LONGEST_ID) else {
            self.connector.step(Phase::New, Cause::Refuse);
            self.orders.push(Order::Refuse(message.delivery));
            return;
        };
        let correlation = message.correlation.as_deref().unwrap_or(&message.id);
        let fits = correlation.len() <= LONGEST_ID;
        let correlation = if fits { correlation } else { &message.id }.to_owned();
        let read = read.map_err(|fault| Box::new(Told::of_fault(&fault)));
        let request = match read.and_then(|request| self.check(request, reply.err(), fits)) {
            Ok(request) => request,
            Err(told) => {
                self.publish(to, None, Some(correlation), *told);
                self.at_once(message.delivery, Cause::Answer);
                return;
            }
        };
        self.place(message, request, to, correlation);
    }

    /// What is wrong with a request besides its words.
    fn check(&self, request: Request, reply: Option<Box<Told>>, correlation_fits: bool) -> Result<Request, Box<Told>> {
        if !correlation_fits {
            let says = format!("the correlation id is longer than {LONGEST_ID} bytes");
            return Err(Box::new(answers::error("INVALID_CORRELATION", says)));
        }
        let client = named_destination(&request);
        if client.is_some_and(|client| self.is_own(&client)) {
            let says = "the client's destination is the connector's own queue";
            return Err(Box::new(answers::error("INVALID_CLIENT_DESTINATION", says)));
        }
        reply.map_or(Ok(request), Err)
    }

    /// Whether another connector may have taken a request before us, of whom nothing was heard since `silent`: what came over a bridge
    /// at once had no time for that. A broker that has had a request on its way over a bridge, and gets no word of it, hands it on as
    /// one that nobody has had (`Queue.removeSubscription`); what was sent later had no way there.
    fn may_have_been_taken(&self, message: &Message, silent: Duration) -> bool {
        let lay = message.sent.is_none_or(|sent| sent.saturating_add(SLACK) <= self.now);
        let had_a_way = message.sent.is_none_or(|sent| sent <= silent.saturating_add(SLACK));
        message.redelivered || (lay && (message.crossed || had_a_way))
    }

    /// Puts an understood request into its phase.
    fn place(&mut self, message: &Message, request: Request, to: Address, correlation: String) {
        let row = request.row();
        // A broker that it came to over a bridge does not know that another one had delivered it.
        let redelivered = message.redelivered || message.crossed;
        let delivery = Delivery { id: &message.id, redelivered, sent: message.sent };
        let verdict = match self.connector.recent.judge(delivery) {
            _ if row.is_harmless() => Verdict::New,
            // Another connector may have had it, and we do not hear of it.
            Verdict::New => match self.connector.blind {
                Some(silent) if self.may_have_been_taken(message, silent) => Verdict::InDoubt,
                _ => Verdict::New,
            },
            verdict => verdict,
        };
        let has_room = self.has_room(&request);
        let is_expired = message.expires.is_some_and(|at| at <= self.now);
        let limits = self.connector.settings.limits;
        let expires = self.now.saturating_add(limits.within).min(message.expires.unwrap_or(Duration::MAX));
        let at_once = match &verdict {
            Verdict::Answered(told) => Some((Cause::Answer, (**told).clone())),
            Verdict::InDoubt if !has_room => Some((Cause::Answer, answers::unknown(row))),
            Verdict::InDoubt => None,
            Verdict::New if is_expired => Some((Cause::Expire, answers::expired())),
            Verdict::New if row.becomes == Becomes::Status => {
                Some((Cause::Answer, Told::SystemStatus(SystemStatus { status: self.connector.service })))
            }
            Verdict::New if !has_room => Some((Cause::Answer, answers::busy())),
            Verdict::New => None,
        };
        if let Some((cause, told)) = at_once {
            if !row.is_harmless() {
                self.remember(&message.id, &told);
            }
            let agent = (row.subject == Subject::Agent).then_some(request.subject());
            self.publish(to, agent, Some(correlation), told);
            self.at_once(message.delivery, cause);
            return;
        }
        // One in doubt is waited for longer: until nobody else can be asking for it.
        let (cause, until) = match verdict {
            Verdict::InDoubt => (Cause::Doubt, self.now.saturating_add(limits.within).saturating_add(GRACE)),
            _ => (Cause::Queue, expires),
        };
        let ticket = self.connector.next;
        self.connector.next += 1;
        let agent = self.connector.agents.entry(request.subject().to_owned()).or_default();
        agent.in_hand += 1;
        if cause == Cause::Doubt {
            agent.doubtful.insert(ticket);
        } else {
            agent.queue.push_back(ticket);
        }
        self.touched.insert(request.subject().to_owned());
        self.connector.by_id.insert(message.id.clone(), ticket);
        self.connector.due.insert((until, ticket));
        let held = Held {
            id: message.id.clone(),
            delivery: message.delivery,
            correlation,
            to,
            request,
            phase: Phase::New,
            until,
            redelivered,
            sent: message.sent,
            proven: false,
            seen: None,
            borrows: false,
        };
        self.connector.requests.insert(ticket, held);
        self.go(ticket, cause, None);
        if cause == Cause::Doubt {
            self.look_beside(ticket);
        }
    }

    /// A request that never gets into hand is over.
    fn at_once(&mut self, delivery: u64, cause: Cause) {
        self.connector.step(Phase::New, cause);
        self.orders.push(Order::Acknowledge(delivery));
    }

    fn has_room(&self, request: &Request) -> bool {
        let limits = self.connector.settings.limits;
        let of_agent = self.connector.agents.get(request.subject()).map_or(0, |agent| agent.in_hand);
        self.connector.requests.len() < limits.requests && of_agent < limits.requests_of_agent
    }

    /// Whether an answer that goes there would come back as a request.
    fn is_own(&self, destination: &Destination) -> bool {
        matches!(destination, Destination::Queue(name) if *name == self.connector.settings.queue)
    }

    fn reply(&self, text: &str) -> Result<Address, Box<Told>> {
        let wrong =
            |why: &str| Box::new(answers::error("INVALID_REPLY_TO", format!("`JMSReplyTo` cannot be used: {why}")));
        match text.parse() {
            Ok(Address::Named(named)) if self.is_own(&named) => Err(wrong("it is the connector's own queue")),
            Ok(address) => Ok(address),
            Err(why) => Err(wrong(&why.to_string())),
        }
    }

    /// Where the answer to a request goes that names no other place.
    fn home(&self, request: Option<&Request>, jms_type: Option<&str>) -> Option<Address> {
        let agent = match request {
            Some(request) => match named_destination(request) {
                Some(client) => return Some(client).filter(|one| !self.is_own(one)).map(Address::Named),
                None => request.subject(),
            },
            // It was not understood, and yet it may say whose it is.
            None => jms_type?.split_once('#')?.1.trim(),
        };
        self.connector.agents.get(agent)?.client.clone().map(Address::Named)
    }
}

/// The destination that a request itself names.
pub(super) fn named_destination(request: &Request) -> Option<Destination> {
    match request.row().subject {
        Subject::Destination => request.subject().parse().ok(),
        Subject::Agent => request.text("client_destination")?.parse().ok(),
    }
}
