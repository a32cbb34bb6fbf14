//! What Finesse says when it refuses: `ApiErrors` in REST, `apiErrors` in notifications.
//!
//! Developer Guide 12.5(1), "API Errors" and "Dialog CTI Error Notification". The capitals differ between the two, the order of
//! elements between servers.

use std::fmt;

use crate::record::record;
use crate::xml::Element;

record! {
    /// One error, in Finesse's own words.
    ApiError "ApiError" {
        /// Its kind: `Authorization Failure`, `Invalid State`, `Call Operation Failure`.
        "ErrorType" kind: Option<String>;
        /// What is wrong: `UNAUTHORIZED`, `CF_INVALID_OBJECT_STATE`, or a sentence.
        "ErrorMessage" message: Option<String>;
        /// What it is about: a user, a number of the CTI server.
        "ErrorData" data: Option<String>;
        /// The peripheral's number for it (notifications only).
        "peripheralErrorCode" peripheral_code: Option<i64>;
        /// The peripheral's name for it: `PERERR_TELDRIVE_NODEVICETARGETFORNETTARGETID`.
        "peripheralErrorMsg" peripheral_name: Option<String>;
        /// The peripheral's sentence about it.
        "peripheralErrorText" peripheral_text: Option<String>;
    }
}

impl ApiError {
    /// Reads `ApiErrors` or `apiErrors`.
    #[must_use]
    pub fn read_list(list: &Element) -> Vec<Self> {
        crate::record::list_of(list, Self::ELEMENT)
    }

    /// Whether Finesse lost a server that it needs: it answers every request with this, status 503 (Developer Guide 12.5(1),
    /// "Cisco Finesse API Errors").
    #[must_use]
    pub fn is_out_of_service(&self) -> bool {
        self.message.as_deref() == Some("SERVER_OUT_OF_SERVICE")
    }
}

/// `Invalid State: CF_INVALID_OBJECT_STATE (22)`.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_deref().unwrap_or("unnamed error"))?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(data) = &self.data {
            write!(f, " ({data})")?;
        }
        Ok(())
    }
}
