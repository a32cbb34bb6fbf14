//! `topoc new`: a project to start from, in a folder of its own.

use crate::CLEAN;
use crate::args::{NewArgs, Template};
use crate::failure::Failure;
use crate::terminal::{Io, Paint};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

pub(super) fn run(args: &NewArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let folder = io.folder.join(&args.folder);
    prepare(&folder, &args.folder)?;
    for (name, content) in [
        ("main.topo", args.kind.topology().to_owned()),
        (".gitignore", "dist/\n".to_owned()),
        ("README.md", args.kind.readme()),
    ] {
        create(&folder.join(name), content.as_bytes())
            .map_err(|error| Failure::system("write", &args.folder.join(name), &error))?;
    }
    let shown = args.folder.display();
    let paint = Paint(io.out.colour);
    writeln!(io.stdout, "Started `{shown}`: {}. Next:\n", args.kind.sentence())?;
    for command in next(&args.folder) {
        writeln!(io.stdout, "  {}", paint.cyan(&command))?;
    }
    writeln!(io.stdout, "\nHosts, ports and directories in `main.topo` are examples: put yours in.")?;
    Ok(CLEAN)
}

fn next(folder: &Path) -> Vec<String> {
    let text = folder.display().to_string();
    // POSIX shell: only these need no quotes.
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+:@%".contains(c)) && !text.starts_with('-');
    let quoted = if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) };
    let enter = (folder != Path::new(".")).then(|| format!("cd {quoted}"));
    enter.into_iter().chain(["topoc check".into(), "topoc build --out dist".into()]).collect()
}

/// Makes the folder. One with something in it belongs to somebody.
fn prepare(folder: &Path, shown: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            Failure::new(format!("`{}` is not a folder", shown.display())).help("name a folder that does not exist yet")
        }
        _ => Failure::system("create the folder", shown, &error),
    };
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(Failure::new(format!("`{}` is not empty", shown.display()))
            .help("name a folder that does not exist yet; nothing was changed"));
    }
    Ok(())
}

/// Never over a file that somebody has put there meanwhile.
fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

impl Template {
    fn topology(self) -> &'static str {
        match self {
            Template::Simplex => include_str!("../templates/simplex.topo"),
            Template::ActivePassive => include_str!("../templates/active-passive.topo"),
            Template::ActiveActive => include_str!("../templates/active-active.topo"),
            Template::HubSpoke => include_str!("../templates/hub-spoke.topo"),
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Template::Simplex => "one site with one broker and one connector",
            Template::ActivePassive => "two sites; the second connector has no work while the first lives",
            Template::ActiveActive => "two sites; each connector has its own site's work and stands in for the other",
            Template::HubSpoke => "pairs of master and slave brokers at a hub and two spokes",
        }
    }

    fn readme(self) -> String {
        format!(
            "# Messaging topology\n\n`main.topo` describes it: {}.\n\n    topoc check              # what is wrong with it\n    \
             topoc build --out dist   # the files of every site\n    topoc fmt                # lays `main.topo` out\n",
            self.sentence()
        )
    }
}
