//! What a client may ask of the connector, and how it is written.
//!
//! A request is a JMS message: `JMSType` is `Command#agent`, the body are the command's fields. Names of commands are read without
//! regard to case, spaces around both parts are dropped. There are two forms of body:
//!
//! * **Comma-separated**: `secret,2001`, the fields in the order of the command's row, spaces around each dropped; optional ones at
//!   the end may be missing. A value can contain no comma.
//! * **JSON**, when the body begins with `{`: `{"password": "secret", "extension": "2001"}`, the fields by name, each as it is.
//!   Nobody needs `JMSType` for the enclosed form `{"data": {"type": "Login#1001", "body": …}}`, whose `body` is either of the
//!   above; where there are both, they have to say the same. `sessionUrl`, `callbackFqdn` and `callbackEndpoint`, which the REST
//!   façade of the Generic Connector has beside `type`, are passed over: answers go over the broker.
//!
//! All is in one table, [`COMMANDS`]. [`Request::read`] reads, [`Request::to_commas`] and [`Request::to_json`] write.

mod fault;
mod json;
mod read;
mod request;
mod table;

pub use fault::{Fault, Part, Problem, Unwritable};
pub use read::{LONGEST_BODY, LONGEST_TYPE};
pub use request::{Request, Value};
pub use table::{Becomes, COMMANDS, Category, Field, Kind, NOT_COMMANDS, NotACommand, Origin, Row, Subject, find};
