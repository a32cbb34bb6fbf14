//! Where Cisco's documents do not say enough, and what is done there: in one place, to be looked at when a server behaves
//! otherwise.

/// What is not written anywhere, or not clearly.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it is about.
    pub about: &'static str,
    /// What is done.
    pub done: &'static str,
    /// Why.
    pub because: &'static str,
}

/// The readings of REST and of notifications.
pub const READINGS: &[Reading] = &[
    Reading {
        about: "how a token of single sign-on is sent",
        done: "`Authorization: Bearer <token>`",
        because: "the documents seen speak of a token in JSON and of no header; RFC 6750 is what such tokens are sent by",
    },
    Reading {
        about: "the body of a refresh",
        done: "`token`, `refresh-token` and `return_user=yes` as a form, `cc_username` in the query, at the port of REST",
        because: "the Developer Guide lists the fields without an example, Client Integration has the query, neither a port",
    },
    Reading {
        about: "a refresh whose answer has no `refresh_token`",
        done: "the one before is kept",
        because: "the example of Client Integration has none, and another refresh needs one",
    },
    Reading {
        about: "a token that has expired while no server could be reached",
        done: "a new one is still asked for",
        because: "in the example the refresh token lasts two hours, the access token five minutes",
    },
    Reading {
        about: "a notification session whose token was renewed",
        done: "it stays; the next one is opened with the new token",
        because: "no document says that the session ends with the token that it was opened with",
    },
    Reading {
        about: "the order of elements in `UPDATE_CALL_DATA`",
        done: "`requestedAction`, then `mediaProperties` with `wrapUpReason` before `callvariables`; no `targetMediaAddress`",
        because: "Cisco's finesse.js names the elements; the object's own description has them in this order",
    },
    Reading {
        about: "the list of wrap-up reasons",
        done: "`WrapUpReasons` with `WrapUpReason` in it",
        because: "the object is documented, the list only through Cisco's finesse.js",
    },
    Reading {
        about: "the list of dialogs",
        done: "`Dialogs` with `Dialog` in it",
        because: "so it is in notifications and in Cisco's finesse.js; the sample of the list itself was not seen",
    },
    Reading {
        about: "the data of a dialog's own notification, and of a server's",
        done: "the object as GET gives it, with a capital or without",
        because: "the payload is described and not shown for a single dialog; captures have `user` where documents have `User`",
    },
    Reading {
        about: "a word that no document lists, such as a new state",
        done: "it is kept and handed on as it came",
        because: "releases add words, and the rest of the object is true all the same",
    },
    Reading {
        about: "401 that is not about the password",
        done: "the line of the agent goes on if `ErrorType` is `Invalid State`, `Invalid Supervisor` or `Invalid Authorization User \
               Specified`, and stops otherwise",
        because: "the Developer Guide lists these under 401; all else may be one of the five tries that an account has",
    },
    Reading {
        about: "a lock after five wrong passwords",
        done: "nobody tries the same password twice: the line stops at the first 401, and asks one request at a time until then",
        because: "how a locked account answers is not documented, so the lock is not to be met",
    },
    Reading {
        about: "503 without Finesse's own words, from a proxy",
        done: "as with them: the request was not done, and is sent again when a server is ready",
        because: "RFC 9110, 15.6.4: the server cannot handle the request now",
    },
    Reading {
        about: "where a 301 may lead",
        done: "to the same host over TLS, with method and body as they were",
        because: "documented is HTTP to HTTPS of the same server; another host would be given the agent's password",
    },
    Reading {
        about: "which requests do no harm when they come twice",
        done: "questions, signing in, changes of state, call data; calls, tones and signing out are sent once",
        because: "signing in twice is documented to keep the state; a second hold, drop or call is not what was asked for",
    },
];
