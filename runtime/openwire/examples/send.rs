//! Sends messages to a queue, and says in one line of JSON what it did:
//! `send --uri 'failover:(tcp://amq-1:61616,tcp://amq-2:61616)' --queue GC.REQUESTS --count 1000 --persistent`

#![expect(clippy::print_stdout, reason = "the line of JSON is what it is for")]

mod common;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::{Common, Report};
use topoc_openwire::{AckMode, Destination, Error, Outgoing};

/// Sends messages to a queue
#[derive(Parser)]
#[command(after_help = "Example: send --uri tcp://127.0.0.1:61616 --queue TEST --count 1000 --persistent")]
struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Bytes of text in each message
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    size: usize,
    /// Wait until the broker has each message on disk
    #[arg(long)]
    persistent: bool,
    /// JMS priority, 0 to 9
    #[arg(long, value_name = "P", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: u8,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    common::run(run(arguments))
}

async fn run(arguments: Arguments) -> (Report, Result<(), Error>) {
    let mut report = Report::new("sent");
    let done = send(&arguments, &mut report).await;
    (report, done)
}

async fn send(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    let connection = arguments.common.connect().await?;
    let since = Instant::now();
    let session = connection.session(AckMode::Auto).await?;
    let producer = session.producer(&Destination::queue(&arguments.common.queue)).await?;
    let text = "x".repeat(arguments.size);
    let mut sent = Ok(());
    let mut stop = std::pin::pin!(common::interrupted());
    while report.count < arguments.common.count && sent.is_ok() {
        let message = Outgoing::text(text.clone()).persistent(arguments.persistent).priority(arguments.priority);
        tokio::select! {
            done = producer.send(message) => match done {
                Ok(_) => report.count += 1,
                Err(error) => sent = Err(error),
            },
            () = &mut stop => break,
        }
    }
    report.finish(&connection, since);
    drop((producer, session));
    // What is on its way is written before the connection ends.
    let closed = connection.close().await;
    sent.and(closed)
}
