//! What the store costs against a plain loop that writes the same files: `cargo run --release --example store_speed`.
//!
//! Seen on two cores in memory (tmpfs), 20,000 files: a fresh build 1.1 to 1.3 plain loops, everything changed 1.8 (each
//! file is a creation and a rename instead of one write), nothing changed 0.75 (every file is read). On a busy ext4 disk:
//! fresh 0.5 to 0.8, everything changed 1.5 to 6 (ext4 flushes a file that is renamed over another, which is also what
//! keeps it whole in a power loss), nothing changed below 0.1.
#![expect(clippy::print_stdout, reason = "a measurement prints its numbers")]
use std::path::Path;
use std::time::{Duration, Instant};

use topoc::store::{Artifact, Build, Bytes, RealDisk, compare, write};

fn artifacts(count: usize) -> Vec<Artifact> {
    let artifact = |index: usize| Artifact {
        path: format!("site-{}/amq-{index}/activemq.xml", index % 4),
        bytes: Bytes::Whole(format!("<transportConnector name='amq-{index}'/>\n").repeat(75).into_bytes()),
        site: Some(format!("site-{}", index % 4)),
        executable: false,
    };
    (0..count).map(artifact).collect()
}

fn timed(run: impl FnOnce() -> Result<(), Box<dyn std::error::Error>>) -> Result<Duration, Box<dyn std::error::Error>> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}

fn plain(out: &Path, artifacts: &[Artifact]) -> Result<(), Box<dyn std::error::Error>> {
    for artifact in artifacts {
        let path = out.join(&artifact.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, artifact.bytes.get())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for count in [1_000, 20_000] {
        let mut artifacts = artifacts(count);
        let bytes: usize = artifacts.iter().map(|artifact| artifact.bytes.get().len()).sum();
        println!("{count} files, {} KB", bytes / 1024);
        for _ in 0..3 {
            let folder = tempfile::tempdir()?;
            let out = folder.path().join("store");
            let loop_fresh = timed(|| plain(&folder.path().join("plain"), &artifacts))?;
            let store = |artifacts: &[Artifact]| {
                let build = Build { out: &out, artifacts, inputs: &[], topoc: "0", site: None };
                timed(|| Ok(write(&build, &RealDisk, &mut |_, _| {}).map(|_| ())?))
            };
            let fresh = store(&artifacts)?;
            let again = store(&artifacts)?;
            let build = Build { out: &out, artifacts: &artifacts, inputs: &[], topoc: "0", site: None };
            let check = timed(|| Ok(compare(&build, &RealDisk).map(|_| ())?))?;
            for artifact in &mut artifacts {
                artifact.bytes = Bytes::Whole(artifact.bytes.get().iter().rev().copied().collect());
            }
            let loop_over = timed(|| plain(&folder.path().join("plain"), &artifacts))?;
            let over = store(&artifacts)?;
            let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
            println!(
                "  fresh {fresh:.0?} = {:.2} loops ({loop_fresh:.0?}); all changed {over:.0?} = {:.2} loops ({loop_over:.0?}); \
                 nothing changed {again:.0?} = {:.2}; compare {check:.0?} = {:.2}",
                ratio(fresh, loop_fresh),
                ratio(over, loop_over),
                ratio(again, loop_fresh),
                ratio(check, loop_fresh),
            );
        }
    }
    Ok(())
}
