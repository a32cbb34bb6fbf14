//! `topoc-docs DOCS OUT`: writes the site of the guide in DOCS into the folder OUT.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [docs, out] = arguments.as_slice() else { return fail("usage: topoc-docs DOCS OUT") };
    match write(Path::new(docs), Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn write(docs: &Path, out: &Path) -> io::Result<()> {
    for (path, text) in topoc_docs::site(docs)? {
        let path = out.join(path);
        fs::create_dir_all(path.parent().unwrap_or(out))?;
        fs::write(path, text)?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the only thing that this program has to say")]
fn fail(reason: &str) -> ExitCode {
    eprintln!("topoc-docs: {reason}");
    ExitCode::FAILURE
}
