//! A broker's file for tests of clients: one broker, with what such a test needs. Networks of brokers are compiled by topoc.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::Release;
use crate::{Broker, Certificates, LabError};

/// A broker alone, in memory and open to everybody unless told otherwise.
///
/// ```no_run
/// # use topoc_lab::{Plain, ports, release, PATIENCE};
/// # fn main() -> Result<(), topoc_lab::LabError> {
/// # let dir = std::path::Path::new("work");
/// let port = ports(1)?[0];
/// let broker = Plain::new("alone").tcp(port).user("gc", "moon").start(&release("6.3.1")?, dir)?;
/// broker.wait_started(PATIENCE)?;
/// # Ok(())
/// # }
/// ```
///
/// Values may refer to variables of the broker's environment as `${NAME}`: see [`crate::Launch::env`].
#[derive(Clone, Debug)]
pub struct Plain {
    name: String,
    persistent: bool,
    memory_limit: Option<String>,
    attributes: Vec<Attribute>,
    listeners: Vec<Vec<Attribute>>,
    policies: Vec<Vec<Attribute>>,
    users: Vec<(String, String)>,
    plugins: String,
    tls: Option<(PathBuf, PathBuf)>,
    raw: String,
}

type Attribute = (String, String);

impl Plain {
    /// A broker of this name. It needs a listener yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            persistent: false,
            memory_limit: None,
            attributes: Vec::new(),
            listeners: Vec::new(),
            policies: Vec::new(),
            users: Vec::new(),
            plugins: String::new(),
            tls: None,
            raw: String::new(),
        }
    }

    /// Listens on `tcp://127.0.0.1:PORT`.
    #[must_use]
    pub fn tcp(self, port: u16) -> Self {
        self.listen(&format!("tcp://127.0.0.1:{port}"), &[])
    }

    /// Listens on a URI, with further attributes of `transportConnector`: `updateClusterClients`,
    /// `rebalanceClusterClients`, `name` ("listener-N" if it is not given) and so on.
    #[must_use]
    pub fn listen(mut self, uri: &str, attributes: &[(&str, &str)]) -> Self {
        let name = format!("listener-{}", self.listeners.len() + 1);
        let mut all = owned(attributes);
        if !all.iter().any(|(attribute, _)| attribute == "name") {
            all.insert(0, ("name".to_owned(), name));
        }
        all.push(("uri".to_owned(), uri.to_owned()));
        self.listeners.push(all);
        self
    }

    /// Gives `ssl:` listeners the server's key, and lets them trust the clients of the same authority. A client needs to
    /// show its certificate only with `?needClientAuth=true` in the listener's URI.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.tls = Some((certificates.server_store(), certificates.trust_store()));
        self
    }

    /// Lets this user in, and nobody without a password any more.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// A policy for queues of this pattern (`>`: all), by attributes of `policyEntry`: `maxBrowsePageSize`, `memoryLimit`...
    #[must_use]
    pub fn queues(mut self, pattern: &str, attributes: &[(&str, &str)]) -> Self {
        let mut all = vec![("queue".to_owned(), pattern.to_owned())];
        all.extend(owned(attributes));
        self.policies.push(all);
        self
    }

    /// How much memory all messages together may take, such as `1 mb`.
    #[must_use]
    pub fn memory_limit(mut self, limit: &str) -> Self {
        self.memory_limit = Some(limit.to_owned());
        self
    }

    /// Keeps persistent messages in a KahaDB in the working folder.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// An attribute of `<broker>`.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A plugin as it is to stand in `<plugins>`.
    #[must_use]
    pub fn plugin(mut self, xml: &str) -> Self {
        self.plugins.push_str(xml);
        self
    }

    /// An element of `<broker>` as it is to stand in the file: for what one test alone needs.
    #[must_use]
    pub fn element(mut self, xml: &str) -> Self {
        self.raw.push_str(xml);
        self
    }

    /// Writes `activemq.xml` into the folder, and starts a broker there: see [`Broker::start`].
    ///
    /// # Errors
    ///
    /// Those of [`Broker::start`]; `Io` when the file cannot be written.
    pub fn start(&self, release: &Release, dir: &Path) -> Result<Broker, LabError> {
        Broker::start(release, &self.write(dir)?, dir)
    }

    /// Writes `activemq.xml` into the folder, and returns its path.
    ///
    /// # Errors
    ///
    /// `Io` when it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<PathBuf, LabError> {
        let path = dir.join("activemq.xml");
        fs::write(&path, self.xml()).map_err(|cause| LabError::at("write", &path, cause))?;
        Ok(path)
    }

    /// The text of the file.
    #[must_use]
    pub fn xml(&self) -> String {
        let mut out = String::from(HEAD);
        let mut broker = owned(&[
            ("xmlns", "http://activemq.apache.org/schema/core"),
            ("brokerName", &self.name),
            ("dataDirectory", "${activemq.data}"),
            ("persistent", if self.persistent { "true" } else { "false" }),
        ]);
        broker.extend_from_slice(&self.attributes);
        out.push_str(&tag("broker", &broker, ">\n"));
        // In the order of names, which ActiveMQ 5.4 and 5.5 wanted.
        self.policies(&mut out);
        out.push_str("<managementContext><managementContext createConnector=\"false\"/></managementContext>\n");
        if self.persistent {
            out.push_str("<persistenceAdapter><kahaDB directory=\"${activemq.data}/kahadb\"/></persistenceAdapter>\n");
        }
        self.plugins(&mut out);
        self.ssl_context(&mut out);
        if let Some(limit) = &self.memory_limit {
            let limit = tag("memoryUsage", &owned(&[("limit", limit)]), "/>");
            out.push_str(&nested(&["systemUsage", "systemUsage", "memoryUsage"], &limit));
        }
        let listeners: String =
            self.listeners.iter().map(|listener| tag("transportConnector", listener, "/>")).collect();
        out.push_str(&nested(&["transportConnectors"], &listeners));
        writeln!(out, "{}\n</broker>\n</beans>", self.raw).expect("a string can be written to");
        out
    }

    fn policies(&self, out: &mut String) {
        if !self.policies.is_empty() {
            let entries: String = self.policies.iter().map(|policy| tag("policyEntry", policy, "/>")).collect();
            out.push_str(&nested(&["destinationPolicy", "policyMap", "policyEntries"], &entries));
        }
    }

    fn plugins(&self, out: &mut String) {
        let mut plugins = self.plugins.clone();
        if !self.users.is_empty() {
            let user = |(name, password): &Attribute| {
                let attributes = [("username", name.as_str()), ("password", password), ("groups", "users")];
                tag("authenticationUser", &owned(&attributes), "/>")
            };
            let users: String = self.users.iter().map(user).collect();
            // Before those that ask which groups a user is in.
            plugins.insert_str(0, &nested(&["simpleAuthenticationPlugin", "users"], &users));
        }
        if !plugins.is_empty() {
            out.push_str(&nested(&["plugins"], &plugins));
        }
    }

    fn ssl_context(&self, out: &mut String) {
        let Some((server, trust)) = &self.tls else { return };
        let (server, trust) = (format!("file:{}", server.display()), format!("file:{}", trust.display()));
        let context = owned(&[
            ("keyStore", &server),
            ("keyStorePassword", Certificates::PASSWORD),
            ("keyStoreType", "PKCS12"),
            ("trustStore", &trust),
            ("trustStorePassword", Certificates::PASSWORD),
            ("trustStoreType", "PKCS12"),
        ]);
        out.push_str(&nested(&["sslContext"], &tag("sslContext", &context, "/>")));
    }
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
    http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
<bean class="org.springframework.beans.factory.config.PropertyPlaceholderConfigurer"/>
"#;

fn owned(attributes: &[(&str, &str)]) -> Vec<Attribute> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn tag(name: &str, attributes: &[Attribute], end: &str) -> String {
    let spelled = attributes.iter().fold(String::new(), |spelled, (attribute, value)| {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        spelled + " " + attribute + "=\"" + &value + "\""
    });
    format!("<{name}{spelled}{end}")
}

fn nested(names: &[&str], content: &str) -> String {
    let inside = names.iter().rev().fold(content.to_owned(), |inside, name| format!("<{name}>{inside}</{name}>"));
    inside + "\n"
}
