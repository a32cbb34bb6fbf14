//! What can be done to the simulated contact centre from outside: one table, which the control API, scenario files, the page
//! and the documentation read.

use serde_json::{Map, Value, json};

use crate::cluster::{Base, Cluster, Entry, Health, Millis, Service};

/// What a field of a command may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The number of a node, from 1.
    Node,
    /// The id of an agent or supervisor.
    Agent,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number between these, both included.
    Number(i64, i64),
    /// The id of a call.
    Call,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// Names and values.
    Pairs,
}

/// A field of a command.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON and TOML.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it can be left out.
    pub optional: bool,
    /// What it says.
    pub help: &'static str,
}

/// A command.
pub struct Command {
    /// Its name: `POST /api/NAME`, and `do = "NAME"` in a scenario.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    run: fn(&mut Cluster, Millis, &Arguments<'_>) -> Result<Value, String>,
}

const fn field(name: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { name, kind, optional: false, help }
}

const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { name, kind, optional: true, help }
}

const NODE: Field = field("node", Kind::Node, "which node, from 1");
const SERVICE: Field =
    field("service", Kind::Word(&["tomcat", "notification", "cti"]), "REST, XMPP, or the connection to the CTI server");
const CALL: Field = field("call", Kind::Call, "the id of the call, or `last` for the one that began last");
const DAY: i64 = 86_400_000;

