//! Which ActiveMQ Classic releases there are, and what each of them does differently.

use std::fmt;

/// One ActiveMQ release, such as 5.17.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// 5 or 6.
    pub major: u8,
    /// With `major`, the line: 5.17.
    pub minor: u8,
    /// The patch level within the line.
    pub patch: u8,
}

/// What a topology says its brokers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The release; the newest of its line when only the line was stated.
    pub release: Release,
    /// Whether the patch level was written down. `6.2` means the newest 6.2 there is, `6.2.0` means that one.
    pub stated_patch: bool,
}

/// Why a text names no release that topoc can compile for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// The text is neither `LINE` nor `LINE.PATCH`.
    NotARelease {
        /// What was written.
        text: String,
    },
    /// The text is spelled like a release, but there is no such line.
    UnknownLine {
        /// What was written.
        text: String,
    },
}

/// A line of releases, such as 5.17, and what an operator has to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// 5 or 6.
    pub major: u8,
    /// The number after the major.
    pub minor: u8,
    /// The newest patch level known here.
    pub newest: u8,
    /// The day of the first release, `YYYY-MM-DD`; [`LINES`] says which days are announcements and which are tags.
    pub first_released: &'static str,
    /// The oldest Java version that runs it.
    pub java: u8,
    /// Whether the project still publishes fixes for it.
    pub supported: bool,
    /// The first patch level without a known vulnerability; `None` when the line has none.
    pub first_safe: Option<u8>,
    /// The first patch level without CVE-2023-46604: anyone who reaches the port runs code in the broker. `None`: all have it.
    pub first_without_remote_code: Option<u8>,
}

/// Every line that topoc compiles for, oldest first.
///
/// Newest patch levels and tag days: tags of apache/activemq up to 2026-08-06. Announced days (5.18, 5.19, 6.x), supported
/// lines and the first safe patches: activemq-website, `current_releases.yml` and `security-advisories.data`, 2026-08-03.
/// Java: `target-version` in the line's `pom.xml`.
#[rustfmt::skip]
pub static LINES: &[Line] = &[
    line(5,  5,  1, "2011-03-28",  5, None,     None),
    line(5,  6,  0, "2012-05-02",  6, None,     None),
    line(5,  7,  0, "2012-10-02",  6, None,     None),
    line(5,  8,  0, "2013-02-06",  6, None,     None),
    line(5,  9,  1, "2013-10-14",  6, None,     None),
    line(5, 10,  2, "2014-06-05",  6, None,     None),
    line(5, 11,  4, "2015-01-30",  7, None,     None),
    line(5, 12,  3, "2015-08-10",  7, None,     None),
    line(5, 13,  5, "2015-11-30",  7, None,     None),
    line(5, 14,  5, "2016-08-02",  7, None,     None),
    line(5, 15, 16, "2017-06-27",  8, None,     Some(16)),
    line(5, 16,  8, "2020-06-25",  8, None,     Some(7)),
    line(5, 17,  7, "2022-03-09", 11, None,     Some(6)),
    line(5, 18,  7, "2023-03-24", 11, None,     Some(3)),
    Line { supported: true, ..line(5, 19, 10, "2025-03-11", 11, Some(9), Some(0)) },
    line(6,  0,  1, "2023-11-17", 17, None,     Some(0)),
    line(6,  1,  8, "2024-03-15", 17, None,     Some(0)),
    Line { supported: true, ..line(6, 2, 9, "2025-11-14", 17, Some(8), Some(0)) },
    Line { supported: true, ..line(6, 3, 1, "2026-07-27", 17, Some(0), Some(0)) },
];

/// The oldest release with an XML schema of its own here; older ones are judged by it.
pub const OLDEST_SCHEMA: Release = Release::new(5, 6, 0);

/// URI options of the client's failover transport that not every release has, with the first that does.
///
/// ActiveMQ `FailoverTransport` setters, tags 5.5.0 to 6.3.1 (AMQ-3699, AMQ-4706, AMQ-4718).
pub static FAILOVER_OPTIONS_SINCE: &[(&str, Release)] = &[
    ("nested.*", Release::new(5, 9, 0)),
    ("priorityBackup", Release::new(5, 6, 0)),
    ("priorityURIs", Release::new(5, 6, 0)),
    ("warnAfterReconnectAttempts", Release::new(5, 9, 1)),
];

