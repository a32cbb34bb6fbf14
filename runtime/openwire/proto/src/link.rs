//! One connection below its commands: the formats of both sides, and signs of life.
//!
//! As ActiveMQ's `WireFormatNegotiator`, `OpenWireFormat.renegotiateWireFormat` and `InactivityMonitor` do it for a client
//! (5.17.2 to 6.3.1), with deliberate differences:
//!
//! * `useInactivityMonitor=false` is told to the broker. Java keeps quiet about it and sends no signs of life, so that a
//!   broker closes a connection of its that is idle;
//! * a check that comes a whole period too late, because this side did not run, is repeated before it counts;
//! * a peer that never says its format is waited for 30 s where `maxInactivityDurationInitalDelay` is 0; Java fails at once;
//! * a frame has at most 100 MiB unless an address says otherwise, so that no peer can make this side fill its memory. Java's
//!   limit is what a number can say;
//! * where neither side limits frames there is no limit; Java's is 0 then, and no frame passes.
//!
//! ```
//! use std::time::Duration;
//! use topoc_openwire_proto::command::Command;
//! use topoc_openwire_proto::link::{Link, LinkOptions, LinkOrder};
//!
//! let (mut link, first) = Link::new(LinkOptions::default(), Duration::ZERO);
//! // `first` is sent, and nothing else before the peer's own has come.
//! let order = link.received(Duration::from_millis(5), &Command::from(first));
//! assert!(matches!(order, Some(LinkOrder::Ready(_))));
//! ```

mod options;

use std::fmt;
use std::time::Duration;

use crate::command::{Command, KeepAliveInfo, WireFormatInfo};
use crate::primitive::{Map, Value};

pub use options::LinkOptions;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkOrder {
    /// Send this. It may be left out while another frame is on its way out: that is a sign of life as well.
    Send(KeepAliveInfo),
    /// The formats are settled: commands may be sent.
    Ready(Format),
    /// Close the connection: nothing more is to be had of this peer.
    Fail(LinkError),
}

/// What both sides have agreed on, beside what this client always has: loose, no cache, no stack traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The version of OpenWire.
    pub version: u32,
    /// The longest frame that either side takes, in bytes without the length itself. A longer one is not to be sent: the
    /// broker would close the connection, and would do so again after every failover.
    pub max_frame_size: u64,
    /// Whether frames go out at once (`TCP_NODELAY`).
    pub tcp_no_delay: bool,
    /// How long the peer may be silent, once the first check is over; none for ever.
    pub max_inactivity: Option<Duration>,
}

/// Why a peer is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// It has not said which format it speaks, in this time.
    NoFormat(Duration),
    /// It speaks only an older OpenWire than this side.
    OldVersion {
        /// The peer's.
        version: i32,
        /// The oldest that will do.
        minimum: u32,
    },
    /// Nothing has come from it for longer than this.
    Silent(Duration),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFormat(limit) => write!(
                f,
                "the peer has not sent its wire format within {} ms: it hangs, or this is no OpenWire listener \
                 (`Wire format negotiation timeout: peer did not send his wire format.`)",
                limit.as_millis()
            ),
            Self::OldVersion { version, minimum } => write!(
                f,
                "the peer speaks OpenWire {version}, and {minimum} is needed \
                 (`Remote wire format ({version}) is lower the minimum version required ({minimum})`)"
            ),
            Self::Silent(limit) => write!(
                f,
                "the peer has sent nothing, not even a sign of life, for more than {0} ms: it hangs, or the network between \
                 is cut (`Channel was inactive for too (>{0}) long`)",
                limit.as_millis()
            ),
        }
    }
}

impl std::error::Error for LinkError {}

/// How long a format is waited for where no limit is given (`AbstractInactivityMonitor.DEFAULT_CHECK_TIME_MILLS`).
const NO_FORMAT: Duration = Duration::from_secs(30);

