//! The REST interface of a node: what is checked at once, what goes on to CTI, and what is answered.

use topoc_finesse_proto::xml::{self, Element};

use super::agent::{Base, Category, REASON_CODES, State};
use super::call::Action;
use super::config::{Deployment, Millis, Reasons};
use super::node::Mobile;
use super::presence::PresenceError;
use super::work::{Ask, Object, Queued};
use super::{Cluster, Health};
use crate::forms;

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

fn refuse(status: u16, kind: &str, message: &str, data: &str) -> Reply {
    Reply { status, body: Some(forms::api_error(kind, message, data)) }
}

fn found(body: Element) -> Reply {
    Reply { status: 200, body: Some(body) }
}

const ACCEPTED: Reply = Reply { status: 202, body: None };

fn missing(what: &str) -> Reply {
    refuse(400, "Parameter Missing", &format!("{what} is required"), what)
}

fn invalid(what: &str, value: &str) -> Reply {
    refuse(400, "Invalid Input", &format!("{what} is not valid"), value)
}

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
                let user = self.visible(caller, id)?;
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
            (Method::Get, ["ReasonCode", id]) => {
                let row = REASON_CODES.iter().find(|row| row.id.to_string() == *id);
                row.map(|row| found(forms::reason_code(row))).ok_or_else(|| nothing(id))
            }
            (Method::Get, ["Team", id]) => self.team(node, caller, id),
            (_, ["User" | "Dialog", _] | ["User", _, "Dialogs"] | ["SystemInfo" | "ReasonCodes"]) => {
                Err(refuse(405, "Method Not Allowed", "The method is not known here", ""))
            }
            _ => Err(nothing(&request.path)),
        }
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
        let queued = Queued { request: request.request_id.clone(), ask };
        if self.queue(now, node, object, queued) {
            Ok(ACCEPTED)
        } else {
            Err(refuse(500, "Internal Server Error", "Too many requests wait for this object", ""))
        }
    }

    fn put_user(&mut self, now: Millis, node: usize, caller: usize, id: &str, request: &Request) -> Answer {
        let user = self.user(id).ok_or_else(|| refuse(404, "User Not Found", "UNKNOWN_USER", id))?;
        let body = document(&request.body, "User")?;
        let state = body.child_text("state").filter(|state| !state.is_empty()).ok_or_else(|| missing("state"))?;
        let reason = body.child_text("reasonCodeId").filter(|id| !id.is_empty());
        if caller != user {
            self.may_supervise(caller, user, id, &state, reason.as_deref())?;
        }
        let ask = match state.as_str() {
            "LOGIN" => self.sign_in(user, &body)?,
            "READY" | "NOT_READY" | "LOGOUT" => self.new_state(node, caller, user, &state, reason.as_deref())?,
            other => return Err(invalid("state", other)),
        };
        self.accept(now, node, Object::User(user), request, ask)
    }

    fn may_supervise(
        &self,
        caller: usize,
        user: usize,
        id: &str,
        state: &str,
        reason: Option<&str>,
    ) -> Result<(), Reply> {
        let me = &self.agents[caller];
        if !me.supervisor || state == "LOGIN" {
            return Err(not_yours(id));
        }
        if me.team != self.agents[user].team {
            return Err(refuse(401, "Invalid Supervisor", "The agent is not in a team of this supervisor", id));
        }
        if let Some(reason) = reason {
            return Err(refuse(400, "Bad Request", "A supervisor gives no reason code", reason));
        }
        Ok(())
    }

    fn sign_in(&self, user: usize, body: &Element) -> Result<Ask, Reply> {
        let extension = body.child_text("extension").filter(|extension| !extension.is_empty());
        let extension = extension.ok_or_else(|| missing("extension"))?;
        if extension.len() > 15 || !extension.chars().all(|c| c.is_ascii_digit()) {
            return Err(refuse(400, "Bad Request", "The extension is not valid", &extension));
        }
        let mobile = match body.child("mobileAgent") {
            None => None,
            Some(mobile) => {
                let field =
                    |name: &str| mobile.child_text(name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name));
                let (mode, dial_number) = (field("mode")?, field("dialNumber")?);
                if !matches!(mode.as_str(), "CALL_BY_CALL" | "NAILED_CONNECTION") {
                    return Err(invalid("mode", &mode));
                }
                Some(Mobile { mode, dial_number })
            }
        };
        Ok(Ask::Login { agent: user, extension, mobile })
    }

    fn new_state(
        &self,
        node: usize,
        caller: usize,
        user: usize,
        state: &str,
        reason: Option<&str>,
    ) -> Result<Ask, Reply> {
        let supervisor = caller != user;
        let believed = self.nodes[node].view.agents[user].state;
        if state == "LOGOUT" && believed == State::Logout {
            return Err(refuse(400, "Invalid State", "The agent is signed out", &self.agents[user].id));
        }
        if state == "READY" {
            return Ok(Ask::Change { agent: user, to: Base::Ready, supervisor });
        }
        let category = if state == "LOGOUT" { Category::Logout } else { Category::NotReady };
        let code = if supervisor {
            Some(if self.config.deployment == Deployment::Uccx { 33 } else { 999 })
        } else {
            self.reason(category, reason)?
        };
        let to = if category == Category::Logout { Base::Out(code) } else { Base::NotReady(code) };
        Ok(Ask::Change { agent: user, to, supervisor })
    }

    fn reason(&self, category: Category, id: Option<&str>) -> Result<Option<i32>, Reply> {
        let Some(id) = id else {
            let required = match self.config.reasons {
                Reasons::Optional => false,
                Reasons::NotReady => category == Category::NotReady,
                Reasons::Logout => category == Category::Logout,
                Reasons::Both => true,
            };
            let refusal =
                || refuse(400, "Parameter Missing", "finesse.api.reasoncode.require_reasoncode", "reasonCodeId");
            return if required { Err(refusal()) } else { Ok(None) };
        };
        let row = REASON_CODES.iter().find(|row| row.id.to_string() == id && row.category == category && !row.system);
        row.map(|row| Some(row.code)).ok_or_else(|| invalid("reasonCodeId", id))
    }

    fn post_dialog(&mut self, now: Millis, node: usize, caller: usize, id: &str, request: &Request) -> Answer {
        let user = self.user(id).ok_or_else(|| refuse(404, "User Not Found", "UNKNOWN_USER", id))?;
        if user != caller {
            return Err(not_yours(id));
        }
        let body = document(&request.body, "Dialog")?;
        let field = |name: &str| body.child_text(name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name));
        let (action, from, to) = (field("requestedAction")?, field("fromAddress")?, field("toAddress")?);
        if action != "MAKE_CALL" {
            return Err(invalid("requestedAction", &action));
        }
        let variables = variables(&body)?;
        if self.config.deployment == Deployment::Uccx && !variables.is_empty() {
            return Err(invalid("callvariables", &variables[0].0));
        }
        match &self.nodes[node].view.agents[user].extension {
            None => return Err(refuse(401, "Invalid State", "The agent is signed out", id)),
            Some(mine) if *mine != from => return Err(invalid("fromAddress", &from)),
            Some(_) => {}
        }
        destination(&to, &from)?;
        let ask = Ask::MakeCall { agent: user, to, variables };
        self.accept(now, node, Object::User(user), request, ask)
    }

    fn put_dialog(&mut self, now: Millis, node: usize, caller: usize, id: &str, request: &Request) -> Answer {
        let number = id.parse().ok().filter(|number: &u64| self.nodes[node].view.calls.contains_key(number));
        let number = number.ok_or_else(|| no_dialog(id))?;
        let body = document(&request.body, "Dialog")?;
        let field = |name: &str| body.child_text(name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name));
        let name = field("requestedAction")?;
        if matches!(name.as_str(), "ACCEPT" | "CLOSE" | "REJECT") {
            return Err(refuse(501, "Not Implemented", "There are no outbound campaigns", &name));
        }
        let action = Action::named(&name).ok_or_else(|| invalid("requestedAction", &name))?;
        let target = match body.child_text("targetMediaAddress").filter(|target| !target.is_empty()) {
            Some(target) => target,
            // It may be left out where only data changes.
            None if action == Action::UpdateCallData => {
                self.nodes[node].view.agents[caller].extension.clone().unwrap_or_default()
            }
            None => return Err(missing("targetMediaAddress")),
        };
        if self.nodes[node].view.agents[caller].extension.as_ref() != Some(&target) {
            return Err(refuse(401, "Invalid Authorization User Specified", NOT_YOURS, &target));
        }
        let holds = self.nodes[node].view.calls.get(&number).is_some_and(|call| call.holds(caller));
        if !holds {
            return Err(invalid("targetMediaAddress", &target));
        }
        let to = match action {
            Action::Consult | Action::BlindTransfer => Some(field("toAddress")?),
            _ => None,
        };
        if let Some(to) = &to {
            destination(to, &target)?;
        }
        let mut wrap_up_reason = None;
        let mut changed = Vec::new();
        match action {
            Action::StartRecording if self.config.deployment == Deployment::Ucce => {
                return Err(refuse(501, "Not Implemented", "Recording is for Unified CCX", &name));
            }
            Action::SendDtmf => {
                let tones = body.child("actionParams").and_then(|params| params.child("ActionParam"));
                let tones = tones.and_then(|param| param.child_text("value")).unwrap_or_default();
                if tones.is_empty() || !tones.chars().all(|c| c.is_ascii_digit() || "*#ABCD".contains(c)) {
                    return Err(invalid("dtmfString", &tones));
                }
            }
            Action::UpdateCallData => {
                changed = variables(&body)?;
                wrap_up_reason = body.child("mediaProperties").and_then(|media| media.child_text("wrapUpReason"));
            }
            _ => {}
        }
        let ask = Ask::Act { agent: caller, call: number, action, to, variables: changed, wrap_up_reason };
        self.accept(now, node, Object::Dialog(number), request, ask)
    }
}