/// The newest release that is known.
#[must_use]
pub fn newest() -> Release {
    LINES.last().map_or(OLDEST_SCHEMA, Line::newest_release)
}

impl Release {
    /// The release `major.minor.patch`, known or not.
    pub const fn new(major: u8, minor: u8, patch: u8) -> Self {
        Release { major, minor, patch }
    }

    /// What is known about its line; `None` for a release that [`Target::parse`] would refuse.
    pub fn line(self) -> Option<&'static Line> {
        LINES.iter().find(|line| (line.major, line.minor) == (self.major, self.minor))
    }

    /// The release whose XML schema speaks for this one: itself, but never one older than the oldest schema or newer
    /// than the newest patch known of its line.
    pub fn in_schema(self) -> Release {
        let newest = self.line().map_or(self, Line::newest_release);
        self.min(newest).max(OLDEST_SCHEMA)
    }

    /// Whether its line still gets fixes. No for a line that is not known.
    pub fn is_supported(self) -> bool {
        self.line().is_some_and(|line| line.supported)
    }

    /// Whether it has none of the vulnerabilities known when this table was written.
    pub fn is_safe(self) -> bool {
        self.line().and_then(|line| line.first_safe).is_some_and(|first| self.patch >= first)
    }

    /// Whether anyone who reaches its port runs code in the broker (CVE-2023-46604). Yes for a line that is not known.
    pub fn has_remote_code_execution(self) -> bool {
        self.line().and_then(|line| line.first_without_remote_code).is_none_or(|first| self.patch < first)
    }
}

impl Line {
    /// The newest release known of this line.
    pub fn newest_release(&self) -> Release {
        Release::new(self.major, self.minor, self.newest)
    }

    /// The first release of this line without a known vulnerability; `None` when there is none.
    pub fn first_safe_release(&self) -> Option<Release> {
        self.first_safe.map(|patch| Release::new(self.major, self.minor, patch))
    }

    /// The oldest release of this line that nobody has a reason to leave for a newer one of it: the first safe one, or the
    /// last one where none is.
    pub fn least_vulnerable_release(&self) -> Release {
        self.first_safe_release().unwrap_or_else(|| self.newest_release())
    }
}

impl Target {
    /// Reads `6.2` (the newest 6.2 known) or `5.17.6` (that one). A patch newer than the newest known is taken as it is,
    /// because releases come out after this table was written.
    ///
    /// # Errors
    /// The text is no release, or is one of a line that is not in [`LINES`]; the message lists the lines.
    pub fn parse(text: &str) -> Result<Target, ReleaseError> {
        let not_a_release = || ReleaseError::NotARelease { text: text.to_owned() };
        let numbers = text.split('.').map(number).collect::<Option<Vec<u16>>>().ok_or_else(not_a_release)?;
        let (major, minor, patch) = match *numbers.as_slice() {
            [major, minor] => (major, minor, None),
            [major, minor, patch] => (major, minor, Some(patch)),
            _ => return Err(not_a_release()),
        };
        let line = LINES.iter().find(|line| (u16::from(line.major), u16::from(line.minor)) == (major, minor));
        let Some(line) = line else { return Err(ReleaseError::UnknownLine { text: text.to_owned() }) };
        let Some(patch) = patch else { return Ok(Target { release: line.newest_release(), stated_patch: false }) };
        let patch = u8::try_from(patch).map_err(|_| not_a_release())?;
        Ok(Target { release: Release::new(line.major, line.minor, patch), stated_patch: true })
    }
}

/// The line to move to from an older release: the next that gets fixes. From 5.x that is one of 5.x, with the same JMS.
#[must_use]
pub fn supported_after(release: Release) -> Option<&'static Line> {
    LINES.iter().find(|line| line.supported && line.newest_release() > release)
}

/// What a bridge does with consumer priorities when `decreaseNetworkConsumerPriority` is not written: false keeps them, so
/// that a remote 127 beats a local 100 (ActiveMQ AMQ-5137, changed in 5.18.0).
pub fn decrease_network_consumer_priority_default(release: Release) -> bool {
    release >= Release::new(5, 18, 0)
}

/// Whether a failover client with `maxReconnectAttempts=0` tries for ever; from 5.6.0 on it never reconnects, and -1 means
/// for ever (ActiveMQ AMQ-3542).
pub fn zero_attempts_means_forever(release: Release) -> bool {
    release < Release::new(5, 6, 0)
}

