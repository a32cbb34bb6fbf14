//! `topoc man`: manual pages, made from the same definition as `--help`.

use crate::CLEAN;
use crate::args::{self, ManArgs};
use crate::failure::Failure;
use crate::render::counted;
use crate::replace::replace;
use crate::terminal::Io;
use std::fs;
use std::io::Write;
use std::path::Path;

pub(super) fn run(args: &ManArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let Some(folder) = &args.folder else {
        io.stdout.write_all(&page(args::command())?)?;
        return Ok(CLEAN);
    };
    let written = write(folder, &io.folder)?;
    writeln!(io.stdout, "{} in {}", counted(written, "page"), folder.display())?;
    Ok(CLEAN)
}

/// Writes `topoc.1` and a page for each verb; how many.
fn write(folder: &Path, root: &Path) -> Result<usize, Failure> {
    let real = root.join(folder);
    fs::create_dir_all(&real).map_err(|error| Failure::system("create", folder, &error))?;
    let mut command = args::command();
    // Gives every verb its full name and the options that all have.
    command.build();
    // What is for topoc itself has no page.
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help" && !verb.is_hide_set()).cloned();
    let verbs = verbs.map(|verb| (format!("topoc-{}", verb.get_name()), verb));
    let pages: Vec<_> = std::iter::once(("topoc".to_owned(), args::command())).chain(verbs).collect();
    for (name, command) in &pages {
        let file = format!("{name}.1");
        let bytes = page(command.clone().display_name(name.clone()))?;
        replace(&real.join(&file), &bytes).map_err(|error| Failure::system("write", &folder.join(&file), &error))?;
    }
    Ok(pages.len())
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}
