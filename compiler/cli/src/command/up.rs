//! `topoc up`: the whole topology on this machine, for a look.

use crate::args::UpArgs;
use crate::failure::Failure;
use crate::project::Project;
use crate::template::Template;
use crate::terminal::Io;
use crate::up::{self, Wish};
use crate::{CLEAN, FINDINGS, load};
use std::io::Write;
use topoc_compiler::Notes;

pub(super) fn run(args: &UpArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let project = Project::of(&args.project, &io.folder)?;
    let target = super::build::only(&project.targets)?;
    let folder = io.folder.clone();
    let look = |overlays: &[std::path::PathBuf]| {
        project.analyze(target, &mut load::Disk::new(&folder), overlays, Notes::Counted)
    };
    let plain = look(&args.project.overlays)?;
    super::build::report(&plain, io)?;
    if plain.checked().is_none() {
        writeln!(io.stderr, "nothing was started")?;
        return Ok(FINDINGS);
    }
    let template = || Template::find(args.template.as_ref(), &io.templates, &folder, "");
    let wish = Wish {
        activemq: args.activemq.as_deref(),
        simulator: args.simulator.as_deref(),
        template: (!plain.model.connectors.is_empty()).then(template).transpose()?,
    };
    let again = |overlay: &std::path::Path, io: &mut Io<'_>| {
        let mut overlays = args.project.overlays.clone();
        overlays.push(overlay.to_owned());
        let analysis = look(&overlays)?;
        if analysis.checked().is_none() {
            super::build::report(&analysis, io)?;
        }
        Ok(analysis)
    };
    up::run(&plain, again, &wish, io)?;
    Ok(CLEAN)
}
