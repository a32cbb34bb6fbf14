//! Sessions of XMPP: who is there, who subscribes to what, and what happens when somebody is gone for too long.

use super::config::{CRASH_NOTICED, FORCED_LOGOUT, LOCKED_FOR, Millis, WRONG_PASSWORDS};
use super::node::Health;
use super::sessions::Session;
use super::{Cluster, Output, Timer};
use crate::forms;

/// Why nobody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceError {
    /// No such user, or another password.
    Wrong,
    /// Too many wrong passwords lately.
    Locked,
}

/// Why a subscription is refused: the condition and the extra condition of XEP-0060.
pub type SubscribeError = (&'static str, &'static str);

impl Cluster {
    /// Checks a password. Five wrong ones in a row lock the account at this node for five minutes, for the right one too.
    ///
    /// # Errors
    /// [`PresenceError`].
    pub fn authenticate(
        &mut self,
        now: Millis,
        node: usize,
        user: &str,
        password: &str,
    ) -> Result<usize, PresenceError> {
        let found = self.user(user).or_else(|| self.agents.iter().position(|agent| agent.login_name == user));
        let agent = found.ok_or(PresenceError::Wrong)?;
        let right = self.config.password == password;
        self.judge_password(now, node, agent, right)
    }

    /// The same where whoever asks has compared by itself, as SCRAM does.
    ///
    /// # Errors
    /// [`PresenceError`].
    pub fn judge_password(
        &mut self,
        now: Millis,
        node: usize,
        agent: usize,
        right: bool,
    ) -> Result<usize, PresenceError> {
        let wrong = &mut self.nodes[node].wrong;
        let (count, until) = wrong.get(&agent).copied().unwrap_or_default();
        if until > now {
            return Err(PresenceError::Locked);
        }
        if right {
            wrong.remove(&agent);
            return Ok(agent);
        }
        // A lock that has run out begins anew.
        let count = if count >= WRONG_PASSWORDS { 1 } else { count + 1 };
        let until = if count == WRONG_PASSWORDS { now + LOCKED_FOR } else { 0 };
        wrong.insert(agent, (count, until));
        Err(PresenceError::Wrong)
    }

    /// Begins a session; one with the same full JID ends.
    pub fn open_session(&mut self, node: usize, agent: usize, resource: &str) -> u64 {
        let here = &mut self.nodes[node];
        let older: Vec<u64> = here
            .sessions
            .of(agent)
            .filter(|(_, session)| session.resource == resource)
            .map(|(number, _)| number)
            .collect();
        for number in older {
            here.sessions.remove(number);
            self.outputs.push_back(Output::Close { session: number, error: Some("conflict") });
        }
        let number = self.next_session;
        self.next_session += 1;
        let session = Session { agent, resource: resource.to_owned(), presence: None };
        self.nodes[node].sessions.insert(number, session);
        number
    }

    /// The presence of a session: its priority, or that it is not there any more.
    pub fn set_presence(&mut self, now: Millis, node: usize, number: u64, presence: Option<i8>) {
        let Some((agent, before)) = self.nodes[node].sessions.set_presence(number, presence) else { return };
        let first = before.is_none();
        if presence.is_some() {
            self.nodes[node].away.remove(&agent);
            if first {
                let text = self.finesse_presence(node, agent, number);
                self.outputs.extend(text.map(|text| Output::Stanza { session: number, text }));
            }
        } else if !first {
            self.left(now, node, agent, 0);
        }
    }

    /// A session has ended: by its own word, or by silence, which is noticed later.
    pub fn close_session(&mut self, now: Millis, node: usize, number: u64, by_its_own_word: bool) {
        let Some(session) = self.nodes[node].sessions.remove(number) else { return };
        if session.presence.is_some() {
            self.left(now, node, session.agent, if by_its_own_word { 0 } else { CRASH_NOTICED });
        }
    }

    /// Cuts sessions, as a network that fails does.
    pub fn drop_sessions(&mut self, now: Millis, node: usize, agent: Option<usize>) -> usize {
        let sessions = &self.nodes[node].sessions;
        let numbers: Vec<u64> = match agent {
            Some(agent) => sessions.of(agent).map(|(number, _)| number).collect(),
            None => sessions.iter().map(|(number, _)| number).collect(),
        };
        for number in &numbers {
            self.close_session(now, node, *number, false);
            self.outputs.push_back(Output::Close { session: *number, error: None });
        }
        numbers.len()
    }

    fn left(&mut self, now: Millis, node: usize, agent: usize, noticed_after: Millis) {
        if !self.nodes[node].is_present(agent) {
            self.start_forced(now, node, agent, noticed_after + FORCED_LOGOUT);
        }
    }

    pub(super) fn start_forced(&mut self, now: Millis, node: usize, agent: usize, after: Millis) {
        let number = self.counter + 1;
        self.at(now + after, Timer::Forced(node, agent, number));
        self.nodes[node].away.insert(agent, Some(number));
    }

