//! Whether the connector is ready for requests, and what keeps it from that.

use super::status::{Stage, Status};

/// What keeps a connector from being ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It has just been started.
    Starting,
    /// It is about to end.
    Draining,
    /// There is no broker.
    NoBroker,
    /// No Finesse server can be used.
    NoFinesse,
    /// Its loop stands still.
    Still,
}

/// What operators are told of a reason.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The reason.
    pub reason: Reason,
    /// The word for programs: in `/ready` and in metrics.
    pub word: &'static str,
    /// What it means.
    pub says: &'static str,
    /// What to do first.
    pub first: &'static str,
}

/// All reasons.
pub const REASONS: [Row; 5] = [
    Row {
        reason: Reason::Starting,
        word: "starting",
        says: "the connector has been started and is not connected to everything yet",
        first: "wait half a minute; if it stays, see the other reasons and the log",
    },
    Row {
        reason: Reason::Draining,
        word: "draining",
        says: "the connector was told to end, and ends what it has in hand",
        first: "wait: the other connectors of the deployment take its agents over",
    },
    Row {
        reason: Reason::NoBroker,
        word: "no-broker",
        says: "no broker is connected: no request comes and no event goes",
        first: "look whether the brokers run and can be reached from this machine; the connector tries again by itself",
    },
    Row {
        reason: Reason::NoFinesse,
        word: "no-finesse",
        says: "no Finesse server can be used: requests are answered `FINESSE_UNAVAILABLE`",
        first: "look at `topoc_connector_finesse_server`, then at Cisco Finesse Tomcat and the CTI server of those",
    },
    Row {
        reason: Reason::Still,
        word: "still",
        says: "the connector's loop stands still",
        first: "save the log and restart the connector; under systemd its watchdog does that",
    },
];

impl Reason {
    /// What operators are told of it.
    #[must_use]
    pub fn row(self) -> &'static Row {
        REASONS.iter().find(|row| row.reason == self).expect("a test looks for each")
    }
}

/// Something that keeps a connector from being ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// What.
    pub reason: Reason,
    /// More about it; empty where there is nothing to add.
    pub detail: String,
}

impl Status {
    /// All that keeps the connector from being ready, the worst first; nothing when it is. Whether the loop stands still is
    /// the caller's to know.
    #[must_use]
    pub fn unready(&self, still: bool) -> Vec<Unready> {
        let mut all = Vec::new();
        let mut add = |reason, detail: &str| all.push(Unready { reason, detail: detail.to_owned() });
        if still {
            add(Reason::Still, "");
        }
        match self.stage {
            Stage::Starting => add(Reason::Starting, ""),
            Stage::Draining => add(Reason::Draining, &format!("{} requests in hand", self.requests.in_hand)),
            Stage::Running => {}
        }
        if self.broker.connected.is_none() {
            add(Reason::NoBroker, self.broker.trouble.as_deref().unwrap_or_default());
        }
        if !self.finesse.is_usable() {
            let each = self.finesse.servers.iter().map(|server| format!("{}: {}", server.host, server.judgement));
            add(Reason::NoFinesse, &each.collect::<Vec<_>>().join("; "));
        }
        all
    }

    /// One line for people: what `systemctl status` shows.
    #[must_use]
    pub fn line(&self) -> String {
        let unready = self.unready(false);
        let agents: usize = self.sessions.values().sum();
        let broker = self.broker.connected.as_ref().map_or("no broker", |place| &place.address);
        let server = self.finesse.used.and_then(|used| self.finesse.servers.get(used));
        let server = server.map_or("no Finesse", |server| &server.host);
        let ready = if unready.is_empty() {
            "ready".to_owned()
        } else {
            let words: Vec<_> = unready.iter().map(|one| one.reason.row().word).collect();
            format!("not ready ({})", words.join(", "))
        };
        format!("{ready}; {agents} agents, {} requests in hand; {broker}; {server}", self.requests.in_hand)
    }
}

#[cfg(test)]
mod tests {
    use topoc_finesse_proto::cluster::Judgement;

    use super::super::status::{Place, Server};
    use super::*;

    fn well() -> Status {
        let mut status = Status { stage: Stage::Running, ..Status::default() };
        status.broker.connected = Some(Place::new("tcp://amq-1:61616", None));
        status.finesse.servers = vec![Server { host: "fin-a".to_owned(), judgement: Judgement::Good }];
        status.finesse.used = Some(0);
        status
    }

    fn reasons(status: &Status) -> Vec<Reason> {
        status.unready(false).into_iter().map(|one| one.reason).collect()
    }

    #[test]
    fn every_reason_has_its_row() {
        for reason in [Reason::Starting, Reason::Draining, Reason::NoBroker, Reason::NoFinesse, Reason::Still] {
            assert_eq!(reason.row().reason, reason);
        }
    }

    #[test]
    fn ready_is_what_lacks_nothing() {
        assert_eq!(well().unready(false), []);
        assert_eq!(well().unready(true), [Unready { reason: Reason::Still, detail: String::new() }]);
        assert_eq!(reasons(&Status::default()), [Reason::Starting, Reason::NoBroker, Reason::NoFinesse]);
        assert_eq!(reasons(&Status { stage: Stage::Draining, ..well() }), [Reason::Draining]);
        assert_eq!(reasons(&Status { paused: true, held: true, ..well() }), [], "what is too much waits elsewhere");
    }

    #[test]
    fn the_details_are_those_of_the_moment() {
        let mut status = well();
        status.broker.connected = None;
        status.broker.trouble = Some("connection refused".to_owned());
        status.finesse.servers[0].judgement = Judgement::OutOfService;
        let details: Vec<_> = status.unready(false).into_iter().map(|one| one.detail).collect();
        assert_eq!(details, ["connection refused", "fin-a: out of service"]);
        status.finesse.servers[0].judgement = Judgement::Slow;
        assert_eq!(reasons(&status), [Reason::NoBroker], "a slow server can be used");
    }

    #[test]
    fn a_line_says_it_all() {
        assert_eq!(well().line(), "ready; 0 agents, 0 requests in hand; tcp://amq-1:61616; fin-a");
        let line = Status::default().line();
        assert_eq!(
            line,
            "not ready (starting, no-broker, no-finesse); 0 agents, 0 requests in hand; no broker; no Finesse"
        );
    }
}