/// Whether a list in `updateClusterFilter` means any of its patterns. Up to 5.15.16 a broker had to match all of them, so
/// that `A.*,B.*` let nobody in (TransportConnector.isMatchesClusterFilter, seen on 5.15.16 and read in 5.17.6; the releases
/// between are not known).
pub fn cluster_filter_means_any(release: Release) -> bool {
    release >= Release::new(5, 17, 6)
}

/// Bytes that the `activemq.xml` of the distribution allows per frame on its OpenWire listener. `None`: it sets no limit
/// (5.7 and 5.8 misspell the option as `wireformat.`, which the broker ignores).
///
/// `assembly/src/release/conf/activemq.xml`, tags 5.6.0 to 6.3.1.
pub fn shipped_max_frame_size(release: Release) -> Option<u64> {
    const OLD: u64 = 104_857_600;
    const NEW: u64 = 10_485_760;
    match release {
        r if r < Release::new(5, 9, 0) => None,
        r if fixed_on_2026_07_24(r) => Some(NEW),
        _ => Some(OLD),
    }
}

/// Bytes that an OpenWire listener allows per frame when its URI says nothing. `None`: no limit (`OpenWireFormat`, 5.6.0
/// and 5.7.0 to 6.3.1).
pub fn default_max_frame_size(release: Release) -> Option<i64> {
    ((release.major, release.minor) == (5, 6)).then_some(104_857_600)
}

/// Whether an error during the BrokerInfo handshake kills a bridge until the broker restarts (GitHub apache/activemq 1864).
pub fn handshake_error_kills_bridge(release: Release) -> bool {
    !fixed_on_2026_07_24(release)
}

/// Whether a subscription to another connection's temporary queue is refused unless a policy allows it (CVE-2026-54475,
/// `allowTempDestinationStealing`).
pub fn isolates_temporary_destinations(release: Release) -> bool {
    at_least(release, &[Release::new(5, 19, 8), Release::new(6, 2, 7), Release::new(6, 3, 0)])
}

/// Whether bridges wait for the far broker's answer to every message when `alwaysSyncSend` is not written (changed in 5.8.0).
pub fn always_sync_send_default(release: Release) -> bool {
    release >= Release::new(5, 8, 0)
}

/// Whether a bridge can name a master and its slave with `masterslave:` (ActiveMQ AMQ-3564, 5.6.0).
pub fn has_masterslave_discovery(release: Release) -> bool {
    release >= Release::new(5, 6, 0)
}

/// Whether the elements inside `<broker>` must be in alphabetical order (5.4 to 5.5.1, ActiveMQ AMQ-3570).
pub fn needs_alphabetical_elements(release: Release) -> bool {
    release < Release::new(5, 6, 0)
}

/// The first release whose failover transport knows this option; `None` for one that all releases have, or none.
pub fn failover_option_since(option: &str) -> Option<Release> {
    let name = if option.starts_with("nested.") { "nested.*" } else { option };
    FAILOVER_OPTIONS_SINCE.iter().find(|(known, _)| *known == name).map(|&(_, since)| since)
}

/// 5.19.9, 6.2.8 and 6.3.0 were made on one day from one set of fixes.
fn fixed_on_2026_07_24(release: Release) -> bool {
    at_least(release, &[Release::new(5, 19, 9), Release::new(6, 2, 8), Release::new(6, 3, 0)])
}

/// A fix reaches the lines one by one: `firsts` holds the first release of each line with it, and every line after the
/// last has it as well.
fn at_least(release: Release, firsts: &[Release]) -> bool {
    let same_line = |first: &&Release| (first.major, first.minor) == (release.major, release.minor);
    match firsts.iter().find(same_line) {
        Some(first) => release >= *first,
        None => firsts.last().is_some_and(|last| release >= *last),
    }
}

const fn line(
    major: u8,
    minor: u8,
    newest: u8,
    first_released: &'static str,
    java: u8,
    first_safe: Option<u8>,
    first_without_remote_code: Option<u8>,
) -> Line {
    Line { major, minor, newest, first_released, java, supported: false, first_safe, first_without_remote_code }
}

