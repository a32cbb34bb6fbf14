//! The tables hold together, and look-ups find what ActiveMQ would take.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_row_is_well_formed() {
    for (table, specs) in TABLES {
        let mut names = BTreeSet::new();
        for spec in *specs {
            let row = format!("{table}: {}", spec.name);
            assert!(names.insert(spec.name.to_lowercase()), "{row} comes twice");
            assert!(spec.doc.ends_with('.') && spec.doc.starts_with(|c: char| c.is_uppercase()), "{row}: {}", spec.doc);
            assert!(is_release(spec.since) && is_release(spec.gone), "{row}");
            assert!(default_fits(spec), "{row}: {} is no {:?}", spec.default, spec.ty);
        }
    }
}

fn is_release(text: &str) -> bool {
    text.is_empty() || (text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u8>().is_ok()))
}

fn default_fits(spec: &OptionSpec) -> bool {
    let text = spec.default;
    text.is_empty()
        || match spec.ty {
            OptionType::Boolean => matches!(text, "true" | "false"),
            OptionType::Integer | OptionType::Millis | OptionType::Bytes => text.parse::<i64>().is_ok(),
            OptionType::Number => text.parse::<f64>().is_ok(),
            OptionType::Text | OptionType::UriList | OptionType::Url | OptionType::Regexes => true,
        }
}

#[test]
fn scheme_names_are_unique_and_small() {
    let listeners = LISTENER_SCHEMES.iter().map(|scheme| scheme.name);
    let names: Vec<&str> = listeners.chain(CLIENT_ONLY_SCHEMES.iter().map(|scheme| scheme.name)).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for name in names {
        assert_eq!(name, name.to_lowercase());
    }
}

#[test]
fn scheme_facts() {
    for scheme in LISTENER_SCHEMES {
        let name = scheme.name;
        assert_eq!(scheme.default_port.is_none(), scheme.port_source == PortSource::None, "{name}");
        let encrypted = name.ends_with("ssl") || matches!(name, "wss" | "https" | "amqp+wss");
        assert_eq!(scheme.tls, encrypted, "{name}");
        let debian_leaves_out = matches!(scheme.module, "activemq-amqp" | "activemq-http");
        assert_eq!(scheme.in_debian, !debian_leaves_out, "{name}");
        assert!(is_release(scheme.since), "{name}");
        assert!(server_options(name).count() > 0, "{name}");
    }
    for (scheme, port) in
        [("tcp", Some(61616)), ("mqtt+ssl", Some(8883)), ("vm", None), ("TCP", None), ("failover", None)]
    {
        assert_eq!(default_port(scheme), port, "{scheme}");
    }
    assert_eq!(discovery_scheme("masterslave").map(|scheme| scheme.min_addresses), Some(2));
    assert_eq!(discovery_scheme("failover"), None);
    assert!(listener_scheme("failover").is_none() && client_only_scheme("failover").is_some());
}

#[test]
fn a_name_is_found_as_activemq_finds_it() {
    let cases = [
        ("randomize", Some("randomize")),
        ("Randomize", Some("randomize")),
        ("RANDOMIZE", None),
        ("nested.wireFormat.maxInactivityDuration", Some("nested.*")),
        ("nested.", None),
        ("nested", None),
        ("backOffMultiplier", None),
        ("amp;randomize", None),
        ("", None),
    ];
    for (name, expected) in cases {
        assert_eq!(failover_option(name).map(|spec| spec.name), expected, "{name}");
    }
    assert_eq!(failover_wrong_name("backOffMultiplier").and_then(|it| it.right), Some("reconnectDelayExponent"));
    assert_eq!(failover_wrong_name("maxPullCacheSize").map(|it| it.right), Some(None));
    assert_eq!(failover_wrong_name("randomize"), None);
}

#[test]
fn wrong_names_are_wrong_and_their_right_ones_right() {
    for wrong in FAILOVER_WRONG_NAMES {
        assert_eq!(failover_option(wrong.name), None, "{}", wrong.name);
        if let Some(right) = wrong.right {
            assert!(failover_option(right).is_some(), "{right}");
        }
    }
}

#[test]
fn each_place_knows_its_own_options() {
    type Lookup = fn(&str, &str) -> Option<&'static OptionSpec>;
    let cases: &[(Lookup, &str, &str, Option<&str>)] = &[
        (server_option, "tcp", "maximumConnections", Some("maximumConnections")),
        (server_option, "tcp", "maximumConnection", None),
        (server_option, "tcp", "wireFormat.maxFrameSize", Some("wireFormat.maxFrameSize")),
        (server_option, "tcp", "wireFormat.MaxFrameSize", Some("wireFormat.maxFrameSize")),
        (server_option, "tcp", "WireFormat.maxFrameSize", None),
        (server_option, "tcp", "transport.soTimeout", Some("transport.soTimeout")),
        (server_option, "tcp", "transport.socket.tcpNoDelay", Some("transport.socket.*")),
        (server_option, "tcp", "needClientAuth", None),
        (server_option, "nio+ssl", "needClientAuth", Some("needClientAuth")),
        (server_option, "ssl", "transport.enabledProtocols", Some("transport.enabledProtocols")),
        (server_option, "stomp", "transport.defaultHeartBeat", Some("transport.defaultHeartBeat")),
        (server_option, "stomp", "wireFormat.cacheEnabled", None),
        (server_option, "auto", "auto.protocols", Some("auto.protocols")),
        (server_option, "auto", "wireFormat.stomp.maxDataLength", Some("wireFormat.stomp.*")),
        (server_option, "auto+ssl", "transport.defaultHeartBeat", Some("transport.defaultHeartBeat")),
        (server_option, "tcp", "auto.protocols", None),
        (server_option, "ws", "transport.idleTimeout", Some("transport.*")),
        (server_option, "failover", "randomize", None),
        (client_option, "failover", "randomize", Some("randomize")),
        (client_option, "tcp", "randomize", None),
        (client_option, "tcp", "soTimeout", Some("soTimeout")),
        (client_option, "tcp", "transport.soTimeout", None),
        (client_option, "tcp", "maximumConnections", None),
        (
            client_option,
            "tcp",
            "wireFormat.maxInactivityDurationInitalDelay",
            Some("wireFormat.maxInactivityDurationInitalDelay"),
        ),
        (client_option, "ssl", "socket.enabledProtocols", Some("socket.enabledProtocols")),
        (client_option, "ssl", "verifyHostName", Some("verifyHostName")),
        (client_option, "tcp", "verifyHostName", None),
        (discovery_option, "static", "backOffMultiplier", Some("backOffMultiplier")),
        (discovery_option, "masterslave", "discovered.trace", Some("discovered.*")),
        (discovery_option, "static", "randomize", None),
        (discovery_option, "multicast", "group", Some("group")),
        (discovery_option, "tcp", "group", None),
    ];
    for (lookup, scheme, name, expected) in cases {
        assert_eq!(lookup(scheme, name).map(|spec| spec.name), *expected, "{scheme}: {name}");
    }
}

#[test]
fn an_option_comes_once_in_its_place() {
    let single_protocol = LISTENER_SCHEMES.iter().filter(|scheme| scheme.protocol != Protocol::Auto);
    for scheme in single_protocol {
        let mut names = BTreeSet::new();
        for spec in server_options(scheme.name) {
            assert!(names.insert(spec.name), "{}: {}", scheme.name, spec.name);
        }
    }
    for scheme in ["tcp", "ssl", "failover", "fanout"] {
        let mut names = BTreeSet::new();
        assert!(client_options(scheme).all(|spec| names.insert(spec.name)), "{scheme}");
    }
}
