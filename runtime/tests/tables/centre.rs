//! A contact centre whose Finesse never fails: what agents are doing, and who has the notification session of each.

use std::collections::BTreeMap;
use std::time::Duration;

use topoc_finesse_proto::rest::Command;
use topoc_finesse_proto::session::{Answer, Ask, Attempt};
use topoc_finesse_proto::user::{User, UserState};

/// A session of an agent: who has it, over which of their machines, and which of its sessions.
pub(crate) type Holder = (usize, u64, Attempt);

pub(crate) struct Agent {
    pub(crate) state: UserState,
    extension: String,
    changed: Duration,
    pub(crate) holder: Option<Holder>,
    /// Since when nobody has a session.
    pub(crate) alone: Duration,
    /// How often a session was begun.
    pub(crate) begun: u32,
}

/// All agents, by their ids.
#[derive(Default)]
pub(crate) struct Centre(pub(crate) BTreeMap<String, Agent>);

impl Centre {
    pub(crate) fn add(&mut self, agent: &str, extension: &str) {
        let agent_of = Agent {
            state: UserState::Logout,
            extension: extension.to_owned(),
            changed: Duration::ZERO,
            holder: None,
            alone: Duration::ZERO,
            begun: 0,
        };
        self.0.insert(agent.to_owned(), agent_of);
    }

    pub(crate) fn get(&mut self, agent: &str) -> &mut Agent {
        self.0.get_mut(agent).unwrap()
    }

    pub(crate) fn user(&self, agent: &str) -> Box<User> {
        let known = &self.0[agent];
        let millis = known.changed.as_millis();
        Box::new(User {
            login_id: Some(agent.to_owned()),
            extension: (known.state != UserState::Logout).then(|| known.extension.clone()),
            state: Some(known.state.clone()),
            state_change_time: Some(format!("{millis:015}")),
            ..User::default()
        })
    }

    /// A session is open: whoever had it before has it no more, and is returned.
    pub(crate) fn open(&mut self, agent: &str, holder: Holder) -> Option<Holder> {
        let known = self.get(agent);
        known.begun += 1;
        known.holder.replace(holder)
    }

    /// A session is over. Whether it was one.
    pub(crate) fn close(&mut self, now: Duration, agent: &str, holder: Holder) -> bool {
        let known = self.get(agent);
        let was = known.holder.take_if(|known| *known == holder).is_some();
        if was {
            known.alone = now;
        }
        was
    }

    fn set(&mut self, now: Duration, agent: &str, state: UserState) -> bool {
        let known = self.get(agent);
        let is_new = known.state != state;
        if is_new {
            (known.state, known.changed) = (state, now);
        }
        is_new
    }

    /// Nobody has had a session for a minute: Finesse logs the agent out (`FORCED` of the client).
    pub(crate) fn force(&mut self, now: Duration, agent: &str, since: Duration) -> bool {
        let known = self.get(agent);
        known.holder.is_none() && known.alone == since && self.set(now, agent, UserState::Logout)
    }

    /// What a request of an agent does. Whether there is something to tell.
    pub(crate) fn act(&mut self, now: Duration, agent: &str, command: &Command) -> bool {
        match command {
            Command::SignIn { .. } if self.0[agent].state == UserState::Logout => {
                self.set(now, agent, UserState::NotReady)
            }
            Command::ChangeState { state, .. } => self.set(now, agent, state.clone()),
            _ => false,
        }
    }

    /// What a session asks for itself, and whether there is something to tell.
    pub(crate) fn ask(&mut self, now: Duration, agent: &str, ask: &Ask) -> (Answer, bool) {
        let changes = match ask {
            Ask::User => return (Answer::User(self.user(agent)), false),
            Ask::Dialogs => return (Answer::Dialogs(Vec::new()), false),
            Ask::SignIn(_) => self.0[agent].state == UserState::Logout && self.set(now, agent, UserState::NotReady),
            Ask::Ready => self.set(now, agent, UserState::Ready),
            Ask::NotReady(_) => self.set(now, agent, UserState::NotReady),
        };
        (Answer::Accepted, changes)
    }
}
