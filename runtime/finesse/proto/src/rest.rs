//! Finesse's REST interface as values: what is asked, and what was answered.
//!
//! A [`Command`] is what an agent wants. [`Request::new`] makes of it what goes over the wire, from one row of [`COMMANDS`];
//! [`Request::read`] makes of the answer an [`Answer`] or a [`Refusal`]. Who may ask when is decided by [`crate::line`].

mod answer;
mod command;
mod credentials;
mod origin;
mod request;
mod table;
mod token;

pub use answer::{Answer, HttpResponse, Refusal, Unreadable};
pub use command::Command;
pub use credentials::Credentials;
pub use origin::{DEFAULT_PORT, Origin, OriginError};
pub use request::{NoId, Request};
pub use table::{Answers, COMMANDS, Form, Method, Object, Repeat, Row};
pub use token::{Token, TokenError, Tokens};
