//! Options of a `transportConnector` URI: of the listening server, of its wire format, and of its protocol.
//!
//! ActiveMQ ignores what it does not know here (`TcpTransportFactory.doBind` looks at no leftovers), so these tables are
//! the only thing that finds a typo.

use super::OptionSpec;
use super::OptionType::{Boolean, Bytes, Integer, Millis, Number, Text};

/// The server itself (TcpTransportServer, TransportServerThreadSupport, 5.6 to 6.3.1).
pub const SERVER_OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("maximumConnections", Integer, "2147483647", "How many clients may be connected at once."),
    OptionSpec::new("backlog", Integer, "5000", "How many connections may wait to be accepted."),
    OptionSpec::new("maxInactivityDuration", Millis, "30000", "How long a client may be silent."),
    OptionSpec::new(
        "maxInactivityDurationInitalDelay",
        Millis,
        "10000",
        "How long after connecting that is looked at.",
    )
    .note("spelt so"),
    OptionSpec::new("minmumWireFormatVersion", Integer, "0", "The lowest OpenWire version to accept.").note("spelt so"),
    OptionSpec::new("useQueueForAccept", Boolean, "true", "Whether accepted sockets wait in a queue."),
    OptionSpec::new("soTimeout", Millis, "0", "How long a read may wait; 0 is for ever."),
    OptionSpec::new("socketBufferSize", Bytes, "65536", "The sockets' own buffers."),
    OptionSpec::new("connectionTimeout", Millis, "30000", "How long connecting may take."),
    OptionSpec::new(
        "allowLinkStealing",
        Boolean,
        "false",
        "Whether a new connection replaces one of the same client id.",
    )
    .since("5.9.1")
    .note("true for MQTT"),
    OptionSpec::new("trace", Boolean, "false", "Whether to log every command."),
    OptionSpec::new("logWriterName", Text, "default", "How trace logs a command."),
    OptionSpec::new("dynamicManagement", Boolean, "false", "Whether trace can be switched by JMX."),
    OptionSpec::new("startLogging", Boolean, "true", "Whether trace logs from the start."),
    OptionSpec::new("jmxPort", Integer, "1099", "The JMX port for dynamicManagement.").since("5.15.0"),
    OptionSpec::new("daemon", Boolean, "true", "Whether the accepting thread lets the process end."),
    OptionSpec::new("joinOnStop", Boolean, "true", "Whether stopping waits for the accepting thread."),
    OptionSpec::new("stackSize", Bytes, "0", "The accepting thread's stack; 0 is Java's default."),
];

/// The server when it speaks TLS (SslTransportServer, 5.6 to 6.3.1).
pub const SERVER_TLS: &[OptionSpec] = &[
    OptionSpec::new("needClientAuth", Boolean, "false", "Whether a client must show a certificate."),
    OptionSpec::new("wantClientAuth", Boolean, "false", "Whether a client is asked for a certificate."),
];