/// Every command.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "break",
        summary: "Takes a service of a node down, or lets it hang",
        fields: &[
            NODE,
            SERVICE,
            optional(
                "how",
                Kind::Word(&["down", "silent"]),
                "`down` (nobody listens; the default) or `silent` (accepts, never answers)",
            ),
        ],
        run: |cluster, now, arguments| {
            let health = if arguments.text("how") == "silent" { Health::Silent } else { Health::Down };
            cluster.set_health(now, arguments.node(), arguments.service(), health);
            Ok(json!({}))
        },
    },
    Command {
        name: "restore",
        summary: "Brings a service of a node back",
        fields: &[NODE, SERVICE],
        run: |cluster, now, arguments| {
            cluster.set_health(now, arguments.node(), arguments.service(), Health::Up);
            Ok(json!({}))
        },
    },
    Command {
        name: "slow",
        summary: "Lets everything come later that a service of a node says: answers, and of the notification service events, too",
        fields: &[
            NODE,
            optional("service", Kind::Word(&["tomcat", "notification"]), "REST (the default) or XMPP"),
            field("ms", Kind::Number(0, DAY), "by how much, in milliseconds; 0 for not at all"),
        ],
        run: |cluster, _, arguments| {
            let (node, ms) = (cluster.node_mut(arguments.node()), arguments.unsigned("ms"));
            match arguments.text("service") {
                "notification" => node.slow_notification = ms,
                _ => node.slow_tomcat = ms,
            }
            Ok(json!({}))
        },
    },
    Command {
        name: "drop-sessions",
        summary: "Cuts XMPP sessions of a node",
        fields: &[NODE, optional("agent", Kind::Agent, "only those of this agent")],
        run: |cluster, now, arguments| {
            let agent = arguments.agent(cluster);
            Ok(json!({"dropped": cluster.drop_sessions(now, arguments.node(), agent)}))
        },
    },
    Command {
        name: "delay-events",
        summary: "Lets every event of a node come later",
        fields: &[NODE, field("ms", Kind::Number(0, DAY), "by how much, in milliseconds; 0 for not at all")],
        run: |cluster, _, arguments| {
            cluster.node_mut(arguments.node()).event_delay = arguments.unsigned("ms");
            Ok(json!({}))
        },
    },
    Command {
        name: "lose-events",
        summary: "Loses some of a node's events",
        fields: &[NODE, field("percent", Kind::Number(0, 100), "how many of a hundred")],
        run: |cluster, _, arguments| {
            cluster.node_mut(arguments.node()).event_loss = u8::try_from(arguments.unsigned("percent")).unwrap_or(100);
            Ok(json!({}))
        },
    },
    Command {
        name: "inject-event",
        summary: "Sends an event that nothing has caused",
        fields: &[
            NODE,
            field("topic", Kind::Text, "the publish-subscribe node, such as `/finesse/api/User/1001`"),
            field("payload", Kind::Text, "the text of the event, such as `<Update>...</Update>`; it need not be right"),
        ],
        run: |cluster, now, arguments| {
            cluster.inject_event(now, arguments.node(), arguments.text("topic"), arguments.text("payload"));
            Ok(json!({}))
        },
    },
    Command {
        name: "call",
        summary: "Calls an agent from outside",
        fields: &[
            field("from", Kind::Text, "the number outside"),
            field("to", Kind::Text, "the extension of an agent who has signed in"),
            optional("variables", Kind::Pairs, "call variables, by name"),
        ],
        run: |cluster, now, arguments| {
            let call = cluster.call_from_outside(
                now,
                arguments.text("from"),
                arguments.text("to"),
                arguments.pairs("variables"),
            )?;
            Ok(json!({"call": call.to_string()}))
        },
    },
    Command {
        name: "answer",
        summary: "Lets a number outside answer that an agent calls",
        fields: &[CALL],
        run: |cluster, now, arguments| {
            let call = arguments.call(cluster);
            cluster.answer_outside(now, call).map(|()| json!({}))
        },
    },
    Command {
        name: "hang-up",
        summary: "Lets those outside hang up; a call without them ends",
        fields: &[CALL],
        run: |cluster, now, arguments| {
            let call = arguments.call(cluster);
            cluster.hang_up_outside(now, call).map(|()| json!({}))
        },
    },
    Command {
        name: "set-state",
        summary: "Sets the state of an agent, as a supervisor does",
        fields: &[
            field("agent", Kind::Agent, "the agent's id"),
            field("state", Kind::Word(&["READY", "NOT_READY", "LOGOUT"]), "the new state"),
        ],
        run: |cluster, now, arguments| {
            let agent = arguments.agent(cluster).unwrap_or_default();
            let code = Some(if cluster.config().deployment == crate::cluster::Deployment::Uccx { 33 } else { 999 });
            let to = match arguments.text("state") {
                "READY" => Base::Ready,
                "LOGOUT" => Base::Out(code),
                _ => Base::NotReady(code),
            };
            cluster.supervise(now, agent, to).map(|()| json!({})).map_err(|error| error.constant.to_owned())
        },
    },
    Command {
        name: "force-logout",
        summary: "Does to an agent what is done when its client is gone for too long: reason 255",
        fields: &[field("agent", Kind::Agent, "the agent's id")],
        run: |cluster, now, arguments| {
            let agent = arguments.agent(cluster).unwrap_or_default();
            cluster.forced_logout(now, agent);
            Ok(json!({}))
        },
    },
    Command {
        name: "maintenance",
        summary: "Begins or ends maintenance mode of a node",
        fields: &[NODE, field("on", Kind::Flag, "whether it is on")],
        run: |cluster, now, arguments| {
            cluster.set_maintenance(now, arguments.node(), arguments.flag("on"));
            Ok(json!({}))
        },
    },
    Command {
        name: "clock",
        summary: "Sets a node's clock wrong",
        fields: &[
            NODE,
            field(
                "ms",
                Kind::Number(-365 * DAY, 365 * DAY),
                "how far it is ahead, in milliseconds; behind if negative",
            ),
        ],
        run: |cluster, _, arguments| {
            cluster.node_mut(arguments.node()).clock_offset = arguments.number("ms");
            Ok(json!({}))
        },
    },
];

/// Fields that hold what the table says.
struct Arguments<'a>(&'a Map<String, Value>);

