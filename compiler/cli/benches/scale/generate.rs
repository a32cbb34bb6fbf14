//! Topologies of any size: pairs of sites, active-active, as a topology and as XML with a schema that asks for the same
//! (required fields, types, unique names, references).

use std::fmt::Write;

/// Small files that are wrong from end to end: saying so must take no time that anybody notices.
pub(crate) fn bad() -> [(&'static str, Vec<u8>); 5] {
    let unclosed: String = (0..1000).map(|number| format!("site s{number} {{\n")).collect();
    [
        ("empty", Vec::new()),
        ("binary", (0..=255).cycle().take(10_000).collect()),
        ("10000-braces", "a {".repeat(10_000).into_bytes()),
        ("10000-brackets", format!("let a = {}", "[".repeat(10_000)).into_bytes()),
        ("1000-unclosed-blocks", unclosed.into_bytes()),
    ]
}

/// Networks in which everybody reaches everybody, over many bridges or over one broker: what looks at all ways grows with
/// the square of these, or its cube.
pub(crate) fn networks() -> [(&'static str, String); 2] {
    [
        ("ring-200", bridged(200, |number| format!("bridge b-{number} -> b-{}", (number + 1) % 200))),
        ("hub-1000", hub(1000)),
    ]
}

fn hub(size: usize) -> String {
    let hub = "site hub { broker hub { host = \"hub\"; listen openwire { port = 61616 } } }\n";
    bridged(size, |number| format!("bridge b-{number} <-> hub")) + hub
}

/// Brokers with a client and a connector each, active-active, and a bridge for each.
fn bridged(size: usize, bridge: impl Fn(usize) -> String) -> String {
    let mut out = String::from("topology generated { activemq = \"6.2\" }\n");
    for number in 0..size {
        let broker = format!("broker b-{number} {{ host = \"h-{number}\"; listen openwire {{ port = 61616 }} }}");
        let client = format!("client c-{number} {{ brokers = [b-{number}] }}");
        let connector = format!("connector gc-{number} {{ brokers = [b-{number}] }}");
        let bridge = bridge(number);
        writeln!(out, "site s-{number} {{ {broker}; {client}; {connector} }}\n{bridge}").unwrap();
    }
    let connectors: Vec<String> = (0..size).map(|number| format!("gc-{number}")).collect();
    writeln!(out, "deployment d active-active {{ connectors = [{}] }}", connectors.join(", ")).unwrap();
    out
}

struct Side {
    site: String,
    broker: String,
    finesse: String,
    connector: String,
    client: String,
    priority: u8,
    brokers: [String; 2],
    finesses: [String; 2],
}

fn sides(pair: usize) -> [Side; 2] {
    let side = |here: &str, there: &str, site: &str, priority| Side {
        site: format!("{site}-{pair}"),
        broker: format!("amq-{pair}-{here}"),
        finesse: format!("fin-{pair}-{here}"),
        connector: format!("gc-{pair}-{here}"),
        client: format!("desk-{pair}-{here}"),
        priority,
        brokers: [format!("amq-{pair}-{here}"), format!("amq-{pair}-{there}")],
        finesses: [format!("fin-{pair}-{here}"), format!("fin-{pair}-{there}")],
    };
    [side("a", "b", "east", 127), side("b", "a", "west", 100)]
}

/// `size` brokers and as many connectors, Finesse nodes and clients, as one topology file.
pub(crate) fn topology(size: usize) -> String {
    let mut out = String::from("topology generated {\n  activemq = \"6.2\"\n  finesse  = \"12.6\"\n}\n");
    for pair in 0..size / 2 {
        for side in sides(pair) {
            let Side { site, broker, finesse, connector, client, priority, brokers, finesses } = &side;
            let (brokers, finesses) = (brokers.join(", "), finesses.join(", "));
            write!(
                out,
                "
site {site} {{
  broker {broker} {{
    host = \"{broker}.example.com\"
    listen openwire {{ port = 61616 }}
    store kahadb {{ directory = \"/var/lib/activemq/{broker}\" }}
  }}
  finesse {finesse} {{ host = \"{finesse}.example.com\" }}
  connector {connector} {{
    brokers  = [{brokers}]
    finesse  = [{finesses}]
    priority = {priority}
    timeout  = 10s
  }}
  client {client} {{ brokers = [{brokers}] }}
}}
"
            )
            .unwrap();
        }
        write!(
            out,
            "\nbridge amq-{pair}-a <-> amq-{pair}-b\n\n\
             deployment pair-{pair} active-active {{ connectors = [gc-{pair}-a, gc-{pair}-b]; sync-key = secret(\"env:KEY\") }}\n"
        )
        .unwrap();
    }
    out
}

/// The same facts as XML.
pub(crate) fn xml(size: usize) -> String {
    let mut out = String::from("<?xml version=\"1.0\"?>\n<topology activemq=\"6.2\" finesse=\"12.6\">\n");
    let references =
        |kind: &str, names: &[String]| names.iter().map(|name| format!("<{kind} ref=\"{name}\"/>")).collect::<String>();
    for pair in 0..size / 2 {
        for side in sides(pair) {
            let Side { site, broker, finesse, connector, client, priority, brokers, finesses } = &side;
            let (brokers, finesses) = (references("use-broker", brokers), references("use-finesse", finesses));
            writeln!(
                out,
                "<site name=\"{site}\"><broker name=\"{broker}\" host=\"{broker}.example.com\"><listen name=\"openwire\" \
                 port=\"61616\"/><store kind=\"kahadb\" directory=\"/var/lib/activemq/{broker}\"/></broker><finesse \
                 name=\"{finesse}\" host=\"{finesse}.example.com\"/><connector name=\"{connector}\" priority=\"{priority}\" \
                 timeout=\"10000\">{brokers}{finesses}</connector><client name=\"{client}\">{brokers}</client></site>"
            )
            .unwrap();
        }
        writeln!(
            out,
            "<bridge from=\"amq-{pair}-a\" to=\"amq-{pair}-b\" duplex=\"true\"/><deployment name=\"pair-{pair}\" \
             mode=\"active-active\"><member ref=\"gc-{pair}-a\"/><member ref=\"gc-{pair}-b\"/></deployment>"
        )
        .unwrap();
    }
    out + "</topology>\n"
}

/// A schema for that XML, with keys and references.
pub(crate) fn schema() -> String {
    let attribute = |name: &str, ty: &str| format!("<xs:attribute name=\"{name}\" type=\"xs:{ty}\" use=\"required\"/>");
    let name = attribute("name", "NCName");
    let reference = attribute("ref", "NCName");
    let element = |element: &str, content: &str| {
        format!(
            "<xs:element name=\"{element}\" maxOccurs=\"unbounded\"><xs:complexType>{content}</xs:complexType></xs:element>"
        )
    };
    let broker = element(
        "broker",
        &format!(
            "<xs:sequence>{}{}</xs:sequence>{name}{}",
            element("listen", &(name.clone() + &attribute("port", "unsignedShort"))),
            element("store", &(attribute("kind", "NCName") + &attribute("directory", "string"))),
            attribute("host", "string")
        ),
    );
    let finesse = element("finesse", &(name.clone() + &attribute("host", "string")));
    let used = element("use-broker", &reference);
    let connector = element(
        "connector",
        &format!(
            "<xs:sequence>{used}{}</xs:sequence>{name}{}{}",
            element("use-finesse", &reference),
            attribute("priority", "byte"),
            attribute("timeout", "unsignedInt")
        ),
    );
    let client = element("client", &format!("<xs:sequence>{used}</xs:sequence>{name}"));
    let site = element("site", &format!("<xs:sequence>{broker}{finesse}{connector}{client}</xs:sequence>{name}"));
    let ends = ["from", "to"].map(|end| attribute(end, "NCName")).concat();
    let bridge = element("bridge", &(ends + &attribute("duplex", "boolean")));
    let deployment = element(
        "deployment",
        &format!("<xs:sequence>{}</xs:sequence>{name}{}", element("member", &reference), attribute("mode", "NCName")),
    );
    let choice = format!("<xs:choice maxOccurs=\"unbounded\">{site}{bridge}{deployment}</xs:choice>");
    format!(
        "<?xml version=\"1.0\"?>\n<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"><xs:element name=\"topology\">\
         <xs:complexType>{choice}{}{}</xs:complexType>{}</xs:element></xs:schema>\n",
        attribute("activemq", "string"),
        attribute("finesse", "string"),
        keys()
    )
}

fn keys() -> String {
    let key = |name: &str, path: &str| {
        format!("<xs:key name=\"{name}\"><xs:selector xpath=\"{path}\"/><xs:field xpath=\"@name\"/></xs:key>")
    };
    let reference = |name: &str, refers: &str, path: &str, field: &str| {
        format!(
            "<xs:keyref name=\"{name}\" refer=\"{refers}\"><xs:selector xpath=\"{path}\"/><xs:field xpath=\"@{field}\"/></xs:keyref>"
        )
    };
    [
        key("site", "site"),
        key("broker", "site/broker"),
        key("finesse", "site/finesse"),
        key("connector", "site/connector"),
        key("client", "site/client"),
        key("deployment", "deployment"),
        reference("r1", "broker", "site/connector/use-broker", "ref"),
        reference("r2", "finesse", "site/connector/use-finesse", "ref"),
        reference("r3", "broker", "site/client/use-broker", "ref"),
        reference("r4", "broker", "bridge", "from"),
        reference("r5", "broker", "bridge", "to"),
        reference("r6", "connector", "deployment/member", "ref"),
    ]
    .concat()
}
