//! What Finesse answered: an object, or a no with a reason.

use std::fmt;

use super::origin::{Origin, OriginError};
use super::request::Request;
use super::table::Answers;
use super::token::{Token, TokenError};
use crate::api_error::ApiError;
use crate::dialog::Dialog;
use crate::reason_code::{ReasonCode, WrapUpReason};
use crate::system_info::SystemInfo;
use crate::user::User;
use crate::xml::{self, Element, Limits, XmlError};

/// What came back, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpResponse<'a> {
    /// The status.
    pub status: u16,
    /// The header `Location`.
    pub location: Option<&'a str>,
    /// The body. Whoever fetches it bounds it.
    pub body: &'a [u8],
}

/// A yes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It was accepted. What comes of it is told by a notification: an object that changed, or [`crate::notification::Event::Failed`].
    Accepted,
    /// How the server is doing.
    SystemInfo(Box<SystemInfo>),
    /// An agent.
    User(Box<User>),
    /// A call.
    Dialog(Box<Dialog>),
    /// The calls of an agent.
    Dialogs(Vec<Dialog>),
    /// Reasons for not being ready or signing out.
    ReasonCodes(Vec<ReasonCode>),
    /// What may be said of calls.
    WrapUpReasons(Vec<WrapUpReason>),
    /// A new token.
    Token(Token),
}

/// A no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Status 401 because of who asks: a wrong password, an expired token, or no right to ask this. Five wrong passwords in a
    /// row block the account for five minutes (Developer Guide 12.5(1), "User—Sign In to Finesse").
    Unauthorized(Vec<ApiError>),
    /// Another 4xx, or a 401 because of what is asked: Finesse has not done it, and says why.
    Refused {
        /// The status.
        status: u16,
        /// Finesse's own words; empty if the answer holds none.
        errors: Vec<ApiError>,
    },
    /// Status 503: the server has lost another one that it needs. It has not done it.
    OutOfService(Vec<ApiError>),
    /// Another 5xx. Whether it was done is not known.
    Broken {
        /// The status.
        status: u16,
        /// Finesse's own words.
        errors: Vec<ApiError>,
    },
    /// Status 301, 302, 307 or 308: ask there. It has not been done.
    Moved(Origin),
    /// The same, to where nobody with credentials should go.
    MovedAway(OriginError),
    /// A yes whose body is not what was asked for.
    Unreadable(Unreadable),
    /// A status that means nothing here.
    Unexpected(u16),
}

/// Why the body of a yes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not UTF-8.
    Encoding,
    /// It is no XML, or too much of it.
    Xml(XmlError),
    /// It is another object: this one.
    Object(String),
    /// It is no token.
    Token(TokenError),
}

impl Request {
    /// Reads the answer to this request, that `server` gave.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] for everything but a yes with the object that was asked for; never panics.
    pub fn read(&self, server: &Origin, response: HttpResponse<'_>, limits: Limits) -> Result<Answer, Refusal> {
        let errors = || read_errors(response.body, limits);
        match response.status {
            status if self.row.accepted.contains(&status) => {
                self.read_yes(response.body, limits).map_err(Refusal::Unreadable)
            }
            // PUT and POST keep their method and body: 301 is Finesse's word for "over HTTPS", not for "look at the result".
            301 | 302 | 307 | 308 => Err(match server.moved_to(response.location.unwrap_or_default()) {
                Ok(origin) => Refusal::Moved(origin),
                Err(error) => Refusal::MovedAway(error),
            }),
            401 => Err(unauthorized(errors())),
            503 => Err(Refusal::OutOfService(errors())),
            status @ 400..=499 => Err(Refusal::Refused { status, errors: errors() }),
            status @ 500..=599 => Err(Refusal::Broken { status, errors: errors() }),
            status => Err(Refusal::Unexpected(status)),
        }
    }

