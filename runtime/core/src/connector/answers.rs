//! What a client is told of its request.

use topoc_finesse_proto::line::{Outcome, Why};
use topoc_finesse_proto::rest::{Answer, Refusal};

use crate::command::{Becomes, Row};
use crate::event::{self, AgentState, Error, Told};

/// Why a request was not done. Codes are words for programs, messages sentences for people.
pub(super) fn error(code: &str, message: impl Into<String>) -> Told {
    Told::Error(Error { code: code.to_owned(), message: message.into() })
}

/// Finesse has accepted it, or shows that it is done.
pub(super) fn accepted(row: &Row) -> Told {
    Told::Outcome(event::Outcome { command: row.name.to_owned(), outcome: event::Result::Accepted })
}

/// Nobody knows whether it was done.
pub(super) fn unknown(row: &Row) -> Told {
    Told::Outcome(event::Outcome { command: row.name.to_owned(), outcome: event::Result::OutcomeUnknown })
}

/// Too much is in hand.
pub(super) fn busy() -> Told {
    error("BUSY", "too many requests wait: send it again later")
}

/// It was of no use any more before it could be done.
pub(super) fn expired() -> Told {
    error("EXPIRED", "its time was over before Finesse could be asked, and it was not done")
}

/// There is no session of the agent.
pub(super) fn not_connected() -> Told {
    error("NOT_CONNECTED", "the agent has no session: send `Connect` first")
}

/// The password is wrong.
pub(super) fn wrong_password() -> Told {
    error("WRONG_PASSWORD", "Finesse does not accept the password; five wrong ones in a row block the account")
}

/// No server of Finesse can say anything.
pub(super) fn unavailable(why: impl Into<String>) -> Told {
    error("FINESSE_UNAVAILABLE", why)
}

/// What came of asking Finesse.
pub(super) fn of(row: &Row, outcome: Outcome) -> Told {
    match outcome {
        Outcome::Answer(answer) => of_answer(row, answer),
        Outcome::Refused(refusal) if refusal.may_have_been_done() && !row.is_question() => unknown(row),
        Outcome::Refused(refusal) => of_refusal(&refusal),
        Outcome::Unknown(_) if !row.is_question() => unknown(row),
        Outcome::NotDone(why) | Outcome::Unknown(why) => match why {
            Why::Full => busy(),
            Why::Stopped => wrong_password(),
            Why::Late => expired(),
            Why::Trouble(trouble) => unavailable(trouble.to_string()),
        },
    }
}

fn of_answer(row: &Row, answer: Answer) -> Told {
    match (answer, &row.becomes) {
        (Answer::User(user), _) => Told::AgentState(AgentState::from(&*user)),
        (Answer::Dialogs(dialogs), _) => Told::of_calls(&dialogs),
        (Answer::ReasonCodes(reasons), Becomes::ReasonCodes(category)) => Told::of_reasons(category, &reasons),
        (Answer::WrapUpReasons(reasons), _) => Told::of_wrap_up_reasons(&reasons),
        _ => accepted(row),
    }
}

fn of_refusal(refusal: &Refusal) -> Told {
    if matches!(refusal, Refusal::Unauthorized(_)) {
        return wrong_password();
    }
    // Finesse's own word, `CF_INVALID_OBJECT_STATE`, where it is one.
    let is_word = |text: &&str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte))
    };
    let word = refusal.errors().iter().find_map(|error| error.message.as_deref().filter(is_word));
    error(word.unwrap_or("REFUSED"), refusal.to_string())
}
