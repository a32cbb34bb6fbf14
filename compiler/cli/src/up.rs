//! A whole topology on this machine for a look: brokers, a simulated Finesse, the connectors' programs, and its clients played.

mod player;
pub(crate) mod process;
mod simulator;
mod stage;
mod tools;
mod view;

use crate::failure::Failure;
use crate::render::counted;
use crate::template::Template;
use crate::terminal::{Io, Paint, Screen};
use player::{Agent, Seen};
use process::Running;
use simulator::Simulated;
use stage::{Kind, Part, Player};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use topoc_compiler::Analysis;
use topoc_compiler::loopback;
use view::{News, Row, State};

/// What the command line says of it.
pub(crate) struct Wish<'a> {
    pub(crate) activemq: Option<&'a Path>,
    pub(crate) simulator: Option<&'a Path>,
    pub(crate) template: Template,
    /// Where everything is written.
    pub(crate) folder: PathBuf,
}

/// Brokers take a second or two to start, and connectors nothing.
const TICK: Duration = Duration::from_millis(250);
/// Whoever is asked to end has so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A connection on loopback that takes longer is none.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the topology until Ctrl-C. `analyze` looks at it again with one more overlay.
pub(crate) fn run(
    plain: &Analysis,
    analyze: impl FnOnce(&Path, &mut Io<'_>) -> Result<Analysis, Failure>,
    wish: &Wish<'_>,
    io: &mut Io<'_>,
) -> Result<(), Failure> {
    let model = &plain.model;
    let obstacles = loopback::obstacles(model);
    if !obstacles.is_empty() {
        return Err(Failure::new("the topology cannot be tried on one machine").help(obstacles.join("\n        ")));
    }
    let release = model.topology.activemq.as_ref().map_or(topoc_compiler::release::newest(), |set| set.value.release);
    let tools = tools::Tools::find(wish.activemq, wish.simulator, release)?;
    let agents = model.clients.len().max(1);
    say(io, &format!("starting a simulated Finesse of {}", counted(model.finesse.len(), "node")))?;
    let (simulator, simulated) = simulator::start(&tools.simulator, model.finesse.len().max(1), agents, &wish.folder)?;
    let ports = stage::Ports::find(model).map_err(|error| Failure::new(format!("there is no free port: {error}")))?;
    let overlay = wish.folder.join("loopback.topo");
    std::fs::write(&overlay, stage::overlay(model, &ports, &simulated, &wish.folder, &tools))
        .map_err(|error| Failure::system("write", &overlay, &error))?;
    let analysis = analyze(&overlay, io)?;
    let (parts, secrets) = stage::parts(&analysis, &ports, &wish.folder, &tools, &wish.template)?;
    let players = stage::players(&analysis, &secrets);
    say(io, &format!("starting {} with ActiveMQ {}", what(&parts), tools.activemq.release))?;
    let mut run = Run::start(parts, simulator, simulated)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot wait for several things: {error}")))?;
    let outcome = runtime.block_on(run.watch(players, io));
    // Nobody plays while what they play with ends.
    drop(runtime);
    say(io, "ending everything")?;
    run.end();
    outcome
}

fn what(parts: &[Part]) -> String {
    let of = |kind: Kind| counted(parts.iter().filter(|part| part.kind == kind).count(), kind.word());
    format!("{} and {}", of(Kind::Broker), of(Kind::Connector))
}

fn say(io: &mut Io<'_>, text: &str) -> Result<(), Failure> {
    Ok(writeln!(io.stderr, "{text}")?)
}

/// Everything that runs.
struct Run {
    parts: Vec<Part>,
    running: BTreeMap<String, Running>,
    simulator: Running,
    simulated: Simulated,
}

impl Run {
    fn start(parts: Vec<Part>, simulator: Running, simulated: Simulated) -> Result<Self, Failure> {
        let mut running = BTreeMap::new();
        for part in &parts {
            let (one, _) = part.recipe.start(false)?;
            running.insert(part.recipe.name.clone(), one);
        }
        Ok(Self { parts, running, simulator, simulated })
    }

    /// Until Ctrl-C, or until nobody is there who could press it.
    async fn watch(&mut self, players: Vec<Player>, io: &mut Io<'_>) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        let mut seats: Vec<(String, Agent, watch::Receiver<Seen>)> = Vec::new();
        for (index, player) in (0..).zip(players) {
            let agent = self.agent(index);
            let (tell, seen) = watch::channel(Seen::default());
            seats.push((player.name.clone(), agent.clone(), seen));
            tasks.spawn(player::play(player, agent, tell));
        }
        let mut ended = signals().map_err(|error| Failure::new(format!("cannot hear Ctrl-C: {error}")))?;
        let mut typed = typed(io.out.terminal);
        let mut screen = Drawn::new(io.out);
        screen.begin(self, io)?;
        loop {
            let rows = self.rows(&seats);
            screen.draw(&rows, io)?;
            tokio::select! {
                Some(()) = ended.recv() => return Ok(()),
                Some(name) = typed.recv() => {
                    screen.typed();
                    self.toggle(&name, io)?;
                }
                () = tokio::time::sleep(TICK) => {}
            }
            if io.stdout.is_gone() {
                return Ok(());
            }
        }
    }

    fn agent(&self, index: u32) -> Agent {
        Agent {
            id: (self.simulated.first + index).to_string(),
            // Extensions of the simulator begin a thousand above the agents.
            extension: (self.simulated.first + 1000 + index).to_string(),
            password: self.simulated.password.clone(),
        }
    }

    fn rows(&mut self, seats: &[(String, Agent, watch::Receiver<Seen>)]) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for part in &self.parts {
            let name = &part.recipe.name;
            let one = self.running.get_mut(name);
            let (state, says) = match one {
                None => (State::Killed, String::new()),
                Some(one) => match one.ended() {
                    Some(status) => (State::Ended, format!("{status}: {}", one.last_words())),
                    None if answers(part.port) => (State::Up, format!("127.0.0.1:{}, pid {}", part.port, one.pid())),
                    None => (State::Starting, format!("pid {}", one.pid())),
                },
            };
            rows.push(Row::of_part(part.kind.word(), name, state, says));
        }
        let simulator = if self.simulator.ended().is_some() { State::Ended } else { State::Up };
        let says = format!("{}, pid {}", self.simulated.control, self.simulator.pid());
        rows.insert(0, Row::of_part("finesse", "finesse-sim", simulator, says));
        rows.extend(seats.iter().map(|(name, agent, seen)| Row::of_client(name, &agent.id, &seen.borrow())));
        rows
    }

    /// Kills what runs, and starts what does not.
    fn toggle(&mut self, name: &str, io: &mut Io<'_>) -> Result<(), Failure> {
        let Some(part) = self.parts.iter().find(|part| part.recipe.name == name) else {
            let names: Vec<&str> = self.parts.iter().map(|part| part.recipe.name.as_str()).collect();
            return say(io, &format!("there is no `{name}`: {}", names.join(", ")));
        };
        let mut was = self.running.remove(name);
        let runs = was.as_mut().is_some_and(|one| one.ended().is_none());
        if let Some(one) = was.as_mut().filter(|_| runs) {
            one.kill();
        } else {
            let (one, _) = part.recipe.start(false)?;
            self.running.insert(name.to_owned(), one);
        }
        Ok(())
    }

    /// Connectors end first, so that they can say so to the others; then brokers; then Finesse.
    fn end(mut self) {
        for kind in [Kind::Connector, Kind::Broker] {
            let names = self.parts.iter().filter(|part| part.kind == kind).map(|part| &part.recipe.name);
            let ending: Vec<Running> = names.filter_map(|name| self.running.remove(name)).collect();
            process::end(ending, PATIENCE);
        }
        process::end(vec![self.simulator], PATIENCE);
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LOOK).is_ok()
}

