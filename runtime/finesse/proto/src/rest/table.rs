//! All commands of the REST interface that are used, one row each: code reads it, tests execute it, documents print it.

/// What a request does over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks.
    Get,
    /// Changes.
    Put,
    /// Makes something new.
    Post,
}

impl Method {
    /// As HTTP spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
        }
    }
}

/// Which of Finesse's queues a request goes through: there is one for each object, and it does one thing after the other
/// (Developer Guide 12.5(1), "API Request Format", on `requestId`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// None.
    None,
    /// The agent's.
    User,
    /// The call's.
    Dialog,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// No body.
    None,
    /// `application/xml`.
    Xml,
    /// `application/x-www-form-urlencoded`.
    Fields,
}

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Nothing but the word that it was accepted. What comes of it is told by a notification.
    Accepted,
    /// A `SystemInfo`.
    SystemInfo,
    /// A `User`.
    User,
    /// A `Dialog`.
    Dialog,
    /// `Dialogs`.
    Dialogs,
    /// `ReasonCodes`.
    ReasonCodes,
    /// `WrapUpReasons`.
    WrapUpReasons,
    /// A token, in JSON.
    Token,
}

/// What may happen if Finesse gets a request twice: once unheard, and once again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing else than if it had come once.
    Harmless,
    /// Something that nobody asked for, or an error about what has worked.
    Harmful,
}

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name in our messages.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path; `{name}` stands for an argument.
    pub path: &'static str,
    /// The body; `{name}` stands for an argument, and an element whose arguments are all missing is left out. Empty if none.
    pub body: &'static str,
    /// How the body is written.
    pub form: Form,
    /// Whose queue in Finesse it goes through.
    pub object: Object,
    /// Statuses that mean yes.
    pub accepted: &'static [u16],
    /// Statuses that the document lists for a no. 503 is common to all.
    pub refused: &'static [u16],
    /// What comes back with a yes.
    pub answers: Answers,
    /// What a second one does.
    pub repeat: Repeat,
    /// The document and its section.
    pub source: &'static str,
}

macro_rules! commands {
    ($( $constant:ident $name:literal $method:ident $path:literal $form:ident $body:literal $object:ident
        $accepted:tt $refused:tt $answers:ident $repeat:ident $source:literal )*) => {
        $(
            #[doc = $name]
            pub(crate) const $constant: &Row = &Row {
                name: $name,
                method: Method::$method,
                path: $path,
                body: $body,
                form: Form::$form,
                object: Object::$object,
                accepted: &$accepted,
                refused: &$refused,
                answers: Answers::$answers,
                repeat: Repeat::$repeat,
                source: $source,
            };
        )*

        /// The table. The Developer Guide is Cisco's "Finesse Web Services Developer and JavaScript Guide", release 12.5(1).
        pub const COMMANDS: &[&Row] = &[$($constant),*];
    };
}

