//! The admin interface over real sockets: what is shown to whom, and what nobody can take of it.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use support::{LOCAL, TOKEN, agent, serve};
use topoc_connector::admin::{Admin, Reason, ServerLimits, Settings, Stage, Token};

#[tokio::test]
async fn health_is_whether_the_loop_turns() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    let answer = served.get("/health").await;
    assert_eq!((answer.status, &answer.json()["alive"]), (200, &json!(true)));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn ready_says_what_is_missing_and_what_to_do() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    let answer = served.get("/ready").await;
    assert_eq!((answer.status, answer.json()["reasons"].clone()), (200, json!([])));
    served.status.send_modify(|status| {
        status.broker.connected = None;
        status.broker.trouble = Some("connection refused".to_owned());
        status.stage = Stage::Draining;
    });
    let answer = served.get("/ready").await;
    assert_eq!(
        (answer.status, &answer.json()["ready"], &answer.json()["connector"]),
        (503, &json!(false), &json!("gc-1"))
    );
    let reasons = answer.json()["reasons"].as_array().unwrap().clone();
    let words: Vec<_> = reasons.iter().map(|reason| reason["reason"].as_str().unwrap()).collect();
    assert_eq!(words, ["draining", "no-broker"]);
    assert_eq!(reasons[1]["detail"], "connection refused");
    assert_eq!(reasons[1]["first"], Reason::NoBroker.row().first);
}