    /// Each node judges by its own sessions, whoever is on the other one: the race that clients have to live with.
    pub(super) fn forced(&mut self, now: Millis, node: usize, agent: usize, number: u64) {
        let here = &mut self.nodes[node];
        if here.away.get(&agent) != Some(&Some(number)) {
            return;
        }
        here.away.remove(&agent);
        if here.connected && here.tomcat == Health::Up {
            self.forced_logout(now, agent);
        }
    }

    /// Subscribes a full JID to a node of publish-subscribe, and keeps that beyond the session.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe(&mut self, node: usize, number: u64, topic: &str, jid: &str) -> Result<(), SubscribeError> {
        let (agent, full) = self.full_jid(node, number).ok_or(("not-authorized", "presence-subscription-required"))?;
        if jid != full && Some(jid) != full.split('/').next() {
            return Err(("bad-request", "invalid-jid"));
        }
        if !self.has_topic(topic) {
            return Err(("item-not-found", ""));
        }
        if !self.may_see(agent, topic) {
            return Err(("forbidden", ""));
        }
        self.nodes[node].subscriptions.entry(topic.to_owned()).or_default().insert(jid.to_owned());
        Ok(())
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn unsubscribe(&mut self, node: usize, number: u64, topic: &str, jid: &str) -> Result<(), SubscribeError> {
        let (_, full) = self.full_jid(node, number).ok_or(("not-authorized", ""))?;
        if jid != full && Some(jid) != full.split('/').next() {
            return Err(("bad-request", "invalid-jid"));
        }
        if !self.has_topic(topic) {
            return Err(("item-not-found", ""));
        }
        let subscribed = self.nodes[node].subscriptions.get_mut(topic).is_some_and(|jids| jids.remove(jid));
        if subscribed { Ok(()) } else { Err(("unexpected-request", "not-subscribed")) }
    }

    /// The full JID of a session, and whose it is.
    #[must_use]
    pub fn full_jid(&self, node: usize, number: u64) -> Option<(usize, String)> {
        let here = &self.nodes[node];
        let session = here.sessions.get(number)?;
        Some((session.agent, format!("{}@{}/{}", self.agents[session.agent].id, here.host, session.resource)))
    }

    /// Whether there is this node of publish-subscribe.
    #[must_use]
    pub fn has_topic(&self, topic: &str) -> bool {
        let mut parts = topic.strip_prefix("/finesse/api/").unwrap_or_default().split('/');
        let parts = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next(), parts.next());
        match parts {
            ("SystemInfo", "", None, None) => true,
            ("User", id, None | Some("Dialogs"), None) => self.user(id).is_some(),
            ("Team", id, Some("Users"), None) => {
                id.parse().is_ok_and(|team: usize| self.agents.iter().any(|agent| agent.team == team))
            }
            _ => false,
        }
    }

    /// Agents see themselves, supervisors their team, and everybody the system.
    fn may_see(&self, agent: usize, topic: &str) -> bool {
        let me = &self.agents[agent];
        let mut parts = topic.strip_prefix("/finesse/api/").unwrap_or_default().split('/');
        match (parts.next(), parts.next()) {
            (Some("User"), Some(id)) => {
                id == me.id || (me.supervisor && self.user(id).is_some_and(|other| self.agents[other].team == me.team))
            }
            (Some("Team"), Some(id)) => me.supervisor && id == me.team.to_string(),
            _ => true,
        }
    }

    /// The presence of the user `finesse`, which stands for Tomcat.
    pub(super) fn finesse_presence(&self, node: usize, agent: usize, number: u64) -> Option<String> {
        let here = &self.nodes[node];
        let session = here.sessions.get(number)?;
        let to = format!("{}@{}/{}", self.agents[agent].id, here.host, session.resource);
        Some(forms::finesse_presence(&here.host, &to, here.tomcat != Health::Down))
    }

    /// Answers a session that asks to see the presence of `finesse`.
    pub fn ask_presence(&mut self, node: usize, number: u64) {
        let Some(session) = self.nodes[node].sessions.get(number) else { return };
        if let Some(text) = self.finesse_presence(node, session.agent, number) {
            self.outputs.push_back(Output::Stanza { session: number, text });
        }
    }

    pub(super) fn tell_presence(&mut self, node: usize) {
        if self.nodes[node].notification != Health::Up {
            return;
        }
        let there = self.nodes[node].sessions.iter().filter(|(_, session)| session.presence.is_some());
        let texts: Vec<Output> = there
            .filter_map(|(number, session)| {
                let text = self.finesse_presence(node, session.agent, number)?;
                Some(Output::Stanza { session: number, text })
            })
            .collect();
        self.outputs.extend(texts);
    }
}
