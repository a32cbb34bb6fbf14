//! What is said to requests that are refused (developer guide 12.5, "Cisco Finesse API Errors").

use topoc_finesse_proto::xml::{self, Element};

use super::Reply;
use crate::forms;

pub(super) fn refuse(status: u16, kind: &str, message: &str, data: &str) -> Reply {
    Reply { status, body: Some(forms::api_error(kind, message, data)) }
}

pub(super) fn missing(what: &str) -> Reply {
    refuse(400, "Parameter Missing", &format!("{what} is required"), what)
}

pub(super) fn invalid(what: &str, value: &str) -> Reply {
    refuse(400, "Invalid Input", &format!("{what} is not valid"), value)
}

pub(super) const NOT_YOURS: &str = "The user specified in the authentication credentials and the uri don't match";

pub(super) fn not_yours(id: &str) -> Reply {
    refuse(401, "Invalid Authorization User Specified", NOT_YOURS, id)
}

pub(super) fn no_dialog(id: &str) -> Reply {
    refuse(404, "Dialog Not Found", "There is no such dialog", id)
}

pub(super) fn nothing(what: &str) -> Reply {
    refuse(404, "Not Found", "There is no such resource", what)
}

pub(super) fn document(text: &str, name: &str) -> Result<Element, Reply> {
    let malformed = |why: &str| refuse(400, "Bad Request", "The request is malformed or incomplete", why);
    let element = xml::read(text, xml::Limits::default()).map_err(|error| malformed(&error.to_string()))?;
    if element.name == name { Ok(element) } else { Err(malformed(&format!("the document is no {name}"))) }
}
