//! The same load as the lab's `java/Load.java`, with this client, in a process of its own.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use topoc_openwire::{AckMode, Connection, Consumer, Destination, Error, Outgoing, Producer, Status};

/// What a load is told, in the words of `java/Load.java`.
#[derive(Parser)]
pub(crate) struct Arguments {
    verb: String,
    #[arg(long)]
    uri: String,
    #[arg(long)]
    queue: String,
    #[arg(long)]
    count: u64,
    #[arg(long, default_value_t = 1000)]
    warmup: u64,
    #[arg(long, default_value_t = 0)]
    size: usize,
    #[arg(long)]
    persistent: bool,
}

/// Runs a load and prints its figures.
pub(crate) fn run(arguments: &Arguments) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(load(arguments)).unwrap();
}

async fn load(arguments: &Arguments) -> Result<(), Error> {
    let connection = Connection::open(&arguments.uri).await?;
    let session = connection.session(AckMode::Auto).await?;
    let queue = Destination::queue(&arguments.queue);
    let mut measured = Measured::default();
    match arguments.verb.as_str() {
        "send" => {
            let producer = session.producer(&queue).await?;
            say(r#"{"event":"ready"}"#);
            send(&connection, &producer, arguments, arguments.warmup).await?;
            measured.start();
            send(&connection, &producer, arguments, arguments.count).await?;
            measured.end();
        }
        "receive" => {
            let mut consumer = session.consumer(&queue).open().await?;
            say(r#"{"event":"ready"}"#);
            receive(&mut consumer, arguments.warmup).await?;
            measured.start();
            receive(&mut consumer, arguments.count).await?;
            measured.end();
        }
        "request" => {
            let replies = Destination::queue(format!("{}.REPLY.0", arguments.queue));
            let producer = session.producer(&queue).await?;
            let mut consumer = session.consumer(&replies).open().await?;
            say(r#"{"event":"ready"}"#);
            request(&producer, &mut consumer, &replies, arguments, arguments.warmup).await?;
            measured.start();
            measured.latencies = request(&producer, &mut consumer, &replies, arguments, arguments.count).await?;
            measured.end();
        }
        "echo" => {
            let producer = session.any_producer().await?;
            let mut consumer = session.consumer(&queue).open().await?;
            say(r#"{"event":"ready"}"#);
            echo(&producer, &mut consumer, arguments, arguments.warmup).await?;
            measured.start();
            echo(&producer, &mut consumer, arguments, arguments.count).await?;
            measured.end();
        }
        verb => panic!("no such verb: {verb}"),
    }
    say(&measured.json(arguments.count, &connection));
    connection.close().await
}

async fn send(connection: &Connection, producer: &Producer, arguments: &Arguments, count: u64) -> Result<(), Error> {
    let text = "x".repeat(arguments.size);
    for _ in 0..count {
        producer.send(Outgoing::text(text.as_str()).persistent(arguments.persistent)).await?;
    }
    connection.flush().await
}

async fn receive(consumer: &mut Consumer, count: u64) -> Result<(), Error> {
    for _ in 0..count {
        std::hint::black_box(consumer.receive().await?.text()?);
    }
    Ok(())
}

async fn request(
    producer: &Producer,
    consumer: &mut Consumer,
    replies: &Destination,
    arguments: &Arguments,
    count: u64,
) -> Result<Vec<Duration>, Error> {
    let text = "x".repeat(arguments.size);
    let mut latencies = Vec::with_capacity(usize::try_from(count).unwrap());
    for number in 0..count {
        let since = Instant::now();
        let message = Outgoing::text(text.as_str()).persistent(arguments.persistent);
        let id = number.to_string();
        producer.send(message.reply_to(replies.clone()).correlation_id(id.as_str())).await?;
        let answer = consumer.receive().await?;
        assert_eq!(answer.correlation_id(), Some(id.as_str()), "the answer to another request");
        std::hint::black_box(answer.text()?);
        latencies.push(since.elapsed());
    }
    Ok(latencies)
}

async fn echo(producer: &Producer, consumer: &mut Consumer, arguments: &Arguments, count: u64) -> Result<(), Error> {
    for _ in 0..count {
        let request = consumer.receive().await?;
        let answer = Outgoing::text(request.text()?.unwrap_or_default()).persistent(arguments.persistent);
        producer.answer(&request, answer).await?;
    }
    Ok(())
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

#[derive(Default)]
struct Measured {
    start: Option<(Instant, f64, u128)>,
    end: Option<(Instant, f64, u128)>,
    latencies: Vec<Duration>,
}

impl Measured {
    fn start(&mut self) {
        self.start = Some(now());
    }

    fn end(&mut self) {
        self.end = Some(now());
    }

    fn json(mut self, messages: u64, connection: &Connection) -> String {
        let (start, end) = (self.start.unwrap(), self.end.unwrap());
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let latency = |place: usize| self.latencies.get(place).map_or(0, Duration::as_micros);
        let latencies = (!self.latencies.is_empty())
            .then(|| serde_json::json!({ "median": latency(last / 2), "p99": latency(last * 99 / 100), "max": latency(last) }));
        let broker = match connection.status() {
            Status::Connected(place) => place.broker,
            _ => None,
        };
        serde_json::json!({
            "messages": messages,
            "seconds": (end.0 - start.0).as_secs_f64(),
            "cpu_seconds": end.1 - start.1,
            "peak_rss_kb": peak_rss(),
            "broker": broker,
            "first_ms": start.2,
            "last_ms": end.2,
            "latency_us": latencies,
        })
        .to_string()
    }
}

/// The moment, the processor time so far in seconds, milliseconds since 1970.
fn now() -> (Instant, f64, u128) {
    (Instant::now(), cpu_seconds(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis())
}

/// Processor time of the whole process (clock 2 of POSIX, as Java's `getProcessCpuTime`).
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
