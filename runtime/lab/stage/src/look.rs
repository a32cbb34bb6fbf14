//! What a connector tells its operators.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Who does not answer within this does not answer.
const WITHIN: Duration = Duration::from_secs(2);

/// The answer of the admin interface at a port of this machine, with its head; none where that is not 200, or nobody answers.
///
/// # Panics
///
/// When there is no such thing, or it cannot be done.
#[must_use]
pub fn look(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(WITHIN)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.starts_with("HTTP/1.1 200").then_some(text)
}