/// A message for each Ctrl-C and each SIGTERM.
fn signals() -> std::io::Result<mpsc::Receiver<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (tell, told) = mpsc::channel(4);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if tell.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(told)
}

/// The lines that a person types; nothing where nobody sits.
fn typed(terminal: bool) -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel(4);
    if terminal {
        // It ends with the program: a thread that waits for a terminal cannot be told to stop.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                let name = line.trim().to_owned();
                if !name.is_empty() && tell.blocking_send(name).is_err() {
                    return;
                }
            }
        });
    }
    told
}

/// What stands on the terminal.
struct Drawn {
    screen: Screen,
    /// Lines below the first of the table.
    lines: usize,
    news: News,
}

impl Drawn {
    fn new(screen: Screen) -> Self {
        Self { screen, lines: 0, news: News::default() }
    }

    fn begin(&self, run: &Run, io: &mut Io<'_>) -> Result<(), Failure> {
        let paint = Paint(self.screen.colour);
        writeln!(io.stdout, "{} shows Finesse, and lets you break it.", paint.cyan(&run.simulated.control))?;
        let how = if self.screen.terminal { "Type a name to kill it, and again to start it. " } else { "" };
        writeln!(io.stdout, "{how}Ctrl-C ends everything.\n")?;
        Ok(io.stdout.flush()?)
    }

    /// Somebody has moved the cursor down by a line.
    fn typed(&mut self) {
        self.lines += 1;
    }

    fn draw(&mut self, rows: &[Row], io: &mut Io<'_>) -> Result<(), Failure> {
        if self.screen.terminal {
            let text = view::table(rows, self.screen.width, Paint(self.screen.colour));
            if self.lines > 0 {
                write!(io.stdout, "\x1b[{}A\x1b[J", self.lines)?;
            }
            self.lines = text.lines().count();
            write!(io.stdout, "{text}")?;
        } else {
            for line in self.news.of(rows) {
                writeln!(io.stdout, "{line}")?;
            }
        }
        Ok(io.stdout.flush()?)
    }
}