/// A number as releases spell it: digits only, no leading zero.
fn number(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { digits.parse().ok() } else { None }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReleaseError::NotARelease { text } => {
                write!(f, "`{text}` is no ActiveMQ release: write a line such as 6.2 or a release such as 5.17.6")?;
            }
            ReleaseError::UnknownLine { text } => write!(f, "no ActiveMQ line is known here for `{text}`")?,
        }
        let lines: Vec<String> = LINES.iter().map(Line::to_string).collect();
        write!(f, "; known lines: {}", lines.join(", "))
    }
}

impl std::error::Error for ReleaseError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        let target = Target::parse(text).unwrap();
        assert!(target.stated_patch, "{text} should state its patch");
        target.release
    }

    #[test]
    fn every_line_is_read_as_its_newest_release() {
        for line in LINES {
            let text = format!("{}.{}", line.major, line.minor);
            let target = Target::parse(&text).unwrap();
            assert_eq!(target, Target { release: line.newest_release(), stated_patch: false }, "{text}");
        }
    }

    #[test]
    fn the_lines_are_in_order_and_agree_with_themselves() {
        for pair in LINES.windows(2) {
            assert!(pair[0].newest_release() < pair[1].newest_release());
        }
        for line in LINES {
            let name = line.newest_release();
            assert_eq!(
                line.supported,
                line.first_safe.is_some(),
                "{name}: a supported line has a safe release, others none"
            );
            assert!(line.first_safe.unwrap_or(0) <= line.newest, "{name}");
            assert!(line.first_without_remote_code.unwrap_or(0) <= line.newest, "{name}");
            assert_eq!(line.first_released.len(), "2012-05-02".len(), "{name}");
        }
    }

    #[test]
    fn releases_are_read_as_written() {
        for (text, expected) in [
            ("5.17.6", Release::new(5, 17, 6)),
            ("5.5.0", Release::new(5, 5, 0)),
            ("5.19.0", Release::new(5, 19, 0)),
            ("6.3.9", Release::new(6, 3, 9)),
            ("6.2.255", Release::new(6, 2, 255)),
        ] {
            assert_eq!(release(text), expected);
            assert_eq!(expected.to_string(), text);
        }
    }

    #[test]
    fn lines_that_do_not_exist_are_refused_with_those_that_do() {
        for text in ["7.0", "5.20", "4.1", "5.4", "6.4.0", "300.0", "0.0.0"] {
            let error = Target::parse(text).unwrap_err();
            assert_eq!(error, ReleaseError::UnknownLine { text: text.into() });
            let message = error.to_string();
            assert!(
                message.contains(&format!("`{text}`")) && message.contains("5.5, 5.6") && message.ends_with("6.3"),
                "{message}"
            );
        }
    }

    #[test]
    fn texts_that_are_no_release_are_refused() {
        for text in [
            "",
            "6",
            "6.",
            "6.2.",
            ".2",
            "6.2.1.0",
            "v6.2",
            " 6.2",
            "6.2 ",
            "06.2",
            "6.02",
            "6.2.x",
            "-6.2",
            "+6.2",
            "６.2",
            "5.17.256",
            "99999999999.1",
            "6,2",
            "6.2-SNAPSHOT",
        ] {
            assert_eq!(Target::parse(text), Err(ReleaseError::NotARelease { text: text.into() }), "{text:?}");
        }
    }

    #[test]
    fn the_schema_of_a_release_without_one_is_its_nearest() {
        for (text, expected) in [
            ("5.5.0", "5.6.0"),
            ("5.5.1", "5.6.0"),
            ("5.6.0", "5.6.0"),
            ("5.17.3", "5.17.3"),
            ("5.17.200", "5.17.7"),
            ("6.3.2", "6.3.1"),
        ] {
            assert_eq!(release(text).in_schema(), release(expected), "{text}");
        }
    }

    /// A fact holds from a release on, and not in the one before.
    fn check_edge(fact: impl Fn(Release) -> bool, cases: &[(&str, bool)]) {
        for &(text, expected) in cases {
            assert_eq!(fact(release(text)), expected, "{text}");
        }
    }

    #[test]
    fn network_consumer_priority_is_decreased_from_5_18_0() {
        let cases = [("5.6.0", false), ("5.17.7", false), ("5.18.0", true), ("6.3.1", true)];
        check_edge(decrease_network_consumer_priority_default, &cases);
    }

    #[test]
    fn zero_attempts_meant_for_ever_up_to_5_5() {
        check_edge(zero_attempts_means_forever, &[("5.5.1", true), ("5.6.0", false)]);
        check_edge(needs_alphabetical_elements, &[("5.5.1", true), ("5.6.0", false)]);
        check_edge(has_masterslave_discovery, &[("5.5.1", false), ("5.6.0", true)]);
    }

    #[test]
    fn a_cluster_filter_means_any_of_its_patterns_where_that_is_known() {
        check_edge(cluster_filter_means_any, &[("5.15.16", false), ("5.17.6", true)]);
    }

    #[test]
    fn bridges_send_in_step_from_5_8_0() {
        check_edge(always_sync_send_default, &[("5.7.0", false), ("5.8.0", true)]);
    }

    #[test]
    fn the_shipped_frame_limit_shrank_in_the_middle_of_two_lines() {
        for (text, expected) in [
            ("5.6.0", None),
            ("5.8.0", None),
            ("5.9.0", Some(104_857_600)),
            ("5.19.8", Some(104_857_600)),
            ("5.19.9", Some(10_485_760)),
            ("6.0.0", Some(104_857_600)),
            ("6.1.8", Some(104_857_600)),
            ("6.2.7", Some(104_857_600)),
            ("6.2.8", Some(10_485_760)),
            ("6.3.0", Some(10_485_760)),
        ] {
            assert_eq!(shipped_max_frame_size(release(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_failed_handshake_kills_bridges_before_the_fix_of_each_line() {
        let cases = [
            ("5.18.7", true),
            ("5.19.8", true),
            ("5.19.9", false),
            ("6.1.8", true),
            ("6.2.7", true),
            ("6.2.8", false),
            ("6.3.0", false),
        ];
        check_edge(handshake_error_kills_bridge, &cases);
    }

    #[test]
    fn temporary_destinations_are_isolated_from_the_fix_of_each_line() {
        let cases =
            [("5.19.7", false), ("5.19.8", true), ("6.1.8", false), ("6.2.6", false), ("6.2.7", true), ("6.3.0", true)];
        check_edge(isolates_temporary_destinations, &cases);
    }

    #[test]
    fn only_three_lines_have_safe_releases() {
        let cases = [
            ("5.18.7", false),
            ("5.19.8", false),
            ("5.19.9", true),
            ("6.1.8", false),
            ("6.2.7", false),
            ("6.2.8", true),
            ("6.3.0", true),
        ];
        check_edge(Release::is_safe, &cases);
        check_edge(
            Release::is_supported,
            &[("5.18.7", false), ("5.19.0", true), ("6.1.8", false), ("6.2.0", true), ("6.3.1", true)],
        );
        assert_eq!(Release::new(5, 19, 1).line().unwrap().first_safe_release(), Some(Release::new(5, 19, 9)));
    }

    #[test]
    fn remote_code_execution_ends_in_the_middle_of_four_lines() {
        for (fixed, open) in [("5.15.16", "5.15.15"), ("5.16.7", "5.16.6"), ("5.17.6", "5.17.5"), ("5.18.3", "5.18.2")]
        {
            assert!(!release(fixed).has_remote_code_execution(), "{fixed}");
            assert!(release(open).has_remote_code_execution(), "{open}");
        }
        check_edge(
            Release::has_remote_code_execution,
            &[("5.14.5", true), ("5.5.1", true), ("5.19.0", false), ("6.0.0", false)],
        );
    }

    #[test]
    fn the_way_out_of_an_old_line_keeps_its_jms() {
        for (from, to) in [("5.5.1", "5.19"), ("5.18.7", "5.19"), ("6.0.1", "6.2"), ("6.1.8", "6.2"), ("6.2.9", "6.3")]
        {
            assert_eq!(supported_after(release(from)).unwrap().to_string(), to, "{from}");
        }
        assert!(supported_after(newest()).is_none());
    }

    #[test]
    fn failover_options_arrive_one_by_one() {
        assert_eq!(failover_option_since("priorityBackup"), Some(Release::new(5, 6, 0)));
        assert_eq!(failover_option_since("nested.wireFormat.maxInactivityDuration"), Some(Release::new(5, 9, 0)));
        assert_eq!(failover_option_since("warnAfterReconnectAttempts"), Some(Release::new(5, 9, 1)));
        assert_eq!(failover_option_since("randomize"), None);
    }
}
