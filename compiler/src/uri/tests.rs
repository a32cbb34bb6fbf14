//! What ActiveMQ makes of a URI, case by case; and whatever is written reads back.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// The tree in one line: `scheme(member member){key=value}` or `scheme://host:port/path{key=value}`.
fn outline(source: &str, uri: &Uri) -> String {
    let mut text = uri.scheme.text(source).to_owned();
    match &uri.kind {
        UriKind::Address { host, port, path } => {
            write!(text, "://{}", host.text(source)).unwrap();
            if let Some(port) = port {
                write!(text, ":{}", &source[port.range.clone()]).unwrap();
            }
            text.push_str(path.text(source));
        }
        UriKind::Composite { members, parenthesised } => {
            let inner: Vec<String> = members.iter().map(|member| outline(source, member)).collect();
            let (open, close) = if *parenthesised { ('(', ')') } else { ('<', '>') };
            write!(text, "{open}{}{close}", inner.join(" ")).unwrap();
        }
    }
    let options: Vec<&str> = uri.options.iter().map(|option| &source[option.range.clone()]).collect();
    if !options.is_empty() {
        write!(text, "{{{}}}", options.join(" ")).unwrap();
    }
    text
}

#[test]
fn the_forms_of_a_uri() {
    let cases = [
        ("tcp://host:61616", "tcp://host:61616"),
        ("tcp://host:61616?trace=true&soTimeout=5", "tcp://host:61616{trace=true soTimeout=5}"),
        ("tcp://host", "tcp://host"),
        ("tcp://user:secret@host:1", "tcp://host:1"),
        ("nio+ssl://h.example:61617/", "nio+ssl://h.example:61617/"),
        ("tcp://[::1]:61616", "tcp://[::1]:61616"),
        ("tcp://[fe80::1%eth0]:61616?a=b", "tcp://[fe80::1%eth0]:61616{a=b}"),
        ("vm://my_broker?create=false", "vm://my_broker{create=false}"),
        ("zeroconf:_activemq.", "zeroconf://_activemq."),
        ("multicast://default?group=east", "multicast://default{group=east}"),
        ("failover:(tcp://a:1,tcp://b:2)?randomize=false", "failover(tcp://a:1 tcp://b:2){randomize=false}"),
        ("failover://(tcp://a:1,tcp://b:2)?randomize=false", "failover(tcp://a:1 tcp://b:2){randomize=false}"),
        ("failover:tcp://a:1,tcp://b:2", "failover<tcp://a:1 tcp://b:2>"),
        ("failover://tcp://a:1,tcp://b:2", "failover<tcp://a:1 tcp://b:2>"),
        ("failover:(tcp://a:1?x=1,tcp://b:2?y=2)", "failover(tcp://a:1{x=1} tcp://b:2{y=2})"),
        ("failover:(tcp://a:1,)", "failover(tcp://a:1)"),
        ("failover:(tcp://a:1)?", "failover(tcp://a:1)"),
        ("failover:(tcp://a:1)?x=1&", "failover(tcp://a:1){x=1}"),
        (
            "failover:(tcp://a:1)?priorityURIs=tcp://a:1,tcp://b:2",
            "failover(tcp://a:1){priorityURIs=tcp://a:1,tcp://b:2}",
        ),
        ("failover:(tcp://a:1)?backup&x==1", "failover(tcp://a:1){backup x==1}"),
        ("discovery:(multicast://default)", "discovery(multicast://default)"),
        ("masterslave:(tcp://a:1,tcp://b:2)", "masterslave(tcp://a:1 tcp://b:2)"),
        ("vm:(broker:(tcp://a:1)?persistent=false)", "vm(broker(tcp://a:1){persistent=false})"),
    ];
    for (source, expected) in cases {
        match parse(source) {
            Ok(uri) => assert_eq!(outline(source, &uri), expected, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

/// The traps of ActiveMQ's rules: whose option it is.
#[test]
fn an_option_belongs_to_what_it_follows() {
    let cases = [
        ("failover:tcp://a:1,tcp://b:2?randomize=false", "failover<tcp://a:1 tcp://b:2{randomize=false}>"),
        (
            "static:failover:(tcp://a:1,tcp://b:2)?maxReconnectAttempts=0",
            "static<failover(tcp://a:1 tcp://b:2){maxReconnectAttempts=0}>",
        ),
        ("static:(failover:(tcp://a:1)?x=y)?z=w", "static(failover(tcp://a:1){x=y}){z=w}"),
        ("static:(failover:(tcp://a:1))?maxReconnectAttempts=0", "static(failover(tcp://a:1)){maxReconnectAttempts=0}"),
        ("static:failover:(tcp://a:1),tcp://b:2", "static<failover(tcp://a:1) tcp://b:2>"),
        ("static:failover:tcp://a:1,tcp://b:2", "static<failover<tcp://a:1> tcp://b:2>"),
    ];
    for (source, expected) in cases {
        assert_eq!(outline(source, &parse(source).unwrap()), expected, "{source}");
    }
}

#[test]
fn placeholders_are_opaque() {
    let cases = [
        ("tcp://${HOST}:${PORT}?soTimeout=${T}", "tcp://${HOST}:${PORT}{soTimeout=${T}}"),
        ("tcp://amq-${n}.example:61616", "tcp://amq-${n}.example:61616"),
        ("failover:(${A},${B:tcp://b:2,x)?})?timeout=${T}", "failover(://${A} ://${B:tcp://b:2,x)?}){timeout=${T}}"),
        ("${hub.uri}", "://${hub.uri}"),
        ("${hub.uri}?x=1", "://${hub.uri}{x=1}"),
        ("${scheme}://h:1", "${scheme}://h:1"),
        ("tcp://${a:${b c}}:1", "tcp://${a:${b c}}:1"),
        ("tcp://[${IP6}]:1", "tcp://[${IP6}]:1"),
    ];
    for (source, expected) in cases {
        assert_eq!(outline(source, &parse(source).unwrap()), expected, "{source}");
    }
    let uri = parse("tcp://h:${PORT}").unwrap();
    let UriKind::Address { port: Some(port), .. } = uri.kind else { panic!("no port") };
    assert_eq!((port.number, port.range), (None, 8..15));
    assert!(parse("${uri}").unwrap().is_placeholder());
}

#[test]
fn faults_are_named_and_placed() {
    use UriFault::*;
    let cases = [
        ("", Empty, ""),
        ("tcp:", Empty, "tcp:"),
        ("tcp://", Empty, "tcp://"),
        ("tcp://?x=1", Empty, "tcp://"),
        ("localhost", NoScheme, "localhost"),
        ("localhost:61616", NoScheme, "localhost:61616"),
        ("10.0.0.1:61616", NoScheme, "10.0.0.1"),
        (":61616", NoScheme, ""),
        ("//host:1", NoScheme, "//host:1"),
        ("failover:(amq-1:61616)", NoScheme, "amq-1:61616"),
        ("failover:(tcp://a:1),(tcp://b:2)", TextAfterList, ",(tcp://b:2)"),
        ("t_p://host:1", BadScheme, "t_p"),
        ("failover:(tcp://a:1, tcp://b:2)", Blank, " "),
        ("failover:(tcp://a:1,\n  tcp://b:2)", Blank, "\n"),
        (" tcp://a:1", Blank, " "),
        ("tcp://a:1?x=\u{a0}", Blank, "\u{a0}"),
        ("tcp://a:1?x=<y>", IllegalCharacter, "<"),
        ("tcp://a:1?x={y}", IllegalCharacter, "{"),
        ("tcp://a:1?x=\u{7}", IllegalCharacter, "\u{7}"),
        ("failover://(tcp://[::1]:1)", IllegalCharacter, "["),
        ("tcp://a:1#x", Fragment, "#"),
        ("tcp://a:1?x=50%", BadEscape, "%"),
        ("tcp://a:1?x=%zz", BadEscape, "%"),
        ("tcp://${HOST:1", OpenPlaceholder, "${"),
        ("failover:(tcp://a:1,tcp://b:2", Unbalanced, "("),
        ("failover:(tcp://a:1))", Unbalanced, ")"),
        ("failover:tcp://a:1)", Unbalanced, ")"),
        ("static:failover:(tcp://a:1", Unbalanced, "("),
        ("failover:()", EmptyList, "failover:("),
        ("failover:()?randomize=false", EmptyList, "failover:("),
        ("failover:", EmptyList, "failover:"),
        ("failover:(,)", EmptyMember, ","),
        ("failover:(tcp://a:1,,tcp://b:2)", EmptyMember, ","),
        ("failover:(tcp://a:1)/x?y=1", TextAfterList, "/x"),
        ("failover:(tcp://a:1)randomize=false", TextAfterList, "randomize=false"),
        ("tcp://my_host:1", BadHost, "my_host"),
        ("tcp://höst:1", BadHost, "höst"),
        ("tcp://*:1", BadHost, "*"),
        ("tcp://:61616", BadHost, ":61616"),
        ("tcp://[::1:61616", BadHost, "[::1:61616"),
        ("tcp://[nonsense]:61616", BadHost, "[nonsense]"),
        ("tcp://::1:61616", BadPort, "::1:61616"),
        ("tcp://a:", BadPort, ":"),
        ("tcp://a:x", BadPort, ":x"),
        ("tcp://a:65536", BadPort, ":65536"),
        ("tcp://a:+1", BadPort, ":+1"),
        ("tcp://[::1]61616", BadPort, "61616"),
        ("tcp://a:1,tcp://b:2", ListWithoutScheme, ","),
        ("tcp://a:1?&x=1", EmptyOption, "&"),
        ("tcp://a:1?x=1&&y=2", EmptyOption, "&"),
        ("tcp://a:1?=2", EmptyOption, "=2"),
        ("tcp://a:1?x=1?y=2", SecondQuestionMark, "?"),
        ("failover:(tcp://a:1)?x=1?y=2", SecondQuestionMark, "?"),
    ];
    for (source, fault, place) in cases {
        let error = parse(source).expect_err(source);
        assert_eq!((error.fault, &source[error.range.clone()]), (fault, place), "{source}: {error}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn the_edges_of_a_port() {
    for (source, number) in [("tcp://a:0", 0), ("tcp://a:65535", 65535), ("tcp://a:00061616", 61616)] {
        let UriKind::Address { port, .. } = parse(source).unwrap().kind else { panic!("{source}") };
        assert_eq!(port.and_then(|port| port.number), Some(number), "{source}");
    }
}

#[test]
fn nesting_is_bounded() {
    let parenthesised = |depth: usize| format!("{}tcp://a:1{}", "static:(".repeat(depth), ")".repeat(depth));
    let bare = |depth: usize| format!("{}tcp://a:1", "static:".repeat(depth));
    for nested in [parenthesised, bare as fn(usize) -> String] {
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)).unwrap_err().fault, UriFault::TooDeep);
        assert_eq!(parse(&nested(100_000)).unwrap_err().fault, UriFault::TooDeep);
    }
}

/// A quadratic step would take minutes here instead of a moment.
#[test]
fn a_long_text_takes_linear_time() {
    let members = "tcp://a:1?x=${y},".repeat(60_000);
    let long = [
        format!("failover:({members})"),
        format!("tcp://a:1?{}", "a=1&".repeat(250_000)),
        "$".repeat(1_000_000),
        "${".repeat(500_000),
        format!("static:{}", "(".repeat(1_000_000)),
        format!("tcp://a:1?x={}", "%24%7B".repeat(200_000)),
    ];
    for text in &long {
        if let Ok(uri) = parse(text) {
            assert_eq!(uri.addresses().len(), uri.members().len().max(1));
            assert!(!uri.to_target(text).to_string().is_empty());
        }
    }
}

#[test]
fn addresses_come_depth_first() {
    let source = "static:(failover:(tcp://a:1,ssl://b),stomp://[::1])?x=1";
    let uri = parse(source).unwrap();
    let found: Vec<_> = uri.addresses().iter().map(|address| address.authority(source).unwrap()).collect();
    assert_eq!(found, ["a:1", "b:61617", "[::1]:61613"]);
    assert_eq!(uri.authority(source), None);
}

#[test]
fn an_authority_has_the_usual_port() {
    let cases = [
        ("tcp://h", Some("h:61616")),
        ("tcp://h:1", Some("h:1")),
        ("tcp://u@h:${P}", Some("h:${P}")),
        ("multicast://default", Some("default")),
        ("zeroconf:_x.", None),
        ("nonsense://h", Some("h")),
    ];
    for (source, expected) in cases {
        assert_eq!(parse(source).unwrap().authority(source).as_deref(), expected, "{source}");
    }
}

#[test]
fn the_option_that_activemq_would_use() {
    let source = "failover:(tcp://a:1?trace=true)?Randomize=true&randomize=false&amp;backup=true&flag&p%61ge=x%20y+z";
    let uri = parse(source).unwrap();
    let value = |key| uri.find_option(source, key).map(|option| uri.decoded(source, option.value));
    assert_eq!(value("randomize").as_deref(), Some("false"), "the last one counts");
    assert_eq!(value("flag").as_deref(), Some(""));
    assert_eq!(value("page").as_deref(), Some("x y z"));
    assert_eq!(value("trace"), None, "it belongs to the member");
    assert_eq!(value("backup"), None);
    assert!(uri.find_option(source, "amp;backup").unwrap().is_xml_escaped(source));
    assert!(!uri.find_option(source, "randomize").unwrap().is_xml_escaped(source));
}

#[test]
fn an_address_is_decoded_twice() {
    let cases = [
        ("tcp://a:1?x=%2526", "&"),
        ("tcp://a:1?x=%26", "&"),
        ("tcp://a:1?x=a%2Bb", "a b"),
        ("tcp://a:1?x=${a%2Bb}", "${a%2Bb}"),
        ("failover:(tcp://a:1)?x=a%2Bb", "a+b"),
        ("failover:(tcp://a:1)?x=%2526", "%26"),
    ];
    for (source, expected) in cases {
        let uri = parse(source).unwrap();
        let option = uri.find_option(source, "x").unwrap();
        assert_eq!(uri.decoded(source, option.value), expected, "{source}");
    }
}

#[test]
fn what_is_written() {
    let broker = |n: u16| Address::new("tcp", format!("amq-{n}"), 61616);
    let cases = [
        (
            Composite::new("failover")
                .members([broker(1), broker(2)])
                .option("randomize", false)
                .option("timeout", 3000),
            "failover:(tcp://amq-1:61616,tcp://amq-2:61616)?randomize=false&timeout=3000",
        ),
        (
            Composite::new("failover").member(broker(1)).option("priorityURIs", "tcp://amq-1:61616,tcp://amq-2:61616"),
            "failover:(tcp://amq-1:61616)?priorityURIs=tcp://amq-1:61616,tcp://amq-2:61616",
        ),
        (
            Composite::new("static")
                .member(Composite::new("failover").member(broker(1)).option("priorityURIs", "a,b"))
                .option("discovered.x", "a&b=c d"),
            "static:(failover:(tcp://amq-1:61616)?priorityURIs=a%2Cb)?discovered.x=a%26b%3Dc%20d",
        ),
        (
            Composite::new("failover").member(broker(1).option("x", "a,b&${C}")),
            "failover:(tcp://amq-1:61616?x=a%252Cb%2526${C})",
        ),
        (Composite::new("failover").member(Address::new("ssl", "::1", 61617)), "failover:(ssl://[::1]:61617)"),
    ];
    for (composite, expected) in cases {
        assert_eq!(composite.to_string(), expected);
    }
    let listener = Address::new("auto", "0.0.0.0", 61616).option("auto.protocols", "default,stomp");
    assert_eq!(listener.to_string(), "auto://0.0.0.0:61616?auto.protocols=default,stomp");
}

fn options() -> impl Strategy<Value = Vec<(String, String)>> {
    let key = prop_oneof!["[a-z]{1,8}(\\.[a-zA-Z]{1,8})?", "[^$]{1,4}"];
    let value = prop_oneof!["[a-z0-9]{0,8}", ".{0,8}", "[$%&+,?=#(){} a]{0,8}", "a\\$\\{[A-Z,(?& ]{1,5}\\}b"];
    proptest::collection::vec((key, value), 0..4)
}

fn address() -> impl Strategy<Value = Target> {
    let host = prop_oneof![
        "[a-z][a-z0-9-]{0,6}(\\.[a-z]{2})?",
        "10\\.0\\.0\\.[1-9]",
        Just("[::1]".to_owned()),
        Just("${HOST}".to_owned())
    ];
    let port =
        prop_oneof![any::<u16>().prop_map(|port| Some(port.to_string())), Just(None), Just(Some("${PORT}".to_owned()))];
    ("tcp|ssl|nio\\+ssl|stomp", host, port, options())
        .prop_map(|(scheme, host, port, options)| Address { scheme, host, port, options }.into())
}

fn target() -> impl Strategy<Value = Target> {
    address().prop_recursive(4, 24, 4, |inner| {
        ("failover|static|masterslave|broker", proptest::collection::vec(inner, 1..4), options())
            .prop_map(|(scheme, members, options)| Composite { scheme, members, options }.into())
    })
}

/// Every place lies inside the text, on character boundaries, and inside the place around it.
fn check_places(source: &str, uri: &Uri) {
    assert!(source.get(uri.range.clone()).is_some());
    for option in &uri.options {
        assert!(option.range.start >= uri.range.start && option.range.end <= uri.range.end);
        assert!(source.get(option.key.range()).is_some_and(|key| !key.is_empty()));
        assert!(source.get(option.value.range()).is_some());
    }
    for member in uri.members() {
        assert!(member.range.start > uri.range.start && member.range.end <= uri.range.end);
        check_places(source, member);
    }
}

proptest! {
    #[test]
    fn what_was_written_reads_back(target in target()) {
        let source = target.to_string();
        let uri = parse(&source).map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
        check_places(&source, &uri);
        prop_assert_eq!(uri.to_target(&source), target, "{}", source);
    }

    #[test]
    fn any_text_is_parsed_or_refused(source in ".*") {
        check_any(&source);
    }

    #[test]
    fn any_text_of_uri_characters_is_parsed_or_refused(
        source in "(failover:|static:|tcp://|\\(|\\)|,|\\?|&|=|:|a|1|\\$\\{|\\}|\\[|\\]|%41|@|/|é){0,24}"
    ) {
        check_any(&source);
    }
}

fn check_any(source: &str) {
    match parse(source) {
        Ok(uri) => {
            check_places(source, &uri);
            assert_eq!(uri.to_target(source).to_string().is_empty(), source.is_empty());
            for address in uri.addresses() {
                assert_ne!(address.authority(source).as_deref(), Some(""));
            }
        }
        Err(error) => assert!(source.get(error.range.clone()).is_some(), "{source:?}: {error:?}"),
    }
}