const NOT_YOURS: &str = "The user specified in the authentication credentials and the uri don't match";

fn not_yours(id: &str) -> Reply {
    refuse(401, "Invalid Authorization User Specified", NOT_YOURS, id)
}

fn no_dialog(id: &str) -> Reply {
    refuse(404, "Dialog Not Found", "There is no such dialog", id)
}

fn nothing(what: &str) -> Reply {
    refuse(404, "Not Found", "There is no such resource", what)
}

fn document(text: &str, name: &str) -> Result<Element, Reply> {
    let malformed = |why: &str| refuse(400, "Bad Request", "The request is malformed or incomplete", why);
    let element = xml::read(text, xml::Limits::default()).map_err(|error| malformed(&error.to_string()))?;
    if element.name == name { Ok(element) } else { Err(malformed(&format!("the document is no {name}"))) }
}

fn destination(to: &str, from: &str) -> Result<(), Reply> {
    let dialled = to.len() <= 32 && to.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c));
    if dialled && to != from {
        Ok(())
    } else {
        Err(refuse(400, "Invalid Destination", "The destination is not valid", to))
    }
}

/// At most this many call variables, of at most this many characters (the ten of Unified CCE have 40; ECC variables 210).
const VARIABLES: (usize, usize) = (50, 210);

fn variables(body: &Element) -> Result<Vec<(String, String)>, Reply> {
    let Some(list) = body.child("mediaProperties").and_then(|media| media.child("callvariables")) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for variable in list.elements() {
        let name = variable.child_text("name").unwrap_or_default();
        let value = variable.child_text("value").unwrap_or_default();
        let twice = found.iter().any(|(other, _)| *other == name);
        if name.is_empty() || twice || value.chars().count() > VARIABLES.1 || found.len() == VARIABLES.0 {
            return Err(invalid("callvariables", &name));
        }
        found.push((name, value));
    }
    Ok(found)
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
