//! The command line as it is typed.

use crate::terminal::Io;
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use topoc_compiler::diagnostic::Severity;
use topoc_compiler::policy::Day;

/// Checks topologies of ActiveMQ brokers, connectors and Cisco Finesse, and writes what each site is configured with
#[derive(Debug, Parser)]
#[command(name = "topoc", version, max_term_width = 120, after_help = START)]
pub(crate) struct Args {
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto, alias = "colour")]
    #[arg(display_order = 100)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const START: &str = "\
Start with:
  topoc new active-active demo && cd demo
  topoc check
  topoc build --out dist";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Find what is wrong with a topology
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Write the files of every site
    #[command(after_help = BUILD)]
    Build(BuildArgs),
    /// Lay topology files out canonically
    #[command(after_help = FMT)]
    Fmt(FmtArgs),
    /// Say what a rule finds and why, or which fields there are
    #[command(after_help = EXPLAIN)]
    Explain(ExplainArgs),
    /// Start a project in a new folder
    #[command(after_help = NEW)]
    New(NewArgs),
    /// Write what a shell needs to complete topoc's arguments
    #[command(after_help = COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Write the manual pages
    #[command(after_help = MAN)]
    Man(ManArgs),
    /// Serve an editor over stdin and stdout (Language Server Protocol)
    #[command(after_help = LSP)]
    Lsp(LspArgs),
    /// Run the whole topology on this machine, for a look
    #[command(after_help = UP)]
    Up(UpArgs),
    /// Become a program that ends with its parent
    #[cfg(target_os = "linux")]
    #[command(hide = true, after_help = GUARD)]
    Guard(GuardArgs),
}

const CHECK: &str = "\
Examples:
  topoc check                                  main.topo in this folder, or its only .topo file
  topoc check sites/main.topo --format short   one finding a line, for editors and grep
  topoc check --fail-level warning             exit 1 on warnings too, for CI
  topoc check --format sarif > topoc.sarif     for a code host; also github, junit, json
  topoc check --watch                          check again after every save
  topoc check --fix --dry-run                  show what would be mended
  topoc check --write-baseline                 from now on only what is new fails, with --baseline

Exit codes: 0 clean, 1 findings at or above the level, 2 nothing could be checked";

const BUILD: &str = "\
Examples:
  topoc build --out dist                       every site
  topoc build --out dist --site east           one site; the others are left as they are
  topoc build --out dist --check               exit 1 when the folder is not what build would write
  topoc build --out dist --no-binaries         configuration only, without programs of connectors
  topoc build --out dist --target systemd      with a unit of systemd for each connector

A connector's program is `topoc-connector` with a plan inside. It is looked for beside topoc, in ../lib/topoc and in \
../libexec/topoc from there; --template or the variable TOPOC_TEMPLATE names another.

Exit codes: 0 written, 1 errors in the topology (nothing was written) or differences, 2 could not be written";

const FMT: &str = "\
Examples:
  topoc fmt                                    every .topo file below this folder
  topoc fmt main.topo --check                  show what would change; exit 1 if anything would
  topoc fmt - < main.topo                      from stdin to stdout

Exit codes: 0 done, 1 --check found something to change, 2 a file cannot be read as a topology";

const EXPLAIN: &str = "\
Examples:
  topoc explain TOPO0101                       a rule by its code
  topoc explain failover-on-listener           the same by its name
  topoc explain --fields connector             every field of a connector
  topoc explain --schema check                 the JSON Schema of `check --format json`";

const NEW: &str = "\
Example:
  topoc new active-active demo && cd demo && topoc check";

const COMPLETIONS: &str = "\
Examples:
  topoc completions bash > ~/.local/share/bash-completion/completions/topoc
  topoc completions fish > ~/.config/fish/completions/topoc.fish
  topoc completions zsh > \"${fpath[1]}/_topoc\"";

const MAN: &str = "\
Examples:
  topoc man | man -l -                         read topoc(1)
  topoc man ~/.local/share/man/man1            one page for topoc and one for each command";

