//! The REST interface of a node: what is checked at once, what goes on to CTI, and what is answered.

mod dialogs;
mod refusals;
mod users;

use topoc_finesse_proto::xml::Element;

use super::agent::{Category, REASON_CODES};
use super::config::{Deployment, Millis};
use super::presence::PresenceError;
use super::work::{Ask, Object, Queued};
use super::{Cluster, Health};
use crate::forms;
use refusals::{invalid, no_dialog, not_yours, nothing, refuse};

/// Resources that Finesse has (developer guide 12.5) and the simulator has not, by their names in paths, and what they are about.
pub const NOT_HERE: &[(&str, &[&str])] = &[
    ("queues and their statistics", &["Queue", "Queues"]),
    ("what teams are given", &["TeamResource", "TeamMessage", "TeamMessages"]),
    ("phone books", &["PhoneBook", "PhoneBooks"]),
    ("workflows", &["Workflow", "Workflows", "WorkflowAction", "WorkflowActions"]),
    ("layouts", &["LayoutConfig", "MediaPropertiesLayout", "MediaPropertiesLayouts"]),
    ("logs of clients", &["ClientLog", "CompressedClientLog"]),
    ("configuration", &["SystemConfig", "ClusterConfig", "EnterpriseDatabaseConfig", "MediaDomain"]),
    ("serviceability", &["RuntimeConfigInfo", "MaintenanceMode", "ConnectedUsersInfo"]),
];

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody says.
    #[default]
    None,
    /// HTTP Basic: user and password.
    Basic(String, String),
}

/// The methods there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes.
    Put,
    /// Makes.
    Post,
    /// Another one.
    Other,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// The path, without a query.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// Who asks.
    pub credentials: Credentials,
    /// The header `requestId`.
    pub request_id: Option<String>,
    /// The body.
    pub body: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status of HTTP.
    pub status: u16,
    /// The document, if there is one.
    pub body: Option<Element>,
}

/// A refusal is a reply, too.
type Answer = Result<Reply, Reply>;

fn found(body: Element) -> Reply {
    Reply { status: 200, body: Some(body) }
}

const ACCEPTED: Reply = Reply { status: 202, body: None };

impl Cluster {
    /// Answers a request at a node. What cannot be told at once comes as an event later.
    pub fn rest(&mut self, now: Millis, node: usize, request: &Request) -> Reply {
        self.answer(now, node, request).unwrap_or_else(|refusal| refusal)
    }

    fn answer(&mut self, now: Millis, node: usize, request: &Request) -> Answer {
        let path = request.path.strip_prefix("/finesse/api/").unwrap_or_default();
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let get = request.method == Method::Get;
        if get && parts == ["SystemInfo"] {
            return Ok(found(forms::system_info(self, node, now, "SystemInfo")));
        }
        if !self.nodes[node].in_service || self.nodes[node].notification == Health::Down {
            return Err(refuse(503, "Service Unavailable", "SERVER_OUT_OF_SERVICE", ""));
        }
        let caller = self.caller(now, node, &request.credentials)?;
        match (request.method, parts.as_slice()) {
            (Method::Get, ["User", id]) => {
                let user = self.visible(caller, self.id_of(id))?;
                Ok(found(forms::user(self, node, user, "User")))
            }
            (Method::Put, ["User", id]) => self.put_user(now, node, caller, id, request),
            (Method::Get, ["User", id, "Dialogs"]) => {
                let user = self.visible(caller, id)?;
                let (view, offset) = (&self.nodes[node].view, self.nodes[node].clock_offset);
                let dialogs = view.calls.values().filter(|call| call.holds(user));
                Ok(found(dialogs.fold(Element::new("Dialogs", ""), |list, call| {
                    list.containing(forms::dialog(call, offset, "Dialog"))
                })))
            }
            (Method::Post, ["User", id, "Dialogs"]) => self.post_dialog(now, node, caller, id, request),
            (Method::Get, ["Dialog", id]) => {
                let call = id.parse().ok().and_then(|id: u64| self.nodes[node].view.calls.get(&id));
                let call = call.ok_or_else(|| no_dialog(id))?;
                if !call.holds(caller) && !self.agents[caller].supervisor {
                    return Err(not_yours(id));
                }
                Ok(found(forms::dialog(call, self.nodes[node].clock_offset, "Dialog")))
            }
            (Method::Put, ["Dialog", id]) => self.put_dialog(now, node, caller, id, request),
            (Method::Get, ["ReasonCodes"]) => reason_codes(&request.query),
            (Method::Get, ["User", id, "ReasonCodes"]) => {
                self.visible(caller, id)?;
                reason_codes(&request.query)
            }
            (Method::Get, ["User", id, "WrapUpReasons"]) => {
                self.visible(caller, id)?;
                Ok(found(forms::wrap_up_reasons()))
            }
            (_, ["User", _, "Media", ..]) if self.config.deployment == Deployment::Uccx => {
                Err(refuse(501, "Not Implemented", "Other media than voice are for Unified CCE", ""))
            }
            (Method::Get, ["User", id, "Media"]) => {
                self.visible(caller, id)?;
                Ok(found(forms::media()))
            }
            (_, ["User", _, "Media", id, ..]) => Err(nothing(id)),
            (Method::Get, ["ReasonCode", id]) => {
                let row = REASON_CODES.iter().find(|row| row.id.to_string() == *id);
                row.map(|row| found(forms::reason_code(row))).ok_or_else(|| nothing(id))
            }
            (Method::Get, ["Team", id]) => self.team(node, caller, id),
            (_, ["User" | "Dialog", _] | ["User", _, "Dialogs"] | ["SystemInfo" | "ReasonCodes"]) => {
                Err(refuse(405, "Method Not Allowed", "The method is not known here", ""))
            }
            _ => Err(not_here(&parts).unwrap_or_else(|| nothing(&request.path))),
        }
    }

