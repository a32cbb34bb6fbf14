//! What a slow notification service says late, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::{Health, Service};
use crate::hub::Hub;
use crate::listen::while_silent;

/// What may wait for one connection: who is told more than that meanwhile is cut off.
const WAITING: usize = 10_000;

/// Things to be sent on one connection, each when its time has come.
pub(super) struct Late<T> {
    hub: Arc<Hub>,
    node: usize,
    health: watch::Receiver<Health>,
    waiting: VecDeque<(Instant, T)>,
}

impl<T> Late<T> {
    /// Nothing, yet, on a connection with this node.
    pub(super) fn new(hub: Arc<Hub>, node: usize, health: watch::Receiver<Health>) -> Self {
        Self { hub, node, health, waiting: VecDeque::new() }
    }

    /// Adds something that is to be sent as late as the service is slow now, and after everything before it.
    pub(super) fn push(&mut self, thing: T) {
        let due = Instant::now() + self.hub.slowness(self.node, Service::Notification);
        let due = self.waiting.back().map_or(due, |(before, _)| due.max(*before));
        self.waiting.push_back((due, thing));
    }

    /// Whether more waits than may.
    pub(super) fn is_too_much(&self) -> bool {
        self.waiting.len() > WAITING
    }

    /// The first thing when its time has come, which it does not while the service hangs. Without one it waits for ever, and
    /// nothing is lost where nobody waits for it to the end.
    pub(super) async fn next(&mut self) -> T {
        let Some((due, _)) = self.waiting.front() else { return std::future::pending().await };
        if *due > Instant::now() {
            tokio::time::sleep_until(*due).await;
        }
        while_silent(&mut self.health).await;
        match self.waiting.pop_front() {
            Some((_, thing)) => thing,
            None => std::future::pending().await,
        }
    }
}
