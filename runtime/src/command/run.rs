//! `run`: the connector at its work, from the first socket to the last.

use std::future::pending;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use topoc_core::connector;
use topoc_core::deployment::{Deployment, Others};
use topoc_finesse::client::Client;
use topoc_plan::LogFormat;
use tracing::{error, info, warn};

use super::exit;
use crate::admin::{self, Admin, Asker, Stage, Status, Views};
use crate::broker::Broker;
use crate::clock;
use crate::driver::{Driver, Ended, Progress};
use crate::finesse::Agents;
use crate::logs::{self, Log, Missing};
use crate::notify::{Heartbeat, Notifier};
use crate::outbox::Outbox;
use crate::report::Report;
use crate::settings::{Problem, Settings};

/// What tasks have told and the loop has not taken: more wait where they are.
const HEARD: usize = 1024;
/// How often the service manager is told how it goes.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// How long everything may take that is left to do at the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the last lines of the log may take.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Works until it is told to end.
pub(super) fn run(settings: &Settings, runtime: &Runtime) -> Result<ExitCode, Vec<Problem>> {
    let notifier = Notifier::of(|name| std::env::var_os(name), std::process::id()).map_err(|error| {
        vec![Problem::new(error.to_string(), "leave the variables of `sd_notify(3)` to the service manager")]
    })?;
    let others = settings.others(clock::now()).map_err(|problem| vec![problem])?;
    let log = log_settings(settings.plan.log).map_err(|problem| vec![problem])?;
    let log = logs::install(&log)
        .map_err(|error| vec![Problem::new(format!("there can be no log: {error}"), "begin the program anew")])?;
    let code = runtime.block_on(work(settings, others, notifier, log.clone()));
    log.summarise();
    // What nobody takes now, nobody will.
    log.flush(LAST_LINES);
    Ok(code)
}

/// How it logs: as the plan has it, unless the environment says otherwise.
fn log_settings(format: LogFormat) -> Result<logs::Settings, Problem> {
    let variable = |name| std::env::var(name).ok();
    let form = variable(logs::FORM_VARIABLE).unwrap_or_else(|| format.word().to_owned());
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    logs::Settings::new(Some(&form), variable(logs::LEVEL_VARIABLE).as_deref(), coloured).map_err(|error| {
        let help = format!("correct `{}` or `{}` in the environment", logs::FORM_VARIABLE, logs::LEVEL_VARIABLE);
        Problem::new(error.to_string(), help)
    })
}

async fn work(settings: &Settings, others: Others, notifier: Notifier, log: Log) -> ExitCode {
    let summaries = log.clone();
    tokio::spawn(async move { summaries.watch().await });
    let epoch = u64::try_from(clock::now().as_millis()).unwrap_or(u64::MAX);
    info!(
        connector = settings.name(),
        version = env!("CARGO_PKG_VERSION"),
        plan = topoc_plan::digest(&settings.plan),
        "the connector starts"
    );
    let mut ends = match signals() {
        Ok(ends) => ends,
        Err(error) => return failed(&format!("signals cannot be heard: {error}")),
    };
    let (report, status) = Report::new(settings, epoch);
    let (asker, questions) = admin::questions();
    let heartbeat = Heartbeat::new();
    let served = match serve(settings, status.clone(), asker, &heartbeat, &log).await {
        Ok(served) => served,
        Err(error) => return failed(&error),
    };
    let ended = tokio::select! {
        code = connect_and_work(settings, others, epoch, report, questions, &heartbeat, &mut ends) => code,
        // They end with the work.
        () = tell_service_manager(notifier, status, &heartbeat) => ExitCode::from(exit::OK),
    };
    if let Some((end, served)) = served {
        drop(end);
        let _ = served.await;
    }
    ended
}

