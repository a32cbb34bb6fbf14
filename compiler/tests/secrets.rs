//! A secret that stands in a topology is refused, and neither an artifact nor a message repeats it.

use std::collections::HashMap;
use topoc_compiler::policy::{self, Policy, Project};
use topoc_compiler::{analyze, emit};

const SECRET: &str = "hunter2x";

#[track_caller]
fn check(place: &str, broker: &str, connector: &str, rest: &str) {
    let text = format!(
        "topology t {{ activemq = \"6.2\" }}\nsite east {{\n  broker a {{ host = \"a\"; listen openwire {{ port = 1 }}; {broker} }}\n  broker b {{ host = \"b\"; listen openwire {{ port = 1 }} }}\n  connector gc {{ brokers = [a]; {connector} }}\n}}\ndeployment d simplex {{ connectors = [gc] }}\n{rest}\n"
    )
    .replace("SECRET", SECRET);
    let files = HashMap::from([("main.topo".to_owned(), text.clone())]);
    let analysis = analyze("main.topo", &[], &files);
    assert!(analysis.checked().is_none(), "{place}\n{text}");
    for diagnostic in &analysis.diagnostics {
        let said = format!("{diagnostic:?}");
        assert!(!said.contains(SECRET), "{place}: {said}");
    }
}

#[test]
fn no_message_repeats_a_secret() {
    check("connector", "", "password = \"SECRET\"", "");
    check("name for a password", "", "password = SECRET", "");
    check("reference without a place", "", "password = secret(\"SECRET\")", "");
    check("property", "", "property \"DB_PASSWORD\" = \"SECRET\"", "");
    check("option", "", "options { \"socket.keyStorePassword\" = \"SECRET\" }", "");
    check("user", "users { user gc { password = \"SECRET\" } }", "", "");
    check("store", "store jdbc { url = \"jdbc:derby:d\"; password = \"SECRET\" }", "", "");
    check("url of a store", "store jdbc { url = \"jdbc:mysql://amq:SECRET@db/amq\" }", "", "");
    check("raw XML", "raw-xml \"\"\"<bean password=\"SECRET\"/>\"\"\"", "", "");
    check("client", "", "", "site west { client c { brokers = [a]; password = \"SECRET\" } }");
    check("bridge", "", "", "bridge a -> b { password = \"SECRET\" }");
    check("bridge at its far end", "", "", "bridge a -> b { remote-user-name = \"x\"; remote-password = \"SECRET\" }");
    check("discovery", "", "", "bridge a -> discovery \"static:(tcp://gc:SECRET@b:1)\"");
}

#[test]
fn no_message_repeats_a_secret_of_a_raw_uri() {
    for uri in [
        "failover:(tcp://gc:SECRET@a:1)",
        "failover:(tcp://a:1)?jms.password=SECRET",
        "failover:(tcp://gc:SECRET@a:70000)",
        "failover:(tcp://gc:SECRET/x@a:1)",
        "failover:(tcp://gc:SECRET@a_b:1",
        "failover:(gc:1?password=SECRET)",
    ] {
        check(uri, "", &format!("uri = \"{uri}\""), "");
        check(uri, &format!("listen raw {{ uri = \"{uri}\" }}"), "", "");
    }
    check("no scheme", "listen raw { uri = \"gc:SECRET@a:1\" }", "", "");
}

#[test]
fn artifacts_say_where_secrets_are_and_never_what_they_are() {
    let text = r#"topology t { activemq = "6.2" }
site east {
  broker a { host = "a"; listen openwire { port = 1 }; users { user near { password = secret("env:NEAR") } } }
  broker b { host = "b"; listen openwire { port = 1 }; users { user far { password = secret("env:FAR") } } }
}
bridge a -> b {
  user             = "near"
  password         = secret("env:NEAR")
  remote-user-name = "far"
  remote-password  = REMOTE
}
"#;
    let built = |remote: &str, settings: Option<&str>| {
        let files = HashMap::from([("main.topo".to_owned(), text.replace("REMOTE", remote))]);
        let project = settings.map(|text| Project::read("topoc.toml", text, "/p", "/p"));
        let analysis = analyze("main.topo", &[], &files);
        let analysis = policy::judge(analysis, &Policy { project, today: None });
        let artifacts = analysis.checked().map(emit::artifacts);
        artifacts.map(|all| all.into_iter().map(|one| String::from_utf8(one.bytes).unwrap()).collect::<String>())
    };
    let whole = built("secret(\"env:FAR\")", None).unwrap();
    assert!(whole.contains("remotePassword=\"${FAR}\"") && whole.contains("remoteUserName=\"far\""), "{whole}");
    let literal = format!("\"{SECRET}\"");
    assert_eq!(built(&literal, None), None);
    let whole = built(&literal, Some("[rules]\nliteral-password = \"off\"")).unwrap();
    assert!(!whole.contains(SECRET), "{whole}");
    // The broker's XML takes nothing out of files.
    assert_eq!(built("secret(\"file:/run/far\")", None), None);
}