/// One connection below its commands. Time is whatever the caller says it is, as long as it does not go backwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    options: LinkOptions,
    stage: Stage,
    /// Something has come since the last look.
    heard: bool,
    /// Something was sent since the last look.
    spoke: bool,
    /// The last look for silence came so late that it did not count.
    excused: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// The peer has not said its format.
    Waiting { limit: Duration, until: Duration },
    /// It has, and silence means nothing.
    Open,
    /// It has, and silence is looked for.
    Watched { read: Check, write: Check },
    /// Given up.
    Failed,
}

/// Something that is looked at every so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check {
    at: Duration,
    every: Duration,
}

impl Check {
    /// Whether it is time. The next time is counted from now, as Java's timers do.
    fn is_due(&mut self, now: Duration) -> bool {
        let due = self.at <= now;
        if due {
            self.at = now.saturating_add(self.every);
        }
        due
    }
}

impl Link {
    /// A connection that has just been made, and what to send first of all.
    #[must_use]
    pub fn new(options: LinkOptions, now: Duration) -> (Self, WireFormatInfo) {
        let info = info(&options);
        let limit = Some(options.initial_delay).filter(|delay| !delay.is_zero()).unwrap_or(NO_FORMAT);
        let stage = Stage::Waiting { limit, until: now.saturating_add(limit) };
        (Self { options, stage, heard: false, spoke: true, excused: false }, info)
    }

    /// Whether commands may be sent.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Watched { .. })
    }

    /// Some bytes have come, perhaps not yet a whole frame: a long message on a slow line is no silence.
    pub fn heard(&mut self) {
        self.heard = true;
    }

    /// A command has come. What is no [`WireFormatInfo`] and no [`KeepAliveInfo`] is the client's.
    pub fn received(&mut self, now: Duration, command: &Command) -> Option<LinkOrder> {
        self.heard = true;
        match command {
            Command::KeepAliveInfo(info) if info.response_required && self.is_ready() => {
                self.spoke = true;
                Some(LinkOrder::Send(KeepAliveInfo { response_required: false, ..*info }))
            }
            Command::WireFormatInfo(info) if matches!(self.stage, Stage::Waiting { .. }) => {
                Some(self.settle(now, info))
            }
            _ => None,
        }
    }

    /// A command of the client's own was written. Not to be told of what was ordered here.
    pub fn sent(&mut self) {
        self.spoke = true;
    }

    /// When [`Link::timer`] is to be called.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Waiting { until, .. } => Some(*until),
            Stage::Watched { read, write } => Some(read.at.min(write.at)),
            Stage::Open | Stage::Failed => None,
        }
    }

    /// The moment of [`Link::wakes_at`] has come. Earlier it does nothing.
    pub fn timer(&mut self, now: Duration) -> Option<LinkOrder> {
        match &mut self.stage {
            Stage::Waiting { limit, until } if *until <= now => {
                let error = LinkError::NoFormat(*limit);
                Some(self.fail(error))
            }
            Stage::Watched { .. } => self.look(now),
            _ => None,
        }
    }

    /// Takes the peer's format beside this side's own.
    fn settle(&mut self, now: Duration, info: &WireFormatInfo) -> LinkOrder {
        let minimum = self.options.minimum_version.max(options::OLDEST);
        let Some(theirs) = u32::try_from(info.version).ok().filter(|version| *version >= minimum) else {
            return self.fail(LinkError::OldVersion { version: info.version, minimum });
        };
        let limits = [self.options.max_frame_size, number(&info.properties, "MaxFrameSize")];
        let limit = limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(u64::MAX);
        let max_inactivity = self.watch(now, &info.properties);
        LinkOrder::Ready(Format {
            version: theirs.min(self.options.version),
            max_frame_size: if self.options.max_frame_size_enabled { limit } else { u64::MAX },
            tcp_no_delay: self.options.tcp_no_delay && is_true(&info.properties, "TcpNoDelayEnabled"),
            max_inactivity,
        })
    }

    /// Begins to look for silence, if both sides want that. How long it may be.
    fn watch(&mut self, now: Duration, theirs: &Map) -> Option<Duration> {
        let duration = |name| Duration::from_millis(number(theirs, name));
        let limit = max_inactivity(&self.options).min(duration("MaxInactivityDuration"));
        if limit.is_zero() {
            self.stage = Stage::Open;
            return None;
        }
        let first = now.saturating_add(self.options.initial_delay.min(duration("MaxInactivityDurationInitalDelay")));
        // InactivityMonitor.writeCheckValueFromReadCheck; with frames of its own in between, this side is never silent for
        // more than two thirds, and a third is left for the way.
        let write = limit / 3;
        self.stage =
            Stage::Watched { read: Check { at: first, every: limit }, write: Check { at: first, every: write } };
        Some(limit)
    }

    /// Looks for silence of the peer, then for silence of this side.
    fn look(&mut self, now: Duration) -> Option<LinkOrder> {
        let Stage::Watched { read, write } = &mut self.stage else { return None };
        let late = now.saturating_sub(read.at) >= read.every;
        if read.is_due(now) {
            let limit = read.every;
            let silent = !std::mem::take(&mut self.heard);
            // Perhaps what has come is not yet read: then nothing can be said of the peer.
            let excused = silent && late && !self.excused;
            if silent && !excused {
                return Some(self.fail(LinkError::Silent(limit)));
            }
            self.excused = excused;
        }
        if write.is_due(now) && !std::mem::take(&mut self.spoke) && self.options.use_keep_alive {
            let response_required = self.options.keep_alive_response_required;
            return Some(LinkOrder::Send(KeepAliveInfo { response_required, ..KeepAliveInfo::default() }));
        }
        None
    }

    fn fail(&mut self, error: LinkError) -> LinkOrder {
        self.stage = Stage::Failed;
        LinkOrder::Fail(error)
    }
}

