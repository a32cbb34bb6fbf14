//! A whole topology on this machine for a look: brokers, a simulated Finesse, the connectors' programs, and its clients played.

mod interrupts;
mod player;
pub(crate) mod process;
mod simulator;
mod stage;
mod tools;
mod view;

use crate::failure::Failure;
use crate::render::{counted, some};
use crate::template::Template;
use crate::terminal::{Io, Paint, Screen};
use interrupts::Interrupts;
use player::{Agent, Seen};
use process::Running;
use simulator::Simulated;
use stage::{Kind, Part, Player};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use topoc_compiler::Analysis;
use topoc_compiler::loopback;
use topoc_compiler::model::{Finesse, Model};
use view::{News, Row, State};

/// What the command line says of it.
pub(crate) struct Wish<'a> {
    pub(crate) activemq: Option<&'a Path>,
    pub(crate) simulator: Option<&'a Path>,
    /// None where there is no connector.
    pub(crate) template: Option<Template>,
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
    if model.brokers.is_empty() {
        return Err(Failure::new("the topology has no broker, so that there is nothing to run"));
    }
    let obstacles = loopback::obstacles(model);
    if !obstacles.is_empty() {
        let message = format!("the topology cannot be tried on one machine:\n  - {}", obstacles.join("\n  - "));
        return Err(Failure::new(message)
            .help("change that in a file of `override` blocks for trials, and name it with `--overlay FILE`"));
    }
    let tools = tools::Tools::find(model, wish.activemq, wish.simulator)?;
    // From here on there is something to remove.
    let interrupts = Interrupts::hear().map_err(|error| Failure::new(format!("cannot hear Ctrl-C: {error}")))?;
    let place = tempfile::Builder::new()
        .prefix("topoc-up-")
        .tempdir()
        .map_err(|error| Failure::new(format!("there is no place for what runs: {error}")))?;
    let folder = place.path();
    let simulator = match &tools.simulator {
        Some(program) => match simulate(program, model, folder, &interrupts, io)? {
            None => return Ok(()),
            started => started,
        },
        None => None,
    };
    let ports = stage::Ports::find(model).map_err(|error| Failure::new(format!("there is no free port: {error}")))?;
    let overlay = folder.join("loopback.topo");
    let simulated = simulator.as_ref().map(|(_, simulated)| simulated);
    std::fs::write(&overlay, stage::overlay(model, &ports, simulated, folder, &tools))
        .map_err(|error| Failure::system("write", &overlay, &error))?;
    let analysis = analyze(&overlay, io)?;
    let (parts, secrets) = stage::parts(&analysis, &ports, folder, &tools, wish.template.as_ref())?;
    let players = stage::players(&analysis, &secrets);
    say(io, &format!("starting {} with ActiveMQ {}", what(&parts), tools.activemq.release))?;
    if let Some(line) = other_line(model, &tools.activemq.release) {
        say(io, &format!("the topology is for ActiveMQ {line}, which may do some of it in another way"))?;
    }
    say(io, &format!("what they print is in {}/SITE/NAME/output.log until the end", folder.join("dist").display()))?;
    let mut run = Run::start(parts, simulator)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot wait for several things: {error}")))?;
    let outcome = runtime.block_on(run.watch(players, &interrupts, io));
    // Nobody plays while what they play with ends.
    drop(runtime);
    interrupts.forget();
    say(io, "ending everything")?;
    run.end(&interrupts);
    outcome
}

/// A simulated Finesse with an agent for each client; none where that was interrupted.
fn simulate(
    program: &Path,
    model: &Model,
    folder: &Path,
    interrupts: &Interrupts,
    io: &mut Io<'_>,
) -> Result<Option<(Running, Simulated)>, Failure> {
    let is_uccx = |node: &Finesse| node.deployment.as_ref().is_some_and(|product| product.value == "uccx");
    let size = simulator::Size {
        nodes: model.finesse.len(),
        agents: model.clients.len().max(1),
        product: if model.finesse.iter().any(is_uccx) { "uccx" } else { "ucce" },
    };
    say(io, &format!("starting a simulated Finesse of {}", counted(size.nodes, "node")))?;
    simulator::start(program, size, folder, interrupts)
}

/// The line of releases that the topology is for, where the one that is here is of another.
fn other_line(model: &Model, here: &str) -> Option<String> {
    let release = model.topology.activemq.as_ref()?.value.release;
    let line = format!("{}.{}", release.major, release.minor);
    (!here.starts_with(&format!("{line}."))).then_some(line)
}

