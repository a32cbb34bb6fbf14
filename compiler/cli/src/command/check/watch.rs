//! `check --watch`: checks again after every save, until Ctrl-C or until nobody reads any more.
//!
//! Files are looked at every few milliseconds instead of through the system's notices: there are few of them, a look costs
//! microseconds, and it sees what editors do (write, truncate, rename) on every file system in the same way.

use super::once;
use crate::CLEAN;
use crate::args::CheckArgs;
use crate::failure::Failure;
use crate::load::{Disk, Stamp};
use crate::project;
use crate::terminal::{Io, Out, Paint};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// Some editors take a file away before they put the new one in its place: so many looks are given to them.
const PATIENCE: usize = 3;

/// Files and what they looked like; none where there is no file.
type Stamps = HashMap<PathBuf, Option<Stamp>>;

pub(super) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, ended.clone())
            .map_err(|error| Failure::new(format!("cannot wait for Ctrl-C: {error}")))?;
    }
    let mut first = true;
    while !ended.load(Ordering::Relaxed) && !io.stdout.is_gone() {
        let seen = check(args, first, io)?;
        first = false;
        wait(&seen, &ended);
    }
    Ok(CLEAN)
}

/// Checks and shows what is found; the files that it depends on.
fn check(args: &CheckArgs, first: bool, io: &mut Io<'_>) -> Result<Stamps, Failure> {
    let start = Instant::now();
    let folder = io.folder.clone();
    let mut seen: Stamps = project::deciding(&args.project, &folder).into_iter().map(stamped).collect();
    let mut disk = Disk::new(&folder);
    let (mut found, mut aside) = (Vec::new(), Vec::new());
    let mut inner = Io {
        stdin: &mut io::empty(),
        stdout: Out::new(&mut found),
        stderr: Out::new(&mut aside),
        out: io.out,
        err: io.err,
        folder: folder.clone(),
        templates: Vec::new(),
    };
    if let Err(failure) = once(args, &mut disk, &mut inner) {
        failure.write(Paint(inner.err.colour), &mut inner.stderr)?;
    }
    let status = format!("checked in {}; waiting for changes, Ctrl-C ends", took(start.elapsed()));
    if io.out.terminal {
        let text = [found, aside, Paint(io.out.colour).dim(&status).into_bytes(), b"\n".to_vec()].concat();
        io.stdout.write_all(&frame(&text, first))?;
    } else {
        io.stdout.write_all(&found)?;
        io.stdout.flush()?;
        io.stderr.write_all(&aside)?;
        writeln!(io.stderr, "{status}")?;
    }
    io.stdout.flush()?;
    io.stderr.flush()?;
    seen.extend(disk.asked());
    Ok(seen)
}

fn stamped(path: PathBuf) -> (PathBuf, Option<Stamp>) {
    let stamp = Stamp::of(&path);
    (path, stamp)
}

fn took(time: Duration) -> String {
    match time.as_millis() {
        0 => "less than 1 ms".to_owned(),
        millis => format!("{millis} ms"),
    }
}

/// One write that puts a text over what is on the screen: each line is cleared behind its end and the rest below, so that
/// nothing is ever blank in between. (ECMA-48: CUP, EL, ED.)
fn frame(text: &[u8], first: bool) -> Vec<u8> {
    let mut frame = if first { b"\x1b[2J\x1b[H".to_vec() } else { b"\x1b[H".to_vec() };
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => frame.extend([line, b"\x1b[K\n"].concat()),
            None => frame.extend(line),
        }
    }
    frame.extend(b"\x1b[J");
    frame
}

/// Comes back when a file has changed and is there again, or at the end.
fn wait(seen: &Stamps, ended: &AtomicBool) {
    let look = |path: &PathBuf| Stamp::of(path);
    let changed = |path: &PathBuf, before: &Option<Stamp>| look(path) != *before;
    let mut patience = PATIENCE;
    while !ended.load(Ordering::Relaxed) {
        let mut news = seen.iter().filter(|(path, before)| changed(path, before)).peekable();
        let missing =
            news.peek().is_some() && news.clone().any(|(path, before)| before.is_some() && look(path).is_none());
        if news.peek().is_some() && (!missing || patience == 0) {
            return;
        }
        patience -= usize::from(missing);
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_clears_only_behind_what_it_writes() {
        assert_eq!(frame(b"a\nb\n", false), b"\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(frame(b"a\n", true), b"\x1b[2J\x1b[Ha\x1b[K\n\x1b[J");
    }
}
