//! Options of a single TCP or TLS connection: `transport.NAME` on a broker's listener, plain NAME where one dials.

use super::OptionSpec;
use super::OptionType::{Boolean, Bytes, Integer, Millis, Text};

/// The setters of TcpTransport, AbstractInactivityMonitor, InactivityMonitor and WireFormatNegotiator
/// (`TcpTransportFactory.compositeConfigure`, 5.6 to 6.3.1).
macro_rules! connection_options {
    ($prefix:literal, $($own:expr),* $(,)?) => {
        &[
            OptionSpec::new(concat!($prefix, "soTimeout"), Millis, "0", "How long a read may wait; 0 is for ever."),
            OptionSpec::new(concat!($prefix, "soWriteTimeout"), Millis, "-1", "How long a write may wait; -1 is for ever."),
            OptionSpec::new(concat!($prefix, "socketBufferSize"), Bytes, "65536", "The socket's own buffers."),
            OptionSpec::new(concat!($prefix, "ioBufferSize"), Bytes, "8192", "The buffers around the socket."),
            OptionSpec::new(concat!($prefix, "connectionTimeout"), Millis, "30000", "How long connecting may take."),
            OptionSpec::new(concat!($prefix, "keepAlive"), Boolean, "", "Whether the system probes an idle connection."),
            OptionSpec::new(concat!($prefix, "tcpNoDelay"), Boolean, "", "Whether small packets are sent at once.")
                .note("wireFormat.tcpNoDelayEnabled decides once both sides have agreed"),
            OptionSpec::new(concat!($prefix, "soLinger"), Integer, "", "How many seconds closing waits for unsent data."),
            OptionSpec::new(concat!($prefix, "typeOfService"), Integer, "", "The type of service of its packets.")
                .note("not together with diffServ"),
            OptionSpec::new(concat!($prefix, "diffServ"), Text, "", "The differentiated services code of its packets.")
                .note("not together with typeOfService"),
            OptionSpec::new(concat!($prefix, "closeAsync"), Boolean, "true", "Whether closing returns at once."),
            OptionSpec::new(concat!($prefix, "useLocalHost"), Boolean, "false", "Whether this machine's name is `localhost`."),
            OptionSpec::new(concat!($prefix, "minmumWireFormatVersion"), Integer, "0", "The lowest OpenWire version to accept.")
                .note("spelt so"),
            OptionSpec::new(concat!($prefix, "useInactivityMonitor"), Boolean, "true", "Whether a silent connection is closed."),
            OptionSpec::new(concat!($prefix, "useKeepAlive"), Boolean, "true", "Whether an idle side sends signs of life."),
            OptionSpec::new(concat!($prefix, "keepAliveResponseRequired"), Boolean, "false", "Whether a sign of life is answered."),
            OptionSpec::new(concat!($prefix, "connectAttemptTimeout"), Millis, "30000", "How long a new connection may stay silent.")
                .since("5.12.0"),
            OptionSpec::new(concat!($prefix, "readCheckTime"), Millis, "30000", "How long the other side may be silent.")
                .note("overwritten by what both sides agree on in wireFormat.maxInactivityDuration"),
            OptionSpec::new(concat!($prefix, "writeCheckTime"), Millis, "30000", "How often to look whether a sign of life is due.")
                .note("overwritten by a third of the agreed wireFormat.maxInactivityDuration"),
            OptionSpec::new(concat!($prefix, "initialDelayTime"), Millis, "30000", "How long after the start checks begin.")
                .note("overwritten by the agreed wireFormat.maxInactivityDurationInitalDelay"),
            OptionSpec::new(concat!($prefix, "ignoreRemoteWireFormat"), Boolean, "false", "Whether this side alone sets the inactivity times."),
            OptionSpec::new(concat!($prefix, "ignoreAllWireFormatInfo"), Boolean, "false", "Whether inactivity times are not negotiated."),
            OptionSpec::new(concat!($prefix, "negotiateTimeout"), Millis, "15000", "How long agreeing on the wire format may take."),
            OptionSpec::new(concat!($prefix, "trace"), Boolean, "false", "Whether to log every command."),
            OptionSpec::new(concat!($prefix, "logWriterName"), Text, "default", "How trace logs a command."),
            OptionSpec::new(concat!($prefix, "dynamicManagement"), Boolean, "false", "Whether trace can be switched by JMX."),
            OptionSpec::new(concat!($prefix, "startLogging"), Boolean, "true", "Whether trace logs from the start."),
            OptionSpec::new(concat!($prefix, "jmxPort"), Integer, "1099", "The JMX port for dynamicManagement."),
            OptionSpec::new(concat!($prefix, "socket.*"), Text, "", "Any setter of Java's socket."),
            $($own,)*
        ]
    };
}

/// The setters of Java's TLS sockets that make sense in a URI (`SSLSocket`, `SSLServerSocket`).
macro_rules! tls_options {
    ($prefix:literal, $($own:expr),* $(,)?) => {
        &[
            OptionSpec::new(concat!($prefix, "enabledProtocols"), Text, "", "The TLS versions to allow, with commas."),
            OptionSpec::new(concat!($prefix, "enabledCipherSuites"), Text, "", "The cipher suites to allow, with commas."),
            $($own,)*
        ]
    };
}

/// `transport.NAME` on a listener: for every connection that it accepts.
pub const TRANSPORT: &[OptionSpec] = connection_options!(
    "transport.",
    OptionSpec::new("transport.threadName", Text, "", "Whether threads are named for what they serve."),
    OptionSpec::new("transport.receiveBufferSize", Bytes, "", "The listening socket's receive buffer."),
    OptionSpec::new("transport.reuseAddress", Boolean, "", "Whether to bind while old connections fade."),
);

/// `transport.NAME` on a listener with TLS.
pub const TRANSPORT_TLS: &[OptionSpec] = tls_options!(
    "transport.",
    OptionSpec::new("transport.needClientAuth", Boolean, "false", "Whether a client must show a certificate."),
    OptionSpec::new("transport.wantClientAuth", Boolean, "false", "Whether a client is asked for a certificate."),
    OptionSpec::new("transport.verifyHostName", Boolean, "false", "Whether a client's certificate must fit its host.")
        .since("5.15.6"),
);

/// What a dialled `tcp:` or `nio:` URI takes beside `wireFormat.NAME`.
pub const CLIENT_TCP: &[OptionSpec] = connection_options!(
    "",
    OptionSpec::new("auto.*", Text, "", "Taken and ignored, so that a listener's URI can be dialled.")
        .since("5.13.0")
        .note("refused on a member of a list"),
);

/// What a dialled `ssl:` URI takes besides.
pub const CLIENT_TLS: &[OptionSpec] = tls_options!(
    "socket.",
    OptionSpec::new("verifyHostName", Boolean, "true", "Whether the broker's certificate must fit its host.")
        .since("5.15.6")
        .note("false before 5.15.6, and not to be set there"),
    OptionSpec::new("socket.verifyHostName", Boolean, "true", "The same as verifyHostName.").since("5.15.6"),
);
