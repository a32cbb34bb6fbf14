//! Requests that change a user: sign-in, states, and what a supervisor may.

use topoc_finesse_proto::xml::Element;

use crate::cluster::Cluster;
use crate::cluster::agent::{Base, Category, REASON_CODES, State};
use crate::cluster::config::{Deployment, Millis, Reasons};
use crate::cluster::node::Mobile;
use crate::cluster::work::{Ask, Object};

use super::refusals::{document, invalid, missing, not_yours, refuse};
use super::{Answer, Reply, Request};

impl Cluster {
    pub(super) fn put_user(&mut self, now: Millis, node: usize, caller: usize, id: &str, request: &Request) -> Answer {
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
}
