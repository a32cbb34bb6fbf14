//! The XML that goes over the wire, in the forms that Finesse's documentation and captures of it show.

use topoc_finesse_proto::xml::Element;

use crate::cluster::{
    Agent, Call, Category, Cluster, CtiError, Deployment, HEARTBEAT, Millis, Mobile, REASON_CODES, ReasonCode,
};
pub use crate::cluster::{Event, Kind};

fn text(name: &str, value: impl Into<String>) -> Element {
    let value = value.into();
    let element = Element::new(name, "");
    if value.is_empty() { element } else { element.saying(value) }
}

fn list(name: &str, children: impl IntoIterator<Item = Element>) -> Element {
    children.into_iter().fold(Element::new(name, ""), Element::containing)
}

/// A moment as Finesse writes it: `2026-01-01T08:00:00.000Z`.
#[must_use]
pub fn timestamp(moment: Millis) -> String {
    let (days, rest) = (moment / 86_400_000, moment % 86_400_000);
    // Days to a date of the Gregorian calendar, with years that begin in March (H. Hinnant, chrono-Compatible Low-Level Date Algorithms).
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
}

/// What a node says of itself.
#[must_use]
pub fn system_info(cluster: &Cluster, node: usize, now: Millis, name: &str) -> Element {
    let (config, here) = (cluster.config(), &cluster.nodes()[node]);
    let clock = here.clock(now);
    let heartbeat = here.last_heartbeat.map_or(clock - clock % HEARTBEAT, |last| here.clock(last));
    let seconds =
        |since: Option<Millis>| since.map_or(-1, |since| i64::try_from((now - since) / 1000).unwrap_or(i64::MAX));
    let mut children = vec![
        text("currentTimestamp", timestamp(clock)),
        text("deploymentType", config.deployment.name()),
        text("lastCTIHeartbeatStatus", if here.has_lost_cti() { "failure" } else { "success" }),
        text("lastSuccessCTIHeartbeatTime", heartbeat.to_string()),
        text("ctiVersion", "24"),
        text("ctiHeartbeatInterval", (HEARTBEAT / 1000).to_string()),
    ];
    if config.deployment == Deployment::Ucce {
        children.extend([
            text("ctiMMode", ""),
            text("ctiTimeInMMode", "-1"),
            text("finesseMMode", if here.maintenance.is_some() { "IN_PROGRESS" } else { "" }),
            text("finesseTimeInMMode", seconds(here.maintenance).to_string()),
        ]);
    }
    children.extend([text("license", ""), text("peripheralId", "5000"), node_address(cluster, "primaryNode", 0)]);
    if cluster.nodes().len() > 1 {
        // A third node and those behind it are told as the second one when they speak for themselves.
        children.push(node_address(cluster, "secondaryNode", node.max(1)));
    }
    children.extend([
        text("status", if here.in_service { "IN_SERVICE" } else { "OUT_OF_SERVICE" }),
        text("statusReason", ""),
        text("systemAuthMode", "NON_SSO"),
        text("timezoneOffset", "0"),
        text("uri", "/finesse/api/SystemInfo"),
        text("xmppDomain", here.host.as_str()),
        text("xmppPubSubDomain", format!("pubsub.{}", here.host)),
        cti_servers(cluster, node, now),
    ]);
    list(name, children)
}

/// The CTI servers of a node: both sides of Unified CCE, of which the first one is in use, or the one beside a node of Unified CCX.
/// The elements are documented ("SystemInfo": the object), what they hold is our reading: seconds, or -1 without a connection.
fn cti_servers(cluster: &Cluster, node: usize, now: Millis) -> Element {
    let here = &cluster.nodes()[node];
    let connected = here.cti_since.map(|since| now.saturating_sub(since) / 1000);
    let server = |host: &str, connected: Option<u64>| {
        let duration = connected.map_or_else(|| "-1".to_owned(), |seconds| seconds.to_string());
        let active = if connected.is_some() { "true" } else { "false" };
        list("ctiServer", [text("host", host), text("connectedDuration", duration), text("active", active)])
    };
    let servers = match cluster.config().deployment {
        Deployment::Ucce => vec![server("cti-a.localhost", connected), server("cti-b.localhost", None)],
        Deployment::Uccx => vec![server(&here.host, connected)],
    };
    list("ctiServers", servers)
}

fn node_address(cluster: &Cluster, name: &str, node: usize) -> Element {
    let port = |port: u16| if port == 0 { String::new() } else { port.to_string() };
    let [https, xmpp, secure] = cluster.config().ports.get(node).copied().unwrap_or_default();
    let children = [
        text("host", cluster.nodes()[node].host.as_str()),
        text("httpsPort", port(https)),
        text("xmppPort", port(xmpp)),
        text("xmppSecurePort", port(secure)),
    ];
    list(name, children)
}