/// Waits for a broker, and works with it.
async fn connect_and_work(
    settings: &Settings,
    others: Others,
    epoch: u64,
    report: Report,
    questions: mpsc::Receiver<admin::Question>,
    heartbeat: &Heartbeat,
    ends: &mut mpsc::Receiver<()>,
) -> ExitCode {
    let topic = match &others {
        Others::Heard(_) => settings.plan.deployment.as_ref().map(|deployment| deployment.sync.clone()),
        Others::Nobody | Others::Unheard => None,
    };
    let client = Client::start(&settings.nodes, &settings.finesse_tls, settings.finesse_options());
    let Ok(config) = settings.broker.config(&settings.plan.brokers.to_string()) else {
        return failed("the brokers' URI cannot be used");
    };
    let opening = Broker::open(config, &settings.plan.requests, topic.as_deref());
    let broker = tokio::select! {
        opened = opening => match opened {
            Ok(broker) => broker,
            Err(error) => return failed(&format!("no requests can be taken from the brokers: {error}")),
        },
        () = beat(heartbeat) => return ExitCode::from(exit::WRONG),
        _ = ends.recv() => return ExitCode::from(exit::OK),
    };
    let (tell, heard) = mpsc::channel(HEARD);
    let sender = match Outbox::open(&broker.connection, &broker.session, topic, tell.clone()).await {
        Ok(sender) => sender,
        Err(error) => return failed(&format!("nothing can be sent to the brokers: {error}")),
    };
    let (outbox, parcels) = mpsc::unbounded_channel();
    let posted = tokio::spawn(sender.run(parcels));
    let machine_settings = connector::Settings {
        name: settings.name(),
        epoch,
        queue: settings.plan.requests.queue.clone(),
        limits: settings.limits,
    };
    let mut driver = Driver {
        machine: Deployment::new(machine_settings, others, clock::now()),
        broker,
        requests: settings.plan.requests.clone(),
        outbox,
        finesse: client.status(),
        agents: Agents::new(client, tell),
        heard,
        report,
        questions,
        heartbeat: heartbeat.clone(),
        progress: Progress::new(),
    };
    let ended = driver.run(ends).await;
    let code = match &ended {
        Ended::Done => exit::OK,
        Ended::AtOnce => {
            warn!("the connector ends at once: what it has in hand comes to others");
            exit::OK
        }
        Ended::NoBroker(error) => {
            error!(%error, "there is no broker any more");
            exit::WRONG
        }
    };
    driver.close(posted, FAREWELL).await;
    info!("the connector has ended");
    ExitCode::from(code)
}

/// The loop does not turn yet, and all is well. Never returns.
async fn beat(heartbeat: &Heartbeat) {
    loop {
        heartbeat.beat();
        tokio::time::sleep(Heartbeat::EVERY).await;
    }
}

type Served = Option<(oneshot::Sender<()>, tokio::task::JoinHandle<()>)>;

/// Opens the admin interface, if there is to be one.
async fn serve(
    settings: &Settings,
    status: tokio::sync::watch::Receiver<Status>,
    agents: Asker,
    heartbeat: &Heartbeat,
    log: &Log,
) -> Result<Served, String> {
    let Some(admin) = settings.admin.clone() else { return Ok(None) };
    let address = admin.address();
    let admin = Admin::bind(admin).await.map_err(|error| format!("nobody can look at {address}: {error}"))?;
    info!(address = %admin.address(), "the admin interface listens");
    let log = log.clone();
    let missing: Option<Arc<dyn Fn() -> Missing + Send + Sync>> = Some(Arc::new(move || log.missing()));
    let views = Views { status, agents, heartbeat: heartbeat.clone(), missing };
    let (end, ended) = oneshot::channel::<()>();
    Ok(Some((end, tokio::spawn(admin.serve(views, async { drop(ended.await) })))))
}

/// Tells the service manager how it goes. Never returns.
async fn tell_service_manager(
    notifier: Notifier,
    mut status: tokio::sync::watch::Receiver<Status>,
    heartbeat: &Heartbeat,
) {
    let mut seen = status.clone();
    let lines = async {
        let mut ticks = tokio::time::interval(STATUS_EVERY);
        loop {
            ticks.tick().await;
            let line = seen.borrow_and_update().line();
            notifier.status(&line);
        }
    };
    let stages = async {
        let mut told = Stage::Starting;
        loop {
            let stage = status.borrow_and_update().stage;
            if stage != told {
                told = stage;
                match stage {
                    Stage::Starting => {}
                    Stage::Running => notifier.ready(),
                    Stage::Draining => notifier.stopping(topoc_core::sync::Times::default().drain + FAREWELL),
                }
            }
            if status.changed().await.is_err() {
                return pending().await;
            }
        }
    };
    tokio::join!(stages, lines, notifier.watch(heartbeat));
}

/// Tells of every SIGTERM and SIGINT.
fn signals() -> std::io::Result<mpsc::Receiver<()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (tell, ends) = mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if tell.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(ends)
}

fn failed(why: &str) -> ExitCode {
    error!("{why}");
    ExitCode::from(exit::WRONG)
}
