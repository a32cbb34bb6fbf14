//! Requests about calls: what is checked of them before CTI hears of it.

use topoc_finesse_proto::xml::Element;

use crate::cluster::Cluster;
use crate::cluster::call::Action;
use crate::cluster::config::{Deployment, Millis};
use crate::cluster::work::{Ask, Object};

use super::refusals::{NOT_YOURS, document, invalid, missing, no_dialog, not_yours, refuse};
use super::{Answer, Reply, Request};

impl Cluster {
    pub(super) fn post_dialog(
        &mut self,
        now: Millis,
        node: usize,
        caller: usize,
        id: &str,
        request: &Request,
    ) -> Answer {
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

    pub(super) fn put_dialog(
        &mut self,
        now: Millis,
        node: usize,
        caller: usize,
        id: &str,
        request: &Request,
    ) -> Answer {
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
