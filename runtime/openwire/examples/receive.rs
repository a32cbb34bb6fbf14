//! Receives messages of a queue, and says in one line of JSON what it did:
//! `receive --uri 'failover:(tcp://amq-1:61616,tcp://amq-2:61616)' --queue GC.REQUESTS --count 1000 --timeout 10s`

#![expect(clippy::print_stdout, reason = "the line of JSON is what it is for")]

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use common::{Common, Report};
use topoc_openwire::{AckMode, Destination, Error};

/// Receives messages of a queue
#[derive(Parser)]
#[command(after_help = "Example: receive --uri tcp://127.0.0.1:61616 --queue TEST --count 1000 --timeout 10s")]
struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Consumer priority, 127 to -128: who of several consumers is first
    #[arg(long, value_name = "P", default_value_t = 0, allow_negative_numbers = true)]
    consumer_priority: i8,
    /// How many messages may be on their way at once
    #[arg(long, value_name = "N", default_value_t = 1000)]
    prefetch: u32,
    /// How long to wait for the next message: `500ms`, `10s`, `2m`; for ever without it
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
}

fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| "a number and a unit, such as `10s`".to_owned())?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err("a number and a unit, `ms`, `s` or `m`".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    common::run(run(arguments))
}

async fn run(arguments: Arguments) -> (Report, Result<(), Error>) {
    let mut report = Report::new("received");
    let done = receive(&arguments, &mut report).await;
    (report, done)
}

async fn receive(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    let connection = arguments.common.connect().await?;
    let since = Instant::now();
    let session = connection.session(AckMode::Auto).await?;
    let queue = Destination::queue(&arguments.common.queue);
    let consumer = session.consumer(&queue).priority(arguments.consumer_priority).prefetch(arguments.prefetch);
    let mut consumer = consumer.open().await?;
    let mut received = Ok(());
    let mut stop = std::pin::pin!(common::interrupted());
    while report.count < arguments.common.count && received.is_ok() {
        let next = async {
            match arguments.timeout {
                Some(limit) => consumer
                    .receive_within(limit)
                    .await?
                    .map(|_| ())
                    .ok_or(Error::TimedOut("the next message (`--timeout`)", limit)),
                None => consumer.receive().await.map(|_| ()),
            }
        };
        tokio::select! {
            done = next => match done {
                Ok(()) => report.count += 1,
                Err(error) => received = Err(error),
            },
            () = &mut stop => break,
        }
    }
    report.finish(&connection, since);
    drop((consumer, session));
    let closed = connection.close().await;
    received.and(closed)
}
