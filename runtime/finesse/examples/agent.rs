//! Signs an agent in, and prints what is told of them: `agent HOST[,HOST] AGENT EXTENSION`, with the password in `FINESSE_PASSWORD`.
#![expect(clippy::print_stdout, reason = "what is told is for people to read")]

use std::time::Duration;

use topoc_finesse::client::{Client, Login, Node, Options};
use topoc_finesse_proto::rest::{Command, Credentials};
use topoc_finesse_proto::secret::Secret;
use topoc_tls::TlsConfig;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [hosts, id, extension] = arguments.as_slice() else { return Err("HOST[,HOST] AGENT EXTENSION".into()) };
    let password = Secret::new(std::env::var("FINESSE_PASSWORD")?);

    // The servers, the one to be preferred first, and whom to believe: the certificate authorities of the system.
    let nodes: Vec<Node> = hosts.split(',').map(Node::new).collect();
    let client = Client::start(&nodes, &TlsConfig::default().build()?, Options::default());

    // One agent: something to ask with, and what is told.
    let login = Login::new(id, Credentials::Basic { user: id.clone(), password });
    let (agent, mut told) = client.agent(login)?;

    let sign_in = Command::SignIn { agent: id.clone(), extension: extension.clone(), mobile: None };
    let outcome = agent.ask(sign_in, Some("r-1".to_owned()), Duration::from_secs(30)).await?;
    println!("{outcome:?}");
    while let Some(told) = told.recv().await {
        println!("{told:?}");
    }
    Ok(())
}
