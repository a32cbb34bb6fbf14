//! `check`: every broker and every Finesse server is tried, step by step, and each is told of in one line.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use topoc_finesse::client::Node;
use topoc_finesse::rest::{Options, Server};
use topoc_finesse_proto::rest::{Answer, Command, Origin, Request};
use topoc_openwire::{AckMode, Destination, Error, RefusalKind, Status};
use topoc_tls::tokio_rustls::TlsConnector;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use topoc_tls::tokio_rustls::rustls::pki_types::ServerName;

use crate::settings::{Problem, Settings};

/// How long each step may take.
const WITHIN: Duration = Duration::from_secs(10);

/// What was found at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Which place.
    pub(crate) place: String,
    /// How it is.
    pub(crate) well: String,
    /// What is wrong; none where all is well.
    pub(crate) wrong: Option<Problem>,
}

impl Finding {
    fn of(place: String, tried: Result<String, Problem>) -> Self {
        match tried {
            Ok(well) => Self { place, well, wrong: None },
            Err(problem) => Self { place, well: String::new(), wrong: Some(problem) },
        }
    }

    /// As people read it.
    pub(crate) fn shown(&self, coloured: bool) -> String {
        let paint =
            |colour: &str, word: &str| if coloured { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() };
        match &self.wrong {
            None => format!("{} {}: {}", paint("32", "ok   "), self.place, self.well),
            Some(Problem { what, help }) => {
                format!("{} {}: {what}\n      help: {help}", paint("31", "wrong"), self.place)
            }
        }
    }
}

/// Tries everything that the settings name; all at once.
pub(crate) async fn all(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let uri = settings.plan.brokers.to_string();
    match settings.broker.config(&uri) {
        Ok(config) => {
            for address in config.addresses() {
                let place = format!("broker {}://{}:{}", address.scheme, address.host, address.port);
                findings.push(Finding::of(
                    place,
                    broker(settings, &address.host, address.port, &address.to_string()).await,
                ));
            }
        }
        // It was read before.
        Err(error) => {
            findings.push(Finding::of("brokers".to_owned(), Err(Problem::new(error.to_string(), "correct the URI"))))
        }
    }
    for node in &settings.nodes {
        let place = format!("finesse {}:{}", node.host, node.rest_port);
        findings.push(Finding::of(place, rest(node, &settings.finesse_tls).await));
        let place = format!("notifications {}:{}", node.host, node.xmpp_port);
        findings.push(Finding::of(place, notifications(node, &settings.finesse_tls).await));
    }
    findings
}

/// Resolves, connects, shakes hands, logs in, and looks at the queue without taking anything.
async fn broker(settings: &Settings, host: &str, port: u16, uri: &str) -> Result<String, Problem> {
    drop(connect(host, port).await?);
    let config = settings.broker.config(uri).map_err(|error| Problem::new(error.to_string(), "correct the URI"))?;
    let connection = within("it does not answer as a broker", config.connect()).await?.map_err(refused)?;
    let name = match connection.status() {
        Status::Connected(place) => place.broker.unwrap_or_default(),
        _ => String::new(),
    };
    let queue = &settings.plan.requests.queue;
    let looked = within("it does not answer", async {
        let session = connection.session(AckMode::Individual).await?;
        session.browser(&Destination::queue(queue)).open().await
    });
    let may_read = looked.await?;
    drop(connection.close().await);
    may_read.map(drop).map_err(|error| {
        let help = format!("let the user read the queue `{queue}`, in the broker's `authorizationPlugin`");
        Problem::new(format!("the queue `{queue}` cannot be read: {error}"), help)
    })?;
    Ok(format!("ActiveMQ `{name}`, the queue `{queue}` can be read"))
}

fn refused(error: Error) -> Problem {
    let help = match &error {
        Error::Refused(refusal) if refusal.kind == RefusalKind::Security => {
            "give the connector a user and a password that the broker knows"
        }
        Error::Disconnected(why) if why.contains("certificate") => {
            "name the authority of the broker's certificate in the topology, and dial the name that the certificate is for"
        }
        _ => "look whether an OpenWire listener of a broker is there, with or without TLS as in the URI",
    };
    Problem::new(error.to_string(), help)
}

/// Asks the server how it is.
async fn rest(node: &Node, tls: &Arc<ClientConfig>) -> Result<String, Problem> {
    drop(connect(&node.host, node.rest_port).await?);
    let origin = Origin { tls: true, host: node.host.clone(), port: node.rest_port };
    let server = Server::new(origin, Arc::clone(tls), Options::default());
    let unreadable =
        |what: String| Problem::new(what, "look whether the port is that of Finesse's REST interface, 8445");
    let request = Request::new(&Command::SystemInfo).map_err(|_| unreadable("it cannot be asked".to_owned()))?;
    let help =
        "name the authority of the server's certificate in the topology, and its full name as the certificate has it";
    let answer = server.ask(&request, None, None, Instant::now() + WITHIN).await;
    match answer.map_err(|error| Problem::new(error.to_string(), help))? {
        Answer::SystemInfo(info) if info.is_in_service() => Ok("in service".to_owned()),
        Answer::SystemInfo(info) => {
            let status =
                info.status.map_or_else(|| "says nothing of its state".to_owned(), |status| format!("is {status}"));
            let help =
                "wait until Cisco Finesse Tomcat and the CTI server are up; of UCCX only one server is in service";
            Err(Problem::new(format!("the server {status}"), help))
        }
        _ => Err(unreadable("it answers something else than its state".to_owned())),
    }
}

/// Connects to the notification service, with TLS.
async fn notifications(node: &Node, tls: &Arc<ClientConfig>) -> Result<String, Problem> {
    let stream = connect(&node.host, node.xmpp_port).await?;
    let name = ServerName::try_from(node.host.clone());
    let name =
        name.map_err(|_| Problem::new("its name cannot be in a certificate".to_owned(), "write its full name"))?;
    let opened =
        within("it does not answer with TLS", TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await?;
    let help =
        "name the authority of the server's certificate in the topology, and its full name as the certificate has it";
    opened.map(drop).map_err(|error| Problem::new(format!("no TLS: {error}"), help))?;
    Ok("its certificate is believed".to_owned())
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, Problem> {
    let unknown = |why: &dyn fmt::Display| {
        Problem::new(
            format!("the name `{host}` cannot be resolved: {why}"),
            "correct the name, or look at the DNS of this machine",
        )
    };
    let looked = within("its name is not resolved in time", lookup_host((host, port))).await?;
    let places: Vec<_> = looked.map_err(|error| unknown(&error))?.collect();
    if places.is_empty() {
        return Err(unknown(&"it has no address"));
    }
    let mut last = None;
    for place in places {
        match timeout(WITHIN, TcpStream::connect(place)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(io::Error::new(io::ErrorKind::TimedOut, "nobody answers")),
        }
    }
    let why = last.map(|error| error.to_string()).unwrap_or_default();
    let help = format!("look whether something listens at port {port}, and whether a firewall is between");
    Err(Problem::new(format!("no connection: {why}"), help))
}

async fn within<T>(else_says: &str, work: impl Future<Output = T>) -> Result<T, Problem> {
    timeout(WITHIN, work).await.map_err(|_| {
        let what = format!("{else_says} within {} s", WITHIN.as_secs());
        Problem::new(what, "look whether the right program listens there, and whether it is stuck")
    })
}
