//! Why an agent is not ready or signs out, as the centre has configured it.
//!
//! Developer Guide 12.5(1), "User—Get Reason Code List" and "ReasonCode".

use crate::record::{record, words};
use crate::xml::Element;

words! {
    /// What a reason is for.
    ReasonCategory {
        /// For not being ready.
        "NOT_READY" NotReady,
        /// For signing out.
        "LOGOUT" Logout,
    }
}

record! {
    /// The `ReasonCode` object. Requests name it by its id, which is not its code.
    ReasonCode "ReasonCode" {
        /// Where it is found: `/finesse/api/ReasonCode/16`.
        "uri" uri: Option<String>;
        /// What it is for.
        "category" category: Option<ReasonCategory>;
        /// The number that reports show.
        "code" code: Option<i64>;
        /// What the agent reads.
        "label" label: Option<String>;
        /// Whether all teams have it.
        "forAll" for_all: Option<bool>;
        /// Whether the centre's own software uses it, not agents.
        "systemCode" system_code: Option<bool>;
        /// Its id, in newer releases. Read it with [`ReasonCode::id`].
        "id" own_id: Option<i64>;
    }
}

impl ReasonCode {
    /// The id that a change of state names: as it stands there, or the end of `uri`.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        self.own_id.or_else(|| crate::uri::last(self.uri.as_deref()?)?.parse().ok())
    }

    /// Reads `ReasonCodes`.
    #[must_use]
    pub fn read_list(list: &Element) -> Vec<Self> {
        crate::record::list_of(list, Self::ELEMENT)
    }
}

record! {
    /// The `WrapUpReason` object: what an agent may say of a call after it (Developer Guide 12.5(1), "WrapUpReason").
    WrapUpReason "WrapUpReason" {
        /// Where it is found.
        "uri" uri: Option<String>;
        /// What the agent reads, and what a dialog's `wrapUpReason` says.
        "label" label: Option<String>;
        /// Whether all teams have it.
        "forAll" for_all: Option<bool>;
    }
}

impl WrapUpReason {
    /// Reads `WrapUpReasons`.
    #[must_use]
    pub fn read_list(list: &Element) -> Vec<Self> {
        crate::record::list_of(list, Self::ELEMENT)
    }
}
