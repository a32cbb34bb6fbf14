//! `topoc fmt`: files laid out canonically, in place.

use crate::args::FmtArgs;
use crate::diff;
use crate::failure::Failure;
use crate::files::{SOURCE_LIMIT, read_source};
use crate::load::{EXTENSION, below};
use crate::render::{counted, human};
use crate::replace::replace;
use crate::terminal::{Io, Paint};
use crate::{CLEAN, FAILED, FINDINGS};
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use topoc_compiler::diagnostic::{Diagnostic, Severity};
use topoc_compiler::rules;
use topoc_compiler::sources::{Source, Sources};
use topoc_dsl::FileId;
use topoc_dsl::syntax::SyntaxError;

/// Findings of one file that are shown at most.
const ALL_ERRORS: human::Choice = human::Choice { least: Severity::Error, max: 20 };
/// Lines of a file's differences that are shown at most.
const MOST_LINES: usize = 40;

/// How many files were what.
#[derive(Debug, Default)]
struct Tally {
    changed: usize,
    unchanged: usize,
    failed: usize,
}

pub(super) fn run(args: &FmtArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return match args.paths.len() {
            1 => stdin(args.check, io),
            _ => Err(Failure::new("`-` is stdin and stands alone").help("name files, or `-`")),
        };
    }
    let mut tally = Tally::default();
    for path in files(&args.paths, &io.folder)? {
        match file(&path, args.check, io) {
            Ok(true) => tally.changed += 1,
            Ok(false) => tally.unchanged += 1,
            Err(failure) => {
                tally.failed += 1;
                failure.write(Paint(io.err.colour), &mut io.stderr)?;
            }
        }
    }
    io.stdout.flush()?;
    say(&tally, args.check, io)?;
    Ok(match tally {
        Tally { failed: 1.., .. } => FAILED,
        Tally { changed: 1.., .. } if args.check => FINDINGS,
        _ => CLEAN,
    })
}

fn say(tally: &Tally, check: bool, io: &mut Io<'_>) -> Result<(), Failure> {
    let verb = if check { "would be formatted" } else { "formatted" };
    let mut said = format!("{} {verb}, {} unchanged", counted(tally.changed, "file"), tally.unchanged);
    if tally.failed > 0 {
        said += &format!(", {} left as found", tally.failed);
    }
    Ok(writeln!(io.stderr, "{said}")?)
}

fn stdin(check: bool, io: &mut Io<'_>) -> Result<u8, Failure> {
    let mut bytes = Vec::new();
    let read = io.stdin.take(SOURCE_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("stdin cannot be read: {error}")))?;
    if bytes.len() as u64 > SOURCE_LIMIT {
        return Err(Failure::new("stdin has more than 32 MiB").help("split it into several files and `import` them"));
    }
    let text = decoded(bytes, "stdin")?;
    let formatted = format(&text, "stdin", io)?;
    if check {
        diff::write("stdin", &text, &formatted, MOST_LINES, io)?;
        return Ok(if formatted == text { CLEAN } else { FINDINGS });
    }
    io.stdout.write_all(formatted.as_bytes())?;
    Ok(CLEAN)
}

/// Formats one file, or shows what would change; whether it changes.
fn file(path: &Path, check: bool, io: &mut Io<'_>) -> Result<bool, Failure> {
    let name = path.to_string_lossy().into_owned();
    let real = io.folder.join(path);
    let read =
        read_source(&real, SOURCE_LIMIT).map_err(|error| crate::files::ReadError { path: path.into(), ..error })?;
    let text = decoded(read, &name)?;
    let formatted = format(&text, &name, io)?;
    if formatted == text {
        return Ok(false);
    }
    if check {
        diff::write(&name, &text, &formatted, MOST_LINES, io)?;
    } else {
        replace(&real, formatted.as_bytes()).map_err(|error| Failure::system("write", path, &error))?;
        writeln!(io.stdout, "{name}")?;
    }
    Ok(true)
}

fn decoded(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(format!("`{name}` is not UTF-8: byte {at} is the first that is not"))
            .help("save the file as UTF-8; it was left as it is")
    })
}

fn format(text: &str, name: &str, io: &mut Io<'_>) -> Result<String, Failure> {
    topoc_dsl::format::format(text).or_else(|errors| {
        write_errors(text, name, &errors, io)?;
        Err(Failure::new(format!("`{name}` was left as it is")).help("mend the text first, then format it"))
    })
}

fn write_errors(text: &str, name: &str, errors: &[SyntaxError], io: &mut Io<'_>) -> Result<(), Failure> {
    let source = Source::new(name.to_owned(), text.into(), topoc_dsl::syntax::Tree::default(), false);
    let sources = Sources { files: vec![source], ..Sources::default() };
    let found: Vec<Diagnostic> = errors.iter().map(|error| rules::syntax(FileId(0), error)).collect();
    let hidden = human::write(&sources, &found, ALL_ERRORS, io.err, &mut io.stderr)?;
    if hidden > 0 {
        writeln!(io.stderr, "... and {hidden} more")?;
    }
    Ok(())
}

/// The files that the paths mean, each once.
fn files(paths: &[PathBuf], root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if root.join(path).is_dir() { walk(path, root, &mut found)? } else { found.push(path.clone()) }
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Err(Failure::new("there is no `.topo` file here").help("name files or folders that have some"));
    }
    Ok(found)
}

/// Every topology file below a folder. Hidden ones are left alone, and links to folders are not followed: they may lead
/// round, or out of the project.
fn walk(folder: &Path, root: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let failed = |error: std::io::Error| Failure::system("list", &folder, &error);
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = PathBuf::from(entry.file_name());
            let path = below(&folder, &name);
            if name.as_os_str().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type().map_err(failed)?.is_dir() {
                pending.push(path);
            } else if name.extension() == Some(OsStr::new(EXTENSION)) && root.join(&path).is_file() {
                found.push(path);
            }
        }
    }
    Ok(())
}
