//! Room for brokers: how many run at once in this test process, however many tests run side by side.

use std::sync::{Condvar, Mutex, PoisonError};

/// A hub and two spokes, each a pair, is the largest topology that is started. More would only slow each other down.
const BROKERS: usize = 6;

static FREE: Mutex<usize> = Mutex::new(BROKERS);
static FREED: Condvar = Condvar::new();

/// Room for some brokers, given back when dropped.
#[derive(Debug)]
pub struct Room(usize);

impl Room {
    /// Waits until so many more brokers may run.
    ///
    /// # Panics
    ///
    /// When there can never be room for so many.
    #[must_use]
    pub fn take(brokers: usize) -> Self {
        assert!(brokers <= BROKERS, "room for {brokers} brokers can never be had");
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREED.wait_while(free, |free| *free < brokers).unwrap_or_else(PoisonError::into_inner);
        *free -= brokers;
        Self(brokers)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        FREED.notify_all();
    }
}
