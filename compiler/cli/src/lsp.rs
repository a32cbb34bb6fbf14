//! The language server: an editor's messages in, answers and findings out. Knows the protocol; what there is to say
//! comes from the compiler.

mod actions;
mod assist;
mod findings;
mod project;
mod requests;
mod server;
mod text;
mod types;
mod uri;
mod wire;

use crate::{CLEAN, FINDINGS};
use lsp_server::Message;
pub use server::Server;
use std::io::{self, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
pub use wire::Outgoing;

/// What comes from the editor.
enum Incoming {
    Message(Message),
    /// A frame whose content is no message, and what is answered, if anything.
    Malformed(Option<Outgoing>),
    Failed(io::Error),
}

/// Serves one editor: 0 after `shutdown` and `exit`, 1 when it leaves otherwise.
///
/// # Errors
/// What comes in is not the protocol, or what goes out cannot be written.
pub fn serve(input: impl Read + Send + 'static, out: &mut impl Write) -> io::Result<u8> {
    let (sender, incoming) = channel();
    // Reads ahead, so that changes which wait are taken together and a request can be cancelled while it waits.
    thread::spawn(move || read(BufReader::new(input), &sender));
    let mut server = Server::default();
    while let Some(batch) = next(&incoming) {
        let mut messages = Vec::with_capacity(batch.len());
        for one in batch {
            match one {
                Incoming::Message(message) => messages.push(message),
                Incoming::Malformed(answer) => answer.iter().try_for_each(|answer| answer.write(out))?,
                Incoming::Failed(error) => return Err(error),
            }
        }
        for answer in server.handle(messages) {
            answer.write(out)?;
        }
        if let Some(after_shutdown) = server.exited() {
            return Ok(if after_shutdown { CLEAN } else { FINDINGS });
        }
    }
    Ok(FINDINGS)
}

/// Everything that waits; nothing once the editor is gone.
fn next(incoming: &Receiver<Incoming>) -> Option<Vec<Incoming>> {
    let first = incoming.recv().ok()?;
    Some(std::iter::once(first).chain(incoming.try_iter()).collect())
}

fn read(mut input: BufReader<impl Read>, out: &Sender<Incoming>) {
    loop {
        let one = match wire::frame(&mut input) {
            Ok(Some(content)) => wire::message(&content).map_or_else(Incoming::Malformed, Incoming::Message),
            Ok(None) => return,
            Err(error) => Incoming::Failed(error),
        };
        let last = matches!(one, Incoming::Failed(_));
        if out.send(one).is_err() || last {
            return;
        }
    }
}
