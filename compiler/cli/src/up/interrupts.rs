//! Ctrl-C and what is like it, as something that is asked for: whoever hears it ends what was started.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether somebody wants an end.
#[derive(Debug)]
pub(super) struct Interrupts(Arc<AtomicBool>);

impl Interrupts {
    /// Listens from now on. A terminal that closes is passed over where whoever started topoc wants it so, as `nohup` does.
    pub(super) fn hear() -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        let ignored = fs::read_to_string("/proc/self/status").map_or(0, |status| ignored(&status));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if signal != SIGHUP || ignored & (1 << (SIGHUP - 1)) == 0 {
                signal_hook::flag::register(signal, came.clone())?;
            }
        }
        Ok(Self(came))
    }

    /// Whether one came.
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for another one.
    pub(super) fn forget(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The signals that the process ignores, a bit for each, the first for 1 (`proc(5)`, `SigIgn`).
fn ignored(status: &str) -> u64 {
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::ignored;

    #[test]
    fn ignored_signals_are_bits() {
        assert_eq!(
            ignored("SigBlk:\t0000000000000003\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n"),
            0x1001
        );
        assert_eq!(ignored(""), 0);
    }
}
