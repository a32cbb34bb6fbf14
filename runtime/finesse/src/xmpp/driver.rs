//! Does what the machine orders, and tells it what happens. It decides nothing.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use topoc_finesse_proto::xmpp::end::End;
use topoc_finesse_proto::xmpp::machine::{Event, Machine, Order, Phase};
use topoc_finesse_proto::xmpp::options::{Login, Options};

use super::link::Link;
use super::{Happening, Server, Wish, chance};

/// How long the program may leave notifications lie once there is no room for more.
const TAKEN: Duration = Duration::from_secs(30);

/// One session being driven.
pub(crate) struct Driver {
    server: Server,
    domain: String,
    machine: Machine,
    link: Link,
    began: Instant,
    orders: VecDeque<Order>,
    address: String,
}

impl Driver {
    /// Connects and negotiates until the session is ready.
    pub(crate) async fn open(server: &Server, login: Login, options: Options) -> Result<Self, End> {
        let began = Instant::now();
        if options.transport.is_private() && server.tls.alpn_protocols.iter().any(|name| name == b"h2") {
            return Err(End::Tls("the settings of TLS offer HTTP/2, which none of the transports speaks".to_owned()));
        }
        let until = began + options.negotiation_timeout;
        let domain = login.jid.domain().to_owned();
        let connecting = Box::pin(Link::open(server, &domain, options.transport));
        let link = timeout_at(until, connecting).await.map_err(|_| End::Slow(Phase::New))??;
        let machine = Machine::new(login, options);
        let (server, orders, address) = (server.clone(), VecDeque::new(), String::new());
        let mut driver = Self { server, domain, machine, link, began, orders, address };
        driver.tell(Event::Start);
        match timeout_at(until + Duration::from_secs(1), Box::pin(driver.negotiate())).await {
            Ok(Ok(())) => Ok(driver),
            Ok(Err(end)) => {
                driver.link.shut().await;
                Err(end)
            }
            // Where a write or TLS hangs, the machine cannot be told that its time is over.
            Err(_) => Err(End::Slow(driver.machine.phase())),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    async fn negotiate(&mut self) -> Result<(), End> {
        loop {
            while let Some(order) = self.orders.pop_front() {
                match order {
                    Order::Ready(address) => {
                        self.address = address;
                        return Ok(());
                    }
                    Order::End(end) => return Err(end),
                    order => drop(self.carry_out(order).await),
                }
            }
            let event = self.wait().await;
            self.tell(event);
        }
    }

    /// Drives a session that is ready until it is over. When nobody can wish for anything any more, it leaves.
    pub(crate) async fn run(mut self, mut wishes: Receiver<Wish>, tell: Sender<Box<Happening>>) {
        let mut is_wanted = true;
        loop {
            while let Some(order) = self.orders.pop_front() {
                if let Order::End(end) = order {
                    self.link.shut().await;
                    tracing::debug!(address = %self.address, reason = %end, "a session is over");
                    // Nobody listens when the session was dropped.
                    let _ = timeout(TAKEN, tell.send(Box::new(Happening::Ended(end)))).await;
                    return;
                }
                let Some(happening) = self.carry_out(order).await else { continue };
                // Whoever leaves takes nothing any more.
                if is_wanted && timeout(TAKEN, tell.send(Box::new(happening))).await.is_err() {
                    self.tell(Event::Failed(End::NotTaken));
                }
            }
            let event = tokio::select! {
                wish = wishes.recv(), if is_wanted => match wish {
                    Some(Wish::Subscribe(node)) => Event::Subscribe(node),
                    Some(Wish::Unsubscribe(node)) => Event::Unsubscribe(node),
                    None => {
                        is_wanted = false;
                        Event::Stop
                    }
                },
                event = self.wait() => event,
            };
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        let Self { machine, server, began, orders, .. } = self;
        let mut chance = |bytes: &mut [u8]| chance::fill(&server.tls, bytes);
        orders.extend(machine.handle(began.elapsed(), event, &mut chance));
    }

    /// Waits for the server or the time. Nothing is lost when the future is dropped.
    async fn wait(&mut self) -> Event {
        let wakes = self.machine.wakes_at().map(|at| self.began + at);
        tokio::select! {
            next = self.link.next() => match next {
                Ok(Ok(piece)) => Event::Received(piece),
                Ok(Err(error)) => Event::Malformed(error),
                Err(end) => Event::Failed(end),
            },
            () = async { sleep_until(wakes.unwrap_or(self.began)).await }, if wakes.is_some() => Event::Timer,
        }
    }

    async fn carry_out(&mut self, order: Order) -> Option<Happening> {
        let done = match order {
            Order::OpenStream => self.link.open_stream(&self.domain).await,
            Order::Send(stanza) => self.link.send(stanza.0).await,
            Order::CloseStream => self.link.close_stream().await,
            Order::StartTls => {
                let made = self.link.start_tls(&self.server).await;
                if made.is_ok() {
                    self.tell(Event::Secured);
                }
                made
            }
            Order::Deliver(notification) => return Some(Happening::Notified(notification)),
            Order::Watched(is_there) => return Some(Happening::Watched(is_there)),
            Order::Subscribed(node) => return Some(Happening::Subscribed(node)),
            Order::Unsubscribed(node) => return Some(Happening::Unsubscribed(node)),
            Order::NotDone(node, reason) => return Some(Happening::NotDone(node, reason)),
            Order::Ready(_) | Order::End(_) => Ok(()),
        };
        if let Err(end) = done {
            self.tell(Event::Failed(end));
        }
        None
    }
}