fn what(parts: &[Part]) -> String {
    let of = |kind: Kind| (parts.iter().filter(|part| part.kind == kind).count(), kind.word());
    let some = [of(Kind::Broker), of(Kind::Connector)].into_iter().filter(|(count, _)| *count > 0);
    some.map(|(count, word)| counted(count, word)).collect::<Vec<_>>().join(" and ")
}

fn say(io: &mut Io<'_>, text: &str) -> Result<(), Failure> {
    Ok(writeln!(io.stderr, "{text}")?)
}

/// Everything that runs.
struct Run {
    parts: Vec<Part>,
    running: BTreeMap<String, Running>,
    /// Those that have been seen to listen since they were started. A broker that is asked again and again complains of each time.
    up: BTreeSet<String>,
    /// None where the topology has no Finesse.
    simulator: Option<(Running, Simulated)>,
}

impl Run {
    fn start(parts: Vec<Part>, simulator: Option<(Running, Simulated)>) -> Result<Self, Failure> {
        let mut running = BTreeMap::new();
        for part in &parts {
            let (one, _) = part.recipe.start(false)?;
            running.insert(part.recipe.name.clone(), one);
        }
        Ok(Self { parts, running, up: BTreeSet::new(), simulator })
    }

    /// Until Ctrl-C, or until nobody is there who could press it.
    async fn watch(&mut self, players: Vec<Player>, interrupts: &Interrupts, io: &mut Io<'_>) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        // A client that finds its first broker not there yet goes to another one, and may stay there.
        let (begin, _) = watch::channel(false);
        let mut seats: Vec<(String, Option<Agent>, watch::Receiver<Seen>)> = Vec::new();
        for (index, player) in (0..).zip(players) {
            let agent = self.agent(index);
            let (tell, seen) = watch::channel(Seen::default());
            seats.push((player.name.clone(), agent.clone(), seen));
            let mut begun = begin.subscribe();
            tasks.spawn(async move {
                if begun.wait_for(|begun| *begun).await.is_ok() {
                    player::play(player, agent, tell).await;
                }
            });
        }
        let mut typed = typed(io.out.terminal);
        let mut screen = Drawn::new(io.out);
        screen.begin(self, io)?;
        while !interrupts.came() && !io.stdout.is_gone() {
            let rows = self.rows(&seats);
            screen.draw(&rows, io)?;
            if !self.waits_for_brokers() {
                begin.send_replace(true);
            }
            tokio::select! {
                Some(name) = typed.recv() => {
                    screen.typed(self.toggle(&name)?);
                }
                () = tokio::time::sleep(TICK) => {}
            }
        }
        screen.end(io)
    }

    /// Whether a broker is still being started. The slave of a pair is not waited for: it listens when it is the master.
    fn waits_for_brokers(&mut self) -> bool {
        let brokers: Vec<&Part> = self.parts.iter().filter(|part| part.kind == Kind::Broker).collect();
        let (up, down): (Vec<&Part>, _) = brokers.iter().partition(|part| self.up.contains(&part.recipe.name));
        let stands_by = |part: &Part| part.pair.is_some() && up.iter().any(|other| other.pair == part.pair);
        down.into_iter().filter(|part| !stands_by(part)).any(|part| {
            let running = self.running.get_mut(&part.recipe.name);
            running.is_some_and(|one| one.ended().is_none())
        })
    }

    /// The agent of a player; none where no connector could do anything for them.
    fn agent(&self, index: u32) -> Option<Agent> {
        let (_, simulated) = self.simulator.as_ref()?;
        self.parts.iter().any(|part| part.kind == Kind::Connector).then(|| Agent {
            id: (simulated.first + index).to_string(),
            // Extensions of the simulator begin a thousand above the agents.
            extension: (simulated.first + 1000 + index).to_string(),
            password: simulated.password.clone(),
        })
    }