commands! {
    SYSTEM_INFO "system-info" Get "/finesse/api/SystemInfo" None "" None
        [200] [500] SystemInfo Harmless "Developer Guide, SystemInfo—Get"
    USER "user" Get "/finesse/api/User/{agent}" None "" User
        [200] [400, 401, 404, 500] User Harmless "Developer Guide, User—Get"
    DIALOGS "dialogs" Get "/finesse/api/User/{agent}/Dialogs" None "" User
        [200] [400, 401, 404, 500] Dialogs Harmless "Developer Guide, User—Get List of Dialogs (Voice)"
    DIALOG "dialog" Get "/finesse/api/Dialog/{dialog}" None "" Dialog
        [200] [400, 401, 404, 500] Dialog Harmless "Developer Guide, Dialog—Get"
    REASON_CODES "reason-codes" Get "/finesse/api/User/{agent}/ReasonCodes?category={category}" None "" User
        [200] [400, 401, 404, 500] ReasonCodes Harmless "Developer Guide, User—Get Reason Code List"
    WRAP_UP_REASONS "wrap-up-reasons" Get "/finesse/api/User/{agent}/WrapUpReasons" None "" User
        [200] [400, 401, 404, 500] WrapUpReasons Harmless "Developer Guide, User—Get Wrap-Up Reason List; Cisco's finesse.js 10.5(1), WrapUpReasons"
    SIGN_IN "sign-in" Put "/finesse/api/User/{agent}" Xml
        "<User><state>LOGIN</state><extension>{extension}</extension><mobileAgent><mode>{mode}</mode><dialNumber>{number}</dialNumber></mobileAgent></User>" User
        [200, 202] [400, 401, 404, 500] Accepted Harmless "Developer Guide, User—Sign In to Finesse; User—Sign In as a Mobile Agent"
    CHANGE_STATE "change-state" Put "/finesse/api/User/{agent}" Xml
        "<User><state>{state}</state><reasonCodeId>{reason}</reasonCodeId></User>" User
        [200, 202] [400, 401, 404, 500] Accepted Harmless "Developer Guide, User—Change Agent State"
    SIGN_OUT "sign-out" Put "/finesse/api/User/{agent}" Xml
        "<User><state>LOGOUT</state><reasonCodeId>{reason}</reasonCodeId></User>" User
        [200, 202] [400, 401, 404, 500] Accepted Harmful "Developer Guide, User—Sign Out of Finesse; User—Change Agent State With Reason Code"
    MAKE_CALL "make-call" Post "/finesse/api/User/{agent}/Dialogs" Xml
        "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>{extension}</fromAddress><toAddress>{number}</toAddress><mediaProperties><callvariables>{variables}</callvariables></mediaProperties></Dialog>" User
        [200, 202] [400, 401, 500] Accepted Harmful "Developer Guide, Dialog—Create a New Dialog (Make a Call)"
    ACT "act" Put "/finesse/api/Dialog/{dialog}" Xml
        "<Dialog><targetMediaAddress>{extension}</targetMediaAddress><requestedAction>{action}</requestedAction></Dialog>" Dialog
        [200, 202] [400, 401, 404, 500, 501] Accepted Harmful "Developer Guide, Dialog—Take Action on a Participant Within a Dialog"
    CONSULT "consult" Put "/finesse/api/Dialog/{dialog}" Xml
        "<Dialog><requestedAction>CONSULT_CALL</requestedAction><toAddress>{number}</toAddress><targetMediaAddress>{extension}</targetMediaAddress></Dialog>" Dialog
        [200, 202] [400, 401, 404, 500] Accepted Harmful "Developer Guide, Dialog—Make a Consult Call Request"
    TRANSFER_SINGLE_STEP "transfer-single-step" Put "/finesse/api/Dialog/{dialog}" Xml
        "<Dialog><requestedAction>TRANSFER_SST</requestedAction><toAddress>{number}</toAddress><targetMediaAddress>{extension}</targetMediaAddress></Dialog>" Dialog
        [200, 202] [400, 401, 404, 500] Accepted Harmful "Developer Guide, Dialog—Initiate a Single Step Transfer"
    UPDATE_CALL_DATA "update-call-data" Put "/finesse/api/Dialog/{dialog}" Xml
        "<Dialog><requestedAction>UPDATE_CALL_DATA</requestedAction><mediaProperties><wrapUpReason>{reason}</wrapUpReason><callvariables>{variables}</callvariables></mediaProperties></Dialog>" Dialog
        [200, 202] [400, 401, 404, 500] Accepted Harmless "Developer Guide, Dialog—Update Call Variable Data; Cisco's finesse.js 10.5(1), Dialog.updateWrapUpReason"
    SEND_DTMF "send-dtmf" Put "/finesse/api/Dialog/{dialog}" Xml
        "<Dialog><requestedAction>SEND_DTMF</requestedAction><targetMediaAddress>{extension}</targetMediaAddress><actionParams><ActionParam><name>dtmfString</name><value>{tones}</value></ActionParam></actionParams></Dialog>" Dialog
        [200, 202] [400, 401, 404, 500] Accepted Harmful "Developer Guide, Dialog—Send DTMF String"
    REFRESH_TOKEN "refresh-token" Post "/desktop/sso/token?cc_username={user}" Fields
        "token={token}&refresh-token={refresh}&return_user=yes" None
        [200] [400, 401, 500] Token Harmful "Developer Guide, Single Sign-On—Refresh Existing Access Token; developer.cisco.com/docs/finesse, Client Integration"
}
