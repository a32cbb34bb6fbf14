//! Objects of Finesse are read from what real servers and documents have, in any order and with any capitals.

use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::dialog::{Action, Dialog, DialogState, ParticipantState};
use topoc_finesse_proto::reason_code::ReasonCode;
use topoc_finesse_proto::system_info::{MaintenanceMode, Status, SystemInfo};
use topoc_finesse_proto::uri::Resource;
use topoc_finesse_proto::user::{User, UserState};
use topoc_finesse_proto::xml::{self, Element};

fn element(text: &str) -> Element {
    xml::read(text, xml::Limits::default()).expect("the test has XML")
}

#[test]
fn an_empty_element_says_as_much_as_none() {
    let user = User::read(&element("<user><extension/><pendingState> </pendingState><mobileAgent/><teams/></user>"));
    assert_eq!(user, User::default());
}

#[test]
fn no_reason_is_minus_one() {
    assert_eq!(User::read(&element("<user><reasonCodeId>-1</reasonCodeId></user>")).reason(), None);
    assert_eq!(User::read(&element("<user><reasonCodeId>16</reasonCodeId></user>")).reason(), Some(16));
}

#[test]
fn a_state_that_nobody_lists_is_kept() {
    let user = User::read(&element("<User><state>DREAMING</state></User>"));
    let state = user.state.unwrap();
    assert_eq!((state.as_str(), state.is_signed_in()), ("DREAMING", None));
    assert_eq!(UserState::from("TALKING").is_signed_in(), Some(true));
    assert_eq!(UserState::from("LOGOUT").is_signed_in(), Some(false));
}

#[test]
fn every_known_word_is_read_as_itself() {
    for state in UserState::KNOWN {
        assert_eq!(&UserState::from(state.as_str()), state);
    }
    for action in Action::KNOWN {
        assert_eq!(&Action::from(action.as_str()), action);
    }
}

#[test]
fn ids_are_found_in_addresses() {
    let dialog = Dialog::read(&element("<Dialog><uri>/finesse/api/Dialog/16804377</uri></Dialog>"));
    assert_eq!(dialog.id(), Some("16804377"));
    let user = User::read(&element("<user><uri>/finesse/api/User/1001</uri></user>"));
    assert_eq!(user.id(), Some("1001"));
    let reason = ReasonCode::read(&element("<ReasonCode><uri>/finesse/api/ReasonCode/16</uri></ReasonCode>"));
    assert_eq!(reason.id(), Some(16));
}

#[test]
fn a_dialog_tells_what_its_participants_may_do() {
    let dialog = Dialog::read(&element(
        "<Dialog><participants><Participant><mediaAddress>2001</mediaAddress><state>HELD</state>\
         <actions><action>RETRIEVE</action><action>DROP</action><action>SING</action></actions></Participant>\
         <Participant/></participants><state>ACTIVE</state></Dialog>",
    ));
    assert_eq!(dialog.state, Some(DialogState::Active));
    assert_eq!(dialog.participant("2001").unwrap().state, Some(ParticipantState::Held));
    assert!(dialog.allows("2001", &Action::Retrieve) && dialog.allows("2001", &Action::from("SING")));
    assert!(!dialog.allows("2001", &Action::Hold) && !dialog.allows("2002", &Action::Drop));
    assert_eq!(dialog.participants.len(), 1, "a participant of whom nothing is known is none");
}

#[test]
fn values_of_call_variables_keep_their_blanks() {
    let dialog = Dialog::read(&element(
        "<Dialog><mediaProperties><callVariables><CallVariable><value> a </value><name> callVariable1 </name></CallVariable>\
         <CallVariable><name>callVariable2</name></CallVariable><CallVariable><value>x</value></CallVariable></callVariables>\
         </mediaProperties></Dialog>",
    ));
    let variables = dialog.media_properties.unwrap().call_variables;
    let variables: Vec<_> = variables.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
    assert_eq!(variables, [("callVariable1", " a "), ("callVariable2", "")]);
}

fn pair(own: &str, primary: &str, secondary: &str) -> SystemInfo {
    SystemInfo::read(&element(&format!(
        "<SystemInfo><xmppDomain>{own}</xmppDomain><primaryNode><host>{primary}</host></primaryNode>\
         <secondaryNode><host>{secondary}</host><httpsPort>8445</httpsPort></secondaryNode></SystemInfo>"
    )))
}

#[test]
fn the_alternate_is_the_node_that_is_not_this_one() {
    let host = |info: &SystemInfo| info.alternate().and_then(|node| node.host.clone());
    assert_eq!(host(&pair("fin-a.test", "fin-a.test", "fin-b.test")).as_deref(), Some("fin-b.test"));
    assert_eq!(host(&pair("FIN-B.test", "fin-a.test", "fin-b.test")).as_deref(), Some("fin-a.test"));
    assert_eq!(host(&pair("fin-a.test", "fin-a.test", "")), None, "one node only");
    assert_eq!(host(&pair("fin-c.test", "fin-a.test", "fin-b.test")), None, "neither is this one");
    assert_eq!(host(&pair("fin-a.test", "fin-a.test", "fin-a.test")), None, "both are this one");
}

#[test]
fn a_server_says_whether_it_can_be_used() {
    let read = |text: &str| SystemInfo::read(&element(text));
    let info = read("<SystemInfo><status>IN_SERVICE</status><finesseMMode/></SystemInfo>");
    assert!(info.is_in_service() && !info.is_draining());
    let info = read("<SystemInfo><status>OUT_OF_SERVICE</status><finesseMMode>IN_PROGRESS</finesseMMode></SystemInfo>");
    assert_eq!(
        (info.status, info.finesse_maintenance),
        (Some(Status::OutOfService), Some(MaintenanceMode::InProgress))
    );
    assert!(!read("<SystemInfo/>").is_in_service());
}

#[test]
fn errors_are_read_with_either_capitals() {
    let rest = "<ApiErrors><ApiError><ErrorMessage>UNAUTHORIZED</ErrorMessage><ErrorType>Authorization Failure</ErrorType>\
                <ErrorData>jsmith</ErrorData></ApiError></ApiErrors>";
    let xmpp = "<apiErrors><apiError><errorType>Authorization Failure</errorType><errorData>jsmith</errorData>\
                <errorMessage>UNAUTHORIZED</errorMessage></apiError></apiErrors>";
    let errors = ApiError::read_list(&element(rest));
    assert_eq!(errors, ApiError::read_list(&element(xmpp)));
    assert_eq!(errors[0].to_string(), "Authorization Failure: UNAUTHORIZED (jsmith)");
}

#[test]
fn addresses_say_whose_they_are() {
    for (uri, resource) in [
        ("/finesse/api/SystemInfo", Resource::SystemInfo),
        ("https://fin-a.test:8445/finesse/api/User/1001/", Resource::User("1001".into())),
        (" /finesse/api/User/1001/Dialogs", Resource::Dialogs("1001".into())),
        ("/finesse/api/Dialog/16804377", Resource::Dialog("16804377".into())),
        ("/finesse/api/Team/5/Users", Resource::Other("/finesse/api/Team/5/Users".into())),
        ("", Resource::Other(String::new())),
    ] {
        assert_eq!(Resource::read(uri), resource);
    }
}