const LSP: &str = "\
Example:
  topoc lsp                                    started by the editor, see editors/README.md

Exit codes: 0 the editor said shutdown and exit, 1 it left without shutdown, 2 the connection failed";

const UP: &str = "\
Examples:
  topoc up                                     until Ctrl-C: brokers, a simulated Finesse, connectors, clients
  topoc up examples/active-active --activemq ~/apache-activemq-6.3.1
  ACTIVEMQ_HOME=/opt/activemq topoc up

For Linux. Everything listens on 127.0.0.1 at ports that are free, and lives in a folder that is removed at the end. ActiveMQ is not part \
of topoc: unpack a distribution of it anywhere.

Exit codes: 0 ended by Ctrl-C, 1 errors in the topology, 2 it could not be started";

#[cfg(target_os = "linux")]
const GUARD: &str = "\
Example:
  topoc guard --parent 4711 -- java -version   what `topoc up` starts brokers with";

/// What `check` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// How findings are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// The lowest severity that makes the exit code 1; without it that of `topoc.toml`, or else error
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) fail_level: Option<Level>,
    /// The lowest severity that the human format shows; without it warning, or the fail level where that is lower
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) show: Option<Level>,
    /// How many findings the human format shows, the worst first; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) max: usize,
    /// A file of findings that were there before and are not reported; without it that of `topoc.toml`
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write down what is found now as the baseline, in `topoc-baseline.json` if none is named
    #[arg(long)]
    pub(crate) write_baseline: bool,
    /// Mend what can be mended without a person looking, and report what is left
    #[arg(long, conflicts_with = "write_baseline")]
    pub(crate) fix: bool,
    /// Mend too what may change who gets what, or who can connect
    #[arg(long = "unsafe", requires = "fix")]
    pub(crate) unsafe_too: bool,
    /// Show what would be mended, and write nothing
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    /// Check again whenever a file has changed, until Ctrl-C
    #[arg(long, conflicts_with_all = ["fix", "write_baseline"])]
    pub(crate) watch: bool,
}

/// What `build` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The folder to write to; without it that of `topoc.toml`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write and remove only this site's files
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// What else is written, for what runs the connectors
    #[arg(long, value_enum, value_name = "TARGET", default_value_t = Target::Files)]
    pub(crate) target: Target,
    /// The program that is given each connector's plan, instead of the one that was installed with topoc
    #[arg(long, value_name = "FILE", conflicts_with = "no_binaries")]
    pub(crate) template: Option<PathBuf>,
    /// Leave out the programs of connectors
    #[arg(long)]
    pub(crate) no_binaries: bool,
    /// Write nothing; list how the folder differs from what build would write
    #[arg(long)]
    pub(crate) check: bool,
}

/// Which topology is meant.
#[derive(Debug, ClapArgs)]
pub(crate) struct ProjectArgs {
    /// A file, or a folder with `main.topo` or only one `.topo` file in it; without it, what `topoc.toml` has as `targets`,
    /// or else this folder
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// A file of `override` blocks to put on top; may be repeated
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<PathBuf>,
    /// The settings to use, instead of the nearest `topoc.toml` from the topology's folder upwards
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Use no `topoc.toml`
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,
    /// The day to ask about, as 2027-01-31, for `allow` comments with `until`; today in UTC without it
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) today: Option<Day>,
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "a day is written as 2027-01-31".to_owned())
}

/// What `fmt` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct FmtArgs {
    /// Files, folders with every .topo file below them, or - for stdin
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Write nothing; show what would change
    #[arg(long)]
    pub(crate) check: bool,
}

/// What `explain` takes.
#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub(crate) struct ExplainArgs {
    /// A rule's code or name
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// List every rule
    #[arg(long)]
    pub(crate) all: bool,
    /// List the fields of a kind of block, or of every kind
    #[arg(long, value_name = "KIND")]
    pub(crate) fields: Option<Option<String>>,
    /// Print the JSON Schema of something that topoc writes
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) schema: Option<Schema>,
}

