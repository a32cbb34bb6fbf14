//! Requests, credentials, tokens and answers: what is sent where, and what is never sent or shown.

use std::time::Duration;

use topoc_finesse_proto::reason_code::ReasonCategory;
use topoc_finesse_proto::rest::{
    Answer, Answers, COMMANDS, Command, Credentials, Form, HttpResponse, NoId, Object, Origin, OriginError, Refusal,
    Repeat, Request, Token, TokenError, Tokens, Unreadable,
};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::user::UserState;
use topoc_finesse_proto::xml::{self, Limits};

fn request(command: &Command) -> Request {
    Request::new(command).expect("the ids are some")
}

fn user(agent: &str) -> Command {
    Command::User { agent: agent.into() }
}

#[test]
fn every_row_of_the_table_can_be_used() {
    for row in COMMANDS {
        assert!(row.path.starts_with('/') && !row.source.is_empty() && !row.accepted.is_empty(), "{row:?}");
        assert!(row.accepted.iter().all(|status| !row.refused.contains(status)), "{}", row.name);
        assert!(row.refused.iter().all(|status| (400..=599).contains(status)), "{}", row.name);
        match row.form {
            Form::None => assert!(row.body.is_empty() && row.method.as_str() == "GET", "{}", row.name),
            Form::Xml => assert!(xml::read(row.body, Limits::default()).is_ok(), "{}", row.name),
            Form::Fields => assert!(!row.body.contains('<'), "{}", row.name),
        }
        // A question may always be asked again, and only a question brings an object.
        if row.method.as_str() == "GET" {
            assert!(row.repeat == Repeat::Harmless && row.answers != Answers::Accepted, "{}", row.name);
        }
        assert_eq!(row.path.contains("{agent}"), row.object == Object::User, "{}", row.name);
        assert_eq!(row.path.contains("{dialog}"), row.object == Object::Dialog, "{}", row.name);
    }
    let mut names: Vec<_> = COMMANDS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), COMMANDS.len(), "no two of a name");
}

#[test]
fn an_id_stays_one_part_of_its_path() {
    assert_eq!(request(&user("a/b?c#d e%2F.é")).path, "/finesse/api/User/a%2Fb%3Fc%23d%20e%252F.%C3%A9");
    for none in ["", ".", ".."] {
        assert_eq!(Request::new(&user(none)), Err(NoId { command: "user", argument: "agent" }));
    }
    let codes = Command::ReasonCodes { agent: "1".into(), category: ReasonCategory::from("a&b=c") };
    assert_eq!(request(&codes).path, "/finesse/api/User/1/ReasonCodes?category=a%26b%3Dc");
}

#[test]
fn text_of_strangers_stays_text() {
    let state = Command::ChangeState { agent: "1".into(), state: UserState::from("</state>{reason}&"), reason: None };
    let body = request(&state).body.expect("a body");
    assert_eq!(body.expose(), "<User><state>&lt;/state&gt;{reason}&amp;</state></User>");
}