/// OpenWire itself, on both sides of a connection (OpenWireFormatFactory, 5.6 to 6.3.1).
pub const WIRE_FORMAT: &[OptionSpec] = &[
    OptionSpec::new("wireFormat", Text, "default", "Which wire format to speak; default is OpenWire."),
    OptionSpec::new("wireFormat.version", Integer, "12", "The OpenWire version to offer.")
        .note("the default is the newest that the release speaks"),
    OptionSpec::new("wireFormat.maxInactivityDuration", Millis, "30000", "How long the other side may be silent.")
        .note("the smaller of both sides' values counts; 0 switches it off"),
    OptionSpec::new("wireFormat.maxInactivityDurationInitalDelay", Millis, "10000", "When looking at that begins.")
        .note("spelt so"),
    OptionSpec::new("wireFormat.maxFrameSize", Bytes, "9223372036854775807", "The largest command to accept.")
        .note("104857600 by default in 5.6; shipped configurations set it: 104857600, from 5.19.9, 6.2.8 and 6.3.0 on 10485760"),
    OptionSpec::new("wireFormat.maxFrameSizeEnabled", Boolean, "true", "Whether maxFrameSize is looked at.")
        .since("5.16.4"),
    OptionSpec::new("wireFormat.cacheEnabled", Boolean, "true", "Whether repeated values are sent once."),
    OptionSpec::new("wireFormat.cacheSize", Integer, "1024", "How many repeated values are remembered."),
    OptionSpec::new("wireFormat.tightEncodingEnabled", Boolean, "true", "Whether to encode for size, not for speed."),
    OptionSpec::new("wireFormat.sizePrefixDisabled", Boolean, "false", "Whether commands go without their length."),
    OptionSpec::new("wireFormat.stackTraceEnabled", Boolean, "true", "Whether errors carry their stack trace."),
    OptionSpec::new("wireFormat.tcpNoDelayEnabled", Boolean, "true", "Whether small packets are sent at once."),
    OptionSpec::new("wireFormat.host", Text, "", "The host name to tell the other side.").since("5.9.1"),
    OptionSpec::new("wireFormat.providerName", Text, "ActiveMQ", "The name to tell the other side.").since("5.14.0"),
    OptionSpec::new("wireFormat.providerVersion", Text, "", "The version to tell the other side.").since("5.14.0"),
    OptionSpec::new("wireFormat.platformDetails", Text, "", "The platform to tell the other side.").since("5.14.0"),
    OptionSpec::new("wireFormat.includePlatformDetails", Boolean, "false", "Whether the other side is told the platform.")
        .since("5.15.3"),
];

/// Listeners that find out the protocol themselves (AutoTcpTransportServer, 5.13 to 6.3.1).
pub const AUTO: &[OptionSpec] = &[
    OptionSpec::new("auto.protocols", Text, "", "Which of default, stomp, amqp and mqtt to speak; empty is all.")
        .since("5.13.0")
        .note("OpenWire is called default here; `openwire` means nothing and shuts it out"),
    OptionSpec::new("protocolDetectionTimeOut", Millis, "30000", "How long finding out the protocol may take.")
        .since("5.13.0"),
    OptionSpec::new(
        "maxConnectionThreadPoolSize",
        Integer,
        "2147483647",
        "How many connections are looked at at once.",
    )
    .since("5.13.0"),
    OptionSpec::new("wireFormat.default.*", Text, "", "Wire format options for OpenWire only.").since("5.13.0"),
    OptionSpec::new("wireFormat.stomp.*", Text, "", "Wire format options for STOMP only.").since("5.13.0"),
    OptionSpec::new("wireFormat.mqtt.*", Text, "", "Wire format options for MQTT only.").since("5.13.0"),
    OptionSpec::new("wireFormat.amqp.*", Text, "", "Wire format options for AMQP only.").since("5.13.0"),
];

/// STOMP (StompWireFormatFactory, StompTransportFilter, 5.6 to 6.3.1).
pub const STOMP: &[OptionSpec] = &[
    OptionSpec::new("wireFormat.maxDataLength", Bytes, "104857600", "The largest message body.").since("5.12.0"),
    OptionSpec::new("wireFormat.maxFrameSize", Bytes, "9223372036854775807", "The largest frame.").since("5.12.0"),
    OptionSpec::new("wireFormat.serverMode", Boolean, "true", "Whether the first frame must be a client's.")
        .since("5.19.8")
        .note("in the 6 line from 6.2.7 on"),
    OptionSpec::new("transport.defaultHeartBeat", Text, "0,0", "The heart-beat of clients that ask for none."),
    OptionSpec::new("transport.hbGracePeriodMultiplier", Number, "1.0", "How much later than agreed a beat may come.")
        .since("5.9.0"),
    OptionSpec::new("transport.maxDataLength", Bytes, "104857600", "The largest message body.").since("5.11.1"),
    OptionSpec::new("transport.maxFrameSize", Bytes, "9223372036854775807", "The largest frame.").since("5.12.0"),
];