/// What this side says of itself. Encodings that it does not have are refused by name.
fn info(options: &LinkOptions) -> WireFormatInfo {
    let mut properties: Map = ["CacheEnabled", "TightEncodingEnabled", "StackTraceEnabled", "SizePrefixDisabled"]
        .map(|no| (no, false))
        .into_iter()
        .collect();
    properties.insert("TcpNoDelayEnabled", options.tcp_no_delay);
    properties.insert("MaxInactivityDuration", milliseconds(max_inactivity(options)));
    properties.insert("MaxInactivityDurationInitalDelay", milliseconds(options.initial_delay));
    properties.insert("MaxFrameSize", i64::try_from(options.max_frame_size).unwrap_or(i64::MAX));
    properties.insert("MaxFrameSizeEnabled", options.max_frame_size_enabled);
    for (name, text) in [
        ("Host", &options.host),
        ("ProviderName", &options.provider_name),
        ("ProviderVersion", &options.provider_version),
        ("PlatformDetails", &options.platform_details),
    ] {
        if let Some(text) = text {
            properties.insert(name, text.as_str());
        }
    }
    WireFormatInfo { version: i32::try_from(options.version).unwrap_or(i32::MAX), properties }
}

/// How long this side lets the peer be silent, in whole milliseconds; zero: for ever.
fn max_inactivity(options: &LinkOptions) -> Duration {
    let limit = if options.use_inactivity_monitor { options.max_inactivity } else { Duration::ZERO };
    Duration::from_millis(milliseconds(limit).unsigned_abs())
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A number of the peer; 0 where it has none, or less.
fn number(properties: &Map, name: &str) -> u64 {
    match properties.get(name) {
        Some(Value::Long(number)) => u64::try_from(*number).unwrap_or(0),
        Some(Value::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

fn is_true(properties: &Map, name: &str) -> bool {
    matches!(properties.get(name), Some(Value::Bool(true)))
}
