//! What is written is read as it was, whatever the order of elements, their capitals, and what else stands between them.

use proptest::prelude::*;
use topoc_finesse_proto::dialog::{
    Action, CallVariable, Dialog, DialogState, MediaProperties, Participant, ParticipantState,
};
use topoc_finesse_proto::notification::{Event, Update};
use topoc_finesse_proto::reason_code::{ReasonCategory, ReasonCode};
use topoc_finesse_proto::rest::{Command, Request};
use topoc_finesse_proto::user::{MobileAgent, MobileMode, User, UserState};
use topoc_finesse_proto::xml::{self, Element, Limits, Node};

/// A text without space around it, with everything that XML has to escape.
fn text() -> impl Strategy<Value = String> {
    "[!-~é€😀]([ -~é€😀]{0,8}[!-~é€😀])?"
}

fn some() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text())
}

prop_compose! {
    fn reason_code()(
        uri in some(), category in some(), code in any::<Option<i64>>(), label in some(), for_all in any::<Option<bool>>(),
        system_code in any::<Option<bool>>(), own_id in any::<Option<i64>>()
    ) -> ReasonCode {
        let category = category.map(|word| ReasonCategory::from(word.as_str()));
        ReasonCode { uri, category, code, label, for_all, system_code, own_id }
    }
}

prop_compose! {
    fn user()(
        (login_id, extension, first_name, dialogs, uri) in (some(), some(), some(), some(), some()),
        state in some(), pending in some(), reason in any::<Option<i64>>(), code in reason_code(),
        roles in proptest::collection::vec(text(), 0..3), mode in some(), dial_number in some()
    ) -> User {
        let word = |word: Option<String>| word.map(|word| UserState::from(word.as_str()));
        let mobile = MobileAgent { mode: mode.map(|word| MobileMode::from(word.as_str())), dial_number };
        User {
            login_id, extension, first_name, dialogs, uri, roles,
            state: word(state), pending_state: word(pending), reason_code_id: reason,
            // An object of which nothing is known counts as absent.
            reason_code: Some(code).filter(|code| *code != ReasonCode::default()),
            mobile_agent: Some(mobile).filter(|mobile| *mobile != MobileAgent::default()),
            ..User::default()
        }
    }
}

prop_compose! {
    fn dialog()(
        id in text(), state in some(), to in some(), reason in some(),
        variables in proptest::collection::vec((text(), "[ -~\t\r\né]{0,12}"), 0..4),
        people in proptest::collection::vec((text(), text(), proptest::collection::vec(text(), 0..4)), 0..3)
    ) -> Dialog {
        let variable = |(name, value)| CallVariable { name, value };
        let person = |(address, state, actions): (String, String, Vec<String>)| Participant {
            actions: actions.iter().map(|word| Action::from(word.as_str())).collect(),
            media_address: Some(address),
            state: Some(ParticipantState::from(state.as_str())),
            ..Participant::default()
        };
        let call_variables = variables.into_iter().map(variable).collect();
        let properties = MediaProperties { wrap_up_reason: reason, call_variables, ..MediaProperties::default() };
        Dialog {
            own_id: Some(id),
            state: state.map(|word| DialogState::from(word.as_str())),
            to_address: to,
            media_properties: Some(properties).filter(|properties| *properties != MediaProperties::default()),
            participants: people.into_iter().map(person).collect(),
            ..Dialog::default()
        }
    }
}

/// The same in another order, with other capitals, and with elements in between that nobody knows. Lists keep their order.
fn disguise(element: &Element, chance: &mut u64) -> Element {
    let mut below = |bound: u64| {
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*chance >> 33) % bound
    };
    let name = match below(3) {
        0 => element.name.to_lowercase(),
        1 => element.name.to_uppercase(),
        _ => element.name.clone(),
    };
    let is_list = element.elements().count() > 1
        && element.elements().all(|child| Some(&child.name) == element.elements().next().map(|first| &first.name));
    let mut children: Vec<Node> = Vec::new();
    for node in &element.children {
        let node = match node {
            Node::Element(child) => Node::Element(disguise(child, chance)),
            Node::Text(text) => Node::Text(text.clone()),
        };
        let place = if is_list { children.len() } else { *chance as usize % (children.len() + 1) };
        children.insert(place, node);
    }
    if !children.is_empty() && matches!(children[0], Node::Element(_)) {
        let unknown = Element::new("newInAnotherRelease", "").saying("x").containing(Element::new("state", ""));
        children.insert(*chance as usize % (children.len() + 1), Node::Element(unknown));
    }
    Element { name, children, ..element.clone() }
}

fn over_the_wire(element: &Element) -> Element {
    xml::read(&element.to_string(), Limits::default()).expect("what is written can be read")
}

proptest! {
    #[test]
    fn users_come_as_they_went(user in user(), mut chance in any::<u64>()) {
        prop_assert_eq!(&User::read(&over_the_wire(&user.to_element())), &user);
        prop_assert_eq!(&User::read(&over_the_wire(&disguise(&user.to_element(), &mut chance))), &user);
    }

    #[test]
    fn dialogs_come_as_they_went(dialog in dialog(), mut chance in any::<u64>()) {
        prop_assert_eq!(&Dialog::read(&over_the_wire(&dialog.to_element())), &dialog);
        prop_assert_eq!(&Dialog::read(&over_the_wire(&disguise(&dialog.to_element(), &mut chance))), &dialog);
    }

    #[test]
    fn notifications_of_them_come_too(dialog in dialog(), mut chance in any::<u64>(), kind in 0_usize..3) {
        let part = |name, text: &str| Element::new(name, "").saying(text);
        let update = Element::new("Update", "")
            .containing(part("event", ["post", "PUT", "Delete"][kind]))
            .containing(part("source", "/finesse/api/User/1001/Dialogs"))
            .containing(Element::new("data", "").containing(Element::new("dialogs", "").containing(dialog.to_element())));
        let update = Update::read(&over_the_wire(&disguise(&update, &mut chance)));
        let id = dialog.id().unwrap_or_default().to_owned();
        let dialog = Box::new(dialog);
        let wanted = match kind {
            0 => Event::DialogAdded(dialog),
            1 => Event::DialogChanged(dialog),
            _ => Event::DialogRemoved { id, dialog: Some(dialog) },
        };
        let known: Vec<&Event> = update.events.iter().filter(|event| !matches!(event, Event::Unknown { .. })).collect();
        prop_assert_eq!(known, [&wanted]);
    }

    #[test]
    fn what_an_agent_types_stays_in_its_place(number in ".{0,20}", name in ".{1,10}", value in ".{0,20}") {
        let variables = vec![CallVariable { name, value }];
        let command = Command::MakeCall { agent: number.clone(), extension: "2001".into(), number: number.clone(), variables };
        let Ok(request) = Request::new(&command) else {
            prop_assert!(matches!(number.as_str(), "" | "." | ".."));
            return Ok(());
        };
        prop_assert_eq!(request.path.matches('/').count(), 5, "{}", request.path);
        prop_assert!(request.path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#&\"<>".contains(&byte)));
        let body = xml::read(request.body.as_ref().map_or("", |body| body.expose()), Limits::default()).expect("it is XML");
        let names: Vec<&str> = body.elements().map(|child| child.name.as_str()).collect();
        prop_assert_eq!(names, ["requestedAction", "fromAddress", "toAddress", "mediaProperties"]);
    }
}