    fn rows(&mut self, seats: &[(String, Option<Agent>, watch::Receiver<Seen>)]) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        if let Some((running, simulated)) = &mut self.simulator {
            let state = if running.ended().is_some() { State::Ended } else { State::Up };
            let says = format!("{}, pid {}", simulated.control, running.pid());
            rows.push(Row::of_part("finesse", "finesse-sim", state, says));
        }
        for part in &self.parts {
            let name = &part.recipe.name;
            let (state, says) = match self.running.get_mut(name) {
                None => (State::Killed, String::new()),
                Some(one) => match one.ended() {
                    Some(status) => (State::Ended, format!("{status}: {}", one.last_words())),
                    None if self.up.contains(name) || answers(part.port) => {
                        self.up.insert(name.clone());
                        (State::Up, format!("127.0.0.1:{}, pid {}", part.port, one.pid()))
                    }
                    None => (State::Starting, format!("pid {}", one.pid())),
                },
            };
            rows.push(Row::of_part(part.kind.word(), name, state, says));
        }
        let id = |agent: &Option<Agent>| agent.as_ref().map(|agent| agent.id.clone());
        rows.extend(seats.iter().map(|(name, agent, seen)| Row::of_client(name, id(agent).as_deref(), &seen.borrow())));
        rows
    }

    /// Kills what runs, and starts what does not. What there is to be said about it.
    fn toggle(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(part) = self.parts.iter().find(|part| part.recipe.name == name) else {
            let names = some(self.parts.iter().map(|part| part.recipe.name.as_str()));
            return Ok(Some(format!("there is no `{name}`: type {names}")));
        };
        self.up.remove(name);
        let mut was = self.running.remove(name);
        let runs = was.as_mut().is_some_and(|one| one.ended().is_none());
        if let Some(one) = was.as_mut().filter(|_| runs) {
            one.kill();
        } else {
            let (one, _) = part.recipe.start(false)?;
            self.running.insert(name.to_owned(), one);
        }
        Ok(None)
    }

    /// Connectors end first, so that they can say so to the others; then brokers; then Finesse. Another Ctrl-C kills them all.
    fn end(mut self, interrupts: &Interrupts) {
        for kind in [Kind::Connector, Kind::Broker] {
            let names = self.parts.iter().filter(|part| part.kind == kind).map(|part| &part.recipe.name);
            let ending: Vec<Running> = names.filter_map(|name| self.running.remove(name)).collect();
            process::end(ending, PATIENCE, || interrupts.came());
        }
        let simulator = self.simulator.into_iter().map(|(running, _)| running).collect();
        process::end(simulator, PATIENCE, || interrupts.came());
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LOOK).is_ok()
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
    /// What was said of the last name that was typed.
    notice: Option<String>,
    news: News,
}

impl Drawn {
    fn new(screen: Screen) -> Self {
        Self { screen, lines: 0, notice: None, news: News::default() }
    }

    fn begin(&self, run: &Run, io: &mut Io<'_>) -> Result<(), Failure> {
        let paint = Paint(self.screen.colour);
        if let Some((_, simulated)) = &run.simulator {
            writeln!(io.stdout, "{} shows Finesse, and lets you break it.", paint.cyan(&simulated.control))?;
        }
        let how = if self.screen.terminal { "Type a name to kill it, and again to start it. " } else { "" };
        writeln!(io.stdout, "{how}Ctrl-C ends everything.\n")?;
        Ok(io.stdout.flush()?)
    }

    /// Somebody has moved the cursor down by a line, and this is to be said about it.
    fn typed(&mut self, notice: Option<String>) {
        self.lines += 1;
        self.notice = notice;
    }

    fn draw(&mut self, rows: &[Row], io: &mut Io<'_>) -> Result<(), Failure> {
        // A window changes its size, and there may be no room for a table.
        match self.screen.terminal.then(Size::now) {
            Some(size) if rows.len() + 2 < size.height => {
                let mut text = view::table(rows, size.width, Paint(self.screen.colour));
                text.extend(self.notice.iter().map(|notice| view::cut(notice, size.width) + "\n"));
                if self.lines > 0 {
                    write!(io.stdout, "\x1b[{}A\x1b[J", self.lines)?;
                }
                self.lines = text.lines().count();
                write!(io.stdout, "{text}")?;
            }
            _ => {
                for line in self.notice.take().into_iter().chain(self.news.of(rows)) {
                    writeln!(io.stdout, "{line}")?;
                }
                self.lines = 0;
            }
        }
        Ok(io.stdout.flush()?)
    }

    /// Takes away what Ctrl-C shows of itself.
    fn end(&self, io: &mut Io<'_>) -> Result<(), Failure> {
        if self.screen.terminal {
            write!(io.stdout, "\r\x1b[K")?;
        }
        Ok(io.stdout.flush()?)
    }
}

/// How many characters the terminal shows.
struct Size {
    width: usize,
    height: usize,
}

impl Size {
    fn now() -> Self {
        let (width, height) = terminal_size::terminal_size().map_or((80, 24), |(width, height)| (width.0, height.0));
        Self { width: width.into(), height: height.into() }
    }
}