/// A user as this node knows it.
#[must_use]
pub fn user(cluster: &Cluster, node: usize, index: usize, name: &str) -> Element {
    let here = &cluster.nodes()[node];
    let agent = &here.view().agents[index];
    let uri = format!("/finesse/api/User/{}", agent.id);
    let reason = agent.reason();
    let mut children = vec![
        text("dialogs", format!("{uri}/Dialogs")),
        text("extension", agent.extension.clone().unwrap_or_default()),
        text("firstName", agent.first_name.as_str()),
        text("lastName", agent.last_name.as_str()),
        text("loginId", agent.id.as_str()),
        text("loginName", agent.login_name.as_str()),
        text("mediaType", "1"),
    ];
    children.extend(here.mobile_of(index).map(mobile));
    children.push(text("pendingState", agent.pending.map_or("", |pending| pending.state().name())));
    children.push(text("reasonCodeId", reason.map_or_else(|| "-1".to_owned(), |row| row.id.to_string())));
    children.extend(reason.map(reason_code));
    let wrap_up = if cluster.config().wrap_up.is_some() { "REQUIRED" } else { "OPTIONAL" };
    let roles: &[&str] = if agent.supervisor { &["Agent", "Supervisor"] } else { &["Agent"] };
    let supervised = agent.supervisor.then(|| team(agent));
    children.extend([
        list("roles", roles.iter().map(|role| text("role", *role))),
        // Those that an agent can have are of what is not simulated, such as Agent Answers.
        list("services", []),
        list(
            "settings",
            [text("wrapUpOnIncoming", wrap_up), text("wrapUpOnOutgoing", wrap_up), text("deviceSelection", "DISABLED")],
        ),
        text("skillTargetId", (5000 + index).to_string()),
        text("state", agent.state.name()),
        text("stateChangeTime", timestamp(here.clock(agent.since))),
        text("teamId", agent.team.to_string()),
        text("teamName", team_name(agent.team)),
        list("teams", supervised),
        text("uri", uri),
        text("wrapUpTimer", (cluster.config().wrap_up.unwrap_or(0) / 1000).to_string()),
    ]);
    list(name, children)
}

fn team_name(team: usize) -> String {
    format!("Team {team}")
}

fn team(agent: &Agent) -> Element {
    let children = [
        text("id", agent.team.to_string()),
        text("name", team_name(agent.team)),
        text("uri", format!("/finesse/api/Team/{}", agent.team)),
    ];
    list("Team", children)
}

fn mobile(mobile: &Mobile) -> Element {
    list("mobileAgent", [text("mode", mobile.mode.as_str()), text("dialNumber", mobile.dial_number.as_str())])
}

/// A reason code.
#[must_use]
pub fn reason_code(row: &ReasonCode) -> Element {
    let children = [
        text("category", row.category.name()),
        text("uri", format!("/finesse/api/ReasonCode/{}", row.id)),
        text("code", row.code.to_string()),
        text("label", row.label),
        text("forAll", "true"),
        text("systemCode", row.system.to_string()),
        text("id", row.id.to_string()),
    ];
    list("ReasonCode", children)
}

/// The reason codes that requests may name, of one category or of both.
#[must_use]
pub fn reason_codes(category: Option<Category>) -> Element {
    let rows =
        REASON_CODES.iter().filter(|row| !row.system && category.is_none_or(|category| row.category == category));
    let codes = list("ReasonCodes", rows.map(reason_code));
    match category {
        Some(category) => codes.with("category", category.name()),
        None => codes,
    }
}

/// Wrap-up reasons that a call may be given, by their ids.
const WRAP_UP_REASONS: &[(u32, &str)] = &[(31, "Happy customer"), (32, "Calls again"), (33, "Wrong department")];

/// The wrap-up reasons of a user (developer guide 12.5, "WrapUpReason": the object).
#[must_use]
pub fn wrap_up_reasons() -> Element {
    let rows = WRAP_UP_REASONS.iter().map(|(id, label)| {
        let uri = text("uri", format!("/finesse/api/WrapUpReason/{id}"));
        list("WrapUpReason", [uri, text("label", *label), text("forAll", "true")])
    });
    list("WrapUpReasons", rows)
}

/// The non-voice media of a user: there are none (developer guide 12.5, "Media": get list).
#[must_use]
pub fn media() -> Element {
    list("MediaList", [])
}