impl<'a> Arguments<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    fn unsigned(&self, name: &str) -> u64 {
        self.number(name).unsigned_abs()
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn node(&self) -> usize {
        usize::try_from(self.unsigned("node")).unwrap_or_default().saturating_sub(1)
    }

    fn agent(&self, cluster: &Cluster) -> Option<usize> {
        cluster.user(self.text("agent"))
    }

    fn call(&self, cluster: &Cluster) -> u64 {
        match self.text("call") {
            "last" => cluster.calls().last_key_value().map_or(0, |(id, _)| *id),
            id => id.parse().unwrap_or_default(),
        }
    }

    fn service(&self) -> Service {
        match self.text("service") {
            "tomcat" => Service::Tomcat,
            "notification" => Service::Notification,
            _ => Service::Cti,
        }
    }

    fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let pairs = self.0.get(name).and_then(Value::as_object);
        pairs
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect()
    }
}

/// Carries out a command.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn run(cluster: &mut Cluster, now: Millis, name: &str, fields: &Map<String, Value>) -> Result<Value, String> {
    let command = checked(cluster, name, fields)?;
    (command.run)(cluster, now, &Arguments(fields))
}

/// Finds a command, and whether these fields are what it takes. Of agents and calls this can only be said now, and may be
/// different later.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn checked(cluster: &Cluster, name: &str, fields: &Map<String, Value>) -> Result<&'static Command, String> {
    let command = COMMANDS.iter().find(|command| command.name == name).ok_or_else(|| {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        format!("there is no command `{name}`: there are {}", names.join(", "))
    })?;
    if let Some(unknown) = fields.keys().find(|key| !command.fields.iter().any(|field| field.name == **key)) {
        return Err(format!("`{name}` has no field `{unknown}`"));
    }
    for field in command.fields {
        match fields.get(field.name) {
            Some(value) => check(cluster, field, value)?,
            None if field.optional => {}
            None => return Err(format!("`{name}` needs `{}`: {}", field.name, field.help)),
        }
    }
    Ok(command)
}

fn check(cluster: &Cluster, field: &Field, value: &Value) -> Result<(), String> {
    let name = field.name;
    let right = match field.kind {
        Kind::Node => value.as_u64().is_some_and(|node| node >= 1 && node <= cluster.nodes().len() as u64),
        Kind::Agent => value.as_str().is_some_and(|id| cluster.user(id).is_some()),
        Kind::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Kind::Number(low, high) => value.as_i64().is_some_and(|number| (low..=high).contains(&number)),
        Kind::Call => value.as_str().is_some_and(|id| id == "last" || id.parse::<u64>().is_ok()),
        Kind::Text => value.is_string(),
        Kind::Flag => value.is_boolean(),
        Kind::Pairs => value.as_object().is_some_and(|pairs| pairs.values().all(Value::is_string)),
    };
    if right { Ok(()) } else { Err(format!("`{name}` cannot be {value}: it is {}", describe(field.kind, cluster))) }
}

fn describe(kind: Kind, cluster: &Cluster) -> String {
    match kind {
        Kind::Node => format!("the number of a node, 1 to {}", cluster.nodes().len()),
        Kind::Agent => "the id of an agent or supervisor, as text".to_owned(),
        Kind::Word(words) => format!("one of {}", words.join(", ")),
        Kind::Number(low, high) => format!("a whole number from {low} to {high}"),
        Kind::Call => "the id of a call, as text, or `last`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Pairs => "an object of texts".to_owned(),
    }
}

