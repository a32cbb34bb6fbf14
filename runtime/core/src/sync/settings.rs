//! Who a connector is among the others, and how long they wait for each other.

use std::time::Duration;

use super::seal::{CHANCE, Keys};

/// How connectors share agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The first that lives owns all agents.
    ActivePassive,
    /// Whoever an agent's client came to first owns the agent.
    ActiveActive,
}

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From one sign of life to the next.
    pub hello: Duration,
    /// What a connector claims may not come to us any more when it was not heard for so long: well above [`Self::hello`], well below
    /// [`Self::dead`].
    pub fresh: Duration,
    /// A connector that was not heard for so long is dead.
    pub dead: Duration,
    /// How long one that starts waits for another one before it works alone.
    pub join: Duration,
    /// How long the primary has to live before it gets agents back. Doubled for each time that it died since, up to sixteen-fold,
    /// until it has lived for ten minutes.
    pub settle: Duration,
    /// How long a piece of a snapshot is waited for.
    pub piece: Duration,
    /// How long a session that was taken, maybe by a connector that we do not hear, is left to whoever took it, and from the second time
    /// on twice as long: two that do not hear each other shall not take it from each other all the time, and nobody shall be without one
    /// for a minute when whoever took it dies unheard. Of 5,000 agents that is 125 sessions a second on each side of a split, which a
    /// server opens.
    pub retry: Duration,
    /// How long one that ends waits for requests in hand and for its agents to be handed over. Longer than a request lasts
    /// ([`GRACE`](crate::connector::GRACE) and [`Limits::within`](crate::connector::Limits)).
    pub drain: Duration,
}

impl Default for Times {
    /// Ours: a sign of life each second, doubt after 2 s, dead after 6 s, so that agents are owned anew within 10 s; 3 s to join; the primary is back
    /// after 15 s; 2 s for a piece; 20 s until a session is tried again; 50 s to end.
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            hello: secs(1),
            fresh: secs(2),
            dead: secs(6),
            join: secs(3),
            settle: secs(15),
            piece: secs(2),
            retry: secs(20),
            drain: secs(50),
        }
    }
}

/// Who a connector is among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The deployment's name.
    pub deployment: String,
    /// Our name in it.
    pub name: String,
    /// Rises with each start of ours: the time of the start, in milliseconds since the Unix epoch, will do.
    pub epoch: u64,
    /// All connectors of the deployment, us too; the first is the primary. The names are `site.connector`, as a connector's own name
    /// is unique at its site only.
    pub connectors: Vec<String>,
    /// How they share agents.
    pub mode: Mode,
    /// The priority of our consumer.
    pub priority: i8,
    /// What messages are sealed with.
    pub keys: Keys,
    /// Chance, new for each start: it keeps the nonces of two starts apart.
    pub chance: [u8; CHANCE],
    /// How long things take.
    pub times: Times,
    /// So many agents are known at most: as many as [`Limits::agents`](crate::connector::Limits::agents), as all may come to us.
    pub agents: usize,
    /// So many agents at most are handed over in a second, so that whoever gets them can keep up.
    pub batch: usize,
}
