//! What one agent has asked and not been answered. The agent's own task carries it on and no other: between two of its steps
//! nothing goes out, so that what its line believes not to be sent is not sent.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use topoc_finesse_proto::line::Ticket;
use topoc_finesse_proto::rest::{Answer, Request};
use topoc_finesse_proto::secret::Secret;

use super::server::{AskError, Server};

type Asking = Pin<Box<dyn Future<Output = Result<Answer, AskError>> + Send>>;

/// What comes of one.
pub(super) enum News {
    /// Its bytes may be at the server from now on.
    Going,
    /// They are not, after all: it waits for another connection.
    Stayed,
    /// It is over.
    Ended(Result<Answer, AskError>),
}

struct Exchange {
    ticket: Ticket,
    asking: Asking,
    is_going: Arc<AtomicBool>,
    was_going: bool,
}

/// All of an agent's, of which there are few.
#[derive(Default)]
pub(super) struct Exchanges(Vec<Exchange>);

impl Exchanges {
    pub(super) fn start(
        &mut self,
        ticket: Ticket,
        server: Server,
        request: Request,
        authorization: Secret,
        request_id: Option<String>,
    ) {
        let is_going = Arc::new(AtomicBool::new(false));
        let going = Arc::clone(&is_going);
        let asking = async move { server.send(&request, Some(&authorization), request_id.as_deref(), &going).await };
        self.0.push(Exchange { ticket, asking: Box::pin(asking), is_going, was_going: false });
    }

    /// Nothing more is told of it.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        self.0.retain(|exchange| exchange.ticket != ticket);
    }

    /// What comes next. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> (Ticket, News) {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(Ticket, News)> {
        for place in 0..self.0.len() {
            let exchange = &mut self.0[place];
            if let Poll::Ready(result) = exchange.asking.as_mut().poll(context) {
                return Poll::Ready((self.0.remove(place).ticket, News::Ended(result)));
            }
            let is_going = exchange.is_going.load(Ordering::Relaxed);
            if is_going != exchange.was_going {
                exchange.was_going = is_going;
                return Poll::Ready((exchange.ticket, if is_going { News::Going } else { News::Stayed }));
            }
        }
        Poll::Pending
    }
}
