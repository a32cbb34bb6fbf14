//! A socket to a broker, with or without TLS, and the options of an address that are about it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use topoc_openwire_proto::OptionError;
use topoc_openwire_proto::link::LinkOptions;
use topoc_openwire_proto::uri::{Address, Dial};
use topoc_tls::tokio_rustls::TlsConnector;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use topoc_tls::tokio_rustls::rustls::pki_types::ServerName;

use crate::surroundings::Stream;

/// How an address wants its socket (`TcpTransport`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketOptions {
    /// `connectionTimeout`: 30 s.
    connection_timeout: Option<Duration>,
    /// `keepAlive`: signs of life of TCP itself.
    keep_alive: bool,
    /// `tcpNoDelay`
    no_delay: bool,
    /// `socketBufferSize`, where it is said: the system knows better than Java's 64 KiB.
    buffer_size: Option<u32>,
}

/// Options that ActiveMQ's client knows for a socket and that have nothing to do here: reads and writes never block, and
/// names are always verified unless TLS itself is told otherwise.
const WITHOUT_EFFECT: [&str; 17] = [
    "soTimeout",
    "soWriteTimeout",
    "soLinger",
    "ioBufferSize",
    "closeAsync",
    "daemon",
    "dynamicManagement",
    "logWriterName",
    "minmumWireFormatVersion",
    "socket.verifyHostName",
    "stackSize",
    "startLogging",
    "threadName",
    "trace",
    "trafficClass",
    "typeOfService",
    "useLocalHost",
];

impl SocketOptions {
    fn read(address: &Address, options: &[(String, String)]) -> Result<Self, OptionError> {
        let mut read = Self {
            connection_timeout: Some(Duration::from_secs(30)),
            keep_alive: false,
            no_delay: true,
            buffer_size: None,
        };
        for (name, value) in options {
            let bad = |name, takes| OptionError::BadValue { name, value: value.clone(), takes };
            let is_true = value.eq_ignore_ascii_case("true");
            match name.as_str() {
                "connectionTimeout" => {
                    let limit: u64 = value.parse().map_err(|_| bad("connectionTimeout", "milliseconds"))?;
                    read.connection_timeout = (limit > 0).then_some(Duration::from_millis(limit));
                }
                "socketBufferSize" => {
                    let bytes = value.parse().map_err(|_| bad("socketBufferSize", "a number of bytes"))?;
                    read.buffer_size = Some(bytes);
                }
                "keepAlive" => read.keep_alive = is_true,
                "tcpNoDelay" => read.no_delay = is_true,
                // Java would take the other side for whom it says it is.
                "socket.verifyHostName" if !is_true => {
                    return Err(bad(
                        "socket.verifyHostName",
                        "`true`: names are verified here, unless `TlsConfig` is told otherwise",
                    ));
                }
                known if WITHOUT_EFFECT.contains(&known) => {}
                _ => {
                    let of = format!("{}://{}:{}", address.scheme, address.host, address.port);
                    return Err(OptionError::Unknown { of, name: name.clone() });
                }
            }
        }
        Ok(read)
    }
}

/// Whether all options of an address can be used.
pub(crate) fn check(address: &Address) -> Result<(), OptionError> {
    options(address).map(|_| ())
}

pub(crate) fn options(address: &Address) -> Result<(LinkOptions, SocketOptions), OptionError> {
    let (link, left) = LinkOptions::read(address)?;
    Ok((link, SocketOptions::read(address, &left)?))
}

impl SocketOptions {
    /// Opens something as long as `connectionTimeout` lets it.
    pub(crate) async fn limit<T>(&self, opening: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        match self.connection_timeout {
            None => opening.await,
            Some(limit) => tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| {
                let reason = format!("no connection within {} ms (`connectionTimeout`)", limit.as_millis());
                Err(io::Error::new(io::ErrorKind::TimedOut, reason))
            }),
        }
    }
}

/// Opens a socket: every address of the host's name in turn.
pub(crate) async fn dial(
    address: &Address,
    options: &SocketOptions,
    tls: &Arc<ClientConfig>,
) -> io::Result<Box<dyn Stream>> {
    let stream = connect(address, options).await?;
    stream.set_nodelay(options.no_delay)?;
    match address.dial() {
        Dial::Tcp => Ok(Box::new(stream)),
        Dial::Tls => {
            let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
            Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?))
        }
    }
}

async fn connect(address: &Address, options: &SocketOptions) -> io::Result<TcpStream> {
    let mut last = None;
    for place in lookup_host((address.host.as_str(), address.port)).await? {
        let socket = if place.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_keepalive(options.keep_alive)?;
        if let Some(bytes) = options.buffer_size {
            socket.set_recv_buffer_size(bytes)?;
            socket.set_send_buffer_size(bytes)?;
        }
        match socket.connect(place).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", address.host))))
}
