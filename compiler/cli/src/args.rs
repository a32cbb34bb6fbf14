//! The command line as it is typed.

use crate::terminal::Io;
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use topoc_compiler::diagnostic::Severity;

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
}

const CHECK: &str = "\
Examples:
  topoc check                                  main.topo in this folder, or its only .topo file
  topoc check sites/main.topo --format short   one finding a line, for editors and grep
  topoc check --fail-level warning             exit 1 on warnings too, for CI

Exit codes: 0 clean, 1 findings at or above the level, 2 nothing could be checked";

const BUILD: &str = "\
Examples:
  topoc build --out dist                       every site
  topoc build --out dist --site east           one site; the others are left as they are
  topoc build --out dist --check               exit 1 when the folder is not what build would write

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

/// What `check` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// How findings are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// The lowest severity that makes the exit code 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Level::Error)]
    pub(crate) fail_level: Level,
    /// How many findings the human format shows, the worst first; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) max: usize,
}

/// What `build` takes.
#[derive(Debug, ClapArgs)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write and remove only this site's files
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// Write nothing; list how the folder differs from what build would write
    #[arg(long)]
    pub(crate) check: bool,
}

/// Which topology is meant.
#[derive(Debug, ClapArgs)]
pub(crate) struct ProjectArgs {
    /// A file, or a folder with `main.topo` or only one `.topo` file in it
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// A file of `override` blocks to put on top; may be repeated
    #[arg(long = "overlay", value_name = "FILE")]
    pub(crate) overlays: Vec<PathBuf>,
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