#[tokio::test]
async fn agents_come_page_by_page_each_once() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    let mut seen = Vec::new();
    let mut path = "/agents?limit=7".to_owned();
    loop {
        let answer = served.get(&path).await.json();
        let page = answer["agents"].as_array().unwrap().clone();
        assert!(page.len() <= 7);
        seen.extend(page.iter().map(|agent| agent["id"].as_str().unwrap().to_owned()));
        let Some(next) = answer["next"].as_str() else { break };
        path = format!("/agents?limit=7&after={next}");
    }
    let all: Vec<_> = (1001..=1250).map(|id| id.to_string()).collect();
    assert_eq!(seen, all);
    assert_eq!(served.get("/agents").await.json()["agents"].as_array().unwrap().len(), 100, "a page where nobody says");
    let whole = served.get("/agents?after=1249").await.json();
    let expected = json!({"version": 1, "next": null, "agents": [
        {"id": "1250", "owner": "gc-1", "session": "live", "state": "READY", "server": "fin-a", "requests": 0}
    ]});
    assert_eq!(whole, expected);
    for query in ["limit=501", "limit=-1", "after=%", "before=1"] {
        assert_eq!(served.get(&format!("/agents?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn agents_of_whom_nobody_tells_are_no_empty_list() {
    let mut served = serve(Settings::new(LOCAL, None).unwrap()).await;
    served.stop_telling().await;
    let answer = served.get("/agents").await;
    assert_eq!(answer.status, 503);
    assert!(answer.json()["error"].as_str().unwrap().contains("/health"));
}

#[tokio::test]
async fn only_what_shows_can_be_asked_for() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    for path in ["/", "/metrics/", "/HEALTH", "/agents/1001", "//health", "/health%00", "*"] {
        let answer = served.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert!(matches!(answer.status, 404 | 400), "{path}: {}", answer.status);
    }
    assert!(served.get("/").await.json()["error"].as_str().unwrap().contains("/ready"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        let request = format!("{method} /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        let answer = served.ask(&request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    for path in ["/health", "/ready", "/metrics", "/agents", "/nothing"] {
        let get = served.get(path).await;
        let head = served.ask(&format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 20, "{path}");
    }
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_ask_under_a_name_of_its_own() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    let host = |host: &str| format!("GET /agents HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    for good in ["localhost", "localhost:9464", "LOCALHOST", "127.0.0.1:1", "127.9.9.9", "[::1]:9464", "[::1]"] {
        assert_eq!(served.ask(&host(good)).await.status, 200, "{good}");
    }
    let bad = [
        "evil.example",
        "localhost.evil.example",
        "evil.example:9464",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "192.0.2.1",
        "0.0.0.0",
        "",
        "[::2]",
        "127.0.0.1, evil.example",
    ];
    for bad in bad {
        let answer = served.ask(&host(bad)).await;
        assert!(matches!(answer.status, 403 | 400) && !answer.body.contains("1001"), "{bad}: {}", answer.status);
    }
    for request in [
        "GET /agents HTTP/1.1\r\n\r\n",
        "GET /agents HTTP/1.0\r\n\r\n",
        "GET /agents HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET http://evil.example/agents HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = served.ask(request).await;
        assert!(matches!(answer.status, 403 | 400), "{request}: {}", answer.status);
    }
}

#[tokio::test]
async fn without_the_token_nobody_is_told_anything() {
    let token = || Token::new(TOKEN).unwrap();
    let served = serve(Settings::new("0.0.0.0:0", Some(token())).unwrap()).await;
    let with =
        |header: &str| format!("GET /agents HTTP/1.1\r\nHost: gc-1.example\r\n{header}Connection: close\r\n\r\n");
    let shorter = &TOKEN[1..];
    for header in [
        String::new(),
        "Authorization: Bearer \r\n".to_owned(),
        format!("Authorization: Bearer {shorter}\r\n"),
        format!("Authorization: Bearer {TOKEN}x\r\n"),
        format!("Authorization: Basic {TOKEN}\r\n"),
        format!("Authorization: {TOKEN}\r\n"),
        format!("Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer {TOKEN}\r\n"),
    ] {
        let answer = served.ask(&with(&header)).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{header}");
        assert!(!answer.body.contains("1001") && !answer.body.contains(TOKEN), "{}", answer.body);
    }
    for path in ["/health", "/ready", "/metrics", "/nothing"] {
        assert_eq!(served.get(path).await.status, 401, "{path}");
    }
    let answer = served.ask(&with(&format!("Authorization: bearer {TOKEN}\r\n"))).await;
    assert_eq!(answer.status, 200, "under whatever name");
    assert!(answer.body.contains("1001"));
    let shown = format!("{:?}", Settings::new("0.0.0.0:0", Some(token())).unwrap());
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn metrics_are_text_for_prometheus() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    let answer = served.get("/metrics").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    let value =
        |line: &str| answer.body.lines().find_map(|one| one.strip_prefix(line)).map(|value| value.trim().to_owned());
    assert_eq!(value("topoc_connector_ready").as_deref(), Some("1"));
    assert_eq!(value("topoc_connector_agents{session=\"live\"}").as_deref(), Some("250"));
    assert_eq!(value("topoc_connector_log_left_out_total").as_deref(), Some("7"));
    assert_eq!(value("topoc_connector_log_lost_total").as_deref(), Some("5"));
    assert!(value("process_resident_memory_bytes").unwrap().parse::<f64>().unwrap() > 1e6);
    assert!(value("topoc_connector_loop_age_seconds").unwrap().parse::<f64>().unwrap() < 60.0);
}

#[tokio::test]
async fn a_head_has_its_limits() {
    let limits = ServerLimits { head_within: Duration::from_secs(60), ..ServerLimits::default() };
    let served = serve(Settings::new(LOCAL, None).unwrap().within(limits)).await;
    let long = |bytes: usize| format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(bytes));
    assert_eq!(served.ask(&long(limits.head - 500)).await.status, 200);
    assert_eq!(served.ask(&long(limits.head + 500)).await.status, 431);
    let many = |count: usize| {
        let headers: String = (0..count).map(|number| format!("X-{number}: 1\r\n")).collect();
        format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
    };
    assert_eq!(served.ask(&many(limits.headers - 1)).await.status, 200);
    assert_eq!(served.ask(&many(limits.headers)).await.status, 431);
    assert!(matches!(served.ask("\u{1}\u{2}nonsense\r\n\r\n").await.status, 400));
}

#[tokio::test]
async fn who_does_not_go_on_is_left() {
    let short = Duration::from_secs(1);
    let limits = ServerLimits { head_within: short, ..ServerLimits::default() };
    let served = serve(Settings::new(LOCAL, None).unwrap().within(limits)).await;
    let mut idle = served.connect().await;
    assert_eq!(idle.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
    let mut half = served.connect().await;
    half.send("GET /health HTTP/1.1\r\nHost: loc").await;
    assert!(idle.is_closed().await, "nothing more is asked");
    assert!(half.is_closed().await, "a head that does not come");

    let limits = ServerLimits { lasts: short, ..ServerLimits::default() };
    let served = serve(Settings::new(LOCAL, None).unwrap().within(limits)).await;
    let mut busy = served.connect().await;
    let mut asked = 0;
    while busy.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await && busy.answer().await.is_some() {
        asked += 1;
        assert!(asked < 1_000_000, "a connection ends though it is used");
    }
    assert!(asked > 0);
}

#[tokio::test]
async fn connections_are_counted_and_others_wait() {
    let limits = ServerLimits { connections: 2, head_within: Duration::from_secs(600), ..ServerLimits::default() };
    let served = serve(Settings::new(LOCAL, None).unwrap().within(limits)).await;
    let (mut first, mut second) = (served.connect().await, served.connect().await);
    for one in [&mut first, &mut second] {
        assert_eq!(one.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
    }
    let mut third = served.connect().await;
    third.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // The two that are served are served on, and the third is not answered by the time they are.
    for _ in 0..20 {
        assert_eq!(first.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
        assert!(!third.has_something().await);
    }
    drop(second);
    assert_eq!(third.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn the_end_waits_for_answers_and_for_nobody_else() {
    let mut served = serve(Settings::new(LOCAL, None).unwrap()).await;
    let mut idle = served.connect().await;
    assert_eq!(idle.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
    let question = served.hold_next_question();
    let mut asking = served.connect().await;
    asking.send("GET /agents HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let question = question.await.unwrap();
    served.end();
    assert!(idle.is_closed().await);
    served.refuses_connections().await;
    question.answer.send(vec![agent("1001")]).unwrap();
    let answer = asking.answer().await.unwrap();
    assert_eq!((answer.status, answer.json()["agents"][0]["id"].clone()), (200, json!("1001")));
    served.ended().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_said() {
    let first = Admin::bind(Settings::new(LOCAL, None).unwrap()).await.unwrap();
    let again = Admin::bind(Settings::new(&first.address().to_string(), None).unwrap()).await;
    assert_eq!(again.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn answers_are_what_the_schema_says() {
    let served = serve(Settings::new(LOCAL, None).unwrap()).await;
    served.status.send_modify(|status| status.broker.connected = None);
    let text = include_str!("../../schemas/admin-1.schema.json");
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema", serde_json::from_str(text).unwrap()).unwrap();
    let index = compiler.compile("schema", &mut schemas).unwrap();
    let mut held = BTreeMap::new();
    for path in ["/health", "/ready", "/agents?limit=2", "/nothing"] {
        let answer = served.get(path).await.json();
        schemas.validate(&answer, index).unwrap_or_else(|error| panic!("{path}: {error:#}"));
        held.insert(path, answer);
    }
    // It is not a schema that takes anything.
    let mut wrong = held["/ready"].clone();
    wrong["reasons"][0]["reason"] = Value::from("tired");
    assert!(schemas.validate(&wrong, index).is_err());
    let mut wrong = held["/agents?limit=2"].clone();
    wrong["agents"][0]["password"] = Value::from("x");
    assert!(schemas.validate(&wrong, index).is_err());
}