/// A call as a node knows it, by a clock that is off by so much.
#[must_use]
pub fn dialog(call: &Call, offset: i64, name: &str) -> Element {
    let clock = |moment: Millis| timestamp(moment.saturating_add_signed(offset));
    let uri = |id: u64| format!("/finesse/api/Dialog/{id}");
    let variables = call
        .variables
        .iter()
        .map(|(name, value)| list("CallVariable", [text("name", name.as_str()), text("value", value.as_str())]));
    let properties = [
        text("mediaId", "1"),
        text("dialedNumber", call.to.as_str()),
        text("callType", call.kind),
        text("DNIS", call.to.as_str()),
        text("queueNumber", ""),
        text("queueName", ""),
        text("callKeyCallId", (call.id % 65_536).to_string()),
        text("callKeySequenceNum", "0"),
        text("callKeyPrefix", "152018"),
        text("wrapUpReason", call.wrap_up_reason.as_str()),
        list("callvariables", variables),
    ];
    let participants = call.parties.iter().map(|party| {
        let children = [
            list("actions", party.actions().into_iter().map(|action| text("action", action.name()))),
            text("mediaAddress", party.address.as_str()),
            text("mediaAddressType", if party.agent.is_some() { "AGENT_DEVICE" } else { "" }),
            text("startTime", clock(party.start)),
            text("state", party.state.name()),
            text("stateCause", party.cause.unwrap_or_default()),
            text("stateChangeTime", clock(party.since)),
        ];
        list("Participant", children)
    });
    let children = [
        text("associatedDialogUri", call.associated.map(uri).unwrap_or_default()),
        text("fromAddress", call.from.as_str()),
        text("id", call.id.to_string()),
        text("secondaryId", call.secondary.map(|id| id.to_string()).unwrap_or_default()),
        list("mediaProperties", properties),
        text("mediaType", "Voice"),
        list("participants", participants),
        text("state", call.state.name()),
        text("toAddress", call.to.as_str()),
        text("uri", uri(call.id)),
    ];
    list(name, children)
}

/// The error of a request.
#[must_use]
pub fn api_error(kind: &str, message: &str, data: &str) -> Element {
    let error = [text("ErrorType", kind), text("ErrorMessage", message), text("ErrorData", data)];
    list("ApiErrors", [list("ApiError", error)])
}

/// The error that comes as an event.
#[must_use]
pub fn trouble(error: CtiError) -> Element {
    let mut children = vec![text("errorData", error.number.to_string()), text("errorMessage", error.constant)];
    children.push(text("errorType", error.kind));
    children.extend(error.peripheral.map(|number| text("peripheralErrorCode", number.to_string())));
    list("apiErrors", [list("apiError", children)])
}

/// The envelope of an event. The form is a number that chooses the order of elements and the case of `event`, both of which
/// vary on the real one; zero is the form of captures: data first, the event in capitals, and small for errors.
#[must_use]
pub fn update(kind: Kind, source: &str, request: Option<&str>, data: Option<Element>, form: u64) -> String {
    let capitals = match kind {
        Kind::Put => "PUT",
        Kind::Post => "POST",
        Kind::Delete => "DELETE",
    };
    let is_user_error =
        source.starts_with("/finesse/api/User/") && data.as_ref().is_some_and(|data| data.name == "apiErrors");
    let small = form % 3 == 1 || is_user_error;
    let event = text("event", if small { capitals.to_ascii_lowercase() } else { capitals.to_owned() });
    let data = list("data", data);
    let request = text("requestId", request.unwrap_or_default());
    let source = text("source", source);
    let children = if form % 2 == 1 { [event, source, request, data] } else { [data, event, request, source] };
    list("Update", children).to_string()
}

/// The message around an event: the payload is text in it.
#[must_use]
pub fn notification(host: &str, to: &str, topic: &str, (seed, number): (u64, u64), payload: &str) -> String {
    let id = format!("{:08x}-0f1e-4d2c-8b3a-{:012x}{number}", seed & 0xffff_ffff, seed >> 32);
    let push = Element::new("notification", "urn:xmpp:push:0").saying(payload);
    let event = "http://jabber.org/protocol/pubsub#event";
    let items = Element::new("items", event)
        .with("node", topic)
        .containing(Element::new("item", event).with("id", id).containing(push));
    Element::new("message", "jabber:client")
        .with("from", format!("pubsub.{host}"))
        .with("to", to)
        .with("id", format!("n{number}"))
        .containing(Element::new("event", event).containing(items))
        .to_string_within("jabber:client")
}

/// The presence of the user `finesse`.
#[must_use]
pub fn finesse_presence(host: &str, to: &str, there: bool) -> String {
    let presence =
        Element::new("presence", "jabber:client").with("from", format!("finesse@{host}/application")).with("to", to);
    let presence = if there { presence } else { presence.with("type", "unavailable") };
    presence.to_string_within("jabber:client")
}
