//! A request that was understood, how it is written, and what Finesse is asked for it.

use serde_json::{Map, Value as JsonValue};
use topoc_finesse_proto::rest::Command;
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::user::{MobileAgent, MobileMode};

use super::fault::Unwritable;
use super::table::{Becomes, Field, Row};

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text: a phone, the id of a call, a destination.
    Text(String),
    /// A password or a token.
    Secret(Secret),
    /// The id of a reason.
    Reason(i64),
    /// Yes or no. The word `SSO` is a yes.
    Flag(bool),
}

/// A request that was understood. Only [`Request::read`] makes one, so that its fields are those of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) row: &'static Row,
    pub(super) subject: String,
    /// One for each field of the row.
    pub(super) values: Vec<Option<Value>>,
}

impl Request {
    /// The command.
    #[must_use]
    pub const fn row(&self) -> &'static Row {
        self.row
    }

    /// The agent's id, or the client's destination: what the row's [`Subject`](super::Subject) says.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The value of a field; `None` if it is not there.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        let place = self.row.fields.iter().position(|one| one.name == field)?;
        self.values.get(place)?.as_ref()
    }

    /// A field that is a text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.value(field)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The password or token.
    #[must_use]
    pub fn password(&self) -> Option<&Secret> {
        match self.value("password")? {
            Value::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// The fields of the row with their values.
    fn fields(&self) -> impl DoubleEndedIterator<Item = (&'static Field, Option<&Value>)> {
        self.row.fields.iter().zip(self.values.iter().map(Option::as_ref))
    }

    /// `Command#agent`, for `JMSType`.
    #[must_use]
    pub fn jms_type(&self) -> String {
        format!("{}#{}", self.row.name, self.subject)
    }

    /// The body, comma-separated. It may hold a password.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] if a value cannot stand between commas.
    pub fn to_commas(&self) -> Result<Secret, Unwritable> {
        let last = self.values.iter().rposition(Option::is_some).map_or(0, |place| place + 1);
        let mut body = String::new();
        for (place, (field, value)) in self.fields().take(last).enumerate() {
            let text = value.map_or_else(|| Secret::new(""), |value| written(field, value));
            let text = text.expose();
            if text.contains(',') || text.trim() != text || (place == 0 && text.starts_with('{')) {
                return Err(Unwritable(field.name));
            }
            if place > 0 {
                body.push(',');
            }
            body.push_str(text);
        }
        Ok(Secret::new(body))
    }

    /// The body in JSON. It may hold a password.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        let mut object = Map::new();
        for (field, value) in self.fields() {
            let value = match value {
                Some(Value::Reason(id)) => JsonValue::from(*id),
                Some(Value::Flag(flag)) => JsonValue::from(*flag),
                Some(other) => JsonValue::from(written(field, other).expose()),
                None => continue,
            };
            object.insert(field.name.to_owned(), value);
        }
        Secret::new(JsonValue::Object(object).to_string())
    }

    /// What Finesse is asked; `None` for what the connector does alone. `extension` is the phone that the agent is signed in with.
    #[must_use]
    pub fn command(&self, extension: &str) -> Option<Command> {
        let agent = || self.subject.clone();
        let extension = || extension.to_owned();
        let dialog = || self.text("dialog_id").map(str::to_owned);
        let number = || self.text("number").map(str::to_owned);
        let reason = match self.value("reason") {
            Some(Value::Reason(id)) => Some(*id),
            _ => None,
        };
        Some(match &self.row.becomes {
            Becomes::Status | Becomes::Bind | Becomes::Unbind => return None,
            Becomes::SignIn => {
                let phone = self.text("extension")?.to_owned();
                Command::SignIn { agent: agent(), extension: phone, mobile: self.mobile() }
            }
            Becomes::SignOut => Command::SignOut { agent: agent(), reason },
            Becomes::State(state) => Command::ChangeState { agent: agent(), state: state.clone(), reason },
            Becomes::ReadAgent => Command::User { agent: agent() },
            Becomes::ReadDialogs => Command::Dialogs { agent: agent() },
            Becomes::MakeCall => {
                Command::MakeCall { agent: agent(), extension: extension(), number: number()?, variables: Vec::new() }
            }
            Becomes::Act(action) => Command::Act { dialog: dialog()?, extension: extension(), action: action.clone() },
            Becomes::Consult => Command::Consult { dialog: dialog()?, extension: extension(), number: number()? },
            Becomes::TransferSingleStep => {
                Command::TransferSingleStep { dialog: dialog()?, extension: extension(), number: number()? }
            }
            Becomes::WrapUp => Command::UpdateCallData {
                dialog: dialog()?,
                reason: Some(self.text("reason")?.to_owned()),
                variables: Vec::new(),
            },
            Becomes::ReasonCodes(category) => Command::ReasonCodes { agent: agent(), category: category.clone() },
            Becomes::WrapUpReasons => Command::WrapUpReasons { agent: agent() },
        })
    }

    /// How a mobile agent is reached, if it is one.
    fn mobile(&self) -> Option<MobileAgent> {
        let mode = match self.value("mode")? {
            Value::Flag(true) => MobileMode::CallByCall,
            _ => MobileMode::NailedConnection,
        };
        Some(MobileAgent { mode: Some(mode), dial_number: self.text("phone").map(str::to_owned) })
    }
}

/// A value as the comma-separated form has it.
fn written(field: &Field, value: &Value) -> Secret {
    match value {
        Value::Text(text) => Secret::new(text),
        Value::Secret(secret) => secret.clone(),
        Value::Reason(id) => Secret::new(id.to_string()),
        Value::Flag(flag) if field.kind == super::table::Kind::Sso => Secret::new(if *flag { "SSO" } else { "" }),
        Value::Flag(flag) => Secret::new(flag.to_string()),
    }
}
