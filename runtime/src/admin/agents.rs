//! The list of agents: it is asked of whoever has the agents, a page at a time, since it may be long.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::status::Session;

/// Most agents of one page.
pub const PAGE: usize = 500;
/// How long the answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions that may wait for an answer.
const QUESTIONS: usize = 8;

/// An agent, without anything that is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The agent's id at Finesse.
    pub id: String,
    /// The connector that looks after the agent; none where nobody does.
    pub owner: Option<String>,
    /// What there is of the session here.
    pub session: Session,
    /// The agent's state in Finesse's word, where it is known.
    pub state: Option<String>,
    /// The Finesse server that the session is at.
    pub server: Option<String>,
    /// Requests that are not answered.
    pub requests: usize,
}

/// A question for agents. Whoever drops it leaves it without an answer.
#[derive(Debug)]
pub struct Question {
    /// Only those whose id comes behind this one, byte by byte; all where it is none.
    pub after: Option<String>,
    /// No more than that: at most [`PAGE`] and one.
    pub limit: usize,
    /// Where they go, in the order of their ids.
    pub answer: oneshot::Sender<Vec<Agent>>,
}

/// Whom agents are asked of.
#[derive(Clone, Debug)]
pub struct Asker(mpsc::Sender<Question>);

/// A pair: who asks, and what the loop that has the agents takes questions from.
#[must_use]
pub fn questions() -> (Asker, mpsc::Receiver<Question>) {
    let (sender, receiver) = mpsc::channel(QUESTIONS);
    (Asker(sender), receiver)
}

impl Asker {
    /// Agents behind one, no more than that; `None` where nobody answers in two seconds.
    pub async fn ask(&self, after: Option<String>, limit: usize) -> Option<Vec<Agent>> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Question { after, limit, answer }).ok()?;
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }
}
