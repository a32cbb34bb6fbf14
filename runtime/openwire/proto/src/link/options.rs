//! The options of an address that are about the format and about signs of life: one table that reads them and gives their
//! defaults. What is about the socket is left to who opens it.

use std::time::Duration;

use crate::option::{OptionError, options};
use crate::uri::Address;

options! {
    /// How to begin with a peer, and how to notice that it has gone.
    LinkOptions {
        /// The newest version of OpenWire to speak, 10 to 12.
        "wireFormat.version" version: u32 = NEWEST;
        /// The oldest version to accept of the peer. Below 10 it is 10, before which commands have other fields.
        "minmumWireFormatVersion" minimum_version: u32 = OLDEST;
        /// How long the peer may be silent; zero: for ever.
        "wireFormat.maxInactivityDuration" max_inactivity: Duration = Duration::from_secs(30);
        /// How long the peer may take to say its format, and when silence is looked for first.
        "wireFormat.maxInactivityDurationInitalDelay" initial_delay: Duration = Duration::from_secs(10);
        /// The longest frame in bytes; 0: as the peer says.
        "wireFormat.maxFrameSize" max_frame_size: u64 = LONGEST_FRAME;
        /// Whether this side holds frames to that.
        "wireFormat.maxFrameSizeEnabled" max_frame_size_enabled: bool = true;
        /// Whether frames go out at once (`TCP_NODELAY`), if the peer wants that too.
        "wireFormat.tcpNoDelayEnabled" tcp_no_delay: bool = true;
        /// The host that the client means to reach. An address gives its own.
        "wireFormat.host" host: Option<String> = None;
        /// What a broker shows as the client's software.
        "wireFormat.providerName" provider_name: Option<String> = Some("topoc".to_owned());
        /// And its version.
        "wireFormat.providerVersion" provider_version: Option<String> = Some(env!("CARGO_PKG_VERSION").to_owned());
        /// And what it runs on.
        "wireFormat.platformDetails" platform_details: Option<String> = Some("Rust".to_owned());
        /// Whether silence is looked for at all, on either side.
        "useInactivityMonitor" use_inactivity_monitor: bool = true;
        /// Whether this side gives signs of life. Without them a broker closes a connection that is idle.
        "useKeepAlive" use_keep_alive: bool = true;
        /// Whether the peer is to answer them.
        "keepAliveResponseRequired" keep_alive_response_required: bool = false;
    }
}

/// What brokers were shipped with for their listeners up to 5.19.8 and 6.2.7 (activemq.md 2.2).
const LONGEST_FRAME: u64 = 104_857_600;
/// The newest version of OpenWire (`OpenWireFormat.DEFAULT_WIRE_VERSION`, 5.12 to 6.3.1).
pub(super) const NEWEST: u32 = 12;
/// The oldest version with the fields of [`crate::command`]: 9 has no `ConsumerInfo.clientId`, for one.
pub(super) const OLDEST: u32 = 10;

/// What ActiveMQ has for encodings that this client never asks for: any value is as good.
const WITHOUT_EFFECT: [&str; 6] = [
    "wireFormat.stackTraceEnabled",
    "wireFormat.cacheEnabled",
    "wireFormat.cacheSize",
    "wireFormat.tightEncodingEnabled",
    "wireFormat.sizePrefixDisabled",
    "wireFormat.includePlatformDetails",
];

/// Bytes that a broker reads of one property (`WireFormatInfo.MAX_PROPERTY_BUFFER_SIZE`, 5.19.8 and 6.2.7).
const LONGEST: usize = 512;

impl LinkOptions {
    /// Reads the options of an address, and gives back those that are about its socket (`soTimeout`, `connectionTimeout`,
    /// `socket.*` and whatever is none at all).
    ///
    /// # Errors
    /// The first one that cannot be used, any unknown `wireFormat.*` among them. ActiveMQ's client refuses the whole address
    /// too: `Invalid connect parameters`.
    pub fn read(address: &Address) -> Result<(Self, Vec<(String, String)>), OptionError> {
        let mut read = Self { host: Some(address.host.clone()), ..Self::default() };
        let mut left = Vec::new();
        for (name, value) in &address.options {
            if read.set(name, value)? || WITHOUT_EFFECT.contains(&crate::option::as_java(name).as_str()) {
                continue;
            }
            if name.starts_with("wireFormat.") {
                let of = format!("{}://{}:{}", address.scheme, address.host, address.port);
                return Err(OptionError::Unknown { of, name: name.clone() });
            }
            left.push((name.clone(), value.clone()));
        }
        read.check()?;
        Ok((read, left))
    }

    fn check(&self) -> Result<(), OptionError> {
        if !(OLDEST..=NEWEST).contains(&self.version) {
            let value = self.version.to_string();
            return Err(OptionError::BadValue { name: "wireFormat.version", value, takes: "10, 11 or 12" });
        }
        for (name, text) in [
            ("wireFormat.host", &self.host),
            ("wireFormat.providerName", &self.provider_name),
            ("wireFormat.providerVersion", &self.provider_version),
            ("wireFormat.platformDetails", &self.platform_details),
        ] {
            if let Some(text) = text.as_ref().filter(|text| text.len() > LONGEST) {
                return Err(OptionError::BadValue { name, value: text.clone(), takes: "at most 512 bytes" });
            }
        }
        Ok(())
    }
}