    /// The id of a user who may be named by the login name (Unified CCE: developer guide 12.5, "Get User Id from loginName").
    fn id_of<'a>(&'a self, name: &'a str) -> &'a str {
        if self.user(name).is_some() {
            return name;
        }
        let named = |agent: &&super::Agent| agent.login_name == name && self.config.deployment == Deployment::Ucce;
        self.agents.iter().find(named).map_or(name, |agent| agent.id.as_str())
    }

    fn caller(&mut self, now: Millis, node: usize, credentials: &Credentials) -> Result<usize, Reply> {
        let Credentials::Basic(user, password) = credentials else {
            return Err(refuse(401, "Authorization Failure", "UNAUTHORIZED", ""));
        };
        self.authenticate(now, node, user, password).map_err(|error| match error {
            PresenceError::Wrong | PresenceError::Locked => refuse(401, "Authorization Failure", "UNAUTHORIZED", user),
        })
    }

    /// The user with this id, if the caller may look at it: itself, or a member of the team it supervises.
    fn visible(&self, caller: usize, id: &str) -> Result<usize, Reply> {
        let user = self.user(id).ok_or_else(|| refuse(404, "User Not Found", "UNKNOWN_USER", id))?;
        let (me, other) = (&self.agents[caller], &self.agents[user]);
        if caller == user || (me.supervisor && me.team == other.team) { Ok(user) } else { Err(not_yours(id)) }
    }

    fn team(&self, node: usize, caller: usize, id: &str) -> Answer {
        let view = &self.nodes[node].view;
        let members: Vec<usize> =
            (0..view.agents.len()).filter(|index| view.agents[*index].team.to_string() == id).collect();
        if members.is_empty() {
            return Err(nothing(id));
        }
        if !self.agents[caller].supervisor || self.agents[caller].team.to_string() != id {
            return Err(refuse(401, "Authorization Failure", "UNAUTHORIZED", &self.agents[caller].id));
        }
        let users = members
            .into_iter()
            .fold(Element::new("users", ""), |users, index| users.containing(forms::user(self, node, index, "User")));
        let text = |name: &str, value: String| Element::new(name, "").saying(value);
        Ok(found(
            Element::new("Team", "")
                .containing(text("id", id.to_owned()))
                .containing(text("name", format!("Team {id}")))
                .containing(text("uri", format!("/finesse/api/Team/{id}")))
                .containing(users),
        ))
    }

    fn accept(&mut self, now: Millis, node: usize, object: Object, request: &Request, ask: Ask) -> Answer {
        let entry = self.entry(now, node, request.request_id.as_ref(), &ask);
        let queued = Queued { request: request.request_id.clone(), ask };
        if self.queue(now, node, object, queued) {
            self.journal.note(entry);
            Ok(ACCEPTED)
        } else {
            Err(refuse(500, "Internal Server Error", "Too many requests wait for this object", ""))
        }
    }
}

/// The answer to a request for something that Finesse has and the simulator has not.
fn not_here(parts: &[&str]) -> Option<Reply> {
    let (about, _) = NOT_HERE.iter().find(|(_, names)| parts.iter().any(|part| names.contains(part)))?;
    Some(refuse(501, "Not Implemented", &format!("finesse-sim does not simulate {about}"), parts.first()?))
}

fn reason_codes(query: &str) -> Answer {
    let category = query.split('&').find_map(|pair| pair.strip_prefix("category="));
    let category = match category {
        None | Some("ALL") => None,
        Some("NOT_READY") => Some(Category::NotReady),
        Some("LOGOUT") => Some(Category::Logout),
        Some(other) => return Err(invalid("category", other)),
    };
    Ok(found(forms::reason_codes(category)))
}
