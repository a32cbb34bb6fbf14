//! Free loopback ports that no other test on this machine is given at the same time.

use std::collections::VecDeque;
use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::{Mutex, PoisonError};

use crate::LabError;

// Below what Linux hands out by itself (32768 and up, ip_local_port_range): no outgoing connection takes a port between
// its choice and its use.
const FIRST: u16 = 20_000;
const BLOCK: u16 = 32;
const BLOCKS: u16 = 375;

/// What this process has leased. The lease is a locked file, which the kernel unlocks when the process ends.
struct Leases {
    locks: Vec<File>,
    free: VecDeque<u16>,
    // Counts the blocks looked at; the first one differs between processes, so that they seldom meet.
    next: u16,
}

static LEASES: Mutex<Option<Leases>> = Mutex::new(None);

/// `count` ports on which nothing listens. Within this process no port is given twice.
///
/// # Errors
///
/// `NoPort` when the range is used up, `Io` when the folder of the leases cannot be written.
pub fn ports(count: usize) -> Result<Vec<u16>, LabError> {
    let mut leases = LEASES.lock().unwrap_or_else(PoisonError::into_inner);
    let leases = leases.get_or_insert_with(Leases::none);
    let mut given = Vec::with_capacity(count);
    while given.len() < count {
        match leases.free.pop_front() {
            Some(port) if is_free(port) => given.push(port),
            Some(_) => {}
            None => leases.lease_a_block()?,
        }
    }
    Ok(given)
}

impl Leases {
    fn none() -> Self {
        Self { locks: Vec::new(), free: VecDeque::new(), next: 0 }
    }

    fn lease_a_block(&mut self) -> Result<(), LabError> {
        let folder = env::temp_dir().join("topoc-lab-ports");
        fs::create_dir_all(&folder).map_err(|cause| LabError::at("make", &folder, cause))?;
        while self.next < BLOCKS {
            // 7 has no factor in common with 375: neighbours in time are not neighbours in the range.
            let block = ((u64::from(process::id()) * 7 + u64::from(self.next)) % u64::from(BLOCKS)) as u16;
            self.next += 1;
            let path = folder.join(block.to_string());
            let lock = File::create(&path).map_err(|cause| LabError::at("write", &path, cause))?;
            if lock.try_lock().is_ok() {
                self.locks.push(lock);
                let first = FIRST + block * BLOCK;
                self.free.extend(first..first + BLOCK);
                return Ok(());
            }
        }
        Err(LabError::NoPort)
    }
}

fn is_free(port: u16) -> bool {
    [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED].iter().all(|&address| TcpListener::bind((address, port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let mut all = ports(3).unwrap();
        all.extend(ports(40).unwrap());
        let given = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), given);
    }

    #[test]
    fn two_processes_lease_different_blocks() {
        // Each value opens its own lock files, as another process would.
        let (mut one, mut other) = (Leases::none(), Leases::none());
        one.lease_a_block().unwrap();
        other.lease_a_block().unwrap();
        assert_eq!(one.free.len(), usize::from(BLOCK));
        assert!(one.free.iter().all(|port| !other.free.contains(port)));
    }

    #[test]
    fn a_port_in_use_is_not_free() {
        let port = ports(1).unwrap()[0];
        assert!(is_free(port));
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }
}
