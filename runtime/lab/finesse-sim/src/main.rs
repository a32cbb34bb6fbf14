//! The program `finesse-sim`: a simulated Cisco Finesse cluster on this machine.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use topoc_finesse_sim::cluster::{Cluster, Deployment, Reasons};
use topoc_finesse_sim::{Cors, Options, Simulator, scenario};

const EXAMPLES: &str = "\
Examples:
  finesse-sim --agents 500 --nodes 2
      two nodes on free ports; the first line of the output says where everything is, as JSON
  finesse-sim --port-base 18000 --ca ca.pem
      the same ports and the same file every time
  finesse-sim --speed 60 --scenario failover.toml
      a minute in a second, and things that break by themselves

The control URL of the first line shows a page where agents and calls can be seen and nodes be broken; GET /api lists the \
commands. SIGTERM and SIGINT end the simulator.

Exit codes: 0 ended as asked, 1 could not start, 2 wrong arguments.";

/// A Cisco Finesse cluster for those who have none: REST, XMPP, agents, calls, and a way to break all of it.
#[derive(Parser)]
#[command(name = "finesse-sim", version, after_help = EXAMPLES)]
struct Arguments {
    /// How many agents: 1001 and so on, with extensions 2001 and so on
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    agents: u32,
    /// How many nodes the cluster has
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    nodes: u32,
    /// The first of the ports, which follow each other: five for each node, one for the control API. Without it they are free ones
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port_base: Option<u16>,
    /// The password of every agent and supervisor
    #[arg(long, default_value = "secret")]
    password: String,
    /// Which product the cluster belongs to
    #[arg(long, value_enum, default_value_t = Product::Ucce)]
    deployment: Product,
    /// How much quicker time goes: timers, wrap-up, locks
    #[arg(long, default_value_t = 1.0, value_parser = factor)]
    speed: f64,
    /// For which changes of state a reason code must be given
    #[arg(long, value_enum, default_value_t = Required::None)]
    require_reasons: Required,
    /// What happens to agents whose client is gone: 0 makes them not ready, 1 signs them out (Unified CCE)
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    load: u8,
    /// How long wrap-up takes after a call, such as 30s; without it there is none
    #[arg(long, value_parser = duration)]
    wrap_up: Option<u64>,
    /// After how long a number outside answers, such as 1s; `never` leaves it to the control API
    #[arg(long, default_value = "1s", value_parser = answers)]
    outside_answers: Answers,
    /// Lets the order of elements and the case of words in events vary, as it does on real ones
    #[arg(long)]
    vary_forms: bool,
    /// Where chance begins: which events are lost
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write the certificate of the authority that the nodes' certificates are from; without it a temporary file
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Pages of which origins browsers let use REST and BOSH (CORS): `all`, `off`, or origins with commas between
    #[arg(long, default_value = "all", value_name = "ORIGINS", value_parser = origins)]
    cors: Cors,
    /// A file of commands and their times (TOML)
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Ends when standard input ends, too: for programs that start the simulator
    #[arg(long)]
    end_with_stdin: bool,
    /// Logs every request
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Product {
    Ucce,
    Uccx,
}

#[derive(Clone, Copy, ValueEnum)]
enum Required {
    None,
    NotReady,
    Logout,
    Both,
}

#[derive(Clone, Copy)]
struct Answers(Option<u64>);

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.01..=10_000.0).contains(factor));
    factor.ok_or_else(|| "it is a number from 0.01 to 10000".to_owned())
}

fn duration(text: &str) -> Result<u64, String> {
    scenario::duration(text).ok_or_else(|| "write 500ms, 30s or 2m".to_owned())
}

fn answers(text: &str) -> Result<Answers, String> {
    if text == "never" { Ok(Answers(None)) } else { duration(text).map(|time| Answers(Some(time))) }
}

fn origins(text: &str) -> Result<Cors, String> {
    let origin = |origin: &str| {
        let (_, host) = origin.trim().split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
        (!host.is_empty() && !host.contains('/')).then(|| origin.trim().to_owned())
    };
    match text {
        "all" => Ok(Cors::All),
        "off" => Ok(Cors::Off),
        _ => text.split(',').map(origin).collect::<Option<Vec<String>>>().map(Cors::Only).ok_or_else(|| {
            "write `all`, `off`, or origins such as https://desk.example.com:8080, without a path".to_owned()
        }),
    }
}

impl Arguments {
    fn options(&self) -> Options {
        let mut options = Options::new(self.agents as usize, self.nodes as usize);
        options.port_base = self.port_base;
        options.speed = self.speed;
        options.ca.clone_from(&self.ca);
        options.cors.clone_from(&self.cors);
        let config = &mut options.config;
        config.password.clone_from(&self.password);
        config.deployment = match self.deployment {
            Product::Ucce => Deployment::Ucce,
            Product::Uccx => Deployment::Uccx,
        };
        config.reasons = match self.require_reasons {
            Required::None => Reasons::Optional,
            Required::NotReady => Reasons::NotReady,
            Required::Logout => Reasons::Logout,
            Required::Both => Reasons::Both,
        };
        config.logout_on_disconnect = self.load == 1;
        config.wrap_up = self.wrap_up;
        config.outside_answers = self.outside_answers.0;
        config.vary_forms = self.vary_forms;
        config.seed = self.seed;
        options
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = if arguments.verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_max_level(level)
        .with_target(false)
        .init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = arguments.options();
    let steps = match &arguments.scenario {
        None => Vec::new(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
            let cluster = Cluster::new(options.config.clone(), 0);
            scenario::read(&text, &cluster).map_err(|error| format!("`{}`: {error}", path.display()))?
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anybody can know that the simulator is there.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let simulator = Simulator::start(options).await?;
        let line = format!("{}\n", simulator.announcement());
        std::io::stdout().write_all(line.as_bytes())?;
        std::io::stdout().flush()?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = end_of_stdin(arguments.end_with_stdin) => {}
            () = simulator.play(steps) => {}
        }
        tracing::info!("ends");
        simulator.stop().await;
        Ok::<(), Failure>(())
    })?;
    // A read of standard input cannot be called off, and nobody waits for it.
    runtime.shutdown_background();
    Ok(())
}

async fn end_of_stdin(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let (mut stdin, mut buffer) = (tokio::io::stdin(), [0; 256]);
    while stdin.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}