#[test]
fn no_secret_is_shown() {
    let (tones, password, token) = (Secret::new("4711"), Secret::new("geheim"), Secret::new("eyJ0"));
    let dtmf = Command::SendDtmf { dialog: "1".into(), extension: "2001".into(), tones };
    let refresh = Command::RefreshToken { user: "ada".into(), token: token.clone(), refresh: Secret::new("eyJ1") };
    let basic = Credentials::Basic { user: "1001".into(), password };
    let bearer = Credentials::Bearer(token);
    let given = Token::read(br#"{"token":"eyJ0","refresh_token":"eyJ1","expires_in":300}"#).expect("a token");
    let tokens = Tokens::new("ada", given.clone(), Duration::ZERO);
    let shown = [
        format!("{dtmf:?} {:?}", request(&dtmf)),
        format!("{refresh:?} {:?}", request(&refresh)),
        format!("{basic:?} {:?} {bearer:?} {:?}", basic.header(), bearer.header()),
        format!("{given:?} {tokens:?} {:?}", Token::read(br#"{"token":"eyJ0"}"#)),
    ];
    for text in shown {
        for secret in ["4711", "geheim", "eyJ0", "eyJ1", "Z2VoZWlt", "MTAwMTpnZWhlaW0"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert_eq!(basic.header().expose(), "Basic MTAwMTpnZWhlaW0=");
    assert_eq!(bearer.header().expose(), "Bearer eyJ0");
}

#[test]
fn a_refresh_is_a_form() {
    let command = Command::RefreshToken { user: "a b".into(), token: Secret::new("x.y=&"), refresh: Secret::new("z+") };
    let request = request(&command);
    assert_eq!(request.path, "/desktop/sso/token?cc_username=a%20b");
    assert_eq!(request.body.as_ref().map(Secret::expose), Some("token=x.y%3D%26&refresh-token=z%2B&return_user=yes"));
    assert_eq!(request.content_type(), Some("application/x-www-form-urlencoded"));
}

fn read(command: &Command, status: u16, location: Option<&str>, body: &[u8]) -> Result<Answer, Refusal> {
    let plain = Origin { tls: false, host: "fin-a.test".into(), port: 80 };
    request(command).read(&plain, HttpResponse { status, location, body }, Limits::default())
}

#[test]
fn an_answer_is_what_was_asked_for() {
    let asked = user("1001");
    let unreadable = |body: &[u8]| match read(&asked, 200, None, body) {
        Err(Refusal::Unreadable(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(unreadable(b"<html/>"), Unreadable::Object("html".into()));
    assert_eq!(unreadable(b"\xff"), Unreadable::Encoding);
    assert!(matches!(unreadable(b"<User>"), Unreadable::Xml(_)));
    assert!(matches!(read(&asked, 200, None, b"<user/>"), Ok(Answer::User(_))));
    let state = Command::ChangeState { agent: "1001".into(), state: UserState::Ready, reason: None };
    for status in [200, 202] {
        assert_eq!(read(&state, status, None, b"anything"), Ok(Answer::Accepted));
    }
    assert_eq!(read(&asked, 202, None, b""), Err(Refusal::Unexpected(202)), "no object, no answer");
}

#[test]
fn a_no_says_whether_it_may_have_been_done() {
    let state = Command::ChangeState { agent: "1001".into(), state: UserState::Ready, reason: None };
    let page = b"<html>Tomcat's own page";
    let refusal = |status| read(&state, status, None, page).expect_err("a no");
    assert_eq!(refusal(401), Refusal::Unauthorized(Vec::new()));
    assert_eq!(refusal(404), Refusal::Refused { status: 404, errors: Vec::new() });
    assert_eq!(refusal(503), Refusal::OutOfService(Vec::new()));
    for status in [400, 401, 403, 404, 409, 429, 503] {
        assert!(!refusal(status).may_have_been_done(), "{status}");
    }
    for status in [500, 502, 504, 204, 304, 999] {
        assert!(refusal(status).may_have_been_done(), "{status}");
    }
}

#[test]
fn credentials_follow_to_the_same_host_over_tls_only() {
    let go = |location: &str| match read(&user("1"), 301, Some(location), b"") {
        Err(Refusal::Moved(origin)) => Ok(origin.to_string()),
        Err(Refusal::MovedAway(error)) => Err(error),
        other => panic!("{other:?}"),
    };
    assert_eq!(go("https://fin-a.test:8445/finesse/api/User/1").as_deref(), Ok("https://fin-a.test:8445"));
    assert_eq!(go("HTTPS://FIN-A.test/x").as_deref(), Ok("https://fin-a.test:443"));
    assert_eq!(go("https://evil.test/"), Err(OriginError::OtherHost("evil.test".into())));
    assert_eq!(go("http://fin-a.test:8445/"), Err(OriginError::NoTls));
    for none in
        ["", "/finesse", "https://", "ftp://fin-a.test", "https://fin-a.test:x/", "https://fin-a.test@evil.test/"]
    {
        assert_eq!(go(none), Err(OriginError::NoAddress), "{none}");
    }
    let there = Origin::new("fin-a.test");
    assert_eq!(there.moved_to("https://fin-a.test:8445/"), Err(OriginError::Circle));
}

#[test]
fn a_token_is_read_within_reason() {
    let read = |text: &str| Token::read(text.as_bytes()).map(|token| (token.lasts.as_secs(), token.user));
    assert_eq!(read(r#"{"token":"a","expires_in":300,"user_id":"ada","realm":"x"}"#), Ok((300, Some("ada".into()))));
    assert_eq!(read(r#"{"token":"a","expires_in":18446744073709551615}"#), Ok((31_536_000, None)));
    for (text, error) in [
        ("", TokenError::NoObject),
        ("[1]", TokenError::NoObject),
        (r#"{"expires_in":300}"#, TokenError::NoToken),
        (r#"{"token":"a\r\nX: y","expires_in":300}"#, TokenError::NoToken),
        (r#"{"token":"a","expires_in":-1}"#, TokenError::NoTime),
        (r#"{"token":"a"}"#, TokenError::NoTime),
    ] {
        assert_eq!(read(text), Err(error), "{text}");
    }
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn token(access: &str, refresh: Option<&str>) -> Token {
    Token { access: Secret::new(access), refresh: refresh.map(Secret::new), lasts: at(300), user: None }
}

#[test]
fn a_token_is_renewed_after_three_quarters_of_its_time() {
    let mut tokens = Tokens::new("ada", token("one", Some("r1")), at(1_000));
    assert_eq!(tokens.wakes_at(), Some(at(1_225)));
    assert_eq!(tokens.ask(at(1_224)), None);
    let Some(Command::RefreshToken { token: old, refresh, .. }) = tokens.ask(at(1_225)) else { panic!("not asked") };
    assert_eq!((old.expose(), refresh.expose()), ("one", "r1"));
    assert_eq!((tokens.ask(at(1_230)), tokens.ask_at_once()), (None, None), "asked already");
    tokens.renewed(token("two", None), at(1_230));
    assert_eq!(tokens.credentials(at(1_529)), Some(Credentials::Bearer(Secret::new("two"))));
    assert_eq!(tokens.credentials(at(1_530)), None, "expired");
    let Some(Command::RefreshToken { refresh, .. }) = tokens.ask(at(1_455)) else { panic!("not asked") };
    assert_eq!(refresh.expose(), "r1", "the old one is kept");
}

#[test]
fn a_refresh_that_fails_is_tried_again_until_the_server_refuses_it() {
    let mut tokens = Tokens::new("ada", token("one", Some("r1")), at(0));
    assert!(tokens.ask(at(225)).is_some());
    tokens.failed(false, at(235));
    assert_eq!(tokens.wakes_at(), Some(at(245)));
    assert!(tokens.ask(at(299)).is_some());
    tokens.failed(false, at(299));
    assert_eq!(tokens.wakes_at(), Some(at(300)), "soon, as little is left");
    assert!(tokens.ask(at(400)).is_some() && !tokens.is_over(at(400)), "expired, and still renewable");
    tokens.failed(true, at(400));
    assert!(tokens.is_over(at(400)) && tokens.wakes_at().is_none() && tokens.ask_at_once().is_none());
}

#[test]
fn a_token_that_cannot_be_renewed_is_used_to_its_end() {
    let tokens = Tokens::new("ada", token("one", None), at(0));
    assert_eq!(tokens.wakes_at(), None);
    assert!(!tokens.is_over(at(299)) && tokens.is_over(at(300)));
}
