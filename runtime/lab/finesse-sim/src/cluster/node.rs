//! One node of the cluster: its services and what is wrong with them, what it believes, and who is connected.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::agent::Agent;
use super::call::Call;
use super::config::Millis;
use super::sessions::Sessions;
use super::work::{Object, Queued, Told};

/// How a service is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    #[default]
    Up,
    /// It is gone: nobody listens.
    Down,
    /// It listens, and never answers.
    Silent,
}

impl Health {
    /// How it is written where people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Silent => "silent",
        }
    }
}

/// The services of a node that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Cisco Finesse Tomcat: REST.
    Tomcat,
    /// Cisco Finesse Notification Service: XMPP.
    Notification,
    /// The node's connection to the CTI server.
    Cti,
}

/// What the other node does not know of an agent who works by telephone from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mobile {
    /// `CALL_BY_CALL` or `NAILED_CONNECTION`.
    pub mode: String,
    /// The number to ring.
    pub dial_number: String,
}

/// What a node has heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Every user.
    pub agents: Vec<Agent>,
    /// Every call that an agent has.
    pub calls: BTreeMap<u64, Call>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, and XMPP domain.
    pub host: String,
    /// REST.
    pub tomcat: Health,
    /// XMPP.
    pub notification: Health,
    /// The connection to the CTI server.
    pub cti: Health,
    /// Since when it has been connected with CTI, unless it has noticed that it is not.
    pub cti_since: Option<Millis>,
    /// When CTI was last heard of, if that is past.
    pub last_heartbeat: Option<Millis>,
    /// How much later every answer of Tomcat comes.
    pub slow_tomcat: Millis,
    /// How much later everything comes that the notification service says.
    pub slow_notification: Millis,
    /// Since when it is in maintenance mode.
    pub maintenance: Option<Millis>,
    /// How far its clock is off.
    pub clock_offset: i64,
    /// How much later every event comes.
    pub event_delay: Millis,
    /// How many of a hundred events are lost.
    pub event_loss: u8,
    /// What it tells in SystemInfo.
    pub in_service: bool,
    pub(super) connected: bool,
    pub(super) finesse_there: bool,
    pub(super) view: View,
    pub(super) queues: BTreeMap<Object, VecDeque<Queued>>,
    pub(super) inbox: VecDeque<(Millis, Told)>,
    pub(super) outbox: VecDeque<(Millis, super::notify::Event)>,
    pub(super) sessions: Sessions,
    /// Full JIDs by node of publish-subscribe. They outlive the session, as on the real one.
    pub(super) subscriptions: BTreeMap<String, BTreeSet<String>>,
    pub(super) mobile: BTreeMap<usize, Mobile>,
    /// Wrong passwords in a row, and until when the account is locked.
    pub(super) wrong: BTreeMap<usize, (u32, Millis)>,
    /// Agents whose presence is gone: the number of the timer that runs for it, or none where it went with the service.
    pub(super) away: BTreeMap<usize, Option<u64>>,
    pub(super) items: u64,
}

impl Node {
    pub(super) fn new(host: &str, view: View, now: Millis) -> Self {
        Self {
            host: host.to_owned(),
            tomcat: Health::Up,
            notification: Health::Up,
            cti: Health::Up,
            cti_since: Some(now),
            last_heartbeat: None,
            slow_tomcat: 0,
            slow_notification: 0,
            maintenance: None,
            clock_offset: 0,
            event_delay: 0,
            event_loss: 0,
            in_service: true,
            connected: true,
            finesse_there: true,
            view,
            queues: BTreeMap::new(),
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            sessions: Sessions::default(),
            subscriptions: BTreeMap::new(),
            mobile: BTreeMap::new(),
            wrong: BTreeMap::new(),
            away: BTreeMap::new(),
            items: 0,
        }
    }

    /// What its clock shows.
    #[must_use]
    pub fn clock(&self, now: Millis) -> Millis {
        now.saturating_add_signed(self.clock_offset)
    }

    /// Whether it has noticed that CTI is gone.
    #[must_use]
    pub const fn has_lost_cti(&self) -> bool {
        self.cti_since.is_none()
    }

    /// What it believes.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What it alone knows of an agent who works from elsewhere.
    #[must_use]
    pub fn mobile_of(&self, agent: usize) -> Option<&Mobile> {
        self.mobile.get(&agent)
    }

    /// Its sessions.
    #[must_use]
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// How this service is.
    #[must_use]
    pub const fn health(&self, service: Service) -> Health {
        match service {
            Service::Tomcat => self.tomcat,
            Service::Notification => self.notification,
            Service::Cti => self.cti,
        }
    }

    /// How much later this service says what it says. CTI is never slow.
    #[must_use]
    pub const fn slowness(&self, service: Service) -> Millis {
        match service {
            Service::Tomcat => self.slow_tomcat,
            Service::Notification => self.slow_notification,
            Service::Cti => 0,
        }
    }

    /// Whether this agent has a session that is there.
    #[must_use]
    pub fn is_present(&self, agent: usize) -> bool {
        self.sessions.of(agent).any(|(_, session)| session.presence.is_some())
    }
}
