//! Any bytes are read as an answer of Finesse's REST interface or refused; what was read is read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use topoc_finesse_proto::dialog::Dialog;
use topoc_finesse_proto::reason_code::ReasonCategory;
use topoc_finesse_proto::rest::{Answer, Command, HttpResponse, Origin, Request};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::system_info::SystemInfo;
use topoc_finesse_proto::user::User;
use topoc_finesse_proto::xml::Limits;

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (status, which, body) = input;
    let agent = || "1001".to_owned();
    let command = match which % 7 {
        0 => Command::SystemInfo,
        1 => Command::User { agent: agent() },
        2 => Command::Dialogs { agent: agent() },
        3 => Command::Dialog { dialog: agent() },
        4 => Command::ReasonCodes { agent: agent(), category: ReasonCategory::NotReady },
        5 => Command::WrapUpReasons { agent: agent() },
        _ => Command::RefreshToken { user: agent(), token: Secret::new("a"), refresh: Secret::new("b") },
    };
    let request = Request::new(&command).expect("the ids are some");
    // Mostly a yes: other bodies are errors only.
    let status = if which & 0x80 == 0 { 200 } else { status };
    let response = HttpResponse { status, location: std::str::from_utf8(body).ok(), body };
    match request.read(&Origin::new("fin-a.test"), response, Limits::default()) {
        Ok(Answer::SystemInfo(info)) => assert_eq!(SystemInfo::read(&info.to_element()), *info),
        Ok(Answer::User(user)) => assert_eq!(User::read(&user.to_element()), *user),
        Ok(Answer::Dialog(dialog)) => assert_eq!(Dialog::read(&dialog.to_element()), *dialog),
        Ok(_) => {}
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
});
