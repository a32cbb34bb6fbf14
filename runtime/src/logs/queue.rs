//! Lines that wait to be written. A thread of their own writes them, so that nobody else waits when whoever reads the log does not:
//! what is too much then is lost, and counted.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// A way for lines to where they are written. Every copy leads there.
#[derive(Clone, Debug)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lines: Mutex<Lines>,
    changed: Condvar,
    /// How many bytes may wait.
    room: usize,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<u8>,
    /// Some have been taken from those that wait, and are not written yet.
    writes: bool,
    lost: u64,
    /// How many of those that were lost somebody was told of.
    told: u64,
}

impl Queue {
    /// Lines go to this writer, until the process ends; so many bytes may wait for it.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn start(writer: impl Write + Send + 'static, room: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared { lines: Mutex::default(), changed: Condvar::new(), room });
        let taker = Arc::clone(&shared);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || taker.write_all_to(writer))?;
        Ok(Self(shared))
    }

    /// How many lines were lost.
    pub(super) fn lost(&self) -> u64 {
        self.0.lines().lost
    }

    /// How many lines were lost since the last time. None while it is full: who would tell of them could not be heard.
    pub(super) fn lost_since(&self) -> u64 {
        let mut lines = self.0.lines();
        if lines.waiting.len() > self.0.room / 2 {
            return 0;
        }
        let since = lines.lost - lines.told;
        lines.told = lines.lost;
        since
    }

    /// Waits until everything is written, but no longer than this. Whether it is.
    pub(super) fn flush(&self, within: Duration) -> bool {
        let is_busy = |lines: &mut Lines| lines.writes || !lines.waiting.is_empty();
        let waited = self.0.changed.wait_timeout_while(self.0.lines(), within, is_busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nobody can panic half way with it.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_to(&self, mut writer: impl Write) {
        loop {
            let is_empty = |lines: &mut Lines| lines.waiting.is_empty();
            let mut lines = self.changed.wait_while(self.lines(), is_empty).unwrap_or_else(PoisonError::into_inner);
            let taken = std::mem::take(&mut lines.waiting);
            lines.writes = true;
            drop(lines);
            let written = writer.write_all(&taken).and_then(|()| writer.flush());
            let mut lines = self.lines();
            lines.writes = false;
            if written.is_err() {
                lines.lost += taken.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
            drop(lines);
            self.changed.notify_all();
        }
    }
}

/// A line comes as a whole, and is never refused: there is nobody to tell.
impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lines();
        if lines.waiting.len() + line.len() > self.0.room {
            lines.lost += 1;
        } else {
            lines.waiting.extend_from_slice(line);
            drop(lines);
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Queue {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// Somebody who takes nothing until it is asked for.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.send(text.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    fn queue(room: usize) -> (Queue, Receiver<Vec<u8>>) {
        let (tell, told) = sync_channel(0);
        (Queue::start(Slow(tell), room).expect("a thread"), told)
    }

    /// Until the first line is on its way, so that the others wait behind it.
    fn block(queue: &mut Queue) {
        queue.write_all(b"0\n").expect("never refused");
        while !queue.0.lines().writes {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_is_too_much_is_lost_and_counted() {
        let (mut queue, reader) = queue(6);
        block(&mut queue);
        for line in ["1\n", "2\n", "3\n", "4\n", "5\n"] {
            queue.write_all(line.as_bytes()).expect("never refused");
        }
        assert_eq!((queue.lost(), queue.lost_since()), (2, 0), "nobody could hear of it now");
        assert!(!queue.flush(Duration::ZERO));
        assert_eq!(reader.recv().as_deref(), Ok(&b"0\n"[..]));
        assert_eq!(reader.recv().as_deref(), Ok(&b"1\n2\n3\n"[..]), "whole lines, in their order");
        assert!(queue.flush(LONG));
        assert_eq!(
            (queue.lost_since(), queue.lost_since(), queue.lost()),
            (2, 0, 2),
            "what was told is not told again"
        );
        queue.write_all(b"6\n").expect("never refused");
        assert_eq!(reader.recv().as_deref(), Ok(&b"6\n"[..]));
    }

    #[test]
    fn without_a_reader_lines_are_lost_and_nobody_waits() {
        let (mut queue, reader) = queue(100);
        block(&mut queue);
        drop(reader);
        queue.write_all(b"1\n2\n").expect("never refused");
        assert!(queue.flush(LONG));
        assert_eq!(queue.lost(), 3);
    }
}
