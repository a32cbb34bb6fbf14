//! How a Finesse server is doing, and who its partner is: the `SystemInfo` object.
//!
//! Developer Guide 12.5(1), "SystemInfo", and its parameters in 12.6 and later: maintenance mode and the nodes' ports.

use crate::record::{record, words};

words! {
    /// Whether the server can be used (Developer Guide, "SystemInfo API Parameters").
    Status {
        /// It can.
        "IN_SERVICE" InService,
        /// It cannot: it lost the CTI server or the notification service.
        "OUT_OF_SERVICE" OutOfService,
    }
}

words! {
    /// How far a planned outage has come (12.6 and later; "FinesseMaintenanceMode API Parameters").
    MaintenanceMode {
        /// About to begin.
        "INITIATING" Initiating,
        /// Users are asked to leave.
        "IN_PROGRESS" InProgress,
        /// Everyone has left.
        "COMPLETED" Completed,
        /// It did not work.
        "FAILED" Failed,
    }
}

words! {
    /// How users prove who they are.
    AuthMode {
        /// A name and a password.
        "NON_SSO" Password,
        /// A token of the identity service.
        "SSO" SingleSignOn,
        /// Each user one or the other.
        "HYBRID" Hybrid,
    }
}

words! {
    /// The contact centre behind Finesse.
    Deployment {
        /// Unified Contact Center Enterprise, packaged or not.
        "UCCE" Enterprise,
        /// Unified Contact Center Express.
        "UCCX" Express,
    }
}

record! {
    /// One node of the pair.
    Node "node" {
        /// Its name.
        "host" host: Option<String>;
        /// The port of REST (12.6 and later).
        "httpsPort" https_port: Option<u16>;
        /// The port of XMPP without TLS.
        "xmppPort" xmpp_port: Option<u16>;
        /// The port of XMPP with TLS.
        "xmppSecurePort" xmpp_secure_port: Option<u16>;
    }
}

record! {
    /// The `SystemInfo` object.
    SystemInfo "SystemInfo" {
        /// The server's clock.
        "currentTimestamp" current_timestamp: Option<String>;
        /// The contact centre behind.
        "deploymentType" deployment: Option<Deployment>;
        /// `success` or `failure`.
        "lastCTIHeartbeatStatus" last_cti_heartbeat_status: Option<String>;
        /// Milliseconds since 1970.
        "lastSuccessCTIHeartbeatTime" last_cti_heartbeat: Option<i64>;
        /// Version of the protocol with the CTI server.
        "ctiVersion" cti_version: Option<String>;
        /// Seconds between heartbeats to the CTI server.
        "ctiHeartbeatInterval" cti_heartbeat_interval: Option<i64>;
        /// A planned outage of the CTI server.
        "ctiMMode" cti_maintenance: Option<MaintenanceMode>;
        /// A planned outage of this server.
        "finesseMMode" finesse_maintenance: Option<MaintenanceMode>;
        /// Number of the peripheral (CCE).
        "peripheralId" peripheral_id: Option<String>;
        /// The first node.
        "primaryNode" primary: Option<Node>;
        /// The second node; absent, or without a host, where there is one only.
        "secondaryNode" secondary: Option<Node>;
        /// Whether the server can be used.
        "status" status: Option<Status>;
        /// Why not.
        "statusReason" status_reason: Option<String>;
        /// How users prove who they are.
        "systemAuthMode" auth_mode: Option<AuthMode>;
        /// Minutes from UTC.
        "timezoneOffset" timezone_offset: Option<i64>;
        /// Where it is found.
        "uri" uri: Option<String>;
        /// The domain of XMPP addresses: this node's own host.
        "xmppDomain" xmpp_domain: Option<String>;
        /// The domain of nodes that are subscribed to.
        "xmppPubSubDomain" xmpp_pubsub_domain: Option<String>;
    }
}

impl SystemInfo {
    /// Whether the server says that it can be used.
    #[must_use]
    pub fn is_in_service(&self) -> bool {
        self.status == Some(Status::InService)
    }

    /// Whether this server is being drained for a planned outage.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        matches!(self.finesse_maintenance, Some(MaintenanceMode::Initiating | MaintenanceMode::InProgress))
    }

    /// The other node of the pair: the one whose host is not this server's `xmppDomain`, as Cisco's own desktop tells it.
    /// `None` where there is one node only, or where neither host is this server's.
    #[must_use]
    pub fn alternate(&self) -> Option<&Node> {
        let own = self.xmpp_domain.as_deref()?;
        let is_own = |node: &Node| node.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(own));
        let (primary, secondary) = (self.primary.as_ref()?, self.secondary.as_ref()?);
        let (_, other) = [(primary, secondary), (secondary, primary)].into_iter().find(|(node, _)| is_own(node))?;
        (other.host.is_some() && !is_own(other)).then_some(other)
    }
}