/// The table as JSON, for those who use the API.
#[must_use]
pub fn table() -> Value {
    let fields = |command: &Command| -> Vec<Value> {
        let field = |field: &Field| {
            let mut row = json!({"name": field.name, "optional": field.optional, "help": field.help});
            let (kind, words) = match field.kind {
                Kind::Node => ("node", None),
                Kind::Agent => ("agent", None),
                Kind::Word(words) => ("word", Some(words)),
                Kind::Number(..) => ("number", None),
                Kind::Call => ("call", None),
                Kind::Text => ("text", None),
                Kind::Flag => ("flag", None),
                Kind::Pairs => ("pairs", None),
            };
            row["kind"] = json!(kind);
            if let Some(words) = words {
                row["words"] = json!(words);
            }
            if let Kind::Number(low, high) = field.kind {
                (row["low"], row["high"]) = (json!(low), json!(high));
            }
            row
        };
        command.fields.iter().map(field).collect()
    };
    COMMANDS
        .iter()
        .map(|command| json!({"name": command.name, "summary": command.summary, "fields": fields(command)}))
        .collect()
}

/// Everything there is to see, as JSON.
#[must_use]
pub fn state(cluster: &Cluster, now: Millis, everybody: bool) -> Value {
    let nodes: Vec<Value> = cluster
        .nodes()
        .iter()
        .enumerate()
        .map(|(index, node)| {
            json!({
                "node": index + 1,
                "host": node.host,
                "status": if node.in_service { "IN_SERVICE" } else { "OUT_OF_SERVICE" },
                "tomcat": node.tomcat.name(),
                "notification": node.notification.name(),
                "cti": node.cti.name(),
                "slow": {"tomcat": node.slow_tomcat, "notification": node.slow_notification},
                "eventDelay": node.event_delay,
                "eventLoss": node.event_loss,
                "clock": node.clock_offset,
                "maintenance": node.maintenance.is_some(),
                "sessions": node.sessions().len(),
            })
        })
        .collect();
    let shown = |index: usize| everybody || cluster.agents()[index].is_in() || is_connected(cluster, index);
    let agents: Vec<Value> =
        (0..cluster.agents().len()).filter(|index| shown(*index)).map(|index| agent(cluster, index)).collect();
    let calls: Vec<Value> = cluster
        .calls()
        .values()
        .map(|call| {
            let parties: Vec<Value> = call
                .parties
                .iter()
                .map(|party| {
                    let agent = party.agent.map(|agent| cluster.agents()[agent].id.as_str());
                    json!({"address": party.address, "agent": agent, "state": party.state.name()})
                })
                .collect();
            json!({
                "call": call.id.to_string(), "from": call.from, "to": call.to, "kind": call.kind,
                "state": call.state.name(), "parties": parties,
            })
        })
        .collect();
    json!({"time": crate::forms::timestamp(now), "deployment": cluster.config().deployment.name(),
        "users": cluster.agents().len(), "nodes": nodes, "agents": agents, "calls": calls})
}

/// The requests that were accepted behind this number, as JSON.
#[must_use]
pub fn journal(cluster: &Cluster, behind: u64) -> Value {
    let entry = |entry: &Entry| {
        json!({
            "number": entry.number, "time": crate::forms::timestamp(entry.at), "node": entry.node + 1, "agent": entry.agent,
            "requestId": entry.request, "what": entry.what, "of": entry.of,
        })
    };
    json!({"accepted": cluster.journal(behind).map(entry).collect::<Vec<Value>>()})
}

fn is_connected(cluster: &Cluster, agent: usize) -> bool {
    cluster.nodes().iter().any(|node| node.sessions().of(agent).next().is_some())
}

fn agent(cluster: &Cluster, index: usize) -> Value {
    let agent = &cluster.agents()[index];
    let sessions: Vec<Value> = cluster
        .nodes()
        .iter()
        .enumerate()
        .flat_map(|(number, node)| node.sessions().of(index).map(move |(_, session)| (number, session)))
        .map(|(number, session)| json!({"node": number + 1, "resource": session.resource, "there": session.presence.is_some()}))
        .collect();
    json!({
        "agent": agent.id, "state": agent.state.name(), "extension": agent.extension,
        "reason": agent.base.reason(), "pending": agent.pending.map(|pending| pending.state().name()),
        "team": agent.team, "supervisor": agent.supervisor, "since": crate::forms::timestamp(agent.since), "sessions": sessions,
    })
}