/// What has a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schema {
    /// What `check --format json` prints
    Check,
    /// The `manifest.json` that `build` writes
    Manifest,
    /// The baseline that `check --write-baseline` writes
    Baseline,
    /// What the connector tells its clients
    Event,
    /// What the connector tells operators at its admin interface
    Admin,
}

/// What `new` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct NewArgs {
    /// What the topology looks like
    #[arg(value_enum, value_name = "KIND")]
    pub(crate) kind: Template,
    /// The folder to start it in; must not exist or be empty
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// What `completions` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// What `man` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// The folder to write all pages to; without it the page of topoc itself goes to stdout
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// What `lsp` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct LspArgs {
    /// Taken because editors pass it; stdin and stdout are always used
    #[arg(long, hide = true)]
    pub(crate) stdio: bool,
}

/// What `up` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The folder that ActiveMQ was unpacked to; without it ACTIVEMQ_HOME, or where `activemq` on the PATH belongs
    #[arg(long, value_name = "DIR")]
    pub(crate) activemq: Option<PathBuf>,
    /// The program `finesse-sim`; without it the one beside topoc or on the PATH
    #[arg(long, value_name = "FILE")]
    pub(crate) simulator: Option<PathBuf>,
    /// The connector's program without a plan; without it the one that was installed with topoc
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
}

/// What `guard` takes.
#[cfg(target_os = "linux")]
#[derive(Debug, ClapArgs)]
pub(crate) struct GuardArgs {
    /// The process that it ends with
    #[arg(long)]
    pub(crate) parent: u32,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

/// When to use colours: on a terminal, in files and pipes too, or not at all.
// The variants have no doc comments, so that help shows them in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the text they are about
    Human,
    /// One a line: `path:line:col: severity[CODE] name: message (help)`
    Short,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code hosts and review tools
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// JUnit's XML, for CI servers
    Junit,
}

/// The lowest severity that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Errors only
    Error,
    /// Warnings too
    Warning,
    /// Everything
    Note,
}

impl Level {
    /// As the compiler knows it.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note => Severity::Note,
        }
    }
}

/// What runs the connectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Nothing that topoc knows: configuration and programs only
    Files,
    /// systemd: a unit for each connector as well
    Systemd,
}

/// What a new topology looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// One site, one of everything
    Simplex,
    /// Two sites; the second has no work while the first lives
    ActivePassive,
    /// Two sites; each has its own work and stands in for the other
    ActiveActive,
    /// Pairs of master and slave brokers at a hub and two spokes
    HubSpoke,
}

/// The definition, for those who describe it.
pub(crate) fn command() -> clap::Command {
    Args::command()
}

/// Reads the arguments, and lets `--color` decide for both streams of `io`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> Result<Args, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Looked for beforehand, since clap's own messages about the other arguments follow it too.
    if let Some(color) = wished(&arguments) {
        io.out.colour = color.decide(io.out.colour);
        io.err.colour = color.decide(io.err.colour);
    }
    let mut command = Args::command().term_width(io.out.width);
    command.try_get_matches_from_mut(arguments).and_then(|matches| Args::from_arg_matches(&matches))
}

impl Color {
    fn decide(self, seen: bool) -> bool {
        match self {
            Color::Auto => seen,
            Color::Always => true,
            Color::Never => false,
        }
    }
}

fn wished(arguments: &[OsString]) -> Option<Color> {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let joined = texts.iter().find_map(|text| text.strip_prefix("--color=").or(text.strip_prefix("--colour=")));
    let apart = texts.windows(2).find_map(|pair| match pair {
        ["--color" | "--colour", value] => Some(*value),
        _ => None,
    });
    Color::from_str(joined.or(apart)?, false).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_no_fault_with_the_definition() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_an_example() {
        for verb in Args::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("  topoc {}", verb.get_name())), "{}", verb.get_name());
        }
    }
}