/// MQTT (MQTTWireFormatFactory, MQTTTransportFilter, 5.6 to 6.3.1).
pub const MQTT: &[OptionSpec] = &[
    OptionSpec::new("wireFormat.maxFrameSize", Bytes, "268435456", "The largest packet.").since("5.12.0"),
    OptionSpec::new("transport.maxFrameSize", Bytes, "268435456", "The largest packet.").since("5.12.0"),
    OptionSpec::new("transport.defaultKeepAlive", Millis, "0", "The keep-alive of clients that ask for none.")
        .since("5.8.0"),
    OptionSpec::new("transport.activeMQSubscriptionPrefetch", Integer, "-1", "The prefetch of subscriptions.")
        .since("5.8.0"),
    OptionSpec::new(
        "transport.publishDollarTopics",
        Boolean,
        "false",
        "Whether topics that begin with $ are published.",
    )
    .since("5.11.0"),
    OptionSpec::new("transport.subscriptionStrategy", Text, "mqtt-default-subscriptions", "How durable ones are kept.")
        .since("5.11.0")
        .note("mqtt-virtual-topic-subscriptions keeps them in queues"),
];

/// AMQP (AmqpWireFormatFactory, AmqpTransportFilter, 5.8 to 6.3.1).
pub const AMQP: &[OptionSpec] = &[
    OptionSpec::new("wireFormat.maxFrameSize", Bytes, "9223372036854775807", "The largest frame.").since("5.12.0"),
    OptionSpec::new("wireFormat.maxAmqpFrameSize", Bytes, "131072", "The largest frame to agree on.").since("5.12.0"),
    OptionSpec::new("wireFormat.idelTimeout", Millis, "30000", "How long a client may be silent.")
        .since("5.12.0")
        .note("spelt so"),
    OptionSpec::new("wireFormat.producerCredit", Integer, "1000", "How many messages a sender may have on the way.")
        .since("5.12.0"),
    OptionSpec::new("wireFormat.transformer", Text, "native", "How messages are turned into JMS ones.").since("5.12.0"),
    OptionSpec::new("wireFormat.allowNonSaslConnections", Boolean, "false", "Whether clients may skip SASL.")
        .since("5.13.4"),
    OptionSpec::new(
        "transport.transformer",
        Text,
        "native",
        "How messages are turned into JMS ones: jms, native or raw.",
    )
    .since("5.8.0"),
    OptionSpec::new("transport.producerCredit", Integer, "1000", "How many messages a sender may have on the way.")
        .since("5.11.0"),
    OptionSpec::new("transport.prefetch", Integer, "", "The prefetch of receivers.").since("5.11.0").gone("5.14.0"),
    OptionSpec::new("transport.maxFrameSize", Bytes, "9223372036854775807", "The largest frame.").since("5.12.0"),
];

/// `ws:`, `wss:`, `http:` and `https:` are Jetty's: whatever its connector has a setter for is an option.
pub const JETTY: &[OptionSpec] = &[
    OptionSpec::new("http.enableTrace", Boolean, "false", "Whether the TRACE method is answered.").since("5.13.2"),
    OptionSpec::new("transport.*", Text, "", "Any setter of Jetty's connector, or an option of the protocol."),
    OptionSpec::new("websocket.*", Text, "", "Any init parameter of the WebSocket servlet."),
];

/// `http:` and `https:` alone (HttpTransportFactory, 5.6 to 6.3.1).
pub const HTTP: &[OptionSpec] = &[
    OptionSpec::new("jetty.config", Text, "", "Jetty's own configuration file.").since("5.8.0"),
    OptionSpec::new("wireFormat.*", Text, "", "Any setter of the text wire format.").since("5.15.11"),
];