    fn read_yes(&self, body: &[u8], limits: Limits) -> Result<Answer, Unreadable> {
        let object = |name| read_object(body, name, limits);
        Ok(match self.row.answers {
            Answers::Accepted => Answer::Accepted,
            Answers::SystemInfo => Answer::SystemInfo(Box::new(SystemInfo::read(&object(SystemInfo::ELEMENT)?))),
            Answers::User => Answer::User(Box::new(User::read(&object(User::ELEMENT)?))),
            Answers::Dialog => Answer::Dialog(Box::new(Dialog::read(&object(Dialog::ELEMENT)?))),
            Answers::Dialogs => Answer::Dialogs(Dialog::read_list(&object("Dialogs")?)),
            Answers::ReasonCodes => Answer::ReasonCodes(ReasonCode::read_list(&object("ReasonCodes")?)),
            Answers::WrapUpReasons => Answer::WrapUpReasons(WrapUpReason::read_list(&object("WrapUpReasons")?)),
            Answers::Token => Answer::Token(Token::read(body).map_err(Unreadable::Token)?),
        })
    }
}

fn read_object(body: &[u8], name: &str, limits: Limits) -> Result<Element, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    let element = xml::read(text, limits).map_err(Unreadable::Xml)?;
    if element.name.eq_ignore_ascii_case(name) { Ok(element) } else { Err(Unreadable::Object(element.name)) }
}

/// The errors in a body. A body of another kind, such as Tomcat's page in HTML, holds none.
fn read_errors(body: &[u8], limits: Limits) -> Vec<ApiError> {
    read_object(body, "ApiErrors", limits).map(|errors| ApiError::read_list(&errors)).unwrap_or_default()
}

/// Finesse answers 401 not only to wrong passwords, but also to requests that the agent's state does not allow, or for another
/// agent (Developer Guide 12.5(1), "User API Errors"). Its kind of error tells them apart.
fn unauthorized(errors: Vec<ApiError>) -> Refusal {
    const ABOUT_THE_REQUEST: &[&str] = &["Invalid State", "Invalid Supervisor", "Invalid Authorization User Specified"];
    let is_about_the_request =
        |error: &ApiError| error.kind.as_deref().is_some_and(|kind| ABOUT_THE_REQUEST.contains(&kind));
    if errors.iter().any(is_about_the_request) {
        Refusal::Refused { status: 401, errors }
    } else {
        Refusal::Unauthorized(errors)
    }
}

impl Refusal {
    /// Whether the request may have been acted on all the same.
    #[must_use]
    pub const fn may_have_been_done(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Unreadable(_) | Self::Unexpected(_))
    }

    /// Finesse's own words.
    #[must_use]
    pub fn errors(&self) -> &[ApiError] {
        match self {
            Self::Unauthorized(errors)
            | Self::Refused { errors, .. }
            | Self::OutOfService(errors)
            | Self::Broken { errors, .. } => errors,
            _ => &[],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(_) => write!(f, "Finesse does not accept the credentials (401)"),
            Self::Refused { status, .. } => write!(f, "Finesse refuses the request ({status})"),
            Self::OutOfService(_) => write!(f, "the Finesse server is out of service (503)"),
            Self::Broken { status, .. } => write!(f, "the Finesse server failed ({status})"),
            Self::Moved(origin) => write!(f, "the Finesse server is found at `{origin}`"),
            Self::MovedAway(error) => error.fmt(f),
            Self::Unreadable(why) => why.fmt(f),
            Self::Unexpected(status) => write!(f, "Finesse answers with the status {status}, which means nothing here"),
        }?;
        self.errors().iter().try_for_each(|error| write!(f, ": {error}"))
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => write!(f, "Finesse's answer is not in UTF-8"),
            Self::Xml(error) => write!(f, "Finesse's answer cannot be read: {error}"),
            Self::Object(name) => write!(f, "Finesse's answer is about `{name}`, which was not asked for"),
            Self::Token(error) => error.fmt(f),
        }
    }
}
