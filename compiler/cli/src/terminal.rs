//! Where a command reads and writes, and what the terminals there can show.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;

/// Everything that a command has of the outside, besides files.
pub struct Io<'a> {
    /// For `fmt -`.
    pub stdin: &'a mut dyn Read,
    /// For reports.
    pub stdout: Out<'a>,
    /// For logs, progress and what went wrong.
    pub stderr: Out<'a>,
    /// What stdout can show.
    pub out: Screen,
    /// What stderr can show.
    pub err: Screen,
    /// What relative paths are relative to; empty for the process's own folder.
    pub folder: PathBuf,
    /// Where the program of connectors may lie that `build` puts plans into: the first that is there counts.
    pub templates: Vec<PathBuf>,
}

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Somebody is looking at it.
    pub terminal: bool,
    /// It shows ANSI colours.
    pub colour: bool,
    /// It shows more than ASCII.
    pub unicode: bool,
    /// In columns.
    pub width: usize,
}

/// Longer lines than this are hard to read, also where a terminal has room for them.
const WIDEST: usize = 120;
/// Narrower than this nothing can be laid out.
const NARROWEST: usize = 40;
/// The width of reports that go into files and pipes.
const PLAIN_WIDTH: usize = 100;

impl Screen {
    /// Looks at a stream and the environment.
    #[must_use]
    pub fn detect(stream: &impl IsTerminal) -> Self {
        let terminal = stream.is_terminal();
        let seen = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let width = if terminal { seen.unwrap_or(80).clamp(NARROWEST, WIDEST) } else { PLAIN_WIDTH };
        let variable = |name: &str| std::env::var(name).ok();
        Self { terminal, colour: colour(terminal, &variable), unicode: unicode(&variable), width }
    }
}

/// no-color.org and bixense.com/clicolors: a set NO_COLOR wins, then CLICOLOR_FORCE, then whether it is a terminal.
fn colour(terminal: bool, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let says = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let forced = variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    let dumb = variable("TERM").is_some_and(|value| value == "dumb");
    !says("NO_COLOR") && (forced || (terminal && !dumb && variable("CLICOLOR").as_deref() != Some("0")))
}

/// POSIX, environment variables: LC_ALL wins over LC_CTYPE wins over LANG. Windows consoles show UTF-8.
fn unicode(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
}

/// A stream that is still fine when its reader has gone, as in `topoc check | head`.
pub struct Out<'a> {
    inner: &'a mut dyn Write,
    forgiving: bool,
    gone: bool,
}

impl<'a> Out<'a> {
    /// Only a closed pipe is passed over.
    pub fn new(inner: &'a mut dyn Write) -> Self {
        Self { inner, forgiving: false, gone: false }
    }

    /// Every error is passed over, as there is nowhere left to say it.
    pub fn forgiving(inner: &'a mut dyn Write) -> Self {
        Self { inner, forgiving: true, gone: false }
    }

    /// Its reader has gone, as far as has been noticed.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    fn pass<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if self.forgiving || error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone |= error.kind() == io::ErrorKind::BrokenPipe;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.pass(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.pass(result, ())
    }
}

/// Writes in colours, or does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// For errors.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31;1", text)
    }

    /// For warnings.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33;1", text)
    }

    /// For things that are there now.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// For names, codes and help.
    pub(crate) fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    /// For headings.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// For what matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_environment_and_the_terminal() {
        for (terminal, environment, expected) in [
            (true, &[][..], true),
            (false, &[], false),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("NO_COLOR", "")], true),
            (true, &[("TERM", "dumb")], false),
            (true, &[("CLICOLOR", "0")], false),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ] {
            let variable = |name: &str| {
                environment
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value): &(&str, &str)| (*value).to_owned())
            };
            assert_eq!(colour(terminal, &variable), expected, "{terminal} {environment:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
        struct Broken(io::ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(self.0.into())
            }
        }
        let write = |kind, forgiving| {
            let mut inner = Broken(kind);
            let mut out = if forgiving { Out::forgiving(&mut inner) } else { Out::new(&mut inner) };
            out.write_all(b"a").and_then(|()| out.flush()).is_ok()
        };
        assert!(write(io::ErrorKind::BrokenPipe, false));
        assert!(!write(io::ErrorKind::StorageFull, false));
        assert!(write(io::ErrorKind::StorageFull, true));
    }
}
